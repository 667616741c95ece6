import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property, valuesOf } from '../wire/properties.ts';
import type { ReceivedPublish } from '../wire/received.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** Subscribes with a Subscription Identifier, 0 for none. */
async function subscribeWith(
  client: Connected,
  filter: string,
  qos: 0 | 1 | 2,
  identifier: number,
  options: { readonly noLocal?: boolean; readonly retainAsPublished?: boolean } = {},
): Promise<void> {
  const properties = identifier === 0 ? [] : [property.subscriptionIdentifier(identifier)];
  client.send(v5.subscribe({ filters: [{ filter, qos, ...options }], properties }));
  expect((await client.expectPacket('suback')).reasonCodes).toEqual([qos]);
}

/** QoS and identifiers of each copy; the order of neither matters. */
function copies(received: readonly ReceivedPublish[]): string[] {
  return received
    .map(
      (publish) =>
        `${publish.text} QoS ${publish.qos} [${valuesOf(publish, 'subscriptionIdentifier').toSorted().join(' ')}]`,
    )
    .toSorted();
}

/** A broker that sends one copy to each client (`allow_duplicate_messages false`). */
function startJoining(): Promise<ConformanceBroker> {
  return startBroker(resources, { options: { allowDuplicateMessages: false } });
}

// One copy per subscription, the default

test('v5 [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-5] one copy per subscription, each with its own QoS and identifier', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  await subscribeWith(subscriber, 'a/#', 0, 1);
  await subscribeWith(subscriber, 'a/b', 2, 2);
  await subscribeWith(subscriber, 'a/+', 1, 0);
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a/b', payload: 'x', qos: 2 });
  expect(copies(await subscriber.drainPublishes())).toEqual(['x QoS 0 [1]', 'x QoS 1 []', 'x QoS 2 [2]']);
});

test('v5 [MQTT-3.3.4-5] two filters of one SUBSCRIBE share their identifier, and each copy has it', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  subscriber.send(v5.subscribe({ filters: ['a/#', 'a/b', 'c'], properties: [property.subscriptionIdentifier(7)] }));
  await subscriber.expectPacket('suback');
  const publisher = await broker.connect({ clientId: 'p' });
  for (const topic of ['a/b', 'c']) await publisher.publish({ topic, payload: topic });
  await publisher.expectNothing();
  expect(copies(await subscriber.drainPublishes())).toEqual(['a/b QoS 0 [7]', 'a/b QoS 0 [7]', 'c QoS 0 [7]']);
});

test('v5 [MQTT-3.3.4-3] [MQTT-3.3.4-5] each client has the identifiers of its own subscriptions', async () => {
  const broker = await startBroker(resources);
  const clients: Connected[] = [];
  for (const identifier of [0, 1, 268_435_455]) {
    const client = await broker.connect({ clientId: `c${identifier}` });
    await subscribeWith(client, 'a', 1, identifier);
    clients.push(client);
  }
  const publisher = await broker.connect({ clientId: 'p' });
  for (const qos of [0, 1] as const) await publisher.publish({ topic: 'a', payload: 'x', qos });
  const found: string[][] = [];
  for (const client of clients) found.push(copies(await client.drainPublishes()));
  expect(found).toEqual([
    ['x QoS 0 []', 'x QoS 1 []'],
    ['x QoS 0 [1]', 'x QoS 1 [1]'],
    ['x QoS 0 [268435455]', 'x QoS 1 [268435455]'],
  ]);
});

test('v5 [MQTT-3.3.4-5] [MQTT-3.8.4-3] subscribing again changes the identifier, or takes it away', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const identifier of [5, 6, 0, 7]) {
    await subscribeWith(subscriber, 'a', 0, identifier);
    await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
    expect(copies(await subscriber.drainPublishes())).toEqual([`x QoS 0 [${identifier || ''}]`]);
  }
});

test('v5 [MQTT-3.3.4-3] the identifier waits with the message, and comes again with it', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry] });
  await subscribeWith(subscriber, 'a/#', 1, 1);
  await subscribeWith(subscriber, 'a/b', 2, 2);
  await broker.kill(subscriber);
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a/b', payload: 'x', qos: 2 });
  for (let time = 0; time < 2; time++) {
    const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
    expect(copies(await again.drainPublishes())).toEqual(['x QoS 1 [1]', 'x QoS 2 [2]']);
    await broker.kill(again);
  }
});

// One copy per client

test('v5 [MQTT-3.3.4-2] [MQTT-3.3.4-4] a single copy has the highest QoS and the identifiers of all', async () => {
  const broker = await startJoining();
  const subscriber = await broker.connect({ clientId: 's' });
  await subscribeWith(subscriber, 'a/#', 0, 1);
  await subscribeWith(subscriber, 'a/b', 2, 2);
  await subscribeWith(subscriber, 'a/+', 1, 0);
  await subscribeWith(subscriber, 'other', 2, 9);
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a/b', payload: 'x', qos: 2 });
  await publisher.publish({ topic: 'a/b', payload: 'y', qos: 1 });
  await publisher.publish({ topic: 'a/c', payload: 'z', qos: 2 });
  const received = await subscriber.drainPublishes();
  expect(received.map(({ text, qos }) => text + qos)).toEqual(['x2', 'y1', 'z1']);
  expect(received.map((publish) => valuesOf(publish, 'subscriptionIdentifier').toSorted())).toEqual([
    [1, 2],
    [1, 2],
    [1],
  ]);
});

test('v5 [MQTT-3.3.4-4] equal identifiers are repeated, one for each subscription', async () => {
  const broker = await startJoining();
  const subscriber = await broker.connect({ clientId: 's' });
  subscriber.send(v5.subscribe({ filters: ['a/#', 'a/b'], properties: [property.subscriptionIdentifier(7)] }));
  await subscriber.expectPacket('suback');
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a/b', payload: 'x', qos: 1 });
  expect(copies(await subscriber.drainPublishes())).toEqual(['x QoS 0 [7 7]']);
});

test('v5 [MQTT-3.3.4-4] all of them wait with the message, and come again with it', async () => {
  const broker = await startJoining();
  const subscriber = await broker.connect({ clientId: 's', properties: [expiry] });
  for (const [index, filter] of ['a/#', 'a/b', 'a/+', '#'].entries())
    await subscribeWith(subscriber, filter, 1, index + 1);
  await broker.kill(subscriber);
  const publisher = await broker.connect({ clientId: 'p' });
  await publisher.publish({ topic: 'a/b', payload: 'x', qos: 2 });
  for (let time = 0; time < 2; time++) {
    const again = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
    const [publish] = await again.drainPublishes();
    expect(valuesOf(publish as ReceivedPublish, 'subscriptionIdentifier').toSorted()).toEqual([1, 2, 3, 4]);
    await broker.kill(again);
  }
});

test('v5 [MQTT-3.3.4-4] a change of the subscriptions is seen at once', async () => {
  const broker = await startJoining();
  const subscriber = await broker.connect({ clientId: 's' });
  const publisher = await broker.connect({ clientId: 'p' });
  const published = async (): Promise<string[]> => {
    await publisher.publish({ topic: 'a/b', payload: 'x', qos: 1 });
    return copies(await subscriber.drainPublishes());
  };
  await subscribeWith(subscriber, 'a/#', 0, 1);
  await subscribeWith(subscriber, 'a/b', 0, 2);
  expect(await published()).toEqual(['x QoS 0 [1 2]']);
  await subscribeWith(subscriber, 'a/#', 0, 0);
  expect(await published()).toEqual(['x QoS 0 [2]']);
  subscriber.send(v5.unsubscribe({ filters: ['a/b'] }));
  await subscriber.expectPacket('unsuback');
  expect(await published()).toEqual(['x QoS 0 []']);
});

test('v5 [MQTT-3.3.4-2] [MQTT-3.3.4-4] [MQTT-3.8.3-3] subscriptions with No Local have no part in what their own client published', async () => {
  const broker = await startJoining();
  const client = await broker.connect({ clientId: 's' });
  await subscribeWith(client, 'a/#', 2, 1, { noLocal: true, retainAsPublished: true });
  await subscribeWith(client, 'a/b', 0, 2);
  await client.publish({ topic: 'a/b', payload: 'own', retain: true });
  await client.publish({ topic: 'a/c', payload: 'own' });
  const [own, ...rest] = await client.drainPublishes();
  expect(rest).toEqual([]);
  expect(own).toMatchObject({ text: 'own', qos: 0, retain: false, properties: [['subscriptionIdentifier', 2]] });
  const other = await broker.connect({ clientId: 'o' });
  await other.publish({ topic: 'a/b', payload: 'other', qos: 2 });
  expect(copies(await client.drainPublishes())).toEqual(['other QoS 2 [1 2]']);
});

test('v5 [MQTT-3.3.4-3] a shared subscription is apart: its copy has its own identifier', async () => {
  for (const broker of [await startBroker(resources), await startJoining()]) {
    const subscriber = await broker.connect({ clientId: 's' });
    await subscribeWith(subscriber, 'a', 0, 1);
    await subscribeWith(subscriber, '$share/g/a', 0, 2);
    const publisher = await broker.connect({ clientId: 'p' });
    await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
    expect(copies(await subscriber.drainPublishes())).toEqual(['x QoS 0 [1]', 'x QoS 0 [2]']);
  }
});

test('v5 [MQTT-3.3.4-2] MQTT 3.1.1: one copy per subscription, or one with the highest QoS', async () => {
  for (const [broker, wanted] of [
    [await startBroker(resources), [0, 1, 2]],
    [await startJoining(), [2]],
  ] as const) {
    const older = await broker.connect({ clientId: 's', version: 4 });
    await older.subscribe({ filter: 'a/#', qos: 0 }, { filter: 'a/b', qos: 2 }, { filter: 'a/+', qos: 1 });
    const publisher = await broker.connect({ clientId: 'p' });
    await publisher.publish({ topic: 'a/b', qos: 2 });
    expect((await older.drainPublishes()).map(({ qos }) => qos).toSorted()).toEqual(wanted);
  }
});

test('v5 [MQTT-3.3.4-6] a PUBLISH with a Subscription Identifier from a client is a protocol error, and nobody gets it', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe('#');
  for (const qos of [0, 1, 2] as const) {
    for (const identifier of [1, 268_435_455]) {
      const client = await broker.connect({ clientId: 'c' });
      client.send(v5.publish({ topic: 'a', qos, properties: [property.subscriptionIdentifier(identifier)] }));
      await client.expectError(0x82);
    }
  }
  await subscriber.expectNothing();
});
