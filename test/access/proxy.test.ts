import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { type Resources, useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';

const resources = useResources();

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

// CONNECT, 13 bytes: "MQTT", level 4, flags 0x02 Clean Session, Keep Alive 60, Client Identifier "c"
const connect = hex('100d 0004 4d515454 04 02 003c 0001 63');
// CONNACK: accepted
const accepted = '20020000';
// CONNACK: not authorised
const refused = '20020005';

const line = 'PROXY TCP4 192.0.2.7 192.0.2.1 56324 1883\r\n';
const signature = '0d0a0d0a000d0a515549540a';
/** Version 2, PROXY, TCP over IPv4, 192.0.2.7:56324 → 192.0.2.1:1883, with TLVs. */
const header2 = (tlvs = ''): Buffer => {
  const length = (12 + tlvs.length / 2).toString(16).padStart(4, '0');
  return hex(`${signature} 21 11 ${length} c0000207 c0000201 dc04 075b ${tlvs}`);
};

const field = (type: string, text: string): string =>
  type + text.length.toString(16).padStart(4, '0') + Buffer.from(text).toString('hex');
/** The SSL TLV: TLS 1.3, with or without a certificate of a client "anne". */
const ssl = (client: '01' | '05', verify: '00000000' | '00000001' = '00000000'): string => {
  const inner = field('21', 'TLSv1.3') + field('22', 'anne') + field('23', 'TLS_AES_128_GCM_SHA256');
  const value = client + verify + inner;
  return `20${(value.length / 2).toString(16).padStart(4, '0')}${value}`;
};

const broker = (version: 1 | 2, ...more: readonly string[]): Promise<TestBroker> =>
  startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', `enable_proxy_protocol ${version}`, 'allow_anonymous true', ...more],
  });

function open(owner: Resources, running: TestBroker): Socket {
  const socket = dial({ host: '127.0.0.1', port: running.port() });
  socket.on('error', () => {});
  owner.add({ close: () => void socket.destroy() });
  return socket;
}

/** What comes back, in hexadecimal; '' when the connection is closed without a byte. */
async function answerTo(running: TestBroker, ...pieces: readonly (Buffer | string)[]): Promise<string> {
  const socket = open(resources, running);
  await once(socket, 'connect');
  socket.setNoDelay(true);
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  return await new Promise((resolve) => {
    socket.once('data', (bytes) => resolve(bytes.toString('hex')));
    socket.once('close', () => resolve(''));
  });
}

describe('version 1', () => {
  test('the client is known by the address in the header, however the bytes are cut', async () => {
    const running = await broker(1);
    expect(await answerTo(running, Buffer.concat([Buffer.from(line), connect]))).toBe(accepted);
    await running.process.waitForOutput('New client connected from 192.0.2.7:56324 as c (p4, c1, k60).', 'stderr');
    expect(running.process.stderr).not.toContain('New connection from');
    expect(await answerTo(running, line.slice(0, 10), line.slice(10, 30), line.slice(30), connect)).toBe(accepted);
    expect(await answerTo(running, line, connect.subarray(0, 3), connect.subarray(3))).toBe(accepted);
  });

  test('UNKNOWN keeps the address of the connection', async () => {
    const running = await broker(1);
    expect(await answerTo(running, 'PROXY UNKNOWN\r\n', connect)).toBe(accepted);
    await running.process.waitForOutput(/New client connected from 127\.0\.0\.1:\d+ as c /, 'stderr');
  });

  test.each([
    ['no header', connect],
    ['a header of version 2', Buffer.concat([header2(), connect])],
    ['surplus blanks', Buffer.from(line.replace('TCP4 ', 'TCP4  '))],
    ['a line without end', Buffer.alloc(1000, 'PROXY TCP4 ')],
  ])('%s is refused', async (_name, bytes) => {
    const running = await broker(1);
    expect(await answerTo(running, bytes)).toBe('');
    await running.process.waitForOutput('Connection rejected, corrupt PROXY header.', 'stderr');
    expect(await answerTo(running, line, connect)).toBe(accepted);
  });

  test('works before TLS and WebSocket', async () => {
    const dir = tempDir(resources);
    const authority = await CertificateAuthority.create(dir);
    const { certFile, keyFile } = await authority.issue('server', 'localhost');
    const tls = await broker(1, `certfile ${certFile}`, `keyfile ${keyFile}`);
    const ca = readFileSync(authority.certFile);
    for (const cut of ['one segment', 'two']) {
      const secure = dialTls({ port: await loadBalancer(tls, cut === 'two'), ca, servername: 'localhost' });
      resources.add({ close: () => void secure.destroy() });
      secure.write(connect);
      const [answer] = (await once(secure, 'data')) as [Buffer];
      expect(answer.toString('hex')).toBe(accepted);
    }
    await tls.process.waitForOutput('New client connected from 192.0.2.7:56324 as c ', 'stderr');

    const web = await broker(1, 'protocol websockets');
    const upgraded = await upgrade(web, line);
    expect(upgraded).toMatch(/^HTTP\/1\.1 101 /);
  });
});

describe('version 2', () => {
  test('the client is known by the address in the header', async () => {
    const running = await broker(2);
    expect(await answerTo(running, Buffer.concat([header2(), connect]))).toBe(accepted);
    await running.process.waitForOutput('New client connected from 192.0.2.7:56324 as c (p4, c1, k60).', 'stderr');
    const whole = Buffer.concat([header2(), connect]);
    expect(await answerTo(running, ...Array.from(whole, (byte) => Buffer.from([byte])))).toBe(accepted);
  });

  test('a Unix socket shows its path and port 0', async () => {
    const running = await broker(2);
    const path = Buffer.concat([Buffer.from('/run/client'), Buffer.alloc(97)]).toString('hex');
    expect(await answerTo(running, hex(`${signature} 21 31 00d8 ${path} ${'00'.repeat(108)}`), connect)).toBe(accepted);
    await running.process.waitForOutput('New client connected from /run/client:0 as c ', 'stderr');
  });

  test('LOCAL is closed, corrupt and too long headers are told', async () => {
    const running = await broker(2);
    expect(await answerTo(running, hex(`${signature} 20 00 0000`), connect)).toBe('');
    expect(running.process.stderr).not.toContain('corrupt');
    expect(await answerTo(running, Buffer.from(line), connect)).toBe('');
    await running.process.waitForOutput('Connection rejected, corrupt PROXY header.', 'stderr');
    expect(await answerTo(running, hex(`${signature} 21 11 01f5`), connect)).toBe('');
    await running.process.waitForOutput(
      'Client (null) [(null):0] disconnected: bad socket read/write: Invalid input.',
      'stderr',
    );
    expect(await answerTo(running, header2(), connect)).toBe(accepted);
  });

  test('works before WebSocket', async () => {
    const running = await broker(2, 'protocol websockets');
    expect(await upgrade(running, header2())).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('version and cipher of TLS are logged', async () => {
    const running = await broker(2);
    expect(await answerTo(running, header2(ssl('01')), connect)).toBe(accepted);
    await running.process.waitForOutput(
      'Connection from 192.0.2.7:56324 negotiated TLSv1.3 cipher TLS_AES_128_GCM_SHA256',
      'stderr',
    );
  });

  test('proxy_protocol_v2_require_tls refuses clients without TLS', async () => {
    const running = await broker(2, 'proxy_protocol_v2_require_tls true');
    expect(await answerTo(running, header2(), connect)).toBe('');
    await running.process.waitForOutput(
      'Connection from 192.0.2.7:56324 rejected, client did not connect using TLS.',
      'stderr',
    );
    expect(await answerTo(running, header2(ssl('01')), connect)).toBe(accepted);
  });

  test('require_certificate refuses clients whose certificate was not found good', async () => {
    const running = await broker(2, 'require_certificate true');
    for (const tlvs of ['', ssl('01'), ssl('05', '00000001')]) {
      expect(await answerTo(running, header2(tlvs), connect)).toBe('');
    }
    await running.process.waitForOutput(
      'Connection from 192.0.2.7:56324 rejected, client did not provide a certificate.',
      'stderr',
    );
    expect(await answerTo(running, header2(ssl('05')), connect)).toBe(accepted);
  });

  test('use_identity_as_username takes the common name of a good certificate, and of no other', async () => {
    const running = await broker(2, 'use_identity_as_username true');
    expect(await answerTo(running, header2(ssl('05')), connect)).toBe(accepted);
    await running.process.waitForOutput("as c (p4, c1, k60, u'anne').", 'stderr');
    // CONNACK: bad user name or password
    expect(await answerTo(running, header2(ssl('05', '00000001')), connect)).toBe('20020004');
    expect(await answerTo(running, header2(), connect)).toBe('20020004');
  });
});

test('max_connections counts those that have not sent their header yet', async () => {
  const running = await broker(1, 'max_connections 1');
  const silent = open(resources, running);
  await once(silent, 'connect');
  // A second one is closed, whatever it sends, while the first has not said who it is.
  expect(await answerTo(running, line, connect)).toBe('');
  silent.destroy();
  await expect.poll(() => answerTo(running, line, connect)).toBe(accepted);
});

test('who may come in is decided by the address in the header', async () => {
  const running = await startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'enable_proxy_protocol 1', 'password_file {dir}/passwd'],
    files: {
      passwd: `anne:$7$1$AAAAAAAAAAAAAAAA$${'A'.repeat(86)}==\n`,
    },
  });
  // The same with flags 0xC2: user name "anne", password "x"
  const login = hex('1016 0004 4d515454 04 c2 003c 0001 63 0004 616e6e65 0001 78');
  for (let n = 0; n < 10; n++) expect(await answerTo(running, line, login)).toBe(refused);
  await running.process.waitForOutput('Warning: Too many bad passwords from 192.0.2.7:', 'stderr');
  expect(await answerTo(running, line.replace('192.0.2.7', '192.0.2.8'), login)).toBe(refused);
});

/** The first bytes of the answer to a WebSocket handshake behind a PROXY header. */
async function upgrade(running: TestBroker, header: Buffer | string): Promise<string> {
  const socket = open(resources, running);
  await once(socket, 'connect');
  const request = [
    'GET /mqtt HTTP/1.1',
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
    '',
    '',
  ].join('\r\n');
  socket.write(Buffer.concat([Buffer.from(header), Buffer.from(request)]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

/** A load balancer for TLS: puts its line before what the client sends, in one segment with it or alone. */
async function loadBalancer(running: TestBroker, isCut: boolean): Promise<number> {
  const server = createServer((client) => {
    const upstream = open(resources, running);
    upstream.setNoDelay(true);
    client.once('data', (hello: Buffer) => {
      if (isCut) upstream.write(line, () => setImmediate(() => upstream.write(hello)));
      else upstream.write(Buffer.concat([Buffer.from(line), hello]));
      client.pipe(upstream);
    });
    upstream.pipe(client);
    client.on('error', () => {});
  });
  resources.add({ close: () => void server.close() });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
