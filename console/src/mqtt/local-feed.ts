/** The live feed over a broker of any make: the same views, answered from what this page heard. */

import type { ShownMessage } from '../api/types.ts';
import type { Feed, View, ViewAnswer, ViewRequest, ViewWish } from '../live/feed.ts';
import { LocalStream } from './local-stream.ts';
import { LocalTree } from './local-tree.ts';
import { type Entry, TopicIndex } from './topic-index.ts';

const intervalMs = 100;

interface Open {
  readonly onAnswer: (answer: ViewAnswer) => void;
  readonly tree?: LocalTree;
  readonly stream?: LocalStream;
  /** Topics of a `topics` view, with the change last told. */
  readonly topics?: Map<string, number>;
  isPaused: boolean;
}

export class LocalFeed implements Feed {
  readonly index = new TopicIndex();
  readonly #views = new Set<Open>();
  readonly #onClose: () => void;
  readonly #timers: readonly ReturnType<typeof setInterval>[];

  constructor(onClose: () => void) {
    this.#onClose = onClose;
    this.#timers = [setInterval(() => this.#tell(), intervalMs), setInterval(() => this.index.tick(), 1000)];
  }

  add(message: ShownMessage): void {
    this.index.add(message);
    for (const { stream } of this.#views) stream?.add(message);
  }

  open(wish: ViewWish, onAnswer: (answer: ViewAnswer) => void): View {
    let view = this.#start(wish, onAnswer);
    this.#views.add(view);
    return {
      ask: (next) => {
        const request = { ...next, view: 'local' } as ViewRequest;
        if (request.type === 'tree' && view.tree !== undefined) {
          view.tree.ask(request);
          onAnswer(view.tree.whole());
        } else if (request.type === 'stream' && view.stream !== undefined) {
          view.stream.ask(request);
        } else {
          this.#views.delete(view);
          view = this.#start(next, onAnswer);
          this.#views.add(view);
        }
      },
      pause: () => this.#pause(view, true),
      resume: () => this.#pause(view, false),
      close: () => this.#views.delete(view),
    };
  }

  #pause(view: Open, isPaused: boolean): void {
    view.isPaused = isPaused;
    if (view.stream !== undefined) view.stream.isPaused = isPaused;
  }

  #start(wish: ViewWish, onAnswer: (answer: ViewAnswer) => void): Open {
    const request = { ...wish, view: 'local' } as ViewRequest;
    switch (request.type) {
      case 'tree': {
        const tree = new LocalTree(this.index, request);
        onAnswer(tree.whole());
        return { onAnswer, tree, isPaused: false };
      }
      case 'stream':
        return { onAnswer, stream: new LocalStream(request), isPaused: false };
      case 'topics':
        return { onAnswer, topics: new Map(request.topics.map((topic) => [topic, -1])), isPaused: false };
      default:
        return request satisfies never;
    }
  }

  #tell(): void {
    const now = Date.now();
    for (const view of this.#views) {
      if (view.isPaused) continue;
      const answer = view.tree?.news(now) ?? view.stream?.news() ?? this.#topicNews(view, now);
      if (answer !== undefined) view.onAnswer(answer);
    }
  }

  #topicNews(view: Open, atMs: number): ViewAnswer | undefined {
    const rows = [...(view.topics ?? [])].flatMap(([topic, told]) => {
      const entry = this.index.get(topic);
      if (entry === undefined || entry.change === told) return [];
      view.topics?.set(topic, entry.change);
      return [updateOf(entry, told === -1)];
    });
    return rows.length === 0 ? undefined : { type: 'update', view: 'local', atMs, rows, newTopics: 0 };
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#views.clear();
    this.#onClose();
  }
}

function updateOf(entry: Entry, isFirst: boolean) {
  const { topic, message, count, ratePerSecond, ring } = entry;
  return {
    topic,
    value: 'text' in message.payload ? message.payload.text : null,
    sizeBytes: message.sizeBytes,
    isRetained: message.isRetained,
    count,
    ratePerSecond,
    lastMs: message.atMs,
    ringAdded: isFirst ? [...ring] : ring.slice(-1),
    message,
  };
}
