/**
 * The store that keeps a snapshot, which is a `mosquitto.db` that Mosquitto loads as well.
 *
 * Durable is what was in the last snapshot: at a clean stop, every `autosave_interval`, and on SIGUSR1.
 */
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Fact, Store } from '../contracts/store.ts';
import { Autosave } from './autosave.ts';
import { FormatError } from './byte-reader.ts';
import type { Disk, ReadableFile } from './disk.ts';
import { errorCode, systemDisk } from './disk.ts';
import { DatabaseReader } from './mosquitto-db.ts';
import { CollectedFacts, encodeDatabase } from './mosquitto-db-write.ts';
import { writeSnapshot } from './snapshot-file.ts';
import { StoreError } from './store-error.ts';

export interface FileStoreOptions {
  /** Of the snapshot: `persistence_location` and `persistence_file`. */
  readonly path: string;
  /** Seconds between snapshots, or changes between them with `autosaveOnChanges`; 0 = only at the end. */
  readonly autosaveIntervalSeconds: number;
  readonly autosaveOnChanges: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The machine's when left out. */
  readonly disk?: Disk;
}

/**
 * Opens the store and looks at the snapshot's head; it is read when the engine asks.
 *
 * @throws StoreError - the file is no database, or one of a newer version
 */
export function openFileStore(options: FileStoreOptions): Store {
  return new FileStore(options);
}

class FileStore implements Store {
  readonly position = 0;
  readonly committed = 0;
  onCommitted: (() => void) | null = null;

  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #disk: Disk;
  readonly #autosave: Autosave;
  #file: ReadableFile | null = null;
  #reader: DatabaseReader | null = null;
  #source: (() => Iterable<Fact>) | null = null;
  /** The snapshot under way, or the last one. */
  #saving: Promise<void> = Promise.resolve();
  readonly #lineage: number;

  constructor(options: FileStoreOptions) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#disk = options.disk ?? systemDisk();
    this.#open();
    this.#lineage = this.#reader?.mark?.lineage ?? options.clock.randomBytes(6).readUIntBE(0, 6);
    this.#autosave = new Autosave(
      options.clock,
      options.autosaveIntervalSeconds,
      options.autosaveOnChanges,
      () => void this.snapshot(),
    );
  }

  sessionPut(): void {}
  sessionRemoved(): void {}
  subscriptionPut(): void {
    this.#autosave.changed();
  }
  subscriptionRemoved(): void {
    this.#autosave.changed();
  }
  deliveryPut(): void {
    this.#autosave.changed();
  }
  deliveryReleased(): void {}
  deliveryRemoved(): void {}
  receivedPut(): void {}
  receivedRemoved(): void {}
  retainedPut(): void {
    this.#autosave.changed();
  }
  retainedRemoved(): void {
    this.#autosave.changed();
  }
  willPut(): void {}
  willRemoved(): void {}

  *restore(): Generator<Fact> {
    const reader = this.#reader;
    if (reader === null) return;
    try {
      yield* reader.facts();
    } finally {
      this.#file?.close();
      this.#file = null;
      this.#reader = null;
    }
    for (const type of reader.unknownTypes) {
      this.#logger.log('warning', `Warning: Unsupported chunk "${type}" in persistent database file. Ignoring.`);
    }
    const { counts } = reader;
    this.#logger.log('information', `Restored ${counts.messages} base messages`);
    this.#logger.log('information', `Restored ${counts.retained} retained messages`);
    this.#logger.log('information', `Restored ${counts.clients} clients`);
    this.#logger.log('information', `Restored ${counts.subscriptions} subscriptions`);
    this.#logger.log('information', `Restored ${counts.deliveries} client messages`);
  }

  attach(source: () => Iterable<Fact>): void {
    this.#source = source;
  }

  snapshot(): Promise<void> {
    return this.#save(false);
  }

  async close(): Promise<void> {
    this.#autosave.stop();
    await this.#save(true);
  }

  #save(isClean: boolean): Promise<void> {
    this.#saving = this.#saving.then(() => this.#write(isClean));
    return this.#saving;
  }

  async #write(isClean: boolean): Promise<void> {
    if (this.#source === null) return;
    this.#logger.log('information', `Saving in-memory database to ${this.#path}.`);
    const facts = new CollectedFacts(this.#source());
    let lastStoreId = 0;
    for (const message of facts.messages) lastStoreId = Math.max(lastStoreId, message.storeId);
    const mark = { lineage: this.#lineage, firstBatch: 0, lastStoreId, isClean };
    const salt = this.#clock.randomBytes(4).readUInt32BE();
    try {
      await writeSnapshot(this.#disk, this.#path, encodeDatabase(facts, mark, salt));
    } catch (error) {
      this.#logger.log(
        'error',
        `Error saving in-memory database, unable to open ${this.#path}.new for writing, error ${errorCode(error)}`,
      );
    }
  }

  #open(): void {
    let file: ReadableFile | null;
    try {
      file = this.#disk.openToRead(this.#path);
    } catch (error) {
      // Mosquitto: a file that cannot be opened counts as absent. It must not be overwritten for that.
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
    try {
      this.#reader = new DatabaseReader(file, this.#clock.nowMs(), (offset, length, what) => {
        this.#logger.log('error', `Error: ${this.#path}: ${what} (${length} bytes at offset ${offset}); left out.`);
      });
      this.#file = file;
    } catch (error) {
      file.close();
      if (!(error instanceof FormatError)) throw error;
      const reason = error.message.startsWith('Unrecognised')
        ? `Error: Unable to restore persistent database. ${error.message}`
        : `Error: ${error.message}`;
      throw new StoreError([reason, "Error: Couldn't open database."], { cause: error });
    }
  }
}
