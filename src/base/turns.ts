/**
 * Work without an end in sight, a slice at a time, in between what arrives.
 *
 * All who have such work stand in one line: a hundred clients that fetch their queues at once hold the others up no longer than one
 * does. A turn is one round of the event loop; it takes those at the front, for a millisecond at most and a last slice, and
 * who has more to do goes to the end of the line. What arrives is handled before the next turn.
 */
import type { Clock } from './clock.ts';

/** Somebody with work to do, such as a session that sends what waits. Stands in the line at most once. */
export interface TurnTaker {
  /**
   * Does a slice of the work: some tenths of a millisecond.
   *
   * @returns whether there is more that could be done at once
   */
  takeTurn(): boolean;
}

/** Time one turn takes, beside its last slice. */
const turnMs = 1;
/** Slices of one turn, whatever the clock says. */
const slicesMax = 32;

export class Turns {
  readonly #clock: Clock;
  readonly #begin: () => void;
  /** Bounded by whoever takes turns: one place for each session, connection and thing to be cleared away. */
  #line: TurnTaker[] = [];
  readonly #run = (): void => this.#turn();

  /** @param begin - called before each turn */
  constructor(clock: Clock, begin: () => void) {
    this.#clock = clock;
    this.#begin = begin;
  }

  /** How many stand in the line. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Goes to the end of the line; the first turn is taken when the input that waits now has been handled. */
  add(taker: TurnTaker): void {
    this.#line.push(taker);
    if (this.#line.length === 1) this.#clock.soon(this.#run);
  }

  #turn(): void {
    this.#begin();
    const endMs = this.#clock.monotonicMs() + turnMs;
    const line = this.#line;
    let taken = 0;
    while (taken < line.length && taken < slicesMax) {
      const taker = line[taken++] as TurnTaker;
      if (taker.takeTurn()) line.push(taker);
      if (this.#clock.monotonicMs() >= endMs) break;
    }
    line.splice(0, taken);
    if (line.length > 0) this.#clock.soon(this.#run);
  }
}
