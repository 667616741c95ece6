import { expect, test } from 'vitest';
import { NumberTable } from './number-table.ts';

test('what a Map would answer, in the order of the keys', () => {
  const table = new NumberTable<string>();
  const map = new Map<number, string>();
  let state = 7;
  for (let step = 0; step < 5000; step++) {
    state = (state * 48_271) % 2_147_483_647;
    // Some lie close together, some beyond 2^32.
    const key = state % 3 === 0 ? (state % 50) * 2 ** 33 : state % 300;
    if (state % 4 === 1) {
      table.delete(key);
      map.delete(key);
    } else {
      table.set(key, `${step}`);
      map.set(key, `${step}`);
    }
    expect(table.get(key)).toBe(map.get(key));
  }
  const sorted = [...map].sort(([first], [second]) => first - second);
  expect([...table.entries()]).toEqual(sorted);
  const called: (readonly [number, string])[] = [];
  table.forEach((value, key) => called.push([key, value]));
  expect(called).toEqual(sorted);
  table.clear();
  expect([...table.entries()]).toEqual([]);
  expect(table.get(5)).toBeUndefined();
});
