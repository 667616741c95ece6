/**
 * Filters → subscribers.
 *
 * Filters without a wildcard, the great majority, are found by their bytes as a whole; the others level by level, in a trie whose edges
 * lie in one table. Topic Names are matched as bytes, without making a string or anything else. A holder of a single value stores it
 * bare, an array comes only with the second. `generation` moves with every change of a wildcard filter; a change of an exact filter
 * concerns the Topic Name equal to it and nothing else, and is announced to `onExactChange`. Together they tell a cache of matches
 * what is stale.
 *
 * A filter that somebody subscribes to has a number: of an exact one that in its table; −1 − 2n of the one that ends at node n of the
 * trie, −2 − 2n of the one that goes on with `#` there.
 */
import { ByteTable } from './byte-table.ts';
import { hasWildcard } from './topic-filter.ts';

type Held<T> = T | T[] | undefined;

const slash = 0x2f;
const plusSign = 0x2b;
const hashSign = 0x23;
const dollar = 0x24;
const nobody: readonly never[] = [];
const blockBits = 10;
const blockMask = (1 << blockBits) - 1;

function withValue<T>(held: Held<T>, value: T): Held<T> {
  if (held === undefined) return value;
  if (Array.isArray(held)) {
    held.push(value);
    return held;
  }
  return [held, value];
}

function withoutValue<T>(held: Held<T>, value: T): Held<T> {
  if (!Array.isArray(held)) return held === value ? undefined : held;
  const index = held.indexOf(value);
  if (index >= 0) held.splice(index, 1);
  return held.length === 1 ? held[0] : held;
}

function collect<T>(held: Held<T>, into: T[]): void {
  if (held === undefined) return;
  if (Array.isArray(held)) {
    for (const value of held) into.push(value);
  } else {
    into.push(held);
  }
}

/** @typeParam T - a subscriber; an object, never an array */
export class SubscriptionTree<T extends object> {
  readonly #onExactChange: (topicName: Buffer, hash: number) => void;
  readonly #exact: ByteTable;
  /** By number of an exact filter: its values; in blocks, for a long array that grows leaves twice of itself behind. */
  #exactHeld: Held<T>[][] = [];
  /** (node, level) → the node below, less one. Node 0 is the root. */
  readonly #edges: ByteTable;
  /** By node: the node below for `+`, 0 when there is none; nodes below in all. */
  #nodes = new Int32Array(16);
  /** By node: values of the filter that ends here, and of the one that goes on with `#` below here. */
  #held: Held<T>[] = [undefined, undefined];
  #generation = 1;
  readonly #found: T[] = [];

  /**
   * @param onExactChange - called with the filter and its hash after a change of a filter without wildcards
   * @param seed - of the hashes, unknown to whoever subscribes
   */
  constructor(onExactChange: (topicName: Buffer, hash: number) => void = () => {}, seed = 0) {
    this.#onExactChange = onExactChange;
    this.#exact = new ByteTable(seed);
    this.#edges = new ByteTable(seed);
  }

  /** Moves with every change of a filter that has a wildcard, and with {@link invalidate}. */
  get generation(): number {
    return this.#generation;
  }

  /** Makes everything stale that was found so far, though nothing was added or removed. */
  invalidate(): void {
    this.#generation++;
  }

  /** Whether nobody subscribes to anything; empty nodes never stay. */
  get isEmpty(): boolean {
    return this.#exact.count === 0 && this.#edges.count === 0 && this.#held[1] === undefined;
  }

  /**
   * @param filter - a legal Topic Filter without `$share`; the same pair is never added twice
   * @returns the filter's number, valid while anybody subscribes to it
   */
  add(filter: string, value: T): number {
    const bytes = Buffer.from(filter);
    if (!hasWildcard(filter)) {
      const hashed = this.#exact.hash(0, bytes, 0, bytes.length);
      let number = this.#exact.find(0, bytes, 0, bytes.length, hashed);
      if (number < 0) number = this.#exact.add(0, bytes, 0, bytes.length, hashed);
      const block = (this.#exactHeld[number >>> blockBits] ??= []);
      block[number & blockMask] = withValue(block[number & blockMask], value);
      this.#onExactChange(bytes, hashed);
      return number;
    }
    let node = 0;
    let at = 0;
    let place = 0;
    for (;;) {
      const end = levelEnd(bytes, at, bytes.length);
      if (end - at === 1 && bytes[at] === hashSign) {
        place = 2 * node + 1;
        break;
      }
      node = this.#child(node, bytes, at, end);
      if (end === bytes.length) {
        place = 2 * node;
        break;
      }
      at = end + 1;
    }
    this.#held[place] = withValue(this.#held[place], value);
    this.#generation++;
    return -1 - place;
  }

  /** Takes the pair out and with it the nodes that nobody needs any more. */
  remove(number: number, value: T): void {
    if (number >= 0) {
      const filter = Buffer.from(this.#exact.text(number));
      const block = this.#exactHeld[number >>> blockBits] as Held<T>[];
      const left = withoutValue(block[number & blockMask], value);
      block[number & blockMask] = left;
      if (left === undefined) this.#exact.remove(number);
      if (this.#exact.count === 0) this.#exactHeld = [];
      this.#onExactChange(filter, this.#exact.hash(0, filter, 0, filter.length));
      return;
    }
    const place = -1 - number;
    this.#held[place] = withoutValue(this.#held[place], value);
    this.#prune(place >> 1);
    this.#generation++;
  }

  /** The number of a filter; undefined when nobody subscribes to it. */
  numberOf(filter: string): number | undefined {
    const bytes = Buffer.from(filter);
    if (!hasWildcard(filter)) {
      const number = this.#exact.find(0, bytes, 0, bytes.length, this.#exact.hash(0, bytes, 0, bytes.length));
      return number < 0 ? undefined : number;
    }
    let node = 0;
    for (let at = 0; ; ) {
      const end = levelEnd(bytes, at, bytes.length);
      if (end - at === 1 && bytes[at] === hashSign)
        return this.#held[2 * node + 1] === undefined ? undefined : -2 - 2 * node;
      node = this.#edges.find(node, bytes, at, end, this.#edges.hash(node, bytes, at, end)) + 1;
      if (node === 0) return undefined;
      if (end === bytes.length) return this.#held[2 * node] === undefined ? undefined : -1 - 2 * node;
      at = end + 1;
    }
  }

  /** The filter that has this number. */
  filterOf(number: number): string {
    if (number >= 0) return this.#exact.text(number);
    const place = -1 - number;
    const path = this.#path(place >> 1);
    return (place & 1) === 0 ? path : place === 1 ? '#' : `${path}/#`;
  }

  /** The values of the filter that has this number. */
  valuesOf(number: number): readonly T[] {
    const held = number >= 0 ? this.#exactHeldOf(number) : this.#held[-1 - number];
    return held === undefined ? nobody : Array.isArray(held) ? held : [held];
  }

  #exactHeldOf(number: number): Held<T> {
    return (this.#exactHeld[number >>> blockBits] as Held<T>[])[number & blockMask];
  }

  /** The hash of a Topic Name for {@link match}. */
  hash(bytes: Buffer, start: number, end: number): number {
    return this.#exact.hash(0, bytes, start, end);
  }

  /**
   * Every value whose filter matches the Topic Name `bytes[start..end)`; a value with several matching filters comes several times.
   *
   * @param hashed - its {@link hash}
   * @returns an array that the next call uses again
   */
  match(bytes: Buffer, start: number, end: number, hashed: number): readonly T[] {
    const found = this.#found;
    found.length = 0;
    const exact = this.#exact.find(0, bytes, start, end, hashed);
    if (exact >= 0) collect(this.#exactHeldOf(exact), found);
    // Wildcards at the first level do not see names that begin with $. [MQTT-4.7.2-1]
    this.#matchBelow(0, bytes, start, end, bytes[start] !== dollar || start === end, found);
    return found;
  }

  /** The same for a Topic Name as text. */
  matchName(topicName: string): readonly T[] {
    const bytes = Buffer.from(topicName);
    return this.match(bytes, 0, bytes.length, this.hash(bytes, 0, bytes.length));
  }

  /** Every filter with its values, for printing the tree. */
  *entries(): Generator<[filter: string, values: T[]]> {
    for (let number = 0; number < this.#exact.limit; number++) {
      if (this.#exact.has(number)) yield [this.#exact.text(number), [...this.valuesOf(number)]];
    }
    for (let place = 1; place < 2 * this.#edges.limit + 2; place++) {
      if (this.#held[place] !== undefined) yield [this.filterOf(-1 - place), [...this.valuesOf(-1 - place)]];
    }
  }

  #matchBelow(node: number, bytes: Buffer, at: number, limit: number, seesWildcards: boolean, into: T[]): void {
    if (seesWildcards) collect(this.#held[2 * node + 1], into);
    if (this.#nodes[2 * node + 1] === 0) return;
    const end = levelEnd(bytes, at, limit);
    // A level that is a + is none of a Topic Name; it would find what is met below.
    if (end - at !== 1 || bytes[at] !== plusSign) {
      const next = this.#edges.find(node, bytes, at, end, this.#edges.hash(node, bytes, at, end)) + 1;
      if (next > 0) this.#step(next, bytes, end, limit, into);
    }
    const any = this.#nodes[2 * node] as number;
    if (any > 0 && seesWildcards) this.#step(any, bytes, end, limit, into);
  }

  #step(node: number, bytes: Buffer, end: number, limit: number, into: T[]): void {
    if (end < limit) {
      this.#matchBelow(node, bytes, end + 1, limit, true, into);
      return;
    }
    collect(this.#held[2 * node], into);
    // # includes the parent level: "a/#" matches "a". [MQTT-4.7.1-1]
    collect(this.#held[2 * node + 1], into);
  }

  /** The node below, made where there is none. */
  #child(node: number, bytes: Buffer, at: number, end: number): number {
    const hashed = this.#edges.hash(node, bytes, at, end);
    const found = this.#edges.find(node, bytes, at, end, hashed) + 1;
    if (found > 0) return found;
    const next = this.#edges.add(node, bytes, at, end, hashed) + 1;
    if (2 * next >= this.#nodes.length) {
      const nodes = new Int32Array(2 * this.#nodes.length);
      nodes.set(this.#nodes);
      this.#nodes = nodes;
    }
    this.#held[2 * next] = undefined;
    this.#held[2 * next + 1] = undefined;
    this.#nodes[2 * node + 1] = (this.#nodes[2 * node + 1] as number) + 1;
    if (end - at === 1 && bytes[at] === plusSign) this.#nodes[2 * node] = next;
    return next;
  }

  /** Takes out the node and those above it that lead nowhere. */
  #prune(from: number): void {
    let node = from;
    while (node > 0 && this.#isEmptyNode(node)) {
      const above = this.#edges.scope(node - 1);
      if (this.#nodes[2 * above] === node) this.#nodes[2 * above] = 0;
      this.#nodes[2 * above + 1] = (this.#nodes[2 * above + 1] as number) - 1;
      this.#edges.remove(node - 1);
      node = above;
    }
    if (this.#edges.count > 0 || this.#held.length === 2) return;
    this.#held = [undefined, this.#held[1]];
    this.#nodes = new Int32Array(16);
  }

  #isEmptyNode(node: number): boolean {
    return (
      this.#nodes[2 * node + 1] === 0 && this.#held[2 * node] === undefined && this.#held[2 * node + 1] === undefined
    );
  }

  /** The levels that lead to a node. */
  #path(node: number): string {
    const levels: string[] = [];
    for (let at = node; at > 0; at = this.#edges.scope(at - 1)) levels.push(this.#edges.text(at - 1));
    return levels.toReversed().join('/');
  }
}

/** Where the level that begins at `at` ends. */
function levelEnd(bytes: Buffer, at: number, limit: number): number {
  let end = at;
  while (end < limit && bytes[end] !== slash) end++;
  return end;
}
