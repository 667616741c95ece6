import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** A client `s` with this Receive Maximum that subscribes to `a` at QoS 2, and a publisher. */
async function pair(
  broker: ConformanceBroker,
  receiveMaximum: number,
): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const subscriber = await broker.connect({
    clientId: 's',
    properties: [property.receiveMaximum(receiveMaximum), expiry],
  });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  return [subscriber, await broker.connect({ clientId: 'p' })];
}

/** The client `s` again, with another Receive Maximum. */
function connectAgain(broker: ConformanceBroker, receiveMaximum: number): Promise<Connected> {
  const properties = [property.receiveMaximum(receiveMaximum), expiry];
  return broker.connect({ clientId: 's', cleanStart: false, properties });
}

/** Publishes `first`…`last` to `a`. */
async function publishNumbers(publisher: Connected, first: number, last: number, qos: 1 | 2): Promise<void> {
  for (let number = first; number <= last; number++) await publisher.publish({ topic: 'a', payload: `${number}`, qos });
}

// Towards the client.

for (const qos of [1, 2] as const) {
  test(`v5 [MQTT-3.3.4-9] [MQTT-4.9.0-2] at QoS ${qos} no more than Receive Maximum messages are under way, and each that is done lets one follow`, async () => {
    const broker = await startBroker(resources);
    const [subscriber, publisher] = await pair(broker, 2);
    await publishNumbers(publisher, 1, 6, qos);
    const window = [
      await subscriber.expectPublish({ payload: '1', qos }),
      await subscriber.expectPublish({ payload: '2', qos }),
    ];
    await subscriber.expectNothing();
    for (const number of [3, 4, 5, 6]) {
      const done = window.shift();
      if (done !== undefined) await subscriber.acknowledge(done);
      window.push(await subscriber.expectPublish({ payload: `${number}`, qos }));
      await subscriber.expectNothing();
    }
  });
}

test('v5 [MQTT-3.3.4-9] [MQTT-4.9.0-2] PUBREC 0x00 gives nothing back, PUBCOMP does', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 1);
  await publishNumbers(publisher, 1, 2, 2);
  const { packetId } = await subscriber.expectPublish({ payload: '1' });
  subscriber.send(v5.pubrec({ packetId }));
  await subscriber.expectPacket('pubrel');
  await subscriber.expectNothing();
  subscriber.send(v5.pubrec({ packetId })); // nor does a second one
  await subscriber.expectPacket('pubrel');
  await subscriber.expectNothing();
  subscriber.send(v5.pubcomp({ packetId }));
  await subscriber.expectPublish({ payload: '2' });
});

test('v5 [MQTT-3.3.4-9] [MQTT-4.9.0-2] PUBREC 0x80 and above gives the place back, as do PUBACK and PUBCOMP with an error', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 1);
  await publishNumbers(publisher, 1, 2, 2);
  await publishNumbers(publisher, 3, 4, 1);
  const first = await subscriber.expectPublish({ payload: '1' });
  subscriber.send(v5.pubrec({ packetId: first.packetId, reasonCode: 0x83 }));
  const second = await subscriber.expectPublish({ payload: '2' });
  subscriber.send(v5.pubrec({ packetId: second.packetId }));
  await subscriber.expectPacket('pubrel');
  subscriber.send(v5.pubcomp({ packetId: second.packetId, reasonCode: 0x92 }));
  const third = await subscriber.expectPublish({ payload: '3' });
  subscriber.send(v5.puback({ packetId: third.packetId, reasonCode: 0x97 }));
  await subscriber.expectPublish({ payload: '4' });
});

test('[U5-19] v5 [MQTT-3.3.4-9] acknowledgements of nothing, or twice, do not make the window larger', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 2);
  for (const packetId of [1, 2, 77, 65_535]) {
    subscriber.send(v5.puback({ packetId }), v5.pubcomp({ packetId }));
  }
  await publishNumbers(publisher, 1, 1, 1);
  const { packetId } = await subscriber.expectPublish({ payload: '1' });
  for (let count = 0; count < 5; count++) subscriber.send(v5.puback({ packetId }));
  await subscriber.expectNothing();
  await publishNumbers(publisher, 2, 9, 1);
  expect((await subscriber.drainPublishes()).map(({ text }) => text)).toEqual(['2', '3']);
});

test('[U5-19] a PUBREC for nothing, refusing or not, does not make the window larger', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 1);
  for (const reasonCode of [0x00, 0x97]) {
    subscriber.send(v5.pubrec({ packetId: 9, reasonCode }));
    expect((await subscriber.expectPacket('pubrel')).packetId).toBe(9);
  }
  await publishNumbers(publisher, 1, 3, 2);
  expect((await subscriber.drainPublishes()).map(({ text }) => text)).toEqual(['1']);
});

test('v5 [MQTT-4.9.0-2] the quota begins anew on every connection', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 2);
  await publishNumbers(publisher, 1, 5, 1);
  expect((await subscriber.drainPublishes()).length).toBe(2);
  await broker.kill(subscriber);
  const again = await connectAgain(broker, 4);
  const received = await again.drainPublishes();
  expect(received.map(({ text, dup }) => [text, dup])).toEqual([
    ['1', true],
    ['2', true],
    ['3', false],
    ['4', false],
  ]);
  for (const publish of received) await again.acknowledge(publish);
  await again.expectPublish({ payload: '5', dup: false });
});

for (const qos of [1, 2] as const) {
  test(`v5 [MQTT-3.3.4-9] [MQTT-4.9.0-2] at QoS ${qos} what is sent again counts as well: a smaller Receive Maximum holds it back, in order`, async () => {
    const broker = await startBroker(resources);
    const [subscriber, publisher] = await pair(broker, 5);
    await publishNumbers(publisher, 1, 7, qos);
    const ids = (await subscriber.drainPublishes()).map(({ packetId }) => packetId);
    expect(ids.length).toBe(5);
    await broker.kill(subscriber);
    const again = await connectAgain(broker, 2);
    const window = [
      await again.expectPublish({ payload: '1', dup: true }),
      await again.expectPublish({ payload: '2', dup: true }),
    ];
    await again.expectNothing();
    await publisher.publish({ topic: 'a', payload: '8', qos }); // comes behind what was there before
    for (let number = 3; number <= 8; number++) {
      const done = window.shift();
      if (done !== undefined) await again.acknowledge(done);
      window.push(await again.expectPublish({ payload: `${number}`, qos, dup: number <= 5 }));
      await again.expectNothing();
    }
  });
}

test('v5 [MQTT-3.3.4-9] what is held back at one resumption is sent at the next with its identifier', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 3);
  await publishNumbers(publisher, 1, 3, 1);
  const ids = (await subscriber.drainPublishes()).map(({ packetId }) => packetId);
  await broker.kill(subscriber);
  const second = await connectAgain(broker, 1);
  await second.acknowledge(await second.expectPublish({ payload: '1', packetId: ids[0] ?? 0 }));
  await second.expectPublish({ payload: '2' });
  await second.expectNothing();
  await broker.kill(second);
  const third = await connectAgain(broker, 10);
  await third.expectPublish({ payload: '2', dup: true, packetId: ids[1] ?? 0 });
  await third.expectPublish({ payload: '3', dup: true, packetId: ids[2] ?? 0 });
  await third.expectNothing();
});

test('v5 [MQTT-3.3.4-9] a late acknowledgement of what is held back ends it', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 3);
  await publishNumbers(publisher, 1, 3, 1);
  const ids = (await subscriber.drainPublishes()).map(({ packetId }) => packetId);
  await broker.kill(subscriber);
  const again = await connectAgain(broker, 1);
  await again.expectPublish({ payload: '1', packetId: ids[0] ?? 0 });
  again.send(v5.puback({ packetId: ids[1] ?? 0 }));
  await again.expectNothing();
  again.send(v5.puback({ packetId: ids[0] ?? 0 }));
  await again.expectPublish({ payload: '3', dup: true, packetId: ids[2] ?? 0 });
});

test('v5 [MQTT-3.3.4-10] [MQTT-4.9.0-3] a full window delays PUBLISH alone: everything else is answered', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 1);
  await publishNumbers(publisher, 1, 2, 2);
  const { packetId } = await subscriber.expectPublish({ payload: '1' });
  subscriber.send(v5.pingreq());
  await subscriber.expectPacket('pingresp');
  await subscriber.subscribe('b');
  subscriber.send(v5.unsubscribe({ packetId: 9, filters: ['b'] }));
  await subscriber.expectPacket('unsuback');
  for (const qos of [0, 1, 2] as const) await subscriber.publish({ topic: 'c', qos });
  subscriber.send(v5.pubrel({ packetId: 99 }));
  expect((await subscriber.expectPacket('pubcomp')).packetId).toBe(99);
  subscriber.send(v5.pubrec({ packetId }));
  await subscriber.expectPacket('pubrel');
  await subscriber.expectNothing();
});

test('v5 [MQTT-4.9.0-3] QoS 0 does not wait behind a full window', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker, 1);
  await publishNumbers(publisher, 1, 2, 1);
  await publisher.publish({ topic: 'a', payload: 'at most once' });
  await publisher.expectNothing();
  const { packetId } = await subscriber.expectPublish({ payload: '1' });
  await subscriber.expectPublish({ payload: 'at most once', qos: 0 });
  subscriber.send(v5.puback({ packetId }));
  await subscriber.expectPublish({ payload: '2' });
});

test('v5 [MQTT-3.3.4-9] retained messages obey the window as well', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  for (const name of ['1', '2', '3', '4']) {
    await publisher.publish({ topic: `a/${name}`, payload: name, qos: 1, retain: true });
  }
  const subscriber = await broker.connect({ clientId: 's', properties: [property.receiveMaximum(2)] });
  await subscriber.subscribe({ filter: 'a/+', qos: 1 });
  const seen: string[] = [];
  for (let round = 0; round < 2; round++) {
    const received = await subscriber.drainPublishes();
    expect(received.length).toBe(2);
    for (const publish of received) {
      seen.push(publish.text);
      await subscriber.acknowledge(publish);
    }
  }
  expect(seen.toSorted()).toEqual(['1', '2', '3', '4']);
  await subscriber.expectNothing();
});

// From the client. CONNACK says Receive Maximum 20 unless configured.

test('v5 [MQTT-3.3.4-7] [MQTT-4.9.0-2] the Receive Maximum of CONNACK may be used up, one more is 0x93', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  expect(valueOf(client.connack, 'receiveMaximum')).toBe(20);
  for (let packetId = 1; packetId <= 20; packetId++) {
    client.send(v5.publish({ topic: 'b', qos: 2, packetId }));
    expect((await client.expectPacket('pubrec')).reasonCode).toBe(0);
  }
  client.send(v5.publish({ topic: 'b', qos: 2, packetId: 1, dup: true })); // a repeat is none more
  await client.expect('50 02 00 01');
  client.send(v5.publish({ topic: 'b', qos: 0 }));
  await client.expectNothing(); // QoS 0 does not count
  client.send(v5.publish({ topic: 'b', qos: 2, packetId: 21 }));
  await client.expectError(0x93);
});

test('v5 [MQTT-3.3.4-7] at QoS 1 too', async () => {
  const broker = await startBroker(resources, { options: { maxInflightMessages: 2 } });
  const client = await broker.connect();
  expect(valueOf(client.connack, 'receiveMaximum')).toBe(2);
  for (const packetId of [1, 2]) client.send(v5.publish({ topic: 'b', qos: 2, packetId }));
  for (const packetId of [1, 2]) expect((await client.expectPacket('pubrec')).packetId).toBe(packetId);
  client.send(v5.publish({ topic: 'b', qos: 1, packetId: 3 }));
  await client.expectError(0x93);
});

test('v5 [MQTT-3.3.4-7] PUBCOMP and a refusing PUBREC give the place back', async () => {
  const broker = await startBroker(resources, {
    options: { maxInflightMessages: 2 },
    authorizer: { authorize: (_client, _action, topic) => topic !== 'secret' },
  });
  const client = await broker.connect();
  for (let round = 1; round <= 5; round++) {
    for (const packetId of [1, 2]) {
      client.send(v5.publish({ topic: 'b', qos: 2, packetId }));
      expect((await client.expectPacket('pubrec')).reasonCode).toBe(0);
    }
    for (const packetId of [1, 2]) {
      client.send(v5.pubrel({ packetId }));
      expect((await client.expectPacket('pubcomp')).packetId).toBe(packetId);
    }
    for (const packetId of [1, 2, 3, 4]) {
      client.send(v5.publish({ topic: 'secret', qos: 2, packetId }));
      expect((await client.expectPacket('pubrec')).reasonCode).toBe(0x87);
    }
  }
});

test('v5 [MQTT-3.3.4-7] the quota of the client begins anew with its connection', async () => {
  const broker = await startBroker(resources, { options: { maxInflightMessages: 2 } });
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  for (const packetId of [1, 2]) {
    client.send(v5.publish({ topic: 'b', qos: 2, packetId }));
    await client.expectPacket('pubrec');
  }
  await broker.kill(client);
  const again = await broker.connect({ clientId: 'c', cleanStart: false, properties: [expiry] });
  // PUBREL takes no place, so two more may follow before the answers are there.
  again.send(v5.pubrel({ packetId: 1 }), v5.pubrel({ packetId: 2 }));
  again.send(v5.publish({ topic: 'b', qos: 2, packetId: 3 }), v5.publish({ topic: 'b', qos: 2, packetId: 4 }));
  for (const packetId of [1, 2]) expect((await again.expectPacket('pubcomp')).packetId).toBe(packetId);
  for (const packetId of [3, 4]) expect((await again.expectPacket('pubrec')).packetId).toBe(packetId);
  again.send(v5.publish({ topic: 'b', qos: 2, packetId: 5 }));
  await again.expectError(0x93);
});

test('v5 [MQTT-3.3.4-7] a client that uses its whole quota in one write is served, also when acknowledgements wait for the disk', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  const ids = Array.from({ length: 20 }, (_, index) => index + 1);
  for (const qos of [1, 2] as const) {
    client.send(
      v5.subscribe({ packetId: 100, filters: [{ filter: 'x', qos: 1 }] }),
      ...ids.map((packetId) => v5.publish({ topic: 'b', qos, packetId })),
    );
    await client.expectPacket('suback');
    for (const packetId of ids) {
      expect((await client.expectPacket(qos === 1 ? 'puback' : 'pubrec')).packetId).toBe(packetId);
    }
  }
  client.send(...ids.map((packetId) => v5.pubrel({ packetId })));
  for (const packetId of ids) expect((await client.expectPacket('pubcomp')).packetId).toBe(packetId);
});

test('v5 [MQTT-3.3.4-7] one more than the quota in one write is 0x93, also when acknowledgements wait for the disk', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  const ids = Array.from({ length: 21 }, (_, index) => index + 1);
  client.send(...ids.map((packetId) => v5.publish({ topic: 'b', qos: 2, packetId })));
  for (;;) {
    const packet = await client.next();
    if (packet.type === 'pubrec') continue;
    expect(packet).toMatchObject({ type: 'disconnect', reasonCode: 0x93 });
    break;
  }
  await client.expectClosed();
});
