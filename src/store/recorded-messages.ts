/**
 * Which messages snapshot and journal have, so that one is written when something durable first refers to it, and only then.
 *
 * Store ids grow. Of the ids given out before the last snapshot a sorted list says which are in it, eight bytes each; of later
 * ones a bit says whether the journal has them. A message that nothing durable refers to for a while may be left out by a
 * snapshot and is written again when it is needed again.
 */
import type { Message } from '../contracts/message.ts';

/** Ids further away than this are not remembered, so their messages may be written twice; 8 MB of bits. */
const bitsMax = 1 << 26;

export class RecordedMessages {
  /** Highest id that the list is about. */
  #boundary = 0;
  /** Highest id seen. */
  #highest = 0;
  /** Ids up to the boundary, ascending. */
  #listed: Float64Array = new Float64Array(0);
  /** Ids up to the boundary written since. */
  readonly #again = new Set<number>();
  /** Bit n: id boundary + 1 + n is written. */
  #bits = new Uint8Array(1024);

  /** A snapshot of this moment holds the messages with these ids and no others; the list is kept. */
  rebase(storeIds: Float64Array): void {
    this.#listed = storeIds;
    for (let index = 1; index < storeIds.length; index++) {
      if ((storeIds[index] as number) > (storeIds[index - 1] as number)) continue;
      storeIds.sort();
      break;
    }
    this.#boundary = this.#highest = Math.max(this.#highest, this.#listed.at(-1) ?? 0);
    this.#again.clear();
    if (this.#bits.length > 1 << 16) this.#bits = new Uint8Array(1024);
    else this.#bits.fill(0);
  }

  /** Notes that the message is written now; false when it was before. */
  note({ storeId }: Message): boolean {
    const bit = storeId - this.#boundary - 1;
    if (bit < 0) {
      if (this.#again.has(storeId) || this.#isListed(storeId)) return false;
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

  #isListed(storeId: number): boolean {
    let low = 0;
    let high = this.#listed.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#listed[middle] as number) < storeId) low = middle + 1;
      else high = middle;
    }
    return this.#listed[low] === storeId;
  }
}
