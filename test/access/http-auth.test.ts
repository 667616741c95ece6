import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { freePort } from '../harness/ports.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, listeners, refusalOf, type Way, ways } from './clients.ts';

const resources = useResources();
const [, tcp5] = ways[1] as readonly [string, Way];
const [notAuthorized, serverUnavailable] = [0x87, 0x88];

type Handler = (asked: Record<string, unknown>, response: ServerResponse, request: IncomingMessage) => void;

/** A Web service of the test's own. */
class Service {
  readonly asked: Record<string, unknown>[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  /** Calls without an answer yet, and the most of them at one time. */
  open = 0;
  openMax = 0;
  connections = 0;
  handler: Handler;
  readonly #server: Server;

  constructor(handler: Handler, tls: { cert: string; key: string } | null = null) {
    this.handler = handler;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.openMax = Math.max(this.openMax, ++this.open);
      response.on('close', () => this.open--);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const asked = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
        this.asked.push(asked);
        this.headers.push(request.headers);
        this.handler(asked, response, request);
      });
    };
    this.#server = tls === null ? createServer(listener) : createSecureServer(tls, listener);
    this.#server.on('connection', () => this.connections++);
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const answer =
  (status: number, body = ''): Handler =>
  (_asked, response) =>
    response.writeHead(status).end(body);
/** Lets in whose password is "secret". */
const judge: Handler = ({ password }, response) => response.writeHead(password === 'secret' ? 204 : 403).end();

async function service(handler: Handler = judge): Promise<Service> {
  return resources.add(await new Service(handler).listen());
}

async function broker(url: string, more: readonly string[] = [], files = {}): Promise<TestBroker> {
  return startBroker(resources, 'moustique', {
    config: [`moustique_auth_http_url ${url}`, ...more, ...listeners],
    files,
  });
}

const urlOf = ({ port }: Service): string => `http://127.0.0.1:${port}/mqtt/auth`;

async function reload(running: TestBroker): Promise<void> {
  const before = running.process.stderr.split('Reloading config.').length;
  running.process.signal('SIGHUP');
  await waitFor('the reload', () => running.process.stderr.split('Reloading config.').length > before);
}

test.each(ways)('%s: the service is told who asks, and what it says counts', async (_name, way) => {
  const asked = await service();
  const running = await broker(urlOf(asked));
  expect(await refusalOf(resources, running, way, { id: 'c', user: 'anne', password: 'secret' })).toBe(0);
  expect(await refusalOf(resources, running, way, { id: 'c', user: 'anne', password: 'wrong' })).toBe(notAuthorized);
  const common = {
    ...{ client_id: 'c', username: 'anne', address: '127.0.0.1', protocol_version: way.version },
    port: running.port(way.transport === 'ws' ? 'wsport' : 'port'),
  };
  expect(asked.asked).toEqual([
    { ...common, password: 'secret' },
    { ...common, password: 'wrong' },
  ]);
  expect(asked.headers[0]).toMatchObject({ 'content-type': 'application/json', accept: 'application/json' });
  // One connection serves them all.
  expect(asked.connections).toBe(1);
});

test.each([
  ['204', answer(204), 0],
  ['200 without a word', answer(200), 0],
  ['200 allow', answer(200, '{"result":"allow","more":1}'), 0],
  ['200 deny', answer(200, '{"result":"deny"}'), notAuthorized],
  ['401', answer(401, 'no'), notAuthorized],
  ['403', answer(403), notAuthorized],
  ['200 ignore', answer(200, '{"result":"ignore"}'), serverUnavailable],
  ['200 and something else', answer(200, 'ok'), serverUnavailable],
  ['404', answer(404), serverUnavailable],
  ['500', answer(500), serverUnavailable],
  [
    'a redirect',
    ((_asked, response) => response.writeHead(302, { location: '/elsewhere' }).end()) satisfies Handler,
    serverUnavailable,
  ],
  ['an answer too long', answer(200, `{"result":"allow"}${' '.repeat(5000)}`), serverUnavailable],
  [
    'an answer that breaks off',
    ((_asked, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"result":"allow"}', () => response.destroy());
    }) satisfies Handler,
    serverUnavailable,
  ],
  ['a closed connection', ((_asked, response) => void response.destroy()) satisfies Handler, serverUnavailable],
])('%s', async (_what, handler, reasonCode) => {
  const running = await broker(urlOf(await service(handler)));
  expect(await refusalOf(resources, running, tcp5, { user: 'anne', password: 'x' })).toBe(reasonCode);
});

test('who cannot be reached lets nobody in, is told once, and once when it is back', async () => {
  const port = await freePort();
  const running = await broker(`http://me:pass%20word@127.0.0.1:${port}/auth?key=hidden`, ['log_dest stderr']);
  const anne = { user: 'anne', password: 'secret' };
  for (let n = 0; n < 15; n++) expect(await refusalOf(resources, running, tcp5, anne)).toBe(serverUnavailable);
  const back = resources.add(await new Service(judge).listen(port));
  // No bad password was among them: nobody has to wait.
  expect(await refusalOf(resources, running, tcp5, anne)).toBe(0);
  expect(back.headers[0]?.authorization).toBe(`Basic ${Buffer.from('me:pass word').toString('base64')}`);
  await running.process.waitForOutput('answers again.', 'stderr');
  const lines = running.process.stderr.split('\n').filter((line) => line.includes('The authentication service'));
  expect(lines.map((line) => line.replace(/^\d+: /, ''))).toEqual([
    `Error: The authentication service http://127.0.0.1:${port}/auth cannot be asked, so nobody is let in: connect ECONNREFUSED 127.0.0.1:${port}.`,
    `The authentication service http://127.0.0.1:${port}/auth answers again.`,
  ]);
  expect(running.process.stderr).not.toMatch(/pass%20word|pass word|hidden/);
});

test('an answer has its time; who is in already does not notice', async () => {
  const slow = await service();
  const running = await broker(urlOf(slow), ['moustique_auth_http_timeout 1']);
  const canary = await connect(resources, running, tcp5, { user: 'canary', password: 'secret' });
  await canary.subscribe('marker');
  slow.handler = () => {};
  const waiting = refusalOf(resources, running, tcp5, { user: 'anne', password: 'secret' });
  for (let n = 0; n < 20; n++) await canary.publish('marker', String(n));
  expect(slow.open).toBe(1);
  expect(await waiting).toBe(serverUnavailable);
  await running.process.waitForOutput('so nobody is let in: no answer within 1 s.', 'stderr');
});

test('many clients at once: 32 calls at a time, and each gets its answer', async () => {
  const held: ServerResponse[] = [];
  const asked = await service((_asked, response) => void held.push(response));
  const running = await broker(urlOf(asked));
  const clients = Array.from({ length: 100 }, (_, n) =>
    refusalOf(resources, running, tcp5, { id: `c${n}`, user: 'anne', password: 'secret' }),
  );
  await waitFor('as many calls as there may be', () => held.length === 32);
  asked.handler = judge;
  for (const response of held) response.writeHead(204).end();
  expect(await Promise.all(clients)).toEqual(clients.map(() => 0));
  expect(asked.openMax).toBe(32);
  expect(asked.asked).toHaveLength(100);
});

test('what was allowed is remembered for a time, for the very same credentials, until a reload', async () => {
  const asked = await service();
  const running = await broker(urlOf(asked), ['moustique_auth_http_cache 60']);
  const anne = { id: 'c', user: 'anne', password: 'secret' };
  const attempt = (options: object): Promise<number> => refusalOf(resources, running, tcp5, { ...anne, ...options });
  for (let n = 0; n < 5; n++) expect(await attempt({})).toBe(0);
  expect(asked.asked).toHaveLength(1);
  expect(await attempt({ id: 'd' })).toBe(0);
  expect(await attempt({ password: 'wrong' })).toBe(notAuthorized);
  // No is asked again every time.
  expect(await attempt({ password: 'wrong' })).toBe(notAuthorized);
  expect(asked.asked).toHaveLength(4);
  asked.handler = answer(403);
  expect(await attempt({})).toBe(0);
  await reload(running);
  expect(await attempt({})).toBe(notAuthorized);
});

test('a connection that the service has closed meanwhile is made again', async () => {
  const asked = await service((_asked, response) => response.writeHead(204, { connection: 'keep-alive' }).end());
  const running = await broker(urlOf(asked));
  const anne = { user: 'anne', password: 'secret' };
  expect(await refusalOf(resources, running, tcp5, anne)).toBe(0);
  // The next call goes out on the connection that is kept, and the service resets it instead of answering.
  let resets = 0;
  asked.handler = (_asked, response, request) => {
    if (resets++ === 0) request.socket.resetAndDestroy();
    else response.writeHead(204).end();
  };
  expect(await refusalOf(resources, running, tcp5, anne)).toBe(0);
  expect(resets).toBe(2);
});

test('a password that is no text goes as base64', async () => {
  const asked = await service(answer(204));
  const running = await broker(urlOf(asked));
  const { Client } = await import('../../src/client/index.ts');
  const client = new Client({
    target: { address: { host: '127.0.0.1', port: running.port() } },
    ...{ protocolVersion: 5, username: 'anne', password: Buffer.from([0xff, 0x00, 0xfe]) },
  });
  resources.add({ close: () => client.destroy() });
  await client.start();
  expect(asked.asked[0]).toMatchObject({ username: 'anne', password: null, password_base64: '/wD+' });
});

test('beside a password file: who is in it is not asked about, others are', async () => {
  const secret =
    '$7$1$AAAAAAAAAAAAAAAA$ngMlAIpWjm3phrxkG1xGT8fJUIJBShWrEYm7pbBnkGIKxx9SQ8I+9+JzFQNfgJNOsliwQFwo10K4oTe/LI6elw==';
  const asked = await service(({ username }, response) => response.writeHead(username === 'carl' ? 204 : 403).end());
  const running = await broker(urlOf(asked), ['password_file {dir}/passwd'], { passwd: `bob:${secret}\n` });
  expect(await refusalOf(resources, running, tcp5, { user: 'bob', password: 'secret' })).toBe(0);
  expect(asked.asked).toHaveLength(0);
  expect(await refusalOf(resources, running, tcp5, { user: 'bob', password: 'x' })).toBe(notAuthorized);
  expect(await refusalOf(resources, running, tcp5, { user: 'carl', password: 'x' })).toBe(0);
  expect(asked.asked.map(({ username }) => username)).toEqual(['bob', 'carl']);
  // Neither a name nor a password: allow_anonymous decides, nobody is asked.
  expect(await refusalOf(resources, running, tcp5, {})).toBe(notAuthorized);
  expect(asked.asked).toHaveLength(2);
});

test('ten refusals in a row make the address wait', async () => {
  const asked = await service();
  const running = await broker(urlOf(asked));
  for (let n = 0; n < 10; n++) {
    expect(await refusalOf(resources, running, tcp5, { user: 'anne', password: 'x' })).toBe(notAuthorized);
  }
  await running.process.waitForOutput('Warning: Too many bad passwords from 127.0.0.1', 'stderr');
});

test('a reload leaves the clients of the same service alone, and asks a new one about them', async () => {
  const first = await service();
  const second = await service(({ username }, response) => response.writeHead(username === 'anne' ? 204 : 403).end());
  const running = await broker(urlOf(first));
  const [anne, bob] = [
    await connect(resources, running, tcp5, { user: 'anne', password: 'secret' }),
    await connect(resources, running, tcp5, { user: 'bob', password: 'secret' }),
  ];
  await reload(running);
  await anne.publish('marker', 'still here');
  await bob.publish('marker', 'still here');
  expect(first.asked).toHaveLength(2);

  running.write('moustique.conf', running.read('moustique.conf').replace(urlOf(first), urlOf(second)));
  await reload(running);
  expect(await waitFor('bob to be disconnected', () => bob.ending)).toMatchObject({ reasonCode: notAuthorized });
  await anne.publish('marker', 'still here');
  expect(anne.ending).toBeUndefined();
});

describe('https', () => {
  test('asks a service whose certificate an authority of the file has signed, and no other', async () => {
    const dir = tempDir(resources);
    const authority = await CertificateAuthority.create(dir);
    const { certFile, keyFile } = await authority.issue('server', 'service');
    const tls = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    const asked = resources.add(await new Service(judge, tls).listen());
    const url = `https://127.0.0.1:${asked.port}/auth`;
    const anne = { user: 'anne', password: 'secret' };
    const trusting = await broker(url, [`moustique_auth_http_cafile ${authority.certFile}`]);
    expect(await refusalOf(resources, trusting, tcp5, anne)).toBe(0);
    const careful = await broker(url);
    expect(await refusalOf(resources, careful, tcp5, anne)).toBe(serverUnavailable);
    await careful.process.waitForOutput(/cannot be asked, so nobody is let in: .*certificate/i, 'stderr');
    expect(asked.asked).toHaveLength(1);
  });
});
