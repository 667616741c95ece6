import { expect, test } from 'vitest';
import { changesBetween, textBefore } from './changes.ts';
import type { StreamRow } from './stream-model.ts';

test.each([
  ['{"t":12,"etat":"ok"}', '{"t":13,"etat":"ok"}', 't: 12 → 13'],
  ['{"t":12,"a":{"b":[1,2]}}', '{"t":12,"a":{"b":[1,3,4]},"pile":0.4}', 'a.b[1]: 2 → 3, a.b[2]: + 4, pile: + 0.4'],
  ['{"t":12}', '{}', 't: − 12'],
  ['{"__proto__":1}', '{"__proto__":{"x":2}}', '__proto__: 1 → { "x": 2 }'],
  ['[1]', '{"a":1}', '[ 1 ] → { "a": 1 }'],
  ['21', '22', '21 → 22'],
  ['on', '{"on":true}', 'on → {"on":true}'],
  ['{"t":12}', '{ "t": 12 }', ''],
  ['same', 'same', ''],
  ['x'.repeat(30_000), 'y', undefined],
])('%s then %s', (before, after, expected) => {
  expect(changesBetween(before, after)).toBe(expected);
});

test('the message before is the last one on the same topic, whatever stands between', () => {
  const row = (topic: string, text: string) => ({ topic, payload: { text } }) as StreamRow;
  const rows = [row('a', '1'), row('b', '2'), { gap: 3, fromMs: 0, toMs: 1 }, row('a', '3')];
  expect(textBefore(rows, 3)).toBe('1');
  expect([textBefore(rows, 0), textBefore(rows, 1), textBefore(rows, 2)]).toEqual([undefined, undefined, undefined]);
});
