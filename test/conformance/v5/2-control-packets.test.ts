import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

// 2.1.3 Flags

/** Packets a client may send, each right but for its flags. PUBLISH uses all four. */
const packetsWithFlags = [
  { title: 'v5 [MQTT-2.1.3-1] PUBACK', right: '40', rest: '02 00 01' },
  { title: 'v5 [MQTT-2.1.3-1] PUBREC', right: '50', rest: '02 00 01' },
  { title: 'v5 [MQTT-2.1.3-1] [MQTT-3.6.1-1] PUBREL', right: '62', rest: '02 00 01' },
  { title: 'v5 [MQTT-2.1.3-1] PUBCOMP', right: '70', rest: '02 00 01' },
  { title: 'v5 [MQTT-2.1.3-1] [MQTT-3.8.1-1] SUBSCRIBE', right: '82', rest: '07 00 01 00 00 01 61 00' },
  { title: 'v5 [MQTT-2.1.3-1] [MQTT-3.10.1-1] UNSUBSCRIBE', right: 'A2', rest: '06 00 01 00 00 01 61' },
  { title: 'v5 [MQTT-2.1.3-1] PINGREQ', right: 'C0', rest: '00' },
  { title: 'v5 [MQTT-2.1.3-1] [MQTT-3.14.1-1] DISCONNECT', right: 'E0', rest: '00' },
] as const;

for (const { title, right, rest } of packetsWithFlags) {
  test(`${title} with any other flags is malformed, with its own it is not`, async () => {
    const broker = await startBroker(resources);
    const rightByte = Number.parseInt(right, 16);
    for (let flags = 0; flags < 16; flags++) {
      const firstByte = (rightByte & 0xf0) | flags;
      if (firstByte === rightByte) continue;
      const client = await broker.connect();
      client.send(Buffer.from([firstByte]), rest);
      await client.expectError(0x81);
    }
    const client = await broker.connect();
    client.send(right, rest);
    if (right === 'E0') await client.expectClosed();
    else for (const { type } of await client.drain()) expect(type).not.toBe('disconnect');
  });
}

test('v5 [MQTT-2.1.3-1] [MQTT-3.15.1-1] AUTH with any flag is malformed', async () => {
  const broker = await startBroker(resources);
  for (let flags = 1; flags < 16; flags++) {
    const client = await broker.connect();
    client.send(Buffer.from([0xf0 | flags]), '00');
    await client.expectError(0x81);
  }
});

test('v5 [MQTT-2.1.3-1] CONNECT with any flag is not answered', async () => {
  const broker = await startBroker(resources);
  for (let flags = 1; flags < 16; flags++) {
    const client = await broker.open();
    client.send(v5.connect({ firstByte: 0x10 | flags }));
    await client.expectClosed();
  }
});

test('v5 [MQTT-2.1.3-1] [MQTT-3.6.1-1] every packet of ours has the flags of its type', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'c' });
  expect(client.connack.bytes[0]).toBe(0x20);
  client.send(v5.subscribe({ filters: [{ filter: 'a', qos: 2 }] }));
  expect((await client.next()).bytes[0]).toBe(0x90);
  client.send(v5.unsubscribe({ filters: ['b'] }));
  expect((await client.next()).bytes[0]).toBe(0xb0);
  client.send(v5.pingreq());
  expect((await client.next()).bytes[0]).toBe(0xd0);
  client.send(v5.publish({ topic: 'b', qos: 1 }));
  expect((await client.next()).bytes[0]).toBe(0x40);
  client.send(v5.publish({ topic: 'a', qos: 2, packetId: 5 }));
  expect((await client.next()).bytes[0]).toBe(0x50);
  client.send(v5.pubrel({ packetId: 5 }));
  const { bytes, packetId } = await client.expectPublish({ qos: 2 }); // comes to itself before its PUBCOMP
  expect(bytes[0]).toBe(0x34);
  expect((await client.next()).bytes[0]).toBe(0x70);
  client.send(v5.pubrec({ packetId }));
  expect((await client.next()).bytes[0]).toBe(0x62);
  await broker.connect({ clientId: 'c' });
  expect((await client.next()).bytes[0]).toBe(0xe0);
});

// 2.2.1 Packet Identifier

test('v5 [MQTT-2.2.1-2] a QoS 0 PUBLISH has no Packet Identifier, in neither direction', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (const qos of [0, 1, 2] as const) await client.subscribe({ filter: 'a', qos });
  client.send(`
    30 06        -- PUBLISH, QoS 0, Remaining Length
    00 01 "a"    -- Topic Name
    00           -- Property Length, at once
    "hi"         -- payload
  `);
  await client.expect('30 06 00 01 "a" 00 "hi"');
});

test('v5 [MQTT-2.2.1-2] [MQTT-3.3.1-2] a message of QoS 1 or 2 loses its Packet Identifier on a subscription of QoS 0', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe('a');
  const publisher = await broker.connect({ clientId: 'p' });
  for (const qos of [1, 2] as const) {
    await publisher.publish({ topic: 'a', payload: 'hi', qos });
    await subscriber.expect('30 06 00 01 "a" 00 "hi"');
  }
});

test('v5 [MQTT-2.2.1-3] Packet Identifier 0 in PUBLISH and SUBSCRIBE is a protocol error, in UNSUBSCRIBE it is malformed', async () => {
  const broker = await startBroker(resources);
  const cases = [
    [v5.publish({ qos: 1, packetId: 0 }), 0x82],
    [v5.publish({ qos: 2, packetId: 0 }), 0x82],
    [v5.subscribe({ packetId: 0, filters: ['a'] }), 0x82],
    [v5.unsubscribe({ packetId: 0, filters: ['a'] }), 0x81],
  ] as const;
  for (const [request, reasonCode] of cases) {
    const client = await broker.connect();
    client.send(request);
    await client.expectError(reasonCode);
  }
});

test('v5 [MQTT-2.2.1-3] Packet Identifier 0 in an acknowledgement is a protocol error', async () => {
  const broker = await startBroker(resources);
  for (const type of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const) {
    const client = await broker.connect();
    client.send(v5[type]({ packetId: 0 }));
    await client.expectError(0x82);
  }
});

test('v5 [MQTT-2.2.1-3] the identifiers of client and broker have nothing to do with each other', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe({ filter: 'a', qos: 2 });
  client.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 1 }));
  await client.expect('50 02 00 01');
  client.send(v5.pubrel({ packetId: 1 }));
  const { packetId } = await client.expectPublish({ payload: 'x', qos: 2 });
  expect(packetId).toBe(1); // both use 1 now
  await client.expect('70 02 00 01');
  client.send(v5.publish({ topic: 'b', qos: 2, packetId }));
  await client.expect('50 02 00 01');
  client.send(v5.pubrec({ packetId }));
  await client.expect('62 02 00 01');
  client.send(v5.pubrel({ packetId }), v5.pubcomp({ packetId }));
  await client.expect('70 02 00 01');
  await client.expectNothing();
});

test('v5 [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] messages under way have different identifiers, none of them 0', async () => {
  const broker = await startBroker(resources, { options: { maxInflightMessages: 200 } });
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (let count = 0; count < 50; count++) {
    await publisher.publish({ topic: 'a', qos: 1 });
    await publisher.publish({ topic: 'a', qos: 2 });
  }
  const received = await subscriber.drainPublishes();
  const ids = new Set(received.map(({ packetId }) => packetId));
  expect([received.length, ids.size, ids.has(0)]).toEqual([100, 100, false]);
});

test('v5 [MQTT-2.2.1-4] also after 65,535, and while an old one is still under way', async () => {
  const broker = await startBroker(resources, { options: { maxInflightMessages: 10_000, maxQueuedMessages: 0 } });
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'held', qos: 1 });
  const { packetId: held } = await subscriber.expectPublish({ payload: 'held' }); // never acknowledged
  const burst = 5000; // of 14
  const used: number[] = [];
  for (let round = 0; round < 14; round++) {
    const ids = Array.from({ length: burst }, (_, index) => index + 1);
    publisher.send(...ids.map((packetId) => v5.publish({ topic: 'a', qos: 1, packetId })));
    for (const packetId of ids) expect((await publisher.expectPacket('puback')).packetId).toBe(packetId);
    const received = await subscriber.drainPublishes();
    used.push(...received.map(({ packetId }) => packetId));
    subscriber.send(...received.map(({ packetId }) => v5.puback({ packetId })));
  }
  expect(used.length).toBeGreaterThan(65_000); // nearly all there are; then the rest waits for the one that is held
  expect(new Set(used).size).toBe(used.length);
  expect(used).not.toContain(0);
  expect(used).not.toContain(held);
  subscriber.send(v5.puback({ packetId: held }));
  // They come in several turns of the broker, between which it answers.
  const rest: number[] = [];
  while (rest.length < 14 * burst - used.length) {
    rest.push(...(await subscriber.drainPublishes()).map(({ packetId }) => packetId));
  }
  expect(rest.length).toBe(14 * burst - used.length);
  expect(rest).toContain(held); // round again
  expect(rest).not.toContain(0);
});

test('v5 [MQTT-2.2.1-5] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] PUBACK, PUBREC and PUBCOMP repeat the identifier of the PUBLISH', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('a');
  for (const packetId of [1, 255, 256, 300, 0x7fff, 0x8000, 65_535]) {
    client.send(v5.publish({ topic: 'a', qos: 1, packetId }));
    await client.expectPublish({ topic: 'a' });
    expect((await client.expectPacket('puback')).packetId).toBe(packetId);
    client.send(v5.publish({ topic: 'a', qos: 2, packetId }));
    expect((await client.expectPacket('pubrec')).packetId).toBe(packetId);
    client.send(v5.pubrel({ packetId }));
    await client.expectPublish({ topic: 'a' });
    expect((await client.expectPacket('pubcomp')).packetId).toBe(packetId);
  }
});

test('v5 [MQTT-2.2.1-5] [MQTT-4.3.3-4] PUBREL repeats the identifier of the PUBREC, known or not', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (const packetId of [1, 256, 65_535]) {
    client.send(v5.pubrec({ packetId }));
    expect((await client.expectPacket('pubrel')).packetId).toBe(packetId);
  }
});

test('v5 [MQTT-2.2.1-6] [MQTT-3.8.4-2] [MQTT-3.10.4-4] SUBACK and UNSUBACK repeat the identifier of their request, in order', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  const ids = [1, 258, 65_535, 2];
  client.send(
    ...ids.flatMap((packetId) => [
      v5.subscribe({ packetId, filters: ['a'] }),
      v5.unsubscribe({ packetId, filters: ['a'] }),
    ]),
  );
  for (const packetId of ids) {
    expect((await client.expectPacket('suback')).packetId).toBe(packetId);
    expect((await client.expectPacket('unsuback')).packetId).toBe(packetId);
  }
});

// 2.2.2 Properties

test('v5 [MQTT-2.2.2-1] no properties is a Property Length of 0: PUBLISH, SUBACK, UNSUBACK', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  client.send('82 07 00 01 00 00 01 "a" 01'); // SUBSCRIBE 1, Property Length 0, "a", QoS 1
  await client.expect('90 04 00 01 00 01');
  client.send('32 08 00 01 "a" 00 07 00 "hi"'); // PUBLISH, QoS 1, identifier 7, Property Length 0
  await client.expect('32 08 00 01 "a" 00 01 00 "hi"');
  await client.expect('40 02 00 07'); // may be left out here
  client.send('A2 06 00 02 00 00 01 "a"');
  await client.expect('B0 04 00 02 00 00');
});

test('v5 [MQTT-2.2.2-1] a packet that ends before its Property Length is malformed', async () => {
  const broker = await startBroker(resources);
  const cases = [
    '30 03 00 01 "a"', // PUBLISH, QoS 0
    '32 05 00 01 "a" 00 07', // PUBLISH, QoS 1
    '82 02 00 01', // SUBSCRIBE
    'A2 02 00 01', // UNSUBSCRIBE
  ];
  for (const request of cases) {
    const client = await broker.connect();
    client.send(request);
    await client.expectError(0x81);
  }
});

test('v5 [MQTT-2.2.2-1] a Property Length beyond the packet, or in more than four bytes, is malformed', async () => {
  const broker = await startBroker(resources);
  const cases = [
    '30 06 00 01 "a" 03 01 01', // 3 of which 2 are there
    '30 05 00 01 "a" 80 80', // has no end
    '30 08 00 01 "a" 80 80 80 80 00', // five bytes
    '40 04 00 07 00 01', // PUBACK: 1, but nothing follows
    'E0 02 00 01', // DISCONNECT
  ];
  for (const request of cases) {
    const client = await broker.connect();
    client.send(request);
    await client.expectError(0x81);
  }
});

// Short forms

test('[U5-18] acknowledgements of two, three and four bytes mean the same', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [property.receiveMaximum(1)] });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  // What follows the identifier: nothing, a Reason Code, a Reason Code and no properties.
  const forms = [
    ['02', ''],
    ['03', '00'],
    ['04', '00 00'],
  ] as const;
  for (const [length, end] of forms) {
    for (const qos of [1, 2] as const) await publisher.publish({ topic: 'a', payload: `${qos}`, qos });
    const first = await subscriber.expectPublish({ payload: '1', qos: 1 });
    const id = first.packetId.toString(16).padStart(4, '0');
    subscriber.send(`40 ${length} ${id} ${end}`);
    const second = await subscriber.expectPublish({ payload: '2', qos: 2 });
    const secondId = second.packetId.toString(16).padStart(4, '0');
    subscriber.send(`50 ${length} ${secondId} ${end}`);
    expect((await subscriber.expectPacket('pubrel')).packetId).toBe(second.packetId);
    subscriber.send(`70 ${length} ${secondId} ${end}`);
    publisher.send(v5.publish({ topic: 'b', qos: 2, packetId: 0x1234 }));
    await publisher.expectPacket('pubrec');
    publisher.send(`62 ${length} 1234 ${end}`);
    await publisher.expect('70 02 12 34');
  }
});

test('[U5-18] DISCONNECT without anything, with a Reason Code, and with no properties', async () => {
  const broker = await startBroker(resources);
  const watcher = await broker.connect({ clientId: 'w' });
  await watcher.subscribe('will');
  const forms = [
    ['E0 00', false],
    ['E0 01 00', false],
    ['E0 02 00 00', false],
    ['E0 01 04', true],
    ['E0 02 04 00', true],
  ] as const;
  for (const [form, hasWill] of forms) {
    const client = await broker.connect({
      clientId: 'c',
      properties: [expiry],
      will: { topic: 'will', payload: form },
    });
    client.send(form);
    await client.expectClosed();
    if (hasWill) await watcher.expectPublish({ payload: form });
    else await watcher.expectNothing();
  }
});

test('[U5-18] v5 [MQTT-2.2.2-1] an acknowledgement may carry properties, and says nothing by them', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [property.receiveMaximum(1)] });
  await subscriber.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const payload of ['1', '2']) await publisher.publish({ topic: 'a', payload, qos: 1 });
  const { packetId } = await subscriber.expectPublish({ payload: '1' });
  const properties = [
    property.reasonString('thanks'),
    property.userProperty(['a', 'b']),
    property.userProperty(['', '']),
  ];
  subscriber.send(v5.puback({ packetId, reasonCode: 0, properties }));
  await subscriber.expectPublish({ payload: '2' });
});
