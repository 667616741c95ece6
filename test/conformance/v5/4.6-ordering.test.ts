import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import type { RawClient } from '../wire/client.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';
import type { ReceivedPublish } from '../wire/received.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** The numbers from `first` to `last`. */
function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A subscriber to `#` at QoS 2 with a session that lasts. */
async function subscribe(broker: ConformanceBroker, receiveMaximum: number, clientId = 's'): Promise<Connected> {
  const properties = [expiry, property.receiveMaximum(receiveMaximum)];
  const subscriber = await broker.connect({ clientId, keepAlive: 0, properties });
  await subscriber.subscribe({ filter: '#', qos: 2 });
  return subscriber;
}

/** Publishes numbers to `a` in bursts of as many as the broker takes at a time. */
async function publishNumbers(publisher: Connected, first: number, last: number, qos: 0 | 1 | 2): Promise<void> {
  for (let from = first; from <= last; from += 20) {
    const burst = numbers(from, Math.min(from + 19, last));
    const ids = burst.map((_, index) => index + 1);
    publisher.send(
      ...burst.map((number, index) => v5.publish({ topic: 'a', payload: `${number}`, qos, packetId: index + 1 })),
    );
    if (qos === 0) continue;
    // Answers come in the order of what they answer.
    for (const packetId of ids) {
      expect(await publisher.expectPacket(qos === 1 ? 'puback' : 'pubrec')).toMatchObject({ packetId, reasonCode: 0 });
    }
    if (qos === 1) continue;
    publisher.send(...ids.map((packetId) => v5.pubrel({ packetId })));
    for (const packetId of ids) expect((await publisher.expectPacket('pubcomp')).packetId).toBe(packetId);
  }
  await publisher.expectNothing();
}

/** Takes messages and acknowledges each, up to the last one wanted; what comes behind it is left alone. Returns their numbers. */
async function takeUntil(subscriber: RawClient, isLast: (found: readonly number[]) => boolean): Promise<number[]> {
  const found: number[] = [];
  const unreleased: number[] = [];
  let isDone = false;
  while (!isDone || unreleased.length > 0) {
    const packet = await subscriber.next();
    if (packet.type === 'pubrel') {
      expect(packet.packetId).toBe(unreleased.shift()); // PUBREL in the order of PUBREC
      subscriber.send(v5.pubcomp({ packetId: packet.packetId }));
      continue;
    }
    if (isDone) continue;
    const { text, qos, packetId } = packet as ReceivedPublish;
    found.push(Number(text));
    isDone = isLast(found);
    if (qos === 1) subscriber.send(v5.puback({ packetId }));
    if (qos !== 2) continue;
    subscriber.send(v5.pubrec({ packetId }));
    unreleased.push(packetId);
  }
  return found;
}

/** The next `count` messages. */
function take(subscriber: RawClient, count: number): Promise<number[]> {
  return takeUntil(subscriber, (found) => found.length === count);
}

for (const qos of [0, 1, 2] as const) {
  test(`v5 [MQTT-4.6.0-5] [MQTT-4.6.0-6] a thousand messages of QoS ${qos} arrive in the order they were published`, async () => {
    const broker = await startBroker(resources, { options: { maxQueuedMessages: 0 } });
    const subscriber = await subscribe(broker, 20);
    const slow = await subscribe(broker, 1, 'slow');
    const publisher = await broker.connect({ clientId: 'p' });
    await publishNumbers(publisher, 1, 1000, qos);
    expect(await take(subscriber, 1000)).toEqual(numbers(1, 1000));
    expect(await take(slow, 1000)).toEqual(numbers(1, 1000));
  });
}

for (const qos of [1, 2] as const) {
  test(`v5 [MQTT-4.6.0-5] [MQTT-4.6.0-6] at QoS ${qos} what waited comes before what is live, across the moment of coming back`, async () => {
    const broker = await startBroker(resources, { options: { maxQueuedMessages: 0 } });
    const subscriber = await subscribe(broker, 5);
    const publisher = await broker.connect({ clientId: 'p' });
    await publishNumbers(publisher, 1, 100, qos);
    const seen = await take(subscriber, 20);
    await broker.kill(subscriber);
    await publishNumbers(publisher, 101, 200, qos);
    // It comes back while the publisher goes on.
    const back = await broker.open();
    const live = publishNumbers(publisher, 201, 400, qos);
    back.send(v5.connect({ clientId: 's', cleanStart: false, properties: [expiry, property.receiveMaximum(3)] }));
    expect((await back.expectPacket('connack')).sessionPresent).toBe(true);
    // What was under way is sent again, so it may be seen twice; after that all is new and in order.
    const rest = await takeUntil(back, (found) => found.at(-1) === 400);
    await live;
    expect(rest[0]).toBeLessThanOrEqual(21);
    expect(rest).toEqual(numbers(rest[0] ?? 0, 400));
    expect([...new Set([...seen, ...rest])]).toEqual(numbers(1, 400));
  });

  test(`v5 [MQTT-4.6.0-5] at QoS ${qos} also across a restart of the broker`, async () => {
    const broker = await startBroker(resources, {
      options: { persistence: true, persistenceLocation: tempDir(resources), maxQueuedMessages: 0 },
    });
    const subscriber = await subscribe(broker, 5);
    const publisher = await broker.connect({ clientId: 'p' });
    await publishNumbers(publisher, 1, 60, qos);
    await subscriber.drain(); // five are under way
    await broker.restart();
    const again = await broker.connect({ clientId: 'p' });
    await publishNumbers(again, 61, 100, qos);
    const back = await broker.connect({ clientId: 's', cleanStart: false, properties: [expiry] });
    const live = publishNumbers(again, 101, 120, qos);
    expect(await take(back, 120)).toEqual(numbers(1, 120));
    await live;
  });
}

test('v5 [MQTT-4.6.0-5] a full window, QoS 0 in between and other topics do not change the order of a topic', async () => {
  const broker = await startBroker(resources);
  const subscriber = await subscribe(broker, 2);
  const publisher = await broker.connect({ clientId: 'p' });
  const sent: string[] = [];
  for (const number of numbers(1, 60)) {
    const topic = `t/${number % 3}`;
    const qos = ((number % 4) % 3) as 0 | 1 | 2;
    sent.push(`${topic} ${qos} ${number}`);
    await publisher.publish({ topic, payload: `${number}`, qos });
  }
  await publisher.expectNothing();
  const received: string[] = [];
  while (received.length < 60) {
    for (const packet of await subscriber.drain()) {
      if (packet.type === 'publish') {
        received.push(`${packet.topic} ${packet.qos} ${packet.text}`);
        if (packet.qos === 1) subscriber.send(v5.puback({ packetId: packet.packetId }));
        if (packet.qos === 2) subscriber.send(v5.pubrec({ packetId: packet.packetId }));
      } else if (packet.type === 'pubrel') {
        subscriber.send(v5.pubcomp({ packetId: packet.packetId }));
      }
    }
  }
  // Of one topic and one QoS.
  const kinds = new Set(sent.map((line) => line.slice(0, 5)));
  expect(kinds.size).toBe(9);
  for (const kind of kinds) {
    const of = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith(kind));
    expect(of(received)).toEqual(of(sent));
  }
});

test('v5 [MQTT-4.6.0-5] each publisher has its own order, and the same for every subscriber', async () => {
  const broker = await startBroker(resources, { options: { maxQueuedMessages: 0 } });
  const one = await subscribe(broker, 3, 'one');
  const two = await subscribe(broker, 20, 'two');
  const publishers = [await broker.connect({ clientId: 'p' }), await broker.connect({ clientId: 'q' })];
  await Promise.all(
    publishers.map((publisher, index) => publishNumbers(publisher, index * 1000 + 1, index * 1000 + 200, 1)),
  );
  for (const subscriber of [one, two]) {
    const found = await take(subscriber, 400);
    expect(found.filter((number) => number < 1000)).toEqual(numbers(1, 200));
    expect(found.filter((number) => number > 1000)).toEqual(numbers(1001, 1200));
  }
});

test('v5 [MQTT-4.6.0-5] the order of QoS 2 is that in which its publisher let go', async () => {
  const broker = await startBroker(resources);
  const subscriber = await subscribe(broker, 20);
  const publisher = await broker.connect({ clientId: 'p' });
  for (const packetId of [1, 2, 3]) {
    publisher.send(v5.publish({ topic: 'a', payload: `${packetId}`, qos: 2, packetId }));
    await publisher.expectPacket('pubrec');
  }
  await subscriber.expectNothing();
  for (const packetId of [1, 2, 3]) publisher.send(v5.pubrel({ packetId }));
  for (const packetId of [1, 2, 3]) expect((await publisher.expectPacket('pubcomp')).packetId).toBe(packetId);
  expect(await take(subscriber, 3)).toEqual([1, 2, 3]);
});

test('v5 [MQTT-4.6.0-5] while somebody is asked for permission, what is behind waits', async () => {
  const broker = await startBroker(resources, {
    // The answer to odd questions takes several turns.
    authorizer: {
      authorize: async (_client, action, topic) => {
        if (action === 'publish' && topic === 'a') await new Promise((resolve) => setImmediate(resolve));
        return true;
      },
    },
  });
  const subscriber = await subscribe(broker, 20);
  const publisher = await broker.connect({ clientId: 'p' });
  for (const [index, qos] of ([0, 1, 2] as const).entries()) {
    await publishNumbers(publisher, index * 20 + 1, index * 20 + 20, qos);
    expect(await take(subscriber, 20)).toEqual(numbers(index * 20 + 1, index * 20 + 20));
  }
});
