/** A set of store ids, which lie close together: a bit each, in small pages, so that growing never copies much. */
const pageBits = 10;
const words = 1 << (pageBits - 5);

export class IdSet {
  /** Number of the page → its bits. */
  readonly #pages = new Map<number, Int32Array>();
  #lastNumber = -1;
  #lastPage: Int32Array = new Int32Array(words);

  /** Adds the id; false when it was there. */
  add(id: number): boolean {
    const page = this.#page(id) ?? this.#newPage(id);
    const word = (id >>> 5) & (words - 1);
    const mask = 1 << (id & 31);
    if (((page[word] as number) & mask) !== 0) return false;
    page[word] = (page[word] as number) | mask;
    return true;
  }

  has(id: number): boolean {
    const page = this.#page(id);
    return page !== undefined && ((page[(id >>> 5) & (words - 1)] as number) & (1 << (id & 31))) !== 0;
  }

  #page(id: number): Int32Array | undefined {
    const number = Math.floor(id / (1 << pageBits));
    if (number === this.#lastNumber) return this.#lastPage;
    const page = this.#pages.get(number);
    if (page !== undefined) {
      this.#lastNumber = number;
      this.#lastPage = page;
    }
    return page;
  }

  #newPage(id: number): Int32Array {
    const page = new Int32Array(words);
    this.#pages.set(Math.floor(id / (1 << pageBits)), page);
    return page;
  }
}
