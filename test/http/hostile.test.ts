import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { type ConsoleClient, loggedIn, startWithUsers } from './console-client.ts';

const MiB = 1024 * 1024;

/** Sends raw bytes and reads what comes until the peer closes. */
async function raw(port: number, head: string, feed?: (socket: Socket) => void): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
    socket.write(head);
    feed?.(socket);
  });
}

describe('requests nobody should send', () => {
  const resources = useResources('end of file');
  let broker: TestBroker;
  let otto: ConsoleClient;
  beforeAll(async () => {
    broker = await startWithUsers(resources);
    otto = await loggedIn(broker, 'otto');
  });

  /** The broker is there, and nothing was retained, saved or published. */
  const isUndisturbed = async (): Promise<void> => {
    expect((await otto.ask('GET', '/readyz')).status).toBe(200);
    expect(await otto.get('/retained?filter=hostile/%23')).toMatchObject({ total: 0 });
    expect(await otto.get('/saved-messages')).toEqual({ version: 0, collections: [] });
  };

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json-patch+json', 415],
    ['', 415],
  ])('Content-Type %j', async (type, status) => {
    const body = JSON.stringify({ topic: 'hostile/a', payload: { text: 'x' }, retain: true });
    const answer = await otto.ask('POST', '/api/v1/publish', body, { 'Content-Type': type });
    expect(answer.status).toBe(status);
    await isUndisturbed();
  });

  test.each([
    ['no JSON', '{"topic":', 'not-json'],
    ['no object', '[]', 'invalid-field'],
    ['a field too many', '{"topic":"hostile/a","payload":{"text":"x"},"admin":true}', 'invalid-field'],
    ['__proto__', '{"topic":"hostile/a","payload":{"text":"x"},"__proto__":{"retain":true}}', 'invalid-field'],
    ['a wildcard to publish to', '{"topic":"hostile/#","payload":{"text":"x"}}', 'invalid-field'],
    ['a NUL', '{"topic":"hostile/\\u0000","payload":{"text":"x"}}', 'invalid-field'],
    ['QoS 3', '{"topic":"hostile/a","payload":{"text":"x"},"qos":3}', 'invalid-field'],
    ['no base64', '{"topic":"hostile/a","payload":{"base64":"*"}}', 'invalid-field'],
    ['arrays in arrays', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'too-deep'],
    ['objects in objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'too-deep'],
  ])('a body with %s', async (_, body, code) => {
    const answer = await otto.ask('POST', '/api/v1/publish', body);
    expect(answer.json()).toMatchObject({ error: { code } });
    expect(answer.status).toBe(400);
    await isUndisturbed();
  });

  test('a body of 1 GB is refused by its length, and by its bytes', async () => {
    const head = (extra: string, path = '/api/v1/publish'): string =>
      [
        `POST ${path} HTTP/1.1`,
        `Host: 127.0.0.1:${broker.port('http')}`,
        `Cookie: ${otto.cookie}`,
        `X-CSRF-Token: ${otto.csrf}`,
        'Content-Type: application/json',
        extra,
        '',
        '',
      ].join('\r\n');
    const announced = await raw(broker.port('http'), head(`Content-Length: ${1024 * MiB}`));
    expect(announced).toMatch(/^HTTP\/1\.1 413 /);
    const little = await raw(
      broker.port('http'),
      head('Transfer-Encoding: chunked', '/api/v1/retained/undo'),
      (socket) => {
        socket.write(
          Buffer.concat([Buffer.from('18000\r\n'), Buffer.alloc(0x18000, 0x20), Buffer.from('\r\n0\r\n\r\n')]),
        );
      },
    );
    expect(little).toMatch(/^HTTP\/1\.1 413 /);
    let sent = 0;
    const streamed = await raw(broker.port('http'), head('Transfer-Encoding: chunked'), (socket) => {
      const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MiB, 0x20), Buffer.from('\r\n')]);
      const more = (): void => {
        while (!socket.destroyed && sent < 1024 * MiB) {
          sent += MiB;
          if (!socket.write(chunk)) {
            socket.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    // Closing a connection that goes on sending resets it, which may take the answer along.
    expect(streamed).toMatch(/^HTTP\/1\.1 413 |^$/);
    // It was cut off at the limit, give or take what fits into the sockets.
    expect(sent).toBeLessThan(200 * MiB);
    await isUndisturbed();
  });

  test('other limits are smaller', async () => {
    const answer = await otto.ask('POST', '/api/v1/retained/undo', { undoId: 'x'.repeat(100_000) });
    expect(answer.status).toBe(413);
    const long = await otto.ask('GET', `/api/v1/topics/search?q=${'x'.repeat(30_000)}`);
    expect(long.status).toBe(431);
    const name = await otto.ask('GET', `/api/v1/topics/search?q=${'x'.repeat(5000)}`);
    expect(name.json()).toMatchObject({ error: { code: 'invalid-field', field: 'q' } });
  });

  test.each([
    ['GET', '/api/v1/clients?page=1', 400],
    ['GET', '/api/v1/clients?limit=0', 400],
    ['GET', '/api/v1/clients?limit=100000', 400],
    ['GET', '/api/v1/clients?cursor=eyJ9', 400],
    ['GET', '/api/v1/clients/%E0%A4%A', 400],
    ['GET', '/api/v1/clients/..%2f..%2fetc%2fpasswd', 404],
    ['GET', '/api/v1/nothing', 404],
    ['PATCH', '/api/v1/clients', 405],
    ['DELETE', '/api/v1/publish', 405],
    ['POST', '/api/v1/version', 405],
    ['POST', '/', 405],
    ['TRACE', '/api/v1/clients', 405],
  ])('%s %s', async (method, path, status) => {
    const answer = await raw(
      broker.port('http'),
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nCookie: ${otto.cookie}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('headers that are none, a request that is none, a socket that says nothing', async () => {
    expect(await raw(broker.port('http'), 'GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(await raw(broker.port('http'), '\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04mqtt')).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(await raw(broker.port('http'), `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    const smuggled =
      'POST /api/v1/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await raw(broker.port('http'), smuggled)).toMatch(/^HTTP\/1\.1 400 /);
    await isUndisturbed();
  });

  test('an answer says what may not be done with it', async () => {
    const { headers } = await otto.ask('GET', '/api/v1/clients');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('files of http_dir', () => {
  const resources = useResources('end of file');
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startBroker(resources, 'moustique', {
      config: [
        ...['listener {port} 127.0.0.1', 'listener {http} 127.0.0.1', 'protocol http_api', 'http_dir {dir}/www'],
        'allow_anonymous true',
      ],
      files: {
        'www/index.html': 'the page',
        'www/sub/index.html': 'the page below',
        'www/a b.txt': 'with a blank',
        'www/é%.txt': 'with a sign',
        'www-private/secret.txt': 'the secret',
        'secret.txt': 'the secret',
      },
    });
    symlinkSync(join(broker.dir, 'secret.txt'), join(broker.dir, 'www', 'link.txt'));
    symlinkSync(join(broker.dir, 'www-private'), join(broker.dir, 'www', 'linked'));
    symlinkSync(join(broker.dir, 'www', 'a b.txt'), join(broker.dir, 'www', 'inside.txt'));
    mkdirSync(join(broker.dir, 'www', 'empty'));
    writeFileSync(join(broker.dir, 'www', '.hidden'), 'hidden');
  });

  test.each([
    ['/', 'the page'],
    ['/index.html', 'the page'],
    ['/sub/', 'the page below'],
    ['/a%20b.txt', 'with a blank'],
    ['/%C3%A9%25.txt', 'with a sign'],
    ['/inside.txt', 'with a blank'],
    ['/index.html?x=../../secret.txt', 'the page'],
  ])('GET %s', async (path, text) => {
    const answer = await raw(broker.port('http'), `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.split('\r\n\r\n')[1]).toContain(text);
  });

  test.each([
    ...['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/%2e%2e%2fsecret.txt', '/..%5csecret.txt'],
    ...['/../www-private/secret.txt', '/..%2fwww-private/secret.txt', '/sub/../../www-private/secret.txt'],
    ...['/%252e%252e/secret.txt', '/%c0%ae%c0%ae/secret.txt', '/....//secret.txt', '//secret.txt', '/./../secret.txt'],
    ...['/link.txt', '/linked/secret.txt', '/index.html%00.txt', '/index.html%', '/empty/', '/sub', '/nothing'],
    ...['/index.html/', '/api/v1/../../../secret.txt', '/%2fetc/passwd', '/C:/secret.txt'],
  ])('GET %s is not there', async (path) => {
    const answer = await raw(broker.port('http'), `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('Not found.\n');
    expect(answer).not.toContain('the secret');
  });
});
