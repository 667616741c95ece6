/**
 * The first bytes of the last payload of many topics, in slots of 16 to 256 bytes that stand in pages of 64 KiB. A payload is
 * copied over the one before: nothing is made for a message.
 */

/** Bytes of a payload that are kept. */
export const headBytesMax = 256;

const pageBytes = 65_536;
/** Sizes of slots: 16 << 0 … 16 << 4. The lowest bits of a slot's number tell which. */
const sizes = 5;
const sizeBits = 3;
const sizeMask = 7;
/** Below this a loop is faster than a call. */
const loopBytes = 48;

export class PayloadHeads {
  readonly #pages: Buffer[][] = Array.from({ length: sizes }, () => []);
  readonly #free: number[][] = Array.from({ length: sizes }, () => []);
  readonly #used: number[] = Array.from({ length: sizes }, () => 0);

  /** Bytes a slot takes. @param slot - −1: none */
  static bytesOf(slot: number): number {
    return slot < 0 ? 0 : 16 << (slot & sizeMask);
  }

  /**
   * Copies bytes into a slot.
   *
   * @param slot - −1: none yet
   * @param length - at most {@link headBytesMax}
   * @returns the slot, which is another one when they do not fit
   */
  put(slot: number, source: Uint8Array, start: number, length: number): number {
    const place = slot >= 0 && length <= 16 << (slot & sizeMask) ? slot : this.#larger(slot, length);
    const size = place & sizeMask;
    const number = place >>> sizeBits;
    const page = (this.#pages[size] as Buffer[])[number >>> (12 - size)] as Buffer;
    const at = (number << (4 + size)) & (pageBytes - 1);
    if (length > loopBytes) page.set(source.subarray(start, start + length), at);
    else for (let index = 0; index < length; index++) page[at + index] = source[start + index] as number;
    return place;
  }

  /** A view of what is in a slot, valid until the next `put`. */
  view(slot: number, length: number): Buffer {
    const size = slot & sizeMask;
    const number = slot >>> sizeBits;
    const at = (number << (4 + size)) & (pageBytes - 1);
    return ((this.#pages[size] as Buffer[])[number >>> (12 - size)] as Buffer).subarray(at, at + length);
  }

  /** @returns one character for each byte */
  text(slot: number, length: number): string {
    const size = slot & sizeMask;
    const number = slot >>> sizeBits;
    const at = (number << (4 + size)) & (pageBytes - 1);
    return ((this.#pages[size] as Buffer[])[number >>> (12 - size)] as Buffer).toString('latin1', at, at + length);
  }

  giveBack(slot: number): void {
    if (slot >= 0) (this.#free[slot & sizeMask] as number[]).push(slot);
  }

  #larger(slot: number, length: number): number {
    this.giveBack(slot);
    let size = 0;
    while (16 << size < length) size++;
    const free = (this.#free[size] as number[]).pop();
    if (free !== undefined) return free;
    const number = this.#used[size] as number;
    this.#used[size] = number + 1;
    const pages = this.#pages[size] as Buffer[];
    if (number >>> (12 - size) === pages.length) pages.push(Buffer.allocUnsafeSlow(pageBytes));
    return (number << sizeBits) | size;
  }
}
