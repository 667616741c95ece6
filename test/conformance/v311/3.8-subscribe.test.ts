import { describe, expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, type ConnectOptions, startBroker } from '../wire/broker.ts';
import { v311 } from '../wire/packets.ts';

const resources = useResources();

function connect(broker: ConformanceBroker, fields: ConnectOptions = {}): Promise<Connected> {
  return broker.connect({ version: 4, ...fields });
}

test('v311 [MQTT-2.3.1-7] [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.10.4-4] SUBACK and UNSUBACK repeat the identifiers of pipelined requests', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  client.send('82 06 0001 0001 "a" 00', '82 06 0102 0001 "b" 01', 'A2 05 FFFF 0001 "a"');
  await client.expect('90 03 0001 00');
  await client.expect('90 03 0102 01');
  await client.expect('B0 02 FFFF');
});

test('v311 [MQTT-3.8.4-3] the same filter again replaces the subscription, replays what is retained and loses nothing', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  const publisher = await connect(broker, { clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'kept', retain: true, qos: 1 });
  await client.subscribe({ filter: 'a', qos: 0 });
  await client.expectPublish({ payload: 'kept', qos: 0, retain: true });
  await client.subscribe({ filter: 'a', qos: 1 });
  await client.expectPublish({ payload: 'kept', qos: 1, retain: true });
  await publisher.publish({ topic: 'a', payload: 'live', qos: 1 });
  expect((await client.drainPublishes()).map(({ text, qos }) => [text, qos])).toEqual([['live', 1]]);
});

test('v311 [MQTT-3.8.4-4] [MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.9.3-2] several filters are answered in their order, each with its QoS or 0x80', async () => {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, action, topic) => action !== 'subscribe' || topic !== 'secret' },
  });
  const client = await connect(broker, { clientId: 'c' });
  client.send(
    v311.subscribe({
      packetId: 7,
      filters: [
        { filter: 'a', qos: 2 },
        { filter: 'secret', qos: 1 },
        { filter: 'b', qos: 0 },
        { filter: 'a', qos: 1 },
      ],
    }),
  );
  await client.expect('90 06 0007 02 80 00 01');
  await client.publish({ topic: 'secret', payload: 'no' });
  await client.publish({ topic: 'b', payload: 'yes' });
  await client.expectPublish({ topic: 'b', payload: 'yes' });
});

test('v311 [MQTT-3.8.3-2] wildcards are supported, so no filter is refused for them', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  const { reasonCodes } = await client.subscribe('#', '+', 'a/+/#', '+/b');
  expect(reasonCodes).toEqual([0, 0, 0, 0]);
});

describe('v311 [MQTT-3.8.4-6] a delivery has the lower of both QoS', () => {
  for (const granted of [0, 1, 2] as const) {
    test(`v311 [MQTT-3.8.4-6] granted ${granted}`, async () => {
      const broker = await startBroker(resources);
      const client = await connect(broker, { clientId: 'c' });
      await client.subscribe({ filter: 'a', qos: granted });
      const publisher = await connect(broker, { clientId: 'p' });
      for (const qos of [0, 1, 2] as const) {
        await publisher.publish({ topic: 'a', payload: 'x', qos });
        await publisher.drain();
        const delivered = await client.expectPublish({ qos: Math.min(qos, granted) as 0 | 1 | 2 });
        await client.acknowledge(delivered);
      }
    });
  }
});

describe('UNSUBSCRIBE', () => {
  test('v311 [MQTT-3.10.4-1] [MQTT-3.10.4-2] takes away the filter that is equal and no other', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.subscribe('a/+', 'a/b', 'x');
    client.send('A2 08 0005 0003 "a/b" 0001 "x"'.replace('08', '0A'));
    await client.expect('B0 02 0005');
    await client.publish({ topic: 'x', payload: 'no' });
    await client.publish({ topic: 'a/b', payload: 'once' });
    expect((await client.drainPublishes()).map(({ text }) => text)).toEqual(['once']);
  });

  test('v311 [MQTT-3.10.4-5] is answered even when nothing was removed', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    client.send('A2 05 0009 0001 "a"');
    await client.expect('B0 02 0009');
  });

  test('v311 [MQTT-3.10.4-6] with several filters is one packet and one answer', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.subscribe('a', 'b', 'c');
    client.send(v311.unsubscribe({ packetId: 3, filters: ['a', 'b', 'c'] }));
    await client.expect('B0 02 0003');
    for (const topic of ['a', 'b', 'c']) await client.publish({ topic });
    await client.expectNothing();
  });

  test('v311 [MQTT-3.10.4-3] lets a QoS 2 delivery that has begun come to its end', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.subscribe({ filter: 'a', qos: 2 });
    const publisher = await connect(broker, { clientId: 'p' });
    await publisher.publish({ topic: 'a', qos: 2 });
    const { packetId } = await client.expectPublish({ qos: 2 });
    client.send(v311.unsubscribe({ packetId: 3, filters: ['a'] }));
    await client.expect('B0 02 0003');
    client.send(v311.pubrec({ packetId }));
    await client.expect(v311.pubrel({ packetId }));
    client.send(v311.pubcomp({ packetId }));
    await client.expectNothing();
  });
});

test('v311 [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-3.3.2-3] legal wildcards match as they should', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  const cases: readonly (readonly [filter: string, topic: string])[] = [
    ['sport/#', 'sport'],
    ['sport/+', 'sport/'],
    ['+/+', '/finance'],
    ['/+', '/finance'],
    ['+/tennis/#', 'sport/tennis/x'],
    ['#', 'anything/at/all'],
  ];
  for (const [filter, topic] of cases) {
    await client.subscribe(filter);
    await client.publish({ topic, payload: filter });
    await client.expectPublish({ topic, payload: filter });
    client.send(v311.unsubscribe({ packetId: 99, filters: [filter] }));
    await client.expectPacket('unsuback');
  }
  await client.subscribe('+');
  await client.publish({ topic: '/finance' });
  await client.expectNothing();
});

test('v311 [MQTT-4.7.2-1] filters that begin with a wildcard do not see $ topics', async () => {
  const broker = await startBroker(resources, { options: { sysInterval: 10 } });
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe('#', '+/broker/#', '+/x');
  await client.publish({ topic: '$own/x', payload: 'hidden' });
  await client.expectNothing();
  await client.subscribe('$SYS/broker/version', '$own/+');
  await client.expectPublish({ topic: '$SYS/broker/version', retain: true });
  await client.publish({ topic: '$own/x', payload: 'seen' });
  await client.expectPublish({ topic: '$own/x', payload: 'seen' });
});

test('v311 [MQTT-4.7.3-3] a Topic Name may have 65,535 bytes', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  const topic = 'x'.repeat(65_535);
  await client.subscribe(topic);
  await client.publish({ topic, payload: 'long' });
  await client.expectPublish({ topic, payload: 'long' });
});

test('v311 [MQTT-4.7.3-4] names are compared as they are: case, accents, slashes and blanks', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  const names = ['a', 'A', 'a ', ' a', 'a/', '/a', 'a//b', 'a/b', '\u00e9', 'e\u0301'];
  for (const name of names) {
    await client.subscribe(name);
    for (const topic of names) await client.publish({ topic, payload: topic });
    expect((await client.drainPublishes()).map(({ topic }) => topic)).toEqual([name]);
    client.send(v311.unsubscribe({ packetId: 99, filters: [name] }));
    await client.expectPacket('unsuback');
  }
});
