import { isValidUtf8 } from '../codec/utf8.ts';

/** Whether the bytes may stand in a text field of a packet: UTF-8 without control characters and non-characters, at most 65,535. */
export function isValidText(bytes: Buffer): boolean {
  return bytes.length <= 65_535 && isValidUtf8(bytes, 0, bytes.length);
}
