/**
 * The heartbeat of a closed loop: the generator never sleeps and never polls more often than it is useful.
 *
 * A generator that sleeps must be woken by the broker's writes, and waking another core is work of the kernel that is
 * charged to the broker: up to a sixth of its CPU on a virtual machine, and by chance more or less. A generator that
 * polls without pause takes every message out of the socket alone and gets in the broker's way. So each turn of the
 * loop lasts at least a tenth of a millisecond; what is left of it is waited away on the generator's own core. Real
 * clients are on other machines and have neither effect.
 */

/** Shortest turn, in milliseconds. */
const TURN_MS_MIN = 0.1;
/** Longest time between two looks at the clock that was spent here, in milliseconds. */
const GAP_MS_MAX = 0.02;

export class Pacer {
  readonly #onTurn: () => void;
  #turnStartMs = 0;
  #waitedMs = 0;
  #isRunning = false;

  /** @param onTurn - called once per turn, after everything that had arrived was read */
  constructor(onTurn: () => void) {
    this.#onTurn = onTurn;
  }

  /** Time waited away so far: not work, though the operating system counts it as such. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  start(): void {
    this.#isRunning = true;
    this.#turn();
  }

  stop(): void {
    this.#isRunning = false;
  }

  #turn(): void {
    if (!this.#isRunning) return;
    this.#onTurn();
    const until = this.#turnStartMs + TURN_MS_MIN;
    let now = performance.now();
    while (now < until) {
      const before = now;
      now = performance.now();
      // A longer gap is another process on this core, not waiting.
      if (now - before < GAP_MS_MAX) this.#waitedMs += now - before;
    }
    this.#turnStartMs = now;
    setImmediate(() => this.#turn());
  }
}
