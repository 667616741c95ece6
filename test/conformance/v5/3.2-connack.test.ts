import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { startBroker } from '../wire/broker.ts';
import { packet, varint } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** Refuses the user `nobody`. */
const authenticator = {
  authenticate: ({ username }: { username: string | null }) =>
    username === 'nobody' ? ({ reasonCode: 0x87 } as const) : ('accepted' as const),
};

test('v5 [MQTT-3.2.0-1] CONNACK comes before everything that waited', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  await client.subscribe({ filter: 'a', qos: 2 });
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'one', qos: 2 });
  await client.expectPublish({ payload: 'one' });
  client.send(v5.pubrec({ packetId: 1 }));
  await client.expectPacket('pubrel');
  await broker.kill(client);
  await publisher.publish({ topic: 'a', payload: 'two', qos: 1 });
  const back = await broker.open();
  back.send(v5.connect({ clientId: 'c', cleanStart: false }));
  expect((await back.expectPacket('connack')).sessionPresent).toBe(true);
  expect((await back.expectPacket('pubrel')).packetId).toBe(1);
  await back.expectPublish({ payload: 'two' });
});

test('v5 [MQTT-3.2.0-1] CONNACK comes before what a session gets while it is taken over', async () => {
  const broker = await startBroker(resources);
  const old = await broker.connect({
    clientId: 'c',
    properties: [expiry],
    will: { topic: 'a', payload: 'will', qos: 1 },
  });
  await old.subscribe({ filter: 'a', qos: 1 });
  const next = await broker.open();
  next.send(v5.connect({ clientId: 'c', cleanStart: false }));
  // The Will of the old connection goes to the session itself.
  await next.expectPacket('connack');
  await next.expectPublish({ payload: 'will' });
});

test('v5 [MQTT-3.2.0-1] also with a store that has to be waited for', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  const client = await broker.open();
  client.send(
    v5.connect({ properties: [expiry] }),
    v5.subscribe({ filters: [{ filter: 'a', qos: 1 }] }),
    v5.publish({ topic: 'a', qos: 1 }),
  );
  await client.expectPacket('connack');
  // PUBLISH need not wait for what SUBACK and PUBACK wait for.
  const rest = [await client.next(), await client.next(), await client.next()];
  expect(rest.map(({ type }) => type).filter((type) => type !== 'publish')).toEqual(['suback', 'puback']);
});

test('v5 [MQTT-3.2.0-2] there is one CONNACK per connection, whatever happens later', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  await broker.connect({ clientId: 'c', cleanStart: false });
  await client.expectError(0x8e);
});

test('v5 [MQTT-3.2.2-1] [MQTT-3.2.2-3] the flags byte is 0 for a new session, 1 for one that goes on, and nothing else', async () => {
  const broker = await startBroker(resources);
  const flags: (number | undefined)[] = [];
  for (let count = 0; count < 3; count++) {
    const client = await broker.connect({ clientId: 'c', cleanStart: false, properties: [expiry] });
    flags.push(client.connack.bytes[2]);
    await broker.kill(client);
  }
  expect(flags).toEqual([0, 1, 1]);
});

const refusals: readonly (readonly [string, Buffer, number])[] = [
  ['wrong credentials', v5.connect({ clientId: 'c', cleanStart: false, username: 'nobody' }), 0x87],
  [
    'an unknown authentication method',
    v5.connect({ clientId: 'c', cleanStart: false, properties: [property.authenticationMethod('x')] }),
    0x8c,
  ],
  [
    'a property out of range',
    v5.connect({ clientId: 'c', cleanStart: false, properties: [property.receiveMaximum(0)] }),
    0x82,
  ],
  ['a Will Topic that may not be', v5.connect({ clientId: 'c', cleanStart: false, will: { topic: '#' } }), 0x90],
  ['another protocol version', v5.connect({ clientId: 'c', cleanStart: false, protocolLevel: 7 }), 0x84],
];
for (const [name, connect, reasonCode] of refusals) {
  test(`v5 [MQTT-3.2.2-6] [MQTT-3.2.2-1] [MQTT-3.2.2-7] ${name}: Session Present 0 although there is a session, and closed`, async () => {
    const broker = await startBroker(resources, { authenticator });
    await broker.kill(await broker.connect({ clientId: 'c', properties: [expiry] }));
    const client = await broker.open();
    client.send(connect);
    const connack = await client.expectPacket('connack');
    expect([connack.sessionPresent, connack.reasonCode]).toEqual([false, reasonCode]);
    await client.expectClosed();
    const back = await broker.connect({ clientId: 'c', cleanStart: false });
    expect(back.connack.sessionPresent).toBe(true); // it was not harmed
  });
}

test('v5 [MQTT-3.2.2-6] whoever is refused while the session is in use is told of no session, and its owner is not disturbed', async () => {
  const broker = await startBroker(resources, { authenticator });
  const owner = await broker.connect({ clientId: 'c', properties: [expiry] });
  await owner.subscribe('a');
  const client = await broker.open();
  client.send(v5.connect({ clientId: 'c', cleanStart: false, username: 'nobody' }));
  await client.expectRefused(0x87);
  await owner.publish({ topic: 'a', payload: 'still here' });
  await owner.expectPublish({ payload: 'still here' });
});

test('v5 [MQTT-3.2.2-6] [MQTT-3.2.2-2] Session Present is 1 with Reason Code 0x00 and a session only: not with Clean Start, nor when it has expired', async () => {
  const broker = await startBroker(resources, { authenticator });
  const present = async (cleanStart: boolean): Promise<boolean> => {
    const client = await broker.connect({
      clientId: 'c',
      cleanStart,
      properties: [property.sessionExpiryInterval(60)],
    });
    await broker.kill(client);
    return client.connack.sessionPresent;
  };
  expect([await present(false), await present(false), await present(true), await present(false)]).toEqual([
    ...[false, true, false, true],
  ]);
  await broker.advance(61);
  expect(await present(false)).toBe(false);
});

test('v5 [MQTT-3.2.2-7] the connection is closed by the broker, even when the client goes on sending', async () => {
  const broker = await startBroker(resources, { authenticator });
  const client = await broker.open();
  client.send(v5.connect({ username: 'nobody' }));
  await client.expect('20 03 00 87 00');
  client.send(v5.pingreq(), v5.pingreq());
  await client.expectClosed();
});

for (const reasonCode of [0x8b, 0x8d, 0x8e, 0x91, 0x98, 0xa2]) {
  test(`v5 [MQTT-3.2.2-8] a refusal with 0x${reasonCode.toString(16)}, which CONNACK may not carry, is said as 0x80`, async () => {
    const broker = await startBroker(resources, { authenticator: { authenticate: () => ({ reasonCode }) } });
    const client = await broker.open();
    client.send(v5.connect());
    await client.expectRefused(0x80);
  });
}

for (const maxQos of [0, 1, 2] as const) {
  test(`v5 [MQTT-3.2.2-9] [MQTT-3.2.2-10] with Maximum QoS ${maxQos}: CONNACK says it if it is below 2, any QoS may be asked for`, async () => {
    const broker = await startBroker(resources, { listener: { maxQos } });
    const client = await broker.connect();
    expect(valueOf(client.connack, 'maximumQos')).toBe(maxQos === 2 ? undefined : maxQos);
    const suback = await client.subscribe('a', { filter: 'b', qos: 1 }, { filter: 'c', qos: 2 });
    expect(suback.reasonCodes).toEqual([0, Math.min(1, maxQos), maxQos]);
    expect(await client.publish({ topic: 'x', qos: maxQos })).toBe(maxQos === 1 ? 0x10 : 0x00);
    await client.expectNothing();
  });
}

for (const [maxQos, qos] of [
  [0, 1],
  [0, 2],
  [1, 2],
] as const) {
  test(`v5 [MQTT-3.2.2-11] [U5-11] PUBLISH with QoS ${qos} above Maximum QoS ${maxQos}: DISCONNECT 0x9B, and it is not delivered`, async () => {
    const broker = await startBroker(resources, { listener: { maxQos } });
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.subscribe('a');
    const client = await broker.connect();
    client.send(v5.publish({ topic: 'a', payload: 'x', qos }));
    await client.expectError(0x9b);
    await watcher.expectNothing();
  });

  test(`v5 [MQTT-3.2.2-12] Will QoS ${qos} above Maximum QoS ${maxQos}: CONNACK 0x9B`, async () => {
    const broker = await startBroker(resources, { listener: { maxQos } });
    const client = await broker.open();
    client.send(v5.connect({ will: { qos } }));
    // With Maximum QoS, as from Mosquitto: its bridges come back with that.
    const connack = await client.expectPacket('connack');
    expect(connack.reasonCode).toBe(0x9b);
    expect(valueOf(connack, 'maximumQos')).toBe(maxQos);
    await client.expectClosed();
    await (await broker.connect({ will: { qos: maxQos } })).expectNothing();
  });
}

test('v5 [MQTT-3.2.2-13] without retained messages, a Will with Will Retain 1: CONNACK 0x9A', async () => {
  const broker = await startBroker(resources, { options: { retainAvailable: false } });
  const client = await broker.open();
  client.send(v5.connect({ will: { retain: true } }));
  await client.expectRefused(0x9a);
  const other = await broker.connect({ will: {} });
  expect(valueOf(other.connack, 'retainAvailable')).toBe(0);
});

test('v5 [MQTT-3.2.2-14] [U5-11] without retained messages, PUBLISH with RETAIN 1: DISCONNECT 0x9A', async () => {
  const broker = await startBroker(resources, { options: { retainAvailable: false } });
  for (const qos of [0, 1, 2] as const) {
    const client = await broker.connect();
    client.send(v5.publish({ topic: 'a', payload: 'x', retain: true, qos }));
    await client.expectError(0x9a);
  }
  const client = await broker.connect();
  expect(await client.publish({ topic: 'a', payload: 'x', qos: 1 })).toBe(0x10);
});

test('v5 [MQTT-3.2.2-15] a packet one byte above Maximum Packet Size: DISCONNECT 0x95; one of exactly that size is taken', async () => {
  const broker = await startBroker(resources, { options: { maxPacketSize: 1000 } });
  const client = await broker.connect();
  expect(valueOf(client.connack, 'maximumPacketSize')).toBe(1000);
  await client.subscribe('a');
  const fits = packet(0x30, '00 01 "a" 00', Buffer.alloc(993, 'x')); // 3 bytes of fixed header
  expect(fits.length).toBe(1000);
  client.send(fits);
  await client.expectPublish({ topic: 'a', payload: 'x'.repeat(993) });
  client.send(packet(0x30, '00 01 "a" 00', Buffer.alloc(994, 'x')));
  await client.expectError(0x95);
});

test('v5 [MQTT-3.2.2-15] [U5-10] its length alone is enough: nothing of the packet need have come', async () => {
  const broker = await startBroker(resources);
  for (const length of [1_999_997, 268_435_455]) {
    const client = await broker.connect();
    client.send('30', varint(length)); // 1,999,997 and four bytes of fixed header are 2,000,001
    await client.expectError(0x95);
  }
  const client = await broker.connect();
  client.send('30', varint(1_999_996), '00 01 "a" 00', Buffer.alloc(1_999_992));
  await client.expectNothing();
});

test('v5 [MQTT-3.2.2-15] any kind of packet is measured, and the Will goes out', async () => {
  const broker = await startBroker(resources, { options: { maxPacketSize: 100 } });
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('will');
  const filters = Array.from({ length: 30 }, (_, index) => `f/${index}`);
  for (const large of [v5.subscribe({ filters }), v5.unsubscribe({ filters })]) {
    const client = await broker.connect({ will: { topic: 'will', payload: 'gone' } });
    client.send(large);
    await client.expectError(0x95);
    await watcher.expectPublish({ payload: 'gone' });
  }
});

test('v5 [MQTT-3.2.2-17] [U5-7] Topic Aliases up to Topic Alias Maximum are taken, one above: DISCONNECT 0x94', async () => {
  const broker = await startBroker(resources, { listener: { maxTopicAlias: 3 } });
  for (const alias of [0, 4, 65_535]) {
    const client = await broker.connect({ clientId: 'c' });
    expect(valueOf(client.connack, 'topicAliasMaximum')).toBe(3);
    await client.subscribe('a');
    for (let good = 1; good <= 3; good++) {
      await client.publish({ topic: 'a', payload: `${good}`, properties: [property.topicAlias(good)] });
      await client.expectPublish({ topic: 'a', payload: `${good}` });
    }
    client.send(v5.publish({ topic: 'a', properties: [property.topicAlias(alias)] }));
    await client.expectError(0x94);
  }
});

test('v5 [MQTT-3.2.2-18] [U5-7] no Topic Alias Maximum in CONNACK: any alias is DISCONNECT 0x94', async () => {
  const broker = await startBroker(resources, { listener: { maxTopicAlias: 0 } });
  const client = await broker.connect();
  expect(valueOf(client.connack, 'topicAliasMaximum')).toBeUndefined();
  client.send(v5.publish({ topic: 'a', properties: [property.topicAlias(1)] }));
  await client.expectError(0x94);
});

test('v5 [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.1.2-24] a refusal has neither Reason String nor User Property, and is left out when even that is too large', async () => {
  const broker = await startBroker(resources, { authenticator });
  for (const [maximum, answer] of [
    [4, null],
    [5, '20 03 00 87 00'],
    [10, '20 03 00 87 00'],
  ] as const) {
    const client = await broker.open();
    client.send(v5.connect({ username: 'nobody', properties: [property.maximumPacketSize(maximum)] }));
    if (answer !== null) await client.expect(answer);
    await client.expectClosed();
  }
});

test('v5 [MQTT-3.2.2-19] [MQTT-3.2.2-20] an accepting CONNACK has neither', async () => {
  const broker = await startBroker(resources);
  const { connack } = await broker.connect({ properties: [property.requestProblemInformation(1)] });
  expect(connack.properties.map(([name]) => name)).toEqual([
    'topicAliasMaximum',
    'maximumPacketSize',
    'receiveMaximum',
  ]);
});

test("v5 [MQTT-3.2.2-3] CONNACK with everything it may say, in Mosquitto's order", async () => {
  const broker = await startBroker(resources, {
    options: { retainAvailable: false, maxKeepalive: 30, maxInflightMessages: 5, maxPacketSize: 5000 },
    listener: { maxQos: 1, maxTopicAlias: 2, autoIdPrefix: 'id-' },
  });
  const { connack } = await broker.connect({ clientId: '' });
  const assigned = valueOf(connack, 'assignedClientIdentifier');
  expect(assigned).toMatch(/^id-[0-9a-f-]{36}$/);
  expect(connack.properties).toEqual([
    ['serverKeepAlive', 30],
    ['topicAliasMaximum', 2],
    ['assignedClientIdentifier', assigned],
    ['retainAvailable', 0],
    ['maximumPacketSize', 5000],
    ['receiveMaximum', 5],
    ['maximumQos', 1],
  ]);
});
