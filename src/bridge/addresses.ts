/** Which of several brokers to connect to: each in turn; without round robin the first one is where the bridge belongs. */
import type { RemoteAddress } from './settings.ts';

export class Addresses {
  readonly #all: readonly RemoteAddress[];
  readonly #isRoundRobin: boolean;
  #index = 0;

  /** @param all - at least one */
  constructor(all: readonly RemoteAddress[], isRoundRobin: boolean) {
    this.#all = all;
    this.#isRoundRobin = isRoundRobin;
  }

  get current(): RemoteAddress {
    return this.#all[this.#index] as RemoteAddress;
  }

  /** The address to go back to as soon as it answers; null when the bridge is where it belongs. */
  get primary(): RemoteAddress | null {
    return this.#isRoundRobin || this.#index === 0 ? null : (this.#all[0] as RemoteAddress);
  }

  /** The connection could not be made, or is over: the next one's turn. */
  next(): void {
    this.#index = (this.#index + 1) % this.#all.length;
  }

  /** The first one answers again. */
  goBack(): void {
    this.#index = 0;
  }
}
