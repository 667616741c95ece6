/**
 * InfluxDB's line protocol: `measurement,topic=… field=value,… time`.
 *
 * Numbers are sent as floats always, so that `1` after `1.5` is no conflict of types; text as the string field `payload`.
 * Escaped are commas, spaces and `=` in names and tags, quotes, backslashes and line ends in strings.
 */
import type { NewMessage } from '../archive.ts';

/** Longer texts are not sent: InfluxDB refuses a line that holds one. */
const textBytesMax = 60_000;

/** Everything before the topic, made once. */
export function linePrefix(measurement: string, tags: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1));
  const written = sorted.map(([name, value]) => `,${tagText(name)}=${tagText(value)}`);
  return `${measurementText(measurement)}${written.join('')},topic=`;
}

/**
 * The line of a message, without its end.
 *
 * @returns undefined when it has nothing that can be sent: binary, empty or too long payloads
 */
export function lineOf(prefix: string, { topic, payload, numbers, at }: NewMessage): string | undefined {
  const fields: string[] = [];
  for (const [path, value] of numbers) fields.push(`${tagText(path === '' ? 'value' : path)}=${value}`);
  if (fields.length === 0) {
    if (typeof payload !== 'string' || payload === '' || Buffer.byteLength(payload) > textBytesMax) return undefined;
    fields.push(`payload=${stringText(payload)}`);
  }
  // Nanoseconds; beyond what a number holds exactly.
  return `${prefix}${tagText(topic)} ${fields.join(',')} ${at}000`;
}

function measurementText(text: string): string {
  return escaped(text, /\\*([, ]|$)/g);
}

/** Names of tags and fields, values of tags. */
function tagText(text: string): string {
  return escaped(text, /\\*([,= ]|$)/g);
}

/**
 * A backslash in front of a separator, or at the end, is left out: InfluxDB takes it for an escape whatever stands before it,
 * VictoriaMetrics counts how many there are, and a line must be one line to both.
 */
function escaped(text: string, separators: RegExp): string {
  const written = text.replace(/[\r\n]/g, ' ').replace(separators, (_, separator: string) => {
    return separator === '' ? '' : `\\${separator}`;
  });
  return written === '' ? '_' : written;
}

/** Line ends become `\n` to read: most servers end a line at every one of them, which would let a payload forge lines. */
function stringText(text: string): string {
  const visible = text.replace(/\r/g, '\\r').replace(/\n/g, '\\n');
  return `"${visible.replace(/["\\]/g, '\\$&')}"`;
}
