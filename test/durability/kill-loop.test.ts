import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { killLoop } from './kill-loop.ts';
import { Random } from './random.ts';
import { sweepOf } from './sweep-settings.ts';

const resources = useResources();

test('a broker killed again and again under load loses nothing it acknowledged', async () => {
  const { seed, count } = sweepOf(30);
  const broker = await startBroker(resources, 'moustique', {
    config: [
      'listener {port} 127.0.0.1',
      'allow_anonymous true',
      'persistence true',
      'persistence_location {dir}/',
      'max_queued_messages 0',
      'log_type error',
      'log_type warning',
    ],
  });

  const result = await killLoop(broker, count, new Random(seed));

  expect(result.failures).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(count);
  expect(result.arrived).toBeGreaterThanOrEqual(result.acknowledged * 3);
}, 1_200_000);
