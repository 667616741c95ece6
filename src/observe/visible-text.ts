/**
 * Text from outside, made safe to print.
 *
 * A client may put anything into a Client Identifier, a Topic Name or a user name. What would start a new line, move the
 * cursor or turn the direction of writing round is shown as an escape, so that nobody can forge a log line.
 */

// C0 and C1 controls, line and paragraph separators, and the marks that reorder text.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function escape(character: string): string {
  const short = shortEscapes.get(character);
  if (short !== undefined) return short;
  const code = character.charCodeAt(0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
}

/** The text with every control character as `\n`, `\x1b` or `\u202e`. */
export function visibleText(text: string): string {
  return text.replace(unsafe, escape);
}

/** Cuts text so that its UTF-8 form has at most `maximumBytes`, never inside a character. */
export function cutToBytes(text: string, maximumBytes: number): string {
  // A UTF-16 unit becomes at most three bytes, so short text needs no counting.
  if (text.length * 3 <= maximumBytes) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maximumBytes) return text;
  let end = maximumBytes;
  // A byte 10xxxxxx continues a character that began before it.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
