/** Compares the ratios of a run with recorded ones: the guard against getting slower unnoticed. */
import type { Row } from './summary.ts';

/** A ratio may be this share worse than the recorded one: machines are noisy, about ±15 %. */
export const TOLERANCE = 0.25;

/** What is kept of a row to compare with later. */
export interface RecordedRatio {
  readonly scenario: string;
  readonly figure: string;
  readonly broker: string;
  readonly ratio: number;
}

export function ratiosOf(rows: readonly Row[]): RecordedRatio[] {
  return rows.flatMap(({ scenario, figure, cells }) =>
    cells.flatMap(({ broker, ratio }) =>
      ratio === undefined ? [] : [{ scenario, figure: figure.key, broker, ratio }],
    ),
  );
}

/**
 * One line per row of `broker` that has become worse than the tolerance allows, or has no figure any more. Only the
 * first figure of each scenario is held to it: the others are too noisy to fail on.
 */
export function regressions(rows: readonly Row[], recorded: readonly RecordedRatio[], broker: string): string[] {
  const seen = new Set<string>();
  return rows.flatMap(({ scenario, title, figure, cells }) => {
    if (seen.has(scenario)) return [];
    seen.add(scenario);
    const before = recorded.find(
      (row) => row.scenario === scenario && row.figure === figure.key && row.broker === broker,
    );
    if (before === undefined) return [];
    const cell = cells.find((candidate) => candidate.broker === broker);
    if (cell?.ratio === undefined)
      return [`${title}: no ratio (${cell?.fault ?? 'not measured'}), recorded ${before.ratio.toFixed(2)}×`];
    const isWorse =
      figure.better === 'more'
        ? cell.ratio < before.ratio * (1 - TOLERANCE)
        : cell.ratio > before.ratio / (1 - TOLERANCE);
    return isWorse ? [`${title}: ${cell.ratio.toFixed(2)}×, recorded ${before.ratio.toFixed(2)}×`] : [];
  });
}
