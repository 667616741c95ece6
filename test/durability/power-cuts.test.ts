import { expect, test } from 'vitest';
import { sweepOf } from './sweep-settings.ts';
import { sweepEnds } from './sweeps.ts';

// The disk keeps what was synced and by chance some of the rest, torn and out of order. Longer runs: sweep.ts.
test('commit: nothing called safe is lost when the power goes', async () => {
  const { seed, count } = sweepOf(5000);
  const { points, failures } = await sweepEnds(seed, count, 'power');
  expect(failures).toEqual([]);
  expect(points).toBeGreaterThanOrEqual(count);
}, 1_200_000);

test('interval: no more than the window is lost when the power goes', async () => {
  const { seed, count } = sweepOf(200);
  const { failures } = await sweepEnds(seed, count, 'power', { kind: 'interval', milliseconds: 100 });
  expect(failures).toEqual([]);
}, 600_000);

test('os: what is found after the power went is a state that once was', async () => {
  const { seed, count } = sweepOf(200);
  const { failures } = await sweepEnds(seed, count, 'power', { kind: 'os' });
  expect(failures).toEqual([]);
}, 600_000);
