import { expect, test } from 'vitest';
import type { TopicRow } from '../api/types.ts';
import { applyAnswer, blocksOf, emptyWindow, formatOpen, openByItself, parseOpen } from './tree-model.ts';

const row = (topic: string): TopicRow => ({
  topic,
  level: topic,
  depth: 0,
  children: 0,
  topicsBelow: 0,
  hasMoreBelow: false,
  hasValue: true,
  value: '1',
  sizeBytes: 1,
  isRetained: false,
  count: 1,
  ratePerSecond: 0,
  lastMs: 0,
});

test('an update changes values and never the order', () => {
  const before = applyAnswer(emptyWindow, {
    type: 'tree',
    view: 'v',
    total: 2,
    from: 0,
    rows: [row('a'), row('b')],
    newTopics: 0,
  });
  const change = { ...row('b'), value: '2', count: 9, ringAdded: [2, 3] };
  const after = applyAnswer(before, { type: 'update', view: 'v', atMs: 0, newTopics: 4, rows: [change] });
  expect(after.rows.map(({ topic, value, ring }) => [topic, value, ring])).toEqual([
    ['a', '1', undefined],
    ['b', '2', [2, 3]],
  ]);
  expect(after.newTopics).toBe(4);
  expect(after.total).toBe(2);
});

test('opened nodes survive the URL, whatever is in their names', () => {
  for (const open of [[], ['a'], [''], ['a\nb', 'c\\n', 'd/'], ['', 'x']]) {
    const text = formatOpen(new Set(open));
    if (open.length === 1 && open[0] === '') continue;
    expect([...parseOpen(text)]).toEqual(open);
  }
});

test('rows are asked for in whole blocks', () => {
  expect(blocksOf(0, 20)).toEqual({ from: 0, to: 32 });
  expect(blocksOf(40, 70)).toEqual({ from: 32, to: 96 });
});

test('a small tree opens by itself, a long one does not, and $SYS never', () => {
  const rows = [{ ...row('$SYS'), children: 3 }, { ...row('maison'), children: 3 }, row('x')];
  const window = { ...emptyWindow, rows, total: 3, isLoaded: true };
  expect(openByItself(window, new Set())).toEqual(['maison']);
  expect(openByItself(window, new Set(['maison']))).toEqual([]);
  expect(openByItself({ ...window, rows: [{ ...row('a'), children: 1000 }] }, new Set())).toEqual([]);
});
