/** A stream view over another broker: bounded while it is paused, thinned out while it is live. */

import type { ShownMessage, StreamMessage } from '../api/types.ts';
import type { ViewAnswer, ViewRequest } from '../live/feed.ts';
import { matchesFilter } from './match.ts';

type StreamRequest = Extract<ViewRequest, { type: 'stream' }>;

const pausedMax = 10_000;
const pausedBytesMax = 16 * 1024 * 1024;

export class LocalStream {
  #request: StreamRequest;
  #waiting: StreamMessage[] = [];
  #bytes = 0;
  #seq = 0;
  #skipped = 0;
  #isFirst = true;
  isPaused = false;

  constructor(request: StreamRequest) {
    this.#request = request;
  }

  ask(request: StreamRequest): void {
    this.#request = request;
    this.#waiting = [];
    this.#bytes = 0;
    this.#skipped = 0;
    this.#isFirst = true;
  }

  add(message: ShownMessage): void {
    const { filters, search } = this.#request;
    if (!filters.some((filter) => matchesFilter(filter, message.topic))) return;
    const text = 'text' in message.payload ? message.payload.text : '';
    if (search !== undefined && !message.topic.includes(search) && !text.includes(search)) return;
    this.#seq += 1;
    this.#waiting.push({ ...message, seq: this.#seq });
    this.#bytes += text.length * 2 + message.topic.length * 2 + 200;
    if (this.#waiting.length <= pausedMax && this.#bytes <= pausedBytesMax) return;
    // Half is dropped at once, so that not every further message moves the whole list.
    const dropped = this.#waiting.splice(0, Math.ceil(this.#waiting.length / 2));
    this.#skipped += dropped.length;
    this.#bytes /= 2;
  }

  /** What is due, at most a tenth of the messages allowed per second. */
  news(): ViewAnswer | undefined {
    if (this.isPaused || (!this.#isFirst && this.#waiting.length === 0 && this.#skipped === 0)) return undefined;
    this.#isFirst = false;
    const most = Math.max(1, Math.floor((this.#request.limitPerSecond ?? 200) / 10));
    const over = Math.max(0, this.#waiting.length - pausedMax / 2);
    const skipped = this.#skipped + over;
    this.#waiting.splice(0, over);
    const messages = this.#waiting.splice(0, most);
    this.#skipped = 0;
    if (this.#waiting.length === 0) this.#bytes = 0;
    const last = this.#waiting.length > 0 ? messages.at(-1) : undefined;
    const until = { seq: last?.seq ?? this.#seq, atMs: last?.atMs ?? Date.now() };
    return { type: 'messages', view: this.#request.view, messages, skipped, until };
  }
}
