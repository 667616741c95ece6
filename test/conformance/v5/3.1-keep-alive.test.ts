import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

/** A client with a Will that is silent from now on. */
async function connectSilent(broker: ConformanceBroker, keepAlive: number): Promise<Connected> {
  return broker.connect({ clientId: 'silent', keepAlive, will: { topic: 'will', payload: 'gone' } });
}

/** Whether the broker still has the client's connection. */
function isConnected(broker: ConformanceBroker, clientId = 'silent'): boolean {
  return (broker.running.broker.engine.sessions.get(clientId)?.outlet ?? null) !== null;
}

for (const keepAlive of [1, 2, 7, 60, 65_535]) {
  test(`v5 [MQTT-3.1.2-22] [MQTT-3.2.2-22] Keep Alive ${keepAlive}: silence ends the connection after 1.5 times that, not before`, async () => {
    const broker = await startBroker(resources);
    const watcher = await broker.connect({ clientId: 'watcher', keepAlive: 0 });
    await watcher.subscribe('will');
    const client = await connectSilent(broker, keepAlive);
    expect(valueOf(client.connack, 'serverKeepAlive')).toBeUndefined();
    await broker.advance(keepAlive * 1.5);
    expect(isConnected(broker)).toBe(true);
    await watcher.expectNothing();
    await broker.advance(1);
    await client.expectError(0x8d);
    await watcher.expectPublish({ topic: 'will', payload: 'gone' });
  });
}

test('v5 [MQTT-3.1.2-22] Keep Alive 0: silence never ends the connection', async () => {
  const broker = await startBroker(resources);
  const client = await connectSilent(broker, 0);
  await broker.advance(200_000);
  await client.expectNothing();
});

const packets: readonly (readonly [string, Buffer])[] = [
  ['PINGREQ', v5.pingreq()],
  ['PUBLISH at QoS 0', v5.publish({ topic: 'a' })],
  ['PUBLISH at QoS 2', v5.publish({ topic: 'a', qos: 2 })],
  ['PUBACK', v5.puback({ packetId: 9 })],
  ['PUBREL', v5.pubrel({ packetId: 9 })],
  ['SUBSCRIBE', v5.subscribe({ filters: ['b'] })],
  ['UNSUBSCRIBE', v5.unsubscribe({ filters: ['b'] })],
];
for (const [name, packet] of packets) {
  test(`v5 [MQTT-3.1.2-22] ${name} is a sign of life like any other packet`, async () => {
    const broker = await startBroker(resources);
    const client = await connectSilent(broker, 4);
    for (let round = 0; round < 4; round++) {
      await broker.advance(5);
      client.send(packet);
    }
    await broker.advance(5);
    expect(isConnected(broker)).toBe(true);
    await broker.advance(2.5);
    expect(isConnected(broker)).toBe(false);
  });
}

test('v5 [MQTT-3.1.2-22] what the broker sends, and half a packet, are no signs of life', async () => {
  const broker = await startBroker(resources);
  const client = await connectSilent(broker, 4);
  await client.subscribe('a');
  const publisher = await broker.connect({ clientId: 'publisher', keepAlive: 0 });
  for (let round = 0; round < 6; round++) {
    await publisher.publish({ topic: 'a', payload: `${round}` });
    await publisher.expectNothing();
    client.send(round === 0 ? '30' : round === 1 ? '40' : '00'); // a PUBLISH of 64 bytes, byte by byte
    await broker.advance(1);
  }
  expect(isConnected(broker)).toBe(true);
  await broker.advance(1);
  expect(isConnected(broker)).toBe(false);
});

test('v5 [MQTT-3.1.2-22] the time counts from the last packet, whenever it came', async () => {
  const broker = await startBroker(resources);
  const client = await connectSilent(broker, 10);
  await broker.advance(14.7);
  await client.expectNothing();
  await broker.advance(14.9);
  expect(isConnected(broker)).toBe(true);
  await broker.advance(1.2);
  expect(isConnected(broker)).toBe(false);
});

test('v5 [MQTT-3.1.2-22] [MQTT-3.1.2-21] [MQTT-3.2.2-21] with Server Keep Alive in CONNACK, that is what counts', async () => {
  const broker = await startBroker(resources, { options: { maxKeepalive: 10 } });
  for (const asked of [11, 0, 65_535]) {
    const client = await connectSilent(broker, asked);
    expect(valueOf(client.connack, 'serverKeepAlive')).toBe(10);
    await broker.advance(15);
    expect(isConnected(broker)).toBe(true);
    await broker.advance(1);
    await client.expectError(0x8d);
  }
});

test("v5 [MQTT-3.2.2-22] a Keep Alive within the maximum is the client's own: no Server Keep Alive", async () => {
  const broker = await startBroker(resources, { options: { maxKeepalive: 10 } });
  const client = await connectSilent(broker, 4);
  expect(valueOf(client.connack, 'serverKeepAlive')).toBeUndefined();
  await broker.advance(6);
  expect(isConnected(broker)).toBe(true);
  await broker.advance(1);
  await client.expectError(0x8d);
});

test('v5 [U5-15] a connection without CONNECT is closed after ten seconds, whatever part of one has come', async () => {
  const broker = await startBroker(resources);
  const silent = await broker.open();
  const slow = await broker.open();
  slow.send(v5.connect().subarray(0, 12));
  await broker.advance(10);
  expect([silent.hasEnded, slow.hasEnded]).toEqual([false, false]);
  await broker.advance(1.5);
  await silent.expectClosed();
  await slow.expectClosed();
  const client = await broker.connect({ properties: [property.sessionExpiryInterval(0)] });
  await client.expectNothing();
});
