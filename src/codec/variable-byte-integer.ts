/**
 * Variable Byte Integer (MQTT 5.0 §1.5.5; Remaining Length in 3.x): seven bits per byte, low group first, bit 7 = more
 * follows, one to four bytes.
 */

/** Largest value that four bytes hold; also the largest Remaining Length. */
export const VARIABLE_BYTE_INTEGER_MAX = 268_435_455;

/** Bytes of the shortest encoding, 1 to 4. [MQTT-1.5.5-1] */
export function variableByteIntegerSize(value: number): 1 | 2 | 3 | 4 {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}

/**
 * Writes the shortest encoding.
 *
 * @param value - 0 to 268,435,455
 * @returns the offset behind it
 */
export function writeVariableByteInteger(target: Buffer, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest > 127) {
    target[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** What `readVariableByteInteger` returns in place of a value. */
export const INCOMPLETE = -1;
/** A fourth byte that says that a fifth follows, or (5.0) an encoding longer than needed. */
export const MALFORMED = -2;

/**
 * Reads a value without allocating; its size follows from `variableByteIntegerSize(value)` because only the shortest
 * encoding is taken. [MQTT-1.5.5-1]
 *
 * @param end - first offset that may not be read
 * @returns 0 to 268,435,455, or INCOMPLETE, or MALFORMED
 */
export function readVariableByteInteger(buf: Buffer, offset: number, end: number): number {
  if (offset >= end) return INCOMPLETE;
  let byte = buf[offset] as number;
  if (byte < 128) return byte;
  let value = byte & 127;
  for (let index = 1; index < 4; index++) {
    if (offset + index >= end) return INCOMPLETE;
    byte = buf[offset + index] as number;
    value |= (byte & 127) << (7 * index);
    if (byte < 128) return byte === 0 ? MALFORMED : value;
  }
  return MALFORMED;
}
