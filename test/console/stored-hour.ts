/** An hour of history that was stored before the broker started: one value a minute, with ten minutes missing. */
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { BatchWriter } from '../../src/history/batch.ts';
import { Keeper } from '../../src/history/keeper.ts';
import type { TestBroker } from '../harness/brokers.ts';

export const storedTopic = 'maison/salon/temperature';

export async function fillHour(broker: TestBroker): Promise<void> {
  const now = Date.now();
  const keeper = new Keeper(
    {
      file: join(broker.dir, 'history.db'),
      rules: [{ filter: '#', keepDays: null, maxBytes: null }],
      maxBytes: 2 ** 30,
      writeIntervalMs: 1000,
      sinks: [],
    },
    systemClock(),
    () => undefined,
    () => undefined,
  );
  const batch = new BatchWriter(100_000);
  for (let minute = 59; minute > 0; minute--) {
    if (minute >= 20 && minute < 25) continue;
    const payload = Buffer.from((21 + Math.sin(minute / 6) * 2).toFixed(2));
    batch.add(now - minute * 60_000, storedTopic, 'capteur', 0, false, payload, 0, payload.length);
  }
  keeper.accept(batch.finish());
  await keeper.close();
}
