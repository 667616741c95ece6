/**
 * Open-loop latency: messages are due at fixed times, and each is measured from the time it was due, not from the time
 * it was written. A generator or broker that stalls cannot hide it by sending later (coordinated omission).
 *
 * The loop spins (setImmediate) to be on time within microseconds, so the generator's busy share says nothing here; how
 * late it was itself is reported instead.
 */
import type { JobResult, LatencyJob, Target } from '../job.ts';
import { percentile } from '../statistics.ts';
import type { ClientEvents, GeneratorClient } from './client.ts';
import { between, connectAll, Meters, waitFor } from './crew.ts';
import { Dialer } from './dialer.ts';
import { FrameRing } from './frame-ring.ts';
import { type Layout, layOut } from './patterns.ts';
import { EachTally } from './tally.ts';

const PATIENCE_MS = 3000;

class Stopwatch implements ClientEvents {
  samplesMs = new Float64Array(0);
  sampleCount = 0;
  received = 0;
  done = 0;
  ackFaults = 0;
  lostConnection: Error | undefined;
  readonly tally: EachTally;
  #measureFromMs = Number.POSITIVE_INFINITY;

  constructor(layout: Layout) {
    this.tally = new EachTally(layout.publishers.length, layout.subscribers.length);
  }

  /** @param measureFromMs - messages due before belong to the warm-up · @param samplesMax - further ones are not kept */
  begin(measureFromMs: number, samplesMax: number): void {
    this.#measureFromMs = measureFromMs;
    this.samplesMs = new Float64Array(samplesMax);
  }

  onMessage(client: GeneratorClient, bytes: Uint8Array, payload: number, _end: number): void {
    const now = performance.now();
    const view = new DataView(bytes.buffer, bytes.byteOffset + payload);
    this.tally.note(client.index, view.getUint32(0, true), view.getUint32(4, true));
    this.received++;
    const scheduledMs = view.getFloat64(8, true);
    if (scheduledMs < this.#measureFromMs || this.sampleCount === this.samplesMs.length) return;
    this.samplesMs[this.sampleCount++] = now - scheduledMs;
  }

  onDone(_client: GeneratorClient, _packetId: number, reasonCode: number): void {
    this.done++;
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

  const watch = new Stopwatch(layout);
  const subscribers = await connectAll(
    dialer,
    layout.subscribers.length,
    (index) => ({ level, clientId: `bench-sub-${index}` }),
    watch,
  );
  for (const [index, filters] of layout.subscribers.entries()) await subscribers[index]?.subscribe(filters, job.qos);
  const clients = await connectAll(
    dialer,
    layout.publishers.length,
    (index) => ({ level, clientId: `bench-pub-${index}` }),
    watch,
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
  const startMs = performance.now() + 5;
  watch.begin(startMs + job.warmupMs, messages * layout.copies);
  await sendOnTime(clients, rings, startMs, 0, warmupMessages, job, watch);
  const start = meters.read();
  const lateMsMax = await sendOnTime(clients, rings, startMs, warmupMessages, messages, job, watch);
  const end = meters.read();
  await waitFor(
    () => watch.received >= messages * layout.copies && (job.qos === 0 || watch.done >= messages),
    () => watch.received + watch.done,
    PATIENCE_MS,
  );
  if (watch.lostConnection !== undefined) throw watch.lostConnection;
  const sent = rings.map((ring) => ring.sequence);
  const tally = watch.tally.counts(sent, isPair);
  for (const client of [...subscribers, ...clients]) client.drop();

  const elapsed = between(start, end);
  const sorted = watch.samplesMs.subarray(0, watch.sampleCount).sort();
  const microseconds = (share: number): number => percentile(sorted, share) * 1000;
  return {
    figures: {
      p50Us: microseconds(0.5),
      p99Us: microseconds(0.99),
      p999Us: microseconds(0.999),
      maxUs: microseconds(1),
      generatorLateUs: lateMsMax * 1000,
      deliveriesPerCpuSecond: ((messages - warmupMessages) * layout.copies) / elapsed.brokerSeconds,
    },
    counts: {
      sent: sent.reduce((sum, count) => sum + count, 0),
      delivered: tally.received - tally.duplicated,
      lost: tally.lost,
      duplicated: tally.duplicated,
      reordered: tally.reordered,
      ackFaults: watch.ackFaults,
    },
    // The generator spins on purpose: its own share says nothing.
    busy: { brokerBusy: elapsed.busy.brokerBusy, othersBusy: elapsed.busy.othersBusy },
  };
}

/** Sends messages `from`..`to` (exclusive), message i at startMs + i / rate, by publishers in turn; returns its largest delay in ms. */
function sendOnTime(
  clients: readonly GeneratorClient[],
  rings: readonly FrameRing[],
  startMs: number,
  from: number,
  to: number,
  job: LatencyJob,
  watch: Stopwatch,
): Promise<number> {
  const stepMs = 1000 / job.messagesPerSecond;
  return new Promise((resolve) => {
    let next = from;
    let lateMsMax = 0;
    const turn = (): void => {
      let now = performance.now();
      let dueMs = startMs + next * stepMs;
      while (next < to && dueMs <= now) {
        const index = next % clients.length;
        clients[index]?.sendFrames((rings[index] as FrameRing).takeTimed(dueMs));
        lateMsMax = Math.max(lateMsMax, now - dueMs);
        dueMs = startMs + ++next * stepMs;
        now = performance.now();
      }
      if (next >= to || watch.lostConnection !== undefined) resolve(lateMsMax);
      else setImmediate(turn);
    };
    turn();
  });
}
