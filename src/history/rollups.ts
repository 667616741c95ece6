/**
 * Sums of samples over whole minutes and hours, so that a plot of a month reads hundreds of rows and not hundreds of thousands.
 *
 * Written once a minute has passed, for the series that changed. `state` holds, by width, the time up to which sums are
 * complete; behind it the samples themselves are read. What a crash leaves out is made up for at the next start.
 */
import type { Archive } from './archive.ts';
import type { Sqlite } from './sqlite.ts';

/** Seconds that a sum covers, the finer first; each is a multiple of the one before. */
export const rollupWidths = [60, 3600] as const;

export type RollupWidth = (typeof rollupWidths)[number];

/** Microseconds after a minute has ended until it is summed up: batches on the way belong to it. */
const settleUs = 10_000_000;

/** Up to which time (microseconds since 1970) sums of this width are complete; 0 for none. */
export function rolledUntil(database: Sqlite, width: RollupWidth): number {
  return Number(database.prepare('SELECT value FROM state WHERE key = ?').get(`rolled_${width}`)?.['value'] ?? 0);
}

export class Rollups {
  readonly #archive: Archive;
  /** Number of a series whose minutes are summed up and whose hours are not → time of the first such minute. */
  readonly #minutes = new Map<number, number>();

  constructor(archive: Archive) {
    this.#archive = archive;
    const { database, catalog, touched } = archive;
    const [minutes, hours] = [rolledUntil(database, 60), rolledUntil(database, 3600)];
    for (const topic of catalog.topics.values()) {
      for (const { id } of topic.series.values()) {
        touched.set(id, minutes);
        this.#minutes.set(id, hours);
      }
    }
  }

  /**
   * Sums up what is complete, in one transaction.
   *
   * @param nowUs - wall clock, microseconds
   */
  roll(nowUs: number): void {
    const { touched, database } = this.#archive;
    const minutesUntil = floor(nowUs - settleUs, 60);
    const hoursUntil = floor(minutesUntil, 3600);
    if (minutesUntil <= rolledUntil(database, 60)) return;
    this.#archive.transaction(() => {
      for (const [series, first] of touched) {
        const from = floor(first, 60);
        database.prepare(sumSamples).run(series, from, minutesUntil);
        if ((this.#minutes.get(series) ?? Number.POSITIVE_INFINITY) > from) this.#minutes.set(series, from);
      }
      setRolled(database, 60, minutesUntil);
      for (const [series, first] of this.#minutes) {
        // Of an hour that is over, also when what changed in it came late.
        if (first < hoursUntil) database.prepare(sumMinutes).run(series, floor(first, 3600), hoursUntil);
      }
      setRolled(database, 3600, hoursUntil);
      // What came behind the last whole minute, or hour, is still to be summed up.
      keepUnfinished(touched, minutesUntil, database, 'SELECT 1 FROM sample WHERE series = ? AND at >= ? LIMIT 1');
      const hasMinute = 'SELECT 1 FROM rollup WHERE series = ? AND width = 60 AND at >= ? LIMIT 1';
      keepUnfinished(this.#minutes, hoursUntil, database, hasMinute);
    });
  }
}

const sumSamples = `
  INSERT OR REPLACE INTO rollup (series, width, at, samples, min, max, sum, last)
  SELECT g.series, 60, g.start, g.n, g.lo, g.hi, g.total, s.value FROM (
    SELECT series, at / 60000000 * 60000000 AS start, count(*) AS n, min(value) AS lo, max(value) AS hi,
      sum(value) AS total, max(at) AS last_at
    FROM sample WHERE series = ? AND at >= ? AND at < ? GROUP BY start
  ) AS g JOIN sample AS s ON s.series = g.series AND s.at = g.last_at`;

const sumMinutes = `
  INSERT OR REPLACE INTO rollup (series, width, at, samples, min, max, sum, last)
  SELECT g.series, 3600, g.start, g.n, g.lo, g.hi, g.total, r.last FROM (
    SELECT series, at / 3600000000 * 3600000000 AS start, sum(samples) AS n, min(min) AS lo, max(max) AS hi,
      sum(sum) AS total, max(at) AS last_at
    FROM rollup WHERE series = ? AND width = 60 AND at >= ? AND at < ? GROUP BY start
  ) AS g JOIN rollup AS r ON r.series = g.series AND r.width = 60 AND r.at = g.last_at`;

function keepUnfinished(series: Map<number, number>, until: number, database: Sqlite, hasMore: string): void {
  for (const [id, first] of series) {
    if (first >= until) continue;
    if (database.prepare(hasMore).get(id, until) === undefined) series.delete(id);
    else series.set(id, until);
  }
}

function floor(us: number, seconds: number): number {
  return Math.floor(us / (seconds * 1_000_000)) * seconds * 1_000_000;
}

function setRolled(database: Sqlite, width: RollupWidth, until: number): void {
  database
    .prepare('INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    .run(`rolled_${width}`, until);
}
