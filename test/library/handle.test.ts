import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { BrokerStateError } from '../../src/index.ts';
import { useResources } from '../harness/resources.ts';
import { connect, Inbox, inboxOf, newBroker, refusalOf, startBroker } from './embedding.ts';

const resources = useResources();

async function listen(server: Pick<Server, 'listen' | 'address' | 'close'>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  resources.add({ close: () => void server.close() });
  return (server.address() as AddressInfo).port;
}

test('a socket of a server of the program is served like one of a listener', async () => {
  const { broker } = await startBroker(resources, { listeners: [] });
  const port = await listen(createServer((socket) => broker.handle(socket)));

  const client = await connect(resources, `mqtt://127.0.0.1:${port}`, { clientId: 'anne' });
  const inbox = inboxOf(client);
  await client.subscribeAsync('a', { qos: 2 });
  await client.publishAsync('a', 'x'.repeat(1_000_000), { qos: 2 });

  expect((await inbox.first(1))[0]).toHaveLength(1_000_002);
  expect(broker.clients).toMatchObject([{ clientId: 'anne', address: '127.0.0.1', listenerPort: 0 }]);
  expect(broker.clients[0]?.port).toBeGreaterThan(0);
  await broker.close();
  await new Promise<void>((resolve) => (client.connected ? client.once('close', resolve) : resolve()));
});

test('a WebSocket of an HTTP server of the program, which serves other things too', async () => {
  const { broker } = await startBroker(resources, { listeners: [] });
  const http = createHttpServer((_request, response) => response.end('a page'));
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'mqtt' });
  http.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => broker.handle(createWebSocketStream(webSocket)));
  });
  const port = await listen(http);

  const client = await connect(resources, `ws://127.0.0.1:${port}/mqtt`, { clientId: 'page' });
  const inbox = inboxOf(client);
  await client.subscribeAsync('a');
  broker.publish('a', 'x');

  expect(await inbox.first(1)).toEqual(['a x']);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('a page');
  await broker.close();
});

test('the options at the top decide, not those of a listener', async () => {
  const broker = newBroker(resources, {
    allowAnonymous: undefined,
    listeners: [{ port: 0, host: '127.0.0.1', listenerAllowAnonymous: true }],
  });
  const [listener] = await broker.listen();
  const port = await listen(createServer((socket) => broker.handle(socket)));

  expect(await refusalOf(`mqtt://127.0.0.1:${port}`, {})).toBe(0x87);
  await connect(resources, listener?.url ?? '');

  const open = await startBroker(resources, { listeners: [], authenticate: ({ address }) => address === '127.0.0.1' });
  await connect(resources, `mqtt://127.0.0.1:${await listen(createServer((socket) => open.broker.handle(socket)))}`);
});

test('a broker that is not running destroys what it is handed and says so; what is no stream is refused', async () => {
  const broker = newBroker(resources, { listeners: [] });
  const thrown = new Inbox<unknown>();
  const server = createServer((socket: Socket) => {
    try {
      broker.handle(socket);
    } catch (error) {
      thrown.add(error);
    }
  });
  const port = await listen(server);

  expect(await refusalOf(`mqtt://127.0.0.1:${port}`, {})).toBeUndefined();
  expect((await thrown.first(1))[0]).toBeInstanceOf(BrokerStateError);
  await broker.listen();
  await connect(resources, `mqtt://127.0.0.1:${port}`);
  for (const wrong of [undefined, {}, 'stream']) {
    expect(() => broker.handle(wrong as never)).toThrow(/^stream: expected a stream\.Duplex, got /);
  }
  expect(() => broker.handle(new PassThrough())).not.toThrow();
});
