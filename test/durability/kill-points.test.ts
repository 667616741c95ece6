import { expect, test } from 'vitest';
import { sweepOf } from './sweep-settings.ts';
import { faultPoint, sweepEnds, sweepScripts } from './sweeps.ts';

test('nothing called safe is lost, and nothing comes back, when the process ends at any call of a script', async () => {
  const { seed, count } = sweepOf(2000);
  const { points, failures } = await sweepScripts(seed, count);
  expect(failures).toEqual([]);
  expect(points).toBeGreaterThanOrEqual(count);
}, 600_000);

// The process ends at a call of the store, at a call of the disk or in the middle of a write. Longer runs: sweep.ts.
test('nothing called safe is lost, and nothing comes back, when the process ends anywhere', async () => {
  const { seed, count } = sweepOf(2000);
  const { points, failures } = await sweepEnds(seed, count, 'kill');
  expect(failures).toEqual([]);
  expect(points).toBeGreaterThanOrEqual(count);
}, 600_000);

test('nothing called safe is lost while the disk fails, and it goes on by itself when the disk works again', async () => {
  const { seed, count } = sweepOf(500);
  const failures: string[] = [];
  for (let number = seed; number < seed + count; number++) {
    const failure = await faultPoint(number);
    if (failure !== null) failures.push(`seed ${number}: ${failure}`);
  }
  expect(failures).toEqual([]);
}, 600_000);
