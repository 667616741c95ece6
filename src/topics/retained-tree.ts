/**
 * Topic Names → one value each, found again by Topic Filter.
 *
 * A trie whose nodes are those with something below; where nothing is, the value stands in the node above, as most do. Walking a
 * filter visits a parent before its children and children in the order in which they were first stored. The tree may change while
 * somebody walks: what was removed is not found any more; what is stored below a value that was found may not be.
 */
export class RetainedNode<T> {
  value: T | undefined;
  readonly children = new Map<string, RetainedEntry<T>>();

  constructor(value: T | undefined) {
    this.value = value;
  }
}

/** What stands at a level: a value with nothing below, or a node. */
export type RetainedEntry<T> = RetainedNode<T> | T;

/** What can be stored. */
export interface Retainable {
  /** How many values had been stored, one that replaces another not counted, when its Topic Name got one; kept by the tree. */
  retainedSince: number;
}

/** Nodes that a walk passes over before it lets others have their turn. */
const passedMax = 256;

const nothing: ReadonlyMap<string, never> = new Map<string, never>();

/** Somebody who is told which Topic Names get a value, also in place of another, and which lose theirs. */
export interface RetainedWatcher<T> {
  stored(topicName: string, value: T): void;
  removed(topicName: string): void;
}

export function valueAt<T>(entry: RetainedEntry<T> | undefined): T | undefined {
  return entry instanceof RetainedNode ? entry.value : entry;
}

/** The levels right below. */
export function levelsBelow<T>(entry: RetainedEntry<T> | undefined): ReadonlyMap<string, RetainedEntry<T>> {
  return entry instanceof RetainedNode ? entry.children : nothing;
}

/** @typeParam T - never a `RetainedNode` */
export class RetainedTree<T extends Retainable> {
  /** Null: nobody watches. */
  watcher: RetainedWatcher<T> | null = null;
  /** Where everything begins; has no value. */
  readonly root = new RetainedNode<T>(undefined);
  #count = 0;
  #stored = 0;

  /** Values held. */
  get count(): number {
    return this.#count;
  }

  /** How many values were stored so far, one that replaces another not counted; see {@link Retainable.retainedSince}. */
  get stored(): number {
    return this.#stored;
  }

  get(topicName: string): T | undefined {
    return valueAt(this.entry(topicName));
  }

  /** What stands at a path of levels; undefined when nothing is stored there or below. */
  entry(path: string): RetainedEntry<T> | undefined {
    let node = this.root;
    let at = 0;
    for (;;) {
      const slash = path.indexOf('/', at);
      const entry = node.children.get(slash < 0 ? path.slice(at) : path.slice(at, slash));
      if (slash < 0) return entry;
      if (!(entry instanceof RetainedNode)) return undefined;
      node = entry;
      at = slash + 1;
    }
  }

  /** Stores the value and returns the one it replaces. */
  set(topicName: string, value: T): T | undefined {
    let node = this.root;
    let at = 0;
    for (;;) {
      const slash = topicName.indexOf('/', at);
      if (slash < 0) break;
      const level = topicName.slice(at, slash);
      let next = node.children.get(level);
      if (!(next instanceof RetainedNode)) {
        next = new RetainedNode(next);
        node.children.set(level, next);
      }
      node = next;
      at = slash + 1;
    }
    const level = topicName.slice(at);
    const entry = node.children.get(level);
    const previous = valueAt(entry);
    if (entry instanceof RetainedNode) entry.value = value;
    else node.children.set(level, value);
    if (previous === undefined) {
      this.#count++;
      value.retainedSince = ++this.#stored;
    } else {
      value.retainedSince = previous.retainedSince;
    }
    this.watcher?.stored(topicName, value);
    return previous;
  }

  /** Removes the value and returns it; nodes that lead nowhere go with it. */
  delete(topicName: string): T | undefined {
    const removed = deleteBelow(this.root, topicName, 0);
    if (removed !== undefined) {
      this.#count--;
      this.watcher?.removed(topicName);
    }
    return removed;
  }

  /** The values whose Topic Name the filter matches: those of {@link walk}. */
  *matching(filter: string): Generator<T> {
    for (const value of this.walk(filter)) if (value !== null) yield value;
  }

  /**
   * The values whose Topic Name the filter matches, parents first, found while somebody asks for them: the walk may pause, and the
   * tree may change meanwhile.
   *
   * @returns null now and then: many were looked at that do not match
   */
  *walk(filter: string): Generator<T | null> {
    const levels = filter.split('/');
    /** Entries to look at; `depth` levels of the filter lead to them, all of them when everything below is meant. */
    const open: { readonly entries: Iterator<RetainedEntry<T>>; readonly depth: number }[] = [];
    const everything = levels.length;
    const push = ({ children }: RetainedNode<T>, depth: number): void => {
      const level = depth === everything ? '#' : (levels[depth] as string);
      if (level !== '#' && level !== '+') {
        const next = children.get(level);
        if (next !== undefined) open.push({ entries: [next].values(), depth: depth + 1 });
        return;
      }
      const entries = children === this.root.children ? seenByWildcards(children) : children.values();
      open.push({ entries, depth: level === '#' ? everything : depth + 1 });
    };
    push(this.root, 0);
    let passed = 0;
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      const { value: entry, done } = last.entries.next();
      if (done === true) {
        open.pop();
        continue;
      }
      const { depth } = last;
      const isBelow = levels.at(-1) === '#' && depth === everything;
      // # includes the parent level. [MQTT-4.7.1-1]
      const isMatch = isBelow || depth === everything || (levels[depth] === '#' && depth === everything - 1);
      const value = valueAt(entry);
      if (isMatch && value !== undefined) {
        yield value;
      } else if (++passed === passedMax) {
        passed = 0;
        yield null;
      }
      if (entry instanceof RetainedNode && (isBelow || depth < everything)) push(entry, isBelow ? everything : depth);
    }
  }

  /** Every value, `$` topics included, found while somebody asks for them: the walk may pause, and the tree may change meanwhile. */
  *values(): Generator<T> {
    // One generator, not one for each level.
    const open = [this.root.children.values()];
    for (let siblings = open.at(-1); siblings !== undefined; siblings = open.at(-1)) {
      const { value: entry, done } = siblings.next();
      if (done === true) {
        open.pop();
        continue;
      }
      const value = valueAt(entry);
      if (value !== undefined) yield value;
      if (entry instanceof RetainedNode) open.push(entry.children.values());
    }
  }
}

function deleteBelow<T>(node: RetainedNode<T>, name: string, at: number): T | undefined {
  const slash = name.indexOf('/', at);
  const level = slash < 0 ? name.slice(at) : name.slice(at, slash);
  const next = node.children.get(level);
  if (!(next instanceof RetainedNode)) {
    if (slash < 0) node.children.delete(level);
    return slash < 0 ? next : undefined;
  }
  let removed: T | undefined;
  if (slash < 0) {
    removed = next.value;
    next.value = undefined;
  } else {
    removed = deleteBelow(next, name, slash + 1);
  }
  if (next.children.size > 0) return removed;
  if (next.value === undefined) node.children.delete(level);
  else node.children.set(level, next.value);
  return removed;
}

/** From the root, names that begin with $ are not seen by wildcards. [MQTT-4.7.2-1] */
function* seenByWildcards<T>(children: ReadonlyMap<string, RetainedEntry<T>>): Generator<RetainedEntry<T>> {
  for (const [name, entry] of children) if (name.charCodeAt(0) !== 0x24) yield entry;
}
