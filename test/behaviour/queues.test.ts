/** What waits for a client: how much, in which order, and what gives way. */
import { describe, expect, test } from 'vitest';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { type Connected, describeEither, startPlace } from './either-broker.ts';

const v4 = packetsOf(4);

/** Publishes numbered messages one after the other. */
async function publishAll(publisher: Connected, topic: string, count: number, qos: 0 | 1 | 2, size = 0): Promise<void> {
  for (let index = 0; index < count; index++) {
    await publisher.publish({ topic, payload: `${index}`.padEnd(size, '.'), qos, packetId: 1 });
  }
}

/** The numbers of the messages that arrive until nothing more comes, each acknowledged. */
async function takeAll(client: Connected): Promise<number[]> {
  const numbers: number[] = [];
  for (;;) {
    const publishes = await client.drainPublishes();
    if (publishes.length === 0) return numbers;
    for (const publish of publishes) {
      numbers.push(Number.parseInt(publish.text, 10));
      await client.acknowledge(publish);
    }
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describeEither('queues of absent clients', (name) => {
  const isOurs = name === 'moustique';
  const resources = useResources();

  for (const qos of [1, 2] as const) {
    test(`max_queued_messages: the first 10 of 15 are kept at QoS ${qos}, what comes later is dropped`, async () => {
      const place = await startPlace(resources, name, ['max_queued_messages 10']);
      const before = await place.connect({ clientId: 'absent', cleanStart: false });
      await before.subscribe({ filter: 'a', qos });
      await before.disconnect();
      await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 15, qos);
      const after = await place.connect({ clientId: 'absent', cleanStart: false });
      expect(await takeOneByOne(after, qos)).toEqual(upTo(10));
    });
  }

  test('max_queued_messages 0: no limit', async () => {
    const place = await startPlace(resources, name, ['max_queued_messages 0']);
    const before = await place.connect({ clientId: 'absent', cleanStart: false });
    await before.subscribe({ filter: 'a', qos: 1 });
    await before.disconnect();
    await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 3000, 1);
    const after = await place.connect({ clientId: 'absent', cleanStart: false });
    expect(await takeAll(after)).toEqual(upTo(3000));
  });

  test('1000 are kept unless something else is said', async () => {
    const place = await startPlace(resources, name);
    const before = await place.connect({ clientId: 'absent', cleanStart: false });
    await before.subscribe({ filter: 'a', qos: 1 });
    await before.disconnect();
    await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 1100, 1);
    const after = await place.connect({ clientId: 'absent', cleanStart: false });
    expect(await takeAll(after)).toEqual(upTo(1000));
  });

  test('max_queued_bytes: messages are taken while less than that waits', async () => {
    const place = await startPlace(resources, name, ['max_queued_bytes 1000']);
    const before = await place.connect({ clientId: 'absent', cleanStart: false });
    await before.subscribe({ filter: 'a', qos: 1 });
    await before.disconnect();
    // 300, 600, 900: still below 1000, so a fourth comes in; then it is full.
    await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 8, 1, 300);
    const after = await place.connect({ clientId: 'absent', cleanStart: false });
    expect(await takeAll(after)).toEqual(upTo(4));
  });

  test('max_queued_bytes and max_queued_messages: whichever is reached first', async () => {
    const place = await startPlace(resources, name, ['max_queued_bytes 1000', 'max_queued_messages 3']);
    const before = await place.connect({ clientId: 'absent', cleanStart: false });
    await before.subscribe({ filter: '+', qos: 1 });
    await before.disconnect();
    const publisher = await place.connect({ clientId: 'publisher' });
    await publishAll(publisher, 'a', 5, 1, 10);
    const after = await place.connect({ clientId: 'absent', cleanStart: false });
    expect(await takeAll(after)).toEqual(upTo(3));
    await after.disconnect();
    await publishAll(publisher, 'a', 5, 1, 900);
    const again = await place.connect({ clientId: 'absent', cleanStart: false });
    expect(await takeAll(again)).toEqual(upTo(2));
  });

  test('QoS 0 is not kept', async () => {
    const place = await startPlace(resources, name);
    const before = await place.connect({ clientId: 'absent', cleanStart: false });
    await before.subscribe({ filter: 'a', qos: 2 });
    await before.disconnect();
    const publisher = await place.connect({ clientId: 'publisher' });
    await publishAll(publisher, 'a', 3, 0);
    await publisher.publish({ topic: 'a', payload: '99', qos: 1, packetId: 1 });
    const after = await place.connect({ clientId: 'absent', cleanStart: false });
    expect(await takeAll(after)).toEqual([99]);
  });

  test('queue_qos0_messages true: QoS 0 is kept, within the same limit', async () => {
    const place = await startPlace(resources, name, ['queue_qos0_messages true', 'max_queued_messages 10']);
    const before = await place.connect({ clientId: 'absent', cleanStart: false });
    await before.subscribe({ filter: 'a', qos: 0 });
    await before.disconnect();
    const publisher = await place.connect({ clientId: 'publisher' });
    await publishAll(publisher, 'a', 15, 0);
    await publisher.drain();
    const after = await place.connect({ clientId: 'absent', cleanStart: false });
    const arrived = await after.drainPublishes();
    // Mosquitto 2.0 lets 20 more wait.
    expect(arrived.map(({ text }) => Number(text))).toEqual(upTo(isOurs ? 10 : 15));
    expect(arrived.every(({ qos }) => qos === 0)).toBe(true);
    // The queue is empty again.
    await publisher.publish({ topic: 'a', payload: 'live' });
    await after.expectPublish({ payload: 'live' });
  });

  test('a session without subscriptions, and one that ended, keep nothing', async () => {
    const place = await startPlace(resources, name);
    const before = await place.connect({ clientId: 'absent', cleanStart: false });
    await before.disconnect();
    const clean = await place.connect({ clientId: 'clean', cleanStart: true });
    await clean.subscribe({ filter: 'a', qos: 1 });
    await clean.disconnect();
    await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 3, 1);
    for (const clientId of ['absent', 'clean']) {
      await (await place.connect({ clientId, cleanStart: false })).expectNothing();
    }
  });
});

/** Takes them all where PUBREC and PUBCOMP have to be answered between the PUBLISH packets of a window. */
async function takeOneByOne(client: Connected, qos: 1 | 2): Promise<number[]> {
  const numbers: number[] = [];
  const seen = async (): Promise<boolean> => {
    const packets = await client.drain();
    for (const packet of packets) {
      if (packet.type === 'publish') {
        numbers.push(Number.parseInt(packet.text, 10));
        client.send(qos === 1 ? v4.puback({ packetId: packet.packetId }) : v4.pubrec({ packetId: packet.packetId }));
      } else if (packet.type === 'pubrel') {
        client.send(v4.pubcomp({ packetId: packet.packetId }));
      }
    }
    return packets.length > 0;
  };
  while (await seen());
  return numbers;
}

describeEither('clients that are there', (name) => {
  const isOurs = name === 'moustique';
  const resources = useResources();

  // Mosquitto 2.0 sends the whole window anew after an acknowledgement, and begins a broken connection with more than that.
  test.runIf(isOurs)(
    'max_inflight_messages: so many are under way, an acknowledgement lets the next one go',
    async () => {
      const place = await startPlace(resources, name, ['max_inflight_messages 3']);
      const client = await place.connect({ clientId: 'slow' });
      await client.subscribe({ filter: 'a', qos: 1 });
      await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 10, 1);
      const first = await client.drainPublishes();
      expect(first.map(({ text }) => text)).toEqual(['0', '1', '2']);
      for (let next = 3; next < 10; next++) {
        client.send(v4.puback({ packetId: (first[0]?.packetId ?? 0) + next - 3 }));
        expect((await client.drainPublishes()).map(({ text }) => text)).toEqual([`${next}`]);
      }
    },
  );

  test('max_inflight_messages 0: all of them', async () => {
    const place = await startPlace(resources, name, ['max_inflight_messages 0']);
    const client = await place.connect({ clientId: 'slow' });
    await client.subscribe({ filter: 'a', qos: 1 });
    await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 500, 1);
    expect(await client.drainPublishes()).toHaveLength(500);
  });

  test('20 are under way unless something else is said, and MQTT 5.0 clients may say less or more', async () => {
    const place = await startPlace(resources, name);
    const clients = [
      [20, await place.connect({ clientId: 'a' })],
      [20, await place.connect({ version: 5, clientId: 'b' })],
      [5, await place.connect({ version: 5, clientId: 'c', properties: [property.receiveMaximum(5)] })],
      [50, await place.connect({ version: 5, clientId: 'd', properties: [property.receiveMaximum(50)] })],
    ] as const;
    for (const [, client] of clients) await client.subscribe({ filter: 'a', qos: 1 });
    await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 60, 1);
    for (const [count, client] of clients) expect(await client.drainPublishes()).toHaveLength(count);
  });

  test('what is under way does not count as waiting; over the limit the newest is dropped, and the log says so once', async () => {
    const place = await startPlace(resources, name, [
      'max_inflight_messages 5',
      'max_queued_messages 10',
      'log_dest stdout',
    ]);
    const client = await place.connect({ clientId: 'slow' });
    await client.subscribe({ filter: 'a', qos: 1 });
    await publishAll(await place.connect({ clientId: 'publisher' }), 'a', 30, 1);
    expect(await takeAll(client)).toEqual(upTo(15));
    if (!isOurs) return; // 2.0 has another line
    const line = 'Outgoing messages are being dropped for client slow.';
    await waitFor('the log line', () => place.log.includes(line));
    await place.broker.stop();
    expect(place.log.split(line)).toHaveLength(2);
  });

  test('upgrade_outgoing_qos true: the QoS of the subscription', async () => {
    const place = await startPlace(resources, name, ['upgrade_outgoing_qos true']);
    const publisher = await place.connect({ clientId: 'publisher' });
    for (const granted of [0, 1, 2] as const) {
      const client = await place.connect({ clientId: `c${granted}` });
      await client.subscribe({ filter: 'a', qos: granted });
      await publisher.publish({ topic: 'a', payload: 'x', qos: 0 });
      await client.acknowledge(await client.expectPublish({ payload: 'x', qos: granted }));
    }
  });

  test('what waited comes before what is live, in order, while both go on', async () => {
    const place = await startPlace(resources, name, ['max_queued_messages 0', 'max_inflight_messages 10']);
    const before = await place.connect({ clientId: 'back', cleanStart: false });
    await before.subscribe({ filter: 'a', qos: 1 });
    await before.disconnect();
    const publisher = await place.connect({ clientId: 'publisher' });
    await publishAll(publisher, 'a', 300, 1);
    const after = await place.connect({ clientId: 'back', cleanStart: false });
    const live = (async () => {
      for (let index = 300; index < 600; index++) {
        await publisher.publish({ topic: 'a', payload: `${index}`, qos: 1, packetId: 1 });
      }
    })();
    const numbers: number[] = [];
    while (numbers.length < 600) {
      const publish = await after.expectPacket('publish');
      numbers.push(Number(publish.text));
      await after.acknowledge(publish);
    }
    await live;
    expect(numbers).toEqual(upTo(600));
  });

  test.runIf(isOurs)(
    'a connection that broke: what was under way comes again first, then what waited, then what is live',
    async () => {
      const place = await startPlace(resources, name, ['max_inflight_messages 5']);
      const before = await place.connect({ clientId: 'back', cleanStart: false });
      await before.subscribe({ filter: 'a', qos: 1 });
      const publisher = await place.connect({ clientId: 'publisher' });
      await publishAll(publisher, 'a', 8, 1);
      const underWay = await before.drainPublishes();
      expect(underWay).toHaveLength(5);
      // The second is acknowledged, the others are not.
      before.send(v4.puback({ packetId: underWay[1]?.packetId ?? 0 }));
      await before.drainPublishes();
      before.close();
      const after = await place.connect({ clientId: 'back', cleanStart: false });
      await publisher.publish({ topic: 'a', payload: '8', qos: 1, packetId: 1 });
      const again = await after.drainPublishes();
      expect(again.map(({ text, dup }) => [text, dup])).toEqual([
        ['0', true],
        ['2', true],
        ['3', true],
        ['4', true],
        ['5', true],
      ]);
      for (const publish of again) await after.acknowledge(publish);
      expect(await takeAll(after)).toEqual([6, 7, 8]);
    },
  );
});

describe('max_inflight_bytes', () => {
  const resources = useResources();

  test('bytes under way are limited, but one message always is', async () => {
    const place = await startPlace(resources, 'moustique', ['max_inflight_bytes 1000']);
    const client = await place.connect({ clientId: 'slow' });
    await client.subscribe({ filter: '+', qos: 1 });
    const publisher = await place.connect({ clientId: 'publisher' });
    await publishAll(publisher, 'a', 6, 1, 400);
    expect(await takeAll(client)).toEqual(upTo(6));
    await publishAll(publisher, 'large', 2, 1, 5000);
    expect((await client.drainPublishes()).map(({ text }) => text.length)).toEqual([5000]);
  });
});
