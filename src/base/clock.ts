/**
 * Time and randomness as a part that is handed in, so that tests can replace both.
 *
 * Nothing else in the broker reads a clock, makes a timer or draws a random number.
 */
import { builtins } from './builtins.ts';

/** A timer made by {@link Clock.every} or {@link Clock.after}. */
export interface Timer {
  /** Stops the timer; harmless when it has already fired or was cancelled before. */
  cancel(): void;
}

export interface Clock {
  /** Wall clock in milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
  /** Milliseconds that never go back; the origin means nothing. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; such a timer does not keep the process alive (except {@link wakefulClock}'s). */
  after(delayMs: number, callback: () => void): Timer;
  /** Calls back every `periodMs`; such a timer does not keep the process alive (except {@link wakefulClock}'s). */
  every(periodMs: number, callback: () => void): Timer;
  /** Calls back when the input that is already waiting has been handled. */
  soon(callback: () => void): void;
  /** Cryptographically strong random bytes. */
  randomBytes(count: number): Buffer;
  /** 32 random bits that nobody outside sees, for hashes; not good enough for secrets. */
  seed(): number;
}

/** The clock of the machine. */
export function systemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => process.uptime() * 1000,
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    every(periodMs, callback) {
      const timer = setInterval(callback, periodMs);
      timer.unref();
      return { cancel: () => clearInterval(timer) };
    },
    soon: (callback) => void setImmediate(callback),
    randomBytes: (count) => builtins.crypto.randomBytes(count),
    seed: () => (Math.random() * 0x1_0000_0000) | 0,
  };
}

/** The same with timers that keep the process alive: for a program that waits, such as a client that will connect again. */
export function wakefulClock(): Clock {
  return {
    ...systemClock(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    every(periodMs, callback) {
      const timer = setInterval(callback, periodMs);
      return { cancel: () => clearInterval(timer) };
    },
  };
}

interface VirtualTimer {
  dueMs: number;
  readonly periodMs: number;
  readonly callback: () => void;
}

/** A clock that moves only when a test says so; timers fire in order of their due time inside {@link advance}. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<VirtualTimer>();
  #nowMs: number;
  #seed: number;

  /** @param startMs - wall clock at the beginning; @param seed - of the (not secret) random bytes */
  constructor(startMs = 1_800_000_000_000, seed = 1) {
    this.#nowMs = startMs;
    this.#seed = seed;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + delayMs, periodMs: 0, callback });
  }

  every(periodMs: number, callback: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, periodMs, callback });
  }

  /** Due at the next {@link advance}, even by 0. */
  soon(callback: () => void): void {
    this.after(0, callback);
  }

  seed(): number {
    return 1;
  }

  randomBytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let index = 0; index < count; index++) {
      this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
      bytes[index] = this.#seed >>> 16;
    }
    return bytes;
  }

  /** Moves time forward and fires what falls due on the way. */
  advance(milliseconds: number): void {
    const endMs = this.#nowMs + milliseconds;
    for (;;) {
      let next: VirtualTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
      }
      if (next === undefined) break;
      this.#nowMs = next.dueMs;
      if (next.periodMs > 0) next.dueMs += next.periodMs;
      else this.#timers.delete(next);
      next.callback();
    }
    this.#nowMs = endMs;
  }

  #add(timer: VirtualTimer): Timer {
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
}
