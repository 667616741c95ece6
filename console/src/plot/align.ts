/** Several series on one time axis: the union of their times, with holes where one has nothing. */

import type { StoredSeries } from '../api/types.ts';

export type Column = (number | null | undefined)[];

export interface Aligned {
  /** Seconds since 1970, growing: uPlot's unit. */
  readonly times: readonly number[];
  /** For each series: mean, least, greatest. `null` is a hole in the line, `undefined` only another series' time. */
  readonly columns: readonly { readonly mean: Column; readonly minimum: Column; readonly maximum: Column }[];
}

/** Times at which a line is interrupted: the middle of each hole the broker tells of. */
export const holesOf = ({ times, gaps }: Pick<StoredSeries, 'times' | 'gaps'>): number[] =>
  gaps.filter((gap) => gap > 0 && gap < times.length).map((gap) => ((times[gap - 1] ?? 0) + (times[gap] ?? 0)) / 2);

export function align(series: readonly StoredSeries[]): Aligned {
  const holes = series.map(holesOf);
  const times = [...new Set([...series.flatMap((one) => one.times), ...holes.flat()])].sort((a, b) => a - b);
  const place = new Map(times.map((time, index) => [time, index]));
  const columns = series.map((one, at) => {
    const columnOf = (values: readonly number[]): Column => {
      const column: Column = new Array<number | null | undefined>(times.length).fill(undefined);
      one.times.forEach((time, index) => {
        column[place.get(time) ?? 0] = values[index];
      });
      for (const hole of holes[at] ?? []) column[place.get(hole) ?? 0] = null;
      return column;
    };
    return { mean: columnOf(one.avg), minimum: columnOf(one.min), maximum: columnOf(one.max) };
  });
  return { times: times.map((time) => time / 1000), columns };
}
