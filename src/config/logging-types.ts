/** Values of the logging options. */
import { ValueError, type ValueType } from './option.ts';
import { firstWord, listed, meantPath, tabHint, unexpected } from './value-types.ts';

/** Where log lines go. */
export type LogDestination = 'stdout' | 'stderr' | 'syslog' | 'topic' | 'dlt' | { readonly file: string };

/** Kinds of log line. */
export type LogType =
  | 'error'
  | 'warning'
  | 'notice'
  | 'information'
  | 'debug'
  | 'subscribe'
  | 'unsubscribe'
  | 'internal'
  | 'websockets';

/** Every kind of log line: what `log_type all` and `-v` stand for. */
export const logTypes: readonly LogType[] = [
  'error',
  'warning',
  'notice',
  'information',
  'debug',
  'subscribe',
  'unsubscribe',
  'internal',
  'websockets',
];

const destinationWords = ['stdout', 'stderr', 'syslog', 'topic', 'dlt'] as const;

type DestinationWord = (typeof destinationWords)[number];

function isDestinationWord(word: unknown): word is DestinationWord {
  return (destinationWords as readonly unknown[]).includes(word);
}

/** One destination per line, added to the others; `none` forgets them all, `file PATH` may stand once. */
export function logDestinations(): ValueType<readonly LogDestination[]> {
  const expects = `none, ${destinationWords.join(', ')} or file PATH`;
  return {
    expects,
    reads: 'word',
    parse: (line, context, soFar = []) => {
      const word = firstWord(line, context.name);
      if (word === 'none') return [];
      if (isDestinationWord(word)) return [...soFar.filter((one) => one !== word), word];
      if (word !== 'file') {
        throw new ValueError(`Invalid '${context.name}' value (${word}).`, tabHint(line) ?? `expected ${expects}`);
      }
      if (soFar.some((one) => typeof one === 'object')) throw new ValueError('Duplicate "log_dest file" value.');
      // Mosquitto keeps blanks at the end as a part of the name.
      const literal = line.text
        .trimStart()
        .slice('file'.length)
        .replace(/^[ \t]+/, '');
      if (literal.trim() === '') throw new ValueError('Empty "log_dest file" value in configuration.');
      return [...soFar, { file: meantPath(literal, line, context) }];
    },
    accept: (value) => {
      if (!Array.isArray(value)) throw unexpected(`array of ${destinationWords.join(', ')} or { file }`, value);
      return value.map((one: unknown): LogDestination => {
        if (isDestinationWord(one)) return one;
        const file = typeof one === 'object' && one !== null && 'file' in one ? one.file : undefined;
        if (typeof file !== 'string' || file === '') {
          throw unexpected(`${destinationWords.join(', ')} or { file: 'PATH' }`, one);
        }
        return { file };
      });
    },
  };
}

/** One kind per line, added to the others; `all` adds every kind, `none` forgets them all. */
export function logTypeSet(): ValueType<readonly LogType[]> {
  const expects = `${logTypes.join(', ')}, all or none`;
  const isLogType = (word: unknown): word is LogType => (logTypes as readonly unknown[]).includes(word);
  return {
    expects,
    reads: 'word',
    parse: (line, context, soFar = []) => {
      const word = firstWord(line, context.name);
      if (word === 'none') return [];
      if (word === 'all') return logTypes;
      if (!isLogType(word)) {
        throw new ValueError(`Invalid '${context.name}' value (${word}).`, tabHint(line) ?? `expected ${expects}`);
      }
      return logTypes.filter((type) => type === word || soFar.includes(type));
    },
    accept: (value) => {
      if (!Array.isArray(value) || !value.every(isLogType)) throw unexpected(`array of ${listed(logTypes)}`, value);
      return logTypes.filter((type) => value.includes(type));
    },
  };
}
