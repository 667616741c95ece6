/**
 * Messages that the broker keeps for later: retained ones, and those queued for a Session that is away.
 *
 * Both are stored with QoS 1 by several publishers and read back by one client, while a probe (a message every 5 ms
 * between two other clients) shows what everybody else feels meanwhile.
 */
import type { JobResult, OfflineJob, RetainedJob, Target } from '../job.ts';
import { type ClientEvents, GeneratorClient } from './client.ts';
import { between, connectAll, Meters, sleep, waitFor } from './crew.ts';
import { Dialer } from './dialer.ts';
import { FrameRing } from './frame-ring.ts';
import { Probe } from './probe.ts';
import { OnceTally } from './tally.ts';

const PUBLISHERS = 4;
const ACK_WINDOW = 100;
const PATIENCE_MS = 5000;
/** Messages that each publisher sends first to nobody, so that code and buffers needed once are not charged to the many. */
const WARMUP_MESSAGES = 500;

export async function runRetained(target: Target, job: RetainedJob): Promise<JobResult> {
  return new Storage(target, job, true).run();
}

export async function runOffline(target: Target, job: OfflineJob): Promise<JobResult> {
  return new Storage(target, job, false).run();
}

class Storage implements ClientEvents {
  readonly #job: RetainedJob | OfflineJob;
  readonly #isRetained: boolean;
  readonly #target: Target;
  readonly #dialer: Dialer;
  readonly #meters: Meters;
  readonly #tally: OnceTally;
  #senders: { client: GeneratorClient; ring: FrameRing; acked: number; total: number }[] = [];
  #reader: GeneratorClient | undefined;
  #readStartMs = 0;
  #firstMs = 0;
  #received = 0;
  #acked = 0;
  #ackFaults = 0;
  #lost: string | undefined;

  constructor(target: Target, job: RetainedJob | OfflineJob, isRetained: boolean) {
    this.#job = job;
    this.#isRetained = isRetained;
    this.#target = target;
    this.#dialer = new Dialer(target);
    this.#meters = new Meters(target.pid);
    this.#tally = new OnceTally(PUBLISHERS, Math.ceil(job.messages / PUBLISHERS));
  }

  async run(): Promise<JobResult> {
    const { level, messages } = this.#job;
    const readerOptions = { level, clientId: 'bench-reader', cleanStart: this.#isRetained };
    if (!this.#isRetained) {
      const away = await GeneratorClient.connect(this.#dialer, readerOptions, this);
      await away.subscribe(['bench/stored/#'], 1);
      await away.close();
    }
    await this.#warmUp();
    const residentBefore = this.#meters.residentBytes();
    const storing = this.#meters.read();
    await this.#store();
    const stored = between(storing, this.#meters.read());
    await sleep(500);
    const residentBytes = this.#meters.residentBytes();

    const probe = await Probe.start(this.#target, level);
    const reading = this.#meters.read();
    this.#readStartMs = performance.now();
    const reader = await GeneratorClient.connect(this.#dialer, readerOptions, this);
    this.#reader = reader;
    if (this.#isRetained) await reader.subscribe(['bench/stored/#'], 0);
    else if (!reader.sessionPresent) throw new Error('the broker forgot the Session');
    await waitFor(
      () => this.#received >= messages || this.#lost !== undefined,
      () => this.#received,
      PATIENCE_MS,
    );
    const read = between(reading, this.#meters.read());
    const probed = await probe.stop();
    if (this.#lost !== undefined) throw new Error(this.#lost);

    const counts = this.#tally.counts(this.#senders.map(({ ring }) => ring.sequence));
    for (const { client } of this.#senders) client.drop();
    reader.drop();
    return {
      figures: {
        storedPerCpuSecond: messages / stored.brokerSeconds,
        readPerCpuSecond: this.#received / read.brokerSeconds,
        readPerSecond: this.#received / read.seconds,
        firstMessageMs: this.#firstMs - this.#readStartMs,
        bytesPerMessage: (residentBytes - residentBefore) / messages,
        othersP99Ms: probed.p99Ms,
        othersMaxMs: probed.maxMs,
      },
      counts: {
        sent: messages,
        delivered: counts.received - counts.duplicated,
        lost: counts.lost,
        duplicated: counts.duplicated,
        reordered: 0,
        ackFaults: this.#ackFaults,
      },
      busy: read.busy,
    };
  }

  async #warmUp(): Promise<void> {
    const { level, payloadBytes } = this.#job;
    let acked = 0;
    const events: ClientEvents = {
      onMessage: () => undefined,
      onDone: () => {
        acked++;
      },
      onLost: (_client, error) => {
        this.#lost = error?.message ?? 'the broker closed a connection';
      },
    };
    const clients = await connectAll(
      this.#dialer,
      PUBLISHERS,
      (index) => ({ level, clientId: `bench-warm-${index}` }),
      events,
    );
    for (const [publisher, client] of clients.entries()) {
      const ring = new FrameRing({
        ...{ level, qos: 1, retain: false, topicNames: ['bench/warm'], payloadBytes, publisher },
        ...{ framesMin: ACK_WINDOW * 2, isWebSocket: this.#dialer.isWebSocket },
      });
      while (ring.sequence < WARMUP_MESSAGES) {
        client.sendFrames(ring.take(Math.min(ACK_WINDOW, WARMUP_MESSAGES - ring.sequence)));
        const sent = publisher * WARMUP_MESSAGES + ring.sequence;
        await waitFor(
          () => acked >= sent || this.#lost !== undefined,
          () => acked,
          PATIENCE_MS,
        );
      }
      client.drop();
    }
    await sleep(500);
  }

  /** Publishes everything and waits for every PUBACK. */
  async #store(): Promise<void> {
    const { level, messages, payloadBytes } = this.#job;
    const clients = await connectAll(
      this.#dialer,
      PUBLISHERS,
      (index) => ({ level, clientId: `bench-pub-${index}` }),
      this,
    );
    this.#senders = clients.map((client, publisher) => {
      const total = Math.floor((messages + publisher) / PUBLISHERS);
      const topics = this.#isRetained ? total : 1;
      const topicNames = Array.from(
        { length: topics },
        (_, i) => `bench/stored/p${publisher}/device${String(i).padStart(6, '0')}`,
      );
      const ring = new FrameRing({
        level,
        qos: 1,
        retain: this.#isRetained,
        topicNames,
        payloadBytes,
        publisher,
        framesMin: ACK_WINDOW * 2,
        isWebSocket: this.#dialer.isWebSocket,
      });
      return { client, ring, acked: 0, total };
    });
    for (const index of this.#senders.keys()) this.#sendMore(index);
    const isStored = await waitFor(
      () => this.#acked >= messages || this.#lost !== undefined,
      () => this.#acked,
      PATIENCE_MS,
    );
    if (this.#lost !== undefined) throw new Error(this.#lost);
    if (!isStored) throw new Error(`only ${this.#acked} of ${messages} messages were acknowledged`);
  }

  #sendMore(index: number): void {
    const sender = this.#senders[index];
    if (sender === undefined) return;
    const { ring, client, acked, total } = sender;
    let room = Math.min(total - ring.sequence, ACK_WINDOW - (ring.sequence - acked));
    while (room > 0) {
      const before = ring.sequence;
      client.sendFrames(ring.take(room));
      room -= ring.sequence - before;
    }
  }

  onMessage(_client: GeneratorClient, bytes: Uint8Array, payload: number, _end: number): void {
    if (this.#received === 0) this.#firstMs = performance.now();
    this.#received++;
    const view = new DataView(bytes.buffer, bytes.byteOffset + payload);
    this.#tally.note(0, view.getUint32(0, true), view.getUint32(4, true));
  }

  onDone(client: GeneratorClient, _packetId: number, reasonCode: number): void {
    const sender = this.#senders[client.index];
    if (sender === undefined) return;
    sender.acked++;
    this.#acked++;
    if (reasonCode >= 0x80) this.#ackFaults++;
    // Half a window at a time: a write per ack would measure the generator.
    if (sender.ring.sequence - sender.acked <= ACK_WINDOW / 2) this.#sendMore(client.index);
  }

  onLost(client: GeneratorClient, error: Error | undefined): void {
    this.#lost ??= `the broker closed ${client === this.#reader ? 'the reader' : client.clientId}: ${error?.message ?? ''}`;
  }
}
