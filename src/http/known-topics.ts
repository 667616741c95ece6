/**
 * The names of all topics, ready to be searched, while somebody may search: made in the background when a page opens the tree of
 * topics, at once when somebody searches, and given up some minutes after the last of both. Nothing is kept or done otherwise.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { inBatches, othersFirst } from '../base/in-batches.ts';
import type { Engine } from '../broker/engine.ts';
import type { TopicIndex } from '../observe/topic-index.ts';
import { TopicNames } from './topic-names.ts';

/** How long names are kept after the last search, and after the last tree was closed. */
const keptMinutes = 5;
/** Between the steps (1 ms each) while nobody waits: a fifth of the loop's time. */
const restMs = 4;

export class KnownTopics {
  readonly #engine: Pick<Engine, 'retained'>;
  readonly #index: TopicIndex;
  readonly #clock: Clock;
  #names: TopicNames | null = null;
  #ready: Promise<void> | null = null;
  #isUrgent = false;
  #isGathering = false;
  /** Who may search. */
  #holders = 0;
  #end: Timer | null = null;

  constructor(engine: Pick<Engine, 'retained'>, index: TopicIndex, clock: Clock) {
    this.#engine = engine;
    this.#index = index;
    this.#clock = clock;
  }

  /** Whether names are kept now. */
  get isKept(): boolean {
    return this.#names !== null;
  }

  /** Somebody may search, until {@link release}. */
  hold(): void {
    this.#holders++;
    this.#end?.cancel();
    void this.#open();
  }

  release(): void {
    if (--this.#holders === 0) this.#endLater();
  }

  /** Whether there are topics whose names are not in {@link names} yet. */
  get isGathering(): boolean {
    return this.#isGathering;
  }

  /**
   * Every topic of this moment.
   *
   * @param waitMs - after so long those that were gathered by then; absent: all, however long it takes
   */
  async names(waitMs?: number): Promise<TopicNames> {
    this.#isUrgent = true;
    const names = this.#open();
    if (this.#holders === 0) this.#endLater();
    if (waitMs === undefined) await this.#ready;
    else {
      let timer: Timer | null = null;
      const over = new Promise<void>((resolve) => {
        timer = this.#clock.after(waitMs, resolve);
      });
      await Promise.race([this.#ready, over]);
      (timer as Timer | null)?.cancel();
    }
    return names;
  }

  close(): void {
    this.#end?.cancel();
    this.#engine.retained.watcher = null;
    this.#index.watcher = null;
    this.#names = null;
    this.#ready = null;
  }

  #open(): TopicNames {
    if (this.#names !== null) return this.#names;
    const names = new TopicNames(this.#clock.randomBytes(4).readInt32LE());
    this.#names = names;
    this.#isGathering = true;
    this.#ready = this.#fill(names);
    return names;
  }

  async #fill(names: TopicNames): Promise<void> {
    // First, so that nothing is missed that comes or goes during the walks.
    this.#engine.retained.watcher = names;
    this.#index.watcher = names;
    const steps = {
      rest: async () => {
        if (!this.#isUrgent) await new Promise<void>((resolve) => void this.#clock.after(restMs, resolve));
        else await othersFirst(this.#clock);
      },
    };
    const isWanted = (): boolean => this.#names === names;
    await inBatches(
      this.#engine.retained.values(),
      this.#clock,
      (message) => {
        names.stored(message.topic.text, message);
        return isWanted();
      },
      steps,
    );
    await inBatches(
      this.#index.records(),
      this.#clock,
      (record) => {
        names.entered(record);
        return isWanted();
      },
      steps,
    );
    if (!isWanted()) return;
    this.#isUrgent = false;
    this.#isGathering = false;
  }

  #endLater(): void {
    this.#end?.cancel();
    this.#end = this.#clock.after(keptMinutes * 60_000, () => this.close());
  }
}
