import { expect, test } from 'vitest';
import { bytesDiffer, diffJson, diffLines } from './diff.ts';
import { type JsonNode, parseJson } from './json.ts';

const json = (text: string): JsonNode => parseJson(text) ?? { kind: 'literal', text: 'null' };

test('JSON differs by path, whatever the order of its keys', () => {
  const changes = diffJson(json('{"a":1,"b":[1,2],"c":"x"}'), json('{"c":"x","b":[1,3,4],"d":true}'));
  expect(changes.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'removed $.a',
    'changed $.b[1]',
    'added $.b[2]',
    'added $.d',
  ]);
  expect(diffJson(json('{"a":1,"b":2}'), json('{"b":2,"a":1}'))).toEqual([]);
});

test('a number and a text of the same letters are not the same', () => {
  expect(diffJson(json('1'), json('"1"')).length).toBe(1);
});

test('lines: as few as can be', () => {
  expect(diffLines('a\nb\nc', 'a\nc\nd')).toEqual([
    { kind: 'same', text: 'a' },
    { kind: 'removed', text: 'b' },
    { kind: 'same', text: 'c' },
    { kind: 'added', text: 'd' },
  ]);
});

test('bytes by position', () => {
  const differ = bytesDiffer(new Uint8Array([1, 2]), new Uint8Array([1, 3, 4]));
  expect([0, 1, 2].map(differ)).toEqual([false, true, true]);
});
