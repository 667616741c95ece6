/**
 * Closed-loop throughput: every publisher may have a fixed number of messages under way (its credit) and sends more when
 * deliveries and acks come back. Nothing is dropped by overload, so every missing message is a fault of the broker.
 *
 * Publishers that have become ready are written together at the end of a turn, each with one write.
 */
import { type Credentials, credentialsOf } from '../access-files.ts';
import type { FlowJob, JobResult, Target } from '../job.ts';
import { type ClientEvents, GeneratorClient } from './client.ts';
import { between, connectAll, Meters, sleep, waitFor } from './crew.ts';
import { Dialer } from './dialer.ts';
import { FrameRing, packetIdOf } from './frame-ring.ts';
import { Pacer } from './pacer.ts';
import { type Layout, layOut } from './patterns.ts';
import { EachTally, OnceTally } from './tally.ts';

/** Long enough for any broker that is still working. */
const PATIENCE_MS = 3000;
/** Filters from which on their memory is told: fewer are lost in what a broker needs anyway. */
const FILTERS_WEIGHED_MIN = 10_000;
/** Filters that are subscribed to first and left, so that code and buffers needed once are not charged to the many. */
const WARMUP_FILTERS = 1000;

interface Publisher {
  readonly client: GeneratorClient;
  readonly ring: FrameRing;
  deliveries: number;
  acked: number;
  /** Deliveries and acks at which the next batch may leave. */
  deliveriesWanted: number;
  ackedWanted: number;
  isQueued: boolean;
}

class Flow implements ClientEvents {
  deliveries = 0;
  ackFaults = 0;
  lostConnection: Error | undefined;
  readonly #job: FlowJob;
  readonly #copies: number;
  readonly #tally: EachTally | OnceTally;
  #publishers: readonly Publisher[] = [];
  #ready: Publisher[] = [];
  #isStopped = false;

  constructor(job: FlowJob, layout: Layout) {
    this.#job = job;
    this.#copies = layout.copies;
    this.#tally =
      layout.isPair === undefined
        ? new OnceTally(layout.publishers.length, job.credit)
        : new EachTally(layout.publishers.length, layout.subscribers.length);
  }

  start(publishers: readonly Publisher[]): void {
    this.#publishers = publishers;
    for (const publisher of publishers) this.#queue(publisher);
  }

  /** Writes what has become ready in this turn. */
  writeReady(): void {
    const ready = this.#ready;
    this.#ready = [];
    for (const publisher of ready) {
      publisher.isQueued = false;
      if (!this.#isStopped) this.#pump(publisher);
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Everything sent has been delivered and acknowledged. */
  isSettled(): boolean {
    return this.#publishers.every(
      ({ ring, deliveries, acked }) =>
        deliveries >= ring.sequence * this.#copies && (this.#job.qos === 0 || acked >= ring.sequence),
    );
  }

  progress(): number {
    return this.#publishers.reduce((sum, { acked }) => sum + acked, this.deliveries);
  }

  counts(isPair: Layout['isPair']): NonNullable<JobResult['counts']> {
    const sent = this.#publishers.map(({ ring }) => ring.sequence);
    const tally = isPair === undefined ? (this.#tally as OnceTally).counts(sent) : this.#tally.counts(sent, isPair);
    const unacked =
      this.#job.qos === 0 ? 0 : this.#publishers.reduce((sum, { ring, acked }) => sum + ring.sequence - acked, 0);
    return {
      sent: sent.reduce((sum, count) => sum + count, 0),
      delivered: tally.received - tally.duplicated,
      lost: tally.lost,
      duplicated: tally.duplicated,
      reordered: tally.reordered,
      ackFaults: this.ackFaults + unacked,
    };
  }

  onMessage(client: GeneratorClient, bytes: Uint8Array, payload: number, _end: number): void {
    const number =
      (bytes[payload] as number) | ((bytes[payload + 1] as number) << 8) | ((bytes[payload + 2] as number) << 16);
    const sequence =
      ((bytes[payload + 4] as number) |
        ((bytes[payload + 5] as number) << 8) |
        ((bytes[payload + 6] as number) << 16) |
        ((bytes[payload + 7] as number) << 24)) >>>
      0;
    this.#tally.note(client.index, number, sequence);
    this.deliveries++;
    const publisher = this.#publishers[number] as Publisher;
    if (++publisher.deliveries >= publisher.deliveriesWanted && publisher.acked >= publisher.ackedWanted) {
      this.#queue(publisher);
    }
  }

  onDone(client: GeneratorClient, packetId: number, reasonCode: number): void {
    const publisher = this.#publishers[client.index] as Publisher;
    if (packetId !== packetIdOf(publisher.acked) || reasonCode >= 0x80) this.ackFaults++;
    if (++publisher.acked >= publisher.ackedWanted && publisher.deliveries >= publisher.deliveriesWanted) {
      this.#queue(publisher);
    }
  }

  onLost(client: GeneratorClient, error: Error | undefined): void {
    this.lostConnection ??= new Error(`the broker closed ${client.clientId}${error ? `: ${error.message}` : ''}`);
    this.stop();
  }

  #queue(publisher: Publisher): void {
    if (publisher.isQueued) return;
    publisher.isQueued = true;
    this.#ready.push(publisher);
  }

  #pump(publisher: Publisher): void {
    const { credit, ackWindow, batchMin, qos } = this.#job;
    const { ring, client } = publisher;
    const delivered = Math.floor(publisher.deliveries / this.#copies);
    let room = credit - (ring.sequence - delivered);
    if (qos > 0) room = Math.min(room, ackWindow - (ring.sequence - publisher.acked));
    while (room > 0) {
      const before = ring.sequence;
      client.sendFrames(ring.take(room));
      room -= ring.sequence - before;
    }
    publisher.deliveriesWanted = (ring.sequence + batchMin - credit) * this.#copies;
    publisher.ackedWanted = qos > 0 ? ring.sequence + batchMin - ackWindow : 0;
  }
}

async function subscribeOnce(dialer: Dialer, { level, qos }: FlowJob, events: ClientEvents): Promise<void> {
  const client = await GeneratorClient.connect(dialer, { level, clientId: 'bench-warm' }, events);
  const filters = Array.from({ length: WARMUP_FILTERS }, (_, i) => `bench/warm${i}/value`);
  await client.subscribe(filters, qos);
  client.drop();
  await sleep(500);
}

/** @param patienceMs - without any progress for this long, what is missing is lost */
export async function runFlow(target: Target, job: FlowJob, patienceMs = PATIENCE_MS): Promise<JobResult> {
  const layout = layOut(job.pattern);
  const dialer = new Dialer(target);
  const flow = new Flow(job, layout);
  const pacer = new Pacer(() => flow.writeReady());
  const meters = new Meters(target.pid, pacer);
  const { level, hasUsers, isKept } = job;
  const login = (role: 'publisher' | 'subscriber', index: number): Credentials | undefined =>
    hasUsers ? credentialsOf(role, index) : undefined;

  const subscribers = await connectAll(
    dialer,
    layout.subscribers.length,
    (index) => ({
      ...{ level, clientId: `bench-sub-${index}`, cleanStart: !isKept },
      credentials: login('subscriber', index),
    }),
    flow,
  );
  const filterCount = layout.subscribers.reduce((sum, filters) => sum + filters.length, 0);
  if (filterCount >= FILTERS_WEIGHED_MIN) await subscribeOnce(dialer, job, flow);
  const residentBefore = meters.residentBytes();
  for (const [index, filters] of layout.subscribers.entries()) await subscribers[index]?.subscribe(filters, job.qos);
  const residentSubscribed = meters.residentBytes();

  const clients = await connectAll(
    dialer,
    layout.publishers.length,
    (index) => ({ level, clientId: `bench-pub-${index}`, credentials: login('publisher', index) }),
    flow,
  );
  const publishers = clients.map((client, index): Publisher => {
    const ring = new FrameRing({
      ...job,
      retain: false,
      topicNames: layout.publishers[index] ?? [],
      publisher: index,
      framesMin: job.credit * 2,
      isWebSocket: dialer.isWebSocket,
    });
    return { client, ring, deliveries: 0, acked: 0, deliveriesWanted: 0, ackedWanted: 0, isQueued: false };
  });

  flow.start(publishers);
  pacer.start();
  await sleep(job.warmupMs);
  const start = meters.read();
  const deliveriesBefore = flow.deliveries;
  await sleep(job.windowMs);
  const end = meters.read();
  const deliveries = flow.deliveries - deliveriesBefore;
  const residentBytes = meters.residentBytes();

  flow.stop();
  await waitFor(
    () => flow.isSettled(),
    () => flow.progress(),
    patienceMs,
  );
  pacer.stop();
  const counts = flow.counts(layout.isPair);
  if (flow.lostConnection !== undefined) throw flow.lostConnection;
  for (const client of [...subscribers, ...clients]) client.drop();

  const elapsed = between(start, end);
  return {
    figures: {
      deliveriesPerCpuSecond: deliveries / elapsed.brokerSeconds,
      deliveriesPerSecond: deliveries / elapsed.seconds,
      residentMegabytes: residentBytes / 1e6,
      ...(filterCount >= FILTERS_WEIGHED_MIN
        ? { bytesPerFilter: (residentSubscribed - residentBefore) / filterCount }
        : {}),
    },
    counts,
    busy: elapsed.busy,
  };
}
