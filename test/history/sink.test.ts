import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { historyBroker, publisher } from './recording.ts';

const resources = useResources();

interface Posted {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that records what it is sent and answers as it is told. */
class RecordingServer {
  readonly posted: Posted[] = [];
  /** Statuses of the next answers; 204 afterwards. */
  readonly answers: number[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (part: string) => {
        body += part;
      });
      request.on('end', () => {
        this.posted.push({ url: request.url ?? '', headers: request.headers, body });
        const status = this.answers.shift() ?? 204;
        response.writeHead(status);
        response.end(status === 204 ? '' : '{"error":"as told"}');
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every line that was taken, without its time. */
  get lines(): readonly string[] {
    return this.posted.flatMap(({ body }) => body.split('\n').slice(0, -1)).map((line) => line.replace(/ \d{19}$/, ''));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('messages go to InfluxDB 1 as lines, with user and password', async () => {
  const server = resources.add(new RecordingServer());
  const address = await server.listen();
  const broker = await historyBroker(resources, [
    'history_topic #',
    `history_sink influx http://me:s%20cret@${address} database mqtt measurement home tag site=here`,
  ]);
  await broker.start();
  const client = await publisher(resources, broker);
  await client.publishAsync('a b', '21.5', { qos: 1 });
  await client.publishAsync('json', '{"t":1,"x":{"y":2}}', { qos: 1 });
  await client.publishAsync('text', 'Bonjour "été"', { qos: 1 });
  await waitFor('three lines', () => server.lines.length === 3);
  expect(server.lines).toEqual([
    'home,site=here,topic=a\\ b value=21.5',
    'home,site=here,topic=json t=1,x.y=2',
    'home,site=here,topic=text payload="Bonjour \\"été\\""',
  ]);
  expect(server.posted[0]).toMatchObject({
    url: '/write?db=mqtt',
    headers: { authorization: `Basic ${Buffer.from('me:s cret').toString('base64')}` },
  });
  const [, nanoseconds = ''] = / (\d{19})\n/.exec(server.posted[0]?.body ?? '') ?? [];
  expect(Math.abs(Number(nanoseconds) / 1e6 - Date.now())).toBeLessThan(60_000);
  expect(broker.process.stderr).not.toContain('cret');
});

test('messages go to InfluxDB 2 with a bucket and a token that may change, and are not kept with max 0', async () => {
  const server = resources.add(new RecordingServer());
  const address = await server.listen();
  const broker = await historyBroker(resources, [
    'history_topic # max 0',
    `history_sink influx http://${address} bucket b org o token_file {dir}/token`,
  ]);
  writeFileSync(join(broker.dir, 'token'), 'one\n');
  await broker.start();
  const client = await publisher(resources, broker);
  await client.publishAsync('a', '1', { qos: 1 });
  await waitFor('a line', () => server.lines.length === 1);
  expect(server.posted[0]).toMatchObject({
    url: '/api/v2/write?bucket=b&org=o',
    headers: { authorization: 'Token one' },
  });
  writeFileSync(join(broker.dir, 'token'), 'two\n');
  await client.publishAsync('a', '2', { qos: 1 });
  await waitFor('another line', () => server.lines.length === 2);
  expect(server.posted[1]?.headers.authorization).toBe('Token two');
});

test('a server that fails gets the lines later, each once; lines it calls wrong are dropped with its words', async () => {
  const server = resources.add(new RecordingServer());
  const address = await server.listen();
  server.answers.push(503, 404, 204, 400);
  const broker = await historyBroker(resources, [
    'history_topic #',
    `history_sink influx http://${address} database d`,
  ]);
  await broker.start();
  const client = await publisher(resources, broker);
  await client.publishAsync('a', '1', { qos: 1 });
  await waitFor('the third attempt', () => server.posted.length === 3);
  expect(server.posted[2]?.body).toBe(server.posted[0]?.body);
  await client.publishAsync('a', '2', { qos: 1 });
  await waitFor('the refusal', () => broker.process.stderr.includes('refused 1 lines: 400 {"error":"as told"}'));
  await client.publishAsync('a', '3', { qos: 1 });
  await waitFor('the last line', () => server.lines.at(-1) === 'mqtt,topic=a value=3');
  expect(server.lines.slice(2)).toEqual(['mqtt,topic=a value=1', 'mqtt,topic=a value=2', 'mqtt,topic=a value=3']);
  expect(broker.process.stderr).toContain('answers again');
});

test('a server that is away: the oldest lines are dropped and told once, and the broker stops in time', async () => {
  // Nobody listens on port 1, and nobody else can be given it meanwhile.
  const address = '127.0.0.1:1';
  const broker = await historyBroker(resources, ['history_topic #', `history_sink influx http://${address} max 64K`]);
  await broker.start();
  const client = await publisher(resources, broker);
  for (let count = 0; count < 100; count++) await client.publishAsync('a', 'x'.repeat(2000), { qos: 1 });
  await waitFor('the line about drops', () => broker.process.stderr.includes('its oldest lines are dropped'));
  await waitFor('the line about the server', () => broker.process.stderr.includes('ECONNREFUSED'));
  expect((await broker.stop()).status).toBe(0);
  expect(broker.process.stderr.match(/ECONNREFUSED/g)).toHaveLength(1);
  expect(broker.process.stderr.match(/its oldest lines are dropped/g)).toHaveLength(1);
  expect(broker.process.stderr).toMatch(/History: \d+ lines for http:\/\/127\.0\.0\.1:\d+\/ were not sent/);
});
