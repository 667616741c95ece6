/**
 * What looking through a million topics costs: the time of each kind of search and question, and the longest that a client of the
 * broker waited for the answer to a PINGREQ meanwhile.
 *
 *     npx tsx bench/search-cost.ts [topics, default 1000000] [bin/moustique.js of another tree]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/harness/ports.ts';

const [countText = '1000000', program = 'bin/moustique.js'] = process.argv.slice(2);
const topics = Number(countText);
const probeMs = 2;

/** A retained PUBLISH of MQTT 3.1.1 with QoS 0; topic and payload are ASCII and short. */
function publish(topic: string, payload: string): Buffer {
  const head = [0x31, 2 + topic.length + payload.length, topic.length >> 8, topic.length & 255];
  return Buffer.concat([Buffer.from(head), Buffer.from(topic + payload)]);
}

async function mqtt(port: number, id: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  const body = [0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, 0, id.length, ...Buffer.from(id)];
  socket.write(Buffer.from([0x10, body.length, ...body]));
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

async function ping(socket: Socket): Promise<void> {
  socket.write(Buffer.from([0xc0, 0]));
  await new Promise((resolve) => socket.once('data', resolve));
}

const topicOf = (index: number): string =>
  `plant/hall${index % 50}/line${Math.floor(index / 50) % 100}/sensor${index}/temperature`;

const searches: readonly (readonly [name: string, path: string])[] = [
  ['substring, one', `/topics/search?q=sensor${topics - 7}/`],
  ['substring, none', '/topics/search?q=nowhere'],
  ['substring, upper case', '/topics/search?q=HALL7/LINE3'],
  ['substring, all', '/topics/search?q=temp'],
  ['wildcard, some', '/topics/search?mode=wildcard&q=plant/hall7/%2B/%2B/temperature'],
  ['wildcard, all', '/topics/search?mode=wildcard&q=%23'],
  ['regex', '/topics/search?mode=regex&q=hall(1|2)/.*9/temp'],
  ['payload text', '/topics/search?mode=payload&q=21.7'],
  ['JSON', '/topics/search?mode=jsonpath&q=$.t%20%3E%2029.8'],
  ['what does #', '/subscriptions/matches?filter=%23'],
  ['what does plant/+/line3/#', '/subscriptions/matches?filter=plant/%2B/line3/%23'],
  ['receivers', '/subscriptions/receivers?topic=plant/hall1/line1/sensor1/temperature'],
  ['retained, by topic', '/retained?limit=100'],
  ['retained, by size', '/retained?limit=100&sort=size&order=descending'],
  ['retained, text', '/retained?limit=100&search=sensor77'],
];

const folder = mkdtempSync(join(tmpdir(), 'search-cost-'));
const [port, http] = [await freePort(), await freePort()];
writeFileSync(
  join(folder, 'm.conf'),
  [
    ...[`listener ${port} 127.0.0.1`, 'allow_anonymous true', `listener ${http} 127.0.0.1`, 'protocol http_api'],
    ...['user root', `persistence_location ${folder}/`, ''],
  ].join('\n'),
);
const broker = spawn(
  process.execPath,
  [...(process.env['BROKER_NODE_ARGS']?.split(' ') ?? []), program, '-c', join(folder, 'm.conf')],
  { stdio: ['ignore', 'pipe', 'pipe'] },
);
let output = '';
broker.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
broker.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
const residentMb = (): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${broker.pid}/status`, 'utf8'))?.[1]) / 1024);
try {
  while (!output.includes(' running')) {
    if (broker.exitCode !== null) throw new Error(output);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const publisher = await mqtt(port, 'publisher');
  for (let first = 0; first < topics; first += 2000) {
    const batch = Array.from({ length: Math.min(2000, topics - first) }, (_, offset) => {
      const index = first + offset;
      return publish(
        topicOf(index),
        index % 2 === 0 ? `{"t":${20 + (index % 100) / 10}}` : `${20 + (index % 100) / 10}`,
      );
    });
    publisher.write(Buffer.concat(batch));
    await ping(publisher);
  }
  console.log(`${topics} topics retained; broker ${residentMb()} MB`);
  const base = `http://127.0.0.1:${http}/api/v1`;
  const login = await fetch(`${base}/first-run`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      token: /token=([\w-]+)/.exec(output)?.[1] ?? '',
      username: 'ann',
      password: 'correct horse',
    }),
  });
  const Cookie = login.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const canary = await mqtt(port, 'canary');
  let longestMs = 0;
  void (async () => {
    for (;;) {
      const start = performance.now();
      await ping(canary);
      longestMs = Math.max(longestMs, performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, probeMs));
    }
  })();
  for (let round = 1; round <= 2; round++) {
    for (const [name, path] of searches) {
      longestMs = 0;
      const start = performance.now();
      const answer = await fetch(base + path, { headers: { Cookie } });
      const text = await answer.text();
      const took = performance.now() - start;
      const { total, topics: matched } = JSON.parse(text) as { total?: number; topics?: number };
      console.log(
        `${String(round)} ${name.padEnd(28)} ${took.toFixed(0).padStart(6)} ms, longest wait ${longestMs.toFixed(1).padStart(6)} ms, ${answer.status} ${total ?? matched ?? ''}`,
      );
    }
    console.log(`broker ${residentMb()} MB`);
  }
} finally {
  broker.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
