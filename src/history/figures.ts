/** How much a database holds. */
import { statSync } from 'node:fs';
import type { HistoryRuleStats, HistoryStats } from '../contracts/history.ts';
import type { Reader } from './reader.ts';
import type { HistoryRule } from './rules.ts';
import { pragma } from './schema.ts';

/** The part of the figures that stands in the file. */
export type StoredFigures = Pick<
  HistoryStats,
  'driver' | 'fileBytes' | 'usedBytes' | 'topics' | 'series' | 'messages' | 'samples' | 'firstMs' | 'lastMs' | 'rules'
>;

export function storedFigures(
  { database, catalog }: Reader,
  file: string,
  rules: readonly HistoryRule[],
): StoredFigures {
  const ofRules = rules.map(({ filter, keepDays, maxBytes }) => {
    return { filter, keepDays, maxBytes, topics: 0, messages: 0, bytes: 0 } satisfies HistoryRuleStats;
  });
  let messages = 0;
  let samples = 0;
  for (const topic of catalog.topics.values()) {
    messages += topic.messages;
    for (const series of topic.series.values()) samples += series.samples;
    const rule = ofRules[topic.rule];
    if (rule === undefined) continue;
    rule.topics++;
    rule.messages += topic.messages;
    rule.bytes += topic.bytes;
  }
  const span = database
    .prepare('SELECT (SELECT min(at) FROM message) AS first, (SELECT max(at) AS last FROM message) AS last')
    .get();
  const toMs = (at: unknown) => (typeof at === 'number' ? Math.floor(at / 1000) : null);
  const pages = pragma(database, 'page_count') - pragma(database, 'freelist_count');
  return {
    driver: database.driver,
    fileBytes: statSync(file).size,
    usedBytes: pages * pragma(database, 'page_size'),
    topics: catalog.topics.size,
    series: catalog.seriesCount,
    messages,
    samples,
    firstMs: toMs(span?.['first']),
    lastMs: toMs(span?.['last']),
    rules: ofRules,
  };
}
