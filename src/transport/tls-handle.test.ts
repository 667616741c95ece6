/** What TLS asks of Node at its handle: with handles of both kinds of Node's versions, then record by record over real sockets. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority } from '../../test/harness/certificates.ts';
import { FakeRequest } from '../../test/harness/write-request.ts';
import { systemClock } from '../base/clock.ts';
import type { Transport } from '../contracts/transport.ts';
import { SharedIo, type SocketHandle } from './socket-handle.ts';
import { acceptShared } from './tcp.ts';
import { TlsHandle } from './tls-handle.ts';

/** What a write does: `taken` and over in the next turn, `waiting` in libuv, failed in the call, or refused. */
type Fate = 'taken' | 'waiting' | 'failed' | 'refused';

/** Node's TLS, which takes one write at a time and tells in the next turn that it is over. */
class FakeTls {
  fate: Fate = 'taken';
  readonly below = { writeQueueSize: 0 };
  readonly written: string[] = [];
  readonly fragments: number[] = [];
  request: FakeRequest | null = null;
  readonly isOld: boolean;

  /** @param isOld - Node 20 to 24: the caller brings the request */
  constructor(isOld: boolean) {
    this.isOld = isOld;
  }

  writeBuffer(brought: FakeRequest | null, bytes: Uint8Array): number | FakeRequest {
    // Node ends the process.
    if (this.request !== null) throw new Error('a second write');
    expect(brought !== null).toBe(this.isOld);
    if (brought?.isUsed) throw new Error('the request is in use');
    if (this.fate === 'refused') return -71;
    this.written.push(Buffer.from(bytes).toString());
    const request = brought ?? new FakeRequest();
    if (this.fate === 'failed') {
      if (this.isOld) request.oncomplete?.(-32);
      else request.writeStatus = -32;
    } else {
      this.request = request;
      request.isUsed = true;
      this.below.writeQueueSize = this.fate === 'waiting' ? bytes.length : 0;
    }
    return this.isOld ? 0 : request;
  }

  endTurn(status = 0): void {
    const { request } = this;
    this.request = null;
    this.below.writeQueueSize = 0;
    request?.oncomplete?.(status);
    if (request !== null) request.isUsed = false;
  }
}

/** A socket on it whose stream writes and ends at the same handle. */
function open(isOld: boolean) {
  const tls = new FakeTls(isOld);
  const told: number[] = [];
  const ended: string[] = [];
  const write = (bytes: Buffer): unknown => tls.writeBuffer(isOld ? new FakeRequest() : null, bytes);
  const prototype = {
    _write(bytes: Buffer, _encoding: string, callback: () => void): void {
      write(bytes);
      callback();
    },
    _writev: () => undefined,
    _final: () => void ended.push(`after ${tls.written.at(-1)}`),
    setMaxSendFragment: (bytes: number) => void tls.fragments.push(bytes),
  };
  const socket = Object.assign(Object.create(prototype) as TLSSocket, { _handle: { _parent: tls.below } });
  const io = new SharedIo();
  const handle = tls as unknown as SocketHandle;
  const held = new TlsHandle(socket, handle, io, { onWritten: (status) => void told.push(status) });
  // Node's own write is what requests are learnt from.
  expect(held.write(Buffer.from('before'))).toBeUndefined();
  socket._write(Buffer.from('learn'), 'latin1', () => undefined);
  tls.endTurn();
  tls.fragments.length = 0;
  return { tls, told, ended, socket, write: (text: string) => held.write(Buffer.from(text)) };
}

describe.each([
  ['ours', true],
  ['of Node', false],
])('requests that are %s', (_name, isOld) => {
  test('what the operating system has is over at once, and nobody is told', () => {
    const { tls, told, write } = open(isOld);
    expect(write('one')).toBe(0);
    expect(tls.request?.oncomplete).toBeNull();
    tls.endTurn();
    expect(write('two')).toBe(0);
    tls.endTurn();
    expect(tls.written).toEqual(['learn', 'one', 'two']);
    expect(told).toEqual([]);
  });

  test('in the same turn the socket has to write, and does when the first is over', () => {
    const { tls, told, socket, write } = open(isOld);
    expect(write('one')).toBe(0);
    expect(write('two')).toBeUndefined();
    const written: string[] = [];
    socket._write(Buffer.from('two'), 'latin1', () => written.push('two'));
    expect(tls.written.at(-1)).toBe('one');
    tls.endTurn();
    expect(tls.written.at(-1)).toBe('two');
    expect([written, told]).toEqual([['two'], []]);
    tls.request = null;
    expect(write('three')).toBe(0);
  });

  test('the stream ends when the write is over', () => {
    const { tls, ended, socket, write } = open(isOld);
    write('last');
    socket._final(() => undefined);
    expect(ended).toEqual([]);
    tls.endTurn();
    expect(ended).toEqual(['after last']);
  });

  test('and is told when the write fails', () => {
    const { tls, told, ended, socket, write } = open(isOld);
    write('last');
    let code: string | undefined;
    socket._final((error) => (code = (error as NodeJS.ErrnoException).code));
    tls.endTurn(-104);
    expect([code, ended, told]).toEqual(['ECONNRESET', [], []]);
  });

  test('what waits is told of', () => {
    const { tls, told, write } = open(isOld);
    tls.fate = 'waiting';
    expect(write('four')).toBe(4);
    expect(write('five')).toBeUndefined();
    tls.endTurn();
    expect(told).toEqual([0]);
    expect(write('six')).toBe(3);
    tls.endTurn(-104);
    expect(told).toEqual([0, -104]);
  });

  test('a write that is larger than Node gives on at a time waits, even with nothing in libuv', () => {
    const { tls, told, write } = open(isOld);
    expect(write('x'.repeat(65_537))).toBe(65_537);
    tls.endTurn();
    expect(told).toEqual([0]);
    expect(write('x'.repeat(65_536))).toBe(0);
  });

  test('who is told may write again at once', () => {
    const { tls, write } = open(isOld);
    tls.fate = 'waiting';
    write('one');
    const { request } = tls;
    const again: (number | undefined)[] = [];
    const owner = request?.owner as { onWritten(status: number): void };
    (request as FakeRequest).owner = {
      onWritten: (status) => {
        owner.onWritten(status);
        tls.fate = 'taken';
        again.push(write('two'));
      },
    };
    tls.endTurn();
    expect(again).toEqual([0]);
    expect(tls.request).not.toBe(request);
  });

  test('a write that fails in the call, and one that is refused', () => {
    const { tls, told, write } = open(isOld);
    tls.fate = 'failed';
    expect(write('one')).toBe(-32);
    tls.fate = 'refused';
    expect(write('two')).toBe(-71);
    expect(told).toEqual([]);
  });

  test('records are short while little is sent at a time, and asked for when that changes', () => {
    const { tls, socket, write } = open(isOld);
    for (const length of [100, 512, 513, 5000, 1]) {
      write('x'.repeat(length));
      tls.endTurn();
    }
    expect(tls.fragments).toEqual([16_384, 512]);
    // OpenSSL would be asked about a connection that it has forgotten.
    Object.assign(socket, { destroyed: true });
    write('x'.repeat(1000));
    expect(tls.fragments).toEqual([16_384, 512]);
  });
});

describe('over real sockets', () => {
  let directory = '';
  let keys: { readonly key: Buffer; readonly cert: Buffer };
  const opened: (Server | Socket)[] = [];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tls-handle-'));
    const { certFile, keyFile } = await (await CertificateAuthority.create(directory)).issue('server', 'server');
    keys = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(() => {
    for (const one of opened.splice(0)) {
      if ('destroy' in one) one.destroy();
      else one.close();
    }
  });

  const listen = (server: Server): Promise<number> => {
    opened.push(server);
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  };

  /** A client behind a relay that keeps what the server sends; with TLS 1.2, whose records tell what they are. */
  async function tapped(onData: (transport: Transport, text: string) => void) {
    const clock = systemClock();
    const io = new SharedIo();
    const port = await listen(
      createTlsServer({ ...keys, maxVersion: 'TLSv1.2', noDelay: true }, (socket) => {
        const transport = acceptShared(socket, { address: '', port: 1, tls: null }, clock, io);
        transport.handler = {
          onData: (bytes, start, end) => onData(transport, bytes.toString('latin1', start, end)),
          onDrain: () => undefined,
          onClose: () => undefined,
        };
        transport.resume();
      }),
    );
    const sent: Buffer[] = [];
    const relay = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      opened.push(near, far);
      for (const socket of [near, far]) socket.on('error', () => undefined);
      near.pipe(far);
      far.on('data', (bytes: Buffer) => sent.push(bytes));
      far.pipe(near);
    });
    const raw = connect({ port: await listen(relay), host: '127.0.0.1', allowHalfOpen: true });
    const client = connectTls({ socket: raw, rejectUnauthorized: false });
    opened.push(client);
    let got = '';
    client.on('data', (bytes: Buffer) => (got += bytes.toString('latin1')));
    await new Promise((resolve) => client.once('secureConnect', resolve));
    const end = new Promise<void>((resolve) => client.once('end', resolve));
    return { client, end, got: () => got, records: () => recordTypes(Buffer.concat(sent)) };
  }

  const alert = 21;
  const data = 23;

  test('what is written before the end comes, then close_notify', async () => {
    const { client, end, got, records } = await tapped((transport, text) => {
      transport.write(Buffer.from(`${text}, `));
      transport.write(Buffer.from('a second in the same turn, '));
      transport.write(Buffer.from('a third'));
      transport.end();
    });
    client.write('first');
    await end;
    expect(got()).toBe('first, a second in the same turn, a third');
    expect(records().at(-1)).toBe(alert);
    expect(records().at(-2)).toBe(data);
  });

  test('a peer that ends while it is written to gets what was written, then close_notify', async () => {
    const { client, end, got, records } = await tapped((transport, text) => {
      if (text === 'hello') transport.write(Buffer.from('hello'));
      // By then requests have been learnt, and the write is at the handle when Node finds the end of the stream.
      if (text === 'bye') transport.write(Buffer.from('bye'));
    });
    client.write('hello');
    await new Promise((resolve) => client.once('data', resolve));
    client.cork();
    client.write('bye');
    client.end();
    await end;
    expect(got()).toBe('hellobye');
    expect(records().at(-1)).toBe(alert);
    expect(records().at(-2)).toBe(data);
  });

  test('bytes of many sizes come back in order', async () => {
    const { client, got } = await tapped((transport, text) => transport.write(Buffer.from(text, 'latin1')));
    let sent = '';
    for (let step = 0; sent.length < 1_500_000; step++) {
      const text = String.fromCharCode(65 + (step % 26)).repeat(step % 3 === 0 ? 20 : step * 997);
      client.write(text, 'latin1');
      sent += text;
      if (step % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    while (got().length < sent.length) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(got() === sent).toBe(true);
  });
});

/** The content type of each TLS record. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at] as number);
  return types;
}
