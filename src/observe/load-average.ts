/**
 * Events per minute, averaged with exponential decay, as Unix does for its load.
 *
 * Between two looks at the counter its rate counts as constant; an average over period T forgets the past by e^(−dt/T).
 */

/** The periods and their names in topics. */
export const loadPeriods = [
  { name: '1min', seconds: 60 },
  { name: '5min', seconds: 300 },
  { name: '15min', seconds: 900 },
] as const;

/** Averages of one counter, in the order of {@link loadPeriods}. */
export class LoadAverage {
  readonly #averages: number[] = loadPeriods.map(() => 0);
  #counter: number;

  /** @param counter - its value now; what happened before does not count */
  constructor(counter: number) {
    this.#counter = counter;
  }

  /**
   * Takes a new look at the counter.
   *
   * @param elapsedSeconds - since the last look, above 0
   * @returns events per minute for each period; the same array every time
   */
  update(counter: number, elapsedSeconds: number): readonly number[] {
    const rate = ((counter - this.#counter) * 60) / elapsedSeconds;
    this.#counter = counter;
    for (const [index, period] of loadPeriods.entries()) {
      const previous = this.#averages[index] ?? 0;
      this.#averages[index] = rate + Math.exp(-elapsedSeconds / period.seconds) * (previous - rate);
    }
    return this.#averages;
  }
}
