/**
 * Open-loop latency: messages leave at fixed times, whether or not earlier ones have arrived, so that a broker that stalls cannot
 * hide it by being sent less (coordinated omission). Each is measured from the moment before it is written.
 *
 * The loop spins (setImmediate) to be on time within microseconds, so the generator's busy share says nothing here. When it does
 * not run at all, its schedule moves by that time, and what was on its way is not counted: see `stopwatch.ts`. That never waits
 * for the broker, since no write does.
 */
import type { JobResult, LatencyJob, Target } from '../job.ts';
import { percentile } from '../statistics.ts';
import type { ClientEvents, GeneratorClient } from './client.ts';
import { between, connectAll, Meters, waitFor } from './crew.ts';
import { Dialer } from './dialer.ts';
import { FrameRing } from './frame-ring.ts';
import { type Layout, layOut } from './patterns.ts';
import { Stopwatch } from './stopwatch.ts';
import { EachTally } from './tally.ts';

const PATIENCE_MS = 3000;

class Receivers implements ClientEvents {
  received = 0;
  done = 0;
  ackFaults = 0;
  lostConnection: Error | undefined;
  readonly tally: EachTally;
  readonly watch = new Stopwatch(performance.now());

  constructor(layout: Layout) {
    this.tally = new EachTally(layout.publishers.length, layout.subscribers.length);
  }

  onMessage(client: GeneratorClient, bytes: Uint8Array, payload: number, _end: number): void {
    const now = performance.now();
    const view = new DataView(bytes.buffer, bytes.byteOffset + payload);
    this.tally.note(client.index, view.getUint32(0, true), view.getUint32(4, true));
    this.received++;
    this.watch.note(view.getFloat64(8, true), now);
  }

  onDone(_client: GeneratorClient, _packetId: number, reasonCode: number): void {
    this.done++;
    this.watch.look(performance.now());
    if (reasonCode >= 0x80) this.ackFaults++;
  }

  onLost(client: GeneratorClient, error: Error | undefined): void {
    this.lostConnection ??= new Error(`the broker closed ${client.clientId}${error ? `: ${error.message}` : ''}`);
  }
}

export async function runLatency(target: Target, job: LatencyJob): Promise<JobResult> {
  const layout = layOut(job.pattern);
  const { isPair } = layout;
  if (isPair === undefined) throw new Error('latency needs a pattern whose receivers are known');
  const dialer = new Dialer(target);
  const meters = new Meters(target.pid);
  const { level } = job;

  const receivers = new Receivers(layout);
  const subscribers = await connectAll(
    dialer,
    layout.subscribers.length,
    (index) => ({ level, clientId: `bench-sub-${index}` }),
    receivers,
  );
  for (const [index, filters] of layout.subscribers.entries()) await subscribers[index]?.subscribe(filters, job.qos);
  const clients = await connectAll(
    dialer,
    layout.publishers.length,
    (index) => ({ level, clientId: `bench-pub-${index}` }),
    receivers,
  );
  const rings = clients.map((_, index) => {
    const topicNames = layout.publishers[index] ?? [];
    return new FrameRing({
      ...job,
      retain: false,
      topicNames,
      publisher: index,
      framesMin: 1,
      isWebSocket: dialer.isWebSocket,
    });
  });

  const count = (ms: number): number => Math.ceil((job.messagesPerSecond * ms) / 1000);
  const warmupMessages = count(job.warmupMs);
  const messages = warmupMessages + count(job.windowMs);
  const sender = new Sender(clients, rings, job.messagesPerSecond, receivers);
  await sender.send(warmupMessages);
  const start = meters.read();
  receivers.watch.begin(performance.now(), messages * layout.copies);
  await sender.send(messages);
  const end = meters.read();
  await waitFor(
    () => receivers.received >= messages * layout.copies && (job.qos === 0 || receivers.done >= messages),
    () => receivers.received + receivers.done,
    PATIENCE_MS,
  );
  if (receivers.lostConnection !== undefined) throw receivers.lostConnection;
  const sent = rings.map((ring) => ring.sequence);
  const tally = receivers.tally.counts(sent, isPair);
  for (const client of [...subscribers, ...clients]) client.drop();

  const elapsed = between(start, end);
  const { watch } = receivers;
  const sorted = watch.sorted();
  const microseconds = (share: number): number => percentile(sorted, share) * 1000;
  return {
    figures: {
      p50Us: microseconds(0.5),
      p99Us: microseconds(0.99),
      p999Us: microseconds(0.999),
      maxUs: microseconds(1),
      disturbedPercent: (watch.disturbed / (watch.disturbed + watch.counted)) * 100,
      generatorStoppedMs: watch.stoppedMs,
      deliveriesPerCpuSecond: ((messages - warmupMessages) * layout.copies) / elapsed.brokerSeconds,
    },
    counts: {
      sent: sent.reduce((sum, count) => sum + count, 0),
      delivered: tally.received - tally.duplicated,
      lost: tally.lost,
      duplicated: tally.duplicated,
      reordered: tally.reordered,
      ackFaults: receivers.ackFaults,
    },
    // The generator spins on purpose: its own share says nothing.
    busy: { brokerBusy: elapsed.busy.brokerBusy, othersBusy: elapsed.busy.othersBusy },
  };
}

/** Sends one message every so often, by the publishers in turn. */
class Sender {
  readonly #clients: readonly GeneratorClient[];
  readonly #rings: readonly FrameRing[];
  readonly #stepMs: number;
  readonly #receivers: Receivers;
  #sent = 0;
  #dueMs: number;

  constructor(
    clients: readonly GeneratorClient[],
    rings: readonly FrameRing[],
    messagesPerSecond: number,
    receivers: Receivers,
  ) {
    this.#clients = clients;
    this.#rings = rings;
    this.#stepMs = 1000 / messagesPerSecond;
    this.#receivers = receivers;
    this.#dueMs = performance.now() + 5;
  }

  /** Goes on until `total` messages have been sent. */
  send(total: number): Promise<void> {
    return new Promise((resolve) => {
      const turn = (): void => {
        let now = this.#look();
        while (this.#sent < total && this.#dueMs <= now) {
          const index = this.#sent++ % this.#clients.length;
          this.#clients[index]?.sendFrames((this.#rings[index] as FrameRing).takeTimed(now));
          this.#dueMs += this.#stepMs;
          now = this.#look();
        }
        if (this.#sent >= total || this.#receivers.lostConnection !== undefined) resolve();
        else setImmediate(turn);
      };
      turn();
    });
  }

  /** Reads the clock; what was missed while the generator did not run is not made up for. */
  #look(): number {
    const now = performance.now();
    const gapMs = this.#receivers.watch.look(now);
    if (gapMs > 0) this.#dueMs += gapMs;
    return now;
  }
}
