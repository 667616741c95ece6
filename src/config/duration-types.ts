/** Values that are times: how long a session lasts, how often data is written to the disk. */
import { ValueError, type ValueType } from './option.ts';
import { firstWord, isIntegerWithin, strtol, tabHint, unexpected } from './value-types.ts';

const secondsPerUnit: Readonly<Record<string, number>> = {
  s: 1,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
  m: 30 * 86_400,
  y: 365 * 86_400,
};

/** A positive number with its unit (`14d`, `2m`): seconds. A month has 30 days, a year 365. */
export function sessionDuration(): ValueType<number> {
  const expects = 'positive integer with s, h, d, w, m or y';
  return {
    expects,
    reads: 'word',
    parse: (line, { name }) => {
      const [, digits = '', unit = ''] = /^(\d+)([shdwmy])$/.exec(firstWord(line, name)) ?? [];
      const seconds = Number(digits) * (secondsPerUnit[unit] ?? 0);
      if (!(seconds > 0) || Number(digits) > 2_147_483_647) {
        throw new ValueError(`Invalid '${name}' duration in configuration.`, tabHint(line) ?? `expected ${expects}`);
      }
      return seconds;
    },
    accept: (value) => {
      if (!isIntegerWithin(value, 1, Number.MAX_SAFE_INTEGER)) throw unexpected('positive number of seconds', value);
      return value;
    },
  };
}

/** When an acknowledged message is on the disk: before its acknowledgement, within an interval, or when the system likes. */
export type PersistenceSync = 'commit' | 'os' | { readonly intervalMs: number };

/** `commit`, `os`, or `interval N ms` with N in 1..60000. */
export function persistenceSync(): ValueType<PersistenceSync> {
  const expects = 'commit, os or interval N ms (N in 1..60000)';
  return {
    expects,
    reads: 'word',
    parse: (line, { name }) => {
      const word = firstWord(line, name);
      if (word === 'commit' || word === 'os') return word;
      const [, number = '', unit] = line.words();
      const intervalMs = strtol(number);
      if (word !== 'interval' || unit !== 'ms' || !isIntegerWithin(intervalMs, 1, 60_000)) {
        throw new ValueError(`Invalid '${name}' value (${line.trimmed()}).`, `expected ${expects}`);
      }
      return { intervalMs };
    },
    accept: (value) => {
      if (value === 'commit' || value === 'os') return value;
      const intervalMs = typeof value === 'object' && value !== null && 'intervalMs' in value ? value.intervalMs : null;
      if (!isIntegerWithin(intervalMs, 1, 60_000))
        throw unexpected("'commit', 'os' or { intervalMs: 1..60000 }", value);
      return { intervalMs };
    },
  };
}
