/**
 * Latencies of single messages, without the time in which this process did not run.
 *
 * The generator looks at the clock at every step, and no step takes longer than some microseconds. A gap between two looks is
 * time in which it was not running: another process had its core, or its own garbage was collected. A message that was on its
 * way during such a gap may have lain in its socket unread, so its latency says nothing about the broker. It is not counted,
 * and the share of those messages is reported.
 */

/** Longest time between two looks that is still work, in milliseconds. */
export const GAP_MS_MAX = 0.2;

export class Stopwatch {
  /** Messages that were on their way while the generator did not run. */
  disturbed = 0;
  /** All gaps together, in milliseconds. */
  stoppedMs = 0;
  #samplesMs = new Float64Array(0);
  #count = 0;
  #lastLookMs: number;
  #gapEndMs = Number.NEGATIVE_INFINITY;
  #measureFromMs = Number.POSITIVE_INFINITY;

  /** @param nowMs - reading of the clock that all other times are readings of */
  constructor(nowMs: number) {
    this.#lastLookMs = nowMs;
  }

  /** Begins to count. @param samplesMax - further messages are not kept */
  begin(nowMs: number, samplesMax: number): void {
    this.look(nowMs);
    this.#measureFromMs = nowMs;
    this.#samplesMs = new Float64Array(samplesMax);
    this.stoppedMs = 0;
  }

  /** A reading of the clock. @returns how long the generator did not run since the last one; 0 when it did, in milliseconds */
  look(nowMs: number): number {
    const gapMs = nowMs - this.#lastLookMs;
    this.#lastLookMs = nowMs;
    if (gapMs <= GAP_MS_MAX) return 0;
    this.#gapEndMs = nowMs;
    this.stoppedMs += gapMs;
    return gapMs;
  }

  /** A message has arrived. */
  note(sentMs: number, nowMs: number): void {
    this.look(nowMs);
    if (sentMs < this.#measureFromMs) return;
    if (sentMs < this.#gapEndMs) this.disturbed++;
    else if (this.#count < this.#samplesMs.length) this.#samplesMs[this.#count++] = nowMs - sentMs;
  }

  get counted(): number {
    return this.#count;
  }

  /** Latencies in milliseconds, the shortest first. */
  sorted(): Float64Array {
    return this.#samplesMs.subarray(0, this.#count).sort();
  }
}
