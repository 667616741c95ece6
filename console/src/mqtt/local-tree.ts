/** A tree view over the index of another broker: its rows keep their order until the view is refreshed. */

import type { TopicRow } from '../api/types.ts';
import type { ViewAnswer, ViewRequest } from '../live/feed.ts';
import { type Node, rowOf, type TopicIndex } from './topic-index.ts';

type TreeRequest = Extract<ViewRequest, { type: 'tree' }>;

export class LocalTree {
  readonly #index: TopicIndex;
  #request: TreeRequest;
  #open = new Set<string>();
  #nodes: readonly Node[] = [];
  #shape = '';
  /** Topics in the index when the rows were put in order. */
  #topics = 0;
  #told = 0;

  constructor(index: TopicIndex, request: TreeRequest) {
    this.#index = index;
    this.#request = request;
    this.ask(request);
  }

  ask(request: TreeRequest): void {
    this.#request = request;
    this.#open = new Set(request.expanded);
    const shape = JSON.stringify([request.expanded, request.sort]);
    if (request.refresh === true || shape !== this.#shape) this.#order();
    this.#shape = shape;
  }

  #order(): void {
    const nodes: Node[] = [];
    const compare = orders[this.#request.sort ?? 'name'];
    const walk = (parent: Node): void => {
      for (const child of [...parent.children.values()].sort(compare)) {
        nodes.push(child);
        if (this.#open.has(child.topic)) walk(child);
      }
    };
    walk(this.#index.root);
    this.#nodes = nodes;
    this.#topics = this.#index.size + this.#index.evicted;
  }

  /** The window whole. */
  whole(): ViewAnswer {
    this.#told = this.#index.change;
    const { view, from } = this.#request;
    return { type: 'tree', view, total: this.#nodes.length, from, rows: this.#rows(), newTopics: this.#newTopics() };
  }

  #newTopics(): number {
    return this.#index.size + this.#index.evicted - this.#topics;
  }

  #rows(): TopicRow[] {
    return this.#nodes
      .slice(this.#request.from, this.#request.to)
      .map((place) => rowOf(place, this.#open.has(place.topic)));
  }

  /** What has changed since the last answer, undefined for nothing. */
  news(nowMs: number): ViewAnswer | undefined {
    // An empty tree takes in what comes; there is nothing that could jump.
    if (this.#nodes.length < 2 && this.#index.root.children.size > this.#nodes.length) {
      this.#order();
      return this.whole();
    }
    if (this.#told === this.#index.change) return undefined;
    const since = this.#told;
    this.#told = this.#index.change;
    const rows = this.#nodes.slice(this.#request.from, this.#request.to).flatMap((place) => {
      const { entry } = place;
      if (entry === undefined || entry.change <= since) return [];
      const { topic, value, sizeBytes, isRetained, count, ratePerSecond, lastMs } = rowOf(place, false);
      const ringAdded = entry.ring.slice(-1);
      return [
        {
          topic,
          value,
          sizeBytes,
          isRetained,
          count,
          ratePerSecond,
          lastMs,
          ...(ringAdded.length === 0 ? {} : { ringAdded }),
        },
      ];
    });
    const newTopics = this.#newTopics();
    return { type: 'update', view: this.#request.view, atMs: nowMs, rows, newTopics };
  }
}

const byName = (a: Node, b: Node): number => (a.level < b.level ? -1 : a.level > b.level ? 1 : 0);
const orders = {
  name: byName,
  rate: (a: Node, b: Node) => (b.entry?.ratePerSecond ?? 0) - (a.entry?.ratePerSecond ?? 0) || byName(a, b),
  recent: (a: Node, b: Node) => (b.entry?.message.atMs ?? 0) - (a.entry?.message.atMs ?? 0) || byName(a, b),
} as const;
