import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** A client `s` that subscribes to everything at QoS 2, and a publisher with a session that lasts. */
async function pair(broker: ConformanceBroker): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe({ filter: '#', qos: 2 });
  return [subscriber, await broker.connect({ clientId: 'p', properties: [expiry] })];
}

/** Publishes by alias; `topic` '' stands for what the alias was set to. */
function publishBy(client: Connected, alias: number, topic: string, payload: string, qos: 0 | 1 | 2 = 0) {
  return client.publish({ topic, payload, qos, properties: [property.topicAlias(alias)] });
}

test('v5 [MQTT-3.3.2-7] an alias does not outlive its connection, also when the session does', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publishBy(publisher, 1, 'a', 'one');
  await subscriber.expectPublish({ topic: 'a', payload: 'one' });
  await broker.kill(publisher);
  const again = await broker.connect({ clientId: 'p', cleanStart: false, properties: [expiry] });
  expect(again.connack.sessionPresent).toBe(true);
  again.send(v5.publish({ topic: '', payload: 'two', properties: [property.topicAlias(1)] }));
  await again.expectError(0x82);
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.3.2-7] nor does it survive that its session is taken over', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publishBy(publisher, 1, 'a', 'one', 1);
  const next = await broker.connect({ clientId: 'p', cleanStart: false, properties: [expiry] });
  await publishBy(next, 1, 'b', 'set anew'); // means what this connection says
  await publishBy(next, 1, '', 'by alias');
  await subscriber.expectPublish({ topic: 'a', payload: 'one' });
  await subscriber.expectPublish({ topic: 'b', payload: 'set anew' });
  await subscriber.expectPublish({ topic: 'b', payload: 'by alias' });
});

test('v5 [MQTT-3.3.2-7] aliases are of one connection: another client has its own', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const other = await broker.connect({ clientId: 'o' });
  await publishBy(publisher, 1, 'a', 'one', 1);
  other.send(v5.publish({ topic: '', properties: [property.topicAlias(1)] }));
  await other.expectError(0x82);
  await publishBy(publisher, 1, '', 'two', 1);
  await subscriber.expectPublish({ topic: 'a', payload: 'one' });
  await subscriber.expectPublish({ topic: 'a', payload: 'two' });
});

test('v5 [MQTT-3.3.2-7] aliases towards the client begin anew with its connection', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const properties = [expiry, property.topicAliasMaximum(5)];
  for (let connection = 0; connection < 3; connection++) {
    const client = await broker.connect({ clientId: 's', cleanStart: connection === 0, properties });
    if (connection === 0) await client.subscribe({ filter: '#', qos: 1 });
    await publisher.publish({ topic: 'a', qos: 1 });
    await publisher.publish({ topic: 'a', qos: 1 });
    const received = await client.drainPublishes();
    for (const publish of received) await client.acknowledge(publish);
    expect(received.map(({ topic }) => topic)).toEqual(['a', '']);
    expect(received.map((publish) => valueOf(publish, 'topicAlias'))).toEqual([1, 1]);
    await broker.kill(client);
  }
});

test('v5 [MQTT-3.3.2-7] a message that waited, or is sent again, has the alias of the connection that it is sent on', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const properties = [expiry, property.topicAliasMaximum(5)];
  const client = await broker.connect({ clientId: 's', properties });
  await client.subscribe({ filter: '#', qos: 1 });
  for (const topic of ['a', 'b']) await publisher.publish({ topic, qos: 1 });
  expect((await client.drainPublishes()).map((publish) => valueOf(publish, 'topicAlias'))).toEqual([1, 2]);
  await client.acknowledge({ qos: 1, packetId: 1 }); // of `a`; `b` stays under way
  await client.expectNothing();
  await broker.kill(client);
  await publisher.publish({ topic: 'b', qos: 1 });
  const again = await broker.connect({ clientId: 's', cleanStart: false, properties });
  expect(
    (await again.drainPublishes()).map((publish) => [publish.topic, publish.dup, valueOf(publish, 'topicAlias')]),
  ).toEqual([
    ['b', true, 1],
    ['', false, 1],
  ]);
});

test('v5 [MQTT-3.3.2-8] alias 0 is 0x94, with a Topic Name and without', async () => {
  const broker = await startBroker(resources);
  for (const topic of ['a', '']) {
    for (const qos of [0, 1, 2] as const) {
      const client = await broker.connect();
      client.send(v5.publish({ topic, qos, properties: [property.topicAlias(0)] }));
      await client.expectError(0x94);
    }
  }
});

test('v5 [MQTT-3.3.2-9] [MQTT-3.3.2-12] aliases up to the Topic Alias Maximum of CONNACK are taken, above it they are 0x94', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const maximum = Number(valueOf(publisher.connack, 'topicAliasMaximum'));
  expect(maximum).toBe(10);
  for (let alias = 1; alias <= maximum; alias++) {
    await publishBy(publisher, alias, `t/${alias}`, 'set');
    await subscriber.expectPublish({ topic: `t/${alias}`, payload: 'set', properties: [] });
  }
  for (let alias = maximum; alias >= 1; alias--) {
    await publishBy(publisher, alias, '', 'used');
    await subscriber.expectPublish({ topic: `t/${alias}`, payload: 'used', properties: [] });
  }
  for (const alias of [maximum + 1, 65_535]) {
    const client = await broker.connect({ clientId: 'c' });
    client.send(v5.publish({ topic: 'a', properties: [property.topicAlias(alias)] }));
    await client.expectError(0x94);
  }
  await subscriber.expectNothing();
});

test('v5 [MQTT-3.3.2-9] [MQTT-3.3.2-12] another maximum; 0: CONNACK has none, and every alias is too high', async () => {
  for (const maxTopicAlias of [0, 1, 300]) {
    const broker = await startBroker(resources, { listener: { maxTopicAlias } });
    const [subscriber, publisher] = await pair(broker);
    expect(valueOf(publisher.connack, 'topicAliasMaximum')).toBe(maxTopicAlias === 0 ? undefined : maxTopicAlias);
    if (maxTopicAlias > 0) {
      await publishBy(publisher, maxTopicAlias, 'a', 'x');
      await publishBy(publisher, maxTopicAlias, '', 'y');
      await subscriber.expectPublish({ topic: 'a', payload: 'x' });
      await subscriber.expectPublish({ topic: 'a', payload: 'y' });
    }
    publisher.send(v5.publish({ topic: 'a', properties: [property.topicAlias(maxTopicAlias + 1)] }));
    await publisher.expectError(0x94);
  }
});

test('v5 [MQTT-3.3.2-12] an alias may be given to another topic, and stands for that from then on', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publishBy(publisher, 1, 'a', '1');
  await publishBy(publisher, 2, 'b', '2');
  await publishBy(publisher, 1, 'c', '3');
  await publishBy(publisher, 1, '', '4');
  await publishBy(publisher, 2, '', '5');
  await publishBy(publisher, 2, 'c', '6'); // two aliases of one topic
  await publishBy(publisher, 1, '', '7');
  await publishBy(publisher, 2, '', '8');
  await publisher.expectNothing();
  expect((await subscriber.drainPublishes()).map(({ topic, text }) => topic + text)).toEqual(
    ['a1', 'b2', 'c3', 'c4', 'b5', 'c6', 'c7', 'c8'], // prettier than a table
  );
});

test('v5 [MQTT-3.3.2-12] at every QoS, and a Topic Name without alias changes nothing', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const set of [0, 1, 2] as const) {
    for (const use of [0, 1, 2] as const) {
      await publishBy(publisher, 3, `t/${set}`, 'set', set);
      await publisher.publish({ topic: 'plain', qos: 0 });
      await publishBy(publisher, 3, '', 'use', use);
      await publisher.expectNothing();
      const received = await subscriber.drainPublishes();
      expect(received.map(({ topic, qos }) => [topic, qos])).toEqual([
        [`t/${set}`, set],
        ['plain', 0],
        [`t/${set}`, use],
      ]);
      for (const publish of received) await subscriber.acknowledge(publish);
    }
  }
});

test('v5 [MQTT-3.3.2-12] the mapping is made even when the message is refused, and it is the topic that is judged', async () => {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, _action, topic) => topic !== 'secret' },
  });
  const [subscriber, publisher] = await pair(broker);
  expect(await publishBy(publisher, 1, 'open', 'x', 1)).toBe(0);
  expect(await publishBy(publisher, 1, 'secret', 'x', 1)).toBe(0x87);
  expect(await publishBy(publisher, 1, '', 'x', 1)).toBe(0x87);
  expect(await publishBy(publisher, 1, '', 'x', 2)).toBe(0x87);
  expect(await publishBy(publisher, 1, 'open', 'y', 2)).toBe(0);
  await subscriber.expectPublish({ topic: 'open', payload: 'x' });
  await subscriber.expectPublish({ topic: 'open', payload: 'y' });
});

test('v5 [MQTT-3.3.2-12] a retained message and a queued one have the topic, not the alias', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await broker.kill(subscriber);
  const away = await broker.connect({ clientId: 'away', properties: [expiry] });
  await away.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(away);
  await publishBy(publisher, 1, 'a', 'set', 1);
  await publisher.publish({ topic: '', payload: 'kept', qos: 1, retain: true, properties: [property.topicAlias(1)] });
  await broker.kill(publisher);
  const back = await broker.connect({ clientId: 'away', cleanStart: false });
  await back.expectPublish({ topic: 'a', payload: 'set', properties: [] });
  await back.expectPublish({ topic: 'a', payload: 'kept', properties: [] });
  await back.subscribe('a');
  await back.expectPublish({ topic: 'a', payload: 'kept', retain: true, properties: [] });
});

test('v5 [MQTT-3.3.2-12] a message of QoS 2 has the topic that its alias stood for when it was sent', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  const properties = [property.topicAlias(1)];
  await publishBy(publisher, 1, 'a', 'set', 1);
  await subscriber.expectPublish({ topic: 'a' });
  publisher.send(v5.publish({ topic: '', payload: 'by alias', qos: 2, packetId: 50, properties }));
  await publisher.expectPacket('pubrec');
  await publishBy(publisher, 1, 'b', 'changed', 1);
  await subscriber.expectPublish({ topic: 'b' });
  publisher.send(v5.pubrel({ packetId: 50 }));
  await publisher.expectPacket('pubcomp');
  await subscriber.expectPublish({ topic: 'a', payload: 'by alias' });
});

test('v5 [MQTT-3.3.2-11] [MQTT-3.3.2-8] an alias towards the client is never 0 and never above its maximum, nor above our own', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  for (const [asked, given] of [
    [1, 1],
    [10, 10],
    [65_535, 10],
  ] as const) {
    const client = await broker.connect({ clientId: 's', properties: [property.topicAliasMaximum(asked)] });
    await client.subscribe('#');
    for (let topic = 1; topic <= 12; topic++) await publisher.publish({ topic: `t/${topic}` });
    await publisher.expectNothing();
    const aliases = (await client.drainPublishes()).map((publish) => valueOf(publish, 'topicAlias') ?? 0);
    expect(aliases).toEqual(Array.from({ length: 12 }, (_, index) => (index < given ? index + 1 : 0)));
    await client.disconnect();
  }
});

test('v5 [MQTT-3.3.2-11] a message that is too large does not take the alias that its client never hears of', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const properties = [property.topicAliasMaximum(1), property.maximumPacketSize(60)];
  const client = await broker.connect({ clientId: 's', properties });
  await client.subscribe('#');
  await publisher.publish({ topic: 'big', payload: 'x'.repeat(100) });
  await publisher.publish({ topic: 'small', payload: 'y' });
  await publisher.publish({ topic: 'big', payload: 'z' });
  await publisher.publish({ topic: 'small', payload: 'y' });
  await publisher.expectNothing();
  expect((await client.drainPublishes()).map((publish) => [publish.topic, valueOf(publish, 'topicAlias')])).toEqual([
    ['small', 1],
    ['big', undefined],
    ['', 1],
  ]);
});
