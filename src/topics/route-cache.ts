/**
 * Topic Name bytes → everything that was found out about that topic.
 *
 * UTF-8 validation, decoding and the walk through the subscription tree happen once per route, not once per message. The
 * table is four-way set associative: a new route takes the place of the oldest of four, so its size is bounded by construction.
 * It begins small and doubles while it is used. From some size on a topic gets a place only when it comes for the second time,
 * so that a scan of ever new topics neither fills the table nor drives out what is used. Correctness never depends on it: a
 * route whose `generation` is not the tree's present one is built again, and a route that left the table has generation −1.
 */
const smallestSlots = 256;
const largestSlots = 1 << 18;
const ways = 4;
/** Longer Topic Names are not cached: at most 64 MiB of names in the largest table. */
const cachedNameBytesMax = 256;
/** Routes that get a place when they are first seen. */
const freePlaces = 4096;
/** Bits of the filter that remembers which topics were seen once, and topics after which it forgets: 1 in 70 is mistaken then. */
const seenBits = 1 << 22;
const seenMax = 1 << 18;

/** What Topic Names below `$` the broker keeps for itself; decided once per route. */
export type TopicKind = 'ordinary' | 'sys' | 'share' | 'control';

export class Route<T> {
  readonly topic: { readonly name: string; readonly bytes: Buffer; mark: object | null };
  readonly hash: number;
  readonly kind: TopicKind;
  readonly matches: T[];
  /** What the rules said about giving `matches[i]` a message of this topic, 0 not asked yet; made with the first question. */
  verdicts: number[] | null = null;
  /** Who was last allowed to publish here; compared, never used. */
  writer: object | null = null;
  /** Whether somebody watches what is published here; decided once per route. */
  isWatched = false;
  /** Generation of the subscription tree the matches belong to; −1 when the route must not be used again. */
  generation: number;

  constructor(name: string, bytes: Buffer, hash: number, generation: number, matches: T[]) {
    this.topic = { name, bytes, mark: null };
    this.hash = hash;
    this.kind = topicKind(name);
    this.generation = generation;
    this.matches = matches;
  }
}

function topicKind(name: string): TopicKind {
  if (name.charCodeAt(0) !== 0x24) return 'ordinary';
  if (name === '$SYS' || name.startsWith('$SYS/')) return 'sys';
  if (name === '$share' || name.startsWith('$share/')) return 'share';
  if (name === '$CONTROL' || name.startsWith('$CONTROL/')) return 'control';
  return 'ordinary';
}

/** FNV-1a over four-byte steps; good enough for table slots, never used for anything else. */
export function hashBytes(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start);
  for (let index = start; index < end; index++) {
    hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  }
  return hash >>> 0;
}

/** Whether the route's Topic Name is `bytes[start..end)`. */
export function routeHasName<T>(route: Route<T>, bytes: Buffer, start: number, end: number): boolean {
  const own = route.topic.bytes;
  const length = end - start;
  if (own.length !== length) return false;
  // From the end: names of one publisher mostly differ there.
  for (let index = length - 1; index >= 0; index--) {
    if (own[index] !== bytes[start + index]) return false;
  }
  return true;
}

export class RouteCache<T> {
  #slots: (Route<T> | undefined)[] = emptySlots<T>(smallestSlots);
  #used = 0;
  /** Bloom filter of topics seen since it was last emptied, two bits each; made when the table has more than {@link freePlaces}. */
  #seen: Uint32Array | null = null;
  #seenCount = 0;

  /** The cached route of `bytes[start..end)`, stale or not; undefined when there is none. */
  find(bytes: Buffer, start: number, end: number, hash: number): Route<T> | undefined {
    const slots = this.#slots;
    const first = hash & (slots.length - ways);
    for (let slot = first; slot < first + ways; slot++) {
      const route = slots[slot];
      if (route === undefined) return undefined;
      if (route.hash === hash && routeHasName(route, bytes, start, end)) return route;
    }
    return undefined;
  }

  /** Offers a place to a route. One that is not cached is good for one use. */
  add(route: Route<T>): void {
    if (route.topic.bytes.length > cachedNameBytesMax) {
      route.generation = -1;
      return;
    }
    const slot = this.#slotOf(route);
    if (slot >= 0) {
      (this.#slots[slot] as Route<T>).generation = -1;
      this.#slots[slot] = route;
    } else if (this.#used < freePlaces || this.#wasSeen(route.hash)) {
      if (this.#used > this.#slots.length / 4 && this.#slots.length < largestSlots) this.#grow();
      this.#place(route);
    } else {
      route.generation = -1;
    }
  }

  /** The exact filter equal to this Topic Name has changed. */
  invalidate(topicName: string): void {
    const bytes = Buffer.from(topicName);
    const route = this.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
    if (route !== undefined) route.generation = -1;
  }
  /** Forgets every route: something changed that all of them were built with. */
  clear(): void {
    for (const route of this.#slots) if (route !== undefined) route.generation = -1;
    this.#slots = new Array<Route<T> | undefined>(smallestSlots).fill(undefined);
    this.#used = 0;
  }

  /** Where a route of the same name sits; −1: nowhere. */
  #slotOf(route: Route<T>): number {
    const first = route.hash & (this.#slots.length - ways);
    for (let slot = first; slot < first + ways; slot++) {
      const other = this.#slots[slot];
      if (other === undefined) return -1;
      if (other.hash === route.hash && routeHasName(other, route.topic.bytes, 0, route.topic.bytes.length)) return slot;
    }
    return -1;
  }

  /** Puts a route in front of its set; the last of a full one leaves. Sets have no holes. */
  #place(route: Route<T>): void {
    const slots = this.#slots;
    const first = route.hash & (slots.length - ways);
    const oldest = slots[first + ways - 1];
    if (oldest === undefined) this.#used++;
    else oldest.generation = -1;
    for (let slot = first + ways - 1; slot > first; slot--) slots[slot] = slots[slot - 1];
    slots[first] = route;
  }

  /** Whether a topic of this hash has come before, most likely; it has from now on. */
  #wasSeen(hash: number): boolean {
    this.#seen ??= new Uint32Array(seenBits / 32);
    const seen = this.#seen;
    const one = hash % seenBits;
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
    this.#slots = emptySlots<T>(old.length * 2);
    this.#used = 0;
    // Backwards, so that the newer of a set ends up in front again.
    for (let index = old.length - 1; index >= 0; index--) {
      const route = old[index];
      if (route !== undefined && route.generation >= 0) this.#place(route);
    }
  }
}

function emptySlots<T>(count: number): (Route<T> | undefined)[] {
  return new Array<Route<T> | undefined>(count).fill(undefined);
}
