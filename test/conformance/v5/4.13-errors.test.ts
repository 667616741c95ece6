import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import { type Bytes, bytes, packet } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

/** What a client that is let in may do wrong, and the Reason Code of the DISCONNECT. */
const mistakes: readonly (readonly [what: string, wrong: Bytes, reasonCode: number])[] = [
  ['packet type 0', '00 00', 0x82],
  ['a second CONNECT', v5.connect(), 0x82],
  ['CONNACK', '20 03 00 00 00', 0x82],
  ['SUBACK', '90 04 00 01 00 00', 0x82],
  ['UNSUBACK', 'B0 04 00 01 00 00', 0x82],
  ['PINGRESP', 'D0 00', 0x82],
  ['AUTH', v5.auth({ reasonCode: 0x19, properties: [property.authenticationMethod('x')] }), 0x82],
  ['PUBLISH with QoS 3', '36 06 00 01 "a" 00 01 00', 0x81],
  ['PUBLISH that ends in its topic', '30 03 00 05 "a"', 0x81],
  ['PUBLISH with an unknown property', '30 06 00 01 "a" 02 7E 00', 0x81],
  [
    'PUBLISH with a property twice',
    v5.publish({ properties: [property.contentType('a'), property.contentType('a')] }),
    0x82,
  ],
  ['PUBLISH with an alias above the maximum', v5.publish({ properties: [property.topicAlias(11)] }), 0x94],
  ['PUBLISH with ill-formed UTF-8', v5.publish({ topic: Buffer.from([0x80]) }), 0x81],
  ['SUBSCRIBE without filters', '82 03 00 01 00', 0x81],
  ['SUBSCRIBE with a wrong filter', v5.subscribe({ filters: ['a#'] }), 0x81],
  ['UNSUBSCRIBE with a wrong Share Name', v5.unsubscribe({ filters: ['$share/a'] }), 0x82],
  ['PUBACK with Packet Identifier 0', v5.puback({ packetId: 0 }), 0x82],
  ['PUBACK with a code it does not have', v5.puback({ reasonCode: 0x8e }), 0x82],
  ['a Remaining Length that is too long', '30 80 80 00', 0x81],
  ['a packet above the maximum', '30 FF FF FF 7F', 0x95],
  [
    'DISCONNECT that raises the Session Expiry from 0',
    v5.disconnect({ reasonCode: 0, properties: [property.sessionExpiryInterval(9)] }),
    0x82,
  ],
];
for (const [what, wrong, reasonCode] of mistakes) {
  test(`v5 [MQTT-4.13.1-1] [MQTT-4.13.2-1] [U5-28] ${what}: DISCONNECT and the end for this client, nothing for the others`, async () => {
    const broker = await startBroker(resources);
    const other = await broker.connect({ clientId: 'other' });
    await other.subscribe('t', 'will');
    const client = await broker.connect({ clientId: 'wrong', will: { topic: 'will', payload: 'gone' } });
    client.send(v5.publish({ topic: 't', payload: 'before' }), wrong, v5.publish({ topic: 't', payload: 'behind' }));
    await client.expectError(reasonCode);
    await other.expectPublish({ payload: 'before' });
    await other.expectPublish({ topic: 'will', payload: 'gone' });
    await other.expectNothing(); // it is served, and what was behind the mistake was not done
  });
}

test('v5 [MQTT-4.13.1-1] the same in a thousand pieces, and over every transport', async () => {
  const broker = await startBroker(resources, { transports: ['tcp', 'ws', 'tls'] });
  for (const transport of ['tcp', 'ws', 'tls'] as const) {
    for (const [, wrong, reasonCode] of mistakes.filter(([what]) => what.startsWith('PUBLISH with'))) {
      const client = await broker.connect({ clientId: 'wrong', transport });
      for (const byte of bytes(wrong)) client.send(Buffer.from([byte]));
      await client.expectError(reasonCode);
    }
  }
});

test('v5 [U5-28] a client in error leaves the session, the subscriptions and the queue of others as they are', async () => {
  const broker = await startBroker(resources);
  const expiry = property.sessionExpiryInterval(600);
  const away = await broker.connect({ clientId: 'away', properties: [expiry] });
  await away.subscribe({ filter: 't', qos: 1 });
  await broker.kill(away);
  for (const [what, wrong] of mistakes) {
    const client = await broker.connect({ clientId: `wrong: ${what}` });
    await client.subscribe({ filter: 't', qos: 1 });
    client.send(packet(0x32, '00 01 "t" 00 07 00', Buffer.from(what)), wrong);
  }
  await broker.settle();
  const back = await broker.connect({ clientId: 'away', cleanStart: false, properties: [expiry] });
  expect(back.connack.sessionPresent).toBe(true);
  for (const [what] of mistakes) await back.acknowledge(await back.expectPublish({ payload: what, qos: 1 }));
  await back.expectNothing();
  expect(broker.running.broker.gauges()).toMatchObject({ clientsTotal: 1, clientsConnected: 1, subscriptionsCount: 1 });
});

test('v5 [MQTT-4.13.2-1] a CONNACK of 0x80 or above is followed by the end, whatever comes behind the CONNECT', async () => {
  const broker = await startBroker(resources, {
    authenticator: { authenticate: ({ username }) => ({ reasonCode: Number(username) }) },
  });
  for (const reasonCode of [0x80, 0x83, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x97, 0x9c, 0x9d, 0x9f]) {
    const client = await broker.open();
    client.send(v5.connect({ username: String(reasonCode) }), v5.pingreq());
    await client.expectRefused(reasonCode);
  }
  expect(broker.running.broker.gauges().clientsTotal).toBe(0);
});

test('v5 [MQTT-4.13.1-1] a mistake in an acknowledgement that waits for the client does not touch the publisher', async () => {
  const broker = await startBroker(resources);
  const publisher = await broker.connect({ clientId: 'p' });
  const client = await broker.connect({ clientId: 'c' });
  await client.subscribe({ filter: 'a', qos: 2 });
  await publisher.publish({ topic: 'a', qos: 2 });
  const { packetId } = await client.expectPublish({ qos: 2 });
  client.send(v5.puback({ packetId })); // PUBACK for QoS 2
  await client.expectError(0x82);
  expect(await publisher.publish({ topic: 'b', qos: 2 })).toBeLessThan(0x80);
  await publisher.expectNothing();
});
