/**
 * The store that keeps everything in files: a snapshot, which is a `mosquitto.db` that Mosquitto loads as well, and beside it
 * the journal of what was told since, in the directory `<snapshot>.journal`.
 *
 * The journal always continues a snapshot of our own: where there is none (a new store, a file of Mosquitto's, a damaged one)
 * one is written first, and nothing is called safe before it is on disk.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Message } from '../contracts/message.ts';
import type { Fact, SessionFact, Store, SubscriptionFact } from '../contracts/store.ts';
import { Autosave } from './autosave.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Disk } from './disk.ts';
import { errorCode, systemDisk } from './disk.ts';
import {
  writeDelivery,
  writeExchange,
  writeMessage,
  writeReceived,
  writeSession,
  writeSubscription,
  writeWill,
} from './fact-codec.ts';
import type { FileStoreOptions } from './file-store-options.ts';
import { Journal } from './journal.ts';
import type { SyncLevel } from './journal-options.ts';
import { encodeDatabase } from './mosquitto-db-write.ts';
import { RecordType } from './record.ts';
import { RecordedMessages } from './recorded-messages.ts';
import { Recovery } from './recovery.ts';
import { SegmentFiles } from './segment-files.ts';
import { writeSnapshot } from './snapshot-file.ts';
import { UnsealedDeliveries } from './unsealed-deliveries.ts';

const noCommits = { count: 0, seconds: 0 };

/** What a file store says about itself beyond the contract. */
export interface FileStore extends Store {
  readonly level: SyncLevel;
  /** Code of the error that keeps the store from making anything safe (`ENOSPC`), null while all is well. */
  readonly trouble: string | null;
  /** Called when `trouble` has changed. */
  onTrouble: (() => void) | null;
  /** Bytes of the last snapshot, and of the journal since. */
  readonly snapshotBytes: number;
  readonly journalBytes: number;
}

const retryMs = 1000;
const pendingBytesMax = 64 * 1024 * 1024;

/**
 * Opens the store and looks at the heads of its files; they are read when the engine asks.
 *
 * @throws StoreError - the file is no database, or one of a newer version, or another process has it
 */
export function openFileStore(options: FileStoreOptions): FileStore {
  return new JournalledStore(options);
}

class JournalledStore implements FileStore {
  committed = 0;
  onCommitted: (() => void) | null = null;
  onTrouble: (() => void) | null = null;
  trouble: string | null = null;
  readonly level: SyncLevel;
  snapshotBytes = 0;

  readonly #options: FileStoreOptions;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #disk: Disk;
  readonly #autosave: Autosave;
  readonly #compactBytes: number;
  readonly #recorded = new RecordedMessages();
  readonly #unsealed = new UnsealedDeliveries({
    deliveryPut: (clientId, sequence, message, retain, subscriptionIds) => {
      this.#message(message);
      if (this.#journal === null) return;
      const writer = this.#journal.begin(RecordType.deliveryPut);
      writeDelivery(writer, clientId, sequence, message.storeId, 1, retain, subscriptionIds);
      this.#journal.end();
    },
    deliveryRemoved: (clientId, sequence) => this.#writeRemoved(clientId, sequence),
  });
  #recovery: Recovery | null;
  readonly #lock: { release(): void };
  readonly #lineage: number;
  #segments: SegmentFiles | null = null;
  #journal: Journal | null = null;
  #source: (() => Iterable<Fact>) | null = null;
  /** The snapshot under way, or the last one. */
  #saving: Promise<void> = Promise.resolve();
  #isCompacting = false;
  /** Whether the state is being walked for a snapshot, which may have what is removed before its group is sealed. */
  #isWalking = false;
  #compactAbove: number;
  #retry: Timer | null = null;
  #isClosed = false;

  constructor(options: FileStoreOptions) {
    const { path, clock, logger, disk = systemDisk(), level = { kind: 'commit' } } = options;
    this.#options = options;
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
    this.#disk = disk;
    this.level = level;
    this.#recovery = new Recovery(disk, path, clock, logger);
    this.#lock = this.#recovery.lock;
    this.#lineage = this.#recovery.lineage;
    this.snapshotBytes = this.#recovery.snapshotBytes;
    this.#compactBytes = this.#compactAbove = options.compactBytes ?? 32 * 1024 * 1024;
    const save = (): void => void this.snapshot();
    this.#autosave = new Autosave(clock, options.autosaveIntervalSeconds, options.autosaveOnChanges, save);
  }

  get position(): number {
    return this.#journal?.position ?? 0;
  }

  get commits(): { readonly count: number; readonly seconds: number } {
    return this.#journal?.commits ?? noCommits;
  }

  get journalBytes(): number {
    return this.#journal?.bytesSinceBase ?? 0;
  }

  sessionPut(session: Omit<SessionFact, 'kind'>): void {
    const writer = this.#begin(RecordType.sessionPut);
    if (writer === null) return;
    writeSession(writer, session);
    this.#end();
  }

  sessionRemoved(clientId: string): void {
    this.#text(RecordType.sessionRemoved, clientId);
  }

  subscriptionPut(subscription: Omit<SubscriptionFact, 'kind'>): void {
    this.#changed();
    const writer = this.#begin(RecordType.subscriptionPut);
    if (writer === null) return;
    writeSubscription(writer, subscription);
    this.#end();
  }

  subscriptionRemoved(clientId: string, filter: string): void {
    this.#changed();
    const writer = this.#begin(RecordType.subscriptionRemoved);
    if (writer === null) return;
    writer.text16(clientId);
    writer.text16(filter);
    this.#end();
  }

  deliveryPut(
    clientId: string,
    sequence: number,
    message: Message,
    qos: 0 | 1 | 2,
    retain: boolean,
    subscriptionIds: readonly number[] | null,
  ): void {
    this.#changed();
    if (qos === 1 && this.#mayHoldBack()) {
      this.#journal?.told();
      this.#unsealed.put(clientId, sequence, message, retain, subscriptionIds);
      return;
    }
    this.#message(message);
    const writer = this.#begin(RecordType.deliveryPut);
    if (writer === null) return;
    writeDelivery(writer, clientId, sequence, message.storeId, qos, retain, subscriptionIds);
    this.#end();
  }

  deliveryReleased(clientId: string, sequence: number): void {
    this.#exchange(RecordType.deliveryReleased, clientId, sequence);
  }

  deliveryRemoved(clientId: string, sequence: number): void {
    if (sequence === 0 || !this.#mayHoldBack()) {
      this.#exchange(RecordType.deliveryRemoved, clientId, sequence);
      return;
    }
    this.#journal?.told();
    // Those held back have other numbers, so they need not be written before.
    if (!this.#unsealed.removed(clientId, sequence)) this.#writeRemoved(clientId, sequence);
  }

  receivedPut(clientId: string, packetId: number, message: Message): void {
    this.#message(message);
    const writer = this.#begin(RecordType.receivedPut);
    if (writer === null) return;
    writeReceived(writer, clientId, packetId, message.storeId);
    this.#end();
  }

  receivedRemoved(clientId: string, packetId: number): void {
    this.#exchange(RecordType.receivedRemoved, clientId, packetId);
  }

  retainedPut(message: Message): void {
    this.#changed();
    this.#message(message);
    const writer = this.#begin(RecordType.retainedPut);
    if (writer === null) return;
    writer.u64(message.storeId);
    this.#end();
  }

  retainedRemoved(topicName: string): void {
    this.#changed();
    this.#text(RecordType.retainedRemoved, topicName);
  }

  willPut(clientId: string, message: Message, delaySeconds: number, dueAtMs: number): void {
    const writer = this.#begin(RecordType.willPut);
    if (writer === null) return;
    writeWill(writer, clientId, message, delaySeconds, dueAtMs);
    this.#end();
  }

  willRemoved(clientId: string): void {
    this.#text(RecordType.willRemoved, clientId);
  }

  *restore(): Generator<Fact> {
    const recovery = this.#recovery;
    if (recovery === null) return;
    this.#recovery = null;
    for (const fact of recovery.facts()) {
      if (fact.kind === 'message') this.#recorded.seen(fact.message.storeId);
      yield fact;
    }
    this.#recorded.restart();
    this.#startJournal(recovery);
  }

  attach(source: () => Iterable<Fact>): void {
    this.#source = source;
    if (this.#journal?.isHeld === true) void this.#save(false);
  }

  snapshot(): Promise<void> {
    return this.#save(false);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#autosave.stop();
    this.#retry?.cancel();
    await this.#save(true);
    this.#lock.release();
  }

  /** What the engine tells while it restores is not new. */
  #changed(): void {
    if (this.#journal !== null) this.#autosave.changed();
  }

  /** Whether a delivery may be written when its group is sealed, if it is still there. */
  #mayHoldBack(): boolean {
    return this.#journal?.isFlowing === true && !this.#isWalking;
  }

  /** What was told before is written before. */
  #begin(type: RecordType): ByteWriter | null {
    const journal = this.#journal;
    if (journal === null || !journal.told()) return null;
    this.#unsealed.drain();
    return journal.begin(type);
  }

  #end(): void {
    this.#journal?.end();
  }

  #writeRemoved(clientId: string, sequence: number): void {
    if (this.#journal === null) return;
    writeExchange(this.#journal.begin(RecordType.deliveryRemoved), clientId, sequence);
    this.#journal.end();
  }

  #text(type: RecordType, text: string): void {
    const writer = this.#begin(type);
    if (writer === null) return;
    writer.text16(text);
    this.#end();
  }

  #exchange(type: RecordType, clientId: string, number: number): void {
    const writer = this.#begin(type);
    if (writer === null) return;
    writeExchange(writer, clientId, number);
    this.#end();
  }

  /** Writes the message unless snapshot or journal have it. */
  #message(message: Message): void {
    const journal = this.#journal;
    if (journal?.isHeld !== false) {
      this.#recorded.seen(message.storeId);
      return;
    }
    if (!this.#recorded.note(message)) return;
    writeMessage(journal.begin(RecordType.message), message);
    journal.end();
  }

  #startJournal(recovery: Recovery): void {
    const { salt, nextBatch, segments, needsBase } = recovery;
    const files = new SegmentFiles(this.#disk, recovery.directory, segments, {
      lineage: this.#lineage,
      salt,
      size: this.#options.segmentBytes ?? 8 * 1024 * 1024,
      nextNumber: recovery.nextSegment,
    });
    this.#segments = files;
    for (const path of recovery.unused) this.#disk.remove(path).catch(() => {});
    this.#journal = new Journal(
      files,
      {
        ...{ disk: this.#disk, clock: this.#clock, level: this.level, salt, nextBatch, pendingBytesMax },
        gatherAbove: this.#options.gatherAbove,
        onSeal: () => this.#unsealed.drain(),
        onCommitted: (position) => this.#onCommitted(position),
        onTrouble: (error) => this.#setTrouble(error),
        onOverflow: () => {
          this.#hold();
          if (!this.#isClosed) void this.#save(false);
        },
      },
      needsBase,
    );
    this.#journal.bytesSinceBase = recovery.journalBytes;
  }

  #hold(): void {
    this.#unsealed.clear();
    this.#journal?.hold();
  }

  #onCommitted(position: number): void {
    if (position > this.committed) {
      this.committed = position;
      this.onCommitted?.();
    }
    if (this.#isCompacting || this.#isClosed || this.#source === null) return;
    if (this.journalBytes < Math.max(this.#compactAbove, this.snapshotBytes / 2)) return;
    this.#isCompacting = true;
    void this.#save(false).finally(() => {
      this.#isCompacting = false;
    });
  }

  #save(isLast: boolean): Promise<void> {
    this.#saving = this.#saving.then(() => this.#writeBase(isLast));
    return this.#saving;
  }

  /** Writes a snapshot and drops the part of the journal that it makes superfluous. */
  async #writeBase(isLast: boolean): Promise<void> {
    const source = this.#source;
    const journal = this.#journal;
    const segments = this.#segments;
    if (source === null || journal === null || segments === null || (this.#isClosed && !isLast)) return;
    const wasHeld = journal.isHeld;
    this.#logger.log('information', `Saving in-memory database to ${this.#path}.`);
    const base = await this.#beginBase(journal, isLast);
    // Without a journal that has what happens meanwhile, the snapshot has to be of one moment. At the end nothing happens.
    const facts = wasHeld ? [...source()] : source();
    const salt = this.#clock.randomBytes(4).readUInt32BE();
    let error: unknown = null;
    try {
      const blocks = encodeDatabase(facts, base.mark, salt, this.#options.blockBytes);
      this.snapshotBytes = await writeSnapshot(this.#disk, this.#path, blocks, async () => {
        if (!wasHeld && !isLast) await journal.flush();
      });
    } catch (failure) {
      error = failure;
      this.#onBaseFailed(journal, failure, wasHeld && !isLast);
    } finally {
      this.#isWalking = false;
    }
    if (error === null) {
      this.#compactAbove = this.#compactBytes;
      if (wasHeld) this.#setTrouble(null);
      journal.baseIsSafe(base.firstBatch, base.position, base.journalBytes);
    }
    try {
      if (isLast) await journal.close();
      if (error !== null) return;
      if (isLast) await segments.removeAll();
      else await segments.removeBefore(base.firstBatch);
    } catch (failure) {
      this.#logger.log('warning', `Warning: Unable to remove old parts of the journal: ${errorCode(failure)}`);
    }
  }

  /** Where the journal continues the snapshot that is now begun. */
  async #beginBase(journal: Journal, isClean: boolean) {
    const begin = (firstBatch: number, position: number) => {
      this.#isWalking = true;
      this.#recorded.restart();
      const lastStoreId = this.#recorded.highest;
      // Segments that are left over from before a clean stop begin before the number it names.
      const mark = { lineage: this.#lineage, firstBatch: firstBatch + (isClean ? 1 : 0), lastStoreId, isClean };
      return { mark, firstBatch, position, journalBytes: journal.bytesSinceBase };
    };
    if (journal.isHeld) return begin(journal.startBase(), journal.position);
    return new Promise<ReturnType<typeof begin>>((resolve) => {
      journal.atBoundary((firstBatch, position) => resolve(begin(firstBatch, position)));
    });
  }

  #onBaseFailed(journal: Journal, error: unknown, isNeeded: boolean): void {
    if (this.trouble === null || this.#isClosed) {
      const line = `unable to open ${this.#path}.new for writing, error ${errorCode(error)}`;
      this.#logger.log('error', `Error saving in-memory database, ${line}`);
    }
    // Not again before as much has come together once more.
    this.#compactAbove = journal.bytesSinceBase + this.#compactBytes;
    if (!isNeeded) return;
    this.#hold();
    this.#setTrouble(error);
    this.#retry = this.#clock.after(retryMs, () => void this.#save(false));
  }

  #setTrouble(error: unknown): void {
    const code = error === null ? null : errorCode(error);
    if (code === this.trouble) return;
    const hadTrouble = this.trouble !== null;
    this.trouble = code;
    if (code === null) {
      this.#logger.log('notice', `${this.#path}: the disk takes data again; messages are acknowledged again.`);
    } else if (!hadTrouble) {
      this.#logger.log(
        'error',
        `Error: ${this.#path}: unable to store (${code}). Nothing is acknowledged until this is over.`,
      );
    }
    this.onTrouble?.();
  }
}
