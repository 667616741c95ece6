import { expect, test } from 'vitest';
import { csvLine } from './csv.ts';

test('cells are quoted where RFC 4180 asks for it, and a line ends with CR LF', () => {
  expect(csvLine(['a', 'b c', 'd,e', 'f"g', 'h\ni', '', ' j'])).toBe('a,b c,"d,e","f""g","h\ni",," j"\r\n');
});

test.each([
  ['=1+1', "'=1+1"],
  ['+cmd', "'+cmd"],
  ['-cmd', "'-cmd"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', '"\'\r=1"'],
  ['\uff1d1', "'\uff1d1"],
  ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
  ['-1+cmd|x', "'-1+cmd|x"],
])('the formula %j becomes %j', (cell, written) => {
  expect(csvLine([cell])).toBe(`${written}\r\n`);
});

test.each(['-5', '+5.25', '-1e-7', '0'])('the number %s stays a number', (cell) => {
  expect(csvLine([cell])).toBe(`${cell}\r\n`);
});
