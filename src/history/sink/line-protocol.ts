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
  return escaped(text, /(\\*)([, ]|$)/g);
}

/** Names of tags and fields, values of tags. */
function tagText(text: string): string {
  return escaped(text, /(\\*)([,= ]|$)/g);
}

/**
 * Servers skip a backslash together with what follows it, but know no escaped backslash here: an odd number of them in front of
 * a separator would hide it, so there is one more then.
 */
function escaped(text: string, separators: RegExp): string {
  return text.replace(/[\r\n]/g, ' ').replace(separators, (_, run: string, separator: string) => {
    const even = run.length % 2 === 0 ? run : `${run}\\`;
    return separator === '' ? even : `${even}\\${separator}`;
  });
}

/** Line ends become `\n` to read: most servers end a line at every one of them, which would let a payload forge lines. */
function stringText(text: string): string {
  const visible = text.replace(/\r/g, '\\r').replace(/\n/g, '\\n');
  return `"${visible.replace(/["\\]/g, '\\$&')}"`;
}
