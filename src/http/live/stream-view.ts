/** Messages of some filters as they come, at most so many a second; those of a pause wait in a bounded buffer. */
import type { Engine } from '../../broker/engine.ts';
import type { Message } from '../../contracts/message.ts';
import type { Tap, TopicIndex } from '../../observe/topic-index.ts';
import { filterMatches } from '../../topics/topic-filter.ts';
import type { LiveAnswer, LiveRequest } from '../schema/live.ts';
import type { HttpServices } from '../services.ts';
import { shownMessage } from '../shown-message.ts';
import type { View } from './view.ts';

type Request = Extract<LiveRequest, { readonly type: 'stream' }>;

const bufferedMax = 10_000;
const bufferedBytesMax = 16 * 1024 * 1024;
/** What a message takes beside its payload, roughly. */
const messageBytes = 400;
/** Of one frame, before it became JSON. */
const frameMessagesMax = 1000;
const frameBytesMax = 256 * 1024;

interface Taken {
  readonly message: Message;
  readonly seq: number;
  readonly atMs: number;
}

export class StreamView implements View, Tap {
  readonly #index: TopicIndex;
  readonly #engine: Pick<Engine, 'nowMs'>;
  readonly #request: Request;
  readonly #limit: number;
  readonly #payloadBytesMax: number;
  /** Text as bytes, for payloads. */
  readonly #search: Buffer | null;
  #buffer: Taken[] = [];
  #bufferedBytes = 0;
  #seq = 0;
  #skipped = 0;
  #secondEndMs = 0;
  #takenInSecond = 0;
  #isPaused = false;
  #isFirst = true;

  constructor(services: HttpServices, request: Request) {
    this.#index = services.index;
    this.#engine = services.surroundings.broker.engine;
    this.#request = request;
    this.#limit = request.limitPerSecond ?? 200;
    this.#payloadBytesMax = request.payloadBytesMax ?? 4096;
    this.#search = request.search === undefined || request.search === '' ? null : Buffer.from(request.search);
    this.#index.addTap(this);
  }

  wants(topicName: string): boolean {
    return this.#request.filters.some((filter) => filterMatches(filter, topicName));
  }

  take(message: Message): void {
    if (this.#search !== null && !message.topic.name.includes(this.#request.search ?? '')) {
      if (!message.payload.includes(this.#search)) return;
    }
    this.#seq++;
    const { nowMs } = this.#engine;
    // Also when the clock was set back.
    if (nowMs >= this.#secondEndMs || nowMs < this.#secondEndMs - 1000) {
      this.#secondEndMs = (Math.floor(nowMs / 1000) + 1) * 1000;
      this.#takenInSecond = 0;
    }
    if (this.#takenInSecond >= this.#limit) {
      this.#skipped++;
      return;
    }
    this.#takenInSecond++;
    this.#buffer.push({ message: message.keep(), seq: this.#seq, atMs: nowMs });
    this.#bufferedBytes += messageBytes + message.payloadLength;
    while (this.#buffer.length > bufferedMax || this.#bufferedBytes > bufferedBytesMax) this.#dropOldest();
  }

  frame(): LiveAnswer | null {
    if (this.#isPaused || (!this.#isFirst && this.#buffer.length === 0 && this.#skipped === 0)) return null;
    this.#isFirst = false;
    let bytes = 0;
    let count = 0;
    for (const { message } of this.#buffer) {
      bytes += messageBytes + Math.min(message.payloadLength, this.#payloadBytesMax);
      if (count > 0 && (count >= frameMessagesMax || bytes > frameBytesMax)) break;
      count++;
    }
    const taken = this.#buffer.splice(0, count);
    for (const { message } of taken) this.#bufferedBytes -= messageBytes + message.payloadLength;
    const skipped = this.#skipped;
    this.#skipped = 0;
    const last = this.#buffer.length > 0 ? taken.at(-1) : undefined;
    const until = { seq: last?.seq ?? this.#seq, atMs: last?.atMs ?? this.#engine.nowMs };
    return {
      ...{ type: 'messages', view: this.#request.view, skipped, until },
      messages: taken.map(({ message, seq, atMs }) => ({ ...shownMessage(message, atMs, this.#payloadBytesMax), seq })),
    };
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  close(): void {
    this.#index.removeTap(this);
    this.#buffer = [];
  }

  #dropOldest(): void {
    const oldest = this.#buffer.shift();
    if (oldest === undefined) return;
    this.#bufferedBytes -= messageBytes + oldest.message.payloadLength;
    this.#skipped++;
  }
}
