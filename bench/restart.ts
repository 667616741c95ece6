/**
 * How long a broker needs to start with a long queue: after a kill, when everything is in the journal, and after a clean stop.
 * Then the queue's owner takes it all, so that what was restored is counted.
 *
 *     npm run build && npx tsx bench/restart.ts [messages, default 1000000] [bytes of a payload, default 100]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { createMessage } from '../src/contracts/message.ts';
import { openFileStore } from '../src/store/file-store.ts';
import { Topic } from '../src/topics/topic.ts';
import { freePort } from '../test/harness/ports.ts';
import { cpuSeconds } from './proc-stat.ts';

const [messages = 1_000_000, payloadBytes = 100] = process.argv.slice(2).map(Number);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A store as a broker leaves it that is killed: all messages queued for one client, and never a snapshot of them. */
async function fill(path: string): Promise<void> {
  const store = openFileStore({
    ...{ path, autosaveIntervalSeconds: 0, autosaveOnChanges: false, compactBytes: Number.POSITIVE_INFINITY },
    clock: systemClock(),
    logger: { log: () => {}, enabled: () => false },
  });
  for (const _fact of store.restore()) throw new Error(`${path} is not empty`);
  store.attach(() => []);
  await store.snapshot();
  const clientId = 'owner';
  const expiryIntervalSeconds = 0xffff_ffff;
  store.sessionPut({
    clientId,
    username: null,
    listenerPort: 0,
    expiryIntervalSeconds,
    expiresAtMs: 0,
    lastSequence: 0,
  });
  const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;
  store.subscriptionPut({ clientId, filter: 'plant/#', ...options });
  const topics = Array.from({ length: 1000 }, (_, index) => {
    const name = `plant/hall${index % 20}/sensor${index}`;
    return Topic.of(name);
  });
  const publisher = { clientId: 'sensors', username: null, listenerPort: 1883 };
  for (let id = 1; id <= messages; id++) {
    const topic = topics[id % topics.length];
    if (topic === undefined) break;
    const message = createMessage(topic, publisher, { payload: Buffer.alloc(payloadBytes, id & 255), qos: 1 });
    message.storeId = id;
    store.deliveryPut(clientId, id, message, 1, false, null);
    while (id % 10_000 === 0 && store.committed < store.position) await pause(1);
  }
  while (store.committed < store.position) await pause(10);
  // It is left as it is: closing would write a snapshot. The lock goes with the process that has it.
  process.kill(process.pid, 'SIGKILL');
}

interface Started {
  readonly broker: ChildProcess;
  readonly socket: Socket;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Starts the broker; it is there when it has answered a CONNECT. */
async function start(port: number, conf: string, clientId: string): Promise<Started> {
  const fromMs = performance.now();
  const broker = spawn(process.execPath, ['bin/moustique.js', '-c', conf], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (;;) {
    if (broker.exitCode !== null) throw new Error(`the broker ended with status ${broker.exitCode}`);
    const socket = await connected(port, clientId);
    if (socket === null) {
      await pause(5);
      continue;
    }
    return { broker, socket, seconds: (performance.now() - fromMs) / 1000, cpuSeconds: cpuSeconds([broker.pid ?? 0]) };
  }
}

/** A Network Connection with its CONNACK unread, null when nobody listens. MQTT 3.1.1, clean session 0. */
async function connected(port: number, clientId: string): Promise<Socket | null> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const body = Buffer.from(`\0\x04MQTT\x04\0\0\0\0${String.fromCharCode(clientId.length)}${clientId}`, 'latin1');
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
  return new Promise((resolve) => {
    socket.once('readable', () => resolve(socket));
    socket.once('close', () => resolve(null));
  });
}

/** Takes and acknowledges everything the client is sent, until there is nothing for two seconds. */
async function takeAll(socket: Socket): Promise<number> {
  let count = 0;
  let rest: Buffer = Buffer.alloc(0);
  let lastMs = performance.now();
  socket.on('data', (chunk: Buffer) => {
    lastMs = performance.now();
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const acks: number[] = [];
    for (;;) {
      let length = 0;
      let at = 1;
      let byte = 0x80;
      for (let shift = 0; byte >= 0x80 && at < rest.length; shift += 7) {
        byte = rest[at++] ?? 0;
        length |= (byte & 127) << shift;
      }
      if (byte >= 0x80 || at + length > rest.length) break;
      if ((rest[0] ?? 0) >> 4 === 3) {
        const identifier = at + 2 + rest.readUInt16BE(at);
        acks.push(0x40, 2, rest[identifier] ?? 0, rest[identifier + 1] ?? 0);
        count++;
      }
      rest = rest.subarray(at + length);
    }
    socket.write(Buffer.from(acks));
  });
  while (performance.now() - lastMs < 2000) await pause(100);
  return count;
}

async function stopped(broker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const end = new Promise((resolve) => broker.once('exit', resolve));
  broker.kill(signal);
  await end;
}

function sizes(folder: string): string {
  const journal = join(folder, 'mosquitto.db.journal');
  let bytes = 0;
  for (const name of readdirSync(journal)) bytes += name.endsWith('.log') ? statSync(join(journal, name)).size : 0;
  return `snapshot ${megabytes(statSync(join(folder, 'mosquitto.db')).size)}, journal ${megabytes(bytes)}`;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'moustique-restart-'));
  const port = await freePort();
  const conf = join(folder, 'm.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'user root',
    'log_type error',
    'persistence true',
  ];
  lines.push(`persistence_location ${folder}/`, 'max_queued_messages 0', 'max_inflight_messages 0');
  writeFileSync(conf, `${lines.join('\n')}\n`);
  let broker: ChildProcess | null = null;
  try {
    const filler = spawn('npx', ['tsx', 'bench/restart.ts', ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: { ...process.env, MOUSTIQUE_FILL: join(folder, 'mosquitto.db') },
    });
    await new Promise((resolve) => filler.once('exit', resolve));
    for (const before of ['a kill', 'a clean stop']) {
      const size = sizes(folder);
      const started = await start(port, conf, 'visitor');
      broker = started.broker;
      const text = `${started.seconds.toFixed(2)} s, ${started.cpuSeconds.toFixed(2)} s of CPU time`;
      console.log(`${messages} messages queued, start after ${before} (${size}): ${text}`);
      started.socket.destroy();
      if (before === 'a kill') await stopped(broker, 'SIGTERM');
    }
    const socket = await connected(port, 'owner');
    if (socket === null) throw new Error('the broker does not listen');
    const count = await takeAll(socket);
    socket.destroy();
    console.log(`the client took ${count} messages`);
    if (count !== messages) process.exitCode = 1;
  } finally {
    if (broker !== null) await stopped(broker, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

const { MOUSTIQUE_FILL } = process.env;
await (MOUSTIQUE_FILL === undefined ? main() : fill(MOUSTIQUE_FILL));
