import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { main as pub } from '../../../src/cli/pub.ts';
import { main as rr } from '../../../src/cli/rr.ts';
import { main as sub } from '../../../src/cli/sub.ts';
import { Client } from '../../../src/client/client.ts';
import type { DialTarget } from '../../../src/transport/dial.ts';
import { runInProcess } from '../../cli/in-process.ts';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import type { TransportName } from '../wire/client.ts';
import { dialClient } from '../wire/client-under-test.ts';

const resources = useResources();

const websocket = { path: '/mqtt', subprotocol: 'mqtt' };

/** A web server that refuses, and keeps what was offered to it. */
async function listenForOffers(): Promise<{ readonly port: number; readonly offers: unknown[] }> {
  const offers: unknown[] = [];
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    offers.push(request.headers['sec-websocket-protocol']);
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resources.add({ close: () => void server.close() });
  return { port: (server.address() as AddressInfo).port, offers };
}

test('v5 [MQTT-6.0.0-3] v311 [MQTT-6.0.0-3] over WebSocket the subprotocol mqtt is offered, by pub, sub and rr too', async () => {
  const { port, offers } = await listenForOffers();
  const place = ['-h', '127.0.0.1', '-p', String(port), '--ws', '-t', 'a'];
  for (const version of ['311', '5']) {
    for (const [main, more] of [
      [pub, ['-m', 'x']],
      [sub, []],
      [rr, ['-e', 'b', '-m', 'x']],
    ] as const) {
      const { status } = await runInProcess(main, [...place, '-V', version, ...more]);
      expect(status).not.toBe(0);
    }
  }
  expect(offers).toEqual(['mqtt', 'mqtt', 'mqtt', 'mqtt', 'mqtt', 'mqtt']);
});

const targets: readonly { transport: TransportName; more: Partial<DialTarget> }[] = [
  { transport: 'tcp', more: {} },
  { transport: 'tls', more: { tls: { verify: 'none' } } },
  { transport: 'ws', more: { websocket } },
];
for (const { transport, more } of targets) {
  test(`v311 [MQTT-7.1.2-1] v5 [MQTT-4.2.0-1] [MQTT-6.0.0-1] ${transport}: every byte arrives, in order`, async () => {
    const broker = await startBroker(resources, { transports: [transport] });
    for (const protocolVersion of [4, 5] as const) {
      const received: Buffer[] = [];
      const client = new Client({
        target: { address: { host: '127.0.0.1', port: broker.port(transport) }, ...more },
        protocolVersion,
        clientId: 'c',
        onMessage: ({ payload }) => received.push(Buffer.from(payload)),
      });
      resources.add({ close: () => client.destroy() });
      await client.start();
      await client.subscribe({ filter: 'a', qos: 1 });
      // Of every size from a few bytes to many reads and many frames.
      const sizes = [0, 1, 100, 125, 126, 16_383, 16_384, 65_535, 65_536, 1_000_000];
      const sent = sizes.map((size, index) => Buffer.alloc(size, `${index}-${size};`));
      await Promise.all(sent.map((payload) => client.publish('a', payload, { qos: 1 })));
      await expect.poll(() => received.length).toBe(sent.length);
      expect(received.map((payload, index) => payload.equals(sent[index] as Buffer))).toEqual(sizes.map(() => true));
      await client.disconnect();
    }
  });
}

test('v311 [MQTT-7.1.2-1] where the stream is cut means nothing: packets arrive byte by byte', async () => {
  const received: string[] = [];
  const { peer, started } = await dialClient(resources, {
    version: 4,
    onMessage: ({ payload }) => received.push(payload.toString()),
  });
  const bytes = Buffer.concat([
    peer.packets.connack(),
    peer.packets.publish({ topic: 'a', payload: 'first' }),
    peer.packets.publish({ topic: 'a', payload: 'x'.repeat(200) }), // two bytes of Remaining Length
  ]);
  for (const byte of bytes) {
    peer.send(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await started;
  await peer.expectQuiet();
  expect(received).toEqual(['first', 'x'.repeat(200), '']); // the last is the marker
});
