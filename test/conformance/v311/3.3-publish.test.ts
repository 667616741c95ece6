import { describe, expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, type ConnectOptions, startBroker } from '../wire/broker.ts';
import { v311 } from '../wire/packets.ts';

const resources = useResources();

function connect(broker: ConformanceBroker, fields: ConnectOptions = {}): Promise<Connected> {
  return broker.connect({ version: 4, ...fields });
}

describe('a packet in error closes the connection without a word, its Will goes out and nobody else is disturbed', () => {
  const cases: readonly { readonly title: string; readonly bytes: string }[] = [
    { title: 'v311 [MQTT-3.3.1-2] [MQTT-4.8.0-1] PUBLISH with QoS 0 and DUP', bytes: '38 03 0001 "a"' },
    { title: 'v311 [MQTT-3.3.1-4] [MQTT-4.8.0-1] PUBLISH with QoS 3', bytes: '36 05 0001 "a" 0001' },
    { title: 'v311 [MQTT-2.3.1-1] PUBLISH with Packet Identifier 0', bytes: '32 05 0001 "a" 0000' },
    { title: 'v311 [MQTT-3.3.2-1] [MQTT-1.5.3-1] Topic Name with a lone 80', bytes: '30 03 0001 80' },
    { title: 'v311 [MQTT-3.3.2-1] Topic Name longer than the packet', bytes: '30 03 0009 "a"' },
    { title: 'v311 [MQTT-1.5.3-2] [MQTT-4.7.3-2] Topic Name with NUL', bytes: '30 05 0003 6100 62' },
    { title: 'v311 [MQTT-3.3.2-2] [MQTT-4.7.1-1] Topic Name with +', bytes: '30 05 0003 "a/+"' },
    { title: 'v311 [MQTT-3.3.2-2] [MQTT-4.7.1-1] Topic Name with #', bytes: '30 03 0001 "#"' },
    { title: 'v311 [MQTT-4.7.3-1] empty Topic Name', bytes: '30 02 0000' },
    { title: 'v311 [MQTT-2.2.2-1] [MQTT-2.2.2-2] PINGREQ with a flag', bytes: 'C1 00' },
    { title: 'v311 [MQTT-2.2.2-2] PUBACK with flags 2', bytes: '42 02 0001' },
    { title: 'v311 [MQTT-2.2.2-2] PUBREC with flags 1', bytes: '51 02 0001' },
    { title: 'v311 [MQTT-2.2.2-2] PUBCOMP with flags 8', bytes: '78 02 0001' },
    { title: 'v311 [MQTT-3.14.1-1] DISCONNECT with a flag', bytes: 'E1 00' },
    { title: 'v311 [MQTT-3.6.1-1] PUBREL with flags 0', bytes: '60 02 0001' },
    { title: 'v311 [MQTT-3.6.1-1] PUBREL with flags 3', bytes: '63 02 0001' },
    { title: 'v311 [MQTT-3.8.1-1] SUBSCRIBE with flags 0', bytes: '80 06 0001 0001 "a" 00' },
    { title: 'v311 [MQTT-3.8.1-1] SUBSCRIBE with flags 10', bytes: '8A 06 0001 0001 "a" 00' },
    { title: 'v311 [MQTT-3.10.1-1] UNSUBSCRIBE with flags 0', bytes: 'A0 05 0001 0001 "a"' },
    { title: 'v311 [MQTT-3.10.1-1] UNSUBSCRIBE with flags 6', bytes: 'A6 05 0001 0001 "a"' },
    { title: 'v311 [MQTT-2.3.1-1] SUBSCRIBE with Packet Identifier 0', bytes: '82 06 0000 0001 "a" 00' },
    { title: 'v311 [MQTT-2.3.1-1] UNSUBSCRIBE with Packet Identifier 0', bytes: 'A2 05 0000 0001 "a"' },
    { title: 'v311 [MQTT-3.8.3-1] Topic Filter with C0 80', bytes: '82 07 0001 0002 C080 00' },
    { title: 'v311 [MQTT-3.8.3-3] SUBSCRIBE without a filter', bytes: '82 02 0001' },
    { title: 'v311 [MQTT-3.8.3-3] Topic Filter without a QoS', bytes: '82 05 0001 0001 "a"' },
    { title: 'v311 [MQTT-3.8.3-4] requested QoS 3', bytes: '82 06 0001 0001 "a" 03' },
    { title: 'v311 [MQTT-3.8.3-4] reserved bit 2 of the requested QoS', bytes: '82 06 0001 0001 "a" 04' },
    { title: 'v311 [MQTT-3.8.3-4] reserved bit 7 of the requested QoS', bytes: '82 06 0001 0001 "a" 80' },
    { title: 'v311 [MQTT-4.7.1-2] Topic Filter a#', bytes: '82 07 0001 0002 "a#" 00' },
    { title: 'v311 [MQTT-4.7.1-2] Topic Filter #/', bytes: '82 07 0001 0002 "#/" 00' },
    { title: 'v311 [MQTT-4.7.1-3] Topic Filter a+', bytes: '82 07 0001 0002 "a+" 00' },
    { title: 'v311 [MQTT-4.7.1-3] Topic Filter +a', bytes: '82 07 0001 0002 "+a" 00' },
    { title: 'v311 [MQTT-4.7.3-1] empty Topic Filter', bytes: '82 05 0001 0000 00' },
    { title: 'v311 [MQTT-4.7.3-2] Topic Filter with NUL', bytes: '82 06 0001 0001 00 00' },
    { title: 'v311 [MQTT-3.10.3-1] UNSUBSCRIBE with ED A0 80', bytes: 'A2 07 0001 0003 EDA080' },
    { title: 'v311 [MQTT-3.10.3-2] UNSUBSCRIBE without a filter', bytes: 'A2 02 0001' },
    { title: 'v311 [MQTT-4.8.0-1] SUBACK from a client', bytes: '90 03 0001 00' },
    { title: 'v311 [MQTT-4.8.0-1] CONNACK from a client', bytes: '20 02 0000' },
    { title: 'v311 [MQTT-4.8.0-1] AUTH, which 3.1.1 has not', bytes: 'F0 00' },
    { title: 'v311 [MQTT-4.8.0-1] packet type 0', bytes: '00 00' },
    { title: 'v311 [MQTT-4.8.0-1] PUBACK with a byte too many', bytes: '40 03 0001 00' },
  ];

  for (const { title, bytes } of cases)
    test(title, async () => {
      const broker = await startBroker(resources);
      const canary = await connect(broker, { clientId: 'canary' });
      await canary.subscribe('w', 'still');
      const client = await connect(broker, { clientId: 'c', will: { topic: 'w', payload: 'gone' } });
      client.send(bytes, v311.publish({ topic: 'still', payload: 'from the broken one' }));
      await client.expectClosed();
      await canary.expectPublish({ topic: 'w', payload: 'gone' });
      await canary.publish({ topic: 'still', payload: 'served' });
      await canary.expectPublish({ topic: 'still', payload: 'served' });
    });
});

test('v311 [MQTT-1.5.3-3] a byte order mark is a character like any other', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe('\uFEFFa');
  await client.publish({ topic: 'a', payload: 'without' });
  await client.publish({ topic: '\uFEFFa', payload: 'with' });
  await client.expectPublish({ topic: '\uFEFFa', payload: 'with' });
});

test('v311 [MQTT-2.3.1-5] [MQTT-4.3.1-1] [MQTT-3.3.2-3] QoS 0 has no Packet Identifier and no DUP, and the topic it was published to', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe('a/+');
  client.send('30 06 0003 "a/b" "x"');
  await client.expect('30 06 0003 "a/b" "x"');
});

test.each([1, 256, 65_535])(
  'v311 [MQTT-2.3.1-6] [MQTT-3.3.4-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2] acknowledgements repeat Packet Identifier %i',
  async (packetId) => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    client.send(v311.publish({ topic: 'a', qos: 1, packetId }));
    await client.expect(v311.puback({ packetId }));
    client.send(v311.publish({ topic: 'a', qos: 2, packetId }));
    await client.expect(v311.pubrec({ packetId }));
    client.send(v311.pubrel({ packetId }));
    await client.expect(v311.pubcomp({ packetId }));
  },
);

test('v311 [MQTT-2.3.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] deliveries have identifiers of their own, again only after the acknowledgement', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe({ filter: 'a', qos: 2 });
  const publisher = await connect(broker, { clientId: 'p' });
  for (const qos of [1, 2, 1, 2] as const) await publisher.publish({ topic: 'a', qos });
  const received = await client.drainPublishes();
  expect(received.map(({ dup }) => dup)).toEqual([false, false, false, false]);
  expect(new Set(received.map(({ packetId }) => packetId)).size).toBe(4);
  expect(received.every(({ packetId }) => packetId > 0)).toBe(true);
});

test('v311 [MQTT-3.3.1-3] DUP of the publisher is not passed on', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe({ filter: 'a', qos: 1 });
  client.send(v311.publish({ topic: 'a', payload: 'x', qos: 1, packetId: 5, dup: true }));
  await client.expectPublish({ payload: 'x', dup: false });
  await client.expect(v311.puback({ packetId: 5 }));
});

describe('retained messages', () => {
  test('v311 [MQTT-3.3.1-5] [MQTT-3.3.1-8] are kept with their QoS and replayed with RETAIN 1', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.publish({ topic: 'a', payload: 'x', qos: 1, retain: true });
    await client.subscribe({ filter: 'a', qos: 2 });
    await client.expectPublish({ payload: 'x', qos: 1, retain: true, dup: false });
  });

  test('v311 [MQTT-3.3.1-6] the last of each matching topic is sent to a new subscription', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    for (const [topic, payload] of [
      ['a/1', 'old'],
      ['a/2', 'two'],
      ['a/1', 'new'],
      ['b', 'other'],
    ] as const) {
      await client.publish({ topic, payload, retain: true, qos: 1 });
    }
    await client.subscribe('a/#');
    expect((await client.drainPublishes()).map(({ topic, text }) => [topic, text])).toEqual([
      ['a/1', 'new'],
      ['a/2', 'two'],
    ]);
  });

  test('v311 [MQTT-3.3.1-7] a QoS 0 one takes the place of the one before', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.publish({ topic: 'a', payload: 'one', retain: true, qos: 1 });
    await client.publish({ topic: 'a', payload: 'zero', retain: true, qos: 0 });
    await client.subscribe({ filter: 'a', qos: 2 });
    expect((await client.drainPublishes()).map(({ text }) => text)).toEqual(['zero']);
  });

  test('v311 [MQTT-3.3.1-9] live forwarding has RETAIN 0', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.subscribe('a');
    await client.publish({ topic: 'a', payload: 'x', retain: true });
    await client.expectPublish({ payload: 'x', retain: false });
  });

  test('v311 [MQTT-3.3.1-10] [MQTT-3.3.1-11] an empty one is delivered, clears, and is never stored', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.publish({ topic: 'a', payload: 'x', retain: true });
    await client.subscribe('a');
    await client.expectPublish({ payload: 'x', retain: true });
    await client.publish({ topic: 'a', payload: '', retain: true });
    await client.expectPublish({ payload: '' });
    const late = await connect(broker, { clientId: 'late' });
    await late.subscribe('a');
    await late.expectNothing();
  });

  test('v311 [MQTT-3.3.1-12] RETAIN 0 neither stores nor removes', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.publish({ topic: 'a', payload: 'kept', retain: true });
    await client.publish({ topic: 'a', payload: 'plain' });
    await client.publish({ topic: 'a', payload: '' });
    await client.subscribe('a');
    expect((await client.drainPublishes()).map(({ text }) => text)).toEqual(['kept']);
  });
});

test('v311 [MQTT-3.3.5-1] overlapping subscriptions: the highest QoS is among what is delivered', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe({ filter: 'a/#', qos: 0 }, { filter: 'a/b', qos: 2 });
  const publisher = await connect(broker, { clientId: 'p' });
  await publisher.publish({ topic: 'a/b', qos: 2 });
  expect((await client.drainPublishes()).map(({ qos }) => qos).sort()).toEqual([0, 2]);
});

test('v311 [MQTT-3.3.5-1] with allow_duplicate_messages false there is one copy, at the highest QoS', async () => {
  const broker = await startBroker(resources, { options: { allowDuplicateMessages: false } });
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe({ filter: 'a/#', qos: 0 }, { filter: 'a/b', qos: 2 });
  const publisher = await connect(broker, { clientId: 'p' });
  await publisher.publish({ topic: 'a/b', qos: 2 });
  expect((await client.drainPublishes()).map(({ qos }) => qos)).toEqual([2]);
});

test.each([1, 2] as const)(
  'v311 [MQTT-3.3.5-2] a PUBLISH at QoS %i that is not allowed is acknowledged as usual and goes nowhere',
  async (qos) => {
    const broker = await startBroker(resources, {
      authorizer: { authorize: (_client, action, topic) => action !== 'publish' || topic !== 'secret' },
    });
    const client = await connect(broker, { clientId: 'c' });
    await client.subscribe('#');
    await client.publish({ topic: 'secret', qos });
    await client.publish({ topic: 'open', payload: 'x' });
    expect((await client.drainPublishes()).map(({ topic }) => topic)).toEqual(['open']);
  },
);

test('v311 [MQTT-3.12.4-1] PINGREQ is answered by PINGRESP', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c' });
  client.send('C0 00');
  await client.expect('D0 00');
});

test('v311 [MQTT-3.14.4-1] [MQTT-3.14.4-2] the broker closes after DISCONNECT and does nothing of what follows it', async () => {
  const broker = await startBroker(resources);
  const observer = await connect(broker, { clientId: 'o' });
  await observer.subscribe('#');
  const client = await connect(broker, { clientId: 'c' });
  client.send('E0 00', v311.publish({ topic: 'late' }));
  await client.expectClosed();
  await observer.expectNothing();
});
