import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

/** A client `s` with these properties that subscribes to `a/#` at a QoS, and a publisher. */
async function pair(
  broker: ConformanceBroker,
  properties: readonly Buffer[],
  qos: 0 | 1 | 2 = 0,
): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const subscriber = await broker.connect({ clientId: 's', properties });
  await subscriber.subscribe({ filter: 'a/#', qos });
  return [subscriber, await broker.connect({ clientId: 'p' })];
}

for (const qos of [0, 1, 2] as const) {
  test(`v5 [MQTT-3.1.2-24] [MQTT-3.1.2-25] at QoS ${qos} a message above Maximum Packet Size is dropped for that client, the publisher has success`, async () => {
    const broker = await startBroker(resources);
    const [subscriber, publisher] = await pair(broker, [property.maximumPacketSize(40)], qos);
    const other = await broker.connect({ clientId: 'other' });
    await other.subscribe({ filter: 'a/#', qos });
    const payload = 'x'.repeat(100);
    expect(await publisher.publish({ topic: 'a/b', payload, qos })).toBe(0);
    await publisher.publish({ topic: 'a/b', payload: 'fits', qos });
    await publisher.expectNothing();
    await subscriber.expectPublish({ payload: 'fits', qos });
    await subscriber.expectNothing();
    await other.expectPublish({ payload });
  });

  test(`v5 [MQTT-3.1.2-24] at QoS ${qos} a packet of exactly Maximum Packet Size is sent, one of a byte more is not`, async () => {
    const broker = await startBroker(resources);
    const [subscriber, publisher] = await pair(broker, [property.maximumPacketSize(200)], qos);
    // Fixed header 3 (Remaining Length 197), Topic Name 5, Packet Identifier 2 above QoS 0, Property Length 1.
    const room = 200 - 3 - 5 - (qos > 0 ? 2 : 0) - 1;
    await publisher.publish({ topic: 'a/b', payload: 'x'.repeat(room + 1), qos });
    await publisher.publish({ topic: 'a/b', payload: 'y'.repeat(room), qos });
    await publisher.expectNothing();
    const { bytes } = await subscriber.expectPublish({ payload: 'y'.repeat(room) });
    expect(bytes.length).toBe(200);
    await subscriber.expectNothing();
  });
}

test('v5 [MQTT-3.1.2-24] properties and Subscription Identifier count', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [property.maximumPacketSize(30)] });
  subscriber.send(v5.subscribe({ filters: ['a'], properties: [property.subscriptionIdentifier(268_435_455)] }));
  await subscriber.expectPacket('suback');
  const publisher = await broker.connect({ clientId: 'p' });
  const userProperty = property.userProperty(['n', 'v']); // 7 bytes
  // Fixed header 2, Topic Name 3, Property Length 1, Subscription Identifier 5, and what is published.
  await publisher.publish({ topic: 'a', payload: 'x'.repeat(13), properties: [userProperty] }); // 31 bytes
  await publisher.publish({ topic: 'a', payload: 'y'.repeat(12), properties: [userProperty] }); // 30 bytes
  await publisher.expectNothing();
  const { bytes } = await subscriber.expectPublish({ payload: 'y'.repeat(12) });
  expect(bytes.length).toBe(30);
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.1.2-25] dropped messages use up neither Receive Maximum nor Packet Identifiers', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(
    broker,
    [property.maximumPacketSize(40), property.receiveMaximum(2), property.sessionExpiryInterval(60)],
    2,
  );
  for (let count = 0; count < 5; count++) {
    for (const qos of [1, 2] as const) await publisher.publish({ topic: 'a/b', payload: 'x'.repeat(100), qos });
  }
  for (const payload of ['one', 'two', 'three']) await publisher.publish({ topic: 'a/b', payload, qos: 1 });
  const one = await subscriber.expectPublish({ payload: 'one' });
  const two = await subscriber.expectPublish({ payload: 'two' });
  await subscriber.expectNothing(); // the window is full now, and was empty before
  await subscriber.acknowledge(one);
  await subscriber.acknowledge(two);
  await subscriber.expectPublish({ payload: 'three' });
});

test('v5 [MQTT-3.1.2-25] a dropped message is not sent when the session is resumed, even to a client that could take it', async () => {
  const broker = await startBroker(resources);
  const expiry = property.sessionExpiryInterval(60);
  const [subscriber, publisher] = await pair(broker, [property.maximumPacketSize(40), expiry], 1);
  await publisher.publish({ topic: 'a/b', payload: 'x'.repeat(100), qos: 1 });
  await subscriber.expectNothing();
  await broker.kill(subscriber);
  const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  expect(again.connack.sessionPresent).toBe(true);
  await again.expectNothing();
});

test('v5 [MQTT-3.1.2-24] [MQTT-3.1.2-25] what waited, and what was in flight, is measured by the connection it is sent on', async () => {
  const broker = await startBroker(resources);
  const expiry = property.sessionExpiryInterval(60);
  const [subscriber, publisher] = await pair(broker, [expiry], 1);
  await publisher.publish({ topic: 'a/b', payload: 'x'.repeat(100), qos: 1 });
  await subscriber.expectPublish({ payload: 'x'.repeat(100) }); // in flight, not acknowledged
  await broker.kill(subscriber);
  await publisher.publish({ topic: 'a/b', payload: 'y'.repeat(100), qos: 1 });
  await publisher.publish({ topic: 'a/b', payload: 'fits', qos: 1 });
  const again = await broker.connect({
    clientId: 's',
    cleanStart: false,
    properties: [expiry, property.maximumPacketSize(40)],
  });
  await again.acknowledge(await again.expectPublish({ payload: 'fits', dup: false }));
  await again.expectNothing();
  await broker.kill(again);
  const last = await broker.connect({ clientId: 's', cleanStart: false });
  await last.expectNothing();
});

test('v5 [MQTT-3.1.2-24] retained messages above Maximum Packet Size are left out, the others come', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a/1', payload: 'x'.repeat(100), retain: true, qos: 1 });
  await publisher.publish({ topic: 'a/2', payload: 'small', retain: true, qos: 1 });
  const subscriber = await broker.connect({ clientId: 's', properties: [property.maximumPacketSize(40)] });
  await subscriber.subscribe({ filter: 'a/#', qos: 1 });
  await subscriber.expectPublish({ topic: 'a/2', payload: 'small', retain: true });
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.1.2-24] an answer that would be too large is not sent: the connection ends with 0x95', async () => {
  const broker = await startBroker(resources);
  const filters = Array.from({ length: 50 }, (_, index) => `f/${index}`);
  for (const request of [v5.subscribe({ filters }), v5.unsubscribe({ filters })]) {
    const client = await broker.connect({ clientId: 's', properties: [property.maximumPacketSize(40)] });
    client.send(request); // its answer has 55 bytes
    await client.expectError(0x95);
  }
  const roomy = await broker.connect({ clientId: 's', properties: [property.maximumPacketSize(55)] });
  roomy.send(v5.subscribe({ filters }));
  expect((await roomy.expectPacket('suback')).bytes.length).toBe(55);
});

test('v5 [MQTT-3.1.2-24] a client that cannot even take the CONNACK is closed', async () => {
  const broker = await startBroker(resources);
  const client = await broker.open();
  client.send(v5.connect({ properties: [property.maximumPacketSize(15)] })); // CONNACK has 16 bytes
  await client.expectClosed();
  const small = await broker.connect({ properties: [property.maximumPacketSize(16)] });
  await small.expectNothing();
});

test('v5 [MQTT-3.1.2-26] [MQTT-3.3.2-11] aliases towards the client are 1 up to its Topic Alias Maximum', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, [property.topicAliasMaximum(3)]);
  const names = new Map<number, string>();
  for (let round = 0; round < 3; round++) {
    for (let topic = 0; topic < 10; topic++) await publisher.publish({ topic: `a/${topic}`, payload: `${topic}` });
  }
  await publisher.expectNothing();
  const received = await subscriber.drainPublishes();
  expect(received.length).toBe(30);
  for (const publish of received) {
    const alias = valueOf(publish, 'topicAlias');
    if (typeof alias === 'number') {
      expect(alias).toBeGreaterThanOrEqual(1);
      expect(alias).toBeLessThanOrEqual(3);
      if (publish.topic !== '') names.set(alias, publish.topic);
      expect(names.get(alias)).toBe(`a/${publish.text}`);
    } else {
      expect(publish.topic).toBe(`a/${publish.text}`);
    }
  }
  expect(names.size).toBe(3);
});

test('v5 [MQTT-3.1.2-27] no Topic Alias Maximum, or 0: no alias towards the client', async () => {
  const broker = await startBroker(resources);
  for (const properties of [[], [property.topicAliasMaximum(0)]]) {
    const [subscriber, publisher] = await pair(broker, properties);
    for (let round = 0; round < 3; round++) {
      for (const qos of [0, 1, 2] as const) {
        await publisher.publish({ topic: 'a/b', qos, properties: [property.topicAlias(1)] });
      }
    }
    await publisher.expectNothing();
    for (const { topic, properties: found } of await subscriber.drainPublishes()) {
      expect([topic, found]).toEqual(['a/b', []]);
    }
  }
});

test('v5 [MQTT-3.1.2-28] Response Information is not sent, asked for or not', async () => {
  const broker = await startBroker(resources);
  const wishes = [[], [property.requestResponseInformation(0)], [property.requestResponseInformation(1)]];
  for (const properties of wishes) {
    const { connack } = await broker.connect({ properties });
    expect(valueOf(connack, 'responseInformation')).toBeUndefined();
  }
});

test('v5 [MQTT-3.1.2-29] Request Problem Information 0: no Reason String and no User Property beside the codes', async () => {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, _action, topic) => topic !== 'secret' },
  });
  const client = await broker.connect({ properties: [property.requestProblemInformation(0)] });
  const requests = [
    [v5.publish({ topic: 'secret', qos: 1 }), '40 03 00 01 87'],
    [v5.publish({ topic: 'secret', qos: 2 }), '50 03 00 01 87'],
    [v5.pubrel({ packetId: 77 }), '70 02 00 4D'],
    [v5.pubrec({ packetId: 77 }), '62 02 00 4D'],
    [v5.subscribe({ filters: ['secret'] }), '90 04 00 01 00 87'],
    [v5.unsubscribe({ filters: ['secret'] }), 'B0 04 00 01 00 11'],
  ] as const;
  for (const [request, answer] of requests) {
    client.send(request);
    await client.expect(answer);
  }
});

test('v5 [MQTT-3.1.2-29] [MQTT-3.3.2-17] Request Problem Information 0 leaves the User Properties of a PUBLISH alone', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, [property.requestProblemInformation(0)]);
  await publisher.publish({ topic: 'a', properties: [property.userProperty(['n', 'v'])] });
  await subscriber.expectPublish({ properties: [['userProperty', ['n', 'v']]] });
});

test('v5 [MQTT-4.9.0-1] Receive Maximum 1: messages come one at a time, but they come; none given: twenty, our own limit', async () => {
  const broker = await startBroker(resources);
  const [one, publisher] = await pair(broker, [property.receiveMaximum(1)], 1);
  const many = await broker.connect({ clientId: 'many' });
  await many.subscribe({ filter: 'a/#', qos: 1 });
  for (let count = 1; count <= 30; count++) await publisher.publish({ topic: 'a', payload: `${count}`, qos: 1 });
  for (let count = 1; count <= 30; count++) {
    const publish = await one.expectPublish({ payload: `${count}` });
    await one.expectNothing();
    await one.acknowledge(publish);
  }
  expect((await many.drainPublishes()).map(({ text }) => Number(text))).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});
