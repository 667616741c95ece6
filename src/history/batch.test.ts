import { expect, test } from 'vitest';
import { BatchWriter, readBatch, recordOverhead } from './batch.ts';

test('messages come out of a batch as they went in', () => {
  const payload = Buffer.from('--21.5--');
  const batch = new BatchWriter(4096);
  batch.add(1_800_000_000_000.5, 'a/b', 'one', 2, true, payload, 2, 6);
  batch.add(1_800_000_000_001, 'a/b', '', 0, false, payload, 0, 0);
  batch.add(1_800_000_000_002, 'é', 'one', 1, false, Buffer.from([0, 255]), 0, 2);

  const { topics, clients, count, ...rest } = batch.finish();
  expect({ topics, clients, count }).toEqual({ topics: ['a/b', 'é'], clients: ['one', ''], count: 3 });
  expect([...readBatch({ topics, clients, count, ...rest })]).toEqual([
    { timeMs: 1_800_000_000_000.5, topic: 'a/b', clientId: 'one', qos: 2, retain: true, payload: Buffer.from('21.5') },
    { timeMs: 1_800_000_000_001, topic: 'a/b', clientId: '', qos: 0, retain: false, payload: Buffer.alloc(0) },
    { timeMs: 1_800_000_000_002, topic: 'é', clientId: 'one', qos: 1, retain: false, payload: Buffer.from([0, 255]) },
  ]);
});

test('a batch is full when a record does not fit any more', () => {
  const batch = new BatchWriter(2 * recordOverhead + 3);
  expect(batch.hasRoomFor(3)).toBe(true);
  batch.add(0, 'a', '', 0, false, Buffer.from('abc'), 0, 3);
  expect(batch.hasRoomFor(0)).toBe(true);
  expect(batch.hasRoomFor(1)).toBe(false);
});
