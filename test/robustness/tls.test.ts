/** Peers over TLS that do not read, that vanish while they are written to, and whose packets are large. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { packetsOf } from '../conformance/wire/packets.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { deliveries, hasProc, Siege } from './siege.ts';

const v5 = packetsOf(5);

describe.runIf(hasProc)('attacks over TLS', () => {
  const resources = useResources();

  const begin = (config: readonly string[] = []): Promise<Siege> =>
    Siege.begin(resources, {
      config,
      listeners: ['listener {tls} 127.0.0.1', 'certfile {dir}/localhost.crt', 'keyfile {dir}/localhost.key'],
      prepare: async ({ dir }) => {
        await (await CertificateAuthority.create(dir)).issue('server', 'localhost');
      },
    });

  /** A client that has subscribed to `flood`, with the bytes that come after. */
  async function subscriber(siege: Siege, clientId: string) {
    const raw = connect(siege.broker.port('tls'), '127.0.0.1');
    const ca = readFileSync(join(siege.broker.dir, 'ca.crt'));
    const socket: TLSSocket = connectTls({ socket: raw, servername: 'localhost', ca });
    resources.add({ close: () => void socket.destroy() });
    const client = { socket, raw, received: 0, isClosed: false };
    socket.on('error', () => {});
    raw.on('error', () => {});
    socket.on('close', () => (client.isClosed = true));
    socket.on('data', (bytes: Buffer) => (client.received += bytes.length));
    socket.write(v5.connect({ clientId, keepAlive: 0 }));
    await waitFor('CONNACK', () => client.received > 0);
    const before = client.received;
    socket.write(v5.subscribe({ packetId: 1, filters: [{ filter: 'flood', qos: 0 }] }));
    await waitFor('SUBACK', () => client.received > before);
    client.received = 0;
    return client;
  }

  // As over TCP (flood.test.ts): max_queued_messages of small messages wait for each; of large ones 16 MiB, which all of them share.
  for (const [payloadBytes, messages, maxQueued] of [
    [1000, 4000, 200],
    [50_000, 640, 0],
  ] as const) {
    test(`50 subscribers that never read ${payloadBytes} bytes: what waits is bounded, and every delivery is in the books`, async () => {
      const siege = await begin([`max_queued_messages ${maxQueued}`, 'sys_interval 1']);
      const deaf = await Promise.all(Array.from({ length: 50 }, (_, index) => subscriber(siege, `deaf${index}`)));
      for (const { socket } of deaf) socket.pause();
      const numbers = await siege.connect('tcp', 'numbers');
      const publisher = await siege.insider('tcp', 'publisher');
      const before = siege.memory();
      const packet = v5.publish({ topic: 'flood', payload: 'x'.repeat(payloadBytes) });
      const batch = Buffer.concat(Array.from({ length: messages / 16 }, () => packet));
      await siege.withstand(async () => {
        for (let count = 0; count < 16; count++) await publisher.pour(batch);
      });
      // Beside what waits, TLS holds one write of each, encrypted: a megabyte at most.
      expect(siege.memory() - before).toBeLessThan(160);

      const { sent, waiting, dropped, droppedAtSocket, count } = await deliveries(numbers, 50 * messages);
      expect(sent + waiting + dropped).toBe(count);
      expect(droppedAtSocket).toBeGreaterThan(0);

      // Those that read again get what waited, and what comes.
      const [one] = deaf;
      one?.socket.resume();
      await waitFor('the subscriber to catch up', () => (one?.received ?? 0) > 2 * payloadBytes);
    });
  }

  test('subscribers that vanish while they are written to', async () => {
    const siege = await begin();
    const publisher = await siege.insider('tcp', 'publisher');
    const batch = Buffer.concat(
      Array.from({ length: 100 }, () => v5.publish({ topic: 'flood', payload: 'x'.repeat(5000) })),
    );
    for (let round = 0; round < 4; round++) {
      const subscribers = await Promise.all(
        Array.from({ length: 24 }, (_, index) => subscriber(siege, `${round}-${index}`)),
      );
      // Half of them are in the middle of reading, a quarter reads nothing, and a quarter has ended its side.
      for (const [index, { socket }] of subscribers.entries()) {
        if (index % 4 === 0) socket.pause();
        if (index % 4 === 1) socket.end();
      }
      await siege.withstand(async () => {
        const pouring = publisher.pour(batch);
        for (const { raw } of subscribers) {
          raw.resetAndDestroy();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await pouring;
      });
    }
    expect(publisher.isClosed).toBe(false);
    const last = await subscriber(siege, 'last');
    const sender = await siege.insider('tcp', 'sender');
    await sender.pour(v5.publish({ topic: 'flood', payload: 'still there' }));
    await waitFor('a message to a new subscriber', () => last.received > 0);
  });

  test('packets of 60 kB to 40 MB, whole and unchanged', async () => {
    const siege = await begin(['max_packet_size 50000000']);
    const reader = await subscriber(siege, 'reader');
    const writer = await subscriber(siege, 'writer');
    let chunks: Buffer[] = [];
    let expectedBytes = 0;
    reader.socket.on('data', (bytes: Buffer) => chunks.push(bytes));
    for (const length of [60_000, 65_536, 200_000, 3_000_000, 40_000_000, 10]) {
      const packet = v5.publish({ topic: 'flood', payload: Buffer.alloc(length, `${length};`) });
      writer.socket.write(packet);
      expectedBytes += packet.length;
      await waitFor(`${length} bytes`, () => writer.received === expectedBytes && reader.received === expectedBytes);
      expect(Buffer.concat(chunks).equals(packet)).toBe(true);
      chunks = [];
    }
    await siege.canary.sing(5);
  });
});
