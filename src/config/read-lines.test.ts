import { expect, test } from 'vitest';
import { includedNames, joined } from './include-dir.ts';
import { readLines } from './read-lines.ts';

function lines(text: string | Uint8Array): readonly (readonly [line: number, name: string, text: string])[] {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return readLines(bytes, false).lines.map(({ line, name, text: value }) => [line, name, value.text]);
}

test.each([
  ['a b\n', [[1, 'a', 'b']]],
  ['a b', [[1, 'a', 'b']]],
  ['\n# c\n  \n a  b c \r\n', [[4, 'a', ' b c ']]],
  ['a', [[1, 'a', '']]],
  ['a ', [[1, 'a', '']]],
  ['a\tb', [[1, 'a\tb', '']]],
  [' # c', [[1, '#', 'c']]],
  ['\r# c\nb 1', [[2, 'b', '1']]],
  ['a \u2028 é', [[1, 'a', '\u2028 é']]],
  ['', []],
] as const)('%j', (text, expected) => {
  expect(lines(text)).toEqual(expected);
});

test.each([
  ['a 1\0b\nc 2', [], 1],
  ['a 1\n\0\nc 2', [[1, 'a', '1']], 2],
  [
    'a 1\nb 2\nc\0',
    [
      [1, 'a', '1'],
      [2, 'b', '2'],
    ],
    3,
  ],
  ['\0', [], 1],
  ['a 1', [[1, 'a', '1']], 0],
] as const)('%j ends before the line with a NUL byte', (text, expected, endedAt) => {
  expect(lines(text)).toEqual(expected);
  expect(readLines(Buffer.from(text), false).endedAt).toBe(endedAt);
});

test('bytes within a larger buffer are read alone', () => {
  const whole = Buffer.from('xxa 1\nyy');
  expect(lines(whole.subarray(2, 6))).toEqual([[1, 'a', '1']]);
});

test('included names: ending, order', () => {
  const names = [
    'b.conf',
    'B.conf',
    'a.conf',
    '.conf',
    'z.CONF',
    'Aa.conf',
    '.hidden.conf',
    'a.conf~',
    '10.conf',
    '9.conf',
  ];
  expect(includedNames(names)).toEqual(['.hidden.conf', '10.conf', '9.conf', 'a.conf', 'Aa.conf', 'B.conf', 'b.conf']);
});

test('paths in a directory', () => {
  expect([joined('d', 'a'), joined('d/', 'a'), joined('/', 'a')]).toEqual(['d/a', 'd/a', '/a']);
});
