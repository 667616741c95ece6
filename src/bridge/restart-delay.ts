/**
 * How long a bridge waits before it tries again: first the base, then a random time between the base and three times the wait
 * before, up to the cap. So bridges that lost the same broker do not come back at the same moment.
 */
import type { Clock } from '../base/clock.ts';
import type { RestartSettings } from './settings.ts';

export class RestartDelay {
  readonly #settings: RestartSettings;
  readonly #clock: Clock;
  #lastMs = 0;

  constructor(settings: RestartSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Whether every wait is the same. */
  get isConstant(): boolean {
    return this.#settings.capSeconds === null;
  }

  /** Milliseconds to wait now. */
  nextMs(): number {
    const { baseSeconds, capSeconds } = this.#settings;
    const baseMs = baseSeconds * 1000;
    if (capSeconds === null) return baseMs;
    const random = this.#clock.randomBytes(2).readUInt16BE(0) / 65_536;
    const longestMs = this.#lastMs * 3;
    const delayMs = this.#lastMs === 0 ? baseMs : baseMs + Math.max(0, longestMs - baseMs) * random;
    this.#lastMs = Math.min(Math.round(delayMs), capSeconds * 1000);
    return this.#lastMs;
  }

  /**
   * An accepted connection is over.
   *
   * @returns whether it lasted long enough for the waits to begin again, which is worth a line
   */
  ended(lastedMs: number): boolean {
    if (this.#lastMs === 0 || lastedMs < this.#settings.stableSeconds * 1000) return false;
    this.#lastMs = 0;
    return true;
  }
}
