/** One life of a process with a store on a simulated disk: from opening to an end of any kind. */
import { VirtualClock } from '../../src/base/clock.ts';
import type { Fact } from '../../src/contracts/store.ts';
import type { FileStore } from '../../src/store/file-store.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import type { FileStoreOptions } from '../../src/store/file-store-options.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { canonical, Ledger } from './ledger.ts';
import { LineLog } from './quiet-logger.ts';
import { Random } from './random.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export const storePath = '/data/mosquitto.db';

/** So small that segments are full, snapshots written and groups large after a few operations. */
export const smallStore = {
  ...{ path: storePath, autosaveIntervalSeconds: 0, autosaveOnChanges: false },
  ...{ segmentBytes: 8192, compactBytes: 20_000, blockBytes: 300, gatherAbove: 12 },
};

export class Life {
  readonly disk: SimulatedDisk;
  readonly clock: VirtualClock;
  readonly log = new LineLog();
  readonly store: FileStore;
  readonly ledger: Ledger;
  /** What the store said at its opening. */
  readonly restored: string;
  /** After each operation: the store's position. */
  readonly positions: number[] = [0];
  /** When each operation was done, by the clock of this life. */
  readonly times: number[] = [];
  /** Calls of the store's verbs so far. */
  calls = 0;
  /** The process ends at this call of a verb. */
  endAtCall = Number.POSITIVE_INFINITY;
  /** Called before each call of a verb. */
  onCall: (() => void) | null = null;
  /** Called when more was called safe. */
  onSafe: (() => void) | null = null;
  readonly #told: FileStore;
  readonly #facts: readonly Fact[];
  readonly #ledgerSeed: number;
  /** Does the operations a second time, for {@link find}. */
  #replayed: Ledger | null = null;
  /** The state after each operation, null for those that were safe before anybody asked. */
  readonly #states: (string | null)[] = [];
  readonly #random: Random;
  /** Highest position that was called safe. */
  committed = 0;

  constructor(disk: SimulatedDisk, random: Random, options: Partial<FileStoreOptions> = {}, startMs = 1.8e12) {
    this.disk = disk;
    this.#random = random;
    this.clock = new VirtualClock(startMs, random.below(1 << 30));
    this.store = openFileStore({ ...smallStore, clock: this.clock, logger: this.log, disk, ...options });
    this.#facts = [...this.store.restore()];
    this.#ledgerSeed = random.below(1 << 30);
    this.restored = canonical(this.#facts);
    this.ledger = new Ledger(new Random(this.#ledgerSeed), this.#facts);
    this.store.onCommitted = () => {
      this.committed = this.store.committed;
      this.onSafe?.();
    };
    this.store.attach(() => this.ledger.facts());
    this.#told = this.#counted();
  }

  /** Does operations, a few at a time, with the disk working in between. */
  async run(operations: number): Promise<void> {
    for (let done = 0; done < operations && !this.disk.isGone; ) {
      const together = 1 + this.#random.below(this.#random.pick([4, 4, 4, 30]));
      for (let count = 0; count < together && done < operations; count++, done++) {
        this.times.push(this.clock.nowMs());
        this.ledger.step(this.#told);
        if (this.disk.isGone) return;
        this.positions.push(this.store.position);
      }
      await turns(this.#random.below(4));
      // What gathers has gathered.
      if (this.#random.chance(0.4)) this.clock.advance(1);
      if (this.#random.chance(0.05)) {
        // Time passes for the disk as well, which does a few things in 10 ms.
        for (let step = 0; step < 10; step++) {
          this.clock.advance(10);
          await turns(3);
        }
      }
    }
  }

  /** The store with a process around it that may end at any call. */
  #counted(): FileStore {
    return new Proxy(this.store, {
      get: (store, name) => {
        const value: unknown = Reflect.get(store, name, store);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          this.onCall?.();
          if (++this.calls === this.endAtCall) this.disk.end();
          if (!this.disk.isGone) Reflect.apply(value, store, args);
        };
      },
    });
  }

  /** Lets the disk finish everything. */
  async settle(): Promise<void> {
    await turns(60);
    this.clock.advance(150);
    await turns(20);
  }

  /** The state after the last operation. */
  get state(): string {
    return canonical(this.ledger.facts());
  }

  /**
   * Looks for what was found afterwards among the states that are allowed: after the operation that reached the position, or
   * after any later one.
   *
   * @param position - never lower than the last time
   * @returns number of the operation, −1 when none fits
   */
  find(restored: string, position: number): number {
    // The operations are done again, by themselves: the same seed makes the same ones.
    this.#replayed ??= this.#again();
    for (let index = this.#states.length; index < this.positions.length; index++) {
      if (index > 0) this.#replayed.step(nobody);
      const isAllowed = (this.positions[index] as number) >= position;
      this.#states.push(isAllowed ? canonical(this.#replayed.facts()) : null);
    }
    const found = this.#states.lastIndexOf(restored);
    return found >= 0 && (this.positions[found] as number) >= position ? found : -1;
  }

  /** As {@link find}, for a life that is asked once. */
  findOnce(restored: string, position: number): number {
    const summary = restored.slice(0, restored.indexOf('\n'));
    const ledger = this.#again();
    let found = -1;
    for (const [index, reached] of this.positions.entries()) {
      if (index > 0) ledger.step(nobody);
      if (reached < position || ledger.summary !== summary) continue;
      if (canonical(ledger.facts()) === restored) found = index;
    }
    return found;
  }

  #again(): Ledger {
    return new Ledger(new Random(this.#ledgerSeed), this.#facts);
  }
}

const nobody = createMemoryStore();

/** What a process finds that starts on the disk and ends at once. */
export function startOn(disk: SimulatedDisk, random: Random, nowMs: number): Pick<Life, 'restored' | 'log'> {
  const log = new LineLog();
  const clock = new VirtualClock(nowMs, random.below(1 << 30));
  const store = openFileStore({ ...smallStore, clock, logger: log, disk });
  const restored = canonical(store.restore());
  disk.end();
  return { restored, log };
}

/** Lets what waits for the disk go on, so many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
