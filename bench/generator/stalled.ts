/**
 * What subscribers that never read cost everybody else: p99 of an even load with them and without, again and again, back to back.
 *
 * They are filled first, until neither operating system takes a byte more for them; while is measured they are due another message
 * every 100 ms, with them or without. So the difference is what the broker does about sockets that take nothing.
 */
import net from 'node:net';
import type { JobResult, LatencyJob, StalledJob, Target } from '../job.ts';
import { median } from '../statistics.ts';
import { type ClientEvents, GeneratorClient } from './client.ts';
import { Meters, PARALLEL_CONNECTS, sleep } from './crew.ts';
import { Dialer } from './dialer.ts';
import { FrameRing } from './frame-ring.ts';
import { runLatency } from './latency.ts';
import { encodeConnect, encodeSubscribe } from './packets.ts';

const TOPIC = 'bench-stalled/all';
const FEED_INTERVAL_MS = 100;
const FILL_PAYLOAD_BYTES = 16_384;
/** More than the buffers of two sockets on one machine hold. */
const FILL_MESSAGES = 400;
const FILL_STEP_MS = 10;
const SETTLE_MS = 500;
const ROUNDS = 3;

const ignored: ClientEvents = { onMessage: () => undefined, onDone: () => undefined, onLost: () => undefined };

export async function runStalled(target: Target, job: StalledJob): Promise<JobResult> {
  const meters = new Meters(target.pid);
  const { level, messagesPerSecond, payloadBytes, warmupMs, windowMs } = job;
  const load: LatencyJob = {
    kind: 'latency',
    pattern: { shape: 'fan-in', publishers: 100, subscribers: 10 },
    ...{ level, qos: 0, payloadBytes, messagesPerSecond, warmupMs, windowMs },
  };
  const feeder = await GeneratorClient.connect(new Dialer(target), { level, clientId: 'bench-feeder' }, ignored);
  const feed = new FrameRing({ ...feedOf(level), payloadBytes: 1024, framesMin: 2 });
  const fill = new FrameRing({ ...feedOf(level), payloadBytes: FILL_PAYLOAD_BYTES, framesMin: 2 });
  const feeding = setInterval(() => feeder.sendFrames(Buffer.from(feed.take(1))), FEED_INTERVAL_MS);

  const alone: JobResult[] = [];
  const beside: JobResult[] = [];
  const heldBytes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await runLatency(target, load));
    const before = meters.residentBytes();
    const stalled = await stall(target, job);
    for (let message = 0; message < FILL_MESSAGES; message++) {
      feeder.sendFrames(Buffer.from(fill.take(1)));
      await sleep(FILL_STEP_MS);
    }
    await sleep(SETTLE_MS);
    heldBytes.push((meters.residentBytes() - before) / job.stalled);
    beside.push(await runLatency(target, load));
    for (const socket of stalled) socket.resetAndDestroy();
    await sleep(SETTLE_MS);
  }
  clearInterval(feeding);
  feeder.drop();

  const p99 = ({ figures }: JobResult): number => figures['p99Us'] as number;
  const last = beside.at(-1) as JobResult;
  const lost = [...alone, ...beside].reduce((sum, { counts }) => sum + (counts?.lost ?? 0), 0);
  return {
    ...last,
    figures: {
      p99Us: median(beside.map(p99)),
      p99AloneUs: median(alone.map(p99)),
      p99CostPercent: (median(beside.map((result, round) => p99(result) / p99(alone[round] as JobResult))) - 1) * 100,
      bytesPerStalled: median(heldBytes),
    },
    ...(last.counts === undefined ? {} : { counts: { ...last.counts, lost } }),
  };
}

function feedOf(level: StalledJob['level']) {
  return { level, qos: 0, retain: false, topicNames: [TOPIC], publisher: 0, isWebSocket: false } as const;
}

/** Subscribers that read their CONNACK and SUBACK and then nothing. */
async function stall({ host, port }: Target, { level, stalled }: StalledJob): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < stalled; index = next++) {
      const socket = net.connect(port, host);
      socket.on('error', () => {});
      sockets.push(socket);
      socket.write(encodeConnect({ level, clientId: `bench-stalled-${index}`, cleanStart: true }));
      await heard(socket);
      socket.write(encodeSubscribe(level, 1, [TOPIC], 0));
      await heard(socket);
      socket.pause();
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_CONNECTS }, worker));
  return sockets;
}

/** Waits for bytes. @throws Error - when the connection is closed instead */
function heard(socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the broker closed a subscriber that was to stall'));
    socket.once('close', onClose);
    socket.once('data', () => {
      socket.off('close', onClose);
      resolve();
    });
  });
}
