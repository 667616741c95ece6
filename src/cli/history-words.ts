/** The command line of `moustique history`. */
import { ConfigErrors } from '../config/config-error.ts';
import { parseConfigFile } from '../config/load-config.ts';
import type { HistoryFormat } from '../contracts/history.ts';
import type { HistoryRule } from '../history/rules.ts';
import { historyFileOf } from '../server/history.ts';
import { UsageError } from './usage-error.ts';

const commands = ['stats', 'query', 'export'] as const;
type Command = (typeof commands)[number];

export interface HistoryJob {
  readonly does: Command;
  readonly database: string;
  /** Those of the configuration; empty when the database was named itself. */
  readonly rules: readonly HistoryRule[];
  readonly filter: string;
  readonly field: string | undefined;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly bucketMs: number | undefined;
  readonly what: 'messages' | 'samples';
  readonly format: HistoryFormat;
  /** '-' is standard output. */
  readonly output: string;
  readonly isJson: boolean;
}

/** Option → its one name, and the commands it belongs to. */
const valued: Readonly<Record<string, readonly [name: string, of: readonly Command[]]>> = {
  '-c': ['config', commands],
  '--config-file': ['config', commands],
  '-d': ['database', commands],
  '--database': ['database', commands],
  '-t': ['topic', ['query', 'export']],
  '--topic': ['topic', ['query', 'export']],
  '--field': ['field', ['query', 'export']],
  '--from': ['from', ['query', 'export']],
  '--to': ['to', ['query', 'export']],
  '--bucket': ['bucket', ['query']],
  '--format': ['format', ['export']],
  '-o': ['output', ['export']],
  '--output': ['output', ['export']],
};
const flags: Readonly<Record<string, readonly Command[]>> = { '--json': ['stats', 'query'], '--samples': ['export'] };

/** @param nowMs - wall clock @throws UsageError */
export function parseHistoryWords(words: readonly string[], nowMs: number): HistoryJob {
  const operands: string[] = [];
  const given = new Map<string, string>();
  const used: [option: string, of: readonly Command[]][] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [name, of] = valued[word] ?? [];
    if (name !== undefined && of !== undefined) {
      const value = words[++index];
      if (value === undefined) throw new UsageError(`Error: ${word} needs a value.`);
      given.set(name, value);
      used.push([word, of]);
    } else if (flags[word] !== undefined) {
      given.set(word, '');
      used.push([word, flags[word]]);
    } else if (word.startsWith('-')) {
      throw new UsageError(`Error: Unknown option '${word}'.`);
    } else {
      operands.push(word);
    }
  }
  const does = commandOf(operands);
  const stray = used.find(([, of]) => !of.includes(does));
  if (stray !== undefined) throw new UsageError(`Error: ${stray[0]} belongs to ${stray[1].join(' and ')}.`);
  const what = given.has('--samples') ? 'samples' : 'messages';
  if (does === 'export' && given.has('field') && what === 'messages') {
    throw new UsageError('Error: --field needs --samples, as whole messages are exported without it.');
  }
  const output = given.get('output') ?? '-';
  return {
    does,
    ...placeOf(given.get('config'), given.get('database')),
    filter: given.get('topic') ?? '#',
    field: given.get('field'),
    fromMs: optional(given.get('from'), (text) => timeOf('--from', text, nowMs)),
    toMs: optional(given.get('to'), (text) => timeOf('--to', text, nowMs)),
    bucketMs: optional(given.get('bucket'), (text) => durationOf('--bucket', text)),
    what,
    format: formatOf(given.get('format') ?? (/\.(?:jsonl|ndjson)$/.test(output) ? 'jsonl' : 'csv')),
    output,
    isJson: given.has('--json'),
  };
}

function commandOf([name, ...others]: readonly string[]): Command {
  const does = commands.find((command) => command === name);
  if (does === undefined) {
    throw new UsageError(name === undefined ? 'Error: No command given.' : `Error: Unknown command '${name}'.`);
  }
  if (others.length > 0) throw new UsageError(`Error: '${others[0]}' is one word too many.`);
  return does;
}

function placeOf(config: string | undefined, database: string | undefined): Pick<HistoryJob, 'database' | 'rules'> {
  if (database !== undefined && config === undefined) return { database, rules: [] };
  if (config === undefined || database !== undefined) {
    throw new UsageError('Error: Either -d DATABASE or -c CONFIGURATION is needed.');
  }
  try {
    const read = parseConfigFile(config, { acceptUnsupported: true }).config;
    const rules = read.global.historyTopic;
    if (rules.length === 0) throw new UsageError(`Error: ${config} has no history_topic line.`);
    return { database: historyFileOf(read), rules };
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    throw new UsageError(`Error: ${config} cannot be used:\n${error.lines.join('\n')}`);
  }
}

function optional<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

function formatOf(word: string): HistoryFormat {
  if (word === 'csv' || word === 'jsonl') return word;
  throw new UsageError(`Error: Unknown format '${word}'. Use csv or jsonl.`);
}

/** A point in time, in ms since 1970. */
function timeOf(option: string, text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  if (/^[0-9]+$/.test(text) && text.length > 8) return Number(text);
  if (/^[0-9]+[smhdw]$/.test(text)) return nowMs - durationOf(option, text);
  // A date alone would be UTC to JavaScript, and with a time local.
  const isDate = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text);
  const timeMs = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text) ? Date.parse(isDate ? `${text}T00:00` : text) : Number.NaN;
  if (Number.isNaN(timeMs) || timeMs < 0) {
    throw new UsageError(`Error: ${option}: '${text}' is no time. Use 2027-01-15T08:30, or 2h for two hours ago.`);
  }
  return timeMs;
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

function durationOf(option: string, text: string): number {
  const [, digits = '', unit = ''] = /^([0-9]{1,9})([smhdw])$/.exec(text) ?? [];
  const ms = Number(digits) * (unitMs[unit] ?? 0);
  if (!(ms > 0)) throw new UsageError(`Error: ${option}: '${text}' is no length of time. Use 10s, 5m, 1h or 1d.`);
  return ms;
}
