/**
 * What was last seen on every topic: value, count, rate, and the last numbers.
 *
 * It watches the engine and is made only where somebody can look at it. A message finds its record through the `mark` of its topic,
 * which the route cache keeps: no look-up, no work with text. Its memory has a budget, counted by estimate; above it, topics that
 * were quiet the longest are forgotten (those met first when they were, by second chance: nothing is moved per message).
 */
import { isUtf8 } from 'node:buffer';
import type { Message, Publisher, Topic } from '../contracts/message.ts';
import { firstNumber } from './first-number.ts';
import { NumberRings, ringBytes } from './number-rings.ts';
import { headBytesMax, PayloadHeads } from './payload-heads.ts';

/** Payload bytes of the last message that are kept for every topic. */
export const previewBytes = headBytesMax;
/** Largest payload that is kept whole for topics somebody looks at. */
export const wholeBytesMax = 1024 * 1024;

/** A number is taken twice a second at most. */
const sampleMs = 500;
/** How fast the rate follows: about this long for two thirds of a change. */
const rateMs = 10_000;
/** What a record, a node and a node's list of children take, without texts and ring. Measured. */
const recordBytes = 310;
const nodeBytes = 120;
const childrenBytes = 200;
/** Records that are passed over because they were used again, for one that is forgotten. */
const secondChances = 64;

/** A node of the tree of topics seen. */
export class TopicNode {
  readonly level: string;
  readonly parent: TopicNode | null;
  /** Level → node. */
  children: Map<string, TopicNode> | null = null;
  record: TopicRecord | null = null;
  /** Topics at and below this node. */
  topics = 0;

  constructor(level: string, parent: TopicNode | null) {
    this.level = level;
    this.parent = parent;
  }
}

/** One topic. */
export class TopicRecord {
  readonly name: string;
  readonly node: TopicNode;
  count = 0;
  /** Wall clock of the last message. */
  lastMs = 0;
  sizeBytes = 0;
  qos: 0 | 1 | 2 = 0;
  /** Who published it; null before the first. */
  publisher: Publisher | null = null;
  /** Where the first {@link previewBytes} bytes of the last payload are; −1: nowhere. */
  head = -1;
  /** The last message as a whole, where somebody asked for it. */
  whole: Message | null = null;
  /** How many look at it, so that `whole` is kept. */
  watchers = 0;
  /** Its ring of numbers; −1: none. */
  ring = -1;
  isGone = false;
  /** Who takes the messages of this topic, as of `tapsGeneration`. */
  taps: readonly Tap[] = noTaps;
  tapsGeneration = -1;
  rate = 0;
  rateCount = 0;
  ratedMs = 0;
  sampledMs = 0;
  /** When the rate is followed or a number is taken next; until then a message costs only what every message must. */
  dueMs = 0;
  bytes = 0;
  /** When it got its place in the order of forgetting. */
  placedMs = 0;
  older: TopicRecord | null = null;
  newer: TopicRecord | null = null;

  constructor(name: string, node: TopicNode) {
    this.name = name;
    this.node = node;
  }
}

/** Somebody who is given every message of the topics it wants, while it happens. */
export interface Tap {
  wants(topicName: string): boolean;
  /** The message is valid during the call only unless it is kept. */
  take(message: Message): void;
}

const noTaps: readonly Tap[] = [];

/** Somebody who is told which topics are known from now on and which are forgotten. */
export interface IndexWatcher {
  entered(record: TopicRecord): void;
  forgotten(record: TopicRecord): void;
}

export class TopicIndex {
  /** Null: nobody watches. */
  watcher: IndexWatcher | null = null;
  readonly root = new TopicNode('', null);
  readonly rings = new NumberRings();
  readonly #heads = new PayloadHeads();
  /** Topic Name → record: topics whose route is not cached are found by it. */
  readonly #records = new Map<string, TopicRecord>();
  readonly #nowMs: () => number;
  #bytesMax: number;
  #bytes = 0;
  #evicted = 0;
  #oldest: TopicRecord | null = null;
  #newest: TopicRecord | null = null;
  readonly #taps: Tap[] = [];
  #tapsGeneration = 0;

  /**
   * @param bytesMax - budget
   * @param nowMs - wall clock, cheap to ask
   */
  constructor(bytesMax: number, nowMs: () => number) {
    this.#bytesMax = bytesMax;
    this.#nowMs = nowMs;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  set bytesMax(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#makeRoom();
  }

  /** By estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Topics it knows. */
  get count(): number {
    return this.#records.size;
  }

  /** Topics forgotten because of the budget. */
  get evicted(): number {
    return this.#evicted;
  }

  /** For the engine: a message was accepted. */
  afterPublish(message: Message): void {
    let record = (message.topic.mark ?? null) as TopicRecord | null; // nobody else writes there
    if (record === null || record.isGone) {
      const entered = this.#enter(message.topic);
      if (entered === null) return;
      record = entered;
    }
    const nowMs = this.#nowMs();
    const { payloadSource, payloadStart, payloadEnd } = message;
    const size = payloadEnd - payloadStart;
    record.count++;
    record.lastMs = nowMs;
    record.qos = message.qos;
    record.publisher = message.publisher;
    record.sizeBytes = size;
    const length = size > previewBytes ? previewBytes : size;
    const head = this.#heads.put(record.head, payloadSource, payloadStart, length);
    if (head !== record.head) this.#moveHead(record, head);
    if (nowMs >= record.dueMs) this.#due(record, message, nowMs);
    if (record.watchers > 0) record.whole = size <= wholeBytesMax ? message.keep() : null;
    if (this.#taps.length === 0) return;
    if (record.tapsGeneration !== this.#tapsGeneration) this.#findTaps(record);
    for (const tap of record.taps) tap.take(message);
  }

  /** The record of a Topic Name. */
  find(name: string): TopicRecord | undefined {
    return this.#records.get(name);
  }

  /** The node at a path; undefined when nothing was seen there. */
  node(path: string): TopicNode | undefined {
    let node: TopicNode | undefined = this.root;
    for (const level of path.split('/')) {
      node = node.children?.get(level);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** Every record, found while somebody asks for them: the walk may pause, and records may come and go meanwhile. */
  records(): IterableIterator<TopicRecord> {
    return this.#records.values();
  }

  /** The numbers of a record's ring that were added after the first `from`. */
  numbers(record: TopicRecord, from = 0): number[] {
    return record.ring < 0 ? [] : this.rings.valuesFrom(record.ring, from);
  }

  /** The first {@link previewBytes} bytes of the last payload, one character each. */
  preview({ head, sizeBytes }: TopicRecord): string {
    return head < 0 ? '' : this.#heads.text(head, Math.min(sizeBytes, previewBytes));
  }

  /** The beginning of the last payload as text, as far as it is kept; null when its bytes are no UTF-8 text. */
  previewText(record: TopicRecord): string | null {
    const { head, sizeBytes } = record;
    return head < 0 ? '' : textOf(this.#heads.view(head, Math.min(sizeBytes, previewBytes)), sizeBytes > previewBytes);
  }

  /** Somebody looks at the whole last message from now on. */
  watch(record: TopicRecord): void {
    record.watchers++;
  }

  unwatch(record: TopicRecord): void {
    if (--record.watchers === 0) record.whole = null;
  }

  addTap(tap: Tap): void {
    this.#taps.push(tap);
    this.#tapsGeneration++;
  }

  removeTap(tap: Tap): void {
    const index = this.#taps.indexOf(tap);
    if (index < 0) return;
    this.#taps.splice(index, 1);
    this.#tapsGeneration++;
  }

  #findTaps(record: TopicRecord): void {
    const taps = this.#taps.filter((tap) => tap.wants(record.name));
    record.taps = taps.length === 0 ? noTaps : taps;
    record.tapsGeneration = this.#tapsGeneration;
  }

  #moveHead(record: TopicRecord, head: number): void {
    const grown = PayloadHeads.bytesOf(head) - PayloadHeads.bytesOf(record.head);
    record.head = head;
    this.#account(record, grown);
  }

  #due(record: TopicRecord, message: Message, nowMs: number): void {
    rateOf(record, nowMs);
    if (nowMs - record.sampledMs >= sampleMs) this.#sample(record, message, nowMs);
    record.dueMs = Math.min(record.ratedMs + 1000, record.sampledMs + sampleMs);
  }

  #sample(record: TopicRecord, { payloadSource, payloadStart, payloadEnd }: Message, nowMs: number): void {
    const value = firstNumber(payloadSource, payloadStart, payloadEnd);
    record.sampledMs = nowMs;
    if (!Number.isFinite(value)) return;
    if (record.ring < 0) {
      record.ring = this.rings.take();
      this.#account(record, ringBytes);
    }
    this.rings.add(record.ring, value);
  }

  /** @returns null for topics that are nobody's business */
  #enter(topic: Topic): TopicRecord | null {
    const { name } = topic;
    // Requests and answers of the control interface may hold passwords.
    if (name.startsWith('$CONTROL/')) return null;
    const known = this.find(name);
    if (known !== undefined) {
      topic.mark = known;
      return known;
    }
    let node = this.root;
    let bytes = recordBytes + 2 * name.length;
    for (const level of name.split('/')) {
      if (node.children === null) {
        node.children = new Map();
        bytes += childrenBytes;
      }
      let next = node.children.get(level);
      if (next === undefined) {
        bytes += nodeBytes;
        next = new TopicNode(level, node);
        node.children.set(level, next);
      }
      node = next;
    }
    const record = new TopicRecord(name, node);
    node.record = record;
    this.#records.set(name, record);
    for (let above: TopicNode | null = node; above !== null; above = above.parent) above.topics++;
    record.placedMs = record.ratedMs = this.#nowMs();
    this.#append(record);
    topic.mark = record;
    this.watcher?.entered(record);
    this.#account(record, bytes);
    return record;
  }

  #account(record: TopicRecord, bytes: number): void {
    record.bytes += bytes;
    this.#bytes += bytes;
    if (this.#bytes > this.#bytesMax) this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#bytes > this.#bytesMax && this.#oldest !== null && this.#records.size > 1) {
      let record: TopicRecord = this.#oldest;
      for (
        let chance = 0;
        chance < secondChances && record.lastMs > record.placedMs && record.newer !== null;
        chance++
      ) {
        const { newer } = record;
        this.#take(record);
        record.placedMs = record.lastMs;
        this.#append(record);
        record = newer;
      }
      this.#forget(record);
    }
  }

  #forget(record: TopicRecord): void {
    this.#take(record);
    record.isGone = true;
    this.#records.delete(record.name);
    record.whole = null;
    if (record.ring >= 0) this.rings.giveBack(record.ring);
    record.ring = -1;
    this.#heads.giveBack(record.head);
    record.head = -1;
    this.#bytes -= record.bytes;
    record.bytes = 0;
    this.#evicted++;
    this.watcher?.forgotten(record);
    let node: TopicNode | null = record.node;
    node.record = null;
    for (let above: TopicNode | null = node; above !== null; above = above.parent) above.topics--;
    while (node !== null && node.parent !== null && node.record === null && node.children === null) {
      const { parent }: TopicNode = node;
      parent.children?.delete(node.level);
      if (parent.children?.size === 0) parent.children = null;
      node = parent;
    }
  }

  #append(record: TopicRecord): void {
    record.older = this.#newest;
    record.newer = null;
    if (this.#newest === null) this.#oldest = record;
    else this.#newest.newer = record;
    this.#newest = record;
  }

  #take(record: TopicRecord): void {
    const { older, newer } = record;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    record.older = record.newer = null;
  }
}

/** Messages per second, averaged so that the last ten seconds count most; brings it up to date. */
export function rateOf(record: TopicRecord, nowMs: number): number {
  const passedMs = nowMs - record.ratedMs;
  if (passedMs < 1000) return record.rate;
  const present = ((record.count - record.rateCount) * 1000) / passedMs;
  record.rate += (1 - Math.exp(-passedMs / rateMs)) * (present - record.rate);
  if (record.rate < 0.001) record.rate = 0;
  record.ratedMs = nowMs;
  record.rateCount = record.count;
  return record.rate;
}

/** UTF-8 text without NUL; null when the bytes are none. @param isCut - the last character may be only half there, and is left out */
export function textOf(bytes: Buffer, isCut: boolean): string | null {
  if (bytes.includes(0)) return null;
  for (let cut = 0; cut <= (isCut ? 3 : 0) && cut <= bytes.length; cut++) {
    const whole = cut === 0 ? bytes : bytes.subarray(0, bytes.length - cut);
    if (isUtf8(whole)) return whole.toString();
  }
  return null;
}
