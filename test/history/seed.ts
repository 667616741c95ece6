/**
 * Fills a history database with made-up sensors, for demonstrations, screenshots and measurements.
 *
 *   npx tsx test/history/seed.ts data/history.db            the last hour of maison/salon/temperature, every 10 s
 *   npx tsx test/history/seed.ts data/history.db 720 10     30 days, and a topic with 10 numbers in JSON
 *
 * No broker may use the file meanwhile.
 */
import { systemClock } from '../../src/base/clock.ts';
import { BatchWriter } from '../../src/history/batch.ts';
import { Keeper } from '../../src/history/keeper.ts';

export interface Seed {
  /** The end of what is made up, ms since 1970. */
  readonly untilMs: number;
  readonly hours: number;
  /** Numbers in the JSON payloads of `maison/serre/climat`; 0 for no such topic. */
  readonly fields: number;
}

/** @param file - made when it is not there */
export async function seedHistory(file: string, { untilMs, hours, fields }: Seed): Promise<void> {
  const rules = [{ filter: '#', keepDays: null, maxBytes: null }];
  const settings = { file, rules, maxBytes: 2 ** 40, writeIntervalMs: 1000, sinks: [] };
  const fail = (_level: string, text: string) => {
    throw new Error(text);
  };
  const keeper = new Keeper(settings, systemClock(), fail, () => {});
  const stepMs = 10_000;
  const count = Math.floor((hours * 3_600_000) / stepMs);
  for (let first = 0; first < count; first += 1000) {
    const batch = new BatchWriter(1000 * (200 + 20 * fields));
    for (let index = first; index < Math.min(first + 1000, count); index++) {
      const timeMs = untilMs - (count - index) * stepMs;
      const day = (timeMs % 86_400_000) / 86_400_000;
      const temperature = 20 + 2.5 * Math.sin(2 * Math.PI * (day - 0.3)) + 0.2 * Math.sin(index / 7);
      add(batch, timeMs, 'maison/salon/temperature', temperature.toFixed(2));
      if (fields === 0) continue;
      const numbers = Array.from({ length: fields }, (_, field) => [
        `n${field}`,
        Number((temperature + field).toFixed(2)),
      ]);
      add(batch, timeMs, 'maison/serre/climat', JSON.stringify(Object.fromEntries(numbers)));
    }
    keeper.accept(batch.finish());
  }
  await keeper.close();
}

function add(batch: BatchWriter, timeMs: number, topic: string, payload: string): void {
  const bytes = Buffer.from(payload);
  batch.add(timeMs, topic, 'capteur', 0, false, bytes, 0, bytes.length);
}

const [, script = '', file, hours = '1', fields = '0'] = process.argv;
if (script.endsWith('seed.ts') && file !== undefined) {
  await seedHistory(file, { untilMs: Date.now(), hours: Number(hours), fields: Number(fields) });
}
