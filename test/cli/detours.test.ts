/** Ways to a broker that lead through others: a SOCKS proxy, service records, a local address, a WebSocket gateway. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { main as pub } from '../../src/cli/pub.ts';
import { main as sub } from '../../src/cli/sub.ts';
import { useResources } from '../harness/resources.ts';
import { runInProcess } from './in-process.ts';
import { answer, ScriptedBroker } from './scripted-broker.ts';

const resources = useResources();

/** CONNACK of MQTT 3.1.1. */
const CONNACK = '20 02 00 00';

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    resources.add({ close: () => void server.close() });
  });
}

interface ProxyRules {
  readonly login?: string;
  /** Reply code; 0 connects to `port` whatever the client asked for. */
  readonly reply: number;
  readonly port: number;
}

/** A SOCKS5 proxy that writes down what it was asked for. */
async function startProxy(rules: ProxyRules, asked: string[]): Promise<number> {
  return listen(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (hello) => {
        const methods = [...hello.subarray(2)];
        const method = rules.login === undefined ? 0 : methods.includes(2) ? 2 : 0xff;
        asked.push(`methods ${methods.join(',')}`);
        socket.write(Buffer.from([5, method]));
        const onRequest = (request: Buffer) => {
          // 05 CMD 00 03 LENGTH NAME PORT
          const length = request[4] ?? 0;
          asked.push(
            `${request[3] === 3 ? request.toString('utf8', 5, 5 + length) : request.subarray(4, 8).join('.')}:${request.readUInt16BE(request.length - 2)}`,
          );
          socket.write(Buffer.from([5, rules.reply, 0, 1, 127, 0, 0, 1, 0, 0]));
          if (rules.reply !== 0) {
            socket.end();
            return;
          }
          const target = connect(rules.port, '127.0.0.1');
          target.on('error', () => socket.destroy());
          socket.pipe(target).pipe(socket);
        };
        if (method !== 2) {
          socket.once('data', onRequest);
          return;
        }
        socket.once('data', (login) => {
          const nameLength = login[1] ?? 0;
          const name = login.toString('utf8', 2, 2 + nameLength);
          const password = login.toString('utf8', 3 + nameLength);
          const isRight = `${name}:${password}` === rules.login;
          socket.write(Buffer.from([1, isRight ? 0 : 1]));
          if (isRight) socket.once('data', onRequest);
          else socket.end();
        });
      });
    }),
  );
}

describe('a SOCKS5 proxy', () => {
  const message = ['-t', 'a', '-m', 'x'];

  test('resolves the name of the broker', async () => {
    const broker = resources.add(await ScriptedBroker.start(answer(CONNACK)));
    const asked: string[] = [];
    const proxy = await startProxy({ reply: 0, port: broker.port }, asked);
    const outcome = await runInProcess(pub, [
      '-h',
      'broker.example',
      '--proxy',
      `socks5h://127.0.0.1:${proxy}`,
      ...message,
    ]);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(asked).toEqual(['methods 0', 'broker.example:1883']);
    // PUBLISH a x, then DISCONNECT, came through.
    expect(Buffer.concat(broker.received).subarray(-8).toString('hex')).toBe('300400016178e000');
  });

  test('gets addresses as addresses', async () => {
    const broker = resources.add(await ScriptedBroker.start(answer(CONNACK)));
    const asked: string[] = [];
    const proxy = await startProxy({ reply: 0, port: broker.port }, asked);
    await runInProcess(pub, ['-h', '192.0.2.7', '-p', '1234', '--proxy', `socks5h://127.0.0.1:${proxy}`, ...message]);
    expect(asked[1]).toBe('192.0.2.7:1234');
  });

  test('is told name and password, percent-decoded', async () => {
    const broker = resources.add(await ScriptedBroker.start(answer(CONNACK)));
    const proxy = await startProxy({ login: 'us:er:p@ss%', reply: 0, port: broker.port }, []);
    const right = await runInProcess(pub, ['--proxy', `socks5h://us%3aer:p%40ss%25@127.0.0.1:${proxy}`, ...message]);
    expect(right).toMatchObject({ status: 0, stderr: '' });
    const wrong = await runInProcess(pub, ['--proxy', `socks5h://us:no@127.0.0.1:${proxy}`, ...message]);
    expect(wrong).toMatchObject({
      status: 16,
      stderr: 'Error: Proxy error\n       (the proxy refused user name or password)\n',
    });
  });

  test('that cannot connect is quoted', async () => {
    const proxy = await startProxy({ reply: 5, port: 0 }, []);
    const outcome = await runInProcess(pub, ['--proxy', `socks5h://127.0.0.1:${proxy}`, ...message]);
    expect(outcome).toMatchObject({
      status: 16,
      stderr: 'Error: Proxy error\n       (the proxy says: connection refused)\n',
    });
  });

  test('that is none is found out', async () => {
    const server = await listen(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const outcome = await runInProcess(pub, ['--proxy', `socks5h://127.0.0.1:${server}`, ...message]);
    expect(outcome.status).toBe(16);
    expect(outcome.stderr).toContain('the proxy does not speak SOCKS5');
  });
});

/** A name server for one kind of question; it runs as long as the test. */
async function startNameServer(
  answers: Readonly<
    Record<string, readonly (readonly [priority: number, weight: number, port: number, host: string])[]>
  >,
): Promise<number> {
  const server: DatagramSocket = createSocket('udp4');
  server.on('message', (query, from) => {
    let at = 12;
    const labels: string[] = [];
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const records = answers[labels.join('.')] ?? [];
    const encoded = records.map(([priority, weight, port, host]) => {
      const name = Buffer.concat([
        ...host.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
        Buffer.from([0]),
      ]);
      const fixed = Buffer.alloc(18);
      fixed.writeUInt16BE(0xc00c, 0); // the name of the question
      fixed.writeUInt16BE(33, 2); // SRV
      fixed.writeUInt16BE(1, 4); // IN
      fixed.writeUInt32BE(60, 6); // time to live
      fixed.writeUInt16BE(6 + name.length, 10);
      fixed.writeUInt16BE(priority, 12);
      fixed.writeUInt16BE(weight, 14);
      fixed.writeUInt16BE(port, 16);
      return Buffer.concat([fixed, name]);
    });
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(records.length === 0 ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    server.send(Buffer.concat([header, question, ...encoded]), from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  resources.add({ close: () => void server.close() });
  return server.address().port;
}

describe('service records', () => {
  test('say where the broker is, the most preferred one that answers first', async () => {
    const broker = resources.add(await ScriptedBroker.start(answer(CONNACK)));
    const dead = resources.add(await ScriptedBroker.start(() => {}));
    const deadPort = dead.port;
    dead.close();
    const nameServer = await startNameServer({
      '_mqtt._tcp.example.test': [
        [20, 0, 1, 'later.invalid'],
        [10, 5, broker.port, 'localhost'],
        [1, 0, deadPort, 'localhost'],
      ],
    });
    const before = dns.getServers();
    dns.setServers([`127.0.0.1:${nameServer}`]);
    try {
      const found = await runInProcess(pub, ['-S', '-h', 'example.test', '-t', 'a', '-m', 'x']);
      expect(found).toMatchObject({ status: 0, stderr: '' });
      expect(broker.connections).toBe(1);
      const none = await runInProcess(pub, ['-S', '-h', 'nobody.test', '-t', 'a', '-m', 'x']);
      expect(none).toMatchObject({ status: 1, stderr: 'Unable to connect (Lookup error).\n' });
    } finally {
      dns.setServers(before);
    }
  });
});

describe('a WebSocket', () => {
  test('asks for /mqtt with the subprotocol mqtt and without an Origin, and takes frames of any cut', async () => {
    const seen: unknown[] = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mqtt' });
    resources.add({ close: () => server.close() });
    server.on('connection', (socket, request) => {
      seen.push(request.url, request.headers['sec-websocket-protocol'], request.headers.origin);
      socket.once('message', () => {
        // CONNACK in two frames with an empty one between them.
        socket.send(Buffer.from([0x20, 0x02]));
        socket.send(Buffer.alloc(0));
        socket.send(Buffer.from([0x00, 0x00]));
        // SUBACK and PUBLISH a=x in one.
        socket.once('message', () => socket.send(Buffer.from('9003000100300400016178', 'hex')));
      });
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await runInProcess(sub, ['--ws', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-C', '1']);
    expect(outcome).toMatchObject({ status: 0, stdout: 'x\n', stderr: '' });
    expect(seen).toEqual(['/mqtt', 'mqtt', undefined]);
  });

  test('that the server refuses is named', async () => {
    const server = createHttpServer((_request, response) => response.writeHead(404).end());
    const port = await listen(server);
    const outcome = await runInProcess(pub, ['--ws', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-m', 'x']);
    expect(outcome.status).toBe(2);
    expect(outcome.stderr).toContain('(WebSocket: Unexpected server response: 404)');
  });

  test('may not carry text [MQTT-6.0.0-1]', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mqtt' });
    resources.add({ close: () => server.close() });
    server.on('connection', (socket) => socket.once('message', () => socket.send('20020000')));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await runInProcess(pub, ['--ws', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-m', 'x']);
    expect(outcome).toMatchObject({ status: 7, stderr: 'Error: The connection was lost\n' });
  });
});

describe('a local address', () => {
  test('is the one that the broker sees, also by its name', async () => {
    const peers: (string | undefined)[] = [];
    const broker = resources.add(
      await ScriptedBroker.start((socket, received) => {
        peers.push(socket.remoteAddress);
        answer(CONNACK)(socket, received);
      }),
    );
    const place = ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a', '-m', 'x'];
    expect((await runInProcess(pub, [...place, '-A', '127.0.0.9'])).status).toBe(0);
    expect(peers).toEqual(['127.0.0.9']);
  });
});
