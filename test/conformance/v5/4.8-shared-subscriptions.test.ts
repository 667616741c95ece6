import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

const expiry = property.sessionExpiryInterval(600);

/** Two members of `$share/g/a` with QoS 2 and one outstanding message each, and a publisher. */
async function group(
  broker: ConformanceBroker,
  qos: 0 | 1 | 2 = 2,
): Promise<{ publisher: Connected; members: readonly [Connected, Connected] }> {
  const publisher = await broker.connect({ clientId: 'p' });
  const one = await broker.connect({ clientId: 'one', properties: [expiry] });
  const two = await broker.connect({ clientId: 'two', properties: [expiry] });
  for (const member of [one, two]) await member.subscribe({ filter: '$share/g/a', qos });
  return { publisher, members: [one, two] };
}

/** The member that got the next message, and that message. */
async function chosen(
  members: readonly [Connected, Connected],
): Promise<{ member: Connected; other: Connected; packetId: number }> {
  const [one, two] = members;
  const [first] = await one.drainPublishes();
  const [second] = await two.drainPublishes();
  expect([first, second].filter((publish) => publish !== undefined)).toHaveLength(1); // to one of them
  return first === undefined
    ? { member: two, other: one, packetId: second?.packetId ?? 0 }
    : { member: one, other: two, packetId: first.packetId };
}

// Form

for (const [title, filters] of [
  ['v5 [MQTT-4.8.2-1] a Share Name of no characters, or no Share Name', ['$share//a', '$share/', '$share', '$share//']],
  [
    'v5 [MQTT-4.8.2-2] a Share Name without a filter, or with a wildcard',
    ['$share/g', '$share/g/', '$share/g+/a', '$share/#/a', '$share/+/a', '$share/g#/a'],
  ],
] as const) {
  test(`${title}: protocol error, nothing is subscribed; UNSUBSCRIBE likewise`, async () => {
    const broker = await startBroker(resources);
    for (const filter of filters) {
      for (const request of [v5.subscribe({ filters: ['fine', filter] }), v5.unsubscribe({ filters: [filter] })]) {
        const client = await broker.connect();
        client.send(request);
        await client.expectError(0x82);
      }
    }
    expect(broker.running.broker.gauges().subscriptionsCount).toBe(0);
  });
}

test('v5 [MQTT-4.8.2-1] [MQTT-4.8.2-2] any other Share Name is taken, and what stands behind it is the filter', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('$share/g//x', '$share/ü/x', '$share/$share/x', '$share/ /x', '$share/g/$share/h/x');
  for (const [topic, count] of [
    ['/x', 1],
    ['x', 3],
  ] as const) {
    client.send(v5.publish({ topic }));
    expect(await client.drainPublishes()).toHaveLength(count);
  }
});

test('v5 [MQTT-4.8.2-1] $SHARE and $shared are ordinary filters', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('$SHARE/g/a', '$shared/g/a', '$Share/+/a');
  for (const topic of ['$SHARE/g/a', '$shared/g/a', '$Share/g/a']) {
    client.send(v5.publish({ topic }));
    await client.expectPublish({ topic });
  }
  client.send(v5.publish({ topic: 'a' }));
  await client.expectNothing();
});

// Who gets what

test('v5 [MQTT-4.8.2-3] each message goes to one member of each group, and to every ordinary subscription', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const members: Connected[] = [];
  for (const [clientId, filters] of [
    ['a1', ['$share/a/t']],
    ['a2', ['$share/a/t']],
    ['b1', ['$share/b/t']],
    ['w', ['$share/a/#']], // the same name with another filter is another group
    ['o', ['t']],
  ] as const) {
    const client = await broker.connect({ clientId });
    await client.subscribe(...filters);
    members.push(client);
  }
  for (let count = 0; count < 10; count++) await publisher.publish({ topic: 't', qos: 1 });
  const counts = [];
  for (const member of members) counts.push((await member.drainPublishes()).length);
  expect(counts).toEqual([5, 5, 10, 10, 10]);
});

test('v5 [MQTT-4.8.2-3] each member gets its share with its own QoS, and its own Subscription Identifier', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const members: Connected[] = [];
  for (const qos of [0, 1, 2] as const) {
    const member = await broker.connect({ clientId: `q${qos}` });
    const properties = [property.subscriptionIdentifier(qos + 1)];
    member.send(v5.subscribe({ filters: [{ filter: '$share/g/a', qos }], properties }));
    await member.expectPacket('suback');
    members.push(member);
  }
  for (const published of [2, 1, 0] as const) {
    for (let count = 0; count < 3; count++) await publisher.publish({ topic: 'a', qos: published });
    await publisher.drain();
    for (const [granted, member] of members.entries()) {
      const qos = Math.min(published, granted) as 0 | 1 | 2;
      const publish = await member.expectPublish({ qos, properties: [['subscriptionIdentifier', granted + 1]] });
      await member.acknowledge(publish);
    }
  }
});

test('[U5-13] what is retained is not replayed to a Shared Subscription, whatever its Retain Handling', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.publish({ topic: 'a', payload: 'kept', retain: true });
  for (const retainHandling of [0, 1, 2] as const) {
    await client.subscribe({ filter: `$share/g${retainHandling}/a`, retainHandling });
    await client.subscribe({ filter: `$share/g${retainHandling}/a`, retainHandling });
  }
  await client.expectNothing();
  await client.subscribe('a');
  await client.expectPublish({ payload: 'kept', retain: true });
});

test('[U5-22] subscribing twice to the same Shared Subscription does not double the share', async () => {
  const broker = await startBroker(resources);
  const { publisher, members } = await group(broker, 0);
  const [one, two] = members;
  for (let count = 0; count < 3; count++) await one.subscribe('$share/g/a');
  for (let count = 0; count < 10; count++) await publisher.publish({ topic: 'a', qos: 1 });
  expect(await one.drainPublishes()).toHaveLength(5);
  expect(await two.drainPublishes()).toHaveLength(5);
  one.send(v5.unsubscribe({ filters: ['$share/g/a'] }));
  await one.expectPacket('unsuback');
  for (let count = 0; count < 10; count++) await publisher.publish({ topic: 'a', qos: 1 });
  await one.expectNothing();
  expect(await two.drainPublishes()).toHaveLength(10);
});

// A QoS 2 delivery that has begun

test('v5 [MQTT-4.8.2-4] a QoS 2 delivery that a member has begun is finished with it when it comes back', async () => {
  const broker = await startBroker(resources);
  const { publisher, members } = await group(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2 });
  const { member, other, packetId } = await chosen(members);
  const clientId = member === members[0] ? 'one' : 'two';
  await broker.kill(member);
  const again = await broker.connect({ clientId, cleanStart: false, properties: [expiry] });
  const publish = await again.expectPublish({ payload: 'x', qos: 2, dup: true, packetId });
  again.send(v5.pubrec({ packetId }));
  await again.expect(v5.pubrel({ packetId }));
  await broker.kill(again);
  const third = await broker.connect({ clientId, cleanStart: false, properties: [expiry] });
  await third.expect(v5.pubrel({ packetId })); // after PUBREC the PUBLISH is not sent again
  third.send(v5.pubcomp({ packetId }));
  await third.expectNothing();
  await other.expectNothing();
  expect(publish.text).toBe('x');
});

test('v5 [MQTT-4.8.2-5] if its session expires instead, the message goes to nobody', async () => {
  const broker = await startBroker(resources);
  const { publisher, members } = await group(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2 });
  const { member, other } = await chosen(members);
  await broker.kill(member);
  for (let minute = 0; minute < 12; minute++) {
    await broker.advance(55);
    await other.expectNothing(); // keeps it alive
    await publisher.drain();
  }
  expect(broker.running.broker.gauges().clientsTotal).toBe(2);
  await publisher.publish({ topic: 'a', payload: 'marker', qos: 2 });
  await other.expectPublish({ payload: 'marker' });
});

test('v5 [MQTT-4.8.2-5] nor if it comes back with Clean Start', async () => {
  const broker = await startBroker(resources);
  const { publisher, members } = await group(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2 });
  const { member, other } = await chosen(members);
  await broker.kill(member);
  const fresh = await broker.connect({ clientId: member === members[0] ? 'one' : 'two' });
  await fresh.expectNothing();
  await other.expectNothing();
  await publisher.publish({ topic: 'a', payload: 'marker', qos: 2 });
  await other.expectPublish({ payload: 'marker' });
});

test('v5 [MQTT-4.8.2-5] nor if it ends its session with DISCONNECT, or leaves the group', async () => {
  const broker = await startBroker(resources);
  for (const ending of ['disconnect', 'unsubscribe'] as const) {
    const { publisher, members } = await group(broker);
    await publisher.publish({ topic: 'a', payload: 'x', qos: 2 });
    const { member, other } = await chosen(members);
    if (ending === 'disconnect') await member.disconnect(0x00, [property.sessionExpiryInterval(0)]);
    else {
      member.send(v5.unsubscribe({ filters: ['$share/g/a'] }));
      await member.expectPacket('unsuback');
    }
    await other.expectNothing();
    await publisher.publish({ topic: 'a', payload: 'marker', qos: 2 });
    await other.expectPublish({ payload: 'marker' });
    for (const client of [publisher, other]) await client.disconnect();
    if (ending === 'unsubscribe') await member.disconnect();
  }
});

test('v5 [MQTT-4.8.2-5] nor by a last member that goes: who joins later gets nothing of before', async () => {
  const broker = await startBroker(resources);
  const { publisher, members } = await group(broker);
  await publisher.publish({ topic: 'a', payload: 'x', qos: 2 });
  for (const member of members) {
    await member.drain();
    await member.disconnect(0x00, [property.sessionExpiryInterval(0)]);
  }
  await publisher.publish({ topic: 'a', payload: 'to nobody', qos: 2 });
  const late = await broker.connect({ clientId: 'late' });
  await late.subscribe({ filter: '$share/g/a', qos: 2 });
  await publisher.publish({ topic: 'a', payload: 'marker', qos: 2 });
  await late.expectPublish({ payload: 'marker' });
});

// Refused deliveries

for (const [what, qos, answer] of [
  ['PUBACK', 1, (packetId: number) => v5.puback({ packetId, reasonCode: 0x80 })],
  ['PUBREC', 2, (packetId: number) => v5.pubrec({ packetId, reasonCode: 0x97 })],
] as const) {
  test(`v5 [MQTT-4.8.2-6] a ${what} of 0x80 or above discards the message: no other member gets it`, async () => {
    const broker = await startBroker(resources);
    const { publisher, members } = await group(broker, qos);
    await publisher.publish({ topic: 'a', payload: 'x', qos });
    const { member, other, packetId } = await chosen(members);
    member.send(answer(packetId));
    await member.expectNothing();
    await other.expectNothing();
    await publisher.publish({ topic: 'a', payload: 'marker', qos });
    const next = await chosen(members);
    await next.member.expectNothing();
  });
}

test('v5 [MQTT-4.8.2-6] also when it is the only one in the group, and after a resumption', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const member = await broker.connect({ clientId: 'm', properties: [expiry] });
  await member.subscribe({ filter: '$share/g/a', qos: 1 });
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
  const { packetId } = await member.expectPublish({ payload: 'x' });
  member.send(v5.puback({ packetId, reasonCode: 0x87 }));
  await member.expectNothing();
  await broker.kill(member);
  const again = await broker.connect({ clientId: 'm', cleanStart: false, properties: [expiry] });
  expect(again.connack.sessionPresent).toBe(true);
  await again.expectNothing();
  await publisher.publish({ topic: 'a', payload: 'next', qos: 1 });
  await again.expectPublish({ payload: 'next' });
});

test('v5 [MQTT-4.8.2-6] a refusal gives the send quota back', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const member = await broker.connect({ clientId: 'm', properties: [property.receiveMaximum(1)] });
  await member.subscribe({ filter: '$share/g/a', qos: 2 });
  for (const payload of ['1', '2', '3']) await publisher.publish({ topic: 'a', payload, qos: 2 });
  for (const payload of ['1', '2', '3']) {
    const { packetId } = await member.expectPublish({ payload });
    member.send(v5.pubrec({ packetId, reasonCode: 0x80 }));
  }
  await member.expectNothing();
});
