import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonFault } from './json-fault.ts';

test.each([
  ['', 0],
  ['x', 0],
  ['{}', null],
  [' [ ] ', null],
  ['[1,]', 3],
  ['{"a":1,}', 7],
  ['{"a"}', 4],
  ['{"a":}', 5],
  ['{a:1}', 1],
  ['[1 2]', 3],
  ['[[1]', 4],
  ['{"a":[]]', 7],
  ['1 1', 2],
  ['"a\n"', 0],
  ['{\n "a": [\n}', 10],
])('%j: %s', (text, at) => {
  expect(jsonFault(text)).toBe(at);
});

test('says no exactly where JSON.parse does', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '1',
    '-0.5e3',
    'true',
    'null',
    ' ',
    '\n',
    '"',
    'x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(jsonFault(text) === null).toBe(isJson);
    }),
    { numRuns: 5000 },
  );
});

test('takes what JSON.stringify makes, however deep', () => {
  fc.assert(fc.property(fc.json(), (text) => jsonFault(text) === null));
  expect(jsonFault(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toBeNull();
});
