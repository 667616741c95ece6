/** One life of a process with a store on a simulated disk: from opening to an end of any kind. */
import { VirtualClock } from '../../src/base/clock.ts';
import type { Fact } from '../../src/contracts/store.ts';
import type { FileStore, FileStoreOptions } from '../../src/store/file-store.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import { canonical, Ledger } from './ledger.ts';
import { LineLog } from './quiet-logger.ts';
import type { Random } from './random.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export const storePath = '/data/mosquitto.db';

export class Life {
  readonly disk: SimulatedDisk;
  readonly clock: VirtualClock;
  readonly log = new LineLog();
  readonly store: FileStore;
  readonly ledger: Ledger;
  /** What the store said at its opening. */
  readonly restored: string;
  /** After each operation: the state, and the store's position. */
  readonly history: { readonly state: string; readonly position: number }[];
  readonly #random: Random;
  /** Highest position that was called safe. */
  committed = 0;

  constructor(disk: SimulatedDisk, random: Random, options: Partial<FileStoreOptions> = {}, startMs = 1.8e12) {
    this.disk = disk;
    this.#random = random;
    this.clock = new VirtualClock(startMs, random.below(1 << 30));
    this.store = openFileStore({
      path: storePath,
      autosaveIntervalSeconds: 0,
      autosaveOnChanges: false,
      clock: this.clock,
      logger: this.log,
      segmentBytes: 8192,
      compactBytes: 20_000,
      disk,
      ...options,
    });
    const facts: Fact[] = [...this.store.restore()];
    this.restored = canonical(facts);
    this.ledger = new Ledger(random, facts);
    this.history = [{ state: canonical(this.ledger.facts()), position: 0 }];
    this.store.onCommitted = () => {
      this.committed = this.store.committed;
    };
    this.store.attach(() => this.ledger.facts());
  }

  /** Does operations, a few at a time, with the disk working in between. */
  async run(operations: number): Promise<void> {
    for (let done = 0; done < operations; ) {
      const together = 1 + this.#random.below(4);
      for (let count = 0; count < together && done < operations; count++, done++) {
        this.ledger.step(this.store);
        this.history.push({ state: canonical(this.ledger.facts()), position: this.store.position });
      }
      await turns(this.#random.below(4));
      if (this.#random.chance(0.05)) this.clock.advance(200);
    }
  }

  /** Lets the disk finish everything. */
  async settle(): Promise<void> {
    await turns(60);
    this.clock.advance(150);
    await turns(20);
  }

  /**
   * The operations after which the store may stand, given what it called safe: which of them fits what was found.
   *
   * @returns number of the operation, −1 when none fits
   */
  find(restored: string): number {
    for (let index = this.history.length - 1; index >= 0; index--) {
      const { state, position } = this.history[index] as { state: string; position: number };
      if (position < this.committed) break;
      if (state === restored) return index;
    }
    return -1;
  }
}

/** Lets what waits for the disk go on, so many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
