/** Which series there are. */
import type { HistorySeries, HistorySeriesPage, HistorySeriesRequest } from '../contracts/history.ts';
import type { SeriesEntry } from './catalog.ts';
import { invalid } from './history-fault.ts';
import { checkedFilter, checkedNumber, type Reader } from './reader.ts';

const pageMax = 1000;

/** @throws HistoryFault */
export function readSeries({ database, catalog }: Reader, request: HistorySeriesRequest): HistorySeriesPage {
  const filter = request.filter === undefined ? undefined : checkedFilter(request.filter);
  const limit = checkedNumber('limit', request.limit, pageMax, 1, pageMax);
  const [afterTopic, afterField] = cursorOf(request.cursor);
  const found: SeriesEntry[] = [];
  let hasMore = false;
  for (const topic of catalog.matching(filter)) {
    if (topic.name < afterTopic) continue;
    for (const series of sortedSeries(topic.series)) {
      if (topic.name === afterTopic && series.field <= afterField) continue;
      if (series.samples <= 0) continue;
      if (found.length === limit) hasMore = true;
      else found.push(series);
    }
    if (hasMore) break;
  }
  const ends = database.prepare('SELECT min(at) AS first FROM sample WHERE series = ?');
  const last = database.prepare('SELECT at, value FROM sample WHERE series = ? ORDER BY at DESC LIMIT 1');
  const series = found.map(({ id, topic, field, samples }): HistorySeries => {
    const { at = 0, value = 0 } = last.get(id) ?? {};
    const first = ends.get(id)?.['first'] ?? at;
    return {
      topic: topic.name,
      field,
      count: samples,
      firstMs: Math.floor(Number(first) / 1000),
      lastMs: Math.floor(Number(at) / 1000),
      lastValue: Number(value),
    };
  });
  const end = found.at(-1);
  return { series, next: hasMore && end !== undefined ? JSON.stringify([end.topic.name, end.field]) : null };
}

/** In the order of the paths. */
export function sortedSeries(series: ReadonlyMap<string, SeriesEntry>): readonly SeriesEntry[] {
  return [...series.values()].sort((one, other) => (one.field < other.field ? -1 : 1));
}

function cursorOf(cursor: string | undefined): readonly [topic: string, field: string] {
  if (cursor === undefined) return ['', ''];
  try {
    const value: unknown = JSON.parse(cursor);
    if (Array.isArray(value) && value.length === 2) return [String(value[0]), String(value[1])];
  } catch {
    // Said below.
  }
  throw invalid('cursor', 'expected what an earlier answer gave');
}
