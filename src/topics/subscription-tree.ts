/**
 * Filters → subscribers.
 *
 * Filters without a wildcard, the great majority, live in one Map; the others in a trie with one node per level. A holder of a
 * single value stores it bare, an array comes only with the second. `generation` moves with every change of a wildcard
 * filter; a change of an exact filter concerns the Topic Name equal to it and nothing else, and is announced to
 * `onExactChange`. Together they tell a cache of matches what is stale.
 */
import { hasWildcard } from './topic-filter.ts';

type Held<T> = T | T[] | undefined;

interface Node<T> {
  /** Children by level text, made with the first child. */
  children: Map<string, Node<T>> | undefined;
  plus: Node<T> | undefined;
  /** Values of the filter that ends here. */
  here: Held<T>;
  /** Values of the filter that ends with `#` below here. */
  below: Held<T>;
}

function newNode<T>(): Node<T> {
  return { children: undefined, plus: undefined, here: undefined, below: undefined };
}

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

function isEmpty<T>(node: Node<T>): boolean {
  return (
    node.here === undefined &&
    node.below === undefined &&
    node.plus === undefined &&
    (node.children === undefined || node.children.size === 0)
  );
}

/** @typeParam T - a subscriber; an object, never an array */
export class SubscriptionTree<T extends object> {
  readonly #exact = new Map<string, T | T[]>();
  readonly #root: Node<T> = newNode();
  readonly #onExactChange: (topicName: string) => void;
  #generation = 1;

  /** @param onExactChange - called with the filter after a change of a filter without wildcards */
  constructor(onExactChange: (topicName: string) => void = () => {}) {
    this.#onExactChange = onExactChange;
  }

  /** Moves with every change of a filter that has a wildcard, and with {@link invalidate}. */
  get generation(): number {
    return this.#generation;
  }

  /** Makes everything stale that was found so far, though nothing was added or removed. */
  invalidate(): void {
    this.#generation++;
  }

  /** @param filter - a legal Topic Filter without `$share`; the same pair is never added twice */
  add(filter: string, value: T): void {
    if (!hasWildcard(filter)) {
      this.#exact.set(filter, withValue(this.#exact.get(filter), value) as T | T[]);
      this.#onExactChange(filter);
      return;
    }
    let node = this.#root;
    let at = 0;
    for (;;) {
      const slash = filter.indexOf('/', at);
      const level = slash < 0 ? filter.slice(at) : filter.slice(at, slash);
      if (level === '#') {
        node.below = withValue(node.below, value);
        break;
      }
      node = child(node, level);
      if (slash < 0) {
        node.here = withValue(node.here, value);
        break;
      }
      at = slash + 1;
    }
    this.#generation++;
  }

  /** Takes the pair out and with it the nodes that nobody needs any more. */
  remove(filter: string, value: T): void {
    if (!hasWildcard(filter)) {
      const left = withoutValue(this.#exact.get(filter), value);
      if (left === undefined) this.#exact.delete(filter);
      else this.#exact.set(filter, left);
      this.#onExactChange(filter);
      return;
    }
    this.#removeBelow(this.#root, filter, 0, value);
    this.#generation++;
  }

  /** Whether nobody subscribes to anything; empty nodes never stay. */
  get isEmpty(): boolean {
    return this.#exact.size === 0 && isEmpty(this.#root);
  }

  /** Appends every value whose filter matches the Topic Name; a value with several matching filters comes several times. */
  match(topicName: string, into: T[]): void {
    collect(this.#exact.get(topicName), into);
    this.#matchBelow(this.#root, topicName, 0, into);
  }

  /** Every filter with its values, for printing the tree. */
  *entries(): Generator<[filter: string, values: T[]]> {
    for (const [filter, held] of this.#exact) yield [filter, Array.isArray(held) ? [...held] : [held]];
    yield* entriesBelow(this.#root, '');
  }

  #matchBelow(node: Node<T>, name: string, at: number, into: T[]): void {
    // Wildcards at the first level do not see names that begin with $. [MQTT-4.7.2-1]
    const seesWildcards = at > 0 || name.charCodeAt(0) !== 0x24;
    if (node.below !== undefined && seesWildcards) collect(node.below, into);
    const slash = name.indexOf('/', at);
    const next = node.children?.get(slash < 0 ? name.slice(at) : name.slice(at, slash));
    if (next !== undefined) this.#step(next, name, slash, into);
    if (node.plus !== undefined && seesWildcards) this.#step(node.plus, name, slash, into);
  }

  #step(node: Node<T>, name: string, slash: number, into: T[]): void {
    if (slash >= 0) {
      this.#matchBelow(node, name, slash + 1, into);
      return;
    }
    collect(node.here, into);
    // # includes the parent level: "a/#" matches "a". [MQTT-4.7.1-1]
    collect(node.below, into);
  }

  #removeBelow(node: Node<T>, filter: string, at: number, value: T): void {
    const slash = filter.indexOf('/', at);
    const level = slash < 0 ? filter.slice(at) : filter.slice(at, slash);
    if (level === '#') {
      node.below = withoutValue(node.below, value);
      return;
    }
    const next = level === '+' ? node.plus : node.children?.get(level);
    if (next === undefined) return;
    if (slash < 0) next.here = withoutValue(next.here, value);
    else this.#removeBelow(next, filter, slash + 1, value);
    if (!isEmpty(next)) return;
    if (level === '+') {
      node.plus = undefined;
    } else {
      node.children?.delete(level);
      if (node.children?.size === 0) node.children = undefined;
    }
  }
}

function child<T>(node: Node<T>, level: string): Node<T> {
  if (level === '+') {
    node.plus ??= newNode();
    return node.plus;
  }
  node.children ??= new Map();
  let next = node.children.get(level);
  if (next === undefined) {
    next = newNode();
    node.children.set(level, next);
  }
  return next;
}

function* entriesBelow<T>(node: Node<T>, prefix: string): Generator<[string, T[]]> {
  const below: T[] = [];
  collect(node.below, below);
  if (below.length > 0) yield [`${prefix}#`, below];
  if (node.plus !== undefined) yield* entriesAt(node.plus, `${prefix}+`);
  if (node.children === undefined) return;
  for (const [level, next] of node.children) yield* entriesAt(next, prefix + level);
}

function* entriesAt<T>(node: Node<T>, filter: string): Generator<[string, T[]]> {
  const here: T[] = [];
  collect(node.here, here);
  if (here.length > 0) yield [filter, here];
  yield* entriesBelow(node, `${filter}/`);
}
