/**
 * The worker's part: takes batches, gathers them, writes, makes room, sums up, feeds the sinks, and answers.
 *
 * Everything here blocks its thread while it works, in pieces of some ten milliseconds; a question waits for one piece. What
 * cannot be written is kept and tried again; how much that may be is bounded by whoever sends the batches.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { HistorySinkStats } from '../contracts/history.ts';
import { type AnswerOf, answerOf, type Question, type RequestOf } from './answers.ts';
import { Archive, MessageTimes, type NewMessage } from './archive.ts';
import { type Batch, readBatch } from './batch.ts';
import { type StoredFigures, storedFigures } from './figures.ts';
import { unavailable } from './history-fault.ts';
import { numbersIn, storedPayload } from './numbers.ts';
import { closeWriter, openForWriting, type Report, setAside } from './open-database.ts';
import { Retention } from './retention.ts';
import { Rollups } from './rollups.ts';
import { ruleOf } from './rules.ts';
import type { HistorySettings } from './settings.ts';
import { InfluxSink } from './sink/influx-sink.ts';
import { inOneRead, sqliteFault } from './sqlite.ts';

/** Messages and payload bytes that are written at once, however long the interval is. */
const messagesPerWrite = 2000;
const bytesPerWrite = 4 * 1024 * 1024;
const tickMs = 250;
/** How long a turn of making room may take. */
const roomMs = 20;
/** How often a disk that failed is tried again, sums are made, and a database that nobody writes is looked through. */
const retryMs = 5000;
const rollMs = 15_000;
const idleMs = 10_000;
/** How long sinks may take for the last lines. */
const sinkPatienceMs = 3000;

/** What the keeper tells about itself, beside what is in the file. */
export interface KeeperFigures {
  readonly stored: StoredFigures | null;
  readonly recorded: number;
  /** Messages given up for want of room in the catalog. */
  readonly refused: number;
  readonly fault: string | null;
  readonly sinks: readonly HistorySinkStats[];
}

export class Keeper {
  #settings: HistorySettings;
  readonly #clock: Clock;
  readonly #report: Report;
  /** Called with messages that need not be held any longer: written, or given up. */
  readonly #done: (messages: number, refused: number) => void;
  #archive: Archive | null = null;
  #rollups: Rollups | null = null;
  #retention: Retention | null = null;
  readonly #times: MessageTimes;
  #sinks: InfluxSink[] = [];
  #pending: NewMessage[] = [];
  #pendingBytes = 0;
  #pendingSinceMs = 0;
  #nextTryMs = 0;
  #nextRollMs = 0;
  #nextRoomMs = 0;
  #recorded = 0;
  #refused = 0;
  #fault: string | null = null;
  readonly #ticker: Timer;

  /** @throws ForeignDatabase, or what the driver throws when the file cannot be opened */
  /** @param done - so many messages need no more work; of them, `refused` were not kept because there are too many topics */
  constructor(
    settings: HistorySettings,
    clock: Clock,
    report: Report,
    done: (messages: number, refused: number) => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#report = report;
    this.#done = done;
    const archive = this.#open();
    this.#times = new MessageTimes(archive.lastAt());
    this.#changeSinks();
    this.#ticker = clock.every(tickMs, () => this.#tick());
  }

  /** Takes messages; `done` is called for them later. */
  accept(batch: Batch): void {
    const { rules } = this.#settings;
    const isKept = batch.topics.map((topic) => rules[ruleOf(rules, topic)]?.maxBytes !== 0);
    const kept = new Set(batch.topics.filter((_, index) => isKept[index]));
    let passed = 0;
    for (const { timeMs, topic, clientId, qos, retain, payload } of readBatch(batch)) {
      const stored = storedPayload(payload);
      const numbers = numbersIn(stored);
      const message: NewMessage = {
        at: this.#times.next(timeMs),
        topic,
        clientId,
        qos,
        retain,
        payload: stored,
        numbers,
      };
      for (const sink of this.#sinks) sink.add(message);
      if (!kept.has(topic)) {
        passed++;
        continue;
      }
      if (this.#pending.length === 0) this.#pendingSinceMs = this.#clock.monotonicMs();
      this.#pending.push(message);
      this.#pendingBytes += payload.length;
    }
    if (passed > 0) this.#done(passed, 0);
    if (this.#pending.length >= messagesPerWrite || this.#pendingBytes >= bytesPerWrite) this.#write();
  }

  /**
   * An answer, from everything that was taken so far.
   *
   * @throws HistoryFault
   */
  answer<Name extends Question>(question: Name, request: RequestOf<Name>): AnswerOf<Name> {
    return this.#read((archive) => answerOf(archive, question, request));
  }

  /** @throws HistoryFault */
  figures(): KeeperFigures {
    const { file, rules } = this.#settings;
    const stored = this.#archive === null ? null : this.#read((archive) => storedFigures(archive, file, rules));
    const sinks = this.#sinks.map((sink) => sink.stats());
    return { stored, recorded: this.#recorded, refused: this.#refused, fault: this.#fault, sinks };
  }

  /** Settings that were read again; the file stays. */
  change(settings: HistorySettings): void {
    this.#settings = { ...settings, file: this.#settings.file };
    this.#archive?.changeRules(settings.rules);
    this.#retention?.changed(settings.maxBytes);
    this.#nextRoomMs = 0;
    this.#changeSinks();
  }

  /** Writes and sends what is left, for a moment, and lets go of the file. */
  async close(): Promise<void> {
    this.#ticker.cancel();
    await Promise.all(this.#sinks.map((sink) => sink.close(sinkPatienceMs)));
    this.#nextTryMs = 0;
    this.#write();
    if (this.#pending.length > 0)
      this.#report('error', `Error: History: ${this.#pending.length} messages were not written.`);
    if (this.#archive !== null) closeWriter(this.#archive.database);
    this.#archive = null;
  }

  #open(): Archive {
    const { file, rules, maxBytes } = this.#settings;
    const archive = new Archive(openForWriting(file, this.#clock, this.#report), rules);
    this.#archive = archive;
    this.#rollups = new Rollups(archive);
    this.#retention = new Retention(archive, maxBytes);
    return archive;
  }

  #read<T>(read: (archive: Archive) => T): T {
    this.#write();
    const archive = this.#archive;
    if (archive === null) throw unavailable(this.#fault ?? 'the database is not open');
    try {
      return inOneRead(archive.database, () => read(archive));
    } catch (error) {
      if (sqliteFault(error) === 'damaged') this.#failed(error);
      throw error;
    }
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#pending.length > 0 && nowMs - this.#pendingSinceMs >= this.#settings.writeIntervalMs) this.#write();
    if (this.#pending.length === 0 && this.#archive === null && nowMs >= this.#nextTryMs) this.#openAgain();
    if (nowMs >= this.#nextRoomMs) this.#makeRoom(roomMs);
    if (nowMs < this.#nextRollMs || this.#archive === null) return;
    this.#nextRollMs = nowMs + rollMs;
    this.#guarded(() => this.#rollups?.roll(this.#clock.nowMs() * 1000));
  }

  #write(): void {
    while (this.#pending.length > 0) {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs < this.#nextTryMs) return;
      if (this.#archive === null && !this.#openAgain()) return;
      const batch = this.#pending.slice(0, messagesPerWrite);
      const refusedBefore = this.#refused;
      if (!this.#guarded(() => this.#writeBatch(batch))) return;
      this.#pending = this.#pending.slice(batch.length);
      this.#pendingBytes = this.#pending.length === 0 ? 0 : this.#pendingBytes;
      this.#done(batch.length, this.#refused - refusedBefore);
      this.#makeRoom(Math.max(roomMs, this.#clock.monotonicMs() - nowMs));
    }
  }

  #writeBatch(batch: readonly NewMessage[]): void {
    const refused = this.#archive?.write(batch) ?? 0;
    if (refused > 0 && this.#refused === 0) {
      this.#report('warning', 'Warning: History: there are too many topics; messages of further ones are not kept.');
    }
    this.#refused += refused;
    this.#recorded += batch.length - refused;
    if (this.#fault !== null) this.#report('notice', 'History: messages are written again.');
    this.#fault = null;
  }

  /** Deletes what has to go; as long as writing took, so that deleting keeps up with it. */
  #makeRoom(forMs: number): void {
    const retention = this.#retention;
    if (this.#archive === null || retention === null) return;
    const endMs = this.#clock.monotonicMs() + forMs;
    const nowUs = this.#clock.nowMs() * 1000;
    this.#guarded(() => {
      let isDone = !retention.step(nowUs);
      while (!isDone && this.#clock.monotonicMs() < endMs) isDone = !retention.step(nowUs);
      this.#nextRoomMs = isDone ? this.#clock.monotonicMs() + idleMs : 0;
    });
  }

  /** @returns whether it went well; otherwise the database was opened again, or will be */
  #guarded(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** What is in memory may differ from the file now: it is opened again, a damaged one set aside. */
  #failed(error: unknown): void {
    try {
      this.#archive?.database.close();
    } catch {
      // What cannot be written cannot always be closed either.
    }
    this.#archive = null;
    if (sqliteFault(error) === 'damaged' && this.#setAside(error)) {
      this.#openAgain();
      return;
    }
    this.#tell(error);
    this.#openAgain();
    this.#nextTryMs = this.#clock.monotonicMs() + retryMs;
  }

  #setAside(why: unknown): boolean {
    try {
      setAside(this.#settings.file, this.#clock, this.#report, why);
      return true;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  #openAgain(): boolean {
    try {
      this.#open();
      return true;
    } catch (error) {
      this.#archive = null;
      this.#nextTryMs = this.#clock.monotonicMs() + retryMs;
      this.#tell(error);
      return false;
    }
  }

  /** Says a fault once, until it is another one or over. */
  #tell(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (this.#fault === why) return;
    this.#fault = why;
    const { file } = this.#settings;
    this.#report(
      'error',
      `Error: History: ${file} cannot be written: ${why}. Messages wait, and the newest are given up when too many do.`,
    );
  }

  #changeSinks(): void {
    const old = this.#sinks;
    const isSame = (settings: HistorySettings['sinks'][number]) => (sink: InfluxSink) =>
      JSON.stringify(sink.settings) === JSON.stringify(settings);
    this.#sinks = this.#settings.sinks.map(
      (settings) => old.find(isSame(settings)) ?? new InfluxSink(settings, this.#clock, this.#report),
    );
    for (const sink of old) if (!this.#sinks.includes(sink)) void sink.close(sinkPatienceMs);
  }
}
