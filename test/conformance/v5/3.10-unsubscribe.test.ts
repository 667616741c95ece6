import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import { packet, u8, u16 } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

test('v5 [MQTT-3.10.1-1] the flags of UNSUBSCRIBE are 0010: anything else is malformed and takes nothing away', async () => {
  const broker = await startBroker(resources);
  const right = v5.unsubscribe({ filters: ['a'] });
  for (let flags = 0; flags < 16; flags++) {
    if (flags === 2) continue;
    const client = await broker.connect({ clientId: 'c', cleanStart: false, properties: [expiry] });
    if (!client.connack.sessionPresent) await client.subscribe('a');
    client.send(Buffer.concat([u8(0xa0 | flags), right.subarray(1)]));
    await client.expectError(0x81);
  }
  const client = await broker.connect({ clientId: 'c', cleanStart: false });
  client.send(right);
  await client.expect('B0 04 00 01 00 00'); // it was still subscribed
});

test('v5 [MQTT-3.10.3-2] UNSUBSCRIBE without a Topic Filter is malformed, one filter is enough, a thousand are not too many', async () => {
  const broker = await startBroker(resources);
  const wrong = await broker.connect({ clientId: 'wrong' });
  wrong.send('A2 03 00 01 00');
  await wrong.expectError(0x81);
  const client = await broker.connect({ clientId: 'right' });
  const filters = Array.from({ length: 1000 }, (_, index) => `b/${index}`);
  await client.subscribe(...filters);
  client.send(v5.unsubscribe({ filters: ['b/7'] }), v5.unsubscribe({ packetId: 2, filters }));
  expect((await client.expectPacket('unsuback')).reasonCodes).toEqual([0]);
  expect((await client.expectPacket('unsuback')).reasonCodes).toEqual(
    filters.map((filter) => (filter === 'b/7' ? 0x11 : 0)),
  );
  expect(broker.running.broker.gauges().subscriptionsCount).toBe(0);
});

test('v5 [MQTT-3.10.4-1] filters are compared character by character; wildcards match nothing here', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('a/+', 'a/b', '$share/g/a/b', 'e\u0301');
  client.send(
    v5.unsubscribe({
      filters: ['a/#', '+/b', '#', 'A/b', 'a/b/', '/a/b', 'a//b', '\u00e9', '$share/h/a/b', '$share/g/a/+'],
    }),
  );
  expect((await client.expectPacket('unsuback')).reasonCodes).toEqual(Array(10).fill(0x11));
  client.send(v5.unsubscribe({ filters: ['a/b'] }));
  expect((await client.expectPacket('unsuback')).reasonCodes).toEqual([0]);
  client.send(v5.publish({ topic: 'a/b' }));
  expect(await client.drainPublishes()).toHaveLength(2); // a/+ and $share/g/a/b are still there
  client.send(v5.unsubscribe({ filters: ['$share/g/a/b', 'a/+', 'e\u0301'] }));
  expect((await client.expectPacket('unsuback')).reasonCodes).toEqual([0, 0, 0]);
  client.send(v5.publish({ topic: 'a/b' }));
  await client.expectNothing();
});

test('v5 [MQTT-3.10.4-2] after UNSUBACK nothing more is delivered or kept for the client, but through other filters', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  await client.subscribe({ filter: 'a', qos: 1 }, { filter: 'b', qos: 1 });
  client.send(v5.unsubscribe({ filters: ['a'] }));
  await client.expectPacket('unsuback');
  await publisher.publish({ topic: 'a', payload: 'no', qos: 1 });
  await publisher.publish({ topic: 'b', payload: 'live', qos: 1 });
  await client.acknowledge(await client.expectPublish({ payload: 'live' }));
  await client.drain();
  await broker.kill(client);
  await publisher.publish({ topic: 'a', payload: 'no', qos: 1 });
  await publisher.publish({ topic: 'b', payload: 'kept', qos: 1 });
  const again = await broker.connect({ clientId: 'c', cleanStart: false });
  await again.expectPublish({ payload: 'kept' });
  await again.expectNothing();
});

test('v5 [MQTT-3.10.4-3] a QoS 2 delivery that has begun is finished after UNSUBSCRIBE', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const client = await broker.connect({ clientId: 'c' });
  await client.subscribe({ filter: 'a', qos: 2 });
  await publisher.publish({ topic: 'a', qos: 2 });
  const publish = await client.expectPublish({ qos: 2 });
  client.send(v5.unsubscribe({ filters: ['a'] }));
  await client.expectPacket('unsuback');
  await client.acknowledge(publish); // PUBREC, PUBREL, PUBCOMP
  await client.expectNothing();
});

test('v5 [MQTT-3.10.4-3] a QoS 1 delivery without its PUBACK is sent again at the resumption, with DUP, though unsubscribed', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  await client.subscribe({ filter: 'a', qos: 1 });
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
  const { packetId } = await client.expectPublish({ payload: 'x', dup: false });
  client.send(v5.unsubscribe({ filters: ['a'] }));
  await client.expectPacket('unsuback');
  await broker.kill(client);
  const again = await broker.connect({ clientId: 'c', cleanStart: false });
  await again.acknowledge(await again.expectPublish({ payload: 'x', packetId, dup: true }));
  await again.expectNothing();
});

test('v5 [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.11.3-2] UNSUBACK repeats the Packet Identifier, though nothing was subscribed: 0x11', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  client.send(v5.unsubscribe({ packetId: 777, filters: ['never'] }));
  await client.expect('B0 04 03 09 00 11');
});

test('v5 [MQTT-3.10.4-4] [MQTT-3.10.4-5] every UNSUBSCRIBE is answered with its own Packet Identifier, in order', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('a');
  const ids = [9, 8, 65_535, 1, 256, 9];
  client.send(...ids.map((packetId) => v5.unsubscribe({ packetId, filters: ['a'] })));
  for (const [index, packetId] of ids.entries()) {
    await client.expect(packet(0xb0, u16(packetId), '00', u8(index === 0 ? 0x00 : 0x11)));
  }
});

test('v5 [MQTT-3.10.4-5] [MQTT-3.11.3-2] 0x00 is for a filter that was subscribed, 0x11 for one that is not any more', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  await client.subscribe('a', { filter: 'a', qos: 2 }, '$share/g/a');
  await broker.kill(client);
  const again = await broker.connect({ clientId: 'c', cleanStart: false, properties: [expiry] });
  for (const filter of ['a', '$share/g/a']) {
    for (const reasonCode of [0x00, 0x11, 0x11]) {
      again.send(v5.unsubscribe({ packetId: 5, filters: [filter] }));
      await again.expect(packet(0xb0, '00 05 00', u8(reasonCode)));
    }
  }
  await broker.kill(again);
  const fresh = await broker.connect({ clientId: 'c' }); // Clean Start: nothing is subscribed
  fresh.send(v5.unsubscribe({ filters: ['a'] }));
  await fresh.expect('B0 04 00 01 00 11');
});

test("v5 [MQTT-3.10.4-5] [MQTT-3.11.3-2] another client's subscription is not this client's: 0x11, and it stays", async () => {
  const broker = await startBroker(resources);
  const other = await broker.connect({ clientId: 'o' });
  await other.subscribe('a', '$share/g/b');
  const client = await broker.connect({ clientId: 'c' });
  client.send(v5.unsubscribe({ filters: ['a', '$share/g/b'] }));
  await client.expect('B0 05 00 01 00 11 11');
  client.send(v5.publish({ topic: 'a' }), v5.publish({ topic: 'b' }));
  await client.drain();
  expect(await other.drainPublishes()).toHaveLength(2);
});

test('v5 [MQTT-3.10.4-6] [MQTT-3.11.3-1] several filters are taken one after the other and answered together, in order', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('a', 'b');
  client.send(v5.unsubscribe({ filters: ['x', 'a', 'y', 'b', 'a'] }));
  await client.expect('B0 08 00 01 00 11 00 11 00 11');
});

test('v5 [MQTT-3.11.3-2] in MQTT 3.1.1 UNSUBACK has no codes: the same for a filter that was subscribed and one that was not', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ version: 4 });
  await client.subscribe('a');
  client.send('A2 05 00 01 00 01 "a"', 'A2 05 00 02 00 01 "b"');
  await client.expect('B0 02 00 01');
  await client.expect('B0 02 00 02');
});

test('v5 [MQTT-3.11.2-1] [MQTT-3.11.2-2] an UNSUBACK of the least size fits a small Maximum Packet Size: no Reason String, no User Property', async () => {
  const broker = await startBroker(resources);
  for (const maximum of [16, 200, 100_000]) {
    const client = await broker.connect({ properties: [property.maximumPacketSize(maximum)] });
    client.send(v5.unsubscribe({ filters: ['a', 'b'] }));
    await client.expect('B0 05 00 01 00 11 11');
  }
});

test('v5 [MQTT-3.11.2-1] an UNSUBACK that would be too large for the client is not sent: DISCONNECT 0x95', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ properties: [property.maximumPacketSize(20)] });
  client.send(v5.unsubscribe({ filters: Array<string>(15).fill('a') }));
  expect((await client.expectPacket('unsuback')).bytes).toHaveLength(20);
  client.send(v5.unsubscribe({ filters: Array<string>(16).fill('a') }));
  await client.expectError(0x95);
});
