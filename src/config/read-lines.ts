/** The lines of a configuration file that carry an option. */
import { isUtf8 } from 'node:buffer';
import { OptionText } from './option.ts';

/** One option as written. */
export interface OptionLine {
  /** from 1 */
  readonly line: number;
  /** everything up to the first space */
  readonly name: string;
  readonly text: OptionText;
}

/** What a file holds, and what was odd about it as a whole. */
export interface OptionLines {
  readonly lines: readonly OptionLine[];
  /** the line with a NUL byte, at which reading ended; 0 for none */
  readonly endedAt: number;
  /** a byte order mark was dropped */
  readonly hadByteOrderMark: boolean;
}

/** Longest configuration file that is read, in bytes. */
export const fileSizeMax = 16 * 1024 * 1024;

/**
 * Cuts a file into options. Only the space separates a name from its value; a comment has its `#` in the very first
 * column; lines end with LF or CR LF; a line with a NUL byte and everything below it is not read (as in Mosquitto, which
 * says nothing).
 *
 * @param keepByteOrderMark - leave it in the first name, as Mosquitto does, which makes that name unknown
 */
export function readLines(bytes: Uint8Array, keepByteOrderMark: boolean): OptionLines {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nul = content.indexOf(0);
  const readable = nul < 0 ? content : content.subarray(0, content.lastIndexOf(0x0a, nul) + 1);
  const hasByteOrderMark = readable.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]));
  const hadByteOrderMark = hasByteOrderMark && !keepByteOrderMark;
  const lines: OptionLine[] = [];
  let line = 0;
  let start = hadByteOrderMark ? 3 : 0;
  while (start < readable.length) {
    const newline = readable.indexOf(0x0a, start);
    const end = newline < 0 ? readable.length : newline;
    line += 1;
    const option = optionLine(readable.subarray(start, end), line);
    if (option !== undefined) lines.push(option);
    start = end + 1;
  }
  return { lines, endedAt: nul < 0 ? 0 : line + 1, hadByteOrderMark };
}

function optionLine(bytes: Buffer, line: number): OptionLine | undefined {
  const written = bytes.toString('utf8').replace(/\r+$/, '');
  if (written.startsWith('#') || written.startsWith('\r')) return undefined;
  const [, name, value = ''] = /^ *([^ ]+)(?: ([^]*))?$/.exec(written) ?? [];
  return name === undefined ? undefined : { line, name, text: new OptionText(value, isUtf8(bytes)) };
}
