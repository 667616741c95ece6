import { expect, test } from 'vitest';
import type { Properties } from '../../../src/codec/property-table.ts';
import { useResources } from '../../harness/resources.ts';
import { connectClient } from '../wire/client-under-test.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

const message = { topic: 'a', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } as const;

test('v5 [MQTT-3.3.2-9] no alias above the maximum of CONNACK is sent, and the largest one is', async () => {
  const { client, peer } = await connectClient(resources, {}, { properties: [property.topicAliasMaximum(2)] });
  for (const [topicAlias, sent] of [
    [3, []],
    [65_535, []],
    [2, [['topicAlias', 2]]],
  ] as const) {
    await client.publish('a', 'x', { properties: { topicAlias } });
    await peer.expectPublish({ topic: 'a', properties: sent });
  }
});

test('v5 [MQTT-3.3.2-9] an alias whose PUBLISH was not sent is not used', async () => {
  const { client, peer } = await connectClient(
    resources,
    { topicAliases: 1 },
    { properties: [property.topicAliasMaximum(1), property.maximumPacketSize(30)] },
  );
  await expect(client.publish('a', 'x'.repeat(40))).rejects.toMatchObject({ kind: 'too-large' });
  await client.publish('a', 'x');
  await peer.expectPublish({ topic: 'a', properties: [['topicAlias', 1]] });
  await client.publish('a', 'y');
  await peer.expectPublish({ topic: '', properties: [['topicAlias', 1]] });
});

test('v5 [MQTT-3.3.2-10] every alias from 1 to the announced maximum is understood, also when it is set again', async () => {
  const received: string[] = [];
  const { peer, connect } = await connectClient(resources, {
    connectProperties: { topicAliasMaximum: 300 },
    onMessage: ({ topic }) => received.push(topic),
  });
  expect(valueOf(connect, 'topicAliasMaximum')).toBe(300);
  const wanted: string[] = [];
  for (const round of ['first', 'second']) {
    for (let alias = 1; alias <= 300; alias++) {
      const topic = `${round}/${alias}`;
      const properties = [property.topicAlias(alias)];
      peer.send(peer.packets.publish({ topic, properties }), peer.packets.publish({ topic: '', properties }));
      wanted.push(topic, topic);
    }
  }
  await peer.expectQuiet();
  expect(received).toEqual([...wanted, 'marker']);
});

test('v5 [MQTT-3.3.2-10] an alias is set by a PUBLISH of any QoS', async () => {
  const received: string[] = [];
  const { peer } = await connectClient(resources, {
    connectProperties: { topicAliasMaximum: 1 },
    onMessage: ({ topic, payload }) => received.push(`${topic}=${payload}`),
  });
  const properties = [property.topicAlias(1)];
  peer.send(peer.packets.publish({ topic: 'two', payload: 'set', qos: 2, packetId: 1, properties }));
  peer.send(peer.packets.publish({ topic: '', payload: 'one', qos: 1, packetId: 2, properties }));
  peer.send(peer.packets.pubrel({ packetId: 1 }));
  await peer.expect('50 02 00 01'); // PUBREC
  await peer.expect('40 02 00 02'); // PUBACK
  await peer.expect('70 02 00 01'); // PUBCOMP
  expect(received).toEqual(['two=one', 'two=set']);
});

test('v5 [MQTT-3.3.2-10] an alias of 0, above the announced maximum, or never set ends the connection', async () => {
  for (const [alias, topic, reasonCode] of [
    [0, 'a', 0x94],
    [3, 'a', 0x94],
    [65_535, 'a', 0x94],
    [2, '', 0x82],
  ] as const) {
    const { peer } = await connectClient(resources, { connectProperties: { topicAliasMaximum: 2 } });
    peer.send(peer.packets.publish({ topic, properties: [property.topicAlias(alias)] }));
    expect((await peer.expectPacket('disconnect')).reasonCode, `${alias}`).toBe(reasonCode);
    await peer.expectClosed();
  }
});

for (const [name, text] of [
  ['NUL', 'a\0b'],
  ['a surrogate', 'a\uDC00'],
  ['more than 65,535 bytes', 'x'.repeat(65_536)],
] as const) {
  test(`v5 [MQTT-3.3.2-13] [MQTT-3.3.2-19] a Response Topic or Content Type with ${name} is not sent`, async () => {
    const { client, peer } = await connectClient(resources);
    for (const properties of [{ responseTopic: text }, { contentType: text }]) {
      await expect(client.publish('a', 'x', { properties })).rejects.toMatchObject({ kind: 'invalid' });
    }
    await client.publish('a', 'fits', { properties: { contentType: 'text/ä', responseTopic: 'ä/😀' } });
    await peer.expectPublish({
      payload: 'fits',
      properties: [
        ['contentType', 'text/ä'],
        ['responseTopic', 'ä/😀'],
      ],
    });
  });
}

test('v5 [MQTT-3.3.2-14] a Response Topic with a wildcard, or an empty one, is not sent', async () => {
  const { client, peer } = await connectClient(resources);
  for (const responseTopic of ['#', 'a/+', 'a/#', '+', '']) {
    await expect(client.publish('a', 'x', { properties: { responseTopic } })).rejects.toMatchObject({
      kind: 'invalid',
    });
  }
  await client.publish('a', 'fits', { properties: { responseTopic: 'a/b' } });
  await peer.expectPublish({ payload: 'fits' });
});

test('v5 [MQTT-3.3.4-6] a Subscription Identifier is not published, not even one of a message that was received', async () => {
  let properties: Properties = {};
  const { client, peer } = await connectClient(resources, {
    onMessage: (received) => {
      if (received.topic === 'a') properties = received.properties;
    },
  });
  peer.send(peer.packets.publish({ topic: 'a', properties: [property.subscriptionIdentifier(7)] }));
  await peer.expectQuiet();
  expect(properties.subscriptionIdentifiers).toEqual([7]);
  for (const qos of [0, 1, 2] as const) {
    await expect(client.publish('b', 'x', { qos, properties })).rejects.toMatchObject({ kind: 'invalid' });
  }
  await client.publish('b', 'fits');
  await peer.expectPublish({ payload: 'fits', properties: [] });
});

test('v5 [MQTT-3.3.4-8] with a full window everything but PUBLISH goes on', async () => {
  const { client, peer, clock } = await connectClient(
    resources,
    { keepAliveSeconds: 10, authentication: { method: 'm', respond: () => undefined } },
    { properties: [property.receiveMaximum(1), property.authenticationMethod('m')] },
  );
  client.send({ ...message, payload: Buffer.from('first'), qos: 1 });
  client.send({ ...message, payload: Buffer.from('waits'), qos: 1 });
  const first = await peer.expectPublish({ payload: 'first' });

  const subscribed = client.subscribe('s');
  const { packetId } = await peer.expectPacket('subscribe');
  peer.send(peer.packets.suback({ packetId, reasonCodes: [0] }));
  await subscribed;

  const unsubscribed = client.unsubscribe('s');
  const second = await peer.expectPacket('unsubscribe');
  peer.send(peer.packets.unsuback({ packetId: second.packetId }));
  await unsubscribed;

  peer.send(peer.packets.publish({ qos: 1, packetId: 1 }), peer.packets.publish({ qos: 2, packetId: 2 }));
  peer.send(peer.packets.pubrel({ packetId: 2 }));
  await peer.expect('40 02 00 01'); // PUBACK
  await peer.expect('50 02 00 02'); // PUBREC
  await peer.expect('70 02 00 02'); // PUBCOMP

  const authenticated = client.reauthenticate();
  expect((await peer.expectPacket('auth')).reasonCode).toBe(0x19);
  peer.send(peer.packets.auth({ reasonCode: 0, properties: [property.authenticationMethod('m')] }));
  await authenticated;

  clock.advance(10_000);
  await peer.expect('C0 00');
  peer.send(peer.packets.pingresp(), peer.packets.puback({ packetId: first.packetId }));
  await peer.expectPublish({ payload: 'waits' }); // only now
  await client.disconnect();
  await peer.expect('E0 00'); // with the window full again
});

test('v5 [MQTT-3.3.4-8] PUBREL goes on with a full window', async () => {
  const { client, peer } = await connectClient(resources, {}, { properties: [property.receiveMaximum(1)] });
  client.send({ ...message, payload: Buffer.from('first'), qos: 2 });
  client.send({ ...message, payload: Buffer.from('waits'), qos: 2 });
  const { packetId } = await peer.expectPublish({ payload: 'first' });
  peer.send(peer.packets.pubrec({ packetId }));
  expect((await peer.expectPacket('pubrel')).packetId).toBe(packetId);
  await peer.expectQuiet(); // PUBREC makes no room
  peer.send(peer.packets.pubcomp({ packetId }));
  await peer.expectPublish({ payload: 'waits' });
});

test('v5 [MQTT-3.2.2-11] [MQTT-3.2.2-14] what waited for the connection is held to its CONNACK as well', async () => {
  const { client, server, peer, clock } = await connectClient(resources, {
    reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
  });
  peer.close();
  await expect.poll(() => client.isConnected).toBe(false);
  const refused = [client.publish('a', 'x', { qos: 2 }), client.publish('a', 'x', { qos: 1, retain: true })].map(
    (one) => one.catch((error: unknown) => error),
  );
  client.send({ ...message, payload: Buffer.from('fits'), qos: 1 });
  clock.advance(1000);
  const back = await server.accept();
  await back.expectPacket('connect');
  back.send(back.packets.connack({ properties: [property.maximumQos(1), property.retainAvailable(0)] }));
  await back.expectPublish({ payload: 'fits', qos: 1, retain: false });
  expect(await Promise.all(refused)).toMatchObject([
    { kind: 'unsupported', reasonCode: 0x9b },
    { kind: 'unsupported', reasonCode: 0x9a },
  ]);
});

test('v5 [MQTT-3.2.2-15] a message that has become too large to be repeated ends with an error', async () => {
  const { client, server, peer, clock } = await connectClient(resources, {
    cleanStart: false,
    connectProperties: { sessionExpiryInterval: 60 },
    reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
  });
  const large = client.publish('a', 'x'.repeat(100), { qos: 1 }).catch((error: unknown) => error);
  client.send({ ...message, payload: Buffer.from('small'), qos: 1 });
  await peer.expectPublish({ dup: false });
  await peer.expectPublish({ payload: 'small', dup: false });
  peer.close();
  await expect.poll(() => client.isConnected).toBe(false);
  clock.advance(1000);
  const back = await server.accept();
  await back.expectPacket('connect');
  back.send(back.packets.connack({ sessionPresent: true, properties: [property.maximumPacketSize(50)] }));
  await back.expectPublish({ payload: 'small', dup: true });
  expect(await large).toMatchObject({ kind: 'too-large' });
});
