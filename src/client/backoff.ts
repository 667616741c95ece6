import type { Clock } from '../base/clock.ts';
import type { ClientError } from './client-error.ts';

/** How a client waits before it connects again. */
export interface ReconnectPolicy {
  /** Wait before the first attempt, milliseconds. */
  readonly initialDelayMs: number;
  /** Longest wait; each failure doubles the wait up to here. */
  readonly maximumDelayMs: number;
  /** Share of the wait that is random, 0..1, so that many clients do not come back at the same moment. Default 0. */
  readonly jitter?: number;
  /**
   * Whether another attempt makes sense; the default is yes for everything that may go well later, but only after a first
   * connection was accepted.
   */
  shouldRetry?(error: ClientError, hasConnected: boolean): boolean;
}

/** The waits of one client. */
export class Backoff {
  readonly #policy: ReconnectPolicy;
  readonly #clock: Clock;
  #failures = 0;

  constructor(policy: ReconnectPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Milliseconds to wait now; the next one is longer. */
  next(): number {
    const { initialDelayMs, maximumDelayMs, jitter = 0 } = this.#policy;
    const delay = Math.min(maximumDelayMs, initialDelayMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    const random = (this.#clock.randomBytes(2).readUInt16BE(0) / 65_536) * jitter;
    return Math.round(delay * (1 - random));
  }

  /** A connection was accepted. */
  reset(): void {
    this.#failures = 0;
  }
}
