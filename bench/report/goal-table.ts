/** Holds measured rows against the goals. */
import { type Goal, goals } from '../goals.ts';
import { figuresOf } from './figures.ts';
import type { Row } from './summary.ts';

const BROKER = 'moustique';

export interface JudgedGoal {
  readonly title: string;
  readonly figure: string;
  readonly atLeast: string;
  readonly goal: string;
  readonly measured: string;
  /** `open`: not measured, or the broker scored nothing. */
  readonly verdict: 'goal' | 'at least' | 'below' | 'open';
}

/** Every goal whose scenario was measured. */
export function judge(rows: readonly Row[]): JudgedGoal[] {
  return goals.flatMap((goal): JudgedGoal[] => {
    const row = rows.find(({ scenario, figure }) => scenario === goal.scenario && figure.key === goal.figure);
    if (row === undefined) return [];
    const figure = figuresOf(row.kind).find(({ key }) => key === goal.figure);
    if (figure === undefined) throw new Error(`goal ${goal.scenario}: there is no figure ${goal.figure}`);
    const format = goal.by === 'value' ? figure.format : (value: number) => `${value.toFixed(2)} × ${goal.by}`;
    const sign = figure.better === 'more' ? '≥' : '≤';
    const measured = measure(goal, row);
    const reaches = (bound: number): boolean =>
      measured !== undefined && (figure.better === 'more' ? measured >= bound : measured <= bound);
    return [
      {
        title: row.title,
        figure: figure.title,
        atLeast: `${sign} ${format(goal.atLeast)}`,
        goal: `${sign} ${format(goal.goal)}`,
        measured: measured === undefined ? '–' : format(measured),
        verdict:
          measured === undefined ? 'open' : reaches(goal.goal) ? 'goal' : reaches(goal.atLeast) ? 'at least' : 'below',
      },
    ];
  });
}

function measure(goal: Goal, { cells }: Row): number | undefined {
  const own = cells.find(({ broker }) => broker === BROKER);
  if (goal.by === 'value' || own?.value === undefined) return own?.value;
  const other = cells.find(({ broker }) => broker === goal.by);
  // The baseline's own ratio is 1: then the quotients were taken round by round, which is steadier.
  if (other?.ratio === 1) return own.ratio;
  return other?.value === undefined ? undefined : own.value / other.value;
}

export function goalGrid(judged: readonly JudgedGoal[]): string[][] {
  return [
    ['scenario', 'figure', 'at least', 'goal', 'measured', 'reached'],
    ...judged.map(({ title, figure, atLeast, goal, measured, verdict }) => [
      ...[title, figure, atLeast, goal, measured],
      verdict === 'below' ? '**below**' : verdict,
    ]),
  ];
}
