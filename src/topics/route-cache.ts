/**
 * Topic Name bytes → everything that was found out about that topic.
 *
 * UTF-8 validation, decoding and the walk through the subscription tree happen once per route, not once per message. The
 * table is eight-way set associative: a new route takes the place of the oldest of eight, so its size is bounded by construction.
 * It begins small and doubles while it is used. From some size on a topic gets a place only when it comes for the second time,
 * so that a scan of ever new topics neither fills the table nor drives out what is used. Correctness never depends on it: a
 * route whose `generation` is not the tree's present one is built again, and a route that left the table has generation −1.
 *
 * With many topics nearly everything that is touched is in no cache of the processor, and each object on the way costs more than
 * the work itself. So hash and name of a set lie in two arrays: a route is looked at only when it is the right one.
 */
import { type Topic, TopicBlocks } from './topic.ts';

const smallestSlots = 256;
const largestSlots = 1 << 18;
const ways = 8;
/** Longer Topic Names are not cached: at most 64 MiB of names in the largest table, twice that with room to grow. */
const cachedNameBytesMax = 255;
/** Routes that get a place when they are first seen. */
const freePlaces = 4096;
/** Bits of the filter that remembers which topics were seen once, and topics after which it forgets: 1 in 70 is mistaken then. */
const seenBits = 1 << 22;
const seenMax = 1 << 18;
const smallestNames = 4096;

/** What Topic Names below `$` the broker keeps for itself; decided once per route. */
export type TopicKind = 'ordinary' | 'sys' | 'share' | 'control';

const noMatches: readonly never[] = [];

/** The fields of every message come first: they lie together. */
export class Route<T> {
  /** Generation of the subscription tree the matches belong to; −1 when the route must not be used again. */
  generation: number;
  /** The first match, which is all there is in most routes. */
  readonly first: T | undefined;
  readonly count: number;
  readonly topic: Topic;
  readonly kind: TopicKind;
  /** Whether somebody watches what is published here; decided once per route. */
  isWatched = false;
  /** Who was last allowed to publish here; compared, never used. */
  writer: object | null = null;
  /** All matches where there are two or more. */
  readonly several: readonly T[];
  /** What the rules said about giving match number `i` a message of this topic, 0 not asked yet; made with the first question. */
  verdicts: number[] | null = null;
  readonly hash: number;

  /** @param matches - copied; `hash` - of the Topic Name, by the tree that was asked */
  constructor(topic: Topic, hash: number, generation: number, matches: readonly T[]) {
    this.generation = generation;
    this.first = matches[0];
    this.count = matches.length;
    this.topic = topic;
    this.kind = topicKind(topic);
    this.several = matches.length > 1 ? [...matches] : noMatches;
    this.hash = hash;
  }

  /** All matches. */
  get matches(): readonly T[] {
    return this.count === 1 ? [this.first as T] : this.several;
  }
}

function topicKind(topic: Topic): TopicKind {
  if (topic.source[topic.start] !== 0x24) return 'ordinary';
  const { name } = topic;
  if (name === '$SYS' || name.startsWith('$SYS/')) return 'sys';
  if (name === '$share' || name.startsWith('$share/')) return 'share';
  if (name === '$CONTROL' || name.startsWith('$CONTROL/')) return 'control';
  return 'ordinary';
}

export class RouteCache<T> {
  #slots: (Route<T> | undefined)[] = emptySlots<T>(smallestSlots);
  /** By slot: hash, and where the name begins in `#names`; 0 there means that the slot is empty. */
  #tags = new Int32Array(2 * smallestSlots);
  /** Names one behind another, each after its length; some belong to routes that have left. */
  #names: Buffer = Buffer.allocUnsafeSlow(smallestNames);
  #namesEnd = 1;
  #used = 0;
  /** Bloom filter of topics seen since it was last emptied, two bits each; made when the table has no free places any more. */
  #seen: Uint32Array | null = null;
  #seenCount = 0;
  /** Where topics are whose routes are not kept, and where those are that have a place. */
  readonly #passing = new TopicBlocks();
  readonly #kept = new TopicBlocks();

  /** The topic of a route that is being made: of a Topic Name that is legal and has none here. */
  newTopic(bytes: Buffer, start: number, end: number): Topic {
    return this.#passing.copy(bytes, start, end);
  }

  /** The cached route of `bytes[start..end)`, stale or not; undefined when there is none. */
  find(bytes: Buffer, start: number, end: number, hash: number): Route<T> | undefined {
    const slot = this.#slotOf(bytes, start, end, hash);
    return slot < 0 ? undefined : this.#slots[slot];
  }

  /** Offers a place to a route. One that does not get it is good for one use. */
  add(route: Route<T>): void {
    const { topic } = route;
    const { source, start, length } = topic;
    if (length > cachedNameBytesMax) {
      route.generation = -1;
      return;
    }
    const slot = this.#slotOf(source, start, start + length, route.hash);
    if (slot >= 0) {
      (this.#slots[slot] as Route<T>).generation = -1;
      this.#slots[slot] = route;
    } else if (this.#used < freePlaces || this.#wasSeen(route.hash)) {
      if (this.#used > (this.#slots.length * 3) / 8 && this.#slots.length < largestSlots) this.#grow();
      this.#kept.take(topic);
      this.#place(route, this.#keepName(topic.source, topic.start, length));
    } else {
      route.generation = -1;
    }
  }

  /** The exact filter equal to the Topic Name `bytes[start..end)` has changed. */
  invalidate(bytes: Buffer, start: number, end: number, hash: number): void {
    const route = this.find(bytes, start, end, hash);
    if (route !== undefined) route.generation = -1;
  }

  /** Forgets every route: something changed that all of them were built with. */
  clear(): void {
    for (const route of this.#slots) if (route !== undefined) route.generation = -1;
    this.#empty(smallestSlots);
    this.#names = Buffer.allocUnsafeSlow(smallestNames);
    this.#namesEnd = 1;
  }

  #empty(slots: number): void {
    this.#slots = emptySlots<T>(slots);
    this.#tags = new Int32Array(2 * slots);
    this.#used = 0;
  }

  /** Where the route of that name sits; −1: nowhere. */
  #slotOf(bytes: Buffer, start: number, end: number, hash: number): number {
    const tags = this.#tags;
    const first = 2 * (hash & (this.#slots.length - ways));
    for (let tag = first; tag < first + 2 * ways; tag += 2) {
      const nameAt = tags[tag + 1] as number;
      if (nameAt === 0) return -1;
      if (tags[tag] === hash && this.#hasName(nameAt, bytes, start, end)) return tag >>> 1;
    }
    return -1;
  }

  #hasName(nameAt: number, bytes: Buffer, start: number, end: number): boolean {
    const names = this.#names;
    const length = end - start;
    if (names[nameAt] !== length) return false;
    for (let index = 0; index < length; index++) {
      if (names[nameAt + 1 + index] !== bytes[start + index]) return false;
    }
    return true;
  }

  /** Puts a route in front of its set; the last of a full one leaves. Sets have no holes. */
  #place(route: Route<T>, nameAt: number): void {
    const slots = this.#slots;
    const tags = this.#tags;
    const first = route.hash & (slots.length - ways);
    const oldest = slots[first + ways - 1];
    if (oldest === undefined) this.#used++;
    else oldest.generation = -1;
    for (let slot = first + ways - 1; slot > first; slot--) slots[slot] = slots[slot - 1];
    for (let tag = 2 * (first + ways) - 1; tag > 2 * first + 1; tag--) tags[tag] = tags[tag - 2] as number;
    slots[first] = route;
    tags[2 * first] = route.hash;
    tags[2 * first + 1] = nameAt;
  }

  /** Where the name is kept from now on. */
  #keepName(bytes: Buffer, start: number, length: number): number {
    if (this.#namesEnd + 1 + length > this.#names.length) this.#moveNames(1 + length);
    const nameAt = this.#namesEnd;
    this.#names[nameAt] = length;
    bytes.copy(this.#names, nameAt + 1, start, start + length);
    this.#namesEnd = nameAt + 1 + length;
    return nameAt;
  }

  /** Leaves the names of routes that are gone behind; room for as much again and `more` bytes. */
  #moveNames(more: number): void {
    const old = this.#names;
    const tags = this.#tags;
    let bytes = 1;
    for (let tag = 1; tag < tags.length; tag += 2) {
      if (tags[tag] !== 0) bytes += 1 + (old[tags[tag] as number] as number);
    }
    const names = Buffer.allocUnsafeSlow(Math.max(smallestNames, 2 * (bytes + more)));
    let at = 1;
    for (let tag = 1; tag < tags.length; tag += 2) {
      const from = tags[tag] as number;
      if (from === 0) continue;
      tags[tag] = at;
      at += old.copy(names, at, from, from + 1 + (old[from] as number));
    }
    this.#names = names;
    this.#namesEnd = at;
  }

  /** Whether a topic of this hash has come before, most likely; it has from now on. */
  #wasSeen(hash: number): boolean {
    this.#seen ??= new Uint32Array(seenBits / 32);
    const seen = this.#seen;
    const one = hash & (seenBits - 1);
    const two = Math.imul(hash, 0x9e37_79b1) >>> 10;
    const oneBit = 1 << (one & 31);
    const twoBit = 1 << (two & 31);
    const wasSeen = ((seen[one >>> 5] as number) & oneBit) !== 0 && ((seen[two >>> 5] as number) & twoBit) !== 0;
    if (wasSeen) return true;
    if (++this.#seenCount > seenMax) {
      seen.fill(0);
      this.#seenCount = 1;
    }
    seen[one >>> 5] = (seen[one >>> 5] as number) | oneBit;
    seen[two >>> 5] = (seen[two >>> 5] as number) | twoBit;
    return false;
  }

  #grow(): void {
    const old = this.#slots;
    const oldTags = this.#tags;
    this.#empty(old.length * 2);
    // Backwards, so that the newer of a set ends up in front again.
    for (let slot = old.length - 1; slot >= 0; slot--) {
      const route = old[slot];
      if (route !== undefined && route.generation >= 0) this.#place(route, oldTags[2 * slot + 1] as number);
    }
  }
}

function emptySlots<T>(count: number): (Route<T> | undefined)[] {
  return new Array<Route<T> | undefined>(count).fill(undefined);
}
