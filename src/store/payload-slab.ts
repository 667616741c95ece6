/**
 * Payloads of messages read from files, many in one block: a Buffer of its own costs each about a hundred bytes and the collector
 * its time. A block goes when the last of its messages does, so one that stays holds on to 16 KiB at most.
 */
import type { Message } from '../contracts/message.ts';

const blockSize = 1 << 14;
/** Longer payloads get bytes of their own. */
const sharedMax = 1 << 12;

export class PayloadSlab {
  #block = Buffer.alloc(0);
  #used = 0;

  /** Gives the message a copy of `source[start..end)` as its payload. */
  fill(message: Message, source: Buffer, start: number, end: number): void {
    const size = end - start;
    if (size === 0) return;
    let target = this.#block;
    let at = this.#used;
    if (size > sharedMax) {
      target = Buffer.allocUnsafeSlow(size);
      at = 0;
    } else {
      if (at + size > target.length) {
        target = this.#block = Buffer.allocUnsafeSlow(blockSize);
        at = 0;
      }
      this.#used = at + size;
    }
    source.copy(target, at, start, end);
    message.payloadSource = target;
    message.payloadStart = at;
    message.payloadEnd = at + size;
  }
}
