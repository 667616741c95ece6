/**
 * Pages of a sorted list: the cursor is the place of the last row, so that rows may come and go in between. Only one page is held
 * and sorted, however long the list is.
 */
import { HttpProblem } from './problem.ts';

export const defaultLimit = 100;

/** Where a row stands: what it is sorted by, then its name. */
export interface Place {
  readonly key: string | number;
  readonly name: string;
}

export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  readonly order?: 'ascending' | 'descending' | undefined;
}

export class Page<P extends Place> {
  readonly #limit: number;
  readonly #sign: 1 | -1;
  readonly #after: Place | null;
  readonly #rows: P[] = [];
  #total = 0;
  #hasMore = false;

  /** @throws HttpProblem - 400 for a cursor of something else */
  constructor({ cursor, limit = defaultLimit, order = 'ascending' }: PageRequest) {
    this.#limit = limit;
    this.#sign = order === 'ascending' ? 1 : -1;
    this.#after = cursor === undefined ? null : decode(cursor);
  }

  /** Takes one of the rows of the whole list, in any order. */
  add(row: P): void {
    this.#total++;
    if (this.#after !== null && compare(row, this.#after) * this.#sign <= 0) return;
    const rows = this.#rows;
    const last = rows.at(-1);
    const isFull = rows.length === this.#limit;
    if (isFull) {
      this.#hasMore = true;
      if (last !== undefined && compare(row, last) * this.#sign > 0) return;
      rows.pop();
    }
    rows.splice(this.#placeFor(row), 0, row);
  }

  get rows(): readonly P[] {
    return this.#rows;
  }

  /** Rows of the whole list. */
  get total(): number {
    return this.#total;
  }

  /** Null at the end. */
  get nextCursor(): string | null {
    const last = this.#rows.at(-1);
    return this.#hasMore && last !== undefined ? encode(last) : null;
  }

  #placeFor(row: P): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#rows[middle] as P, row) * this.#sign < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(one: Place, other: Place): number {
  if (one.key !== other.key) return one.key < other.key ? -1 : 1;
  return one.name === other.name ? 0 : one.name < other.name ? -1 : 1;
}

function encode({ key, name }: Place): string {
  return Buffer.from(JSON.stringify([key, name])).toString('base64url');
}

function decode(cursor: string): Place {
  try {
    const [key, name] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [unknown, unknown];
    if ((typeof key === 'string' || typeof key === 'number') && typeof name === 'string') return { key, name };
  } catch {
    // Falls through to the problem.
  }
  throw new HttpProblem(400, 'invalid-field', 'query: cursor: not one of this list', 'cursor');
}
