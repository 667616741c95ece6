/** Checks of who somebody is, so many at a time: what they run on is shared, and they must not pile up without bound. */

interface Job {
  readonly run: () => Promise<void>;
}

export class CheckQueue {
  readonly #concurrent: number;
  readonly #waitingMax: number;
  #running = 0;
  #waiting: Job[] = [];
  #next = 0;

  /**
   * @param concurrent - checks at the same time, at least 1
   * @param waitingMax - checks that may wait; each holds what one client showed
   */
  constructor(concurrent: number, waitingMax: number) {
    this.#concurrent = concurrent;
    this.#waitingMax = waitingMax;
  }

  /** Checks that wait. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /**
   * Runs a check when its turn comes.
   *
   * @param check - may find by then that nobody needs its answer any more, and answer at once
   * @returns undefined when too many wait already
   */
  run<Answer>(check: () => Promise<Answer> | Answer): Promise<Answer> | undefined {
    if (this.#running >= this.#concurrent && this.waiting >= this.#waitingMax) return undefined;
    return new Promise<Answer>((resolve, reject) => {
      const job: Job = {
        run: async () => {
          try {
            resolve(await check());
          } catch (error) {
            reject(error as Error);
          }
        },
      };
      if (this.#running < this.#concurrent) void this.#start(job);
      else this.#waiting.push(job);
    });
  }

  async #start(first: Job): Promise<void> {
    this.#running++;
    for (let job: Job | undefined = first; job !== undefined; job = this.#take()) await job.run();
    this.#running--;
  }

  #take(): Job | undefined {
    const job = this.#waiting[this.#next];
    if (job === undefined) return undefined;
    this.#next++;
    if (this.#next === this.#waiting.length || this.#next === 1024) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return job;
  }
}
