/** Writes messages and their numbers into the database, a transaction per batch. */
import { Catalog, type SeriesEntry, type TopicEntry } from './catalog.ts';
import type { StoredPayload } from './numbers.ts';
import { type HistoryRule, ruleOf } from './rules.ts';
import type { Sqlite } from './sqlite.ts';

/** Estimated bytes of the rows of one message and of one sample in all tables and indexes, payload not included. */
export const messageRowBytes = 40;
export const sampleRowBytes = 26;

/** A message that is to be written. */
export interface NewMessage {
  /** Microseconds since 1970, see {@link MessageTimes}; changed when another message has it already. */
  at: number;
  readonly topic: string;
  readonly clientId: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly payload: StoredPayload;
  /** Path → number. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** Gives every message a time of its own: that of its millisecond, and a number within it. */
export class MessageTimes {
  #last: number;

  /** @param last - of the newest message there is */
  constructor(last: number) {
    this.#last = last;
  }

  /** @param timeMs - wall clock, which may also go back */
  next(timeMs: number): number {
    const at = Math.floor(timeMs) * 1000;
    // More than a second back is a clock that was set; less is many messages in one millisecond.
    this.#last = at > this.#last || this.#last - at > 1_000_000 ? at : this.#last + 1;
    return this.#last;
  }
}

interface Client {
  readonly id: number;
  lastAt: number;
}

export class Archive {
  readonly database: Sqlite;
  readonly catalog: Catalog;
  #rules: readonly HistoryRule[];
  /** Topics and series whose counts are not written yet. */
  readonly #changedTopics = new Set<TopicEntry>();
  readonly #changedSeries = new Set<SeriesEntry>();
  /** Number of a series → time of the first sample that came since the last roll-up. */
  readonly touched = new Map<number, number>();
  /** Messages of topics for which there was no room in the catalog, and numbers for which there was none. */
  topicsRefused = 0;
  numbersRefused = 0;

  constructor(database: Sqlite, rules: readonly HistoryRule[]) {
    this.database = database;
    this.#rules = rules;
    this.catalog = Catalog.load(database);
    this.#applyRules();
  }

  get rules(): readonly HistoryRule[] {
    return this.#rules;
  }

  /** Rules that were read again. */
  changeRules(rules: readonly HistoryRule[]): void {
    this.#rules = rules;
    this.#applyRules();
  }

  /** Time of the newest message, 0 when there is none. */
  lastAt(): number {
    return Number(this.database.prepare('SELECT max(at) AS at FROM message').get()?.['at'] ?? 0);
  }

  /**
   * Writes a batch, all of it or nothing.
   *
   * @returns how many were left out for want of room in the catalog
   * @throws what the driver throws; see {@link transaction}
   */
  write(messages: readonly NewMessage[]): number {
    let refused = 0;
    this.transaction(() => {
      /** Client Identifier → its number and its newest message */
      const clients = new Map<string, Client>();
      for (const message of messages) if (!this.#insert(message, clients)) refused++;
      const seen = this.database.prepare('UPDATE client SET last_at = max(last_at, ?) WHERE id = ?');
      for (const { id, lastAt } of clients.values()) seen.run(lastAt, id);
    });
    this.topicsRefused += refused;
    return refused;
  }

  /**
   * Runs something in a transaction, together with the counts it changes.
   *
   * @throws what the driver throws; the file is as before then, what is in memory is not: open it again
   */
  transaction(run: () => void): void {
    const { database } = this;
    database.exec('BEGIN IMMEDIATE');
    try {
      run();
      this.#writeCounts();
      database.exec('COMMIT');
    } catch (error) {
      try {
        database.exec('ROLLBACK');
      } catch {
        // SQLite has rolled back by itself, as it does when the disk is full.
      }
      throw error;
    }
  }

  /** Takes rows off the counts of a topic; see `retention.ts`. */
  count(topic: TopicEntry, series: SeriesEntry | null, rows: number, bytes: number): void {
    if (series === null) topic.messages += rows;
    else {
      series.samples += rows;
      this.#changedSeries.add(series);
    }
    topic.bytes += bytes;
    this.#changedTopics.add(topic);
  }

  /** Removes a topic without messages. */
  forget(topic: TopicEntry): void {
    this.database.prepare('DELETE FROM series WHERE topic = ?').run(topic.id);
    this.database.prepare('DELETE FROM topic WHERE id = ?').run(topic.id);
    for (const series of topic.series.values()) {
      this.#changedSeries.delete(series);
      this.touched.delete(series.id);
    }
    this.#changedTopics.delete(topic);
    this.catalog.removeTopic(topic);
  }

  #insert(message: NewMessage, clients: Map<string, Client>): boolean {
    const topic = this.catalog.topics.get(message.topic) ?? this.#addTopic(message.topic);
    if (topic === undefined) return false;
    const { payload, numbers } = message;
    const client = clients.get(message.clientId) ?? this.#clientOf(message, clients);
    const insert = this.database.prepare(
      'INSERT INTO message (at, topic, client, qos, retain, payload) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    // Taken only when the clock was set back to where messages are already.
    while (insert.run(message.at, topic.id, client.id, message.qos, message.retain ? 1 : 0, payload) === 0)
      message.at++;
    client.lastAt = Math.max(client.lastAt, message.at);
    this.count(topic, null, 1, messageRowBytes + Buffer.byteLength(payload));
    for (const [field, value] of numbers) {
      const series = topic.series.get(field) ?? this.#addSeries(topic, field);
      if (series === undefined) {
        this.numbersRefused++;
        continue;
      }
      this.database
        .prepare('INSERT INTO sample (series, at, value) VALUES (?, ?, ?)')
        .run(series.id, message.at, value);
      this.count(topic, series, 1, sampleRowBytes);
      const first = this.touched.get(series.id);
      if (first === undefined || first > message.at) this.touched.set(series.id, message.at);
    }
    return true;
  }

  #addTopic(name: string): TopicEntry | undefined {
    const topic = this.catalog.addTopic(name);
    if (topic === undefined) return undefined;
    topic.rule = ruleOf(this.#rules, name);
    this.database.prepare('INSERT INTO topic (id, name, messages, bytes) VALUES (?, ?, 0, 0)').run(topic.id, name);
    return topic;
  }

  #addSeries(topic: TopicEntry, field: string): SeriesEntry | undefined {
    const series = this.catalog.addSeries(topic, field);
    if (series === undefined) return undefined;
    const insert = this.database.prepare('INSERT INTO series (id, topic, field, samples) VALUES (?, ?, ?, 0)');
    insert.run(series.id, topic.id, field);
    return series;
  }

  #clientOf({ clientId, at }: NewMessage, clients: Map<string, Client>): Client {
    const { database } = this;
    database.prepare('INSERT INTO client (name, last_at) VALUES (?, ?) ON CONFLICT DO NOTHING').run(clientId, at);
    const id = Number(database.prepare('SELECT id FROM client WHERE name = ?').get(clientId)?.['id']);
    const client = { id, lastAt: at };
    clients.set(clientId, client);
    return client;
  }

  #writeCounts(): void {
    const { database } = this;
    const topics = database.prepare('UPDATE topic SET messages = ?, bytes = ? WHERE id = ?');
    for (const { messages, bytes, id } of this.#changedTopics) topics.run(messages, bytes, id);
    const series = database.prepare('UPDATE series SET samples = ? WHERE id = ?');
    for (const { samples, id } of this.#changedSeries) series.run(samples, id);
    this.#changedTopics.clear();
    this.#changedSeries.clear();
  }

  #applyRules(): void {
    for (const topic of this.catalog.topics.values()) topic.rule = ruleOf(this.#rules, topic.name);
  }
}
