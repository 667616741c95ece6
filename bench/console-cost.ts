/**
 * What the web console costs a broker at a fixed load: CPU time of the broker without an HTTP listener, with one, and with a
 * console open on it (tree, sparklines, stream of everything).
 *
 *     npx tsx bench/console-cost.ts [messages per second, default 50000] [seconds, default 8] [topics, default 1000]
 *       [bin/moustique.js of another tree]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { freePort } from '../test/harness/ports.ts';
import { cpuSeconds } from './proc-stat.ts';

const [rate = 50_000, seconds = 8, topics = 1000] = process.argv.slice(2, 5).map(Number);
const program = process.argv[5] ?? 'bin/moustique.js';
const tickMs = 10;

/** A PUBLISH of MQTT 3.1.1, QoS 0. */
function publish(topic: string, payload: string): Buffer {
  const length = 2 + Buffer.byteLength(topic) + Buffer.byteLength(payload);
  const head = length < 128 ? [0x30, length] : [0x30, (length & 127) | 128, length >> 7];
  const size = Buffer.from([topic.length >> 8, topic.length & 255]);
  return Buffer.concat([Buffer.from(head), size, Buffer.from(topic + payload)]);
}

async function mqtt(port: number, id: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  const body = Buffer.concat([
    Buffer.from([0, 4]),
    Buffer.from('MQTT'),
    Buffer.from([4, 2, 0, 0, 0, id.length]),
    Buffer.from(id),
  ]);
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

async function measure(kind: 'without' | 'listener' | 'console'): Promise<{ cpu: number; received: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'console-cost-'));
  const [port, http] = [await freePort(), await freePort()];
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'user root', `persistence_location ${folder}/`];
  if (kind !== 'without') lines.push(`listener ${http} 127.0.0.1`, 'protocol http_api');
  writeFileSync(join(folder, 'm.conf'), `${lines.join('\n')}\n`);
  const broker: ChildProcess = spawn(process.execPath, [program, '-c', join(folder, 'm.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  broker.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  broker.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  try {
    while (!output.includes(' running')) await new Promise((resolve) => setTimeout(resolve, 50));
    const subscriber = await mqtt(port, 'subscriber');
    let received = 0;
    subscriber.on('data', (chunk: Buffer) => (received += chunk.length));
    subscriber.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 0]));
    const publisher = await mqtt(port, 'publisher');
    const frames = Array.from({ length: topics }, (_, index) =>
      Array.from({ length: 4 }, (__, step) =>
        publish(`plant/hall${index % 20}/sensor${index}/temperature`, `${20 + step}.${index % 10}`),
      ),
    );
    if (kind === 'console') await openConsole(http, output);
    let sent = 0;
    const startMs = performance.now();
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startMs) / 1000) * rate);
      const batch: Buffer[] = [];
      for (; sent < due; sent++) batch.push(frames[sent % topics]?.[(sent >> 4) & 3] as Buffer);
      publisher.write(Buffer.concat(batch));
    }, tickMs);
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const before = cpuSeconds([broker.pid as number]);
    const receivedBefore = received;
    const fromMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const cpu = (cpuSeconds([broker.pid as number]) - before) / ((performance.now() - fromMs) / 1000);
    clearInterval(timer);
    return { cpu, received: received - receivedBefore };
  } finally {
    broker.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openConsole(port: number, output: string): Promise<void> {
  const token = /token=([\w-]+)/.exec(output)?.[1] ?? '';
  const base = `http://127.0.0.1:${port}`;
  const answer = await fetch(`${base}/api/v1/first-run`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, username: 'ann', password: 'correct horse' }),
  });
  const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/live`, { headers: { Cookie: cookie } });
  let bytes = 0;
  socket.on('message', (data: Buffer) => {
    bytes += data.length;
    if (data.toString().startsWith('{"type":"hello"')) {
      const expanded = ['plant', ...Array.from({ length: 20 }, (_, index) => `plant/hall${index}`)];
      for (let index = 0; index < 1000; index++) expanded.push(`plant/hall${index % 20}/sensor${index}`);
      const tree = { type: 'tree', view: 't', expanded, from: 0, to: 60, rings: true, refresh: true };
      setTimeout(() => socket.send(JSON.stringify(tree)), 2000);
      socket.send(JSON.stringify({ type: 'stream', view: 's', filters: ['#'], limitPerSecond: 200 }));
    } else {
      socket.send('{"type":"credit","frames":1}');
    }
  });
  setTimeout(
    () => console.log(`  console received ${Math.round(bytes / 1024 / (seconds + 2))} KiB/s`),
    (seconds + 2) * 1000,
  );
  await new Promise((resolve) => socket.once('open', resolve));
}

const runs: Record<string, number[]> = { without: [], listener: [], console: [] };
for (let round = 0; round < 2; round++) {
  for (const kind of ['without', 'listener', 'console'] as const) {
    const { cpu, received } = await measure(kind);
    runs[kind]?.push(cpu);
    console.log(`${kind}: ${(cpu * 100).toFixed(1)} % of a core, subscriber got ${(received / 1e6).toFixed(1)} MB`);
  }
}
process.exit(0);
