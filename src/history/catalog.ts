/** The names in a database: which topics and series there are, and how much of each. Bounded, because it is kept in memory. */
import { filterMatches, hasWildcard } from '../topics/topic-filter.ts';
import type { Sqlite } from './sqlite.ts';

/** Topics with messages in the database; those of further topics are not kept until others are gone. */
export const topicsMax = 100_000;
/** Series over all topics, and of one topic: JSON with ever new keys must not fill the memory. */
export const seriesMax = 500_000;
export const seriesPerTopicMax = 256;

export interface TopicEntry {
  readonly id: number;
  readonly name: string;
  messages: number;
  /** Estimated bytes of its rows. */
  bytes: number;
  /** Index of the rule that decides about it, −1 for none. */
  rule: number;
  /** Path in the payload → series. */
  readonly series: Map<string, SeriesEntry>;
}

export interface SeriesEntry {
  readonly id: number;
  readonly topic: TopicEntry;
  readonly field: string;
  samples: number;
}

export class Catalog {
  /** Topic Name → entry. */
  readonly topics = new Map<string, TopicEntry>();
  readonly topicsById = new Map<number, TopicEntry>();
  seriesCount = 0;
  #lastTopicId = 0;
  #lastSeriesId = 0;

  /** What a database holds. */
  static load(database: Sqlite): Catalog {
    const catalog = new Catalog();
    for (const row of database.prepare('SELECT id, name, messages, bytes FROM topic').all()) {
      const [id, messages, bytes] = [Number(row['id']), Number(row['messages']), Number(row['bytes'])];
      catalog.#insert({ id, name: String(row['name']), messages, bytes, rule: -1, series: new Map() });
    }
    for (const row of database.prepare('SELECT id, topic, field, samples FROM series').all()) {
      const topic = catalog.topicsById.get(Number(row['topic']));
      if (topic === undefined) continue;
      const [id, field, samples] = [Number(row['id']), String(row['field']), Number(row['samples'])];
      topic.series.set(field, { id, topic, field, samples });
      catalog.seriesCount++;
      catalog.#lastSeriesId = Math.max(catalog.#lastSeriesId, id);
    }
    return catalog;
  }

  /** A new topic; undefined when there are too many. */
  addTopic(name: string): TopicEntry | undefined {
    if (this.topics.size >= topicsMax) return undefined;
    const topic: TopicEntry = { id: this.#lastTopicId + 1, name, messages: 0, bytes: 0, rule: -1, series: new Map() };
    this.#insert(topic);
    return topic;
  }

  /** A new series; undefined when there are too many. */
  addSeries(topic: TopicEntry, field: string): SeriesEntry | undefined {
    if (topic.series.size >= seriesPerTopicMax || this.seriesCount >= seriesMax) return undefined;
    const series: SeriesEntry = { id: ++this.#lastSeriesId, topic, field, samples: 0 };
    topic.series.set(field, series);
    this.seriesCount++;
    return series;
  }

  removeTopic(topic: TopicEntry): void {
    this.topics.delete(topic.name);
    this.topicsById.delete(topic.id);
    this.seriesCount -= topic.series.size;
  }

  /** Topics that a filter matches, in the order of their names; undefined stands for all of them. */
  matching(filter: string | undefined): TopicEntry[] {
    if (filter !== undefined && !hasWildcard(filter)) {
      const topic = this.topics.get(filter);
      return topic === undefined ? [] : [topic];
    }
    const found: TopicEntry[] = [];
    for (const topic of this.topics.values()) {
      if (filter === undefined || filterMatches(filter, topic.name)) found.push(topic);
    }
    return found.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  #insert(topic: TopicEntry): void {
    this.topics.set(topic.name, topic);
    this.topicsById.set(topic.id, topic);
    this.#lastTopicId = Math.max(this.#lastTopicId, topic.id);
  }
}
