import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, startBroker } from '../wire/broker.ts';
import { type Bytes, field, packet, u8, u16 } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property, valuesOf } from '../wire/properties.ts';
import type { ReceivedPublish } from '../wire/received.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** A SUBSCRIBE or UNSUBSCRIBE is answered by DISCONNECT with this Reason Code; it subscribed to nothing, others are served. */
async function expectRefusal(broker: ConformanceBroker, request: Bytes, reasonCode: number): Promise<void> {
  const client = await broker.connect({ clientId: 'wrong' });
  client.send(request);
  await client.expectError(reasonCode);
  expect(broker.running.broker.gauges().subscriptionsCount).toBe(0);
  await (await broker.connect({ clientId: 'right' })).expectNothing();
}

// 3.8.1 Fixed Header, 3.8.2 Properties

test('v5 [MQTT-3.8.1-1] the flags of SUBSCRIBE are 0010: anything else is malformed and subscribes to nothing', async () => {
  const broker = await startBroker(resources);
  const right = v5.subscribe({ filters: ['a'] });
  for (let flags = 0; flags < 16; flags++) {
    if (flags === 2) continue;
    await expectRefusal(broker, Buffer.concat([u8(0x80 | flags), right.subarray(1)]), 0x81);
  }
  const client = await broker.connect();
  client.send(right);
  await client.expect('90 04 00 01 00 00');
});

test('[U5-5] Subscription Identifier 0 in SUBSCRIBE is a protocol error, 1 and 268,435,455 are not', async () => {
  const broker = await startBroker(resources);
  const withId = (id: number): Buffer =>
    v5.subscribe({ filters: ['a'], properties: [property.subscriptionIdentifier(id)] });
  await expectRefusal(broker, withId(0), 0x82);
  const client = await broker.connect();
  for (const id of [1, 268_435_455]) {
    client.send(withId(id));
    await client.expectPacket('suback');
    client.send(v5.publish({ topic: 'a' }));
    await client.expectPublish({ properties: [['subscriptionIdentifier', id]] });
  }
});

test('[U5-5] a Subscription Identifier of five bytes is malformed, two of them are a protocol error', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, packet(0x82, '00 01', '06 0B 80 80 80 80 01', '00 01 "a" 00'), 0x81);
  const twice = [property.subscriptionIdentifier(1), property.subscriptionIdentifier(1)];
  await expectRefusal(broker, v5.subscribe({ filters: ['a'], properties: twice }), 0x82);
});

// 3.8.3 Payload

const illFormed: readonly (readonly [string, Buffer])[] = [
  ['NUL', Buffer.from('a\0b')],
  ['a surrogate', Buffer.from([0x61, 0xed, 0xa0, 0x80])],
  ['a sequence that is cut off', Buffer.from([0x61, 0xe2, 0x82])],
  ['an overlong form', Buffer.from([0xc0, 0xaf])],
  ['a byte that never occurs', Buffer.from([0x61, 0xff])],
  ['a lone continuation', Buffer.from([0x80])],
];
for (const [name, filter] of illFormed) {
  test(`v5 [MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT-1.5.4-1] a Topic Filter with ${name} is malformed, in SUBSCRIBE and UNSUBSCRIBE`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.subscribe({ filters: ['fine', filter] }), 0x81);
    await expectRefusal(broker, v5.unsubscribe({ filters: ['fine', filter] }), 0x81);
  });
}

test('v5 [MQTT-3.8.3-1] [MQTT-3.10.3-1] Topic Filters of any characters are taken, and matched byte by byte', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (const filter of ['ä', '日本/語', '\u{1F600}', 'with blank', 'e\u0301', '\u00e9']) {
    await client.subscribe(filter);
    client.send(v5.publish({ topic: filter, payload: 'x' }));
    await client.expectPublish({ topic: filter });
    client.send(v5.unsubscribe({ filters: [filter] }));
    expect((await client.expectPacket('unsuback')).reasonCodes).toEqual([0]);
  }
});

test('v5 [MQTT-3.8.3-2] [U5-8] SUBSCRIBE without a Topic Filter, and one whose last filter has no options, are malformed', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, '82 03 00 01 00', 0x81);
  await expectRefusal(broker, '82 06 00 01 00 00 01 "a"', 0x81);
  await expectRefusal(broker, '82 0A 00 01 00 00 01 "a" 00 00 01 "b"', 0x81);
});

test('v5 [MQTT-3.8.3-2] one Topic Filter is enough, and a thousand are not too many', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('a');
  const { reasonCodes } = await client.subscribe(...Array.from({ length: 1000 }, (_, index) => `b/${index}`));
  expect(reasonCodes).toEqual(Array(1000).fill(0));
  client.send(v5.publish({ topic: 'b/999' }));
  await client.expectPublish({ topic: 'b/999' });
});

test('v5 [MQTT-3.8.3-4] No Local on a Shared Subscription is a protocol error; without it, it is granted', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, v5.subscribe({ filters: [{ filter: '$share/g/a', noLocal: true }] }), 0x82);
  await expectRefusal(broker, v5.subscribe({ filters: ['a', { filter: '$share/g/a', options: 0x06 }] }), 0x82);
  await (await broker.connect()).subscribe('$share/g/a', { filter: 'a', noLocal: true });
});

test('v5 [MQTT-3.8.3-5] [U5-8] reserved bits, QoS 3 and Retain Handling 3 in the options are malformed', async () => {
  const broker = await startBroker(resources);
  for (const options of [0x40, 0x80, 0xc0, 0x41, 0x03, 0x07, 0x30, 0x31]) {
    await expectRefusal(broker, v5.subscribe({ filters: ['fine', { filter: 'a', options }] }), 0x81);
  }
});

test('v5 [MQTT-3.8.3-5] every other byte of options is granted with its QoS', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (let options = 0; options <= 0x2e; options++) {
    if ((options & 3) === 3 || (options & 0x30) === 0x30) continue;
    expect((await client.subscribe({ filter: 'a', options })).reasonCodes).toEqual([options & 3]);
  }
});

// No Local

test('v5 [MQTT-3.8.3-3] No Local: what the client publishes does not come back, what others publish does', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'c' });
  const other = await broker.connect({ clientId: 'o' });
  await client.subscribe({ filter: 'a', qos: 2, noLocal: true });
  for (const qos of [0, 1, 2] as const) {
    await client.publish({ topic: 'a', payload: 'mine', qos });
    await other.publish({ topic: 'a', payload: 'yours', qos });
    await client.acknowledge(await client.expectPublish({ payload: 'yours', qos }));
  }
  await client.expectNothing();
});

test('v5 [MQTT-3.8.3-3] it is the Client Identifier that counts, not the connection: also after a resumption', async () => {
  const broker = await startBroker(resources);
  const first = await broker.connect({ clientId: 'c', properties: [expiry] });
  await first.subscribe({ filter: 'a', qos: 1, noLocal: true });
  await broker.kill(first);
  const again = await broker.connect({ clientId: 'c', cleanStart: false, properties: [expiry] });
  expect(again.connack.sessionPresent).toBe(true);
  await again.publish({ topic: 'a', payload: 'mine', qos: 1 });
  await again.expectNothing();
  const other = await broker.connect({ clientId: 'o' });
  await other.publish({ topic: 'a', payload: 'yours', qos: 1 });
  await again.expectPublish({ payload: 'yours' });
});

test('v5 [MQTT-3.8.3-3] its Will does not wait for the client either', async () => {
  const broker = await startBroker(resources);
  const will = { topic: 'a', payload: 'gone', qos: 1 as const };
  const client = await broker.connect({ clientId: 'c', properties: [expiry], will });
  await client.subscribe({ filter: 'a', qos: 1, noLocal: true });
  const watcher = await broker.connect({ clientId: 'w' });
  await watcher.subscribe('a');
  await broker.kill(client);
  await watcher.expectPublish({ payload: 'gone' });
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'for c', qos: 1 });
  const again = await broker.connect({ clientId: 'c', cleanStart: false, properties: [expiry] });
  await again.expectPublish({ payload: 'for c' }); // the only one that waited
});

test('v5 [MQTT-3.8.3-3] it holds for its subscription alone: an overlapping one without No Local delivers', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe({ filter: 'a/#', noLocal: true }, 'a/b');
  await client.publish({ topic: 'a/b', payload: '1' });
  await client.publish({ topic: 'a/c', payload: '2' });
  expect((await client.drainPublishes()).map(({ text }) => text)).toEqual(['1']);
  await client.subscribe('a/#'); // replaced without No Local
  await client.publish({ topic: 'a/c', payload: '3' });
  await client.expectPublish({ payload: '3' });
});

// 3.8.4 Actions

test('v5 [MQTT-3.8.4-1] [MQTT-3.8.4-2] every SUBSCRIBE is answered by a SUBACK with its Packet Identifier, in order', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  const ids = [5, 4, 3, 65_535, 256, 4];
  client.send(...ids.map((packetId) => v5.subscribe({ packetId, filters: ['a'] })));
  for (const packetId of ids) await client.expect(Buffer.concat([packet(0x90, u16(packetId), '00 00')]));
});

test('v5 [MQTT-3.8.4-1] [MQTT-3.8.4-7] a filter that is not allowed is answered too, by 0x87, and delivers nothing', async () => {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, action, topic) => action === 'publish' || topic !== 'no' },
  });
  const client = await broker.connect();
  client.send(v5.subscribe({ filters: ['no', { filter: 'yes', qos: 1 }] }));
  expect((await client.expectPacket('suback')).reasonCodes).toEqual([0x87, 1]);
  await client.publish({ topic: 'no' });
  await client.publish({ topic: 'yes', payload: 'marker' });
  await client.expectPublish({ payload: 'marker' });
});

test('v5 [MQTT-3.8.4-3] the same filter again replaces options and Subscription Identifier', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  const subscribe = async (qos: 0 | 1, ...properties: readonly Buffer[]): Promise<void> => {
    client.send(v5.subscribe({ filters: [{ filter: 'a', qos }], properties }));
    await client.expectPacket('suback');
  };
  const deliveries = async (): Promise<ReceivedPublish[]> => {
    client.send(v5.publish({ topic: 'a', qos: 1, packetId: 9 }));
    const found = (await client.drain()).filter((one) => one.type === 'publish');
    for (const one of found) await client.acknowledge(one);
    return found;
  };
  await subscribe(0, property.subscriptionIdentifier(1));
  expect(await deliveries()).toMatchObject([{ qos: 0, properties: [['subscriptionIdentifier', 1]] }]);
  await subscribe(1, property.subscriptionIdentifier(2));
  expect(await deliveries()).toMatchObject([{ qos: 1, properties: [['subscriptionIdentifier', 2]] }]);
  await subscribe(1);
  expect(await deliveries()).toMatchObject([{ qos: 1, properties: [] }]);
  expect(broker.running.broker.gauges().subscriptionsCount).toBe(1);
});

test('v5 [MQTT-3.8.4-4] subscribing again with Retain Handling 0 replays what is retained; with 1 and 2 it does not', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.publish({ topic: 'a', payload: 'kept', retain: true });
  for (let round = 0; round < 3; round++) {
    await client.subscribe('a');
    await client.expectPublish({ payload: 'kept', retain: true });
  }
  for (const retainHandling of [1, 2] as const) await client.subscribe({ filter: 'a', retainHandling });
  await client.expectNothing();
});

test('v5 [MQTT-3.8.4-4] no live message is lost or doubled while the client subscribes again and again', async () => {
  const broker = await startBroker(resources, { options: { maxInflightMessages: 0 } });
  const publisher = await broker.connect({ clientId: 'p' });
  const client = await broker.connect({ clientId: 'c' });
  await client.subscribe({ filter: 'a', qos: 1 });
  const count = 200;
  for (let index = 0; index < count; index++) {
    publisher.send(v5.publish({ topic: 'a', payload: String(index), qos: 1, packetId: index + 1 }));
    client.send(v5.subscribe({ packetId: index + 1, filters: [{ filter: 'a', qos: 1 }] }));
    if (index % 10 === 0) await broker.settle();
  }
  for (let index = 0; index < count; index++) await publisher.expectPacket('puback');
  const received = (await client.drain()).filter((one) => one.type === 'publish').map(({ text }) => text);
  expect(received).toEqual(Array.from({ length: count }, (_, index) => String(index)));
});

test('v5 [MQTT-3.8.4-4] a message under way is finished at its old QoS when the filter is subscribed again', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const client = await broker.connect({ clientId: 'c' });
  await client.subscribe({ filter: 'a', qos: 2 });
  await publisher.publish({ topic: 'a', payload: '1', qos: 2 });
  const first = await client.expectPublish({ payload: '1', qos: 2 });
  await client.subscribe({ filter: 'a', qos: 0 });
  await publisher.publish({ topic: 'a', payload: '2', qos: 2 });
  await client.expectPublish({ payload: '2', qos: 0 });
  await client.acknowledge(first); // PUBREC is still answered by PUBREL
  await client.expectNothing();
});

test('v5 [MQTT-3.8.4-4] what waits for a client that is away is neither lost nor doubled when it subscribes again', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  await client.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(client);
  for (const payload of ['1', '2']) await publisher.publish({ topic: 'a', payload, qos: 1 });
  const again = await broker.open();
  again.send(
    v5.connect({ clientId: 'c', cleanStart: false, properties: [expiry] }),
    v5.subscribe({ filters: [{ filter: 'a', qos: 1 }] }),
  );
  await again.expectPacket('connack');
  await broker.settle();
  await publisher.publish({ topic: 'a', payload: '3', qos: 1 });
  const texts = (await again.drain()).flatMap((one) => (one.type === 'publish' ? [one.text] : []));
  expect(texts).toEqual(['1', '2', '3']);
});

test('v5 [MQTT-3.8.4-5] [MQTT-3.8.4-6] several filters are taken one after the other and answered together, the same one twice too', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.publish({ topic: 'a', payload: 'kept', retain: true, qos: 2 });
  const suback = await client.subscribe(
    { filter: 'a', qos: 0 },
    { filter: 'b', qos: 1 },
    { filter: 'a', qos: 2, retainHandling: 2 },
  );
  expect(suback.reasonCodes).toEqual([0, 1, 2]);
  for (const { text } of await client.drainPublishes()) expect(text).toBe('kept');
  client.send(v5.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 7 }));
  await client.expectPacket('pubrec');
  client.send(v5.pubrel({ packetId: 7 }));
  await client.expectPublish({ payload: 'x', qos: 2 }); // the last one counts, and it comes once
  await client.expectPacket('pubcomp');
});

test('v5 [MQTT-3.8.4-6] SUBACK has as many Reason Codes as there were filters', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (const count of [1, 2, 50, 127, 128, 500]) {
    const filters = Array.from({ length: count }, (_, index) => ({
      filter: `t/${index}`,
      qos: (index % 3) as 0 | 1 | 2,
    }));
    expect((await client.subscribe(...filters)).reasonCodes).toEqual(filters.map(({ qos }) => qos));
  }
});

for (const published of [0, 1, 2] as const) {
  for (const granted of [0, 1, 2] as const) {
    test(`v5 [MQTT-3.8.4-8] published with QoS ${published}, granted QoS ${granted}: delivered with the lower one, live and retained`, async () => {
      const broker = await startBroker(resources);
      const qos = Math.min(published, granted) as 0 | 1 | 2;
      const publisher = await broker.connect({ clientId: 'p' });
      const live = await broker.connect({ clientId: 'live' });
      await live.subscribe({ filter: 'a', qos: granted });
      await publisher.publish({ topic: 'a', payload: 'x', qos: published, retain: true });
      if (published === 0) await publisher.drain();
      await live.expectPublish({ payload: 'x', qos, retain: false });
      const late = await broker.connect({ clientId: 'late' });
      await late.subscribe({ filter: 'a', qos: granted });
      await late.expectPublish({ payload: 'x', qos, retain: true });
    });
  }
}

test('v5 [MQTT-3.8.4-7] [MQTT-3.8.4-8] max_qos lowers what is granted, and what is delivered', async () => {
  const broker = await startBroker(resources, { listener: { maxQos: 1 } });
  const client = await broker.connect();
  const { reasonCodes } = await client.subscribe({ filter: 'a', qos: 2 }, { filter: 'b', qos: 1 }, 'c');
  expect(reasonCodes).toEqual([1, 1, 0]);
  client.send(v5.publish({ topic: 'a', qos: 1 }));
  await client.expectPublish({ qos: 1 });
});

// 3.9 SUBACK

test('v5 [MQTT-3.9.2-1] [MQTT-3.9.2-2] a SUBACK of the least size fits a small Maximum Packet Size: no Reason String, no User Property', async () => {
  const broker = await startBroker(resources, { authorizer: { authorize: () => false } });
  const connack = 16; // what this broker's CONNACK takes
  for (const maximum of [connack, 200, 100_000]) {
    const client = await broker.connect({ properties: [property.maximumPacketSize(maximum)] });
    client.send(v5.subscribe({ filters: ['a', 'b', 'c'] }));
    await client.expect('90 06 00 01 00 87 87 87');
  }
});

test('v5 [MQTT-3.9.2-1] a SUBACK that would be too large for the client is not sent: DISCONNECT 0x95', async () => {
  const broker = await startBroker(resources);
  const many = (count: number): Buffer => v5.subscribe({ filters: Array<string>(count).fill('a') });
  const limits = { properties: [property.maximumPacketSize(20)] };
  const fitting = await broker.connect(limits);
  fitting.send(many(15));
  expect((await fitting.expectPacket('suback')).bytes).toHaveLength(20);
  const client = await broker.connect(limits);
  client.send(many(16));
  await client.expectError(0x95);
});

test('v5 [MQTT-3.9.3-1] [MQTT-3.9.3-2] the codes of SUBACK stand in the order of the filters', async () => {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, action, topic) => action === 'publish' || !topic.startsWith('no') },
  });
  const client = await broker.connect();
  client.send(
    v5.subscribe({
      packetId: 0x1234,
      filters: [
        { filter: 'a', qos: 2 },
        'no/1',
        'b',
        { filter: 'c', qos: 1 },
        { filter: '$share/g/x', qos: 2 },
        'no/2',
      ],
    }),
  );
  await client.expect('90 09 12 34 00 02 87 00 01 02 87');
});

test('v5 [MQTT-3.9.3-1] also when an authorizer answers later, and the last question first', async () => {
  const broker = await startBroker(resources, {
    authorizer: {
      authorize: (_client, _action, topic) =>
        topic === 'a' ? new Promise((resolve) => setImmediate(() => resolve(true))) : topic !== 'no',
    },
  });
  const client = await broker.connect();
  client.send(v5.subscribe({ filters: [{ filter: 'a', qos: 2 }, 'no', { filter: 'b', qos: 1 }] }), v5.pingreq());
  await client.expect('90 06 00 01 00 02 87 01');
  await client.expect('D0 00');
});

// Subscription Identifiers of retained messages, and what is always available

test('[U5-20] what is retained is replayed with the Subscription Identifier of the SUBSCRIBE', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.publish({ topic: 'a/b', payload: 'kept', retain: true });
  for (const [filter, id] of [
    ['a/b', 7],
    ['a/+', 268_435_455],
  ] as const) {
    client.send(v5.subscribe({ filters: [filter], properties: [property.subscriptionIdentifier(id)] }));
    await client.expectPacket('suback');
    const { properties } = await client.expectPublish({ payload: 'kept', retain: true });
    expect(properties).toEqual([['subscriptionIdentifier', id]]);
  }
  await client.subscribe('a/#');
  expect(valuesOf(await client.expectPublish({ payload: 'kept' }), 'subscriptionIdentifier')).toEqual([]);
});

test('[U5-12] wildcards, Subscription Identifiers and Shared Subscriptions are always available: CONNACK does not say otherwise', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  const names = client.connack.properties.map(([name]) => name);
  expect(names.filter((name) => name.endsWith('Available'))).toEqual([]); // absent means available
  client.send(
    v5.subscribe({ filters: ['a/#', '+/b', '$share/g/a/#'], properties: [property.subscriptionIdentifier(1)] }),
  );
  expect((await client.expectPacket('suback')).reasonCodes).toEqual([0, 0, 0]);
  client.send(v5.publish({ topic: 'a/b' }));
  expect(await client.drainPublishes()).toHaveLength(3);
});

test('[U5-8] UNSUBSCRIBE without a Topic Filter is malformed', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, 'A2 03 00 01 00', 0x81);
  await expectRefusal(broker, packet(0xa2, '00 01 00', field('a'), '00'), 0x81);
});
