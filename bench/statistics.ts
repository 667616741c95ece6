/** Medians, percentiles and ratios: little, but in one place. */

/** @throws RangeError - when there is nothing to take the median of */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('the median of no values');
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/**
 * The smallest sample that at least this share of all samples do not exceed.
 *
 * @param sorted - ascending
 * @param share - 0..1
 */
export function percentile(sorted: Float64Array | readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] as number;
}

/**
 * How one broker compares with another: the median of the quotients of runs made back to back, which is steadier than
 * the quotient of medians when the machine drifts. Rounds that one of them lacks are left out.
 *
 * @returns undefined - when no round has both
 */
export function ratio(
  values: readonly (number | undefined)[],
  baseline: readonly (number | undefined)[],
): number | undefined {
  const quotients: number[] = [];
  values.forEach((value, round) => {
    const base = baseline[round];
    if (value !== undefined && base !== undefined && base > 0) quotients.push(value / base);
  });
  return quotients.length === 0 ? undefined : median(quotients);
}

/** Half the distance between the extremes, as a share of the median: 0.07 reads "±7 %". */
export function spread(values: readonly number[]): number {
  if (values.length < 2) return 0;
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values);
}
