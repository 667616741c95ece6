/**
 * The segments of a journal as files: the one being written, the next one, made ready beforehand, and older ones.
 *
 * A segment is filled with zeros before it is used, so that a write changes nothing but the bytes written and fdatasync has
 * nothing else to do. Where there is no room for that, an unprepared file does.
 */
import { join } from 'node:path';
import type { Disk, WritableFile } from './disk.ts';
import { encodeSegmentHeader, segmentDataStart, segmentName } from './segment-format.ts';

/** A segment that batches go to. */
export interface OpenSegment {
  readonly number: number;
  readonly file: WritableFile;
  /** Where the next bytes go. */
  end: number;
}

/** An older segment, or the present one. */
interface KnownSegment {
  readonly number: number;
  readonly firstBatch: number;
}

const zeros = Buffer.alloc(1 << 18);

export class SegmentFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #lineage: number;
  readonly #salt: number;
  readonly #size: number;
  #nextNumber: number;
  /** Segments with a header, in ascending order. */
  readonly #known: KnownSegment[];
  #prepared: { readonly number: number; readonly file: WritableFile } | null = null;
  #preparing: Promise<void> | null = null;
  #isClosed = false;

  /**
   * @param known - segments that are there already, in ascending order
   * @param size - bytes that are made ready, and after which the next segment is begun
   */
  constructor(
    disk: Disk,
    directory: string,
    known: readonly KnownSegment[],
    options: { readonly lineage: number; readonly salt: number; readonly size: number; readonly nextNumber: number },
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.#known = [...known];
    this.#lineage = options.lineage;
    this.#salt = options.salt;
    this.#size = options.size;
    this.#nextNumber = options.nextNumber;
  }

  /** Whether the segment is full and another one is ready. */
  isDone(segment: OpenSegment): boolean {
    return segment.end >= this.#size && this.#prepared !== null;
  }

  /**
   * Ends a synced segment when `bytes` more would go beyond what was made ready and the next one is there: on a full disk only what
   * was made ready can be written.
   *
   * @returns the segment, null when it has ended
   */
  async endBefore(segment: OpenSegment, bytes: number): Promise<OpenSegment | null> {
    const isRoom = segment.end + bytes <= this.#size || segment.end === segmentDataStart;
    if (isRoom || this.#prepared === null) return segment;
    await segment.file.close();
    return null;
  }

  /** Makes the next segment ready in the background. */
  prepare(): void {
    if (this.#preparing !== null || this.#prepared !== null || this.#isClosed) return;
    this.#preparing = this.#makeReady().finally(() => {
      this.#preparing = null;
    });
  }

  /**
   * Begins a segment. Its header is written, and safe with the next sync of the file.
   *
   * @throws the disk's error
   */
  async begin(firstBatch: number): Promise<OpenSegment> {
    if (this.#preparing !== null) await this.#preparing;
    let ready = this.#prepared;
    this.#prepared = null;
    if (ready === null) {
      const number = this.#nextNumber++;
      ready = { number, file: await this.#disk.create(join(this.#directory, segmentName(number))) };
      await this.#disk.syncDirectory(this.#directory);
    }
    const { number, file } = ready;
    const header = encodeSegmentHeader({ lineage: this.#lineage, number, firstBatch, salt: this.#salt });
    try {
      await file.write(header, 0, header.length, 0);
    } catch (error) {
      await file.close().catch(() => {});
      await this.#disk.remove(join(this.#directory, segmentName(number))).catch(() => {});
      throw error;
    }
    this.#known.push({ number, firstBatch });
    return { number, file, end: segmentDataStart };
  }

  /** Removes the segments that hold only batches before `batch`, but not the last one. */
  async removeBefore(batch: number): Promise<void> {
    let next = this.#known[1];
    while (next !== undefined && next.firstBatch <= batch) {
      const [oldest] = this.#known;
      if (oldest === undefined) break;
      await this.#disk.remove(join(this.#directory, segmentName(oldest.number)));
      this.#known.shift();
      next = this.#known[1];
    }
  }

  /** Lets go of the segment made ready; the files stay. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#preparing !== null) await this.#preparing;
    const { number, file } = this.#prepared ?? { number: 0, file: null };
    this.#prepared = null;
    if (file === null) return;
    await file.close();
    await this.#disk.remove(join(this.#directory, segmentName(number)));
  }

  /** Removes all segments. */
  async removeAll(): Promise<void> {
    for (const { number } of this.#known) await this.#disk.remove(join(this.#directory, segmentName(number)));
    this.#known.length = 0;
    await this.#disk.syncDirectory(this.#directory);
  }

  async #makeReady(): Promise<void> {
    const number = this.#nextNumber++;
    const path = join(this.#directory, segmentName(number));
    let file: WritableFile | null = null;
    try {
      file = await this.#disk.create(path);
      for (let at = 0; at < this.#size; at += zeros.length) {
        await file.write(zeros, 0, Math.min(zeros.length, this.#size - at), at);
      }
      await file.sync();
      await this.#disk.syncDirectory(this.#directory);
      this.#prepared = { number, file };
    } catch {
      // Whoever needs the segment tries for itself, and says what is wrong.
      await file?.close().catch(() => {});
      await this.#disk.remove(path).catch(() => {});
    }
  }
}
