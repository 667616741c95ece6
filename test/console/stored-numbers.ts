/** What was stored before the broker started. */
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { BatchWriter } from '../../src/history/batch.ts';
import { Keeper } from '../../src/history/keeper.ts';
import type { TestBroker } from '../harness/brokers.ts';

export const storedTopic = 'maison/salon/temperature';

function openKeeper(broker: TestBroker): Keeper {
  return new Keeper(
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
}

/** An hour: one value a minute, with five minutes missing. */
export async function fillHour(broker: TestBroker): Promise<void> {
  const now = Date.now();
  const keeper = openKeeper(broker);
  const batch = new BatchWriter(100_000);
  for (let minute = 59; minute > 0; minute--) {
    if (minute >= 20 && minute < 25) continue;
    const payload = Buffer.from((21 + Math.sin(minute / 6) * 2).toFixed(2));
    batch.add(now - minute * 60_000, storedTopic, 'capteur', 0, false, payload, 0, payload.length);
  }
  keeper.accept(batch.finish());
  await keeper.close();
}

export const monthTopic = 'maison/jardin/climat';

/** Thirty days: three numbers every so many seconds. */
export async function fillMonth(broker: TestBroker, everySeconds: number): Promise<void> {
  const now = Date.now();
  const keeper = openKeeper(broker);
  const perDay = 86_400 / everySeconds;
  const messages = 30 * perDay;
  const perBatch = 5000;
  for (let start = 0; start < messages; start += perBatch) {
    const batch = new BatchWriter(1_000_000);
    for (let n = start; n < Math.min(messages, start + perBatch); n++) {
      const day = (n / perDay) * 2 * Math.PI;
      const values = { t: 15 + Math.sin(day) * 8, h: 60 - Math.cos(day) * 20, p: 1013 + Math.sin(day / 7) * 15 };
      const payload = Buffer.from(
        JSON.stringify(values, (_, value) => (typeof value === 'number' ? Number(value.toFixed(2)) : value)),
      );
      batch.add(
        now - (messages - n) * everySeconds * 1000,
        monthTopic,
        'station',
        0,
        false,
        payload,
        0,
        payload.length,
      );
    }
    keeper.accept(batch.finish());
  }
  await keeper.close();
}
