/**
 * Calls into the program that embeds a broker: events, messages, log lines.
 *
 * They are made from the event loop, in the order in which things happened, never from inside the broker's own work: a
 * handler may publish, subscribe, kick or close without surprising anybody in the middle of a packet. What waits is what
 * the broker did within one turn of the event loop, so the queue is bounded by what arrives in one turn.
 */
import type { Clock } from '../../base/clock.ts';
import { InvariantViolation } from '../../base/invariant.ts';

/** A call that is still to be made. */
export interface Call {
  /** What is called, for the log: `handler of "connect"`. */
  readonly name: string;
  readonly run: () => unknown;
}

export class CallQueue {
  readonly #clock: Pick<Clock, 'soon'>;
  readonly #onError: (call: Call, error: unknown) => void;
  #waiting: Call[] = [];

  /** @param onError - a call threw, or the promise it returned was rejected; must not throw */
  constructor(clock: Pick<Clock, 'soon'>, onError: (call: Call, error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  push(call: Call): void {
    this.#waiting.push(call);
    if (this.#waiting.length === 1) this.#clock.soon(() => this.runWaiting());
  }

  /**
   * Makes the calls that wait, now. Those that come up meanwhile wait for the next turn, so that handlers that answer each
   * other for ever leave room for everything else.
   *
   * @throws InvariantViolation - passed on: a mistake of ours ends the process (docs/adr/0016)
   */
  runWaiting(): void {
    const calls = this.#waiting;
    this.#waiting = [];
    for (const call of calls) this.#run(call);
  }

  #run(call: Call): void {
    try {
      const result = call.run();
      if (isThenable(result)) void Promise.resolve(result).catch((error: unknown) => this.#onError(call, error));
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      this.#onError(call, error);
    }
  }
}

/** Whether a value of the program is a promise, of whatever make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
