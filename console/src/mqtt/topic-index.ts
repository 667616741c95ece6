/**
 * Topics of another broker, as far as they were heard: last message, count, rate and numbers for a sparkline. Bounded by
 * topics and by bytes of payload; the topic that was silent longest goes first.
 */

import type { ShownMessage, TopicRow } from '../api/types.ts';

export const topicsMax = 20_000;
export const bytesMax = 32 * 1024 * 1024;
const ringMax = 60;
const previewMax = 256;
/** Weight of the newest second in the rate. */
const rateWeight = 0.3;

export interface Entry {
  readonly topic: string;
  message: ShownMessage;
  count: number;
  /** Messages in the second that runs. */
  pending: number;
  ratePerSecond: number;
  ring: number[];
  /** Moves with each message; tells a view what it has not sent. */
  change: number;
}

export interface Node {
  readonly topic: string;
  readonly level: string;
  readonly depth: number;
  readonly parent: Node | undefined;
  readonly children: Map<string, Node>;
  entry: Entry | undefined;
  topicsBelow: number;
}

const bytesOf = (message: ShownMessage): number =>
  'text' in message.payload ? message.payload.text.length * 2 : message.payload.base64.length;

export class TopicIndex {
  readonly root: Node = node('', '', -1, undefined);
  /** Oldest first: a topic that speaks moves to the end. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #change = 0;
  evicted = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Moves with each message. */
  get change(): number {
    return this.#change;
  }

  get(topic: string): Entry | undefined {
    return this.#entries.get(topic);
  }

  add(message: ShownMessage): void {
    this.#change += 1;
    const known = this.#entries.get(message.topic);
    this.#bytes += bytesOf(message) - (known === undefined ? 0 : bytesOf(known.message));
    const entry: Entry = known ?? {
      ...{ topic: message.topic, message, count: 0, pending: 0, ratePerSecond: 0, ring: [], change: 0 },
    };
    if (known === undefined) this.#place(entry);
    this.#entries.delete(message.topic);
    this.#entries.set(message.topic, entry);
    entry.message = message;
    entry.count += 1;
    entry.pending += 1;
    entry.change = this.#change;
    const number = numberOf(message);
    if (number !== undefined) {
      entry.ring.push(number);
      if (entry.ring.length > ringMax) entry.ring.shift();
    }
    this.#makeRoom();
  }

  /** Once a second. */
  tick(): void {
    for (const entry of this.#entries.values()) {
      if (entry.pending === 0 && entry.ratePerSecond === 0) continue;
      const rate = entry.ratePerSecond + rateWeight * (entry.pending - entry.ratePerSecond);
      entry.ratePerSecond = rate < 0.005 ? 0 : rate;
      entry.pending = 0;
    }
  }

  #place(entry: Entry): void {
    let at = this.root;
    let end = -1;
    for (const level of entry.topic.split('/')) {
      end = end === -1 ? level.length : end + 1 + level.length;
      let next = at.children.get(level);
      if (next === undefined) {
        next = node(entry.topic.slice(0, end), level, at.depth + 1, at);
        at.children.set(level, next);
      }
      at = next;
    }
    at.entry = entry;
    for (let above = at.parent; above !== undefined; above = above.parent) above.topicsBelow += 1;
  }

  #makeRoom(): void {
    while (this.#entries.size > topicsMax || (this.#bytes > bytesMax && this.#entries.size > 1)) {
      const [oldest] = this.#entries.values();
      if (oldest === undefined) return;
      this.#entries.delete(oldest.topic);
      this.#bytes -= bytesOf(oldest.message);
      this.evicted += 1;
      this.#unplace(oldest.topic);
    }
  }

  #unplace(topic: string): void {
    let at: Node | undefined = this.root;
    for (const level of topic.split('/')) at = at?.children.get(level);
    if (at === undefined) return;
    at.entry = undefined;
    for (let above = at.parent; above !== undefined; above = above.parent) above.topicsBelow -= 1;
    while (at.parent !== undefined && at.entry === undefined && at.children.size === 0) {
      at.parent.children.delete(at.level);
      at = at.parent;
    }
  }
}

function node(topic: string, level: string, depth: number, parent: Node | undefined): Node {
  return { topic, level, depth, parent, children: new Map(), entry: undefined, topicsBelow: 0 };
}

function numberOf(message: ShownMessage): number | undefined {
  if (!('text' in message.payload) || message.payload.text.length > 32) return undefined;
  const text = message.payload.text.trim();
  return /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

export function rowOf(place: Node, isExpanded: boolean): TopicRow {
  const { entry } = place;
  const message = entry?.message;
  const row = {
    topic: place.topic,
    level: place.level,
    depth: place.depth,
    children: place.children.size,
    topicsBelow: place.topicsBelow,
    hasMoreBelow: false,
    isExpanded,
    hasValue: message !== undefined,
    value: message !== undefined && 'text' in message.payload ? message.payload.text.slice(0, previewMax) : null,
    sizeBytes: message?.sizeBytes ?? 0,
    isRetained: message?.isRetained ?? false,
    count: entry?.count ?? 0,
    ratePerSecond: entry?.ratePerSecond ?? 0,
    lastMs: message?.atMs ?? null,
  };
  return entry === undefined || entry.ring.length === 0 ? row : { ...row, ring: [...entry.ring] };
}
