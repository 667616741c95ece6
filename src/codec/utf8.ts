/**
 * String rules (MQTT 5.0 §1.5.4, 3.1.1 §1.5.3), checked on the bytes so that nothing is decoded before it is known to be
 * sound. Refused are ill-formed sequences, overlong forms, surrogates, values above U+10FFFF and NUL, as the standards
 * demand, and, Mosquitto: the control characters U+0001 to U+001F and U+007F to U+009F and the non-characters (U+FDD0 to
 * U+FDEF and the last two of every plane), in every version, so that one publisher's topic cannot make strict
 * subscribers drop their connection. A byte order mark is an ordinary character and stays. [MQTT-1.5.4-3]
 */

/**
 * Whether `buf[start..end)` is a string that may travel. One pass, no allocation.
 *
 * [MQTT-1.5.4-1] [MQTT-1.5.4-2] [v3.1.1 MQTT-1.5.3-1] [v3.1.1 MQTT-1.5.3-2]
 */
export function isValidUtf8(buf: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = buf[at] as number;
    if (lead < 0x80) {
      if (lead < 0x20 || lead === 0x7f) return false;
      at++;
    } else {
      const length = sequenceLength(buf, at, end, lead);
      if (length === 0) return false;
      at += length;
    }
  }
  return true;
}

/** Bytes of the multi-byte sequence at `at`, 0 when it is not one that may travel. */
function sequenceLength(buf: Buffer, at: number, end: number, lead: number): number {
  if (lead < 0xe0) {
    if (lead < 0xc2 || at + 1 >= end) return 0;
    const second = buf[at + 1] as number;
    // C2 80..9F are the control characters U+0080 to U+009F.
    if ((second & 0xc0) !== 0x80 || (lead === 0xc2 && second < 0xa0)) return 0;
    return 2;
  }
  if (lead < 0xf0) {
    if (at + 2 >= end) return 0;
    const second = buf[at + 1] as number;
    const third = buf[at + 2] as number;
    if ((second & 0xc0) !== 0x80 || (third & 0xc0) !== 0x80) return 0;
    if (lead === 0xe0 && second < 0xa0) return 0; // overlong
    if (lead === 0xed && second > 0x9f) return 0; // surrogates
    if (lead === 0xef) {
      if (second === 0xb7 && third >= 0x90 && third <= 0xaf) return 0; // U+FDD0..FDEF
      if (second === 0xbf && third >= 0xbe) return 0; // U+FFFE, U+FFFF
    }
    return 3;
  }
  if (lead > 0xf4 || at + 3 >= end) return 0;
  const second = buf[at + 1] as number;
  const third = buf[at + 2] as number;
  const fourth = buf[at + 3] as number;
  if ((second & 0xc0) !== 0x80 || (third & 0xc0) !== 0x80 || (fourth & 0xc0) !== 0x80) return 0;
  if (lead === 0xf0 && second < 0x90) return 0; // overlong
  if (lead === 0xf4 && second > 0x8f) return 0; // above U+10FFFF
  if (third === 0xbf && fourth >= 0xbe && (second & 0x0f) === 0x0f) return 0; // U+nFFFE, U+nFFFF
  return 4;
}

/** Up to this many bytes, joining characters is faster than a call into Node: most User Properties are shorter. */
const SHORT = 10;

/** The string in `buf[start..end)`, undefined when it may not travel. */
export function decodeUtf8(buf: Buffer, start: number, end: number): string | undefined {
  if (end - start <= SHORT) {
    let text = '';
    let at = start;
    while (at < end) {
      const byte = buf[at] as number;
      if (byte < 0x20 || byte > 0x7e) break;
      text += String.fromCharCode(byte);
      at++;
    }
    if (at === end) return text;
  }
  return isValidUtf8(buf, start, end) ? buf.toString('utf8', start, end) : undefined;
}
