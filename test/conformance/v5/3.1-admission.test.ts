import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { AuthenticationResult, Authenticator } from '../../../src/contracts/authenticator.ts';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

/** Refuses the user `nobody` with this code, at once or later. */
function refusing(reasonCode: number, isLater: boolean): Authenticator {
  const decide = (username: string | null): AuthenticationResult =>
    username === 'nobody' ? { reasonCode } : 'accepted';
  return {
    authenticate: ({ username }) => (isLater ? turn().then(() => decide(username)) : decide(username)),
  };
}

for (const isLater of [false, true]) {
  const when = isLater ? 'decided later' : 'decided at once';

  for (const reasonCode of [0x86, 0x87, 0x88, 0x8a, 0x97, 0x9f]) {
    test(`v5 [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT-3.2.2-8] not let in with 0x${reasonCode.toString(16)}, ${when}: CONNACK with it, closed, no Will, no session`, async () => {
      const broker = await startBroker(resources, { authenticator: refusing(reasonCode, isLater) });
      const watcher = await broker.connect({ clientId: 'watcher' });
      await watcher.subscribe('#');
      const client = await broker.open();
      client.send(v5.connect({ username: 'nobody', will: {}, properties: [property.sessionExpiryInterval(60)] }));
      await client.expectRefused(reasonCode);
      await watcher.expectNothing();
      expect([...broker.running.broker.engine.sessions.keys()]).toEqual(['watcher']);
    });
  }

  test(`v5 [MQTT-3.1.4-2] [MQTT-3.1.4-3] who is not let in does not disturb the client of that name, ${when}`, async () => {
    const broker = await startBroker(resources, { authenticator: refusing(0x87, isLater) });
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.subscribe('#');
    const client = await broker.connect({ clientId: 'c', will: {} });
    await client.subscribe('a');
    const other = await broker.open();
    other.send(v5.connect({ clientId: 'c', username: 'nobody' }));
    await other.expectRefused(0x87);
    await watcher.expectNothing(); // its Will did not go out
    await client.publish({ topic: 'a', payload: 'still here' });
    await client.expectPublish({ payload: 'still here' });
  });

  test(`v5 [MQTT-3.1.4-6] what is behind a CONNECT that is refused is not done, ${when}`, async () => {
    const broker = await startBroker(resources, { authenticator: refusing(0x87, isLater) });
    const client = await broker.open();
    client.send(
      v5.connect({ username: 'nobody' }),
      v5.publish({ topic: 'a', payload: 'x', retain: true }),
      v5.publish({ topic: 'b', payload: 'x', retain: true, qos: 1 }),
      v5.subscribe({ filters: ['#'] }),
      v5.pingreq(),
    );
    await client.expectRefused(0x87);
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.subscribe('#');
    await watcher.expectNothing();
    expect(broker.running.broker.gauges()).toMatchObject({ subscriptionsCount: 1, retainedCount: 0 });
  });

  test(`v5 [U5-23] [MQTT-3.2.0-1] what is behind a CONNECT that is accepted is done after CONNACK, in order, ${when}`, async () => {
    const broker = await startBroker(resources, { authenticator: refusing(0x87, isLater) });
    const client = await broker.open();
    client.send(
      v5.connect(),
      v5.subscribe({ packetId: 7, filters: ['a'] }),
      v5.publish({ topic: 'a', payload: 'x', qos: 1, packetId: 8 }),
      v5.unsubscribe({ packetId: 9, filters: ['a'] }),
      v5.pingreq(),
    );
    const packets = [await client.next(), await client.next(), await client.next(), await client.next()];
    expect(packets.map(({ type }) => type)).toEqual(['connack', 'suback', 'publish', 'puback']);
    expect((await client.expectPacket('unsuback')).packetId).toBe(9);
    await client.expectPacket('pingresp');
  });

  test(`v5 [U5-23] also in single bytes, ${when}`, async () => {
    const broker = await startBroker(resources, { authenticator: refusing(0x87, isLater) });
    const client = await broker.open();
    for (const byte of Buffer.concat([v5.connect(), v5.subscribe({ filters: ['a'] }), v5.pingreq()])) {
      client.send(Buffer.from([byte]));
      await turn();
    }
    await client.expectPacket('connack');
    await client.expectPacket('suback');
    await client.expectPacket('pingresp');
  });
}

const refusals: readonly (readonly [string, Buffer, number])[] = [
  ['another protocol version', v5.connect({ protocolLevel: 6 }), 0x84],
  ['a property twice', v5.connect({ properties: [property.receiveMaximum(1), property.receiveMaximum(1)] }), 0x82],
  ['an ill-formed Client Identifier', v5.connect({ clientId: Buffer.from([0xff]) }), 0x85],
  ['an unknown authentication method', v5.connect({ properties: [property.authenticationMethod('no-such')] }), 0x8c],
  ['a Will Topic with a wildcard', v5.connect({ will: { topic: '#' } }), 0x90],
  ['a Will to $CONTROL', v5.connect({ will: { topic: '$CONTROL/x' } }), 0x90],
];
for (const [name, connect, reasonCode] of refusals) {
  test(`v5 [MQTT-3.1.4-6] what is behind a CONNECT with ${name} is not done`, async () => {
    const broker = await startBroker(resources);
    const client = await broker.open();
    client.send(connect, v5.publish({ topic: 'a', payload: 'x', retain: true }), v5.subscribe({ filters: ['#'] }));
    await client.expectRefused(reasonCode);
    expect(broker.running.broker.gauges()).toMatchObject({ subscriptionsCount: 0, retainedCount: 0, clientsTotal: 0 });
  });
}

test('v5 [MQTT-3.1.4-6] what comes after the refusal is not done either', async () => {
  const broker = await startBroker(resources, { authenticator: refusing(0x87, false) });
  const client = await broker.open();
  client.send(v5.connect({ username: 'nobody' }));
  await client.expect('20 03 00 87 00');
  client.send(v5.publish({ topic: 'a', payload: 'x', retain: true }), v5.connect());
  await client.expectClosed();
  await broker.settle();
  expect(broker.running.broker.gauges()).toMatchObject({ retainedCount: 0, clientsTotal: 0 });
});

test('v5 [MQTT-3.1.4-2] a client that goes while it is asked about leaves no session behind', async () => {
  for (const result of ['accepted', { reasonCode: 0x87 }] as const) {
    let answer: (result: AuthenticationResult) => void = () => {};
    const asked = new Promise<AuthenticationResult>((resolve) => (answer = resolve));
    // On TCP the end is seen behind what was sent before it; TLS and WebSocket may tell of it earlier.
    const broker = await startBroker(resources, { transports: ['tcp'], authenticator: { authenticate: () => asked } });
    const client = await broker.open();
    client.send(v5.connect({ clientId: 'c' }), v5.publish({ topic: 'a', payload: 'x', retain: true }));
    await broker.settle();
    client.close();
    await broker.settle();
    answer(result);
    await broker.settle();
    expect(broker.running.broker.gauges()).toMatchObject({ clientsTotal: 0, clientsConnected: 0 });
    expect(broker.running.broker.gauges().retainedCount).toBe(result === 'accepted' ? 1 : 0);
  }
});

test('v5 [MQTT-3.1.4-2] [U5-15] who is not decided upon in ten seconds is closed, and what is decided later changes nothing', async () => {
  let answer: (result: AuthenticationResult) => void = () => {};
  const asked = new Promise<AuthenticationResult>((resolve) => (answer = resolve));
  const broker = await startBroker(resources, { authenticator: { authenticate: () => asked } });
  const client = await broker.open();
  client.send(v5.connect({ will: { retain: true }, properties: [property.sessionExpiryInterval(60)] }));
  await broker.advance(11.5);
  await client.expectClosed();
  answer('accepted');
  await broker.settle();
  expect(broker.running.broker.gauges()).toMatchObject({ clientsTotal: 0, clientsConnected: 0, retainedCount: 0 });
});

test('v5 [MQTT-3.1.4-3] the same Client Identifier again: the old connection is told 0x8E and closed, the new one serves', async () => {
  const broker = await startBroker(resources, { transports: ['tcp', 'ws'] });
  const old = await broker.connect({ clientId: 'c' });
  const next = await broker.connect({ clientId: 'c', transport: 'ws' });
  await old.expect('E0 01 8E');
  await old.expectClosed();
  await next.subscribe('a');
  await next.publish({ topic: 'a', payload: 'x' });
  await next.expectPublish({ payload: 'x' });
});

test('v5 [MQTT-3.1.4-3] fifty in a row: each ends the one before, the last one stays', async () => {
  const broker = await startBroker(resources);
  const clients = [];
  for (let count = 0; count < 50; count++) clients.push(await broker.connect({ clientId: 'c', cleanStart: false }));
  const last = clients.pop();
  for (const client of clients) await client.expectError(0x8e);
  await last?.expectNothing();
  expect(broker.running.broker.gauges()).toMatchObject({ clientsTotal: 1, clientsConnected: 1 });
});

test('v5 [MQTT-3.1.4-3] a 3.1.1 client is taken over by a 5.0 client without a word, and the other way round with 0x8E', async () => {
  const broker = await startBroker(resources);
  const first = await broker.connect({ clientId: 'c', version: 4 });
  const second = await broker.connect({ clientId: 'c' });
  await first.expectClosed();
  const third = await broker.connect({ clientId: 'c', version: 4 });
  await second.expectError(0x8e);
  await third.expectNothing();
});

test('v5 [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] an empty Client Identifier is given a new one, that CONNACK names', async () => {
  const broker = await startBroker(resources);
  const names = new Set<unknown>();
  for (let count = 0; count < 100; count++) {
    const { connack } = await broker.connect({ clientId: '', cleanStart: count % 2 === 0 });
    expect(connack.sessionPresent).toBe(false);
    const name = valueOf(connack, 'assignedClientIdentifier');
    expect(name).toMatch(/^auto-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    names.add(name);
  }
  expect(names.size).toBe(100);
  expect(broker.running.broker.gauges().clientsConnected).toBe(100);
});

test("v5 [MQTT-3.1.3-7] the assigned identifier is the client's own: its session is found by it", async () => {
  const broker = await startBroker(resources);
  const properties = [property.sessionExpiryInterval(60)];
  const client = await broker.connect({ clientId: '', cleanStart: false, properties });
  const clientId = String(valueOf(client.connack, 'assignedClientIdentifier'));
  await client.subscribe('a');
  await broker.kill(client);
  const again = await broker.connect({ clientId, cleanStart: false, properties });
  expect(again.connack.sessionPresent).toBe(true);
  expect(valueOf(again.connack, 'assignedClientIdentifier')).toBeUndefined();
  await again.publish({ topic: 'a', payload: 'x' });
  await again.expectPublish({ payload: 'x' });
});

test('v5 [MQTT-3.2.2-16] an identifier that a session has already is not assigned', async () => {
  const broker = await startBroker(resources);
  // The machine's randomness repeats itself.
  let calls = 0;
  const { clock } = broker;
  clock.randomBytes = (count) => Buffer.alloc(count, calls++ < 2 ? 1 : 2);
  const first = await broker.connect({ clientId: '' });
  const second = await broker.connect({ clientId: '' });
  expect(valueOf(first.connack, 'assignedClientIdentifier')).toBe('auto-01010101-0101-0101-0101-010101010101');
  expect(valueOf(second.connack, 'assignedClientIdentifier')).toBe('auto-02020202-0202-0202-0202-020202020202');
  await first.expectNothing();
});

test('v5 [MQTT-3.1.3-8] [MQTT-3.1.3-6] empty Client Identifiers may be forbidden: CONNACK 0x80, as in Mosquitto', async () => {
  const broker = await startBroker(resources, { listener: { allowZeroLengthClientid: false } });
  const client = await broker.open();
  client.send(v5.connect({ clientId: '' }));
  await client.expectRefused(0x80);
  await (await broker.connect({ clientId: 'c' })).expectNothing();
});

test('v5 [MQTT-3.1.3-8] [MQTT-3.1.4-2] Client Identifiers may have to begin with something: else CONNACK 0x87', async () => {
  const broker = await startBroker(resources, { options: { clientidPrefixes: 'good-' } });
  const client = await broker.open();
  client.send(v5.connect({ clientId: 'bad-1' }));
  await client.expectRefused(0x87);
  await (await broker.connect({ clientId: 'good-1' })).expectNothing();
});

test('v5 [MQTT-3.1.4-2] without a User Name where one is needed: CONNACK 0x87', async () => {
  const broker = await startBroker(resources, { listener: { allowAnonymous: false } });
  const client = await broker.open();
  client.send(v5.connect());
  await client.expectRefused(0x87);
});

test('v5 [MQTT-3.1.4-2] a Will above message_size_limit: CONNACK 0x95', async () => {
  const broker = await startBroker(resources, { options: { messageSizeLimit: 10 } });
  const client = await broker.open();
  client.send(v5.connect({ will: { payload: 'x'.repeat(11) } }));
  await client.expectRefused(0x95);
  await (await broker.connect({ will: { payload: 'x'.repeat(10) } })).expectNothing();
});
