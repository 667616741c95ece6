/**
 * Calls into the program that embeds a broker: events, messages, log lines.
 *
 * They are made from the event loop, in the order in which things happened, never from inside the broker's own work: a
 * handler may publish, subscribe, kick or close without surprising anybody in the middle of a packet. What waits is what
 * the broker did within one turn of the event loop, so the queue is bounded by what arrives in one turn.
 */
import type { Clock } from '../../base/clock.ts';
import { InvariantViolation } from '../../base/invariant.ts';

/** Who is called. */
export interface Receiver {
  /** For the log: `handler of "connect"`. */
  readonly name: string;
  /** Whether it still wants to be called. */
  isActive: boolean;
}

interface Call {
  readonly receiver: Receiver;
  readonly run: () => unknown;
}

export class CallQueue {
  readonly #clock: Pick<Clock, 'soon'>;
  readonly #onError: (receiver: Receiver, error: unknown) => void;
  #waiting: Call[] = [];

  /** @param onError - a call threw, or the promise it returned was rejected; must not throw */
  constructor(clock: Pick<Clock, 'soon'>, onError: (receiver: Receiver, error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Calls later, unless the receiver does not want it any more by then. */
  push(receiver: Receiver, run: () => unknown): void {
    this.#waiting.push({ receiver, run });
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
    for (const { receiver, run } of calls) if (receiver.isActive) this.#run(receiver, run);
  }

  #run(receiver: Receiver, run: () => unknown): void {
    try {
      const result = run();
      if (isThenable(result)) void Promise.resolve(result).catch((error: unknown) => this.#onError(receiver, error));
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      this.#onError(receiver, error);
    }
  }
}

/** Whether a value of the program is a promise, of whatever make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
