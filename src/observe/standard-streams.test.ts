/** Standard streams as a real process has them: a pipe that is read, and one that nobody reads. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

let directory = '';
let program = '';

/** Logs as many lines as it is told, says on standard error that it still turns, and ends with status 7. */
const source = `
  import { writeSync } from 'node:fs';
  import { systemClock } from './base/clock.ts';
  import { BrokerLogger } from './observe/logger.ts';
  const settings = { types: ['notice'], targets: ['stdout'], timestamp: 'none', syslogFacility: null };
  const logger = new BrokerLogger(settings, { clock: systemClock(), pid: 1, ident: 'test', allowSymlinks: false });
  for (let index = 0; index < Number(process.argv[2]); index++) logger.log('notice', 'line ' + index);
  setImmediate(async () => {
    writeSync(2, 'turning');
    await logger.close();
    process.exit(7);
  });
`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streams-'));
  program = join(directory, 'program.mjs');
  const resolveDir = fileURLToPath(new URL('..', import.meta.url));
  buildSync({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
  });
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function run(lines: number): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [program, String(lines)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('every line is out before the process ends', async () => {
  const child = run(20_000); // more than a pipe holds
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [status] = (await once(child, 'close')) as [number];
  expect(status).toBe(7);
  const lines = text.split('\n');
  expect(lines).toHaveLength(20_001);
  expect(lines[19_999]).toBe('line 19999');
});

test.each([
  ['a socket', '"$@"; echo " status $?" >&2'], // Node gives its children sockets for standard streams
  ['a pipe', '{ "$@"; echo " status $?" >&2; } | sleep 60'],
])('%s that nobody reads holds up neither the broker nor its end', async (_kind, script) => {
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, program, '200000'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // Nobody listens for data on its standard output, so it is not read.
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  while (!said.includes('status')) await once(child.stderr, 'data');
  expect(said).toBe('turning status 7\n');
  if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL'); // the shell and sleep
});
