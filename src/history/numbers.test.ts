import { expect, test } from 'vitest';
import { numbersIn, storedPayload } from './numbers.ts';

const found = (payload: string) => Object.fromEntries(numbersIn(payload));

test.each([
  ['21.5', 21.5],
  ['-3', -3],
  ['+1e3', 1000],
  ['.5', 0.5],
  [' 7 \n', 7],
  ['true', 1],
  ['false', 0],
])('the payload %j is the number %d', (payload, value) => {
  expect(found(payload)).toEqual({ '': value });
});

test.each([
  '',
  ' ',
  'Bonjour',
  '0x10',
  '1,5',
  '1e999',
  'NaN',
  'Infinity',
  '21.5 C',
  '{"t":',
  '{"t":1e999}',
  'null',
  '1'.repeat(65),
])('the payload %j is no number', (payload) => {
  expect(found(payload)).toEqual({});
});

test('numbers of JSON stand under the path that leads to them', () => {
  const json = '{"t":1,"a":{"b":[2,{"c":3}]},"on":true,"text":"4","none":null,"a.b":5,"":6,"été":7,"__proto__":8}';
  expect(Object.entries(found(json))).toEqual([
    ['t', 1],
    ['a.b[0]', 2],
    ['a.b[1].c', 3],
    ['on', 1],
    ['["a.b"]', 5],
    ['[""]', 6],
    ['été', 7],
    ['__proto__', 8],
  ]);
  expect(found('[1,[2]]')).toEqual({ '[0]': 1, '[1][0]': 2 });
});

test('what is taken of one payload is bounded in number, depth, array items, path and size', () => {
  const keys = (count: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])));
  expect(numbersIn(keys(64)).size).toBe(64);
  expect(numbersIn(keys(1000)).size).toBe(64);
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  expect(numbersIn(nested(8)).size).toBe(1);
  expect(numbersIn(nested(9)).size).toBe(0);
  expect(numbersIn(JSON.stringify(Array.from({ length: 100 }, () => 1))).size).toBe(16);
  expect(numbersIn(JSON.stringify({ ['x'.repeat(200)]: 1 })).size).toBe(1);
  expect(numbersIn(JSON.stringify({ ['x'.repeat(201)]: 1 })).size).toBe(0);
  expect(numbersIn(`{"t":1,"text":"${'x'.repeat(262_144)}"}`).size).toBe(0);
  expect(numbersIn(`${'['.repeat(100_000)}1${']'.repeat(100_000)}`).size).toBe(0);
});

test('a payload is stored as text when it is UTF-8 without NUL, else as it is', () => {
  expect(storedPayload(Buffer.from('été'))).toBe('été');
  expect(storedPayload(Buffer.alloc(0))).toBe('');
  expect(storedPayload(Buffer.from([0x61, 0x00]))).toEqual(Buffer.from([0x61, 0x00]));
  expect(storedPayload(Buffer.from([0xff, 0x61]))).toEqual(Buffer.from([0xff, 0x61]));
});
