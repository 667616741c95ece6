import { expect, test } from 'vitest';
import { useResources } from '../harness/resources.ts';
import { killLoop } from './kill-loop.ts';
import { startLoopBroker } from './kill-rounds.ts';
import { Random } from './random.ts';
import { sweepOf } from './sweep-settings.ts';

const resources = useResources();

// Longer runs: sweep.ts.
test('a broker killed again and again under load loses nothing it acknowledged', async () => {
  const { seed, count } = sweepOf(30);
  const broker = await startLoopBroker(resources);

  const result = await killLoop(broker, count, new Random(seed));

  expect(result.failures).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(count);
  expect(result.arrived).toBeGreaterThanOrEqual(result.acknowledged * 3);
}, 1_200_000);

test('a broker that keeps nothing is found out', async () => {
  const broker = await startLoopBroker(resources, false);

  const { failures } = await killLoop(broker, 1, new Random(1), 3000);

  expect(failures.join('\n')).toMatch(/at absent: lost/);
}, 120_000);
