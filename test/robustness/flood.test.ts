/**
 * Peers that send more than they read. Every bound is stated: what a slow reader may cost, what an absent acknowledgement
 * may cost, what a publisher that never stops may do to others.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { packetsOf } from '../conformance/wire/packets.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { deliveries, hasProc, Siege, transports } from './siege.ts';
import { size } from './sizes.ts';

const v5 = packetsOf(5);
const payload = Buffer.alloc(10_000, 'x');
/** 100 messages of 10 kB */
const megabyte = Buffer.concat(Array.from({ length: 100 }, () => v5.publish({ topic: 'flood', payload })));

/** 1 GiB at full size */
const megabytes = size(100, 1074);

for (const transport of transports) {
  describe.runIf(hasProc)(`floods over ${transport}`, () => {
    const resources = useResources();

    test(`a subscriber that never reads, while ${megabytes} MB are published`, { timeout: 600_000 }, async () => {
      const siege = await Siege.begin(resources);
      const deaf = await siege.insider(transport, 'deaf', [{ filter: 'flood', qos: 0 }]);
      deaf.stopReading();
      const listening = await siege.connect(transport, 'listening');
      await listening.subscribe('end');
      const publisher = await siege.insider('tcp', 'publisher');
      await siege.canary.sing(100);
      const before = siege.memory();

      await siege.withstand(async () => {
        for (let count = 0; count < megabytes; count++) await publisher.pour(megabyte);
        await publisher.pour(v5.publish({ topic: 'end', payload: 'end' }));
        await listening.expectPublish({ topic: 'end' });
      });

      // 16 MiB may wait for one socket; the rest is what passed through.
      expect(siege.memory() - before).toBeLessThan(64);
      // It is still connected, and gets what waited and what is sent afterwards.
      deaf.socket.resume();
      const gone = deaf.receivedBytes;
      await waitFor('the subscriber to catch up', () => deaf.receivedBytes - gone > 10_000_000);
      // The socket may still be full for a moment, and then QoS 0 is dropped.
      const arrived = deaf.receive('the last message', (bytes) => bytes.includes('the last')).then(() => true);
      do await publisher.pour(v5.publish({ topic: 'flood', payload: 'the last' }));
      while (!(await Promise.race([arrived, sleep(100, false)])));
    });

    for (const qos of [1, 2] as const) {
      test(`a subscriber that never acknowledges QoS ${qos}`, async () => {
        const siege = await Siege.begin(resources, ['max_queued_messages 1000', 'max_inflight_messages 20']);
        const mute = await siege.connect(transport, 'mute');
        await mute.subscribe({ filter: 'flood', qos });
        const publisher = await siege.connect('tcp', 'publisher');
        await siege.canary.sing(100);
        const before = siege.memory();

        await siege.withstand(async () => {
          for (let count = 0; count < 5000; count++)
            await publisher.publish({ topic: 'flood', payload, qos, packetId: 1 });
        });

        // 1020 messages of 10 kB are held for it.
        expect(siege.memory() - before).toBeLessThan(64);
        const arrived = await mute.drainPublishes();
        expect(arrived.map(({ packetId }) => packetId)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
        // The first acknowledgement makes room for the next.
        if (qos === 1) mute.send(v5.puback({ packetId: 1 }));
        else await mute.acknowledge({ qos, packetId: 1 });
        expect((await mute.expectPublish({ topic: 'flood' })).packetId).toBe(21);
      });
    }

    test('a client that sends PINGREQ and reads no PINGRESP', async () => {
      const siege = await Siege.begin(resources);
      const deaf = await siege.insider(transport, 'deaf');
      deaf.stopReading();
      await siege.canary.sing(100);
      const before = siege.memory();
      // 200 MB of them, and as much in answers
      const pings = Buffer.concat(Array.from({ length: 100_000 }, () => v5.pingreq()));
      await siege.withstand(() => pourFor(deaf, pings, 1000));
      expect(siege.memory() - before).toBeLessThan(64);

      // When it reads again it is read again: what it asked for last is done.
      const listening = await siege.connect('tcp', 'listening');
      await listening.subscribe('back');
      deaf.socket.resume();
      deaf.send(v5.publish({ topic: 'back' }));
      await listening.expectPublish({ topic: 'back' });
    });

    test('a client that publishes at QoS 1 and reads no PUBACK', async () => {
      const siege = await Siege.begin(resources);
      const deaf = await siege.insider(transport, 'deaf');
      deaf.stopReading();
      await siege.canary.sing(100);
      const before = siege.memory();
      const publishes = Buffer.concat(Array.from({ length: 50_000 }, () => v5.publish({ topic: 'a', qos: 1 })));
      await siege.withstand(() => pourFor(deaf, publishes, 600));
      expect(siege.memory() - before).toBeLessThan(64);
    });

    test('a client that subscribes again and again to retained messages and reads none', async () => {
      const siege = await Siege.begin(resources);
      const publisher = await siege.connect('tcp', 'publisher');
      const kept = Array.from({ length: 5000 }, (_, index) =>
        v5.publish({ topic: `kept/${index}`, payload: 'x'.repeat(1000), retain: true }),
      );
      publisher.send(...kept);
      await publisher.publish({ topic: 'kept/last', payload: 'x', retain: true, qos: 1 });
      const deaf = await siege.insider(transport, 'deaf');
      deaf.stopReading();
      await siege.canary.sing(100);
      const before = siege.memory();
      // Each of these asks for 5 MB.
      const subscribes = Buffer.concat(Array.from({ length: 1000 }, () => v5.subscribe({ filters: ['kept/#'] })));
      await siege.withstand(() => pourFor(deaf, subscribes, 5));
      expect(siege.memory() - before).toBeLessThan(64);
    });
  });
}

/** Sends the bytes so many times, or until the broker takes no more. */
async function pourFor(
  attacker: { pour(bytes: Buffer): Promise<void>; readonly isClosed: boolean },
  bytes: Buffer,
  times: number,
): Promise<void> {
  for (let time = 0; time < times && !attacker.isClosed; time++) {
    let isTaken = false;
    void attacker.pour(bytes).then(() => {
      isTaken = true;
    });
    // A broker that has stopped reading does not begin again: nothing is taken from us within the time of many messages.
    const end = performance.now() + 2000;
    await waitFor('the broker to take or refuse', () => isTaken || performance.now() > end);
    if (!isTaken) return;
  }
}

describe.runIf(hasProc)('floods of publishers and connections', () => {
  const resources = useResources();

  // Of small messages no more wait for each than max_queued_messages; of large ones 16 MiB, which all of them share.
  for (const [payloadBytes, messages, maxQueued] of [
    [1000, 8000, 200],
    [50_000, 640, 0],
  ] as const) {
    test(`100 subscribers that never read ${payloadBytes} bytes: what waits is bounded, and every delivery is in the books`, async () => {
      const siege = await Siege.begin(resources, [`max_queued_messages ${maxQueued}`, 'sys_interval 1']);
      const deaf = await Promise.all(
        Array.from({ length: 100 }, (_, index) => siege.insider('tcp', `deaf${index}`, [{ filter: 'flood', qos: 0 }])),
      );
      for (const one of deaf) one.stopReading();
      const numbers = await siege.connect('tcp', 'numbers');
      const publisher = await siege.insider('tcp', 'publisher');
      const before = siege.memory();
      const packet = v5.publish({ topic: 'flood', payload: 'x'.repeat(payloadBytes) });
      const batch = Buffer.concat(Array.from({ length: messages / 16 }, () => packet));
      await siege.withstand(async () => {
        for (let count = 0; count < 16; count++) await publisher.pour(batch);
      });
      expect(siege.memory() - before).toBeLessThan(80);

      const { sent, waiting, dropped, droppedAtSocket, count } = await deliveries(numbers, 100 * messages);
      expect(sent + waiting + dropped).toBe(count);
      expect(droppedAtSocket).toBeGreaterThan(0);
    });
  }

  test('a publisher that never stops', async () => {
    const siege = await Siege.begin(resources);
    const publisher = await siege.insider('tcp', 'publisher');
    const subscriber = await siege.insider('tcp', 'subscriber', [
      { filter: 'flood', qos: 0 },
      { filter: 'end', qos: 1 },
    ]);
    await siege.canary.sing(100);
    const before = siege.memory();
    await siege.withstand(async () => {
      for (let count = 0; count < 200; count++) await publisher.pour(megabyte);
      await publisher.pour(v5.publish({ topic: 'end', payload: 'the last', qos: 1 }));
      await subscriber.receive('the last message', (bytes) => bytes.includes('the last'));
    });
    expect(siege.memory() - before).toBeLessThan(96);
  });

  test('ten publishers that never stop, each at QoS 2', async () => {
    const siege = await Siege.begin(resources);
    const exchange = Buffer.concat([v5.publish({ topic: 'flood', payload: 'x', qos: 2 }), v5.pubrel()]);
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => exchange));
    const publishers = await Promise.all(Array.from({ length: 10 }, (_, index) => siege.insider('tcp', `p${index}`)));
    await siege.withstand(async () => {
      for (let count = 0; count < 10; count++) await Promise.all(publishers.map((publisher) => publisher.pour(batch)));
    });
    expect(publishers.some(({ isClosed }) => isClosed)).toBe(false);
  });

  for (const transport of transports) {
    test(`3000 connections over ${transport}, come and gone`, async () => {
      const siege = await Siege.begin(resources);
      const churn = async (rounds: number): Promise<void> => {
        for (let round = 0; round < rounds; round++) {
          const clients = await Promise.all(
            Array.from({ length: 50 }, (_, index) =>
              siege.insider(transport, `c${index}`, [{ filter: 'a/#', qos: 1 }]),
            ),
          );
          for (const [index, client] of clients.entries()) {
            if (index % 2 === 0) client.send(v5.disconnect());
            else client.reset();
          }
        }
        await siege.alone();
      };
      await churn(20);
      const before = siege.memory();
      await siege.withstand(() => churn(60));
      expect(siege.memory() - before).toBeLessThan(48);
    });
  }

  test('the same Client Identifier taken over 500 times', async () => {
    const siege = await Siege.begin(resources);
    await siege.withstand(async () => {
      const attackers = await siege.attackers('tcp', 500);
      for (const attacker of attackers) attacker.send(v5.connect({ clientId: 'wanted', cleanStart: false }));
      for (const attacker of attackers.slice(0, -1)) await attacker.closed();
      // DISCONNECT, Session taken over, was the last that each of them read; only the last is in.
      expect(siege.openSockets()).toBe(3);
    });
  });
});
