import { expect, test } from 'vitest';
import { windowOf } from './window-of.ts';

test('a million rows: every one can be reached, and rows stand where the scroll bar says', () => {
  const count = 1_000_000;
  const { height, scale } = windowOf(0, 600, count, 28);
  expect(height).toBeLessThanOrEqual(8_000_000);
  expect(windowOf(0, 600, count, 28).from).toBe(0);
  const end = windowOf(height - 600, 600, count, 28);
  expect(end.to).toBe(count);
  // The last row ends where the box ends.
  expect(count * 28 + end.offset).toBeCloseTo(height, 3);
  expect(scale).toBeGreaterThan(1);
});

test('a short list has as many rows as it has, without scaling', () => {
  expect(windowOf(0, 600, 3, 28)).toEqual({ height: 84, scale: 1, from: 0, to: 3, offset: 0 });
});
