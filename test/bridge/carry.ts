/** What a bridge is for, whoever is at its ends. */
import { expect } from 'vitest';
import type { Connected, Place } from '../behaviour/either-broker.ts';
import type { BrokerName } from '../harness/brokers.ts';
import type { Resources } from '../harness/resources.ts';
import { startBridged, startRemote, untilSubscribed } from './places.ts';

/** A client that hears everything, and another that publishes. */
export async function clientsOf(place: Place): Promise<{ readonly all: Connected; readonly publisher: Connected }> {
  const all = await place.connect({ clientId: 'all' });
  await all.subscribe({ filter: '#', qos: 2 });
  return { all, publisher: await place.connect({ clientId: 'publisher' }) };
}

/** Everything a client gets until a message of this payload comes, acknowledged. */
export async function heardUntil(client: Connected, last: string, times = 1): Promise<string[]> {
  const heard: string[] = [];
  for (let left = times; left > 0; ) {
    const packet = await client.next();
    if (packet.type === 'pubrel') client.send(client.packets.pubcomp({ packetId: packet.packetId }));
    if (packet.type !== 'publish') continue;
    const { packetId, qos, topic, text, retain } = packet;
    if (qos === 1) client.send(client.packets.puback({ packetId }));
    if (qos === 2) client.send(client.packets.pubrec({ packetId }));
    if (text === last) left--;
    else heard.push(`${topic} ${text} q${qos} r${retain ? 1 : 0}`);
  }
  return heard;
}

/** Messages out, in and both ways, with prefixes, at every QoS, retained ones among them. */
export async function carryEverything(
  resources: Resources,
  hereName: BrokerName,
  thereName: BrokerName,
  version: string,
): Promise<void> {
  const there = await startRemote(resources, thereName);
  const lines = [
    `bridge_protocol_version ${version}`,
    ...[0, 1, 2].map((qos) => `topic up${qos}/# out ${qos} here/ there/`),
    ...[0, 1, 2].map((qos) => `topic down${qos}/+ in ${qos} here/ there/`),
    ...['topic both/# both 2', 'topic "" out 1 single one/topic'],
  ];
  const here = await startBridged(resources, there.broker.port(), lines, { name: hereName });
  await untilSubscribed(there, 4);
  const [near, far] = [await clientsOf(here), await clientsOf(there)];
  for (const qos of [0, 1, 2]) {
    await near.publisher.publish({ topic: `here/up${qos}/x`, payload: 'u', qos: 2 });
    await near.publisher.publish({ topic: `here/down${qos}/x`, payload: 'not out', qos: 2 });
    await far.publisher.publish({ topic: `there/down${qos}/x`, payload: 'd', qos: 2 });
    await far.publisher.publish({ topic: `there/down${qos}/x/deeper`, payload: 'not in', qos: 2 });
  }
  await near.publisher.publish({ topic: 'single', payload: 's', qos: 1 });
  await near.publisher.publish({ topic: 'both/r', payload: 'near', qos: 2, retain: true });
  await far.publisher.publish({ topic: 'both/s', payload: 'far', qos: 1, retain: true });
  await near.publisher.publish({ topic: 'both/end', payload: 'end', qos: 2 });
  await far.publisher.publish({ topic: 'both/end', payload: 'end of far', qos: 2 });
  const atFar = await heardUntil(far.all, 'end');
  const atNear = await heardUntil(near.all, 'end of far');
  // Only messages of one QoS have an order.
  expect(atFar.filter((line) => /^(?:there.up|one|both.r)/.test(line)).sort()).toEqual([
    ...['both/r near q2 r0', 'one/topic s q1 r0'],
    ...['there/up0/x u q0 r0', 'there/up1/x u q1 r0', 'there/up2/x u q2 r0'],
  ]);
  expect(atNear.filter((line) => / (?:d|far) /.test(line)).sort()).toEqual([
    ...['both/s far q1 r0', 'here/down0/x d q0 r0', 'here/down1/x d q1 r0', 'here/down2/x d q2 r0'],
  ]);
  expect(atFar.filter((line) => line.includes('not out'))).toEqual([]);
  expect(atNear.filter((line) => line.includes('not in'))).toEqual([]);
  // What is retained is retained on the other side too.
  const late = [await here.connect(), await there.connect()];
  for (const client of late) await client.subscribe('both/r', 'both/s');
  for (const client of late) {
    const texts = [await client.expectPublish({ retain: true }), await client.expectPublish({ retain: true })];
    expect(texts.map(({ text }) => text).sort()).toEqual(['far', 'near']);
    await client.expectNothing();
  }
  // Nothing is said twice: the own messages have not come back.
  await near.publisher.publish({ topic: 'both/end', payload: 'later', qos: 2 });
  atNear.push(...(await heardUntil(near.all, 'later')));
  expect(atNear.filter((line) => line.includes(' near '))).toHaveLength(1);
}
