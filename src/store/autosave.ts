/** When a snapshot is due: every so many seconds, or after so many changes. */
import type { Clock, Timer } from '../base/clock.ts';

export class Autosave {
  readonly #save: () => void;
  readonly #changesMax: number;
  readonly #timer: Timer | null;
  #changes = 0;

  /**
   * @param interval - seconds, or changes with `onChanges`; 0 = never
   * @param onChanges - count changed subscriptions, retained and queued messages instead of time
   */
  constructor(clock: Clock, interval: number, onChanges: boolean, save: () => void) {
    this.#save = save;
    this.#changesMax = onChanges ? interval : 0;
    this.#timer = interval > 0 && !onChanges ? clock.every(interval * 1000, save) : null;
  }

  /** A subscription, a retained message or a queue changed. */
  changed(): void {
    if (this.#changesMax === 0 || ++this.#changes < this.#changesMax) return;
    this.#changes = 0;
    this.#save();
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
