/**
 * Topic Name bytes → everything that was found out about that topic.
 *
 * UTF-8 validation, decoding and the walk through the subscription tree happen once per route, not once per message. The
 * table is two-way set associative: a new route takes the place of the older of two, so its size is bounded by construction
 * and a million different topics cost nothing but misses. It begins small and doubles while it is used. Correctness never
 * depends on it: a route whose `generation` is not the tree's present one is built again, and a route that left the table
 * has generation −1.
 */
const smallestSlots = 256;
const largestSlots = 1 << 17;
/** Longer Topic Names are not cached: at most 32 MiB of names in the largest table. */
const cachedNameBytesMax = 256;

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
  #slots: (Route<T> | undefined)[] = new Array<Route<T> | undefined>(smallestSlots).fill(undefined);
  #used = 0;

  /** The cached route of `bytes[start..end)`, stale or not; undefined when there is none. */
  find(bytes: Buffer, start: number, end: number, hash: number): Route<T> | undefined {
    const slot = hash & (this.#slots.length - 2);
    const first = this.#slots[slot];
    if (first !== undefined && first.hash === hash && routeHasName(first, bytes, start, end)) return first;
    const second = this.#slots[slot + 1];
    if (second !== undefined && second.hash === hash && routeHasName(second, bytes, start, end)) return second;
    return undefined;
  }

  /** Puts a route into its set; the older of the two there makes room. A route that is not cached is good for one use. */
  add(route: Route<T>): void {
    if (route.topic.bytes.length > cachedNameBytesMax) {
      route.generation = -1;
      return;
    }
    if (this.#used > this.#slots.length * 0.75 && this.#slots.length < largestSlots) this.#grow();
    this.#place(route);
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

  #place(route: Route<T>): void {
    const slot = route.hash & (this.#slots.length - 2);
    const first = this.#slots[slot];
    if (first === undefined) {
      this.#used++;
    } else if (first.hash !== route.hash || !routeHasName(first, route.topic.bytes, 0, route.topic.bytes.length)) {
      const second = this.#slots[slot + 1];
      if (second === undefined) this.#used++;
      else second.generation = -1;
      this.#slots[slot + 1] = first;
    } else {
      first.generation = -1;
    }
    this.#slots[slot] = route;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Array<Route<T> | undefined>(old.length * 2).fill(undefined);
    this.#used = 0;
    // Backwards, so that the newer of a set ends up in front again.
    for (let index = old.length - 1; index >= 0; index--) {
      const route = old[index];
      if (route !== undefined && route.generation >= 0) this.#place(route);
    }
  }
}
