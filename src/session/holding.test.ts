import { expect, test } from 'vitest';
import { Message } from '../contracts/message.ts';
import { Topic } from '../topics/topic.ts';
import { compact, newHoldings } from './holding.ts';

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
  expect(slabs.size).toBeLessThan(10);
  for (const slab of slabs) expect(slab.buffer.byteLength).toBe(2048);
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
  expect(moved.payloadSource).toBe(holdings.slab);
  expect(moved.payload.toString()).toBe('hi');
  expect(moved.propertiesSource.subarray(moved.propertiesStart, moved.propertiesEnd).toString('hex')).toBe('0101');
  expect(moved.expiryOffset).toBe(-1);
});
