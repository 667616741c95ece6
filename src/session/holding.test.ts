import { expect, test } from 'vitest';
import { Message } from '../contracts/message.ts';
import { Topic, TopicBlocks } from '../topics/topic.ts';
import { compact, hold, newHoldings, release, sizeOf } from './holding.ts';

const topic = Topic.of('t');
const publisher = { clientId: 'p', username: null, listenerPort: 0 };

/** A message with properties (Message Expiry Interval 7 behind a Payload Format Indicator) in a read buffer, kept. */
function kept(payload: string): Message {
  const message = new Message(topic, publisher);
  // 01 01 Payload Format Indicator · 02 00 00 00 07 Message Expiry Interval
  const properties = Buffer.from([0x01, 0x01, 0x02, 0, 0, 0, 7]);
  message.payloadSource = Buffer.concat([
    Buffer.from('before'),
    properties,
    Buffer.from(payload),
    Buffer.from('after'),
  ]);
  message.propertiesSource = message.payloadSource;
  message.propertiesStart = 6;
  message.propertiesEnd = 13;
  message.expiryOffset = 9;
  message.payloadStart = 13;
  message.payloadEnd = 13 + payload.length;
  return message.keep();
}

function contentOf(message: Message): unknown {
  const { propertiesSource, propertiesStart, propertiesEnd, expiryOffset } = message;
  return {
    payload: message.payload.toString(),
    properties: propertiesSource.subarray(propertiesStart, propertiesEnd).toString('hex'),
    expirySeconds: propertiesSource.readUInt32BE(expiryOffset),
  };
}

test('small messages that stay lie side by side and keep their content', () => {
  const holdings = newHoldings();
  const messages = Array.from({ length: 500 }, (_, index) => kept(`payload ${index}`));
  for (const message of messages) compact(holdings, message);
  const slabs = new Set(messages.map(({ payloadSource }) => payloadSource));
  expect(slabs.size).toBeLessThan(3);
  for (const slab of slabs) expect(slab.buffer.byteLength).toBe(8192);
  for (const [index, message] of messages.entries()) {
    expect(contentOf(message)).toEqual({
      payload: `payload ${index}`,
      properties: '01010200000007',
      expirySeconds: 7,
    });
  }
});

test('a second time changes nothing; large messages get memory of their own', () => {
  const holdings = newHoldings();
  const small = kept('small');
  compact(holdings, small);
  const { payloadSource, payloadStart } = small;
  compact(holdings, small);
  expect(small.payloadSource).toBe(payloadSource);
  expect(small.payloadStart).toBe(payloadStart);

  const large = kept('x'.repeat(1500));
  compact(holdings, large);
  expect(large.payloadSource.buffer.byteLength).toBe(1507);
  expect(contentOf(large)).toMatchObject({ payload: 'x'.repeat(1500), expirySeconds: 7 });
});

test('an empty payload without properties', () => {
  const holdings = newHoldings();
  const message = new Message(topic, publisher).keep();
  compact(holdings, message);
  expect(message.payloadLength).toBe(0);
});

test('properties without an expiry move along, and none appears', () => {
  const message = new Message(topic, publisher);
  message.payloadSource = Buffer.from([0x01, 0x01, 0x68, 0x69]); // Payload Format Indicator, "hi"
  message.propertiesSource = message.payloadSource;
  message.propertiesEnd = 2;
  message.payloadStart = 2;
  message.payloadEnd = 4;
  const holdings = newHoldings();
  compact(holdings, kept('somebody before'));
  const moved = message.keep();
  compact(holdings, moved);
  expect(moved.payloadSource).toBe(holdings.slab?.bytes);
  expect(moved.payload.toString()).toBe('hi');
  expect(moved.propertiesSource.subarray(moved.propertiesStart, moved.propertiesEnd).toString('hex')).toBe('0101');
  expect(moved.expiryOffset).toBe(-1);
});

/** A message of 100 bytes that is held, as one retained is. */
function held(holdings: ReturnType<typeof newHoldings>, number: number, isPassing = false): Message {
  const message = kept('p'.repeat(93));
  const name = Buffer.from(`device/${String(number).padStart(4, '0')}`);
  if (isPassing) message.topic = new TopicBlocks().copy(name, 0, name.length);
  compact(holdings, message);
  hold(holdings, message);
  return message;
}

test.each([false, true])(
  'one message that stays in a slab counts as all of it; with a topic of its own: %s',
  (isPassing) => {
    const holdings = newHoldings();
    const messages = Array.from({ length: 1000 }, (_, index) => held(holdings, index, isPassing));
    const size = sizeOf(messages[0] as Message);
    // What they take, and at most the end of a slab for each that is full.
    expect(holdings.sizes).toBeGreaterThanOrEqual(1000 * size);
    expect(holdings.sizes).toBeLessThan(1000 * size + 14 * 112);

    const slabs = new Set<unknown>();
    const staying = messages.filter(({ slab }) => !slabs.has(slab) && slabs.add(slab));
    for (const message of messages) if (!staying.includes(message)) release(holdings, message);
    expect(holdings.count).toBe(slabs.size);
    // All are full but the last; records and names go with their messages.
    const inSlab = isPassing ? 111 : 100;
    expect(holdings.sizes).toBe(slabs.size * (size - inSlab) + (slabs.size - 1) * 8192 + inSlab);
    for (const message of staying) release(holdings, message);
    expect(holdings).toMatchObject({ count: 0, bytes: 0, sizes: 0 });
  },
);

test('a topic of its own moves along, one that others have stays where it is', () => {
  const holdings = newHoldings();
  const message = kept('payload');
  const blocks = new TopicBlocks();
  const passing = blocks.copy(Buffer.from('a/b'), 0, 3);
  message.topic = passing;
  compact(holdings, message);
  expect([passing.source, passing.text, passing.name, passing.isPassing]).toEqual([
    ...[message.payloadSource, 'a/b', 'a/b', false],
  ]);
  const large = kept('x'.repeat(1500));
  large.topic = blocks.copy(Buffer.from('a/c'), 0, 3);
  compact(holdings, large);
  expect([large.topic.name, large.payload.length, large.payloadSource.length]).toEqual(['a/c', 1500, 1510]);
  const other = kept('payload');
  const { source } = other.topic;
  compact(holdings, other);
  expect(other.topic.source).toBe(source);
});
