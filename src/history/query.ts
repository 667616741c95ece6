/** Numbers in buckets: from the samples where buckets are narrow, from the sums of minutes and hours where they are wide. */
import type { HistoryBuckets, HistoryQuery, HistoryQueryResult } from '../contracts/history.ts';
import type { SeriesEntry } from './catalog.ts';
import { invalid } from './history-fault.ts';
import { sortedSeries } from './read-series.ts';
import { checkedFilter, checkedNumber, checkedSpan, type Reader, timeMaxMs } from './reader.ts';
import { type RollupWidth, rolledUntil, rollupWidths } from './rollups.ts';

const bucketsMost = 5000;
const seriesMost = 100;
/** Widths that people can read off an axis, in ms; beyond them whole days. */
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const widths = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12, 24].map((count) => count * hour),
];

/** @throws HistoryFault */
export function query(reader: Reader, request: HistoryQuery): HistoryQueryResult {
  const filter = checkedFilter(request.filter);
  const { field } = request;
  if (field !== undefined && typeof field !== 'string') throw invalid('field', 'expected a path');
  if (request.fromMs === undefined || request.toMs === undefined) throw invalid('fromMs, toMs', 'are needed');
  const [from, to] = checkedSpan(request);
  const bucketsMax = checkedNumber('bucketsMax', request.bucketsMax, 1000, 1, bucketsMost);
  const seriesMax = checkedNumber('seriesMax', request.seriesMax, 20, 1, seriesMost);
  const asked = checkedNumber('bucketMs', request.bucketMs, 1, 1, timeMaxMs);
  const bucketMs = bucketWidth(asked, (to - from) / 1000, bucketsMax);
  const wanted: SeriesEntry[] = [];
  let isTruncated = false;
  for (const topic of reader.catalog.matching(filter)) {
    for (const series of sortedSeries(topic.series)) {
      if (field !== undefined && series.field !== field) continue;
      if (wanted.length === seriesMax) isTruncated = true;
      else wanted.push(series);
    }
    if (isTruncated) break;
  }
  const series = wanted.map((one) => bucketsOf(reader, one, from, to, bucketMs));
  return { fromMs: from / 1000, toMs: to / 1000, bucketMs, series, isTruncated };
}

/** The narrowest readable width, at least as asked, that keeps to the number of buckets. */
export function bucketWidth(askedMs: number, spanMs: number, bucketsMax: number): number {
  // The first and the last bucket reach beyond the span.
  const fits = (width: number) => Math.ceil(spanMs / width) <= bucketsMax;
  if (askedMs > 1 && fits(askedMs)) return askedMs;
  const width = widths.find((one) => one >= askedMs && fits(one));
  return width ?? Math.max(Math.ceil(askedMs / day), Math.ceil(spanMs / bucketsMax / day)) * day;
}

interface Bucket {
  count: number;
  min: number;
  max: number;
  sum: number;
  last: number;
}

function bucketsOf(
  reader: Reader,
  { id, topic, field }: SeriesEntry,
  from: number,
  to: number,
  bucketMs: number,
): HistoryBuckets {
  const width = bucketMs * 1000;
  /** Number of a bucket since 1970 → what is in it. */
  const buckets = new Map<number, Bucket>();
  // Whole buckets: a plot that is moved by less than one keeps its values.
  let begin = Math.floor(from / width) * width;
  const end = Math.ceil(to / width) * width;
  for (const rollup of rollupWidths.toReversed()) {
    if (bucketMs % (rollup * second) !== 0) continue;
    const until = Math.min(end, rolledUntil(reader.database, rollup));
    if (until <= begin) continue;
    addRollups(reader, id, rollup, begin, until, width, buckets);
    begin = until;
  }
  if (begin < end) addSamples(reader, id, begin, end, width, buckets);
  return { topic: topic.name, field, ...columns(buckets, bucketMs) };
}

function addSamples(
  { database }: Reader,
  series: number,
  from: number,
  to: number,
  width: number,
  buckets: Map<number, Bucket>,
): void {
  const rows = database
    .prepare(`
      SELECT g.bucket, g.n, g.lo, g.hi, g.total, s.value AS last FROM (
        SELECT CAST(at / ?4 AS INTEGER) AS bucket, count(*) AS n, min(value) AS lo, max(value) AS hi, sum(value) AS total,
          max(at) AS last_at
        FROM sample WHERE series = ?1 AND at >= ?2 AND at < ?3 GROUP BY bucket
      ) AS g JOIN sample AS s ON s.series = ?1 AND s.at = g.last_at ORDER BY g.bucket`)
    .all(series, from, to, width);
  add(rows, buckets);
}

function addRollups(
  { database }: Reader,
  series: number,
  rollup: RollupWidth,
  from: number,
  to: number,
  width: number,
  buckets: Map<number, Bucket>,
): void {
  const rows = database
    .prepare(`
      SELECT g.bucket, g.n, g.lo, g.hi, g.total, r.last FROM (
        SELECT CAST(at / ?4 AS INTEGER) AS bucket, sum(samples) AS n, min(min) AS lo, max(max) AS hi, sum(sum) AS total,
          max(at) AS last_at
        FROM rollup WHERE series = ?1 AND width = ?5 AND at >= ?2 AND at < ?3 GROUP BY bucket
      ) AS g JOIN rollup AS r ON r.series = ?1 AND r.width = ?5 AND r.at = g.last_at ORDER BY g.bucket`)
    .all(series, from, to, width, rollup);
  add(rows, buckets);
}

/** Rows of later times come later, so that `last` is right. */
function add(rows: readonly Readonly<Record<string, unknown>>[], buckets: Map<number, Bucket>): void {
  for (const row of rows) {
    const number = Number(row['bucket']);
    const [count, min, max] = [Number(row['n']), Number(row['lo']), Number(row['hi'])];
    const [sum, last] = [Number(row['total']), Number(row['last'])];
    const bucket = buckets.get(number);
    if (bucket === undefined) {
      buckets.set(number, { count, min, max, sum, last });
      continue;
    }
    bucket.count += count;
    bucket.min = Math.min(bucket.min, min);
    bucket.max = Math.max(bucket.max, max);
    bucket.sum += sum;
    bucket.last = last;
  }
}

function columns(buckets: ReadonlyMap<number, Bucket>, bucketMs: number): Omit<HistoryBuckets, 'topic' | 'field'> {
  const sorted = [...buckets].sort(([one], [other]) => one - other);
  const times = sorted.map(([number]) => number * bucketMs);
  return {
    times,
    count: sorted.map(([, { count }]) => count),
    min: sorted.map(([, { min }]) => min),
    max: sorted.map(([, { max }]) => max),
    avg: sorted.map(([, { sum, count }]) => sum / count),
    last: sorted.map(([, { last }]) => last),
    gaps: gapsIn(times, bucketMs),
  };
}

/** Where a plot should have a hole: steps of more than five times the usual one. */
export function gapsIn(times: readonly number[], bucketMs: number): number[] {
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const usual = steps.toSorted((one, other) => one - other)[Math.floor(steps.length / 2)] ?? bucketMs;
  const most = Math.max(5 * usual, 2 * bucketMs);
  return steps.flatMap((step, index) => (step > most ? [index + 1] : []));
}
