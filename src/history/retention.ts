/**
 * Makes room: `keep N days`, `max SIZE` of a rule, and the size of the whole file.
 *
 * The oldest go first, a few hundred at a time, between batches. Space is used again for new messages; the file itself becomes
 * smaller only when much of it is free.
 */
import { type Archive, messageRowBytes, sampleRowBytes } from './archive.ts';
import type { TopicEntry } from './catalog.ts';
import { rollupWidths } from './rollups.ts';
import { pragma } from './schema.ts';

/** Rows looked at, and messages deleted, in one step: some milliseconds. */
const rowsPerStep = 4000;
const messagesPerStep = 500;
/** Pages given back to the file system in one step, once so many are free that it is worth it. */
const pagesPerStep = 256;
const freePagesMin = 1024;
/** A limit that was reached is made room below, so that not every message has to. */
const slack = 0.97;
const usPerDay = 86_400_000_000;

export class Retention {
  readonly #archive: Archive;
  /** Index of a rule → up to where nothing of it is left that has to go. */
  readonly #cursors = new Map<number, number>();
  #maxFileBytes: number;

  constructor(archive: Archive, maxFileBytes: number) {
    this.#archive = archive;
    this.#maxFileBytes = maxFileBytes;
  }

  /** Limits that were read again: every rule is looked at from the beginning. */
  changed(maxFileBytes: number): void {
    this.#maxFileBytes = maxFileBytes;
    this.#cursors.clear();
  }

  /**
   * One step.
   *
   * @param nowUs - wall clock, microseconds
   * @returns whether there is more to do at once
   */
  step(nowUs: number): boolean {
    let hasMore = false;
    this.#archive.transaction(() => {
      hasMore = this.#step(nowUs);
    });
    return hasMore;
  }

  #step(nowUs: number): boolean {
    for (const [index, rule] of this.#archive.rules.entries()) {
      const before = rule.keepDays === null ? 0 : nowUs - rule.keepDays * usPerDay;
      const surplus = rule.maxBytes === null ? 0 : this.bytesOf(index) - rule.maxBytes;
      if (surplus > 0 && rule.maxBytes !== null) {
        if (this.#makeRoom(index, Number.POSITIVE_INFINITY, surplus + rule.maxBytes * (1 - slack))) return true;
      } else if (before > 0 && this.#makeRoom(index, before, Number.POSITIVE_INFINITY)) {
        return true;
      }
    }
    return this.#shrink();
  }

  /** Estimated bytes of the messages of a rule. */
  bytesOf(rule: number): number {
    let bytes = 0;
    for (const topic of this.#archive.catalog.topics.values()) if (topic.rule === rule) bytes += topic.bytes;
    return bytes;
  }

  /**
   * Deletes the oldest messages of a rule that are older than `before`, until `bytes` are won.
   *
   * @returns whether there may be more
   */
  #makeRoom(rule: number, before: number, bytes: number): boolean {
    const { database, catalog } = this.#archive;
    const from = this.#cursors.get(rule) ?? 0;
    const rows = database
      .prepare('SELECT at, topic FROM message WHERE at > ? AND at < ? ORDER BY at LIMIT ?')
      .all(from, Math.min(before, Number.MAX_SAFE_INTEGER), rowsPerStep);
    /** Topic → time of the newest message to go. */
    const doomed = new Map<TopicEntry, number>();
    let cursor = from;
    let won = 0;
    let count = 0;
    for (const row of rows) {
      if (count >= messagesPerStep || won >= bytes) break;
      cursor = Number(row['at']);
      const topic = catalog.topicsById.get(Number(row['topic']));
      if (topic === undefined || topic.rule !== rule) continue;
      doomed.set(topic, cursor);
      count++;
      won += topic.bytes / Math.max(1, topic.messages);
    }
    this.#delete(doomed);
    // Messages from before a clock was set back stand in front of the cursor: the next look begins in front of them.
    const isAtEnd = rows.length === 0 && before === Number.POSITIVE_INFINITY;
    this.#cursors.set(rule, isAtEnd ? 0 : cursor);
    return rows.length > 0 && won < bytes;
  }

  /** The whole file: pages in use beyond the limit, and free ones beyond what is worth keeping. */
  #shrink(): boolean {
    const { database, catalog } = this.#archive;
    const pageBytes = pragma(database, 'page_size');
    const pages = pragma(database, 'page_count');
    const free = pragma(database, 'freelist_count');
    const isFull = (pages - free) * pageBytes > this.#maxFileBytes * slack;
    if (isFull) {
      const rows = database.prepare('SELECT at, topic FROM message ORDER BY at LIMIT ?').all(messagesPerStep);
      const doomed = new Map<TopicEntry, number>();
      for (const row of rows) {
        const topic = catalog.topicsById.get(Number(row['topic']));
        if (topic !== undefined) doomed.set(topic, Number(row['at']));
      }
      this.#delete(doomed);
      return rows.length > 0;
    }
    const isWorthIt = free > Math.max(freePagesMin, pages / 4) || (pages * pageBytes > this.#maxFileBytes && free > 0);
    if (isWorthIt) database.exec(`PRAGMA incremental_vacuum(${pagesPerStep})`);
    return isWorthIt && pragma(database, 'page_count') < pages;
  }

  /** Deletes everything of these topics up to and including a time. */
  #delete(doomed: ReadonlyMap<TopicEntry, number>): void {
    if (doomed.size === 0) return;
    const archive = this.#archive;
    const { database } = archive;
    for (const [topic, until] of doomed) {
      const payloads = database
        .prepare('SELECT sum(length(CAST(payload AS BLOB))) AS n FROM message WHERE topic = ? AND at <= ?')
        .get(topic.id, until);
      const messages = database.prepare('DELETE FROM message WHERE topic = ? AND at <= ?').run(topic.id, until);
      archive.count(topic, null, -messages, -messages * messageRowBytes - Number(payloads?.['n'] ?? 0));
      for (const series of topic.series.values()) {
        const samples = database.prepare('DELETE FROM sample WHERE series = ? AND at <= ?').run(series.id, until);
        if (samples > 0) archive.count(topic, series, -samples, -samples * sampleRowBytes);
        // A sum stays as long as one of its samples does.
        for (const width of rollupWidths) {
          database
            .prepare('DELETE FROM rollup WHERE series = ? AND width = ? AND at <= ?')
            .run(series.id, width, until - width * 1_000_000);
        }
      }
      if (topic.messages <= 0) this.#forget(topic);
    }
    const oldest = 'SELECT coalesce(min(at), 9e15) FROM message';
    database.prepare(`DELETE FROM client WHERE last_at < (${oldest})`).run();
  }

  #forget(topic: TopicEntry): void {
    const { database } = this.#archive;
    if (database.prepare('SELECT 1 FROM message WHERE topic = ? LIMIT 1').get(topic.id) !== undefined) return;
    for (const { id } of topic.series.values()) {
      database.prepare('DELETE FROM sample WHERE series = ?').run(id);
      database.prepare('DELETE FROM rollup WHERE series = ?').run(id);
    }
    this.#archive.forget(topic);
  }
}
