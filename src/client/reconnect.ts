/** Whether a client connects again, and when. */
import type { Clock } from '../base/clock.ts';
import { Backoff, type ReconnectPolicy } from './backoff.ts';
import type { ClientError } from './client-error.ts';
import { isTransient } from './transient.ts';

export class Reconnect {
  readonly #policy: ReconnectPolicy | undefined;
  readonly #backoff: Backoff | undefined;

  constructor(policy: ReconnectPolicy | undefined, clock: Clock) {
    this.#policy = policy;
    this.#backoff = policy === undefined ? undefined : new Backoff(policy, clock);
  }

  /** Whether a lost connection is made again at all. */
  get isWanted(): boolean {
    return this.#policy !== undefined;
  }

  /** Milliseconds to wait before the next attempt; undefined: there is none. */
  delayAfter(error: ClientError, hasConnected: boolean): number | undefined {
    const should = this.#policy?.shouldRetry?.(error, hasConnected) ?? (hasConnected && isTransient(error));
    return should ? this.#backoff?.next() : undefined;
  }

  /** A connection was accepted: the waits begin anew. */
  reset(): void {
    this.#backoff?.reset();
  }
}
