/**
 * Topic Names → one value each, found again by Topic Filter.
 *
 * A trie with one node per level; walking a filter visits a parent before its children and children in the order in which
 * they were first stored. Nodes stay valid while somebody walks: a removed value leaves `value === undefined` behind in the
 * node a walker may still hold.
 */
export interface RetainedNode<T> {
  value: T | undefined;
  children: Map<string, RetainedNode<T>> | undefined;
  /** How many values had been stored, one that replaces another not counted, when this node got the one it has. */
  since: number;
}

/** Nodes that a walk passes over before it lets others have their turn. */
const passedMax = 256;

/** Somebody who is told which Topic Names get a value and which lose theirs; not when one replaces another. */
export interface RetainedWatcher<T> {
  stored(topicName: string, node: RetainedNode<T>): void;
  removed(topicName: string): void;
}

export class RetainedTree<T extends object> {
  /** Null: nobody watches. */
  watcher: RetainedWatcher<T> | null = null;
  readonly #root: RetainedNode<T> = { value: undefined, children: undefined, since: 0 };
  #count = 0;
  #stored = 0;

  /** Values held. */
  get count(): number {
    return this.#count;
  }

  /** How many values were stored so far, one that replaces another not counted; see {@link RetainedNode.since}. */
  get stored(): number {
    return this.#stored;
  }

  get(topicName: string): T | undefined {
    let node: RetainedNode<T> | undefined = this.#root;
    let at = 0;
    for (;;) {
      const slash = topicName.indexOf('/', at);
      node = node.children?.get(slash < 0 ? topicName.slice(at) : topicName.slice(at, slash));
      if (node === undefined || slash < 0) return node?.value;
      at = slash + 1;
    }
  }

  /** Stores the value and returns the one it replaces. */
  set(topicName: string, value: T): T | undefined {
    let node = this.#root;
    let at = 0;
    for (;;) {
      const slash = topicName.indexOf('/', at);
      const level = slash < 0 ? topicName.slice(at) : topicName.slice(at, slash);
      node.children ??= new Map();
      let next = node.children.get(level);
      if (next === undefined) {
        next = { value: undefined, children: undefined, since: 0 };
        node.children.set(level, next);
      }
      node = next;
      if (slash < 0) break;
      at = slash + 1;
    }
    const previous = node.value;
    node.value = value;
    if (previous === undefined) {
      this.#count++;
      node.since = ++this.#stored;
      this.watcher?.stored(topicName, node);
    }
    return previous;
  }

  /** Removes the value and returns it; nodes that lead nowhere go with it. */
  delete(topicName: string): T | undefined {
    const removed = deleteBelow(this.#root, topicName, 0);
    if (removed !== undefined) {
      this.#count--;
      this.watcher?.removed(topicName);
    }
    return removed;
  }

  /** The node at a path of levels; undefined when nothing is stored there or below. */
  node(path: string): RetainedNode<T> | undefined {
    let node: RetainedNode<T> | undefined = this.#root;
    for (const level of path.split('/')) {
      node = node.children?.get(level);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** Where everything begins; has no value. */
  get root(): RetainedNode<T> {
    return this.#root;
  }

  /** The values whose Topic Name the filter matches: those of {@link matchingNodes}. */
  *matching(filter: string): Generator<T> {
    for (const node of this.matchingNodes(filter)) if (node?.value !== undefined) yield node.value;
  }

  /**
   * The nodes with a value whose Topic Name the filter matches, parents first, found while somebody asks for them: the walk may pause,
   * and the tree may change meanwhile.
   *
   * @returns null now and then: many were looked at that do not match
   */
  *matchingNodes(filter: string): Generator<RetainedNode<T> | null> {
    const levels = filter.split('/');
    /** Nodes to look at; `depth` levels of the filter lead to them, all of them when everything below is meant. */
    const open: { readonly nodes: Iterator<RetainedNode<T>>; readonly depth: number }[] = [];
    const everything = levels.length;
    const push = (node: RetainedNode<T>, depth: number): void => {
      if (node.children === undefined) return;
      const level = depth === everything ? '#' : (levels[depth] as string);
      if (level !== '#' && level !== '+') {
        const next = node.children.get(level);
        if (next !== undefined) open.push({ nodes: [next].values(), depth: depth + 1 });
        return;
      }
      const nodes = node === this.#root ? seenByWildcards(node.children) : node.children.values();
      open.push({ nodes, depth: level === '#' ? everything : depth + 1 });
    };
    push(this.#root, 0);
    let passed = 0;
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      const { value: node, done } = last.nodes.next();
      if (done === true) {
        open.pop();
        continue;
      }
      const { depth } = last;
      const isBelow = levels.at(-1) === '#' && depth === everything;
      // # includes the parent level. [MQTT-4.7.1-1]
      const isMatch = isBelow || depth === everything || (levels[depth] === '#' && depth === everything - 1);
      if (isMatch && node.value !== undefined) {
        yield node;
      } else if (++passed === passedMax) {
        passed = 0;
        yield null;
      }
      if (isBelow) push(node, everything);
      else if (depth < everything) push(node, depth);
    }
  }

  /** Every value, `$` topics included. */
  *values(): Generator<T> {
    for (const { value } of this.nodes()) if (value !== undefined) yield value;
  }

  /** Every node with a value, found while somebody asks for them: the walk may pause, and the tree may change meanwhile. */
  *nodes(): Generator<RetainedNode<T>> {
    // One generator, not one for each level.
    const open = [this.#root.children?.values()];
    for (let siblings = open.at(-1); siblings !== undefined; siblings = open.at(-1)) {
      const { value: node, done } = siblings.next();
      if (done === true) {
        open.pop();
        continue;
      }
      if (node.value !== undefined) yield node;
      if (node.children !== undefined) open.push(node.children.values());
    }
  }
}

function deleteBelow<T>(node: RetainedNode<T>, name: string, at: number): T | undefined {
  const slash = name.indexOf('/', at);
  const level = slash < 0 ? name.slice(at) : name.slice(at, slash);
  const next = node.children?.get(level);
  if (next === undefined) return undefined;
  let removed: T | undefined;
  if (slash < 0) {
    removed = next.value;
    next.value = undefined;
  } else {
    removed = deleteBelow(next, name, slash + 1);
  }
  if (next.value === undefined && next.children === undefined) {
    node.children?.delete(level);
    if (node.children?.size === 0) node.children = undefined;
  }
  return removed;
}

/** From the root, names that begin with $ are not seen by wildcards. [MQTT-4.7.2-1] */
function* seenByWildcards<T>(children: Map<string, RetainedNode<T>>): Generator<RetainedNode<T>> {
  for (const [name, node] of children) if (name.charCodeAt(0) !== 0x24) yield node;
}
