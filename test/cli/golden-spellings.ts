import type { Vector } from './golden-vectors.ts';

const BROKER = ['-p', '{port}'];
const ECHO = [...BROKER, '-t', '{id}/echo', '-e', '{id}/echo', '-W', '20'];

/** Options that the version of Debian (2.0.11) does not have, or does nothing with that could be compared; of one tool with its name. */
export const NEWER_OPTIONS: ReadonlySet<string> = new Set([
  ...'--ws -w --watch --message-rate --latency --no-tls -o -S --tls-use-os-certs --tls-keylog'.split(' '),
  ...'--retain-handling --session-expiry-interval --response-topic'.split(' '),
  'rr -l',
  'rr --stdin-line',
]);

/** Long and short names that no other command line uses, each doing its work. */
export function* spellings(): Generator<Vector> {
  const pub = [...BROKER, '-t', 'golden'];
  yield { tool: 'pub', args: [...pub, '--stdin-file', '-d', '-i', '{id}'], input: 'all of it\n' };
  yield { tool: 'pub', args: [...pub, '--stdin-line', '-d', '-i', '{id}'], input: 'one\ntwo\n\nlast' };
  yield { tool: 'pub', args: [...pub, '--null-message', '-d', '-i', '{id}'] };
  yield { tool: 'pub', args: [...pub, '-m', 'x', '--debug', '--retain', '-i', '{id}', '-t', '{id}/kept'] };
  yield { tool: 'pub', args: [...pub, '-m', 'x', '--disable-clean-session'] };
  yield { tool: 'pub', args: [...pub, '-m', 'x', '--disable-clean-session', '-i', '{id}'] };

  const sub = [...BROKER, '-t', '{id}/x', '-E'];
  for (const args of [
    ['--nodelay'],
    ['--insecure'],
    ['--remove-retained'],
    ['--disable-clean-session'],
    ['--disable-clean-session', '-i', '{id}', '--debug'],
    ['--will-retain'],
    ['--will-topic', '{id}/w', '--will-retain'],
  ]) {
    yield { tool: 'sub', args: [...sub, ...args] };
  }
  yield { tool: 'sub', args: [...BROKER, '-t', 'fmt/plain', '-C', '1', '--verbose'] };

  yield { tool: 'rr', args: [...ECHO, '-s'], input: 'all\nof it' };
  yield { tool: 'rr', args: [...ECHO, '--stdin-file', '--verbose'], input: 'all\nof it' };
  yield { tool: 'rr', args: [...ECHO, '--null-message', '--verbose'] };
  for (const args of [
    ['-R'],
    ['--pretty'],
    ['--debug', '-i', '{id}'],
    ['--quiet'],
    ['-c', '-i', '{id}'],
    ['--disable-clean-session', '-i', '{id}'],
    ['--will-retain'],
    ['--insecure'],
    ['--nodelay'],
  ]) {
    yield { tool: 'rr', args: [...ECHO, '-m', 'x', ...args] };
  }
}
