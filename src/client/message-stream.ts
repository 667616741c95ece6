/** Messages as an asynchronous sequence, with back-pressure: when nobody takes them, nothing more is read from the broker. */
import type { PublishPacket } from '../codec/packet.ts';

/** Messages and payload bytes that may wait before reading pauses. */
const WAITING_MESSAGES_MAX = 1000;
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

export class MessageStream implements AsyncIterableIterator<PublishPacket> {
  readonly #resume: () => void;
  readonly #onReturn: () => void;
  #waiting: PublishPacket[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isEnded = false;
  #takers: ((result: IteratorResult<PublishPacket>) => void)[] = [];

  /**
   * @param resume - goes on reading from the broker
   * @param onReturn - the consumer has left the loop
   */
  constructor(resume: () => void, onReturn: () => void) {
    this.#resume = resume;
    this.#onReturn = onReturn;
  }

  /** Returns false when reading should pause. */
  push(message: PublishPacket): boolean {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker({ done: false, value: message });
      return true;
    }
    this.#waiting.push(message);
    this.#waitingBytes += message.payload.length;
    this.#isPaused = this.#waiting.length >= WAITING_MESSAGES_MAX || this.#waitingBytes >= WAITING_BYTES_MAX;
    return !this.#isPaused;
  }

  /** No more messages will come; those that wait are still given out. */
  end(): void {
    this.#isEnded = true;
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<PublishPacket>> {
    const message = this.#waiting.shift();
    if (message !== undefined) {
      this.#waitingBytes -= message.payload.length;
      if (
        this.#isPaused &&
        this.#waiting.length <= WAITING_MESSAGES_MAX / 2 &&
        this.#waitingBytes <= WAITING_BYTES_MAX / 2
      ) {
        this.#isPaused = false;
        this.#resume();
      }
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  return(): Promise<IteratorResult<PublishPacket>> {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.end();
    this.#onReturn();
    if (this.#isPaused) this.#resume();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
