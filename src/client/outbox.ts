/**
 * Bytes on their way to the broker, written once per turn of the event loop.
 *
 * Small packets are gathered in one buffer; large ones are not copied, and handed on in pieces, the next when the last has left: so
 * one sees that a slow connection advances. When the system has taken a write at once the buffer is used again, otherwise it is left to
 * the socket and a new one begins.
 *
 * Programs should wait while `isCongested` is true; from `isFull` on publishing waits by itself. Bound: 1 MiB, one packet, and
 * acknowledgements of what was received.
 */
import { nextTick } from 'node:process';
import type { Link } from '../transport/dial.ts';

const GATHER_BYTES = 65_536;
/** Packets from this size on are not copied. */
const LARGE_BYTES = 16_384;
const PIECE_BYTES = 1_048_576;
/** What the link is given beyond its own mark. */
const SURPLUS_BYTES = 1_048_576;

export class Outbox {
  readonly #link: Link;
  #buffer: Buffer | undefined;
  #length = 0;
  #isScheduled = false;
  /** The link has enough until it drains. */
  #isLinkFull = false;
  /** Bytes that it was given all the same. */
  #surplusBytes = 0;
  /** What the link has not been given yet. */
  #backlog: Buffer[] = [];
  #backlogBytes = 0;
  #isClosed = false;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Whether the broker takes bytes more slowly than they come; until `onDrain` more should wait. */
  get isCongested(): boolean {
    return this.#isLinkFull || this.#backlog.length > 0;
  }

  /** Whether no message should come before `onDrain`. */
  get isFull(): boolean {
    return this.#backlog.length > 0 || this.#surplusBytes >= SURPLUS_BYTES;
  }

  /** Bytes that the link has not been given yet. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Bytes that have not been handed to the system, as far as the layers below tell. */
  get pendingBytes(): number {
    return this.#backlogBytes + this.#link.pendingBytes;
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
    if (this.pendingBytes > 0) this.#buffer = undefined;
  }

  /** The link has drained. */
  onDrain(): void {
    this.#isLinkFull = false;
    this.#surplusBytes = 0;
    this.#feed();
  }

  /** Nothing more is taken; what was gathered and not flushed is dropped, what waits for the link is still handed on. */
  close(): void {
    this.#isClosed = true;
    this.#length = 0;
    this.#buffer = undefined;
  }

  #hand(bytes: Buffer): void {
    if (this.#backlog.length === 0 && bytes.length <= PIECE_BYTES) {
      if (this.#isLinkFull) this.#surplusBytes += bytes.length;
      if (!this.#link.write(bytes)) this.#isLinkFull = true;
      return;
    }
    this.#backlog.push(bytes);
    this.#backlogBytes += bytes.length;
    this.#feed();
  }

  #feed(): void {
    for (let first = this.#backlog[0]; first !== undefined && !this.#isLinkFull; first = this.#backlog[0]) {
      const piece = first.subarray(0, PIECE_BYTES);
      if (piece.length === first.length) this.#backlog.shift();
      else this.#backlog[0] = first.subarray(piece.length);
      this.#backlogBytes -= piece.length;
      if (!this.#link.write(piece)) this.#isLinkFull = true;
    }
  }
}
