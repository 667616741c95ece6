/** Values of the history options: which messages are kept how long, sizes, and where else they go. */
import { isTopicFilter, quotedWords } from './bridge-types.ts';
import { isLegalText, type OptionText, ValueError, type ValueType } from './option.ts';
import { firstWord, isIntegerWithin, unexpected, wholeText } from './value-types.ts';

/** Messages that are kept. */
export interface HistoryTopic {
  readonly filter: string;
  /** 1..36500; null: as long as there is room */
  readonly keepDays: number | null;
  /** bytes of the database; null: only `history_max_size` limits it. 0: not kept here, only sent to the sinks */
  readonly maxBytes: number | null;
}

const daysMax = 36_500;
const topicSyntax = 'FILTER [keep N days] [max SIZE]';

/** `FILTER [keep N days] [max SIZE]`, collected; a filter written again replaces the earlier line. */
export function historyTopics(): ValueType<readonly HistoryTopic[]> {
  return {
    expects: topicSyntax,
    reads: 'line',
    parse: (line, { name }, soFar = []) => {
      const topic = historyTopic(quotedWords(wholeText(line, name)));
      const isSame = ({ filter }: HistoryTopic) => filter === topic.filter;
      return soFar.some(isSame) ? soFar.map((one) => (isSame(one) ? topic : one)) : [...soFar, topic];
    },
    accept: (value) => {
      if (!Array.isArray(value)) throw unexpected('array of filters or { filter, keepDays?, maxBytes? }', value);
      return value.map(acceptedTopic);
    },
  };
}

function historyTopic(words: readonly string[]): HistoryTopic {
  const [filter = '', ...rest] = words;
  let keepDays: number | null = null;
  let maxBytes: number | null = null;
  for (let index = 0; index < rest.length; ) {
    const word = rest[index];
    if (word === 'keep' && keepDays === null) {
      keepDays = Number(/^[0-9]{1,6}$/.exec(rest[index + 1] ?? '')?.[0] ?? Number.NaN);
      const unit = rest[index + 2] ?? '';
      if (!isIntegerWithin(keepDays, 1, daysMax) || (unit !== 'days' && unit !== 'day')) {
        throw new ValueError(
          `Invalid 'history_topic' time (keep ${rest.slice(index + 1, index + 3).join(' ')}).`,
          `expected keep N days, N in 1..${daysMax}`,
        );
      }
      index += 3;
    } else if (word === 'max' && maxBytes === null) {
      maxBytes = parseSize(rest[index + 1] ?? '', 'history_topic');
      index += 2;
    } else {
      throw new ValueError(`Invalid 'history_topic' value (${word}).`, `expected ${topicSyntax}`);
    }
  }
  return checkedTopic({ filter, keepDays, maxBytes });
}

function acceptedTopic(value: unknown): HistoryTopic {
  if (typeof value === 'string') return checkedTopic({ filter: value, keepDays: null, maxBytes: null });
  if (typeof value !== 'object' || value === null)
    throw unexpected('filter or { filter, keepDays?, maxBytes? }', value);
  const given: Partial<Record<keyof HistoryTopic, unknown>> = value;
  const { filter, keepDays = null, maxBytes = null } = given;
  if (typeof filter !== 'string' || !isLegalText(filter)) throw unexpected('filter as text', filter);
  if (keepDays !== null && !isIntegerWithin(keepDays, 1, daysMax)) throw unexpected(`keepDays 1..${daysMax}`, keepDays);
  if (maxBytes !== null && !isIntegerWithin(maxBytes, 0, Number.MAX_SAFE_INTEGER)) {
    throw unexpected('maxBytes as a number of bytes', maxBytes);
  }
  return checkedTopic({ filter, keepDays, maxBytes });
}

function checkedTopic(topic: HistoryTopic): HistoryTopic {
  if (topic.filter.startsWith('$share/'))
    throw new ValueError("Invalid 'history_topic' filter: $share means nothing here.");
  if (!isTopicFilter(topic.filter)) throw new ValueError(`Invalid 'history_topic' filter (${topic.filter}).`);
  return topic;
}

const powers: Readonly<Record<string, number>> = { '': 0, K: 1, M: 2, G: 3, T: 4 };

/** A number of bytes with `K`, `M`, `G` or `T` (of 1024) behind it, and an optional `B`. */
function parseSize(word: string, name: string): number {
  const [, digits = '', unit = ''] = /^([0-9]{1,15})([KMGT]?)(?:i?B)?$/i.exec(word) ?? [];
  const bytes = Number(digits) * 1024 ** (powers[unit.toUpperCase()] ?? 0);
  if (digits === '' || !Number.isSafeInteger(bytes)) {
    throw new ValueError(
      `Invalid '${name}' size (${word}).`,
      'expected bytes, or a number with K, M, G or T such as 500M',
    );
  }
  return bytes;
}

/** A size within bounds; the library takes bytes. */
export function size(minBytes: number): ValueType<number> {
  const expects = 'SIZE, such as 500M or 2G';
  const atLeast = `at least ${minBytes} bytes`;
  return {
    expects,
    reads: 'word',
    parse: (line, { name }) => {
      const bytes = parseSize(firstWord(line, name), name);
      if (bytes < minBytes) throw new ValueError(`Invalid '${name}' size (${line.trimmed()}).`, `expected ${atLeast}`);
      return bytes;
    },
    accept: (value) => {
      if (!isIntegerWithin(value, minBytes, Number.MAX_SAFE_INTEGER)) throw unexpected(`bytes, ${atLeast}`, value);
      return value;
    },
  };
}

/** A database server that gets every message of the history as well. */
export interface HistorySink {
  readonly kind: 'influx';
  /** with user name and password, where there are any */
  readonly url: string;
  /** InfluxDB 1, VictoriaMetrics */
  readonly database: string | null;
  /** InfluxDB 2 and later */
  readonly bucket: string | null;
  readonly org: string | null;
  readonly measurement: string;
  /** file whose first line is the token */
  readonly tokenFile: string | null;
  /** name → value, added to every line */
  readonly tags: Readonly<Record<string, string>>;
  /** bytes that may wait for a server that does not answer */
  readonly maxBytes: number;
}

const sinkSyntax =
  'influx URL [database NAME | bucket NAME [org NAME]] [measurement NAME] [token_file PATH] [tag NAME=VALUE]… [max SIZE]';
const sinkDefaults = {
  database: null,
  bucket: null,
  org: null,
  measurement: 'mqtt',
  tokenFile: null,
  tags: {},
  maxBytes: 16 * 1024 ** 2,
};

/** Servers, one per line, collected. */
export function historySinks(): ValueType<readonly HistorySink[]> {
  return {
    expects: sinkSyntax,
    reads: 'line',
    parse: (line, { name }, soFar = []) => [...soFar, historySink(line, name)],
    accept: (value) => {
      if (!Array.isArray(value)) throw unexpected("array of { kind: 'influx', url, … }", value);
      return value.map(acceptedSink);
    },
  };
}

function historySink(line: OptionText, name: string): HistorySink {
  const [kind, url = '', ...rest] = quotedWords(wholeText(line, name));
  if (kind !== 'influx') throw new ValueError(`Invalid '${name}' value (${kind}).`, `expected ${sinkSyntax}`);
  const given: Record<string, unknown> = {};
  const tags: Record<string, string> = {};
  for (let index = 0; index < rest.length; index += 2) {
    const [word = '', value] = rest.slice(index, index + 2);
    if (value === undefined) throw new ValueError(`Missing value behind '${word}' in '${name}'.`);
    if (word === 'tag') {
      const [, key, text] = /^([^=]+)=(.+)$/.exec(value) ?? [];
      if (key === undefined || text === undefined) {
        throw new ValueError(`Invalid '${name}' tag (${value}).`, 'expected tag NAME=VALUE');
      }
      tags[key] = text;
    } else if (word === 'max') {
      given['maxBytes'] = parseSize(value, name);
    } else if (word === 'token_file') {
      given['tokenFile'] = value;
    } else if (['database', 'bucket', 'org', 'measurement'].includes(word)) {
      given[word] = value;
    } else {
      throw new ValueError(`Invalid '${name}' value (${word}).`, `expected ${sinkSyntax}`);
    }
  }
  return checkedSink({ ...sinkDefaults, kind, url, tags, ...given });
}

function acceptedSink(value: unknown): HistorySink {
  if (typeof value !== 'object' || value === null) throw unexpected("{ kind: 'influx', url, … }", value);
  const sink: Record<string, unknown> = { ...sinkDefaults, ...value };
  if (sink['kind'] !== 'influx') throw unexpected("kind 'influx'", sink['kind']);
  for (const key of Object.keys(sink)) {
    if (key !== 'kind' && key !== 'url' && !Object.hasOwn(sinkDefaults, key))
      throw new ValueError(`unknown option ${key}`);
  }
  for (const key of ['url', 'measurement'] as const) {
    if (typeof sink[key] !== 'string') throw unexpected(`${key} as text`, sink[key]);
  }
  for (const key of ['database', 'bucket', 'org', 'tokenFile'] as const) {
    if (sink[key] !== null && typeof sink[key] !== 'string') throw unexpected(`${key} as text`, sink[key]);
  }
  const { tags } = sink;
  if (typeof tags !== 'object' || tags === null || !Object.values(tags).every((one) => typeof one === 'string')) {
    throw unexpected('tags as { name: text }', tags);
  }
  if (!isIntegerWithin(sink['maxBytes'], 65_536, 2 ** 30))
    throw unexpected('maxBytes 65536..1073741824', sink['maxBytes']);
  return checkedSink(sink as unknown as HistorySink); // every field was looked at above
}

function checkedSink(sink: HistorySink): HistorySink {
  const { url, database, bucket, org, measurement, tags, maxBytes } = sink;
  const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: '' };
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new ValueError(`Invalid 'history_sink' URL (${url}).`, 'expected http://HOST:PORT or https://HOST');
  }
  if (database !== null && bucket !== null)
    throw new ValueError("'history_sink' takes a database or a bucket, not both.");
  if (org !== null && bucket === null) throw new ValueError("'history_sink' takes an org only with a bucket.");
  if (measurement === '' || measurement.startsWith('_')) {
    throw new ValueError(`Invalid 'history_sink' measurement (${measurement}).`);
  }
  for (const [name, value] of Object.entries(tags)) {
    if (name === '' || value === '' || name === 'topic' || name.startsWith('_')) {
      throw new ValueError(
        `Invalid 'history_sink' tag (${name}=${value}).`,
        "'topic' is taken, neither side may be empty",
      );
    }
  }
  if (maxBytes < 65_536 || maxBytes > 2 ** 30) {
    throw new ValueError(`Invalid 'history_sink' size (${maxBytes} bytes).`, 'expected 64K to 1G');
  }
  return sink;
}
