/** Everything between opening the files and the first new fact: what is there, whether it fits together, what it says. */
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Fact } from '../contracts/store.ts';
import { DeliveryState } from '../contracts/store.ts';
import { FormatError } from './byte-reader.ts';
import type { SnapshotMark } from './database-format.ts';
import type { Disk, ReadableFile } from './disk.ts';
import { errorCode, readWhole } from './disk.ts';
import { Interner } from './fact-codec.ts';
import { DatabaseReader } from './mosquitto-db.ts';
import { Quarantine } from './quarantine.ts';
import type { Replayed, SegmentSource } from './replay.ts';
import { replay } from './replay.ts';
import type { SegmentHeader } from './segment-format.ts';
import {
  encodeSegmentHeader,
  readSegmentHeader,
  segmentDataStart,
  segmentName,
  segmentNumber,
  segmentVersion,
} from './segment-format.ts';
import { StateModel } from './state-model.ts';
import { StoreError } from './store-error.ts';

/** To serve from the files, which are put in order for that; or only to look at them, and nothing on the disk changes. */
export type RecoveryPurpose = 'serve' | 'look';

export class Recovery {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #quarantine: Quarantine;
  readonly #isServing: boolean;
  #file: ReadableFile | null = null;
  #reader: DatabaseReader | null = null;
  #sources: readonly SegmentSource[] = [];
  readonly #unused: string[] = [];
  readonly #added: SegmentHeader[] = [];

  /** Of the journal. */
  readonly directory: string;
  readonly lock: { release(): void };
  readonly lineage: number;
  readonly salt: number;
  readonly snapshotBytes: number;
  /** Whether the journal needs a new snapshot to build on. */
  needsBase = false;
  /** Known after {@link facts}. */
  nextBatch = 1;
  nextSegment = 1;
  journalBytes = 0;
  /** Groups of the journal that count beside the snapshot. */
  journalBatches = 0;
  /** The write that the last process did not finish; null when there is none. */
  cutOff: { readonly file: string; readonly offset: number; readonly bytes: number } | null = null;
  /** Places at which the journal referred to something that is not there. */
  danglingCount = 0;

  /** @throws StoreError */
  constructor(disk: Disk, path: string, clock: Clock, logger: Logger, purpose: RecoveryPurpose = 'serve') {
    this.#isServing = purpose === 'serve';
    this.#disk = disk;
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
    this.directory = `${path}.journal`;
    this.#quarantine = new Quarantine(disk, join(this.directory, 'quarantine'), logger, this.#isServing);
    this.lock = this.#takeLock();
    try {
      this.#openSnapshot();
      this.#openSegments();
    } catch (error) {
      this.#file?.close();
      this.lock.release();
      throw error;
    }
    this.snapshotBytes = this.#file?.size ?? 0;
    const mark = this.#mark;
    this.lineage = mark?.lineage ?? this.#sources[0]?.header.lineage ?? clock.randomBytes(6).readUIntBE(0, 6);
    this.salt = this.#sources.at(-1)?.header.salt ?? clock.randomBytes(4).readUInt32BE();
    if (mark === null) this.needsBase = true;
  }

  /** Segments that stay. */
  get segments(): readonly { readonly number: number; readonly firstBatch: number }[] {
    return [...this.#sources.map(({ header }) => header), ...this.#added];
  }

  /** Files made ready for an earlier process that did not come to use them. */
  get unused(): readonly string[] {
    return this.#unused;
  }

  get #mark(): SnapshotMark | null {
    return this.#reader?.mark ?? null;
  }

  /** The snapshot as it is; null when there is none. */
  get snapshot(): { readonly version: number; readonly isOwn: boolean; readonly isClean: boolean } | null {
    const reader = this.#reader;
    if (reader === null) return null;
    return { version: reader.version, isOwn: reader.isOwn, isClean: reader.mark?.isClean === true };
  }

  /** Stretches that could not be read so far. */
  get damageCount(): number {
    return this.#quarantine.count;
  }

  /** What snapshot and journal say together; walked once. */
  *facts(): Generator<Fact> {
    const mark = this.#mark;
    const firstBatch = mark?.firstBatch ?? 0;
    const isForeign = this.#reader !== null && !this.#reader.isOwn;
    const isStopped = mark?.isClean === true && this.#sources.every(({ header }) => header.firstBatch < firstBatch);
    const isClean = isForeign || isStopped;
    const counts = { messages: 0, retained: 0, clients: 0, subscriptions: 0, deliveries: 0 };
    for (const fact of this.#sources.length === 0 ? this.#snapshotFacts(isClean) : this.#merged(firstBatch, isClean)) {
      if (fact.kind === 'message') counts.messages++;
      else if (fact.kind === 'retained') counts.retained++;
      else if (fact.kind === 'session') counts.clients++;
      else if (fact.kind === 'subscription') counts.subscriptions++;
      else if (fact.kind === 'delivery') counts.deliveries++;
      yield fact;
    }
    this.nextBatch = Math.max(this.nextBatch, firstBatch);
    if (this.#quarantine.count > 0 && this.#isServing) {
      this.#logger.log(
        'error',
        `Error: ${this.#path}: copies of what was damaged are in ${this.directory}/quarantine.`,
      );
      this.needsBase = true;
    }
    if (isForeign && this.#isServing) this.#keepForeign();
    for (const type of this.#reader?.unknownTypes ?? []) {
      this.#logger.log('warning', `Warning: Unsupported chunk "${type}" in persistent database file. Ignoring.`);
    }
    this.#file?.close();
    this.#file = null;
    this.#logger.log('information', `Restored ${counts.messages} base messages`);
    this.#logger.log('information', `Restored ${counts.retained} retained messages`);
    this.#logger.log('information', `Restored ${counts.clients} clients`);
    this.#logger.log('information', `Restored ${counts.subscriptions} subscriptions`);
    this.#logger.log('information', `Restored ${counts.deliveries} client messages`);
  }

  *#snapshotFacts(isClean: boolean): Generator<Fact> {
    if (this.#reader === null) return;
    for (const fact of this.#reader.facts()) {
      const mayBeSent = !isClean && fact.kind === 'delivery' && fact.direction === 'out' && fact.qos > 0;
      if (mayBeSent && fact.state === DeliveryState.queued) yield { ...fact, dup: true };
      else yield fact;
    }
  }

  *#merged(firstBatch: number, isClean: boolean): Generator<Fact> {
    const model = new StateModel();
    for (const fact of this.#reader?.facts() ?? []) model.add(fact);
    const replayed = replay(this.#sources, firstBatch, new Interner(), model, (segment, offset, bytes, what) =>
      this.#quarantine.add(join(this.directory, segment), segment, offset, bytes, what),
    );
    this.nextBatch = replayed.lastBatch + 1;
    this.journalBytes = replayed.bytes;
    this.journalBatches = replayed.batches;
    this.danglingCount = model.danglingCount;
    if (this.#isServing) this.#makeSafe(replayed.unproven);
    if (replayed.cutOff !== null) {
      const { segment, offset, length: bytes } = replayed.cutOff;
      this.cutOff = { file: join(this.directory, segment), offset, bytes };
      this.#logger.log('information', cutOffText(this.cutOff));
    }
    if (replayed.batches > 0) {
      this.#logger.log('information', `Replayed ${replayed.batches} groups of the journal (${replayed.bytes} bytes).`);
    }
    yield* model.facts(this.#clock.nowMs(), isClean && replayed.batches === 0);
  }

  /**
   * Puts what the last process had written, and nothing says that it reached the disk, into a segment of its own: what is
   * restored is told to clients and must not be forgotten by the next crash.
   */
  #makeSafe(unproven: Replayed['unproven']): void {
    const [first] = unproven;
    if (first === undefined) return;
    const header = { lineage: this.lineage, number: this.nextSegment, firstBatch: first.number, salt: this.salt };
    const file = join(this.directory, segmentName(header.number));
    try {
      const batches = unproven.map(({ bytes }) => bytes);
      this.#disk.writeDurablyNow(file, Buffer.concat([encodeSegmentHeader(header), ...batches]));
    } catch (error) {
      this.#logger.log('warning', `Warning: Unable to write ${file}: ${errorCode(error)}`);
      this.needsBase = true;
      return;
    }
    this.nextSegment++;
    this.#added.push(header);
  }

  #takeLock(): { release(): void } {
    const path = join(this.directory, 'lock');
    // Without the directory no process of ours has ever used the file.
    if (!this.#isServing && !this.#disk.exists(this.directory)) return { release: () => {} };
    try {
      this.#disk.makeDirectory(this.directory);
      const lock = this.#disk.lock(path);
      if (lock !== null) return lock;
    } catch (error) {
      throw new StoreError(
        [
          `Error: Unable to use ${this.directory} for persistence: ${error instanceof Error ? error.message : String(error)}`,
        ],
        {
          cause: error,
        },
      );
    }
    const holder = readWhole(this.#disk, path)?.toString('utf8').trim() ?? '';
    const who = holder === '' ? 'another process' : `process ${holder}`;
    throw new StoreError([`Error: ${this.#path} is in use by ${who}.`]);
  }

  #openSnapshot(): void {
    let file: ReadableFile | null;
    try {
      file = this.#disk.openToRead(this.#path);
    } catch (error) {
      // Mosquitto: a file that cannot be opened counts as absent. It must not be overwritten for that.
      if (!this.#isServing) {
        throw new StoreError([`Error: Unable to read ${this.#path}: ${errorCode(error)}.`], { cause: error });
      }
      const aside = `${this.#path}.unreadable`;
      this.#logger.log(
        'warning',
        `Warning: Unable to read ${this.#path} (${errorCode(error)}); it is kept as ${aside}.`,
      );
      this.#disk.renameNow(this.#path, aside);
      return;
    }
    if (file === null) return;
    if (file.size === 0) {
      this.#logger.log('warning', 'Warning: Persistence file is empty.');
      file.close();
      return;
    }
    this.#file = file;
    try {
      this.#reader = new DatabaseReader(file, this.#clock.nowMs(), (offset, length, what) => {
        const bytes = Buffer.allocUnsafe(Math.min(length, 1 << 26));
        file.read(bytes, 0, bytes.length, offset);
        this.#quarantine.add(this.#path, 'snapshot', offset, bytes, what);
      });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const prefix = error.message.startsWith('Unrecognised')
        ? 'Error: Unable to restore persistent database. '
        : 'Error: ';
      throw new StoreError([`${prefix}${error.message}`, "Error: Couldn't open database."], { cause: error });
    }
  }

  #openSegments(): void {
    const sources: SegmentSource[] = [];
    for (const name of this.#disk.list(this.directory).sort()) {
      const number = segmentNumber(name);
      if (name.endsWith('.log.new')) this.#unused.push(join(this.directory, name));
      if (number === 0) continue;
      this.nextSegment = Math.max(this.nextSegment, number + 1);
      const file = join(this.directory, name);
      const read = (): Buffer => readWhole(this.#disk, file) ?? Buffer.alloc(0);
      const head = readSegmentHeader(readWhole(this.#disk, file, segmentDataStart) ?? Buffer.alloc(0));
      if (head.newerVersion > 0) {
        const line = `Error: ${file}: written by a newer version of Moustique (journal format ${head.newerVersion}, need ${segmentVersion}).`;
        throw new StoreError([line, "Error: Couldn't open database."]);
      }
      // Without a header it was made ready and never used.
      if (head.header?.number === number)
        sources.push({ name, header: head.header, isHeaderDamaged: head.isDamaged, read });
      else this.#unused.push(file);
    }
    const lineage = this.#mark?.lineage ?? (this.#reader?.isOwn === false ? -1 : sources[0]?.header.lineage);
    const others = sources.filter(({ header }) => header.lineage !== lineage);
    if (others.length > 0) {
      const count = `${others.length} ${others.length === 1 ? 'file' : 'files'}`;
      const what = this.#isServing ? `moved to ${this.directory}/quarantine` : 'not read';
      this.#logger.log(
        'warning',
        `Warning: ${this.directory} belongs to another state of ${this.#path}; ${count} ${what}.`,
      );
    }
    if (this.#isServing) {
      for (const { name } of others) this.#quarantine.moveIn(join(this.directory, name), name);
    }
    this.#sources = sources.filter(({ header }) => header.lineage === lineage);
    if (this.#reader === null && this.#sources.length > 0 && (this.#sources[0]?.header.firstBatch ?? 0) > 1) {
      this.#logger.log('warning', `Warning: ${this.#path} is missing; only what its journal holds is restored.`);
    }
  }

  /** The first snapshot of ours takes the place of Mosquitto's file, which stays under another name. */
  #keepForeign(): void {
    const copy = `${this.#path}.mosquitto`;
    if (this.#disk.exists(copy)) return;
    try {
      this.#disk.linkNow(this.#path, copy);
      this.#logger.log('notice', `${this.#path} was written by Mosquitto; it is kept as ${copy}.`);
    } catch (error) {
      this.#logger.log('warning', `Warning: Unable to keep ${this.#path} as ${copy}: ${errorCode(error)}`);
    }
  }
}

/** One sentence about an unfinished write. */
export function cutOffText({ file, offset, bytes }: NonNullable<Recovery['cutOff']>): string {
  return `${file}: the last write was cut off at offset ${offset} (${bytes} bytes, nothing of it was acknowledged).`;
}
