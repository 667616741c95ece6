/** Names that are legal strings and would cost a tree of 65,536 levels. */
import { describe, expect, test } from 'vitest';
import { field, packet, u8, u16 } from '../conformance/wire/bytes.ts';
import { RawClient } from '../conformance/wire/client.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { useResources } from '../harness/resources.ts';
import { hasProc, Siege, transports } from './siege.ts';

const v5 = packetsOf(5);
const deepest = '/'.repeat(65_535);
/** 201 levels: the most that is taken. */
const deep = '/'.repeat(200);

for (const transport of transports) {
  describe.runIf(hasProc)(`65,535 slashes, over ${transport}`, () => {
    const resources = useResources();

    const packets: readonly (readonly [what: string, bytes: Buffer])[] = [
      ['PUBLISH', v5.publish({ topic: deepest, payload: 'x' })],
      ['PUBLISH at QoS 2', v5.publish({ topic: deepest, payload: 'x', qos: 2 })],
      ['retained PUBLISH', v5.publish({ topic: deepest, payload: 'x', retain: true })],
      ['SUBSCRIBE', v5.subscribe({ filters: [deepest] })],
      ['SUBSCRIBE behind a good filter', v5.subscribe({ filters: ['good', deepest] })],
      ['SUBSCRIBE of #', v5.subscribe({ filters: [`${deepest.slice(1)}#`] })],
      // `$share/g/` and 65,526 slashes
      ['shared SUBSCRIBE', v5.subscribe({ filters: [`$share/g/${deepest.slice(9)}`] })],
      ['UNSUBSCRIBE', v5.unsubscribe({ filters: [deepest] })],
    ];

    for (const [what, bytes] of packets) {
      test(`${what}: 0x81 at once, memory flat`, async () => {
        const siege = await Siege.begin(resources);
        await siege.canary.sing(100);
        const before = siege.memory();
        await siege.withstand(async () => {
          for (let round = 0; round < 20; round++) {
            const client = await siege.connect(transport, 'deep');
            client.send(bytes);
            await client.expectError(0x81);
          }
        });
        expect(siege.memory() - before).toBeLessThan(32);
      });
    }

    test('Will Topic: refused in CONNACK', async () => {
      const siege = await Siege.begin(resources);
      for (let round = 0; round < 20; round++) {
        const client = resources.add(await RawClient.open(siege.broker.port(transport), { transport }));
        client.send(v5.connect({ will: { topic: deepest, payload: 'x' } }));
        const connack = await client.expectPacket('connack');
        expect(connack.reasonCode).toBeGreaterThanOrEqual(0x80);
        await client.expectClosed();
      }
      await siege.canary.sing();
    });

    test('200 slashes are taken everywhere', async () => {
      const siege = await Siege.begin(resources);
      const client = await siege.connect(transport, 'deep', { will: { topic: deep, payload: 'gone' } });
      await client.subscribe(deep);
      await client.publish({ topic: deep, payload: 'x', retain: true });
      await client.expectPublish({ topic: deep, payload: 'x' });
      await client.subscribe(`${deep}#`);
      await client.expectPublish({ topic: deep, payload: 'x', retain: true });
      client.send(v5.unsubscribe({ filters: [deep] }));
      await client.expectPacket('unsuback');
    });
  });
}

describe.runIf(hasProc)('many names', () => {
  const resources = useResources();

  test('ever new topics cost no more than the cache of topics holds', async () => {
    const siege = await Siege.begin(resources);
    const publisher = await siege.insider('tcp', 'publisher');
    const one = v5.publish({ topic: `once/${'0'.repeat(8)}/${'x'.repeat(40)}` });
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => one));
    const pour = async (from: number, count: number): Promise<void> => {
      for (let start = from; start < from + count; start += 1000) {
        // The number stands behind first byte, Remaining Length, two bytes of length and `once/`.
        for (let index = 0; index < 1000; index++) {
          batch.write(String(start + index).padStart(8, '0'), index * one.length + 9, 'latin1');
        }
        await publisher.pour(Buffer.from(batch));
      }
    };
    // What comes once is not kept; the heap has the size by then that the broker works in.
    await pour(0, 400_000);
    const before = siege.memory();
    await siege.withstand(() => pour(400_000, 600_000));
    expect(siege.memory() - before).toBeLessThan(48);
  });

  test('SUBSCRIBE and UNSUBSCRIBE of ever new filters leave nothing behind', async () => {
    const siege = await Siege.begin(resources);
    const client = await siege.connect('tcp', 'fickle');
    const round = async (number: number): Promise<void> => {
      const filters = Array.from({ length: 500 }, (_, index) => `f/${number}/${index}/+/${'x'.repeat(40)}`);
      client.send(v5.subscribe({ filters }), v5.unsubscribe({ filters }));
      await client.expectPacket('suback');
      await client.expectPacket('unsuback');
    };
    for (let number = 0; number < 40; number++) await round(number);
    const before = siege.memory();
    await siege.withstand(async () => {
      for (let number = 40; number < 240; number++) await round(number);
    });
    expect(siege.memory() - before).toBeLessThan(32);
  });

  test('a SUBSCRIBE packet full of the same short filter is answered for each', async () => {
    const siege = await Siege.begin(resources);
    const client = await siege.connect('tcp', 'same');
    const count = 20_000;
    // u16 length, 'a', options
    const one = Buffer.concat([field('a'), u8(1)]);
    client.send(packet(0x82, u16(1), u8(0), Buffer.concat(Array.from({ length: count }, () => one))));
    expect((await client.expectPacket('suback')).reasonCodes).toHaveLength(count);
    await client.publish({ topic: 'a', payload: 'once' });
    // One subscription, however often it is asked for.
    await client.expectPublish({ topic: 'a', payload: 'once' });
    await client.expectNothing();
  });
});
