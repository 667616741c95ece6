import { expect, test } from 'vitest';
import { filesOfSize, flipEveryByte } from './byte-flips.ts';
import { sweepOf } from './sweep-settings.ts';

test('a store of 64 KB with any one byte damaged starts, loses only what the byte held, and says so', async () => {
  const { seed, count: size } = sweepOf(65_536);
  const files = await filesOfSize(seed, size);
  const { points, failures } = flipEveryByte(files, seed);
  expect(failures.slice(0, 10)).toEqual([]);
  expect(points).toBeGreaterThan(size);
}, 1_200_000);
