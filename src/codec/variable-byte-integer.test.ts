import { expect, test } from 'vitest';
import { bytes } from '../../test/harness/codec.ts';
import {
  INCOMPLETE,
  MALFORMED,
  readVariableByteInteger,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from './variable-byte-integer.ts';

/** The limits of each size, from the table of §1.5.5. */
const limits: readonly [value: number, encoding: string][] = [
  [0, '00'],
  [127, '7f'],
  [128, '80 01'],
  [16_383, 'ff 7f'],
  [16_384, '80 80 01'],
  [2_097_151, 'ff ff 7f'],
  [2_097_152, '80 80 80 01'],
  [268_435_455, 'ff ff ff 7f'],
];

test.each(limits)('reads and writes %d as %s', (value, encoding) => {
  const expected = bytes(encoding);
  expect(readVariableByteInteger(expected, 0, expected.length)).toBe(value);
  expect(variableByteIntegerSize(value)).toBe(expected.length);
  const target = Buffer.alloc(6, 0xee);
  expect(writeVariableByteInteger(target, 1, value)).toBe(1 + expected.length);
  expect(target.subarray(1, 1 + expected.length)).toEqual(expected);
  expect(target[1 + expected.length]).toBe(0xee);
});

test('is incomplete while the last byte says that more follows', () => {
  expect(readVariableByteInteger(bytes(''), 0, 0)).toBe(INCOMPLETE);
  expect(readVariableByteInteger(bytes('80'), 0, 1)).toBe(INCOMPLETE);
  expect(readVariableByteInteger(bytes('ff ff ff'), 0, 3)).toBe(INCOMPLETE);
  expect(readVariableByteInteger(bytes('80 01'), 0, 1)).toBe(INCOMPLETE); // the second byte is out of bounds
});

test('v5 [MQTT-1.5.5-1] refuses a fifth byte and padding', () => {
  expect(readVariableByteInteger(bytes('80 80 80 80 01'), 0, 5)).toBe(MALFORMED);
  expect(readVariableByteInteger(bytes('80 00'), 0, 2)).toBe(MALFORMED);
  expect(readVariableByteInteger(bytes('ff 80 00'), 0, 3)).toBe(MALFORMED);
});
