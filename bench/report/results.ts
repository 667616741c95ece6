/** Everything that one run of the benchmarks found, as the files it is kept in. */
import type { Machine } from '../machine.ts';
import type { RecordedRatio } from './check.ts';
import { figuresOf } from './figures.ts';
import { goalGrid, judge } from './goal-table.ts';
import type { Row, Run, ScenarioPlan } from './summary.ts';
import { busyGrid, figureGrid, markdownTable, notes, sections } from './tables.ts';

export interface Results {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
  /** Name of a broker → what it says of its version. */
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: {
    readonly rounds: number;
    readonly warmupMs: number;
    readonly windowMs: number;
    readonly payloadBytes: number;
    readonly level: number;
    readonly baseline: string;
  };
  readonly ratios: readonly RecordedRatio[];
  readonly rows: readonly Row[];
  readonly plans: readonly ScenarioPlan[];
  readonly runs: readonly Run[];
}

/** JSON with one line per entry of a list, so that two recorded runs can be compared. */
export function resultsJson(results: Results): string {
  const parts = Object.entries(results).map(([key, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')}\n ]`
      : JSON.stringify(value);
    return ` ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${parts.join(',\n')}\n}\n`;
}

/** On what, with what and when it was measured. */
export function measuredOn({ date, machine, versions, settings }: Results): string[] {
  const { rounds, windowMs, warmupMs, payloadBytes, level } = settings;
  return [
    `Measured ${date.slice(0, 10)} at commit ${machine.commit} on ${machine.cores} × ${machine.cpu}, ` +
      `${machine.memoryGigabytes} GB, Linux ${machine.kernel}, Node ${machine.node}.`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${windowMs / 1000} s after ${warmupMs / 1000} s of warm-up, ` +
      `${payloadBytes} B payload and MQTT ${level === 5 ? '5.0' : '3.1.1'} unless said.`,
    '',
    ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`),
  ];
}

export function resultsMarkdown(results: Results): string {
  const { rows, settings } = results;
  const tables = sections(rows).flatMap((section) => [
    ...[`## ${section.title}`, '', markdownTable(figureGrid(section)), ''],
    ...[markdownTable(busyGrid(section)), ''],
  ]);
  const marks = notes(rows, settings.baseline).map((note) => `- ${note}`);
  return [...measuredOn(results), '', ...marks, '', ...tables].join('\n');
}

/** @param json - as {@link resultsJson} wrote it; figures that are not shown any more are left out */
export function readResults(json: string): Results {
  const results = JSON.parse(json) as Results; // written by this program
  const rows = results.rows.flatMap((row) => {
    const figure = figuresOf(row.kind).find(({ key }) => key === row.figure.key);
    return figure === undefined ? [] : [{ ...row, figure }];
  });
  return { ...results, rows };
}

/** docs/performance.md. @param remarks - Markdown by hand: what is behind the rows that fall short */
export function performancePage(results: Results, remarks: string): string {
  const { rows, settings } = results;
  const tables = sections(rows).flatMap((section) => [
    `### ${section.title}`,
    '',
    markdownTable(figureGrid(section)),
    '',
  ]);
  const lines = [
    '<!-- Made by scripts/generate-docs.ts from bench/recorded/; do not edit. -->',
    '',
    '# Performance',
    '',
    'What Moustique does per second of CPU time, beside other brokers on the same machine in the same minutes. Every message is',
    'counted: a broker that loses one scores nothing in that row. How it is measured, and what the figures do not say, is in',
    '[bench/README.md](../bench/README.md).',
    '',
    '```',
    'npm run bench -- --all --record     # everything, again (about an hour)',
    'npm run bench -- --only fan-in-b1   # one row',
    'npm run bench:check                 # two minutes: has anything become slower than what is recorded here?',
    '```',
    '',
    ...measuredOn(results),
    '',
    '## What we hold ourselves to',
    '',
    markdownTable(goalGrid(judge(rows))),
    '',
    ...(remarks.trim() === '' ? [] : [remarks.trim(), '']),
    '## All figures',
    '',
    ...notes(rows, settings.baseline).map((note) => `- ${note}`),
    '',
    ...tables,
  ];
  return lines.join('\n');
}
