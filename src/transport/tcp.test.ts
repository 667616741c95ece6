/** The promises of a transport, kept at the handle of a socket and by its events. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority } from '../../test/harness/certificates.ts';
import { systemClock } from '../base/clock.ts';
import type { Transport } from '../contracts/transport.ts';
import { SharedIo } from './socket-handle.ts';
import { acceptByEvents, acceptShared } from './tcp.ts';

const clock = systemClock();
const peer = { address: '127.0.0.1', port: 1, tls: null };

/** What a transport told. */
class Told {
  readonly chunks: Buffer[] = [];
  drains = 0;
  closed: string | null | undefined;
  onData(bytes: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
  }
  onDrain(): void {
    this.drains++;
  }
  onClose(code: string | null): void {
    this.closed = code;
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) {
    if ('destroy' in one) one.destroy();
    else one.close();
  }
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

type Accept = (socket: Socket) => Transport;
/** What the bytes go over. */
type Wire = 'TCP' | 'a Unix socket' | 'TLS';

let directory = '';
let keys: { readonly key: Buffer; readonly cert: Buffer };
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'transport-'));
  const { certFile, keyFile } = await (await CertificateAuthority.create(directory)).issue('server', 'server');
  keys = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
});
afterAll(() => rmSync(directory, { recursive: true }));

let paths = 0;

async function pair(accept: Accept, wire: Wire = 'TCP') {
  const told = new Told();
  let transport: Transport | undefined;
  const onSocket = (socket: Socket) => {
    transport = accept(socket);
    transport.handler = told;
    transport.resume();
  };
  const server =
    wire === 'TLS'
      ? createTlsServer({ ...keys, noDelay: true }, onSocket)
      : createServer({ pauseOnConnect: true, noDelay: true }, onSocket);
  const path = wire === 'a Unix socket' ? join(directory, `${paths++}.sock`) : null;
  await new Promise<void>((resolve) => {
    if (path === null) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const raw = path === null ? connect((server.address() as AddressInfo).port, '127.0.0.1') : connect(path);
  const client = wire === 'TLS' ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw;
  open.push(server, client);
  await until(() => transport !== undefined);
  return { told, transport: transport as Transport, client, raw, server };
}

const io = new SharedIo();
const atHandle: Accept = (socket) => acceptShared(socket, peer, clock, io);
const byEvents: Accept = (socket) => acceptByEvents(socket, peer, clock);
/** Takes a member away from the handle of a socket before it is accepted. */
const without =
  (change: (handle: { _parent: object }) => void): Accept =>
  (socket) => {
    change((socket as unknown as { _handle: { _parent: object } })._handle);
    return acceptShared(socket, peer, clock, io);
  };
/** Node does not use the handle in a way that can be learnt from. */
const unlearnt: Accept = (socket) => {
  const own = new SharedIo();
  own.requests.learn = (_handle, write) => write();
  return acceptShared(socket, peer, clock, own);
};

const noUserBuffer = without((handle) => Object.assign(handle, { useUserBuffer: undefined }));
const nothingBelow = without(({ _parent: below }) => Object.defineProperty(below, 'writeQueueSize', { value: null }));

const ways: readonly (readonly [name: string, wire: Wire, accept: Accept])[] = [
  ['at the handle', 'TCP', atHandle],
  ['at the handle', 'a Unix socket', atHandle],
  ['at the handle', 'TLS', atHandle],
  ['by events', 'TCP', byEvents],
  ['by events', 'TLS', byEvents],
  ['where the handle is not as expected', 'TCP', noUserBuffer],
  ['where the handle is not as expected', 'TLS', noUserBuffer],
  ['where nothing is known below it', 'TLS', nothingBelow],
  ['where requests cannot be learnt', 'TCP', unlearnt],
  ['where requests cannot be learnt', 'TLS', unlearnt],
];

describe.each(ways)('a transport %s, over %s', (_name, wire, accept) => {
  test('carries bytes in both directions, in order', async () => {
    const { told, transport, client } = await pair(accept, wire);
    let answer = '';
    client.on('data', (chunk) => (answer += chunk.toString()));
    for (let index = 0; index < 300; index++) {
      client.write(`${index},`);
      transport.write(Buffer.from(`${index};`));
    }
    await until(() => told.text.endsWith('299,') && answer.endsWith('299;'));
    expect(told.text.split(',').slice(0, -1).map(Number)).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect(answer.split(';').slice(0, -1).map(Number)).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect(transport.pendingBytes).toBe(0);
    // A Unix socket takes few small writes at a time.
    expect(told.drains).toBeLessThan(2);
  });

  test('keeps what a slow peer does not take, and tells when it has left', async () => {
    const { told, transport, client } = await pair(accept, wire);
    client.pause();
    const sent: Buffer[] = [];
    for (let index = 0; transport.pendingBytes < 4_000_000; index++) {
      const bytes = Buffer.alloc(50_000, index);
      sent.push(bytes);
      transport.write(bytes);
    }
    expect(told.drains).toBe(0);
    const got: Buffer[] = [];
    client.on('data', (chunk) => got.push(chunk));
    client.resume();
    await until(() => told.drains > 0);
    expect([told.drains, transport.pendingBytes]).toEqual([1, 0]);
    transport.write(Buffer.from('end'));
    await until(() => got.reduce((sum, { length }) => sum + length, 0) === sent.length * 50_000 + 3);
    expect(Buffer.concat(got).equals(Buffer.concat([...sent, Buffer.from('end')]))).toBe(true);
  });

  test('reads nothing while it is paused', async () => {
    const { told, transport, client } = await pair(accept, wire);
    client.write('a');
    await until(() => told.text === 'a');
    transport.pause();
    client.write('b');
    // A round trip on another connection shows that the bytes had the time to come.
    const other = await pair(accept, wire);
    other.client.write('x');
    await until(() => other.told.text === 'x');
    expect(told.text).toBe('a');
    transport.resume();
    await until(() => told.text === 'ab');
  });

  test('sends what is pending before it ends, and the server lets go of it', async () => {
    const { told, transport, client, server } = await pair(accept, wire);
    client.pause();
    for (let count = 0; transport.pendingBytes < 1_000_000; count++) transport.write(Buffer.alloc(100_000, 1));
    transport.write(Buffer.from('last'));
    transport.end();
    let got = '';
    let isEnded = false;
    client.on('data', (chunk) => (got = chunk.subarray(-4).toString()));
    client.on('end', () => (isEnded = true));
    client.resume();
    await until(() => isEnded && told.closed !== undefined);
    expect(got).toBe('last');
    expect(told.closed).toBeNull();
    await new Promise((resolve) => server.close(resolve));
    transport.write(Buffer.from('too late'));
    expect(transport.pendingBytes).toBe(0);
  });

  test('tells how the peer closed', async () => {
    const friendly = await pair(accept, wire);
    friendly.client.end();
    await until(() => friendly.told.closed !== undefined);
    expect(friendly.told.closed).toBeNull();
    if (wire === 'a Unix socket') return;
    const rude = await pair(accept, wire);
    rude.client.write('x');
    await until(() => rude.told.text === 'x');
    rude.raw.resetAndDestroy();
    await until(() => rude.told.closed !== undefined);
    expect(rude.told.closed).toBe('ECONNRESET');
  });

  test('forgets what is pending when it is destroyed', async () => {
    const { told, transport, client } = await pair(accept, wire);
    client.pause();
    for (let count = 0; transport.pendingBytes < 1_000_000; count++) transport.write(Buffer.alloc(100_000, 1));
    transport.destroy();
    await until(() => told.closed !== undefined);
    expect(transport.pendingBytes).toBe(0);
    expect(told.drains).toBe(0);
  });
});

test('sockets share one buffer and one request as long as writes are taken at once', async () => {
  const shared = new SharedIo();
  const requests = new Set<unknown>();
  const accept: Accept = (socket) => {
    const transport = acceptShared(socket, peer, clock, shared);
    const { _handle: handle } = socket as unknown as { _handle: { writeBuffer: (...args: unknown[]) => unknown } };
    transport.write(Buffer.from('first'));
    const own = handle.writeBuffer;
    handle.writeBuffer = (...args) => {
      requests.add(args[0]);
      return own.apply(handle, args);
    };
    return transport;
  };
  const one = await pair(accept);
  const two = await pair(accept);
  for (const { transport } of [one, two, one, two]) transport.write(Buffer.from('x'));
  expect(requests.size).toBe(1);
});

test('a peer that makes room while a write is under way', async () => {
  const { told, transport, client, server } = await pair((socket) => acceptShared(socket, peer, clock, new SharedIo()));
  // Another process reads: only then can room appear between two attempts to write.
  const { port } = server.address() as { port: number };
  client.destroy();
  await until(() => told.closed !== undefined);
  const shared = new SharedIo();
  let written: Transport | undefined;
  const drained = new Told();
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    written = acceptShared(socket, peer, clock, shared);
    written.handler = drained;
    written.resume();
  });
  const code = `let n=0;require('net').connect(${port},'127.0.0.1').on('data',(d)=>{n+=d.length}).on('end',()=>console.log(n))`;
  const reader = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  let counted = '';
  reader.stdout.on('data', (chunk: Buffer) => (counted += chunk.toString()));
  await until(() => written !== undefined);
  const target = written as unknown as Transport;
  const bytes = Buffer.alloc(20_000, 1);
  let sent = 0;
  while (sent < 10_000) {
    while (target.pendingBytes === 0 && sent < 10_000) {
      target.write(bytes);
      sent++;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  target.end();
  await until(() => counted !== '');
  expect(Number(counted)).toBe(sent * bytes.length);
  expect(transport.pendingBytes).toBe(0);
});
