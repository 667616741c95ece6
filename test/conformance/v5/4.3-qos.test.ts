import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** A subscriber `s` to `a` at QoS 2 and a publisher `p`, both with sessions that last. */
async function pair(broker: ConformanceBroker): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry] });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  return [subscriber, await broker.connect({ clientId: 'p', properties: [expiry] })];
}

/** The client again after its network failed. */
async function comeBack(broker: ConformanceBroker, client: Connected, clientId: string): Promise<Connected> {
  await broker.kill(client);
  return broker.connect({ clientId, cleanStart: false, properties: [expiry] });
}

function startPersistent(): Promise<ConformanceBroker> {
  return startBroker(resources, { options: { persistence: true, persistenceLocation: tempDir(resources) } });
}

// 4.1 Session State

test('v5 [MQTT-4.1.0-1] a session does not expire while its connection is open', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({
    clientId: 'c',
    keepAlive: 0,
    properties: [property.sessionExpiryInterval(1), property.receiveMaximum(1)],
  });
  await client.subscribe({ filter: 'a', qos: 2 });
  client.send(v5.publish({ topic: 'a', payload: 'half', qos: 2, packetId: 5 }));
  await client.expectPacket('pubrec');
  await client.publish({ topic: 'b', qos: 1 });
  await broker.advance(100);
  client.send(v5.pubrel({ packetId: 5 })); // the exchange, the subscription and the window are as they were
  const half = await client.expectPublish({ payload: 'half', qos: 2 });
  await client.expectPacket('pubcomp');
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'next', qos: 1 });
  await broker.advance(100);
  await client.expectNothing();
  await client.acknowledge(half);
  await client.expectPublish({ payload: 'next' });
});

test('v5 [MQTT-4.1.0-1] [MQTT-4.1.0-2] the time begins when the connection ends, each time anew', async () => {
  const broker = await startBroker(resources);
  let client = await broker.connect({ clientId: 'c', keepAlive: 0, properties: [property.sessionExpiryInterval(10)] });
  for (let round = 0; round < 3; round++) {
    await broker.advance(30);
    await broker.kill(client);
    await broker.advance(9);
    client = await broker.connect({
      clientId: 'c',
      cleanStart: false,
      keepAlive: 0,
      properties: [property.sessionExpiryInterval(10)],
    });
    expect(client.connack.sessionPresent).toBe(true);
  }
  await broker.kill(client);
  await broker.advance(11);
  expect((await broker.connect({ clientId: 'c', cleanStart: false })).connack.sessionPresent).toBe(false);
});

// 4.3.2 QoS 1

test('v5 [MQTT-4.3.2-1] [MQTT-4.3.2-2] each new QoS 1 message has an identifier of its own, QoS 1 and DUP 0', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const payload of ['1', '2', '3']) await publisher.publish({ topic: 'a', payload, qos: 1 });
  const received = await subscriber.drainPublishes();
  expect(received.map(({ bytes }) => bytes[0])).toEqual([0x32, 0x32, 0x32]);
  expect(new Set(received.map(({ packetId }) => packetId)).size).toBe(3);
});

test('v5 [MQTT-4.3.2-3] [MQTT-4.4.0-1] a QoS 1 message is under way until its PUBACK comes, and no longer', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
  const { packetId } = await subscriber.expectPublish({ payload: 'x', dup: false });
  const second = await comeBack(broker, subscriber, 's');
  await second.expectPublish({ payload: 'x', dup: true, packetId });
  second.send(v5.puback({ packetId }));
  await second.expectNothing();
  const third = await comeBack(broker, second, 's');
  expect(third.connack.sessionPresent).toBe(true);
  await third.expectNothing();
});

test('v5 [MQTT-4.3.2-4] [MQTT-4.5.0-1] PUBACK means that the message is the broker’s: it reaches those who are there and those who are not', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const away = await broker.connect({ clientId: 'away', properties: [expiry] });
  await away.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(away);
  publisher.send(v5.publish({ topic: 'a', payload: 'x', qos: 1, packetId: 300 }));
  await publisher.expect('40 02 01 2C');
  await broker.kill(publisher);
  await subscriber.expectPublish({ payload: 'x' });
  const back = await broker.connect({ clientId: 'away', cleanStart: false });
  await back.expectPublish({ payload: 'x', qos: 1 });
});

test('v5 [MQTT-4.3.2-5] after PUBACK the same identifier is a new message, whatever DUP says', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const [payload, dup] of [
    ['one', false],
    ['two', true],
    ['two', true],
    ['three', false],
  ] as const) {
    publisher.send(v5.publish({ topic: 'a', payload, qos: 1, packetId: 7, dup }));
    await publisher.expect('40 02 00 07');
    await subscriber.acknowledge(await subscriber.expectPublish({ payload, dup: false }));
  }
  await subscriber.expectNothing();
});

// 4.3.3 QoS 2, from the broker

test('v5 [MQTT-4.3.3-1] an identifier is not used again before its exchange is over', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'held', qos: 2 });
  const { packetId: held } = await subscriber.expectPublish({ payload: 'held' });
  subscriber.send(v5.pubrec({ packetId: held }));
  await subscriber.expectPacket('pubrel'); // and no PUBCOMP
  for (let count = 0; count < 50; count++) {
    await publisher.publish({ topic: 'a', qos: 2 });
    const publish = await subscriber.expectPublish({ qos: 2 });
    expect(publish.packetId).not.toBe(held);
    await subscriber.acknowledge(publish);
  }
});

test('v5 [MQTT-4.3.3-2] [MQTT-4.3.3-3] [MQTT-4.4.0-1] a QoS 2 PUBLISH begins with DUP 0, and is under way until PUBREC comes', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2 });
  const { packetId, bytes } = await subscriber.expectPublish({ payload: 'x', qos: 2 });
  expect(bytes[0]).toBe(0x34);
  const second = await comeBack(broker, subscriber, 's');
  const again = await second.expectPublish({ payload: 'x', qos: 2, packetId });
  expect(again.bytes[0]).toBe(0x3c);
  second.send(v5.pubrec({ packetId }));
  await second.expectPacket('pubrel');
  await second.expectNothing();
});

test('v5 [MQTT-4.3.3-4] PUBREC below 0x80 is answered by PUBREL, from 0x80 on by nothing', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const reasonCode of [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]) {
    await publisher.publish({ topic: 'a', qos: 2 });
    const { packetId } = await subscriber.expectPublish({ qos: 2 });
    subscriber.send(v5.pubrec({ packetId, reasonCode }));
    if (reasonCode < 0x80) {
      expect((await subscriber.expectPacket('pubrel')).packetId).toBe(packetId);
      subscriber.send(v5.pubcomp({ packetId }));
    }
    await subscriber.expectNothing();
  }
});

test('v5 [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1] after PUBREL it is PUBREL that is sent again, never the PUBLISH, until PUBCOMP comes', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2 });
  const { packetId } = await subscriber.expectPublish({ payload: 'x' });
  subscriber.send(v5.pubrec({ packetId }));
  await subscriber.expectPacket('pubrel');
  let client = subscriber;
  for (let time = 0; time < 2; time++) {
    client = await comeBack(broker, client, 's');
    const { bytes } = await client.expectPacket('pubrel');
    expect([bytes[0], bytes.readUInt16BE(2)]).toEqual([0x62, packetId]);
    await client.expectNothing();
  }
  client.send(v5.pubcomp({ packetId }));
  await client.expectNothing();
  await (await comeBack(broker, client, 's')).expectNothing();
});

test('v5 [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.1.0-1] each step is there after a restart of the broker', async () => {
  const broker = await startPersistent();
  const [subscriber, publisher] = await pair(broker);
  for (const payload of ['released', 'received']) await publisher.publish({ topic: 'a', payload, qos: 2 });
  const released = await subscriber.expectPublish({ payload: 'released' });
  const received = await subscriber.expectPublish({ payload: 'received' });
  subscriber.send(v5.pubrec({ packetId: released.packetId }));
  await subscriber.expectPacket('pubrel');
  await broker.restart();
  const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  expect(again.connack.sessionPresent).toBe(true);
  const packets = await again.drain();
  expect(packets.map((packet) => packet.type)).toEqual(['pubrel', 'publish']);
  expect(packets[0]).toMatchObject({ packetId: released.packetId });
  expect(packets[1]).toMatchObject({ packetId: received.packetId, text: 'received', dup: true });
});

test('v5 [MQTT-4.3.3-7] the time of a message is over: what was sent is finished all the same', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const qos of [1, 2] as const) {
    await publisher.publish({ topic: 'a', payload: `${qos}`, qos, properties: [property.messageExpiryInterval(5)] });
  }
  const [first, second] = await subscriber.drainPublishes();
  await broker.kill(subscriber);
  await broker.advance(30);
  const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
  await again.expectPublish({ payload: '1', dup: true, packetId: first?.packetId ?? 0 });
  const publish = await again.expectPublish({ payload: '2', dup: true, packetId: second?.packetId ?? 0 });
  await again.acknowledge(publish);
  await again.expectNothing();
});

// 4.3.3 QoS 2, towards the broker

test('v5 [MQTT-4.3.3-8] [MQTT-4.5.0-1] PUBREC means that the message is the broker’s, also when the publisher goes away', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  publisher.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 300 }));
  await publisher.expect('50 02 01 2C');
  const back = await comeBack(broker, publisher, 'p');
  back.send(v5.pubrel({ packetId: 300 }));
  await back.expect('70 02 01 2C');
  await subscriber.expectPublish({ payload: 'x', qos: 2 });
});

test('v5 [MQTT-4.3.3-8] also across a restart of the broker', async () => {
  const broker = await startPersistent();
  const [, publisher] = await pair(broker);
  publisher.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 300 }));
  await publisher.expectPacket('pubrec');
  await broker.restart();
  const back = await broker.connect({ clientId: 'p', cleanStart: false, properties: [expiry] });
  back.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 300, dup: true }), v5.pubrel({ packetId: 300 }));
  await back.expect('50 02 01 2C');
  await back.expect('70 02 01 2C');
  const subscriber = await broker.connect({ clientId: 's', cleanStart: false });
  await subscriber.expectPublish({ payload: 'x', qos: 2, dup: false });
  await subscriber.expectNothing();
});

/** A broker where `secret` may not be published, a subscriber to everything, and a publisher. */
async function startGuarded(): Promise<readonly [ConformanceBroker, subscriber: Connected, publisher: Connected]> {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, _action, topic) => topic !== 'secret' },
  });
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe({ filter: '#', qos: 0 });
  return [broker, subscriber, await broker.connect({ clientId: 'p', properties: [expiry] })];
}

test('v5 [MQTT-4.3.3-9] after a PUBREC that refuses, the same identifier is a new message', async () => {
  const [, subscriber, publisher] = await startGuarded();
  publisher.send(v5.publish({ topic: 'secret', payload: 'no', qos: 2, packetId: 9 }));
  await publisher.expect('50 03 00 09 87');
  expect(await publisher.publish({ topic: 'open', payload: 'yes', qos: 2, packetId: 9 })).toBe(0);
  await subscriber.expectPublish({ topic: 'open', payload: 'yes' });
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-9] also when the new one is marked as a duplicate, or has QoS 1', async () => {
  const [, subscriber, publisher] = await startGuarded();
  for (const qos of [1, 2] as const) {
    publisher.send(v5.publish({ topic: 'secret', qos: 2, packetId: 9 }));
    await publisher.expect('50 03 00 09 87');
    await publisher.publish({ topic: 'open', payload: `${qos}`, qos, packetId: 9, dup: true });
    await subscriber.expectPublish({ payload: `${qos}` });
  }
  publisher.send(v5.publish({ topic: 'secret', qos: 2, packetId: 9 }));
  await publisher.expect('50 03 00 09 87'); // and the other way round
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-9] PUBREL behind a refusal finds nothing and delivers nothing', async () => {
  const [broker, subscriber, publisher] = await startGuarded();
  publisher.send(v5.publish({ topic: 'secret', qos: 2, packetId: 9 }), v5.pubrel({ packetId: 9 }));
  await publisher.expect('50 03 00 09 87');
  await publisher.expect('70 02 00 09');
  const back = await comeBack(broker, publisher, 'p');
  back.send(v5.pubrel({ packetId: 9 }));
  await back.expect('70 02 00 09');
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-9] as sender: after a PUBREC that refuses, the message is over and its place is free', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry, property.receiveMaximum(1)] });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const payload of ['1', '2', '3']) await publisher.publish({ topic: 'a', payload, qos: 2 });
  for (const payload of ['1', '2']) {
    const { packetId } = await subscriber.expectPublish({ payload });
    subscriber.send(v5.pubrec({ packetId, reasonCode: 0x97 }));
  }
  await subscriber.expectPublish({ payload: '3' });
  const again = await comeBack(broker, subscriber, 's');
  await again.expectPublish({ payload: '3', dup: true });
  await again.expectNothing();
});

test('v5 [MQTT-4.3.3-10] repeats before PUBREL get PUBREC each time, and the message is delivered once', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const dup of [false, true, false, true, true]) {
    publisher.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 9, dup }));
    await publisher.expect('50 02 00 09');
  }
  await subscriber.expectNothing();
  publisher.send(v5.pubrel({ packetId: 9 }));
  await publisher.expect('70 02 00 09');
  await subscriber.expectPublish({ payload: 'x', qos: 2, dup: false });
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-10] also on another connection of the session', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  publisher.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 9 }));
  await publisher.expectPacket('pubrec');
  const second = await comeBack(broker, publisher, 'p');
  second.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 9, dup: true }));
  await second.expect('50 02 00 09');
  const third = await comeBack(broker, second, 'p');
  third.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 9, dup: true }), v5.pubrel({ packetId: 9 }));
  await third.expect('50 02 00 09');
  await third.expect('70 02 00 09');
  await subscriber.expectPublish({ payload: 'x' });
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-10] a repeat with another content is a repeat: the first content counts', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await subscriber.subscribe({ filter: 'b', qos: 2 });
  for (const [topic, payload] of [
    ['a', 'first'],
    ['a', 'second'],
    ['b', 'third'],
  ] as const) {
    publisher.send(v5.publish({ topic, payload, qos: 2, packetId: 9 }));
    await publisher.expect('50 02 00 09');
  }
  publisher.send(v5.pubrel({ packetId: 9 }));
  await publisher.expectPacket('pubcomp');
  await subscriber.expectPublish({ topic: 'a', payload: 'first' });
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-10] Clean Start forgets what was repeated: then it is new', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  publisher.send(v5.publish({ topic: 'a', payload: 'forgotten', qos: 2, packetId: 9 }));
  await publisher.expectPacket('pubrec');
  await broker.kill(publisher);
  const fresh = await broker.connect({ clientId: 'p' });
  expect(await fresh.publish({ topic: 'a', payload: 'new', qos: 2, packetId: 9, dup: true })).toBe(0);
  await subscriber.expectPublish({ payload: 'new' });
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-11] PUBREL is answered by PUBCOMP every time, known or not, and the connection goes on', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  publisher.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 9 }));
  await publisher.expectPacket('pubrec');
  for (const packetId of [9, 9, 10, 65_535]) {
    publisher.send(v5.pubrel({ packetId }));
    expect(await publisher.expectPacket('pubcomp')).toMatchObject({ packetId, reasonCode: 0 });
  }
  await subscriber.expectPublish({ payload: 'x' });
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-12] after PUBCOMP the same identifier is a new message, whatever DUP says', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const dup of [false, true, true]) {
    await publisher.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 9, dup });
    await subscriber.acknowledge(await subscriber.expectPublish({ payload: 'x', dup: false }));
  }
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-13] the exchange is finished although the message has expired: PUBREC, PUBREL, PUBCOMP', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const properties = [property.messageExpiryInterval(1)];
  const packet = { topic: 'a', payload: 'x', qos: 2, packetId: 9, properties } as const;
  publisher.send(v5.publish(packet));
  await publisher.expect('50 02 00 09');
  await broker.advance(5);
  publisher.send(v5.publish({ ...packet, dup: true }));
  await publisher.expect('50 02 00 09');
  publisher.send(v5.pubrel({ packetId: 9 }));
  await publisher.expect('70 02 00 09');
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.3.3-13] as sender: PUBREL follows PUBREC although the message has expired, also on the next connection', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', qos: 2, properties: [property.messageExpiryInterval(1)] });
  const { packetId } = await subscriber.expectPublish({ qos: 2 });
  await broker.advance(5);
  subscriber.send(v5.pubrec({ packetId }));
  await subscriber.expectPacket('pubrel');
  await broker.advance(5);
  const again = await comeBack(broker, subscriber, 's');
  expect((await again.expectPacket('pubrel')).packetId).toBe(packetId);
  again.send(v5.pubcomp({ packetId }));
  await again.expectNothing();
});

test('v5 [MQTT-4.3.3-8] [MQTT-4.3.3-11] the publisher that subscribes sees PUBREC, then its message, then PUBCOMP', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe({ filter: 'a', qos: 1 });
  client.send(v5.publish({ topic: 'a', qos: 2, packetId: 9 }), v5.pubrel({ packetId: 9 }));
  client.send(v5.publish({ topic: 'a', qos: 1, packetId: 10 }));
  const types = [];
  for (let count = 0; count < 5; count++) types.push((await client.next()).type);
  expect(types).toEqual(['pubrec', 'publish', 'pubcomp', 'publish', 'puback']);
});
