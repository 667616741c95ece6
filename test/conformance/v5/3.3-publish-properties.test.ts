import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { field, packet, u16, varint } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { type Property, property, valueOf, valuesOf } from '../wire/properties.ts';
import type { ReceivedPublish } from '../wire/received.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** A client `s` that subscribes to `a/#` at QoS 2, and a publisher. */
async function pair(broker: ConformanceBroker): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry] });
  await subscriber.subscribe({ filter: 'a/#', qos: 2 });
  return [subscriber, await broker.connect({ clientId: 'p' })];
}

/** Bytes that no string may have. */
const illFormed = [
  { title: 'NUL', bytes: Buffer.from([0x61, 0x00]) },
  { title: 'a surrogate', bytes: Buffer.from([0xed, 0xa0, 0x80]) },
  { title: 'an overlong form', bytes: Buffer.from([0xc0, 0x80]) },
  { title: 'a sequence cut short', bytes: Buffer.from([0xe2, 0x82]) },
  { title: 'a continuation byte alone', bytes: Buffer.from([0x80]) },
  { title: 'a code point above U+10FFFF', bytes: Buffer.from([0xf4, 0x90, 0x80, 0x80]) },
] as const;

// 3.3.2.1 Topic Name

for (const { title, bytes } of illFormed) {
  test(`v5 [MQTT-3.3.2-1] [MQTT-1.5.4-1] a Topic Name with ${title} is malformed`, async () => {
    const broker = await startBroker(resources);
    const [subscriber] = await pair(broker);
    const client = await broker.connect({ clientId: 'c' });
    client.send(v5.publish({ topic: Buffer.concat([Buffer.from('a/'), bytes]) }));
    await client.expectError(0x81);
    await subscriber.expectNothing();
  });
}

test('v5 [MQTT-3.3.2-1] a Topic Name longer than the packet is malformed', async () => {
  const broker = await startBroker(resources);
  for (const request of [
    '30 02 00 01',
    '30 03 00 02 "a"',
    '32 05 00 02 "a" 00 01',
    '30 00',
    '30 01 00',
    '30 04 FF FF "a" 00',
  ]) {
    const client = await broker.connect();
    client.send(request);
    await client.expectError(0x81);
  }
});

test('v5 [MQTT-3.3.2-1] [MQTT-1.5.4-3] a Topic Name of any legal characters arrives byte for byte', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const names = [
    'é',
    'e\u0301',
    '日本',
    '\u{1F99F}',
    '\uFEFFbom',
    ' ',
    '/',
    '//',
    '$x',
    'A',
    '\u00A0',
    'x'.repeat(65_533),
  ];
  for (const name of names) {
    await publisher.publish({ topic: `a/${name}`, payload: 'x', qos: 1 });
    const publish = await subscriber.expectPublish({ topic: `a/${name}`, payload: 'x' });
    expect(publish.bytes.includes(field(`a/${name}`))).toBe(true);
    await subscriber.acknowledge(publish);
  }
});

test('v5 [MQTT-3.3.2-2] a Topic Name with a wildcard is malformed, and nobody gets it', async () => {
  const broker = await startBroker(resources);
  const [subscriber] = await pair(broker);
  for (const topic of ['a/+', 'a/#', '#', '+', 'a#', 'a+', 'a/#/b', 'a/+b']) {
    for (const qos of [0, 1, 2] as const) {
      const client = await broker.connect({ clientId: 'c' });
      client.send(v5.publish({ topic, qos }));
      await client.expectError(0x81);
    }
  }
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.3.2-2] also as the topic of a Topic Alias', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  client.send(v5.publish({ topic: 'a/#', properties: [property.topicAlias(1)] }));
  await client.expectError(0x81);
});

test('v5 [MQTT-3.3.2-3] what arrives has the Topic Name of its publisher and matches the filter', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  const filters = ['x/+', 'y/#', '$share/group/z/+', 'exact', '/', '+/+/q'];
  await subscriber.subscribe(...filters);
  const publisher = await broker.connect({ clientId: 'p' });
  const names = ['x/1', 'x/', 'y', 'y/1/2', 'z/9', 'exact', '/', '//q'];
  for (const topic of [...names, 'x', 'x/1/2', 'Exact', 'exact/', 'z', '$share/group/z/9']) {
    await publisher.publish({ topic });
  }
  await publisher.expectNothing();
  expect((await subscriber.drainPublishes()).map(({ topic }) => topic)).toEqual(names);
});

test('[U5-6] neither Topic Name nor Topic Alias is malformed', async () => {
  const broker = await startBroker(resources);
  for (const qos of [0, 1, 2] as const) {
    const client = await broker.connect();
    client.send(v5.publish({ topic: '', payload: 'x', qos }));
    await client.expectError(0x81);
  }
});

test('[U5-6] no Topic Name and an alias that was never set is a protocol error', async () => {
  const broker = await startBroker(resources);
  for (const qos of [0, 1, 2] as const) {
    const client = await broker.connect();
    await client.publish({ topic: 'a', properties: [property.topicAlias(2)] });
    client.send(v5.publish({ topic: '', qos, properties: [property.topicAlias(1)] }));
    await client.expectError(0x82);
  }
});

// 3.3.2.3 Properties, and the ways a message may take

/** Publishes with these properties, and looks what comes out at the end of each way: live, queued, retained, sent again. */
async function expectUnchanged(properties: readonly Buffer[], wanted: readonly Property[]): Promise<void> {
  const broker = await startBroker(resources);
  const live = await broker.connect({ clientId: 'live' });
  await live.subscribe({ filter: 'a', qos: 0 });
  const other = await broker.connect({ clientId: 'other' });
  await other.subscribe({ filter: '#', qos: 2 });
  const queued = await broker.connect({ clientId: 'queued', properties: [expiry] });
  await queued.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(queued);
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2, retain: true, properties });
  await live.expectPublish({ payload: 'x', qos: 0, properties: wanted });
  await other.expectPublish({ payload: 'x', qos: 2, properties: wanted });
  for (const dup of [false, true]) {
    const again = await broker.connect({ clientId: 'queued', cleanStart: false, properties: [expiry] });
    await again.expectPublish({ payload: 'x', qos: 1, dup, properties: wanted });
    await broker.kill(again);
  }
  const late = await broker.connect({ clientId: 'late' });
  await late.subscribe('a');
  await late.expectPublish({ payload: 'x', retain: true, properties: wanted });
}

for (const value of [0, 1]) {
  test(`v5 [MQTT-3.3.2-4] Payload Format Indicator ${value} is passed on`, async () => {
    await expectUnchanged([property.payloadFormatIndicator(value)], [['payloadFormatIndicator', value]]);
  });
}

test('v5 [MQTT-3.3.2-4] no Payload Format Indicator is passed on as none', async () => {
  await expectUnchanged([], []);
});

test('v5 [MQTT-3.3.2-4] a Payload Format Indicator above 1 is a protocol error', async () => {
  const broker = await startBroker(resources);
  for (const value of [2, 255]) {
    const client = await broker.connect();
    client.send(v5.publish({ properties: [property.payloadFormatIndicator(value)] }));
    await client.expectError(0x82);
  }
});

test('[U5-27] a payload that is not UTF-8 although it says so is passed on as it is', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const payload = Buffer.from([0xff, 0x00, 0xed, 0xa0, 0x80]);
  expect(
    await publisher.publish({ topic: 'a', payload, qos: 1, properties: [property.payloadFormatIndicator(1)] }),
  ).toBe(0);
  const publish = await subscriber.expectPublish({ properties: [['payloadFormatIndicator', 1]] });
  expect(publish.payload).toEqual(payload);
});

test('v5 [MQTT-3.3.2-15] the Response Topic is passed on unchanged', async () => {
  const responseTopic = '\uFEFFréponse/à/moi//$x';
  await expectUnchanged([property.responseTopic(responseTopic)], [['responseTopic', responseTopic]]);
});

test('v5 [MQTT-3.3.2-16] Correlation Data is passed on unchanged, whatever its bytes', async () => {
  const values = [Buffer.from([0x00, 0xff, 0xc0, 0x80]), Buffer.alloc(0), Buffer.alloc(65_535, 0xa5)];
  for (const value of values) await expectUnchanged([property.correlationData(value)], [['correlationData', value]]);
});

test('v5 [MQTT-3.3.2-20] the Content Type is passed on unchanged, also when it is empty', async () => {
  for (const value of ['application/json; charset=utf-8', '', '\u{1F99F}']) {
    await expectUnchanged([property.contentType(value)], [['contentType', value]]);
  }
});

test('v5 [MQTT-3.3.2-17] [MQTT-3.3.2-18] User Properties are passed on all of them, in their order', async () => {
  const pairs = ['b=1', 'a=2', 'b=3', '=', 'a=', '=x', 'b=1', '__proto__=y', '1=one', '0=zero'].map(
    (text) => text.split('=') as [string, string],
  );
  await expectUnchanged(
    pairs.map((pair) => property.userProperty(pair)),
    pairs.map((pair) => ['userProperty', pair] as const),
  );
});

test('v5 [MQTT-3.3.2-18] also between other properties', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const properties = [
    property.userProperty(['z', '1']),
    property.contentType('text'),
    property.userProperty(['y', '2']),
    property.topicAlias(1),
    property.userProperty(['z', '3']),
    property.payloadFormatIndicator(1),
    property.userProperty(['x', '4']),
  ];
  for (const qos of [0, 1, 2] as const) {
    await publisher.publish({ topic: 'a', qos, properties });
    const publish = await subscriber.expectPublish({ qos });
    expect(valuesOf(publish, 'userProperty')).toEqual([
      ['z', '1'],
      ['y', '2'],
      ['z', '3'],
      ['x', '4'],
    ]);
    expect(valueOf(publish, 'topicAlias')).toBeUndefined();
  }
});

test('v5 [MQTT-3.3.2-18] [MQTT-3.3.2-17] thousands of them', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const pairs = Array.from({ length: 5000 }, (_, index) => [`n${index % 7}`, `${index}`] as const);
  await publisher.publish({ topic: 'a', qos: 1, properties: pairs.map((pair) => property.userProperty(pair)) });
  expect(valuesOf(await subscriber.expectPublish({}), 'userProperty')).toEqual(pairs);
});

test('v5 [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-20] all properties together, in the order of the publisher', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const properties = [
    property.userProperty(['n', 'v']),
    property.correlationData('c'),
    property.responseTopic('r'),
    property.contentType('t'),
    property.messageExpiryInterval(60),
    property.payloadFormatIndicator(0),
  ];
  await publisher.publish({ topic: 'a', payload: 'x', properties });
  const set = Buffer.concat(properties);
  await subscriber.expect(packet(0x30, field('a'), varint(set.length), set, '"x"'));
});

test('v5 [MQTT-3.3.2-15] [MQTT-3.3.2-20] subscribers of MQTT 3.1.1 get the message without properties', async () => {
  const broker = await startBroker(resources);
  const older = await broker.connect({ clientId: 'old', version: 4 });
  await older.subscribe('a');
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({
    topic: 'a',
    payload: 'x',
    properties: [property.responseTopic('r'), property.contentType('t')],
  });
  await older.expect('30 04 00 01 "a" "x"');
});

for (const { title, bytes } of illFormed) {
  test(`v5 [MQTT-3.3.2-13] [MQTT-3.3.2-19] a Response Topic or Content Type with ${title} is malformed`, async () => {
    const broker = await startBroker(resources);
    const [subscriber] = await pair(broker);
    for (const name of ['responseTopic', 'contentType'] as const) {
      const client = await broker.connect({ clientId: 'c' });
      client.send(v5.publish({ topic: 'a', properties: [property[name](bytes)] }));
      await client.expectError(0x81);
      const willing = await broker.open();
      willing.send(v5.connect({ clientId: 'w', will: { topic: 'a', properties: [property[name](bytes)] } }));
      await willing.expectRefused(0x81);
    }
    await subscriber.expectNothing();
  });
}

test('v5 [MQTT-3.3.2-14] a Response Topic with a wildcard, or an empty one, is a protocol error', async () => {
  const broker = await startBroker(resources);
  const [subscriber] = await pair(broker);
  for (const responseTopic of ['a/+', '#', 'a#', '']) {
    const client = await broker.connect({ clientId: 'c' });
    client.send(v5.publish({ topic: 'a', properties: [property.responseTopic(responseTopic)] }));
    await client.expectError(0x82);
  }
  await subscriber.expectNothing();
});

// 3.3.2.3.3 Message Expiry Interval

/** Publishes a message of QoS 1 that lives for so long. */
function publishFor(publisher: Connected, seconds: number, payload = 'x'): Promise<number> {
  return publisher.publish({ topic: 'a', payload, qos: 1, properties: [property.messageExpiryInterval(seconds)] });
}

/** The remaining seconds that a PUBLISH shows. */
function secondsOf(publish: ReceivedPublish): number {
  return Number(valueOf(publish, 'messageExpiryInterval'));
}

test('v5 [MQTT-3.3.2-5] a message whose time is over is not delivered to a client that was away; others still are', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await broker.kill(subscriber);
  await publishFor(publisher, 5, 'five');
  await publishFor(publisher, 50, 'fifty');
  await publisher.publish({ topic: 'a', payload: 'for ever', qos: 1 });
  await broker.advance(5);
  const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  expect((await again.drainPublishes()).map(({ text }) => text)).toEqual(['fifty', 'for ever']);
});

test('v5 [MQTT-3.3.2-5] nor to one that is there but whose window is full', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [property.receiveMaximum(1)] });
  await subscriber.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const [seconds, payload] of [
    [5, 'sent'],
    [5, 'late'],
    [50, 'in time'],
  ] as const) {
    await publishFor(publisher, seconds, payload);
  }
  const sent = await subscriber.expectPublish({ payload: 'sent' });
  await broker.advance(6);
  await subscriber.acknowledge(sent);
  await subscriber.expectPublish({ payload: 'in time' });
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.3.2-5] nor when its QoS is 2, or when it waited for PUBREL', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  publisher.send(
    v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 1, properties: [property.messageExpiryInterval(5)] }),
  );
  await publisher.expectPacket('pubrec');
  await broker.advance(5);
  publisher.send(v5.pubrel({ packetId: 1 }));
  await publisher.expectPacket('pubcomp');
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.3.2-5] [MQTT-3.3.2-6] it is over for everybody at the same time, and for those in time it is delivered', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const clientId of ['x', 'y']) {
    const client = await broker.connect({ clientId, properties: [expiry] });
    await client.subscribe({ filter: 'a', qos: 1 });
    await broker.kill(client);
  }
  await publishFor(publisher, 10);
  expect(secondsOf(await subscriber.expectPublish({}))).toBe(10);
  await broker.advance(9);
  const early = await broker.connect({ clientId: 'x', cleanStart: false, properties: [expiry] });
  expect(secondsOf(await early.expectPublish({}))).toBe(1);
  await broker.advance(1);
  const late = await broker.connect({ clientId: 'y', cleanStart: false, properties: [expiry] });
  await late.expectNothing();
});

test('v5 [MQTT-3.3.2-6] what is left of the time is passed on: live, queued and retained', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const away = await broker.connect({ clientId: 'away', properties: [expiry] });
  await away.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(away);
  const properties = [property.messageExpiryInterval(10)];
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1, retain: true, properties });
  expect(secondsOf(await subscriber.expectPublish({}))).toBe(10);
  await broker.advance(3);
  const back = await broker.connect({ clientId: 'away', cleanStart: false, properties: [expiry] });
  expect(secondsOf(await back.expectPublish({ dup: false }))).toBe(7);
  for (const left of [7, 4, 1]) {
    const late = await broker.connect({ clientId: 'late' });
    await late.subscribe('a');
    expect(secondsOf(await late.expectPublish({ retain: true }))).toBe(left);
    await broker.advance(3);
  }
});

test('v5 [MQTT-3.3.2-6] the time in a full window and the time until PUBREL count as well', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [property.receiveMaximum(1)] });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  await publishFor(publisher, 20, 'first');
  await publishFor(publisher, 20, 'second');
  const first = await subscriber.expectPublish({ payload: 'first' });
  publisher.send(
    v5.publish({ topic: 'a', payload: 'third', qos: 2, packetId: 9, properties: [property.messageExpiryInterval(20)] }),
  );
  await publisher.expectPacket('pubrec');
  await broker.advance(6);
  publisher.send(v5.pubrel({ packetId: 9 }));
  await publisher.expectPacket('pubcomp');
  await subscriber.acknowledge(first);
  const second = await subscriber.expectPublish({ payload: 'second' });
  expect(secondsOf(second)).toBe(14);
  await broker.advance(2);
  await subscriber.acknowledge(second);
  expect(secondsOf(await subscriber.expectPublish({ payload: 'third' }))).toBe(12);
});

test('v5 [MQTT-3.3.2-6] the largest interval does not overflow, and none stays none', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publishFor(publisher, 0xffff_ffff);
  expect(secondsOf(await subscriber.expectPublish({}))).toBe(0xffff_ffff);
  await publisher.publish({ topic: 'a', qos: 1 });
  expect(valueOf(await subscriber.expectPublish({}), 'messageExpiryInterval')).toBeUndefined();
});

test('v5 [MQTT-3.3.2-5] an interval of 0: for those who can take it now, and for nobody later', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const away = await broker.connect({ clientId: 'away', properties: [expiry] });
  await away.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(away);
  await publishFor(publisher, 0);
  expect(secondsOf(await subscriber.expectPublish({}))).toBe(0);
  const back = await broker.connect({ clientId: 'away', cleanStart: false, properties: [expiry] });
  await back.expectNothing();
});

test('v5 [MQTT-3.3.2-5] clients of MQTT 3.1.1 are not sent an expired message either', async () => {
  const broker = await startBroker(resources);
  const older = await broker.connect({ clientId: 'old', version: 4, cleanStart: false });
  await older.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(older);
  const publisher = await broker.connect({ clientId: 'p' });
  await publishFor(publisher, 5, 'late');
  await publishFor(publisher, 50, 'in time');
  await broker.advance(6);
  const again = await broker.connect({ clientId: 'old', version: 4, cleanStart: false });
  expect((await again.drainPublishes()).map(({ text }) => text)).toEqual(['in time']);
});

test('v5 [MQTT-3.3.2-1] [MQTT-3.3.2-3] the payload may be anything, of any length', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const size of [0, 1, 126, 127, 128, 16_383, 16_384, 1_000_000]) {
    const payload = Buffer.alloc(size, 0xc3);
    await publisher.publish({ topic: 'a', payload });
    expect((await subscriber.expectPublish({ topic: 'a' })).payload.equals(payload)).toBe(true);
  }
  publisher.send(packet(0x32, field('a'), u16(7), '00', '00 FF'));
  await publisher.expect('40 02 00 07');
  expect((await subscriber.expectPublish({})).payload).toEqual(Buffer.from([0x00, 0xff]));
});
