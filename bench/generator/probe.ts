/**
 * What everybody else feels meanwhile: a message every few milliseconds between two clients of their own, in a thread of its own,
 * so that what the generator itself is busy with is not among it.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Target } from '../job.ts';
import { percentile } from '../statistics.ts';
import type { ClientEvents, GeneratorClient } from './client.ts';
import { connectAll, sleep } from './crew.ts';
import { Dialer } from './dialer.ts';
import { FrameRing } from './frame-ring.ts';

const INTERVAL_MS = 5;
const TOPIC = 'bench-probe/value';

interface ProbeData {
  readonly target: Target;
  readonly level: 4 | 5;
}

/** The thread as the generator sees it. */
export class Probe {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Begins; resolves when its first message has arrived. */
  static async start(target: Target, level: 4 | 5): Promise<Probe> {
    const data: ProbeData = { target, level };
    // The generator is one file, which knows by `isProbe` that it runs as this thread.
    const worker = new Worker(process.argv[1] as string, { workerData: data });
    const probe = new Probe(worker);
    await probe.#next();
    return probe;
  }

  /** Ends it. @returns how long its messages took */
  async stop(): Promise<{ p99Ms: number; maxMs: number }> {
    const samples = this.#next();
    this.#worker.postMessage('stop');
    const sorted = ((await samples) as number[]).sort((a, b) => a - b);
    return { p99Ms: percentile(sorted, 0.99), maxMs: percentile(sorted, 1) };
  }

  #next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', resolve);
      this.#worker.once('error', reject);
    });
  }
}

/** Whether this is the thread. */
export const isProbe = !isMainThread;

class Samples implements ClientEvents {
  readonly all: number[] = [];
  readonly #onFirst: () => void;

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  onMessage(_client: GeneratorClient, bytes: Uint8Array, payload: number, _end: number): void {
    const sentMs = new DataView(bytes.buffer, bytes.byteOffset + payload).getFloat64(8, true);
    this.all.push(performance.now() - sentMs);
    if (this.all.length === 1) this.#onFirst();
  }

  onDone(): void {}

  onLost(): void {}
}

/** What the thread does: tells that it has begun, and when it is told to stop, milliseconds of every message. */
export async function runProbe(): Promise<void> {
  const { target, level } = workerData as ProbeData;
  const port = parentPort;
  if (port === null) throw new Error('not a thread');
  const events = new Samples(() => port.postMessage('begun'));
  const clientIds = ['bench-probe-sub', 'bench-probe-pub'];
  const clients = await connectAll(
    new Dialer(target),
    clientIds.length,
    (index) => ({ level, clientId: clientIds[index] as string }),
    events,
  );
  const [subscriber, publisher] = clients as [GeneratorClient, GeneratorClient];
  await subscriber.subscribe([TOPIC], 0);
  const ring = new FrameRing({
    ...{ level, qos: 0, retain: false, topicNames: [TOPIC], payloadBytes: 64, publisher: 0, framesMin: 1 },
    isWebSocket: target.transport === 'websocket',
  });
  const send = (): void => publisher.sendFrames(ring.takeTimed(performance.now()));
  send();
  const timer = setInterval(send, INTERVAL_MS);
  await once(port, 'message');
  clearInterval(timer);
  await sleep(50);
  for (const client of clients) client.drop();
  port.postMessage(events.all);
}
