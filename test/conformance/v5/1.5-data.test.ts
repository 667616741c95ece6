import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import { packet, varint } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property, valuesOf } from '../wire/properties.ts';

const resources = useResources();

const illFormed: readonly (readonly [name: string, text: Buffer])[] = [
  ['an overlong NUL', Buffer.from([0xc0, 0x80])],
  ['an overlong slash', Buffer.from([0xe0, 0x80, 0xaf])],
  ['a lone continuation', Buffer.from([0x80])],
  ['a sequence that is cut off', Buffer.from([0x61, 0xe2, 0x82])],
  ['the lowest surrogate', Buffer.from([0xed, 0xa0, 0x80])],
  ['the highest surrogate', Buffer.from([0xed, 0xbf, 0xbf])],
  ['a surrogate pair', Buffer.from([0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80])],
  ['a code point above U+10FFFF', Buffer.from([0xf4, 0x90, 0x80, 0x80])],
  ['a byte that never occurs', Buffer.from([0xfe])],
  ['NUL', Buffer.from([0x61, 0x00, 0x62])],
];

for (const [name, text] of illFormed) {
  test(`v5 [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] ${name} in any string of a packet is malformed: DISCONNECT 0x81`, async () => {
    const broker = await startBroker(resources);
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.subscribe('#');
    const packets = [
      v5.publish({ topic: text }),
      v5.publish({ properties: [property.contentType(text)] }),
      v5.publish({ properties: [property.responseTopic(text)] }),
      v5.publish({ properties: [property.userProperty([text, 'v'])] }),
      v5.publish({ properties: [property.userProperty(['n', text])] }),
      v5.subscribe({ filters: [text] }),
      v5.subscribe({ filters: ['a'], properties: [property.userProperty([text, 'v'])] }),
      v5.subscribe({ filters: ['a'], properties: [property.userProperty(['n', text])] }),
      v5.unsubscribe({ filters: [text] }),
      v5.unsubscribe({ filters: ['a'], properties: [property.userProperty(['n', text])] }),
      v5.puback({ reasonCode: 0, properties: [property.reasonString(text)] }),
      v5.pubrec({ reasonCode: 0, properties: [property.userProperty([text, ''])] }),
      v5.disconnect({ reasonCode: 0, properties: [property.reasonString(text)] }),
    ];
    for (const wrong of packets) {
      const client = await broker.connect({ clientId: 'wrong' });
      client.send(wrong);
      await client.expectError(0x81);
    }
    await watcher.expectNothing();
  });
}

test('v5 [MQTT-1.5.4-1] [MQTT-1.5.7-1] every length of code point is taken in every string, and comes out as it went in', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('#');
  for (const text of [
    '\u007e',
    '\u00a0',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffef',
    '\u{10000}',
    '\u{10fffd}',
  ]) {
    const properties = [
      property.contentType(text),
      property.responseTopic(text),
      property.userProperty([text, text]),
      property.userProperty(['', '']),
    ];
    client.send(v5.publish({ topic: text, properties }));
    const publish = await client.expectPublish({ topic: text });
    expect(publish.properties).toEqual([
      ['contentType', text],
      ['responseTopic', text],
      ['userProperty', [text, text]],
      ['userProperty', ['', '']],
    ]);
  }
});

test('v5 [MQTT-1.5.4-1] payload, password and Correlation Data are bytes, and need not be UTF-8', async () => {
  const seen: unknown[] = [];
  const broker = await startBroker(resources, {
    authenticator: {
      authenticate: ({ password }) => {
        seen.push(password);
        return 'accepted';
      },
    },
  });
  const noText = Buffer.from([0xff, 0x00, 0xed, 0xa0, 0x80]);
  const client = await broker.connect({ username: 'u', password: noText });
  expect(seen).toEqual([noText]);
  await client.subscribe('a');
  client.send(v5.publish({ topic: 'a', payload: noText, properties: [property.correlationData(noText)] }));
  const publish = await client.expectPublish({ topic: 'a' });
  expect(publish.payload).toEqual(noText);
  expect(publish.properties).toEqual([['correlationData', noText]]);
});

test('v5 [MQTT-1.5.4-2] what the broker makes up itself has no NUL either: the identifier it assigns', async () => {
  const broker = await startBroker(resources);
  const { connack } = await broker.connect({ clientId: '' });
  expect(connack.bytes.toString('latin1')).toMatch(/auto-[0-9a-f-]{36}/);
});

// 1.5.5 Variable Byte Integer

for (const length of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
  test(`v5 [MQTT-1.5.5-1] a Remaining Length of ${length} is taken and sent in its shortest form`, async () => {
    const broker = await startBroker(resources, { options: { maxPacketSize: 3_000_000 } });
    const client = await broker.connect();
    await client.subscribe('a');
    const payload = Buffer.alloc(length - 4, 'x');
    client.send(packet(0x30, '00 01 "a" 00', payload));
    const { bytes } = await client.expectPublish({ topic: 'a' }); // the reader refuses a longer form
    expect(bytes.subarray(1, 1 + varint(length).length)).toEqual(varint(length));
    expect(bytes).toHaveLength(1 + varint(length).length + length);
  });
}

for (const length of [127, 128, 16_383, 16_384, 65_000]) {
  test(`v5 [MQTT-1.5.5-1] a Property Length of ${length} is taken and sent in its shortest form`, async () => {
    const broker = await startBroker(resources);
    const client = await broker.connect();
    await client.subscribe('a');
    const value = 'x'.repeat(length - 6);
    client.send(v5.publish({ topic: 'a', properties: [property.userProperty(['n', value])] }));
    const { bytes, properties } = await client.expectPublish({ topic: 'a' });
    expect(properties).toEqual([['userProperty', ['n', value]]]);
    expect(bytes.includes(Buffer.concat([Buffer.from('a'), varint(length), Buffer.from([0x26])]))).toBe(true);
  });
}

test('v5 [MQTT-1.5.5-1] Subscription Identifiers are sent in their shortest form', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (const id of [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455]) {
    client.send(v5.subscribe({ filters: ['a'], properties: [property.subscriptionIdentifier(id)] }));
    await client.expectPacket('suback');
    client.send(v5.publish({ topic: 'a' }));
    const publish = await client.expectPublish({ topic: 'a' });
    expect(valuesOf(publish, 'subscriptionIdentifier')).toEqual([id]);
    expect(publish.bytes).toHaveLength(2 + 3 + 1 + 1 + varint(id).length);
  }
});

test('v5 [MQTT-1.5.5-1] any integer in a longer form than it needs is malformed', async () => {
  const broker = await startBroker(resources);
  for (const wrong of [
    '30 84 00 00 01 "a" 00', // Remaining Length 4 in two bytes
    '30 84 80 80 00 00 01 "a" 00', // and in four
    '30 05 00 01 "a" 80 00', // Property Length 0 in two
    '82 0A 00 01 03 0B 81 00 00 01 "a" 00', // Subscription Identifier 1 in two
    '30 07 00 01 "a" 03 81 00 00', // Property Identifier 1 in two
  ]) {
    const client = await broker.connect();
    client.send(wrong);
    await client.expectError(0x81);
  }
});

test('v5 [MQTT-1.5.5-1] a fifth byte of Remaining Length closes the connection, without a word as in Mosquitto', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  client.send('30 FF FF FF FF');
  await client.expectClosed();
});
