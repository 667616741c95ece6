import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { packet, u8 } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

// 3.12 PINGREQ

test('v5 [MQTT-3.12.4-1] every PINGREQ is answered by a PINGRESP, byte for byte', async () => {
  const broker = await startBroker(resources, { transports: ['tcp', 'ws', 'tls'] });
  for (const transport of ['tcp', 'ws', 'tls'] as const) {
    const client = await broker.connect({ transport });
    client.send('C0 00');
    await client.expect('D0 00');
    client.send(Buffer.from('c000'.repeat(100), 'hex'));
    for (let count = 0; count < 100; count++) await client.expect('D0 00');
    await client.expectNothing();
  }
});

test('v5 [MQTT-3.12.4-1] also while the send window of the client is full', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'c', properties: [property.receiveMaximum(1)] });
  await client.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const payload of ['1', '2', '3']) await publisher.publish({ topic: 'a', payload, qos: 1 });
  const first = await client.expectPublish({ payload: '1' });
  await client.expectNothing(); // which is a PINGREQ with its PINGRESP
  await client.acknowledge(first);
  await client.expectPublish({ payload: '2' });
});

test('v5 [MQTT-3.12.4-1] PINGREQ with a body: closed without a word, as in Mosquitto', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  client.send('C0 01 00');
  await client.expectClosed();
});

// 3.14 DISCONNECT

test('v5 [MQTT-3.14.0-1] whatever is wrong before CONNACK, no DISCONNECT is sent: CONNACK or nothing', async () => {
  const broker = await startBroker(resources, { listener: { allowAnonymous: false } });
  const refused: readonly (readonly [Buffer, number])[] = [
    [v5.connect(), 0x87],
    [v5.connect({ protocolLevel: 6 }), 0x84],
    [v5.connect({ properties: [property.receiveMaximum(0)] }), 0x82],
    [v5.connect({ properties: [property.topicAlias(1)] }), 0x81],
    [v5.connect({ properties: [property.authenticationMethod('x')] }), 0x8c],
    [v5.connect({ clientId: Buffer.from([0xff]) }), 0x85],
    [v5.connect({ will: { topic: 'a/+' } }), 0x90],
  ];
  for (const [connect, reasonCode] of refused) {
    const client = await broker.open();
    client.send(connect);
    await client.expectRefused(reasonCode);
  }
  for (const first of ['C0 00', 'E0 00', 'F0 00', '00 00', 'FF FF FF FF FF FF', '10 FF FF FF FF 7F'] as const) {
    const client = await broker.open();
    client.send(first);
    await client.expectClosed();
  }
});

test('v5 [MQTT-3.14.0-1] who says nothing or half a CONNECT is closed after ten seconds, without a DISCONNECT', async () => {
  const broker = await startBroker(resources);
  const silent = await broker.open();
  const slow = await broker.open();
  slow.send(v5.connect().subarray(0, 10));
  await broker.advance(9);
  expect([silent.hasEnded, slow.hasEnded]).toEqual([false, false]);
  await broker.advance(2);
  await silent.expectClosed();
  await slow.expectClosed();
});

test('v5 [MQTT-3.14.0-1] after CONNACK 0x00 a DISCONNECT tells why, also when the error came in one write with the CONNECT', async () => {
  const broker = await startBroker(resources);
  const client = await broker.open();
  client.send(v5.connect(), '00 00');
  await client.expectPacket('connack');
  await client.expectError(0x82);
});

test('v5 [MQTT-3.14.0-1] a broker that stops sends no DISCONNECT to whom it has not let in', async () => {
  const broker = await startBroker(resources);
  const waiting = await broker.open();
  const known = await broker.connect();
  await broker.settle();
  await broker.running.stop();
  await waiting.expectClosed();
  await known.expectError(0x8b);
});

/** A client with a Will, and somebody who waits for it. */
async function withWill(broker: ConformanceBroker): Promise<{ client: Connected; watcher: Connected }> {
  const watcher = await broker.connect({ clientId: 'watcher', keepAlive: 0 });
  await watcher.subscribe('will');
  const client = await broker.connect({ clientId: 'c', will: { topic: 'will', payload: 'gone' } });
  return { client, watcher };
}

test('v5 [MQTT-3.14.1-1] DISCONNECT with any flag is malformed: 0x81, and the Will goes out', async () => {
  const broker = await startBroker(resources);
  for (let flags = 1; flags < 16; flags++) {
    const { client, watcher } = await withWill(broker);
    client.send(Buffer.from([0xe0 | flags, 0x00]));
    await client.expectError(0x81);
    await watcher.expectPublish({ payload: 'gone' });
    await watcher.disconnect();
  }
});

test('v5 [MQTT-3.14.4-3] [U5-26] [U5-18] DISCONNECT 0x00 in each of its forms deletes the Will, and the broker closes', async () => {
  const broker = await startBroker(resources);
  for (const form of ['E0 00', 'E0 01 00', 'E0 02 00 00'] as const) {
    const { client, watcher } = await withWill(broker);
    client.send(form);
    await client.expectClosed();
    await broker.advance(3600);
    await watcher.expectNothing();
    await watcher.disconnect();
  }
});

test('v5 [MQTT-3.14.4-3] a Will with a delay is deleted as well', async () => {
  const broker = await startBroker(resources);
  const watcher = await broker.connect({ clientId: 'watcher', keepAlive: 0 });
  await watcher.subscribe('will');
  const will = { topic: 'will', properties: [property.willDelayInterval(5)] };
  const client = await broker.connect({ clientId: 'c', will, properties: [property.sessionExpiryInterval(60)] });
  await client.disconnect();
  await broker.advance(3600);
  await watcher.expectNothing();
});

for (const reasonCode of [
  ...[0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99],
  ...[0x8e, 0x8b, 0x87], // the other side's; they end the connection abnormally all the same
]) {
  const code = `0x${reasonCode.toString(16).padStart(2, '0')}`;
  test(`v5 [MQTT-3.14.2-1] [MQTT-4.13.2-1] [U5-26] DISCONNECT ${code}: closed without an answer, and the Will goes out`, async () => {
    const broker = await startBroker(resources);
    const { client, watcher } = await withWill(broker);
    await client.disconnect(reasonCode);
    await watcher.expectPublish({ payload: 'gone' });
  });
}

test('v5 [MQTT-3.14.2-1] a code that DISCONNECT does not have is a protocol error: 0x82, and the Will goes out', async () => {
  const broker = await startBroker(resources);
  for (const reasonCode of [
    0x01, 0x02, 0x03, 0x10, 0x11, 0x18, 0x19, 0x7f, 0x84, 0x85, 0x86, 0x88, 0x8a, 0x91, 0x92, 0xff,
  ]) {
    const { client, watcher } = await withWill(broker);
    client.send(packet(0xe0, u8(reasonCode)));
    await client.expectError(0x82);
    await watcher.expectPublish({ payload: 'gone' });
    await watcher.disconnect();
  }
});

/** What makes the broker send a DISCONNECT, and with which code. */
const causes: readonly (readonly [
  reasonCode: number,
  cause: (broker: ConformanceBroker, client: Connected) => unknown,
])[] = [
  [0x81, (_broker, client) => client.send('82 03 00 01 00')],
  [0x82, (_broker, client) => client.send('00 00')],
  [0x8d, (broker) => broker.advance(100)],
  [0x8e, (broker) => broker.connect({ clientId: 'c' })],
  [0x8b, (broker) => broker.running.stop()],
  [0x94, (_broker, client) => client.send(v5.publish({ properties: [property.topicAlias(11)] }))],
  [0x95, (_broker, client) => client.send('30 FF FF FF 7F')],
  [0x98, (broker) => broker.running.broker.kick('c', 0x98, false)],
];
for (const [reasonCode, cause] of causes) {
  const code = `0x${reasonCode.toString(16)}`;
  test(`v5 [MQTT-3.14.2-1] [MQTT-3.14.2-2] [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1] DISCONNECT ${code} is three bytes, and nothing but the end comes behind it`, async () => {
    const broker = await startBroker(resources);
    const client = await broker.connect({ clientId: 'c', properties: [property.sessionExpiryInterval(60)] });
    await cause(broker, client);
    await client.expect(Buffer.from([0xe0, 0x01, reasonCode])); // no Session Expiry Interval, no Reason String
    await client.expectClosed();
  });
}

test('v5 [MQTT-3.14.2-3] [MQTT-3.14.2-4] DISCONNECT has neither Reason String nor User Property, so that it fits any Maximum Packet Size', async () => {
  const broker = await startBroker(resources);
  for (const maximum of [16, 100, 268_435_460]) {
    const client = await broker.connect({ properties: [property.maximumPacketSize(maximum)] });
    client.send('00 00');
    await client.expect('E0 01 82');
    await client.expectClosed();
  }
});

test('v5 [MQTT-3.14.2-3] [MQTT-3.14.2-4] a client may explain itself: Reason String and User Properties in DISCONNECT are taken', async () => {
  const broker = await startBroker(resources);
  const { client, watcher } = await withWill(broker);
  await client.disconnect(0x00, [
    property.reasonString('that is all'),
    property.userProperty(['a', '1']),
    property.userProperty(['a', '2']),
  ]);
  await watcher.expectNothing();
});

test('v5 [MQTT-3.14.4-1] what a client sends behind its DISCONNECT is not done', async () => {
  const broker = await startBroker(resources);
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('#');
  for (const ending of ['E0 00', 'E0 01 04', 'E0 01 80'] as const) {
    const client = await broker.connect({ clientId: 'c' });
    client.send(ending, v5.publish({ topic: 'a', retain: true }), v5.pingreq(), '00 00');
    await client.expectClosed();
    await watcher.expectNothing();
  }
});

test('v5 [MQTT-3.14.4-1] what a client sends behind its mistake is not done either, in one write or later', async () => {
  const broker = await startBroker(resources);
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('#');
  const client = await broker.connect({ clientId: 'c' });
  client.send('00 00', v5.publish({ topic: 'a' }));
  await client.expect('E0 01 82');
  client.send(v5.publish({ topic: 'a' }), v5.connect());
  await client.expectClosed();
  await broker.settle();
  await watcher.expectNothing();
});

test('v5 [MQTT-3.14.4-2] [U5-26] the broker closes, also when the client keeps its side open', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  client.send('E0 00');
  await client.expectClosed();
  await broker.settle();
  expect(broker.running.broker.engine.connectionsCount).toBe(0);
});
