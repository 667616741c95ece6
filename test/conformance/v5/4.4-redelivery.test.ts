import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';
import type { Received } from '../wire/received.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** The client `s` with a session that lasts. */
function connect(broker: ConformanceBroker, more: { version?: 4 | 5; keepAlive?: number } = {}): Promise<Connected> {
  return broker.connect({ clientId: 's', cleanStart: false, properties: [expiry], ...more });
}

/** A subscriber `s` to `a` at QoS 2, and a publisher. */
async function pair(broker: ConformanceBroker): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const subscriber = await connect(broker, { keepAlive: 0 });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  return [subscriber, await broker.connect({ clientId: 'p', keepAlive: 0 })];
}

/** What came, in words. */
function words(packets: readonly Received[]): string[] {
  return packets.map((packet) =>
    packet.type === 'publish'
      ? `${packet.dup ? 'again ' : ''}${packet.text} #${packet.packetId}`
      : `${packet.type} #${'packetId' in packet ? packet.packetId : ''}`,
  );
}

// 4.4 Message delivery retry

test('v5 [MQTT-4.4.0-1] nothing is sent again on a connection that lives, however long the answers are', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'one', qos: 1 });
  for (const payload of ['two', 'half']) await publisher.publish({ topic: 'a', payload, qos: 2 });
  const [, , half] = await subscriber.drainPublishes();
  subscriber.send(v5.pubrec({ packetId: half?.packetId ?? 0 }));
  await subscriber.expectPacket('pubrel');
  for (let minute = 0; minute < 10; minute++) {
    await broker.advance(60);
    await subscriber.expectNothing();
  }
});

test('v5 [MQTT-4.4.0-1] when the session is resumed, PUBLISH and PUBREL are sent again with their identifiers, in order', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const [payload, qos] of [
    ['1', 1],
    ['2', 2],
    ['3', 2],
    ['4', 1],
    ['5', 2],
  ] as const) {
    await publisher.publish({ topic: 'a', payload, qos });
  }
  expect(words(await subscriber.drain())).toEqual(['1 #1', '2 #2', '3 #3', '4 #4', '5 #5']);
  for (const packetId of [3, 5]) subscriber.send(v5.pubrec({ packetId }));
  await subscriber.drain();
  let client = subscriber;
  for (let time = 0; time < 2; time++) {
    await broker.kill(client);
    client = await connect(broker);
    expect(words(await client.drain())).toEqual(['again 1 #1', 'again 2 #2', 'pubrel #3', 'again 4 #4', 'pubrel #5']);
  }
});

test('v5 [MQTT-4.4.0-1] also when the old connection was taken over, ended by DISCONNECT, or by the client’s own fault', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
  await subscriber.expectPublish({ payload: 'x' });
  const second = await connect(broker);
  await subscriber.expectError(0x8e);
  await second.expectPublish({ payload: 'x', dup: true, packetId: 1 });
  await second.disconnect();
  const third = await connect(broker);
  await third.expectPublish({ payload: 'x', dup: true, packetId: 1 });
  third.send('C1 00'); // PINGREQ with a reserved flag
  await third.expectError(0x81);
  const fourth = await connect(broker);
  await fourth.expectPublish({ payload: 'x', dup: true, packetId: 1 });
});

test('v5 [MQTT-4.4.0-1] also after a restart of the broker', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const [subscriber, publisher] = await pair(broker);
  for (const payload of ['1', '2', '3']) await publisher.publish({ topic: 'a', payload, qos: 2 });
  subscriber.send(v5.pubrec({ packetId: 2 }));
  // PUBREL waits for the disk, so it is not certain to be there before the answer to a PINGREQ.
  const received = [await subscriber.next(), await subscriber.next(), await subscriber.next(), await subscriber.next()];
  expect(words(received).toSorted()).toEqual(['1 #1', '2 #2', '3 #3', 'pubrel #2']);
  await broker.restart();
  const again = await connect(broker);
  const repeated = [await again.next(), await again.next(), await again.next()];
  expect(words(repeated).toSorted()).toEqual(['again 1 #1', 'again 3 #3', 'pubrel #2']);
});

test('v5 [MQTT-4.4.0-1] a session that begins anew is sent nothing again', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
  await subscriber.expectPublish({ payload: 'x' });
  await broker.kill(subscriber);
  const fresh = await broker.connect({ clientId: 's', cleanStart: true, properties: [expiry] });
  await fresh.expectNothing();
  await broker.kill(fresh);
  await (await connect(broker)).expectNothing();
});

test('v5 [MQTT-4.4.0-1] QoS 0 is never sent again', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 0 });
  await subscriber.expectPublish({ payload: 'x', qos: 0 });
  await broker.kill(subscriber);
  await publisher.publish({ topic: 'a', payload: 'y', qos: 0 }); // nor kept for later
  await publisher.expectNothing();
  await (await connect(broker)).expectNothing();
});

test('v5 [MQTT-4.4.0-1] v311 [MQTT-4.4.0-1] the version may change between the two', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2, properties: [property.contentType('t')] });
  await subscriber.expectPublish({ payload: 'x', properties: [['contentType', 't']] });
  await broker.kill(subscriber);
  const older = await connect(broker, { version: 4 });
  await older.expect('3C 06 00 01 "a" 00 01 "x"');
  await broker.kill(older);
  const newer = await connect(broker);
  await newer.expectPublish({ payload: 'x', dup: true, properties: [['contentType', 't']] });
});

test('v5 [MQTT-4.4.0-2] PUBACK and PUBREC of 0x80 and above end the exchange: nothing is sent again', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const codes = [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
  for (const reasonCode of codes) {
    await publisher.publish({ topic: 'a', qos: 1 });
    subscriber.send(v5.puback({ packetId: (await subscriber.expectPublish({ qos: 1 })).packetId, reasonCode }));
    await publisher.publish({ topic: 'a', qos: 2 });
    subscriber.send(v5.pubrec({ packetId: (await subscriber.expectPublish({ qos: 2 })).packetId, reasonCode }));
  }
  await subscriber.expectNothing();
  await broker.kill(subscriber);
  await (await connect(broker)).expectNothing();
});

test('v5 [MQTT-4.4.0-2] also after a restart of the broker', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', payload: 'refused', qos: 2 });
  await publisher.publish({ topic: 'a', payload: 'open', qos: 2 });
  const refused = await subscriber.expectPublish({ payload: 'refused' });
  subscriber.send(v5.pubrec({ packetId: refused.packetId, reasonCode: 0x97 }));
  await subscriber.expectPublish({ payload: 'open' });
  await subscriber.expectNothing();
  await broker.restart();
  const again = await connect(broker);
  expect(words(await again.drain())).toEqual(['again open #2']);
});

// 4.5 Message receipt

for (const qos of [1, 2] as const) {
  test(`v5 [MQTT-4.5.0-1] at QoS ${qos} what the broker owns is part of every matching session, there or away`, async () => {
    const broker = await startBroker(resources);
    const publisher = await broker.connect({ clientId: 'p' });
    const ids = ['1', '2', '3', '4'];
    const clients: Connected[] = [];
    for (const [index, clientId] of ids.entries()) {
      const client = await broker.connect({ clientId, properties: [expiry] });
      await client.subscribe({ filter: index % 2 === 0 ? 'a/b' : 'a/+', qos });
      if (index < 2) await broker.kill(client);
      clients.push(client);
    }
    expect(await publisher.publish({ topic: 'a/b', payload: 'x', qos })).toBe(0);
    await publisher.disconnect();
    for (const client of clients.slice(2)) await client.expectPublish({ payload: 'x', qos, dup: false });
    for (const clientId of ids) {
      const isNew = clientId < '3';
      const back = await broker.connect({ clientId, cleanStart: false, properties: [expiry] });
      await back.expectPublish({ payload: 'x', qos, dup: !isNew });
    }
  });
}

test('v5 [MQTT-4.5.0-1] with persistence that includes a restart, whatever the broker had answered', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const away = await connect(broker);
  await away.subscribe({ filter: 'a', qos: 2 });
  await broker.kill(away);
  const publisher = await broker.connect({ clientId: 'p', properties: [expiry] });
  const properties = [property.contentType('text'), property.userProperty(['n', 'v'])];
  await publisher.publish({ topic: 'a', payload: '1', qos: 1, properties });
  await publisher.publish({ topic: 'a', payload: '2', qos: 2 });
  publisher.send(v5.publish({ topic: 'a', payload: '3', qos: 2, packetId: 9 }));
  await publisher.expectPacket('pubrec');
  await broker.restart();
  const back = await broker.connect({ clientId: 'p', cleanStart: false });
  back.send(v5.pubrel({ packetId: 9 }));
  await back.expectPacket('pubcomp');
  const again = await connect(broker);
  const received = await again.drainPublishes();
  expect(received.map(({ text, qos, dup }) => [text, qos, dup])).toEqual([
    ['1', 1, false],
    ['2', 2, false],
    ['3', 2, false],
  ]);
  expect(received[0]?.properties).toEqual([
    ['contentType', 'text'],
    ['userProperty', ['n', 'v']],
  ]);
});
