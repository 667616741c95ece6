/**
 * Bytes on their way to the broker, written once per turn of the event loop.
 *
 * Small packets are gathered in one buffer; large ones are handed on as they are. When the system has taken a write at once the
 * buffer is used again, otherwise it is left to the socket and a new one begins.
 */
import { nextTick } from 'node:process';
import type { Link } from '../transport/dial.ts';

const GATHER_BYTES = 65_536;
/** Packets from this size on are not copied. */
const LARGE_BYTES = 16_384;

export class Outbox {
  readonly #link: Link;
  #buffer: Buffer | undefined;
  #length = 0;
  #isScheduled = false;
  #isCongested = false;
  #isClosed = false;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Whether the broker takes bytes more slowly than they come; until `onDrain` more should wait. */
  get isCongested(): boolean {
    return this.#isCongested;
  }

  /** Takes a whole packet; it must not be changed afterwards. */
  write(packet: Buffer): void {
    if (this.#isClosed) return;
    if (packet.length >= LARGE_BYTES) {
      this.flush();
      this.#hand(packet);
      return;
    }
    if (this.#length + packet.length > GATHER_BYTES) this.flush();
    this.#buffer ??= Buffer.allocUnsafeSlow(GATHER_BYTES);
    packet.copy(this.#buffer, this.#length);
    this.#length += packet.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    nextTick(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.#length === 0 || this.#buffer === undefined) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    this.#hand(bytes);
    if (this.#link.pendingBytes > 0) this.#buffer = undefined;
  }

  /** The link has drained. */
  onDrain(): void {
    this.#isCongested = false;
  }

  /** Nothing is written any more; what was gathered and not flushed is dropped. */
  close(): void {
    this.#isClosed = true;
    this.#length = 0;
    this.#buffer = undefined;
  }

  #hand(bytes: Buffer): void {
    if (!this.#link.write(bytes)) this.#isCongested = true;
  }
}
