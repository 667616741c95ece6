/** The one-time link of the first start: whoever reads the log makes the first account. */
import type { Clock } from '../base/clock.ts';
import { hashOf } from './login-sessions.ts';

/** How long the link is good. */
export const linkMinutes = 60;

export class FirstRun {
  readonly #clock: Clock;
  #hash: string | null = null;
  #untilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes a new token; one from before is worth nothing any more. */
  issue(): string {
    const token = this.#clock.randomBytes(24).toString('base64url');
    this.#hash = hashOf(token);
    this.#untilMs = this.#clock.monotonicMs() + linkMinutes * 60_000;
    return token;
  }

  /** Whether this is the token; it is used up then. */
  redeem(token: string): boolean {
    if (this.#hash === null || this.#clock.monotonicMs() >= this.#untilMs || hashOf(token) !== this.#hash) return false;
    this.#hash = null;
    return true;
  }
}
