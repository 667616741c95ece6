import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { packet, u8, u16 } from '../wire/bytes.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';
import type { AckType } from '../wire/received.ts';

const resources = useResources();

const firstBytes = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 } as const;

/** Reason Codes that a client may send in each (§3.4.2.1, §3.5.2.1, §3.6.2.1, §3.7.2.1). */
const listed = {
  puback: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrec: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrel: [0x00, 0x92],
  pubcomp: [0x00, 0x92],
} as const;

/** A client that takes no packet above 20 bytes, of a broker where `secret` may not be published. */
async function connectSmall(): Promise<Connected> {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, _action, topic) => topic !== 'secret' },
  });
  return broker.connect({ properties: [property.maximumPacketSize(20)] });
}

/** A subscriber `s` to `a` at QoS 2 that takes one message at a time, and a publisher. */
async function pair(broker: ConformanceBroker): Promise<readonly [subscriber: Connected, publisher: Connected]> {
  const subscriber = await broker.connect({ clientId: 's', properties: [property.receiveMaximum(1)] });
  await subscriber.subscribe({ filter: 'a', qos: 2 });
  return [subscriber, await broker.connect({ clientId: 'p' })];
}

/** A message of that acknowledgement's QoS, at the step where the acknowledgement is due. */
async function begin(type: AckType, subscriber: Connected, publisher: Connected): Promise<number> {
  if (type === 'pubrel') {
    subscriber.send(v5.publish({ topic: 'b', qos: 2, packetId: 7 }));
    return (await subscriber.expectPacket('pubrec')).packetId;
  }
  await publisher.publish({ topic: 'a', payload: 'one', qos: type === 'puback' ? 1 : 2 });
  const { packetId } = await subscriber.expectPublish({ payload: 'one' });
  if (type !== 'pubcomp') return packetId;
  subscriber.send(v5.pubrec({ packetId }));
  return (await subscriber.expectPacket('pubrel')).packetId;
}

test('v5 [MQTT-3.3.4-1] [MQTT-4.3.1-1] QoS 0 is not answered, QoS 1 by PUBACK, QoS 2 by PUBREC', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe('a');
  client.send('30 05 00 01 "a" 00 "x"');
  await client.expectNothing();
  client.send('32 07 00 01 "a" 00 05 00 "x"');
  await client.expect('40 02 00 05');
  client.send('34 07 00 01 "a" 00 05 00 "x"');
  await client.expect('50 02 00 05');
  await client.expectNothing();
});

test('v5 [MQTT-3.3.4-1] [MQTT-3.4.2-1] [MQTT-3.5.2-1] refused: QoS 0 without a word, PUBACK 0x87, PUBREC 0x87; the connection goes on', async () => {
  const broker = await startBroker(resources, {
    authorizer: { authorize: (_client, _action, topic) => topic !== 'secret' },
  });
  const client = await broker.connect();
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe('#');
  client.send(v5.publish({ topic: 'secret' }));
  await client.expectNothing();
  client.send(v5.publish({ topic: 'secret', qos: 1, packetId: 5 }));
  await client.expect('40 03 00 05 87');
  client.send(v5.publish({ topic: 'secret', qos: 2, packetId: 5 }));
  await client.expect('50 03 00 05 87');
  await client.publish({ topic: 'open', qos: 1 });
  await subscriber.expectPublish({ topic: 'open' });
});

test('v5 [MQTT-3.4.2-1] PUBACK says 0x10 when nobody subscribes, PUBREC does not say so', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  client.send(v5.publish({ topic: 'a', qos: 1, packetId: 5 }));
  await client.expect('40 03 00 05 10');
  client.send(v5.publish({ topic: 'a', qos: 1, packetId: 5, retain: true })); // retained all the same
  await client.expect('40 03 00 05 10');
  client.send(v5.publish({ topic: 'a', qos: 2, packetId: 5 }));
  await client.expect('50 02 00 05');
});

test('v5 [MQTT-3.4.2-1] [MQTT-3.5.2-1] a publication to $SYS or $share is refused with 0x87', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (const topic of ['$SYS/broker/version', '$share/group/a']) {
    client.send(v5.publish({ topic, qos: 1, packetId: 5 }));
    await client.expect('40 03 00 05 87');
    client.send(v5.publish({ topic, qos: 2, packetId: 6 }));
    await client.expect('50 03 00 06 87');
    client.send(v5.publish({ topic }));
    await client.expectNothing();
  }
});

test('v5 [MQTT-3.4.2-1] [MQTT-3.5.2-1] a payload above message_size_limit is refused with 0x97, a code that these packets may carry', async () => {
  const broker = await startBroker(resources, { options: { messageSizeLimit: 10 } });
  const client = await broker.connect();
  await client.subscribe('a');
  client.send(v5.publish({ topic: 'a', payload: 'x'.repeat(11), qos: 1, packetId: 5 }));
  await client.expect('40 03 00 05 97');
  client.send(v5.publish({ topic: 'a', payload: 'x'.repeat(11), qos: 2, packetId: 6 }));
  await client.expect('50 03 00 06 97');
  client.send(v5.publish({ topic: 'a', payload: 'x'.repeat(11) }));
  await client.expectNothing();
  client.send(v5.publish({ topic: 'a', payload: 'x'.repeat(10) }));
  await client.expectPublish({ payload: 'x'.repeat(10) });
});

const ackTitles = [
  { type: 'puback', title: 'v5 [MQTT-3.4.2-1] PUBACK' },
  { type: 'pubrec', title: 'v5 [MQTT-3.5.2-1] PUBREC' },
  { type: 'pubrel', title: 'v5 [MQTT-3.6.2-1] PUBREL' },
  { type: 'pubcomp', title: 'v5 [MQTT-3.7.2-1] PUBCOMP' },
] as const;

for (const { type, title } of ackTitles) {
  test(`${title} with a code that is not its own is a protocol error`, async () => {
    const broker = await startBroker(resources);
    const [, publisher] = await pair(broker);
    for (let reasonCode = 0; reasonCode < 256; reasonCode++) {
      if ((listed[type] as readonly number[]).includes(reasonCode)) continue;
      const client = await broker.connect({ clientId: 'c' });
      client.send(v5[type]({ packetId: 1, reasonCode }));
      await client.expectError(0x82);
    }
    await publisher.expectNothing(); // and nobody else is concerned
  });

  test(`${title} with a code of its own ends or goes on with the exchange`, async () => {
    for (const reasonCode of listed[type]) {
      const broker = await startBroker(resources);
      const [subscriber, publisher] = await pair(broker);
      const packetId = await begin(type, subscriber, publisher);
      subscriber.send(v5[type]({ packetId, reasonCode }));
      if (type === 'pubrel') await subscriber.expect(packet(0x70, u16(packetId)));
      if (type === 'pubrec' && reasonCode < 0x80) {
        await subscriber.expect(packet(0x62, u16(packetId)));
        subscriber.send(v5.pubcomp({ packetId }));
      }
      await publisher.publish({ topic: 'a', payload: 'next', qos: 1 });
      await subscriber.expectPublish({ payload: 'next' }); // only one at a time: the first is done
    }
  });

  test(`${title} of less than two bytes, or with something behind its end, is malformed`, async () => {
    const broker = await startBroker(resources);
    const firstByte = u8(firstBytes[type]);
    for (const rest of ['00', '01 00', '05 00 01 00 00 00', '05 00 01 00 00 FF', '04 00 01 00 05']) {
      const client = await broker.connect({ clientId: 'c' });
      client.send(firstByte, rest);
      await client.expectError(0x81);
    }
  });

  test(`${title} may have a Reason String once and User Properties, and no other property`, async () => {
    const broker = await startBroker(resources);
    const reasonString = property.reasonString('because');
    const userProperty = property.userProperty(['n', 'v']);
    const cases = [
      [[reasonString, userProperty, userProperty], null],
      [[reasonString, reasonString], 0x82],
      [[property.contentType('text')], 0x81],
      [[property.reasonString(Buffer.from([0xc0, 0x80]))], 0x81],
    ] as const;
    for (const [properties, error] of cases) {
      const client = await broker.connect({ clientId: 'c' });
      client.send(v5[type]({ packetId: 1, reasonCode: 0, properties }));
      if (error !== null) await client.expectError(error);
      else expect((await client.drain()).map((answer) => answer.type)).not.toContain('disconnect');
    }
  });
}

test('v5 [MQTT-3.4.2-2] [MQTT-3.4.2-3] a PUBACK that refuses has five bytes: no Reason String, no User Property', async () => {
  const client = await connectSmall();
  client.send(v5.publish({ topic: 'secret', qos: 1, packetId: 5 }));
  await client.expect('40 03 00 05 87');
});

test('v5 [MQTT-3.5.2-2] [MQTT-3.5.2-3] a PUBREC that refuses has five bytes: no Reason String, no User Property', async () => {
  const client = await connectSmall();
  client.send(v5.publish({ topic: 'secret', qos: 2, packetId: 5 }));
  await client.expect('50 03 00 05 87');
});

test('v5 [MQTT-3.6.2-1] [MQTT-3.6.2-2] [MQTT-3.6.2-3] PUBREL for an unknown identifier has four bytes', async () => {
  const client = await connectSmall();
  for (const reasonCode of [0x00, 0x10, 0x97]) {
    client.send(v5.pubrec({ packetId: 5, reasonCode }));
    await client.expect('62 02 00 05');
  }
});

test('v5 [MQTT-3.7.2-1] [MQTT-3.7.2-2] [MQTT-3.7.2-3] PUBCOMP for an unknown identifier has four bytes', async () => {
  const client = await connectSmall();
  client.send(v5.pubrel({ packetId: 5 }));
  await client.expect('70 02 00 05');
  client.send(v5.pubrel({ packetId: 5, reasonCode: 0x92 }));
  await client.expect('70 02 00 05');
});

test('v5 [MQTT-3.6.1-1] a PUBREL with other flags ends the connection, and its message is not distributed', async () => {
  const broker = await startBroker(resources);
  const subscriber = await broker.connect({ clientId: 's' });
  await subscriber.subscribe('a');
  for (const firstByte of ['60', '61', '63', '66', '6A', '72']) {
    const client = await broker.connect({ clientId: 'c' });
    client.send(v5.publish({ topic: 'a', qos: 2, packetId: 5 }));
    await client.expectPacket('pubrec');
    client.send(`${firstByte} 02 00 05`);
    await client.expectError(0x81);
  }
  await subscriber.expectNothing();
});

// Acknowledgements that do not belong to the QoS, or to the step

const outOfPlace = [
  { name: 'PUBREC for QoS 1', qos: 1, first: [], wrong: 'pubrec' },
  { name: 'PUBCOMP for QoS 1', qos: 1, first: [], wrong: 'pubcomp' },
  { name: 'PUBACK for QoS 2', qos: 2, first: [], wrong: 'puback' },
  { name: 'PUBCOMP before PUBREC', qos: 2, first: [], wrong: 'pubcomp' },
  { name: 'PUBACK after PUBREC', qos: 2, first: ['pubrec'], wrong: 'puback' },
] as const;

for (const { name, qos, first, wrong } of outOfPlace) {
  test(`v5 [MQTT-2.2.1-5] ${name} is a protocol error`, async () => {
    const broker = await startBroker(resources);
    const [subscriber, publisher] = await pair(broker);
    await publisher.publish({ topic: 'a', qos });
    const { packetId } = await subscriber.expectPublish({ qos });
    for (const type of first) {
      subscriber.send(v5[type]({ packetId }));
      await subscriber.expectPacket('pubrel');
    }
    subscriber.send(v5[wrong]({ packetId }));
    await subscriber.expectError(0x82);
  });
}

test('v5 [MQTT-4.3.3-4] [MQTT-2.2.1-5] PUBREC twice: PUBREL twice, and one message', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  await publisher.publish({ topic: 'a', qos: 2 });
  const { packetId } = await subscriber.expectPublish({ qos: 2 });
  for (let time = 0; time < 2; time++) {
    subscriber.send(v5.pubrec({ packetId }));
    expect((await subscriber.expectPacket('pubrel')).packetId).toBe(packetId);
  }
  subscriber.send(v5.pubcomp({ packetId }), v5.pubcomp({ packetId }));
  await subscriber.expectNothing();
});

test('v5 [MQTT-2.2.1-5] PUBACK and PUBCOMP for nothing are taken without a word', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  for (const packetId of [1, 300, 65_535]) client.send(v5.puback({ packetId }), v5.pubcomp({ packetId }));
  await client.expectNothing();
});

test('v5 [MQTT-2.2.1-5] an acknowledgement of a message that still waits is one for nothing', async () => {
  const broker = await startBroker(resources);
  const [subscriber, publisher] = await pair(broker);
  for (const payload of ['one', 'two']) await publisher.publish({ topic: 'a', payload, qos: 1 });
  const { packetId } = await subscriber.expectPublish({ payload: 'one' });
  subscriber.send(v5.puback({ packetId: packetId + 1 }));
  await subscriber.expectNothing();
  subscriber.send(v5.puback({ packetId }));
  await subscriber.expectPublish({ payload: 'two' });
});
