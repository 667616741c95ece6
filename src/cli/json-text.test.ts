import { expect, test } from 'vitest';
import { printG, quoteJson, reprintJson } from './json-text.ts';

const reprint = (text: string) => {
  const result = reprintJson(Buffer.from(text).toString('latin1'), false, 0);
  return result === undefined ? undefined : Buffer.from(result, 'latin1').toString();
};

test.each([
  ['{}', '{}'],
  [' { "a" : 1 , "b" : [ ] } ', '{"a":1,"b":[]}'],
  ['"abc"', '"abc"'],
  ['true', 'true'],
  // Repeated keys and keys that look like numbers stay where they are.
  ['{"2":1,"1":2,"a":3,"a":4}', '{"2":1,"1":2,"a":3,"a":4}'],
  ['{"__proto__":1}', '{"__proto__":1}'],
  ['"\\u00e9\\/\\ud83d\\ude00"', '"é/😀"'],
  ['"\\b\\f\\n\\r\\t\\u001f\\"\\\\"', '"\\b\\f\\n\\r\\t\\u001f\\"\\\\"'],
  ['"tab\tx"', '"tab\\tx"'],
  // Numbers as the C library prints them.
  ['1.50', '1.5'],
  ['1e3', '1000'],
  ['01', '1'],
  ['5.', '5'],
  ['-0', '-0'],
  ['0.00001', '1e-05'],
  ['100000000000000000000', '1e+20'],
  ['12345678901234567890', '1.2345678901234567e+19'],
  ['0.1234567890123456', '0.12345678901234559'],
  ['123456789012', '123456789012'],
  ['1e400', 'null'],
])('%s is printed as %s', (given, printed) => {
  expect(reprint(given)).toBe(printed);
});

test.each([
  '',
  'nul',
  '{',
  '[1,]',
  '{"a":1,}',
  '{"a"}',
  '{a:1}',
  '1 2',
  '+1',
  '.5',
  '"\\x"',
  '"\\ud800"',
  '"open',
  '[1',
])('%s is no JSON', (text) => {
  expect(reprint(text)).toBeUndefined();
});

test('nesting has an end', () => {
  expect(reprint('['.repeat(1000) + ']'.repeat(1000))).toBeDefined();
  expect(reprint('['.repeat(100_000) + ']'.repeat(100_000))).toBeUndefined();
});

test('quotes only what must be', () => {
  expect(quoteJson('a/b\x7f"\\\x00')).toBe('"a/b\x7f\\"\\\\\\u0000"');
});

test('%g of C', () => {
  expect(printG(0.0001, 15)).toBe('0.0001');
  expect(printG(123456, 3)).toBe('1.23e+05');
  expect(printG(1 / 3, 6)).toBe('0.333333');
});
