import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { connectClient, dialClient } from '../wire/client-under-test.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

const message = { topic: 'a', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } as const;

test('v5 [MQTT-3.2.2-4] Session Present 1 for a client that asked for a clean start: it closes', async () => {
  const { peer, started } = await dialClient(resources);
  peer.send(peer.packets.connack({ sessionPresent: true }));
  await expect(started).rejects.toMatchObject({ kind: 'protocol' });
  await peer.expectClosed();
});

test('v5 [MQTT-3.2.2-4] a client that asked for the session takes it', async () => {
  const { client, peer, started } = await dialClient(resources, { cleanStart: false });
  peer.send(peer.packets.connack({ sessionPresent: true }));
  await started;
  await client.publish('a', 'x');
  await peer.expectPublish({ payload: 'x' });
});

test('v5 [MQTT-3.2.2-5] Session Present 0 for a client with a session: identifiers and half exchanges are forgotten', async () => {
  const messages: string[] = [];
  const { client, server, peer, clock } = await connectClient(resources, {
    cleanStart: false,
    connectProperties: { sessionExpiryInterval: 60 },
    reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
    onMessage: ({ payload }) => messages.push(payload.toString()),
  });
  let isDone = false;
  client.send({ ...message, payload: Buffer.from('released'), qos: 2 }, () => (isDone = true));
  const first = await peer.expectPublish({ payload: 'released' });
  peer.send(peer.packets.pubrec({ packetId: first.packetId }));
  await peer.expectPacket('pubrel');
  client.send({ ...message, payload: Buffer.from('unacknowledged'), qos: 1 });
  await peer.expectPublish({ payload: 'unacknowledged' });
  peer.send(peer.packets.publish({ topic: 'b', payload: 'held', qos: 2, packetId: 9 }));
  await peer.expectPacket('pubrec');
  peer.close();
  await expect.poll(() => client.isConnected).toBe(false);
  clock.advance(1000);
  const back = await server.accept();
  await back.expectPacket('connect');
  back.send(back.packets.connack());
  // No PUBREL; what the broker did not acknowledge is a new message.
  await back.expectPublish({ payload: 'unacknowledged', dup: false });
  expect(isDone).toBe(true);
  // The identifier of the broker's old message stands for a new one.
  back.send(back.packets.publish({ topic: 'b', payload: 'new', qos: 2, packetId: 9 }));
  await back.expectPacket('pubrec');
  back.send(back.packets.pubrel({ packetId: 9 }));
  await back.expectPacket('pubcomp');
  expect(messages).toEqual(['new']);
});

test('v5 [MQTT-3.2.2-5] and its subscriptions are made again', async () => {
  const { client, server, peer, clock } = await connectClient(resources, {
    cleanStart: false,
    connectProperties: { sessionExpiryInterval: 60 },
    reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
  });
  const subscribed = client.subscribe({ filter: 'a/#', qos: 1 });
  const { packetId } = await peer.expectPacket('subscribe');
  peer.send(peer.packets.suback({ packetId, reasonCodes: [1] }));
  await subscribed;
  for (const sessionPresent of [true, false]) {
    peer.close();
    await expect.poll(() => client.isConnected).toBe(false);
    clock.advance(1000);
    const back = await server.accept();
    await back.expectPacket('connect');
    back.send(back.packets.connack({ sessionPresent }));
    if (!sessionPresent) {
      expect((await back.expectPacket('subscribe')).filters).toEqual([{ filter: 'a/#', options: 1 }]);
      return;
    }
    await back.expectQuiet();
    back.close();
  }
});

test('v5 [MQTT-3.2.2-11] a QoS above Maximum QoS is refused, not sent', async () => {
  for (const maximum of [0, 1] as const) {
    const { client, peer } = await connectClient(resources, {}, { properties: [property.maximumQos(maximum)] });
    for (const qos of [1, 2] as const) {
      if (qos <= maximum) continue;
      await expect(client.publish('a', 'x', { qos })).rejects.toMatchObject({ kind: 'unsupported', reasonCode: 0x9b });
    }
    client.send({ ...message, payload: Buffer.from('fits'), qos: maximum });
    await peer.expectPublish({ payload: 'fits', qos: maximum });
  }
});

test('v5 [MQTT-3.2.2-14] RETAIN is refused, not sent, when it is not available', async () => {
  const { client, peer } = await connectClient(resources, {}, { properties: [property.retainAvailable(0)] });
  await expect(client.publish('a', 'x', { retain: true })).rejects.toMatchObject({
    kind: 'unsupported',
    reasonCode: 0x9a,
  });
  await client.publish('a', 'fits');
  await peer.expectPublish({ payload: 'fits', retain: false });
});

test('v5 [MQTT-3.2.2-15] a packet above Maximum Packet Size is refused, not sent; one of that size is sent', async () => {
  const { client, peer } = await connectClient(resources, {}, { properties: [property.maximumPacketSize(30)] });
  // Fixed header 2, Topic Name 3, Property Length 1; at QoS 1 Packet Identifier 2.
  await expect(client.publish('a', 'x'.repeat(25))).rejects.toMatchObject({ kind: 'too-large' });
  await expect(client.publish('a', 'x'.repeat(23), { qos: 1 })).rejects.toMatchObject({ kind: 'too-large' });
  await expect(client.subscribe('x'.repeat(30))).rejects.toMatchObject({ kind: 'too-large' });
  await expect(client.unsubscribe('x'.repeat(30))).rejects.toMatchObject({ kind: 'too-large' });
  await client.publish('a', 'y'.repeat(24));
  expect((await peer.expectPublish({ payload: 'y'.repeat(24) })).bytes.length).toBe(30);
  await client.disconnect(0x00, { reasonString: 'x'.repeat(30) });
  await peer.expect('E0 00');
});

test("v5 [MQTT-3.2.2-17] Topic Aliases stay within the broker's Topic Alias Maximum", async () => {
  const { client, peer } = await connectClient(
    resources,
    { topicAliases: 10 },
    { properties: [property.topicAliasMaximum(2)] },
  );
  const aliases: unknown[] = [];
  for (const topic of ['a', 'b', 'c', 'a', 'b', 'c']) {
    await client.publish(topic, 'x');
    const publish = await peer.expectPacket('publish');
    aliases.push([publish.topic, valueOf(publish, 'topicAlias')]);
  }
  expect(aliases).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', undefined],
    ['', 1],
    ['', 2],
    ['c', undefined],
  ]);
  await client.publish('d', 'x', { properties: { topicAlias: 3 } });
  await peer.expectPublish({ topic: 'd', properties: [] });
});

test('v5 [MQTT-3.2.2-18] no Topic Alias Maximum, or 0: no alias is sent', async () => {
  for (const properties of [[], [property.topicAliasMaximum(0)]]) {
    const { client, peer } = await connectClient(resources, { topicAliases: 10 }, { properties });
    for (let count = 0; count < 2; count++) {
      await client.publish('a', 'x', { properties: { topicAlias: 1 } });
      await peer.expectPublish({ topic: 'a', properties: [] });
    }
  }
});

test('v5 [MQTT-3.2.2-16] the client goes by the identifier that it was assigned', async () => {
  const { client, server, peer, clock } = await connectClient(
    resources,
    {
      clientId: '',
      connectProperties: { sessionExpiryInterval: 60 },
      reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
    },
    { properties: [property.assignedClientIdentifier('auto-1')] },
  );
  expect(client.clientId).toBe('auto-1');
  peer.close();
  await expect.poll(() => client.isConnected).toBe(false);
  clock.advance(1000);
  expect((await (await server.accept()).expectPacket('connect')).clientId).toBe('auto-1');
});

test('v5 [MQTT-3.2.0-2] [MQTT-3.2.2-1] a server that breaks the rules of CONNACK is left', async () => {
  const second = await connectClient(resources);
  second.peer.send(second.peer.packets.connack());
  await second.peer.expectPacket('disconnect');
  await second.peer.expectClosed();

  for (const broken of ['20 03 02 00 00', '20 03 00 01 00', '20 02 00 00', '21 03 00 00 00', 'D0 00']) {
    const { peer, started } = await dialClient(resources);
    peer.send(broken);
    await expect(started).rejects.toMatchObject({ kind: 'protocol' });
    await peer.expectClosed();
  }
});
