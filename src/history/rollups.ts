/**
 * Sums of samples over whole minutes, five minutes and hours, so that a plot of a month reads hundreds of rows and not hundreds of thousands.
 *
 * Written once a minute has passed, for the series that changed. `state` holds, by width, the time up to which sums are
 * complete; behind it the samples themselves are read. What a crash leaves out is made up for at the next start.
 */
import type { Archive } from './archive.ts';
import type { Sqlite } from './sqlite.ts';

/** Seconds that a sum covers, the finer first; each is a multiple of the one before and is made of it. */
export const rollupWidths = [60, 300, 3600] as const;

export type RollupWidth = (typeof rollupWidths)[number];

/** Microseconds after a minute has ended until it is summed up: batches on the way belong to it. */
const settleUs = 10_000_000;

/** Up to which time (microseconds since 1970) sums of this width are complete; 0 for none. */
export function rolledUntil(database: Sqlite, width: RollupWidth): number {
  return Number(database.prepare('SELECT value FROM state WHERE key = ?').get(`rolled_${width}`)?.['value'] ?? 0);
}

export class Rollups {
  readonly #archive: Archive;
  /** By width: number of a series whose sums are not complete → time from which on they are not. */
  readonly #unfinished: readonly (readonly [width: RollupWidth, series: Map<number, number>])[];

  constructor(archive: Archive) {
    this.#archive = archive;
    const { database, catalog, touched } = archive;
    this.#unfinished = rollupWidths.map((width, index) => {
      const series = index === 0 ? touched : new Map<number, number>();
      const until = rolledUntil(database, width);
      for (const topic of catalog.topics.values()) for (const { id } of topic.series.values()) series.set(id, until);
      return [width, series] as const;
    });
  }

  /**
   * Sums up what is complete, in one transaction.
   *
   * @param nowUs - wall clock, microseconds
   */
  roll(nowUs: number): void {
    const { database } = this.#archive;
    if (floor(nowUs - settleUs, 60) <= rolledUntil(database, 60)) return;
    this.#archive.transaction(() => {
      let until = nowUs - settleUs;
      for (const [index, [width, series]] of this.#unfinished.entries()) {
        until = floor(until, width);
        const coarser = this.#unfinished[index + 1]?.[1];
        const finer = this.#unfinished[index - 1]?.[0];
        for (const [id, first] of series) {
          // Also of a time that was summed up before, when what changed in it came late.
          if (first >= until) continue;
          const from = floor(first, width);
          if (finer === undefined) database.prepare(sumSamples).run(id, from, until, width, width * 1_000_000);
          else database.prepare(sumFiner).run(id, from, until, width, width * 1_000_000, finer);
          if (coarser !== undefined && (coarser.get(id) ?? Number.POSITIVE_INFINITY) > from) coarser.set(id, from);
          // What came behind the last whole minute, or hour, is still to be summed up.
          if (hasMore(database, id, until, finer)) series.set(id, until);
          else series.delete(id);
        }
        setRolled(database, width, until);
      }
    });
  }
}

const sumSamples = `
  INSERT OR REPLACE INTO rollup (series, width, at, samples, min, max, sum, last)
  SELECT ?1, ?4, g.start, g.n, g.lo, g.hi, g.total, s.value FROM (
    SELECT CAST(at / ?5 AS INTEGER) * ?5 AS start, count(*) AS n, min(value) AS lo, max(value) AS hi, sum(value) AS total,
      max(at) AS last_at
    FROM sample WHERE series = ?1 AND at >= ?2 AND at < ?3 GROUP BY start
  ) AS g JOIN sample AS s ON s.series = ?1 AND s.at = g.last_at`;

const sumFiner = `
  INSERT OR REPLACE INTO rollup (series, width, at, samples, min, max, sum, last)
  SELECT ?1, ?4, g.start, g.n, g.lo, g.hi, g.total, r.last FROM (
    SELECT CAST(at / ?5 AS INTEGER) * ?5 AS start, sum(samples) AS n, min(min) AS lo, max(max) AS hi, sum(sum) AS total,
      max(at) AS last_at
    FROM rollup WHERE series = ?1 AND width = ?6 AND at >= ?2 AND at < ?3 GROUP BY start
  ) AS g JOIN rollup AS r ON r.series = ?1 AND r.width = ?6 AND r.at = g.last_at`;

/** Whether there is anything to sum up from a time on: samples, or sums of the finer width. */
function hasMore(database: Sqlite, series: number, at: number, finer: RollupWidth | undefined): boolean {
  const row =
    finer === undefined
      ? database.prepare('SELECT 1 FROM sample WHERE series = ? AND at >= ? LIMIT 1').get(series, at)
      : database
          .prepare('SELECT 1 FROM rollup WHERE series = ? AND at >= ? AND width = ? LIMIT 1')
          .get(series, at, finer);
  return row !== undefined;
}

function floor(us: number, seconds: number): number {
  return Math.floor(us / (seconds * 1_000_000)) * seconds * 1_000_000;
}

function setRolled(database: Sqlite, width: RollupWidth, until: number): void {
  database
    .prepare('INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    .run(`rolled_${width}`, until);
}
