import { expect, test } from 'vitest';
import { Message } from '../contracts/message.ts';
import { Topic } from '../topics/topic.ts';
import { hold, newHoldings, release } from './holding.ts';
import { MessagePool } from './message-pool.ts';

const topic = Topic.of('t');
const publisher = { clientId: 'p', username: null, listenerPort: 0 };

/** A transient message with a Message Expiry Interval, in the middle of a read buffer. */
function transient(payload: string): Message {
  const message = new Message(topic, publisher);
  // 02 00 00 00 07 Message Expiry Interval
  message.payloadSource = Buffer.concat([Buffer.from('before'), Buffer.from([0x02, 0, 0, 0, 7]), Buffer.from(payload)]);
  message.propertiesSource = message.payloadSource;
  message.propertiesStart = 6;
  message.propertiesEnd = 11;
  message.expiryOffset = 7;
  message.expiresAtMs = 7000;
  message.payloadStart = 11;
  message.payloadEnd = message.payloadSource.length;
  message.frameStart = 3;
  message.serial = payload.length;
  return message;
}

test('a message that is given back is the next one of its size, with nothing of what it was', () => {
  const pool = new MessagePool();
  const first = pool.take(transient('a rather long payload'));
  const copy = first.keep();
  first.storeId = 9;
  expect(copy).not.toBe(first);
  pool.give(first);
  expect([first.kept, first.topic.name, first.publisher.clientId]).toEqual([null, '', '']);
  const second = pool.take(transient('short'));
  expect(second).toBe(first);
  expect(second).toMatchObject({ topic, publisher, expiresAtMs: 7000, frameStart: -1, storeId: 0, serial: 5 });
  expect(second.payload.toString()).toBe('short');
  expect(second.propertiesSource.readUInt32BE(second.expiryOffset)).toBe(7);
  expect(copy.payload.toString()).toBe('a rather long payload');
  expect(pool.take(transient('another'))).not.toBe(second);
});

test.each([0, 1, 59, 60, 123, 124, 2043, 4091])('a payload of %d bytes is whole', (length) => {
  const pool = new MessagePool();
  for (let turn = 0; turn < 3; turn++) {
    const payload = String(turn).repeat(length);
    const message = pool.take(transient(payload));
    expect(message.payload.toString()).toBe(payload);
    pool.give(message);
  }
  expect(pool.freeBytes).toBeGreaterThan(0);
});

test('a large message is a kept one, and not used again', () => {
  const pool = new MessagePool();
  const message = pool.take(transient('x'.repeat(4092)));
  expect(message.keep()).toBe(message);
  pool.give(message);
  expect(pool.freeBytes).toBe(0);
  expect(message.topic).toBe(topic);
});

test('free messages take 8 MiB at most', () => {
  const pool = new MessagePool();
  const messages = Array.from({ length: 4000 }, () => pool.take(transient('x'.repeat(3000))));
  for (const message of messages) pool.give(message);
  expect(pool.freeBytes).toBeGreaterThan(7 * 1024 * 1024);
  expect(pool.freeBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
});

test('who lets go of it last gives it back', () => {
  const holdings = newHoldings();
  const message = holdings.pool.take(transient('held'));
  hold(holdings, message);
  expect([holdings.count, holdings.bytes]).toEqual([1, 4]);
  release(holdings, message);
  expect([holdings.count, holdings.bytes, holdings.sizes]).toEqual([0, 0, 0]);
  expect(holdings.pool.take(transient('again'))).toBe(message);
});
