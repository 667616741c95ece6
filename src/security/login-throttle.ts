/**
 * Addresses that give bad passwords have to wait.
 *
 * After ten in a row, attempts from that address wait a second before they are looked at, then two, four and eight, ten
 * attempts each time; a good password ends it. A bounded number of attempts may wait, the others are turned away at once, so
 * a storm costs next to nothing and nobody else notices.
 */
import type { Clock, Timer } from '../base/clock.ts';

/** Bad passwords in a row that are answered without delay, and attempts looked at after each delay. */
const freeAttempts = 10;
const firstDelayMs = 1000;
/** Shorter than the time a client has to be let in. */
const longestDelayMs = 8000;
/** Attempts of one address that may wait: all of them are looked at when the delay is over. */
const waitingMax = freeAttempts;
/** Addresses remembered; the one that was quiet the longest is forgotten first. */
const addressesMax = 10_000;
/** An address that was quiet for so long is forgotten. */
const forgetAfterMs = 60_000;

interface Address {
  /** Bad passwords until the next delay. */
  left: number;
  /** Length of the next delay. */
  delayMs: number;
  /** Runs during a delay. */
  timer: Timer | null;
  readonly waiting: (() => void)[];
  badMs: number;
}

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #onDelay: (address: string, seconds: number) => void;
  /** Address → what is known of it; the one with the latest bad password is the last. */
  readonly #addresses = new Map<string, Address>();

  /** @param onDelay - told when an address begins to wait */
  constructor(clock: Clock, onDelay: (address: string, seconds: number) => void) {
    this.#clock = clock;
    this.#onDelay = onDelay;
  }

  /** Whether attempts of the address have to wait now. */
  isHeld(address: string): boolean {
    const known = this.#addresses.get(address);
    return known !== undefined && known.timer !== null;
  }

  /**
   * An attempt of an address that {@link isHeld}.
   *
   * @returns settled when the attempt may be looked at; undefined when too many wait already
   */
  wait(address: string): Promise<void> | undefined {
    const known = this.#addresses.get(address);
    if (known === undefined || known.timer === null) return Promise.resolve();
    if (known.waiting.length >= waitingMax) return undefined;
    return new Promise((resolve) => known.waiting.push(resolve));
  }

  good(address: string): void {
    const known = this.#addresses.get(address);
    if (known === undefined) return;
    this.#addresses.delete(address);
    letGo(known);
  }

  bad(address: string): void {
    const nowMs = this.#clock.monotonicMs();
    let known = this.#addresses.get(address);
    if (known === undefined) {
      this.#forget(nowMs);
      known = { left: freeAttempts, delayMs: firstDelayMs, timer: null, waiting: [], badMs: nowMs };
    }
    this.#addresses.delete(address);
    this.#addresses.set(address, known);
    known.badMs = nowMs;
    if (--known.left <= 0 && known.timer === null) this.#delay(address, known);
  }

  /** Lets everybody go on; nothing waits afterwards. */
  close(): void {
    for (const known of this.#addresses.values()) letGo(known);
    this.#addresses.clear();
  }

  #delay(address: string, known: Address): void {
    this.#onDelay(address, known.delayMs / 1000);
    known.timer = this.#clock.after(known.delayMs, () => {
      known.timer = null;
      known.left = freeAttempts;
      for (const goOn of known.waiting.splice(0)) goOn();
    });
    known.delayMs = Math.min(known.delayMs * 2, longestDelayMs);
  }

  /** Makes room: addresses that were quiet for long, and the oldest when there are too many. */
  #forget(nowMs: number): void {
    for (const [address, known] of this.#addresses) {
      const isFull = this.#addresses.size >= addressesMax;
      if (!isFull && (known.timer !== null || nowMs - known.badMs < forgetAfterMs)) return;
      this.#addresses.delete(address);
      letGo(known);
    }
  }
}

function letGo(known: Address): void {
  known.timer?.cancel();
  known.timer = null;
  for (const goOn of known.waiting.splice(0)) goOn();
}
