/**
 * Numbers that lie close together → values: store ids, sequence numbers.
 *
 * Pages of 32 instead of a Map entry each: a million entries are filled and read several times as fast, nothing is copied while
 * it grows, and the ascending order costs a sort of the pages at most. Numbers that lie far apart cost a page each.
 */
const pageBits = 5;
const pageSize = 1 << pageBits;

class Page<Value> {
  count = 0;
  readonly values = new Array<Value | undefined>(pageSize).fill(undefined);
}

export class NumberTable<Value> {
  /** Number of the page → its values. */
  readonly #pages = new Map<number, Page<Value>>();
  #lastNumber = -1;
  #lastPage: Page<Value> | null = null;
  /** Highest number of a page so far, and whether pages came in ascending order. */
  #highest = -1;
  #isAscending = true;

  get(key: number): Value | undefined {
    return this.#page(Math.floor(key / pageSize))?.values[key & (pageSize - 1)];
  }

  set(key: number, value: Value): void {
    const number = Math.floor(key / pageSize);
    const page = this.#page(number) ?? this.#newPage(number);
    const place = key & (pageSize - 1);
    if (page.values[place] === undefined) page.count++;
    page.values[place] = value;
  }

  delete(key: number): void {
    const number = Math.floor(key / pageSize);
    const page = this.#page(number);
    const place = key & (pageSize - 1);
    if (page === null || page.values[place] === undefined) return;
    page.values[place] = undefined;
    if (--page.count > 0) return;
    this.#pages.delete(number);
    this.#lastNumber = -1;
    this.#lastPage = null;
  }

  clear(): void {
    this.#pages.clear();
    this.#lastNumber = -1;
    this.#lastPage = null;
  }

  /** Calls back for each entry, keys ascending. */
  forEach(call: (value: Value, key: number) => void): void {
    for (const [number, { values }] of this.#sorted()) {
      for (let place = 0; place < pageSize; place++) {
        const value = values[place];
        if (value !== undefined) call(value, number * pageSize + place);
      }
    }
  }

  /** The entries, keys ascending. */
  *entries(): Generator<readonly [number, Value]> {
    for (const [number, { values }] of this.#sorted()) {
      for (let place = 0; place < pageSize; place++) {
        const value = values[place];
        if (value !== undefined) yield [number * pageSize + place, value];
      }
    }
  }

  #sorted(): Iterable<[number, Page<Value>]> {
    return this.#isAscending ? this.#pages : [...this.#pages].sort(([first], [second]) => first - second);
  }

  #page(number: number): Page<Value> | null {
    if (number === this.#lastNumber) return this.#lastPage;
    const page = this.#pages.get(number) ?? null;
    if (page !== null) {
      this.#lastNumber = number;
      this.#lastPage = page;
    }
    return page;
  }

  #newPage(number: number): Page<Value> {
    const page = new Page<Value>();
    this.#pages.set(number, page);
    if (number < this.#highest) this.#isAscending = false;
    else this.#highest = number;
    this.#lastNumber = number;
    this.#lastPage = page;
    return page;
  }
}
