/**
 * The journal: records appended in memory, written in groups, one write and one fdatasync under way at a time.
 *
 * Whatever is told while a group is written becomes the next one, so the group grows with the load and the cost per record
 * shrinks. After a large group the next one gathers for two more milliseconds: larger groups are fewer
 * syncs and fewer writes of acknowledgements. A group is a batch (segment-format.ts) and counts as a whole. When a write or a
 * sync fails nothing is assumed about what reached the disk: the batches not known to be safe are kept and written again to
 * another segment, as often as it takes.
 */
import type { Timer } from '../base/clock.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { JournalOptions } from './journal-options.ts';
import type { RecordType } from './record.ts';
import { beginRecord, endRecord } from './record.ts';
import type { OpenSegment, SegmentFiles } from './segment-files.ts';
import { beginBatch, encodeSyncedMark, newBatch, sealBatch } from './segment-format.ts';

interface Batch {
  readonly number: number;
  readonly bytes: Buffer;
  readonly length: number;
  /** Position of its last fact. */
  readonly position: number;
  /** Its buffer, to be used again. */
  readonly writer: ByteWriter | null;
}

/** Larger buffers are let go after a burst. */
const keptCapacity = 1 << 21;
const retryMs = 1000;
const markAfterMs = 100;
/** How long a group gathers after a large one. */
const gatherMs = 2;

export class Journal {
  readonly #options: JournalOptions;
  readonly #segments: SegmentFiles;
  /** Position of the last fact told. */
  position = 0;
  /** Bytes written since the last base. */
  bytesSinceBase = 0;
  /** Writes after which something more was safe, and the seconds they took in all. */
  readonly commits = { count: 0, seconds: 0 };

  #filling = newBatch();
  #recordStart = 0;
  /** Records in it. */
  #count = 0;
  /** Position of the last fact in a sealed batch, or dropped. */
  #sealedPosition = 0;
  /** Facts in the batch sealed last, and when it was safe. */
  #lastFacts = 0;
  #lastEndMs = 0;
  readonly #gatherAbove: number;
  #gathering: Timer | null = null;
  #spare: ByteWriter | null = null;
  #nextBatch: number;
  /** Sealed and not known to be safe, in order. */
  #pending: Batch[] = [];
  /** How many of them are in the present segment. */
  #writtenCount = 0;
  #segment: OpenSegment | null = null;
  #syncedBatch = 0;
  #lastBatch = 0;
  #isSynced = true;
  #markedBatch = 0;
  #boundary: ((nextBatch: number, position: number) => void) | null = null;

  /** Whether nothing is encoded because a snapshot has to come first. */
  #isHeld = false;
  /** Whether nothing is written, because the snapshot it builds on is not on disk yet. */
  #isPaused = false;
  #isRunning = false;
  #isScheduled = false;
  /** Whether the last attempt failed; nothing is tried until the next one is due. */
  #isFailing = false;
  #failure: unknown = null;
  /** Whether trouble was reported and is not over. */
  #hasFailed = false;
  #isClosed = false;
  #isSyncDue = false;
  #retry: Timer | null = null;
  #mark: Timer | null = null;
  readonly #syncTimer: Timer | null;
  #idle: (() => void) | null = null;
  /** Who waits until everything told by then is synced. */
  readonly #flushes: { readonly position: number; resolve(): void; reject(error: unknown): void }[] = [];

  /** @param isHeld - begin as after {@link hold} */
  constructor(segments: SegmentFiles, options: JournalOptions, isHeld: boolean) {
    this.#segments = segments;
    this.#options = options;
    this.#gatherAbove = options.gatherAbove ?? 600;
    this.#nextBatch = options.nextBatch;
    this.#syncedBatch = this.#markedBatch = options.nextBatch - 1;
    this.#syncTimer =
      options.level.kind === 'interval'
        ? options.clock.every(options.level.milliseconds, () => {
            if (this.#isSynced) return;
            this.#isSyncDue = true;
            this.#schedule();
          })
        : null;
    segments.prepare();
    if (isHeld) this.hold();
  }

  /** Whether nothing is kept until a snapshot has begun. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether what is told is written as soon as the group ahead is safe. */
  get isFlowing(): boolean {
    return !this.#isPaused && !this.#hasFailed;
  }

  /**
   * A fact was told; its records follow, at once or when its group is sealed.
   *
   * @returns false while nothing is kept, so that there is nothing to write
   */
  told(): boolean {
    this.position++;
    if (this.#isHeld) return false;
    this.#schedule();
    return true;
  }

  /** The next record's bytes go here, between {@link begin} and {@link end}; not while the journal is held. */
  begin(type: RecordType): ByteWriter {
    this.#recordStart = beginRecord(this.#filling, type);
    return this.#filling;
  }

  /** The record is complete. */
  end(): void {
    endRecord(this.#filling, this.#recordStart, this.#options.salt);
    this.#count++;
    if ((this.#isFailing || this.#isPaused) && !this.#isRunning) this.#checkBound();
  }

  /**
   * Calls back as soon as everything told is in batches of a lower number than the one it is given: the place where a snapshot
   * continues what the journal has. The callback tells nothing.
   */
  atBoundary(callback: (nextBatch: number, position: number) => void): void {
    if (!this.#hasTold || this.#isFailing) {
      if (this.#hasTold) this.#seal();
      callback(this.#nextBatch, this.position);
      return;
    }
    this.#boundary = callback;
    this.#schedule();
  }

  /**
   * Makes everything told so far survive a power cut, at every level.
   *
   * @throws the disk's error, also when it is failing already; and when the journal is held meanwhile
   */
  async flush(): Promise<void> {
    if (this.#isHeld || this.#isPaused) throw new Error('the journal is held');
    if (this.#isFailing) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#flushes.push({ position: this.position, resolve, reject });
      this.#isSyncDue = true;
      this.#schedule();
    });
  }

  /** Forgets what is not safe yet and keeps nothing until {@link startBase}: a snapshot is to hold everything. */
  hold(): void {
    this.#isHeld = true;
    this.#isPaused = true;
    this.#isFailing = false;
    this.#retry?.cancel();
    this.#gathering?.cancel();
    this.#gathering = null;
    this.#drop();
    this.#giveUpFlushes(new Error('the journal is held'));
  }

  /** A snapshot of this very moment is being written: what is told from now on is kept, and written once it is there. */
  startBase(): number {
    this.#isHeld = false;
    this.#drop();
    return this.#nextBatch;
  }

  /**
   * A snapshot is on disk.
   *
   * @param firstBatch - first batch that is not in it
   * @param position - of the last fact in it
   */
  baseIsSafe(firstBatch: number, position: number, bytesSince: number): void {
    this.bytesSinceBase -= bytesSince;
    while ((this.#pending[0]?.number ?? firstBatch) < firstBatch) {
      if (this.#isRunning) break;
      this.#pending.shift();
      if (this.#writtenCount > 0) this.#writtenCount--;
    }
    if (this.#hasFailed && this.#pending.length === 0 && !this.#isRunning) this.#recovered();
    this.#options.onCommitted(position);
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#schedule();
  }

  /** Writes and syncs everything told, then lets go of the files. Gives up at the first failure. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#mark?.cancel();
    this.#syncTimer?.cancel();
    this.#isSyncDue = !this.#isSynced;
    if (!this.#isHeld && !this.#isPaused) {
      this.#isFailing = false;
      this.#schedule();
    }
    if (this.#isRunning || this.#isScheduled) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.#segment?.file.close().catch(() => {});
    this.#segment = null;
    await this.#segments.close();
  }

  /** Whether something was told that is in no batch yet. */
  get #hasTold(): boolean {
    return this.position !== this.#sealedPosition;
  }

  /** Whether somebody waits for the disk itself. */
  get #isUrgent(): boolean {
    return this.#boundary !== null || this.#isSyncDue || this.#isClosed;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isRunning || this.#isPaused || this.#isFailing) return;
    const start = (): void => {
      this.#isScheduled = false;
      this.#gathering = null;
      this.#isRunning = true;
      void this.#run();
    };
    if (this.#gathering !== null) {
      if (!this.#isUrgent) return;
      this.#gathering.cancel();
      this.#gathering = null;
    } else if (this.#lastFacts >= this.#gatherAbove && !this.#isUrgent) {
      if (this.#options.clock.monotonicMs() - this.#lastEndMs < gatherMs) {
        this.#gathering = this.#options.clock.after(gatherMs, start);
        return;
      }
    }
    this.#isScheduled = true;
    // After this turn's input, so that all of it is one group.
    setImmediate(start);
  }

  async #run(): Promise<void> {
    this.#mark?.cancel();
    try {
      while (!this.#isPaused) {
        if (this.#hasTold) this.#seal();
        const boundary = this.#boundary;
        this.#boundary = null;
        boundary?.(this.#nextBatch, this.position);
        if (this.#pending.length === 0 && !this.#isSyncDue) break;
        await this.#write();
        if (this.#lastFacts >= this.#gatherAbove && !this.#isUrgent) break;
      }
      this.#isRunning = false;
      this.#markLater();
    } catch (error) {
      // From now on nothing is held back.
      this.#options.onSeal();
      this.#isRunning = false;
      await this.#fail(error);
    }
    this.#idle?.();
    this.#idle = null;
    if (this.#hasTold || this.#boundary !== null || this.#isSyncDue) this.#schedule();
  }

  #seal(): void {
    this.#options.onSeal();
    const writer = this.#filling;
    const number = this.#nextBatch++;
    sealBatch(writer, number, this.#syncedBatch, this.#count, this.#options.salt);
    this.#pending.push({ number, bytes: writer.bytes, length: writer.length, position: this.position, writer });
    this.#filling = this.#spare ?? newBatch();
    this.#spare = null;
    this.#count = 0;
    this.#lastFacts = this.position - this.#sealedPosition;
    this.#sealedPosition = this.position;
  }

  async #write(): Promise<void> {
    const { level } = this.#options;
    const startMs = this.#options.clock.monotonicMs();
    const pending = this.#pending;
    if (this.#segment !== null && this.#isSynced && this.#writtenCount === 0) {
      const bytes = pending.reduce((sum, { length }) => sum + length, 0);
      this.#segment = await this.#segments.endBefore(this.#segment, bytes);
    }
    if (this.#segment === null && pending.length > 0) {
      this.#segment = await this.#segments.begin(pending[0]?.number ?? this.#nextBatch);
      this.#segments.prepare();
    }
    const segment = this.#segment;
    if (segment === null) {
      this.#isSyncDue = false;
      this.#endFlushes(this.position);
      return;
    }
    const count = pending.length;
    for (let index = this.#writtenCount; index < count; index++) {
      const { bytes, length, number } = pending[index] as Batch;
      await segment.file.write(bytes, 0, length, segment.end);
      segment.end += length;
      this.bytesSinceBase += length;
      this.#lastBatch = number;
      this.#writtenCount = index + 1;
      this.#isSynced = false;
    }
    const isDone = this.#segments.isDone(segment);
    if (level.kind === 'commit' || this.#isSyncDue || isDone) {
      this.#isSyncDue = false;
      // A sync with nothing to do would still fail on a disk that fails, and no later write would tell that it is over.
      if (!this.#isSynced) await segment.file.sync();
      this.#isSynced = true;
      this.#syncedBatch = this.#lastBatch;
    }
    const done = pending.splice(0, count);
    this.#writtenCount = 0;
    for (const { writer } of done) this.#recycle(writer);
    if (isDone) {
      this.#segment = null;
      await segment.file.close();
    }
    if (this.#hasFailed) this.#recovered();
    const position = done.at(-1)?.position ?? 0;
    if (this.#isSynced) this.#endFlushes(this.#hasTold || pending.length > 0 ? position : this.position);
    if (position === 0) return;
    this.commits.count++;
    this.#lastEndMs = this.#options.clock.monotonicMs();
    this.commits.seconds += (this.#lastEndMs - startMs) / 1000;
    this.#options.onCommitted(position);
  }

  /** Everything up to the position is synced. */
  #endFlushes(position: number): void {
    while (this.#flushes.length > 0 && (this.#flushes[0]?.position ?? 0) <= position) this.#flushes.shift()?.resolve();
    // What was told after the last write is in the next one.
    if (this.#flushes.length > 0) this.#isSyncDue = true;
  }

  #giveUpFlushes(error: unknown): void {
    for (const { reject } of this.#flushes.splice(0)) reject(error);
  }

  #recovered(): void {
    this.#hasFailed = false;
    this.#isFailing = false;
    this.#retry?.cancel();
    this.#options.onTrouble(null);
  }

  async #fail(error: unknown): Promise<void> {
    const segment = this.#segment;
    this.#segment = null;
    this.#writtenCount = 0;
    this.#isFailing = true;
    this.#failure = error;
    this.#giveUpFlushes(error);
    if (!this.#hasFailed) this.#options.onTrouble(error);
    this.#hasFailed = true;
    await segment?.file.close().catch(() => {});
    if (this.#isClosed) return;
    if (this.#options.level.kind !== 'commit') {
      // Batches that were let go of after their write may be lost with it.
      this.#isFailing = false;
      this.#options.onOverflow();
      return;
    }
    this.#checkBound();
    this.#retry = this.#options.clock.after(retryMs, () => {
      this.#isFailing = false;
      this.#schedule();
    });
  }

  #checkBound(): void {
    let bytes = this.#filling.length;
    for (const batch of this.#pending) bytes += batch.length;
    if (bytes > this.#options.pendingBytesMax) this.#options.onOverflow();
  }

  /** Forgets everything that is not safe. */
  #drop(): void {
    this.#pending = [];
    this.#writtenCount = 0;
    this.#count = 0;
    this.#sealedPosition = this.position;
    this.#filling = newBatch();
    this.#isSyncDue = false;
  }

  #recycle(writer: ByteWriter | null): void {
    if (writer === null || this.#spare !== null || writer.bytes.length > keptCapacity) return;
    beginBatch(writer);
    this.#spare = writer;
  }

  /** After a while without work, says in the segment that its last batch is safe. */
  #markLater(): void {
    if (!this.#isSynced || this.#markedBatch === this.#syncedBatch || this.#isClosed) return;
    this.#mark = this.#options.clock.after(markAfterMs, () => {
      if (this.#isRunning || this.#isScheduled || this.#gathering !== null || this.#isFailing || this.#isClosed) return;
      this.#isRunning = true;
      void this.#writeMark();
    });
  }

  async #writeMark(): Promise<void> {
    this.#markedBatch = this.#syncedBatch;
    try {
      const segment = this.#segment ?? (await this.#segments.begin(this.#nextBatch));
      if (this.#segment === null) this.#segments.prepare();
      this.#segment = segment;
      const mark = encodeSyncedMark(this.#syncedBatch, this.#options.salt);
      await segment.file.write(mark, 0, mark.length, segment.end);
      segment.end += mark.length;
    } catch {
      // It only helps to judge damage; the next write says whether the disk works.
    }
    this.#isRunning = false;
    if (this.#hasTold || this.#boundary !== null || this.#isSyncDue) {
      this.#schedule();
      return;
    }
    this.#idle?.();
    this.#idle = null;
  }
}
