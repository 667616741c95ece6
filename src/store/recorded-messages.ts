/**
 * Which messages the journal has since it was begun anew, so that one is written when something durable first refers to it, and
 * only then.
 *
 * Store ids grow. Of those given out since then a bit says whether the journal has the message; of earlier ones a set knows
 * those that were written again, because something new referred to them: the snapshot need not have them any more.
 */
import type { Message } from '../contracts/message.ts';

/** Ids further away than this are not remembered, so their messages may be written twice; 8 MB of bits. */
const bitsMax = 1 << 26;

export class RecordedMessages {
  /** Highest id given out when the journal was begun. */
  #boundary = 0;
  /** Highest id seen. */
  #highest = 0;
  /** Ids up to the boundary written since; bounded with the journal. */
  readonly #again = new Set<number>();
  /** Bit n: id boundary + 1 + n is written. */
  #bits = new Uint8Array(1024);

  /** No message has a higher id, as far as was told. */
  get highest(): number {
    return this.#highest;
  }

  /** There is a message with this id. */
  seen(storeId: number): void {
    if (storeId > this.#highest) this.#highest = storeId;
  }

  /** The journal begins anew and has none. */
  restart(): void {
    this.#boundary = this.#highest;
    this.#again.clear();
    if (this.#bits.length > 1 << 16) this.#bits = new Uint8Array(1024);
    else this.#bits.fill(0);
  }

  /** Notes that the message is written now; false when it was before. */
  note({ storeId }: Message): boolean {
    const bit = storeId - this.#boundary - 1;
    if (bit < 0) {
      if (this.#again.has(storeId)) return false;
      this.#again.add(storeId);
      return true;
    }
    if (storeId > this.#highest) this.#highest = storeId;
    if (bit >= bitsMax) return true;
    const byte = bit >>> 3;
    if (byte >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(this.#bits.length * 2, byte + 1));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    const mask = 1 << (bit & 7);
    const held = this.#bits[byte] as number;
    if ((held & mask) !== 0) return false;
    this.#bits[byte] = held | mask;
    return true;
  }
}
