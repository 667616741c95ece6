/**
 * A socket that takes as much as the test lets it: it keeps what it was given itself, not a copy, and reads it when it is let, so
 * that bytes that somebody writes over too early arrive changed.
 */
import type { Transport, TransportHandler } from '../../../src/contracts/transport.ts';

export class Line implements Transport {
  readonly peer = { address: 'fuzz', port: 1, tls: null };
  handler: TransportHandler | null = null;
  /** As TLS and WebSocket do. */
  readonly copiesBytes: boolean;
  /** Bytes taken at once while it is blocked. */
  capacity = Number.POSITIVE_INFINITY;
  hasBeenBlocked = false;
  isPaused = false;
  hasEnded = false;
  #waiting: Buffer[] = [];
  #arrived: Buffer[] = [];

  constructor(copiesBytes: boolean) {
    this.copiesBytes = copiesBytes;
  }

  get pendingBytes(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  write(bytes: Buffer): void {
    if (this.hasEnded) return;
    const taken = this.#waiting.length > 0 ? 0 : Math.min(this.capacity, bytes.length);
    this.#arrived.push(Buffer.from(bytes.subarray(0, taken)));
    this.capacity -= taken;
    if (taken === bytes.length) return;
    const rest = bytes.subarray(taken);
    this.#waiting.push(this.copiesBytes ? Buffer.from(rest) : rest);
  }

  /** Takes `bytes` at once and keeps what is beyond. */
  block(bytes: number): void {
    this.capacity = bytes;
    this.hasBeenBlocked = true;
  }

  /** Takes what waits, the broker hears of it, and so on until nothing waits. */
  unblock(): void {
    this.capacity = Number.POSITIVE_INFINITY;
    while (this.#waiting.length > 0) {
      this.#takeAll();
      this.handler?.onDrain();
    }
  }

  /** What has arrived since it was asked last. */
  arrived(): Buffer {
    const bytes = Buffer.concat(this.#arrived);
    this.#arrived = [];
    return bytes;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.#takeAll();
    this.hasEnded = true;
  }

  destroy(): void {
    this.#waiting = [];
    this.hasEnded = true;
  }

  #takeAll(): void {
    for (const bytes of this.#waiting) this.#arrived.push(Buffer.from(bytes));
    this.#waiting = [];
  }
}
