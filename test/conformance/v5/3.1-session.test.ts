import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

/** A client whose session lives for `expiry` seconds after its connection. */
function connectFor(
  broker: ConformanceBroker,
  expiry: number,
  cleanStart: boolean,
  clientId = 'c',
): Promise<Connected> {
  return broker.connect({ clientId, cleanStart, properties: [property.sessionExpiryInterval(expiry)] });
}

/** A session with a subscription to `a` and one message waiting, its client away. */
async function leaveSession(broker: ConformanceBroker, expiry = 60): Promise<void> {
  const client = await connectFor(broker, expiry, true);
  await client.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(client);
  const publisher = await broker.connect({ clientId: 'publisher' });
  await publisher.publish({ topic: 'a', payload: 'waiting', qos: 1 });
  await publisher.disconnect();
}

test('v5 [MQTT-3.1.2-4] [MQTT-3.2.2-2] Clean Start 1 throws the stored session away: nothing is delivered, nothing subscribed', async () => {
  const broker = await startBroker(resources);
  await leaveSession(broker);
  const client = await connectFor(broker, 60, true);
  expect(client.connack.sessionPresent).toBe(false);
  await client.publish({ topic: 'a', payload: 'live', qos: 1 });
  await client.expectNothing();
});

test('v5 [MQTT-3.1.2-4] [MQTT-3.1.4-4] Clean Start 1 also when the old connection is still open', async () => {
  const broker = await startBroker(resources);
  const old = await connectFor(broker, 60, true);
  await old.subscribe({ filter: 'a', qos: 1 });
  const client = await connectFor(broker, 60, true);
  expect(client.connack.sessionPresent).toBe(false);
  await old.expectError(0x8e);
  expect(await client.publish({ topic: 'a', qos: 1 })).toBe(0x10); // nobody is subscribed any more
  await client.expectNothing();
});

test('v5 [MQTT-3.1.2-4] what Clean Start 1 threw away does not come back', async () => {
  const broker = await startBroker(resources);
  await leaveSession(broker);
  await (await connectFor(broker, 60, true)).disconnect();
  const client = await connectFor(broker, 60, false);
  expect(client.connack.sessionPresent).toBe(true); // the new one
  expect(await client.publish({ topic: 'a', qos: 1 })).toBe(0x10);
  await client.expectNothing();
});

test('v5 [MQTT-3.1.2-5] [MQTT-3.2.2-3] Clean Start 0 goes on with the stored session', async () => {
  const broker = await startBroker(resources);
  await leaveSession(broker);
  const client = await connectFor(broker, 60, false);
  expect(client.connack.sessionPresent).toBe(true);
  await client.expectPublish({ topic: 'a', payload: 'waiting', qos: 1, dup: false, retain: false });
  const publisher = await broker.connect({ clientId: 'publisher' });
  await publisher.publish({ topic: 'a', payload: 'live', qos: 1 });
  await client.expectPublish({ topic: 'a', payload: 'live' });
});

test('v5 [MQTT-3.1.2-5] [MQTT-3.1.4-4] Clean Start 0 takes a session over with what is in flight', async () => {
  const broker = await startBroker(resources);
  const old = await connectFor(broker, 60, true);
  await old.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'publisher' });
  await publisher.publish({ topic: 'a', payload: 'one', qos: 1 });
  const { packetId } = await old.expectPublish({ payload: 'one', dup: false });
  const client = await connectFor(broker, 60, false);
  expect(client.connack.sessionPresent).toBe(true);
  await client.expectPublish({ payload: 'one', dup: true, packetId });
  await old.expectError(0x8e);
});

test('v5 [MQTT-3.1.2-6] [MQTT-3.2.2-3] Clean Start 0 without a stored session makes a new one', async () => {
  const broker = await startBroker(resources);
  const client = await connectFor(broker, 60, false);
  expect(client.connack.sessionPresent).toBe(false);
  await client.subscribe('a');
  await client.publish({ topic: 'a', payload: 'x' });
  await client.expectPublish({ payload: 'x' });
});

test('v5 [MQTT-3.1.2-23] [MQTT-4.1.0-2] the session outlives its connection by the Session Expiry Interval, and no longer', async () => {
  const broker = await startBroker(resources);
  await leaveSession(broker, 10);
  await broker.advance(9.5);
  const client = await connectFor(broker, 10, false);
  expect(client.connack.sessionPresent).toBe(true);
  await client.expectPublish({ payload: 'waiting' });
  await broker.kill(client); // counts anew from here
  await broker.advance(9.5);
  const again = await connectFor(broker, 10, false);
  expect(again.connack.sessionPresent).toBe(true);
  await broker.kill(again);
  await broker.advance(11.5);
  const late = await connectFor(broker, 10, false);
  expect(late.connack.sessionPresent).toBe(false);
  await late.expectNothing();
});

test('v5 [MQTT-3.1.2-23] Session Expiry Interval 0 and none: the session ends with its connection', async () => {
  const broker = await startBroker(resources);
  for (const properties of [[], [property.sessionExpiryInterval(0)]]) {
    const client = await broker.connect({ clientId: 'c', cleanStart: false, properties });
    expect(client.connack.sessionPresent).toBe(false);
    await client.subscribe('a');
    await broker.kill(client);
  }
  expect(broker.running.broker.gauges()).toMatchObject({ clientsTotal: 0, subscriptionsCount: 0 });
});

test('v5 [MQTT-3.1.2-23] Session Expiry Interval 0xFFFFFFFF: the session does not expire; 0xFFFFFFFE does not overflow', async () => {
  const broker = await startBroker(resources);
  for (const [index, expiry] of [0xffff_ffff, 0xffff_fffe].entries()) {
    await broker.kill(await connectFor(broker, expiry, true, `c${index}`));
  }
  await broker.advance(100_000);
  for (const clientId of ['c0', 'c1']) {
    expect((await connectFor(broker, 0, false, clientId)).connack.sessionPresent).toBe(true);
  }
});

test('v5 [MQTT-3.1.2-23] the interval of the last CONNECT counts', async () => {
  const broker = await startBroker(resources);
  await broker.kill(await connectFor(broker, 1000, true));
  await broker.kill(await connectFor(broker, 5, false));
  await broker.advance(7);
  expect((await connectFor(broker, 5, false)).connack.sessionPresent).toBe(false);
});

test('v5 [MQTT-3.1.2-23] an administrator may keep sessions for less; CONNACK says so', async () => {
  const broker = await startBroker(resources, { options: { persistentClientExpiration: 5 } });
  const client = await connectFor(broker, 1000, true);
  expect(valueOf(client.connack, 'sessionExpiryInterval')).toBe(5);
  await broker.kill(client);
  await broker.advance(7);
  const shorter = await connectFor(broker, 4, false);
  expect(shorter.connack.sessionPresent).toBe(false);
  expect(valueOf(shorter.connack, 'sessionExpiryInterval')).toBeUndefined();
});

test('v5 [MQTT-3.1.2-23] [MQTT-3.2.2-3] the session is there after the broker was restarted, and its time has not begun anew', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  await leaveSession(broker, 60);
  await broker.advance(30);
  await broker.restart();
  await broker.advance(20);
  const client = await connectFor(broker, 60, false);
  expect(client.connack.sessionPresent).toBe(true);
  await client.expectPublish({ topic: 'a', payload: 'waiting', qos: 1 });
  await broker.kill(client);
  await broker.advance(30);
  await broker.restart();
  await broker.advance(31.5);
  expect((await connectFor(broker, 60, false)).connack.sessionPresent).toBe(false);
});

test('v5 [MQTT-3.1.3-2] sessions are told apart by Client Identifier, byte by byte', async () => {
  const broker = await startBroker(resources);
  const identifiers = ['a', 'A', 'a ', 'é', 'e\u0301', '\uFEFFa'];
  for (const clientId of identifiers) {
    const client = await connectFor(broker, 60, false, clientId);
    expect(client.connack.sessionPresent, JSON.stringify(clientId)).toBe(false);
    await client.subscribe(`for/${identifiers.indexOf(clientId)}`);
    await client.expectNothing(); // none was taken over
  }
  expect(broker.running.broker.gauges()).toMatchObject({ clientsConnected: 6, clientsTotal: 6, subscriptionsCount: 6 });
});

test('v5 [MQTT-3.1.3-2] the same Client Identifier is the same session on another listener and transport', async () => {
  const broker = await startBroker(resources, { transports: ['tcp', 'ws'] });
  const properties = [property.sessionExpiryInterval(60)];
  const first = await broker.connect({ clientId: 'c', properties });
  await first.subscribe('a');
  await broker.kill(first);
  const second = await broker.connect({ clientId: 'c', cleanStart: false, transport: 'ws', properties });
  expect(second.connack.sessionPresent).toBe(true);
  await second.publish({ topic: 'a', payload: 'x' });
  await second.expectPublish({ payload: 'x' });
});

test('v5 [MQTT-3.1.3-2] the same Client Identifier is the same session in another version', async () => {
  const broker = await startBroker(resources);
  const older = await broker.connect({ clientId: 'c', version: 4, cleanStart: false });
  await older.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(older);
  const newer = await connectFor(broker, 60, false);
  expect(newer.connack.sessionPresent).toBe(true);
  await newer.publish({ topic: 'a', payload: 'x', retain: true });
  // What 3.1.1 cannot say is 0: Retain As Published, Subscription Identifier.
  await newer.expectPublish({ payload: 'x', retain: false, properties: [] });
});
