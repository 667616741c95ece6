/**
 * The event loop's part: copies what is to be kept into a batch and hands that over. Nothing waits for it; when the other side
 * does not keep up, messages are counted and given up.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Hooks } from '../contracts/hooks.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Message, Topic } from '../contracts/message.ts';
import { type Batch, BatchWriter, recordOverhead } from './batch.ts';
import { type HistoryRule, ruleOf } from './rules.ts';

/** What may wait to be written, here and with the worker. */
const waitingMessagesMax = 50_000;
const waitingBytesMax = 16 * 1024 * 1024;
/** A larger message is not kept. */
const payloadBytesMax = 4 * 1024 * 1024;
/** Sizes of a batch: as large as the last one needed. */
const batchBytesMin = 4096;
const batchBytesMax = 262_144;
/** How long a batch is gathered. */
const gatherMs = 100;
/** How often drops are logged. */
const dropLineMs = 60_000;

export interface RecorderParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Wall clock of the engine in ms, cheap to ask. */
  readonly nowMs: () => number;
  /** Hands a batch over; its memory is gone afterwards. */
  readonly send: (batch: Batch) => void;
}

/** A batch handed over: how many of its messages are not written yet. */
interface Sent {
  messages: number;
  /** Monotonic time at which it was handed over. */
  readonly sinceMs: number;
  readonly bytesPerMessage: number;
}

export class Recorder implements Hooks {
  readonly #parts: RecorderParts;
  #rules: readonly HistoryRule[];
  /** Topic of a route → whether it is kept, for messages that come because somebody else watches. */
  #isKept = new WeakMap<Topic, boolean>();
  #batch: BatchWriter | null = null;
  #timer: Timer | null = null;
  #batchBytes = batchBytesMin;
  /** Batches with the worker, the oldest first. */
  readonly #sent: Sent[] = [];
  #waiting = 0;
  #waitingBytes = 0;
  #dropped = 0;
  #droppedTold = 0;
  #dropTimer: Timer | null = null;

  constructor(rules: readonly HistoryRule[], parts: RecorderParts) {
    this.#rules = rules;
    this.#parts = parts;
  }

  /** Messages given up since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Messages that are not written yet, their bytes, and how long the oldest has waited. */
  get waiting(): { readonly messages: number; readonly bytes: number; readonly lagMs: number } {
    const lagMs = this.#parts.clock.monotonicMs() - (this.#sent[0]?.sinceMs ?? this.#parts.clock.monotonicMs());
    return { messages: this.#waiting, bytes: Math.round(this.#waitingBytes), lagMs: Math.round(lagMs) };
  }

  changeRules(rules: readonly HistoryRule[]): void {
    this.#rules = rules;
    this.#isKept = new WeakMap();
  }

  watches(topicName: string): boolean {
    return ruleOf(this.#rules, topicName) >= 0;
  }

  afterPublish(message: Message): void {
    const { topic, payloadStart, payloadEnd } = message;
    let isKept = this.#isKept.get(topic);
    if (isKept === undefined) {
      isKept = this.watches(topic.name);
      this.#isKept.set(topic, isKept);
    }
    if (!isKept) return;
    const length = payloadEnd - payloadStart;
    const bytes = length + recordOverhead;
    const isFull = this.#waiting >= waitingMessagesMax || this.#waitingBytes + bytes > waitingBytesMax;
    if (isFull || length > payloadBytesMax) {
      this.#drop(1);
      return;
    }
    const batch = this.#batchFor(length);
    const { clientId } = message.publisher;
    const { nowMs } = this.#parts;
    batch.add(
      nowMs(),
      topic.name,
      clientId,
      message.qos,
      message.retain,
      message.payloadSource,
      payloadStart,
      payloadEnd,
    );
    this.#waiting++;
    this.#waitingBytes += bytes;
  }

  /** Hands over what is gathered. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const batch = this.#batch;
    this.#batch = null;
    if (batch === null || batch.count === 0) return;
    this.#batchBytes = Math.min(batchBytesMax, Math.max(batchBytesMin, 2 * batch.usedBytes));
    const sinceMs = this.#parts.clock.monotonicMs();
    this.#sent.push({ messages: batch.count, sinceMs, bytesPerMessage: batch.usedBytes / batch.count });
    this.#parts.send(batch.finish());
  }

  /** So many of the messages handed over, the oldest, are written or given up by the worker. */
  done(messages: number): void {
    this.#waiting -= messages;
    for (let left = messages; left > 0; ) {
      const [first] = this.#sent;
      if (first === undefined) break;
      const count = Math.min(left, first.messages);
      first.messages -= count;
      left -= count;
      this.#waitingBytes -= count * first.bytesPerMessage;
      if (first.messages === 0) this.#sent.shift();
    }
    if (this.#waiting === 0) this.#waitingBytes = 0;
  }

  /** The worker is gone, and with it what it had. */
  lost(): void {
    this.#batch = null;
    this.#timer?.cancel();
    this.#timer = null;
    this.#drop(this.#waiting);
    this.#sent.length = 0;
    this.#waiting = 0;
    this.#waitingBytes = 0;
  }

  /** The room for one more message, in a new batch when the present one is full. */
  #batchFor(payloadLength: number): BatchWriter {
    if (this.#batch?.hasRoomFor(payloadLength)) return this.#batch;
    this.flush();
    const batch = new BatchWriter(Math.max(this.#batchBytes, recordOverhead + payloadLength));
    this.#batch = batch;
    this.#timer = this.#parts.clock.after(gatherMs, () => this.flush());
    return batch;
  }

  #drop(messages: number): void {
    this.#dropped += messages;
    if (this.#dropTimer !== null || messages === 0) return;
    this.#tellDrops();
    this.#dropTimer = this.#parts.clock.after(dropLineMs, () => {
      this.#dropTimer = null;
      if (this.#dropped > this.#droppedTold) this.#drop(0);
      this.#tellDrops();
    });
  }

  #tellDrops(): void {
    const count = this.#dropped - this.#droppedTold;
    if (count === 0) return;
    this.#droppedTold = this.#dropped;
    const why = 'larger than 4 MiB, or more than the disk takes';
    this.#parts.logger.log('warning', `Warning: History: messages were not kept (${count}): ${why}.`);
  }

  close(): void {
    this.#timer?.cancel();
    this.#dropTimer?.cancel();
    this.#tellDrops();
  }
}
