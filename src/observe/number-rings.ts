/**
 * The last {@link ringLength} numbers of many topics, 240 bytes each, in pages that are made when they are needed.
 *
 * Values are kept with seven digits, which is what a line of a few pixels shows.
 */
export const ringLength = 60;
export const ringBytes = ringLength * 4 + 8;

const ringsPerPage = 256;

export class NumberRings {
  readonly #pages: Float32Array[] = [];
  /** By ring: numbers ever added. */
  readonly #added: Float64Array[] = [];
  readonly #free: number[] = [];
  #used = 0;

  /** @returns the ring's number */
  take(): number {
    const ring = this.#free.pop() ?? this.#used++;
    if (ring >> 8 === this.#pages.length) {
      this.#pages.push(new Float32Array(ringsPerPage * ringLength));
      this.#added.push(new Float64Array(ringsPerPage));
    }
    (this.#added[ring >> 8] as Float64Array)[ring & 255] = 0;
    return ring;
  }

  giveBack(ring: number): void {
    this.#free.push(ring);
  }

  add(ring: number, value: number): void {
    const added = this.#added[ring >> 8] as Float64Array;
    const count = added[ring & 255] as number;
    (this.#pages[ring >> 8] as Float32Array)[(ring & 255) * ringLength + (count % ringLength)] = value;
    added[ring & 255] = count + 1;
  }

  /** Numbers ever added to the ring. */
  added(ring: number): number {
    return (this.#added[ring >> 8] as Float64Array)[ring & 255] as number;
  }

  /** Those that are kept and were added after the first `from`, oldest first. */
  valuesFrom(ring: number, from: number): number[] {
    const page = this.#pages[ring >> 8] as Float32Array;
    const count = this.added(ring);
    const start = (ring & 255) * ringLength;
    const values: number[] = [];
    for (let index = Math.max(from, count - ringLength); index < count; index++) {
      values.push(Number((page[start + (index % ringLength)] as number).toPrecision(7)));
    }
    return values;
  }
}
