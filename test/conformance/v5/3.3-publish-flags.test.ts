import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { packet } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** A client `s`, and a publisher that has retained `kept` on `a`. */
async function withRetained(
  broker: ConformanceBroker,
): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'kept', qos: 1, retain: true });
  return [await broker.connect({ clientId: 's', properties: [expiry] }), publisher];
}

/** What a new client is sent when it subscribes. */
async function retainedUnder(broker: ConformanceBroker, filter: string): Promise<string[]> {
  const client = await broker.connect({ clientId: 'looks' });
  await client.subscribe({ filter, qos: 2 });
  const received = await client.drainPublishes();
  for (const { retain } of received) expect(retain).toBe(true);
  await client.disconnect();
  return received.map(({ text }) => text);
}

// 3.3.1.1 DUP

test('v5 [MQTT-3.3.1-1] [MQTT-4.4.0-1] a PUBLISH that is sent again has DUP 1, and is the same but for that', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry] });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const qos of [1, 2] as const) {
    await publisher.publish({ topic: 'a', payload: 'x', qos, properties: [property.userProperty(['n', 'v'])] });
  }
  const first = await subscriber.drainPublishes();
  expect(first.map(({ dup }) => dup)).toEqual([false, false]);
  await broker.kill(subscriber);
  const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  const second = await again.drainPublishes();
  expect(second.map(({ bytes }) => bytes)).toEqual(
    first.map(({ bytes }) => Buffer.concat([Buffer.from([(bytes[0] ?? 0) | 0x08]), bytes.subarray(1)])),
  );
});

test('v5 [MQTT-3.3.1-1] also the second and third time, and after a restart of the broker', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry] });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
  const { packetId } = await subscriber.expectPublish({ payload: 'x', dup: false });
  await broker.kill(subscriber);
  for (let time = 0; time < 2; time++) {
    const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
    await again.expectPublish({ payload: 'x', dup: true, packetId });
    await broker.kill(again);
  }
  await broker.restart();
  const last = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  await last.expectPublish({ payload: 'x', dup: true, packetId });
});

test('v5 [MQTT-3.3.1-1] what only waited was not sent before: DUP 0', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({
    clientId: 's',
    properties: [expiry, property.receiveMaximum(1)],
  });
  await subscriber.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const payload of ['sent', 'waiting']) await publisher.publish({ topic: 'a', payload, qos: 1 });
  await subscriber.expectPublish({ payload: 'sent' });
  await broker.kill(subscriber);
  await publisher.publish({ topic: 'a', payload: 'later', qos: 1 });
  const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  expect((await again.drainPublishes()).map(({ text, dup }) => [text, dup])).toEqual([
    ['sent', true],
    ['waiting', false],
    ['later', false],
  ]);
});

test('v5 [MQTT-3.3.1-2] DUP with QoS 0 is malformed', async () => {
  const broker = await startBroker(resources);
  for (const firstByte of ['38', '39']) {
    const client = await broker.connect();
    client.send(`${firstByte} 06 00 01 "a" 00 "hi"`);
    await client.expectError(0x81);
  }
});

test('v5 [MQTT-3.3.1-2] [MQTT-4.3.1-1] a message of QoS 0 goes out with QoS 0 and DUP 0, whatever the subscription', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', retain: true, payload: 'x' });
  await publisher.publish({ topic: 'a', qos: 0, payload: 'y' });
  await publisher.expectNothing();
  await subscriber.expect('30 05 00 01 "a" 00 "x"');
  await subscriber.expect('30 05 00 01 "a" 00 "y"');
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  await subscriber.expect('31 05 00 01 "a" 00 "x"'); // retained
});

test('v5 [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2] DUP of the publisher is not passed on', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const qos of [1, 2] as const) {
    await publisher.publish({ topic: 'a', payload: `${qos}`, qos, dup: true, packetId: 10 });
    expect((await subscriber.expectPublish({ payload: `${qos}`, qos })).bytes[0]).toBe(qos === 1 ? 0x32 : 0x34);
  }
});

test('v5 [MQTT-3.3.1-3] [MQTT-3.3.1-1] DUP 0 of the publisher does not keep ours at 0', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry] });
  await subscriber.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1, dup: false });
  await subscriber.expectPublish({ dup: false });
  await broker.kill(subscriber);
  const again = await broker.connect({ clientId: 's', cleanStart: false });
  await again.expectPublish({ payload: 'x', dup: true });
});

// 3.3.1.2 QoS

test('v5 [MQTT-3.3.1-4] QoS 3 is malformed, with and without a Packet Identifier', async () => {
  const broker = await startBroker(resources);
  for (const firstByte of [0x36, 0x37, 0x3e, 0x3f]) {
    for (const rest of ['00 01 "a" 00', '00 01 "a" 00 01 00', '00 01 "a" 00 01 00 "hi"']) {
      const client = await broker.connect();
      client.send(packet(firstByte, rest));
      await client.expectError(0x81);
    }
  }
});

// 3.3.1.3 RETAIN

test('v5 [MQTT-3.3.1-5] a retained message takes the place of the one before, with its QoS and properties', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await withRetained(broker);
  const properties = [property.contentType('text'), property.userProperty(['n', 'v'])];
  await publisher.publish({ topic: 'a', payload: 'newer', qos: 2, retain: true, properties });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  await subscriber.expectPublish({
    topic: 'a',
    payload: 'newer',
    qos: 2,
    retain: true,
    dup: false,
    properties: [
      ['contentType', 'text'],
      ['userProperty', ['n', 'v']],
    ],
  });
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.3.1-5] QoS 0 is retained too, and may take the place of a higher one; other topics stay', async () => {
  const broker = await startBroker(resources);
  const [, publisher] = await withRetained(broker);
  await publisher.publish({ topic: 'a/b', payload: 'other', qos: 1, retain: true });
  await publisher.publish({ topic: 'a', payload: 'zero', qos: 0, retain: true });
  await publisher.expectNothing();
  expect(await retainedUnder(broker, 'a/#')).toEqual(['zero', 'other']);
});

test('v5 [MQTT-3.3.1-5] a retained QoS 2 message is stored when PUBREL has come', async () => {
  const broker = await startBroker(resources);
  const [, publisher] = await withRetained(broker);
  publisher.send(v5.publish({ topic: 'a', payload: 'newer', qos: 2, retain: true, packetId: 9 }));
  await publisher.expectPacket('pubrec');
  expect(await retainedUnder(broker, 'a')).toEqual(['kept']);
  publisher.send(v5.pubrel({ packetId: 9 }));
  await publisher.expectPacket('pubcomp');
  expect(await retainedUnder(broker, 'a')).toEqual(['newer']);
});

test('v5 [MQTT-3.3.1-5] also when nobody subscribes, and across a restart', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const publisher = await broker.connect({ clientId: 'p' });
  expect(await publisher.publish({ topic: 'a', payload: 'kept', qos: 1, retain: true })).toBe(0x10);
  await broker.restart();
  expect(await retainedUnder(broker, 'a')).toEqual(['kept']);
});

test('v5 [MQTT-3.3.1-6] an empty retained payload is delivered, and there is nothing retained any more', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await withRetained(broker);
  await subscriber.subscribe({ filter: 'a', qos: 1, retainHandling: 2 });
  await publisher.publish({ topic: 'a', payload: '', qos: 1, retain: true });
  await subscriber.expectPublish({ topic: 'a', payload: '', retain: false });
  expect(await retainedUnder(broker, 'a')).toEqual([]);
});

test('v5 [MQTT-3.3.1-6] with Retain As Published the empty message keeps its RETAIN flag; QoS 0 and 2 clear as well', async () => {
  const broker = await startBroker(resources);
  for (const qos of [0, 2] as const) {
    const [subscriber, publisher] = await withRetained(broker);
    await subscriber.subscribe({ filter: 'a', qos: 2, retainHandling: 2, retainAsPublished: true });
    await publisher.publish({ topic: 'a', payload: '', qos, retain: true });
    await subscriber.expectPublish({ payload: '', qos, retain: true });
    expect(await retainedUnder(broker, 'a')).toEqual([]);
    await publisher.disconnect();
    await subscriber.disconnect();
  }
});

test('v5 [MQTT-3.3.1-7] an empty payload is never retained', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  for (const qos of [0, 1, 2] as const) {
    const properties = [property.userProperty(['n', 'v'])]; // properties are no payload
    await publisher.publish({ topic: `empty/${qos}`, payload: '', qos, retain: true, properties });
  }
  await publisher.expectNothing();
  expect(await retainedUnder(broker, 'empty/#')).toEqual([]);
  expect(broker.running.broker.gauges()).toMatchObject({ retainedCount: 0 });
});

test('v5 [MQTT-3.3.1-8] RETAIN 0 leaves what is retained alone, empty or not', async () => {
  const broker = await startBroker(resources);
  const [, publisher] = await withRetained(broker);
  for (const qos of [0, 1, 2] as const) {
    for (const payload of ['', 'live']) await publisher.publish({ topic: 'a', payload, qos });
  }
  await publisher.expectNothing();
  expect(await retainedUnder(broker, 'a')).toEqual(['kept']);
});

test('v5 [MQTT-3.3.1-9] Retain Handling 0: the retained message comes with every SUBSCRIBE', async () => {
  const broker = await startBroker(resources);
  const [subscriber] = await withRetained(broker);
  for (let time = 0; time < 3; time++) {
    await subscriber.subscribe({ filter: 'a', qos: 1, retainHandling: 0 });
    await subscriber.acknowledge(await subscriber.expectPublish({ payload: 'kept', retain: true }));
  }
});

test('v5 [MQTT-3.3.1-10] Retain Handling 1: only when the subscription is new', async () => {
  const broker = await startBroker(resources);
  const [subscriber] = await withRetained(broker);
  const filter = { filter: 'a', qos: 0, retainHandling: 1 } as const;
  await subscriber.subscribe(filter);
  await subscriber.expectPublish({ payload: 'kept', retain: true });
  await subscriber.subscribe(filter);
  await subscriber.subscribe({ ...filter, qos: 1 });
  await subscriber.expectNothing();
  subscriber.send(v5.unsubscribe({ packetId: 9, filters: ['a'] }));
  await subscriber.expectPacket('unsuback');
  await subscriber.subscribe(filter);
  await subscriber.expectPublish({ payload: 'kept', retain: true });
});

test('v5 [MQTT-3.3.1-10] a subscription of a resumed session exists already; after Clean Start it does not', async () => {
  const broker = await startBroker(resources);
  const [subscriber] = await withRetained(broker);
  const filter = { filter: 'a', qos: 0, retainHandling: 1 } as const;
  await subscriber.subscribe(filter);
  await subscriber.expectPublish({ payload: 'kept' });
  await broker.kill(subscriber);
  const resumed = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  await resumed.subscribe(filter);
  await resumed.expectNothing();
  await broker.kill(resumed);
  const clean = await broker.connect({ clientId: 's', properties: [expiry] });
  await clean.subscribe(filter);
  await clean.expectPublish({ payload: 'kept', retain: true });
});

test('v5 [MQTT-3.3.1-10] new is judged filter by filter, also twice in one SUBSCRIBE and across a restart', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const [subscriber] = await withRetained(broker);
  const filters = ['a', 'a', '+'].map((filter) => ({ filter, retainHandling: 1 }) as const);
  subscriber.send(v5.subscribe({ filters }));
  const answers = [await subscriber.next(), await subscriber.next(), await subscriber.next()];
  expect(answers.map(({ type }) => type).toSorted()).toEqual(['publish', 'publish', 'suback']); // of `a` and of `+`
  await broker.restart();
  const resumed = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  await resumed.subscribe(...filters);
  await resumed.expectNothing();
});

test('v5 [MQTT-3.3.1-11] Retain Handling 2: nothing retained, only what is live', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await withRetained(broker);
  for (let time = 0; time < 2; time++) await subscriber.subscribe({ filter: 'a', retainHandling: 2 });
  await publisher.publish({ topic: 'a', payload: 'live' });
  await subscriber.expectPublish({ payload: 'live', retain: false });
  await subscriber.expectNothing();
});

for (const qos of [0, 1, 2] as const) {
  test(`v5 [MQTT-3.3.1-12] at QoS ${qos} without Retain As Published what is live has RETAIN 0, what is retained has 1`, async () => {
    const broker = await startBroker(resources);
    const [subscriber, publisher] = await withRetained(broker);
    await subscriber.subscribe({ filter: 'a', qos, retainAsPublished: false });
    await subscriber.expectPublish({ payload: 'kept', retain: true });
    for (const retain of [true, false]) {
      await publisher.publish({ topic: 'a', payload: 'live', qos, retain });
      await subscriber.expectPublish({ payload: 'live', qos, retain: false });
    }
  });

  test(`v5 [MQTT-3.3.1-13] at QoS ${qos} with Retain As Published what is live has the flag of its publisher`, async () => {
    const broker = await startBroker(resources);
    const [subscriber, publisher] = await withRetained(broker);
    await subscriber.subscribe({ filter: 'a', qos, retainAsPublished: true });
    await subscriber.expectPublish({ payload: 'kept', retain: true });
    for (const retain of [true, false, true]) {
      await publisher.publish({ topic: 'a', payload: 'live', qos, retain });
      await subscriber.expectPublish({ payload: 'live', qos, retain });
    }
  });
}

test('v5 [MQTT-3.3.1-12] [MQTT-3.3.1-13] each subscriber has its own flag, also in one fan-out', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const clients: Connected[] = [];
  for (const retainAsPublished of [false, true, false, true]) {
    const client = await broker.connect({ clientId: `s${clients.length}` });
    await client.subscribe({ filter: 'a', qos: 1, retainAsPublished });
    clients.push(client);
  }
  for (const qos of [0, 1] as const) {
    await publisher.publish({ topic: 'a', qos, retain: true, payload: 'x' });
    for (const [index, client] of clients.entries()) await client.expectPublish({ qos, retain: index % 2 === 1 });
  }
});

test('v5 [MQTT-3.3.1-12] [MQTT-3.3.1-13] the flag is kept while the message waits, and when it is sent again', async () => {
  const broker = await startBroker(resources);
  const flags = { plain: false, published: true };
  for (const [clientId, retainAsPublished] of Object.entries(flags)) {
    const client = await broker.connect({ clientId, properties: [expiry] });
    await client.subscribe({ filter: 'a', qos: 1, retainAsPublished });
    await broker.kill(client);
  }
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1, retain: true });
  for (const [clientId, retain] of Object.entries(flags)) {
    for (const dup of [false, true]) {
      const client = await broker.connect({ clientId, cleanStart: false, properties: [expiry] });
      await client.expectPublish({ payload: 'x', retain, dup });
      await broker.kill(client);
    }
  }
});

test('v5 [MQTT-3.3.1-13] Retain As Published of a shared subscription', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await withRetained(broker);
  await subscriber.subscribe({ filter: '$share/g/a', qos: 1, retainAsPublished: true });
  for (const retain of [true, false]) {
    await publisher.publish({ topic: 'a', payload: 'live', qos: 1, retain });
    await subscriber.expectPublish({ payload: 'live', retain });
  }
});

// Retained messages and what else is promised of them

test('[U5-20] a retained message carries the Subscription Identifier of the SUBSCRIBE that asked', async () => {
  const broker = await startBroker(resources);
  const [subscriber] = await withRetained(broker);
  for (const identifier of [1, 268_435_455]) {
    subscriber.send(v5.subscribe({ filters: ['a'], properties: [property.subscriptionIdentifier(identifier)] }));
    await subscriber.expectPacket('suback');
    await subscriber.expectPublish({ retain: true, properties: [['subscriptionIdentifier', identifier]] });
  }
  await subscriber.subscribe('a'); // and none when it has none
  await subscriber.expectPublish({ retain: true, properties: [] });
});

test('[U5-24] v5 [MQTT-3.3.2-5] a retained message is gone when its time is over', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  for (const seconds of [5, 50]) {
    const properties = [property.messageExpiryInterval(seconds)];
    await publisher.publish({ topic: `a/${seconds}`, payload: `${seconds}`, qos: 1, retain: true, properties });
  }
  await broker.advance(4.9);
  expect(await retainedUnder(broker, 'a/#')).toEqual(['5', '50']);
  await broker.advance(0.1);
  expect(await retainedUnder(broker, 'a/#')).toEqual(['50']);
});

test('[U5-24] also across a restart; a message that takes its place counts from its own arrival', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const publisher = await broker.connect({ clientId: 'p' });
  const publish = (topic: string) =>
    publisher.publish({
      topic,
      payload: topic,
      qos: 1,
      retain: true,
      properties: [property.messageExpiryInterval(10)],
    });
  await publish('a/old');
  await publish('a/new');
  await broker.advance(8);
  await publish('a/new');
  await broker.restart();
  await broker.advance(3);
  expect(await retainedUnder(broker, 'a/#')).toEqual(['a/new']);
});
