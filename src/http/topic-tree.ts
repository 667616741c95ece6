/**
 * The tree of topics as it is shown: what was seen since the start, from the index, and what is retained, from the engine. A topic
 * may be in either or both.
 */
import type { Engine } from '../broker/engine.ts';
import type { Message } from '../contracts/message.ts';
import { previewBytes, rateOf, type TopicIndex, type TopicNode, textOf } from '../observe/topic-index.ts';
import { levelsBelow, type RetainedEntry, valueAt } from '../topics/retained-tree.ts';
import type { TopicRow } from './schema/topics.ts';

/** Topics counted below a node that only the retained tree knows; more are not counted. */
const countedMax = 1000;
/** More children than this are shown in the order in which they were first seen. */
const sortedMax = 50_000;

export type TreeSort = 'name' | 'rate' | 'recent';

export class TopicTree {
  readonly #engine: Pick<Engine, 'retained' | 'clock'>;
  readonly #index: TopicIndex;

  constructor(engine: Pick<Engine, 'retained' | 'clock'>, index: TopicIndex) {
    this.#engine = engine;
    this.#index = index;
  }

  /** How many nodes are right below; a fast look for what is new. */
  childCount(parent: string | null): number {
    const [seen, kept] = this.#nodes(parent);
    // One counts the other's as well as far as it can be told without a walk.
    return Math.max(seen?.children?.size ?? 0, levelsBelow(kept).size);
  }

  /**
   * The levels right below a node.
   *
   * @param parent - null: the first levels
   */
  children(parent: string | null, sort: TreeSort): string[] {
    const [seen, kept] = this.#nodes(parent);
    const known = levelsBelow(kept);
    const levels = [...known.keys()];
    for (const level of seen?.children?.keys() ?? []) if (!known.has(level)) levels.push(level);
    if (levels.length > sortedMax) return levels;
    if (sort === 'name') return levels.sort();
    const nowMs = this.#engine.clock.nowMs();
    const weigh = (level: string): number => {
      const record = seen?.children?.get(level)?.record;
      if (record === null || record === undefined) return 0;
      return sort === 'rate' ? rateOf(record, nowMs) : record.lastMs;
    };
    const weights = new Map(levels.map((level) => [level, weigh(level)]));
    return levels.sort((one, other) => (weights.get(other) ?? 0) - (weights.get(one) ?? 0) || (one < other ? -1 : 1));
  }

  /**
   * A node as it is shown.
   *
   * @param path - its levels
   * @param rings - whether the numbers are wanted
   */
  row(path: string, rings: boolean): TopicRow {
    const [seen, kept] = this.#nodes(path);
    const slash = path.lastIndexOf('/');
    const below = this.#below(seen, kept);
    return {
      topic: path,
      level: path.slice(slash + 1),
      depth: path.split('/').length - 1,
      children: this.#childrenOf(seen, kept),
      topicsBelow: below.count,
      hasMoreBelow: below.hasMore,
      ...this.value(path, seen, valueAt(kept)),
      ...(rings && seen?.record !== null && seen?.record !== undefined && seen.record.ring >= 0
        ? { ring: this.#index.numbers(seen.record) }
        : {}),
    };
  }

  /** What of a row changes with messages. */
  value(
    path: string,
    seen: TopicNode | undefined = this.#index.node(path),
    kept: Message | undefined = this.#engine.retained.get(path),
  ): Pick<TopicRow, 'hasValue' | 'value' | 'sizeBytes' | 'isRetained' | 'count' | 'ratePerSecond' | 'lastMs'> {
    const record = seen?.record ?? null;
    const isRetained = kept !== undefined;
    if (record !== null) {
      return {
        hasValue: true,
        value: this.#index.previewText(record),
        sizeBytes: record.sizeBytes,
        isRetained,
        count: record.count,
        ratePerSecond: rateOf(record, this.#engine.clock.nowMs()),
        lastMs: record.lastMs,
      };
    }
    const nothing = { count: 0, ratePerSecond: 0, lastMs: null };
    if (kept === undefined) return { hasValue: false, value: null, sizeBytes: 0, isRetained, ...nothing };
    return { hasValue: true, value: previewOf(kept), sizeBytes: kept.payloadLength, isRetained, ...nothing };
  }

  #nodes(path: string | null): [TopicNode | undefined, RetainedEntry<Message> | undefined] {
    if (path === null) return [this.#index.root, this.#engine.retained.root];
    return [this.#index.node(path), this.#engine.retained.entry(path)];
  }

  #childrenOf(seen: TopicNode | undefined, kept: RetainedEntry<Message> | undefined): number {
    const ofSeen = seen?.children;
    const ofKept = levelsBelow(kept);
    if (ofSeen === null || ofSeen === undefined) return ofKept.size;
    const [fewer, more] = ofSeen.size < ofKept.size ? [ofSeen, ofKept] : [ofKept, ofSeen];
    if (fewer.size > countedMax) return more.size;
    let onlyInFewer = 0;
    for (const level of fewer.keys()) if (!more.has(level)) onlyInFewer++;
    return more.size + onlyInFewer;
  }

  #below(
    seen: TopicNode | undefined,
    kept: RetainedEntry<Message> | undefined,
  ): { readonly count: number; readonly hasMore: boolean } {
    const ofSeen = seen === undefined ? 0 : seen.topics - (seen.record === null ? 0 : 1);
    if (levelsBelow(kept).size === 0) return { count: ofSeen, hasMore: false };
    const ofKept = countBelow(kept, countedMax);
    return { count: Math.max(ofSeen, ofKept), hasMore: ofKept >= countedMax && ofSeen < ofKept };
  }
}

/** Values below a node, at most `max`. */
function countBelow(entry: RetainedEntry<Message> | undefined, max: number): number {
  let count = 0;
  for (const child of levelsBelow(entry).values()) {
    if (valueAt(child) !== undefined) count++;
    if (count >= max) return max;
    count += countBelow(child, max - count);
    if (count >= max) return max;
  }
  return count;
}

/** The first characters of a payload; null when it is no text. */
export function previewOf(message: Message): string | null {
  const isCut = message.payloadLength > previewBytes;
  return textOf(isCut ? message.payload.subarray(0, previewBytes) : message.payload, isCut);
}
