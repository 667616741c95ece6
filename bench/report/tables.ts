/** The rows as text: aligned for a terminal, piped for Markdown. */
import type { Cell, Row } from './summary.ts';

/** Longest reason shown in a cell; the notes beneath have it whole. */
const FAULT_CHARACTERS_MAX = 18;

export function cellText(cell: Cell, row: Row): string {
  if (cell.fault !== undefined) {
    const isShort = cell.fault.length <= FAULT_CHARACTERS_MAX;
    return isShort ? cell.fault : 'failed';
  }
  if (cell.value === undefined) return '–';
  const mark = `${cell.isGeneratorLimited ? '*' : ''}${cell.isDisturbed ? '~' : ''}`;
  const quotient = cell.ratio === undefined ? '' : ` (${ratioText(cell.ratio)})`;
  return `${row.figure.format(cell.value)}${mark}${quotient}`;
}

function ratioText(ratio: number): string {
  return `${ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(2)}×`;
}

/** Marks explained, and the faults that were too long for their cells. */
export function notes(rows: readonly Row[], baseline: string): string[] {
  const lines = [`(n×) is the quotient to ${baseline} in the same rounds.`];
  const cells = rows.flatMap((row) => row.cells.map((cell) => ({ row, cell })));
  if (cells.some(({ cell }) => cell.isGeneratorLimited && cell.value !== undefined)) {
    lines.push('* the generator was at least 95 % busy and the broker was not: the broker may be capable of more.');
  }
  if (cells.some(({ cell }) => cell.isDisturbed && cell.value !== undefined)) {
    lines.push('~ other processes used more than a tenth of a core meanwhile: the figure is rough.');
  }
  const faults = new Set<string>();
  for (const { row, cell } of cells) {
    if (cell.fault !== undefined) faults.add(`${row.scenario}, ${cell.broker}: ${cell.fault}`);
  }
  return [...lines, ...faults];
}

type Grid = readonly (readonly string[])[];

/** Rows that belong in one table, with the brokers that took part in them. */
export interface Section {
  readonly title: string;
  readonly brokers: readonly string[];
  readonly rows: readonly Row[];
}

/** Throughput, latency and the rest apart: not every broker takes part in each. */
export function sections(rows: readonly Row[]): Section[] {
  const titles = [
    ['Throughput', (kind: string) => kind === 'flow'],
    ['Latency', (kind: string) => kind === 'latency'],
    ['Connections, stored messages, start', (kind: string) => kind !== 'flow' && kind !== 'latency'],
  ] as const;
  return titles.flatMap(([title, belongs]) => {
    const own = rows.filter(({ kind }) => belongs(kind));
    const brokers = new Set(own.flatMap(({ cells }) => cells.filter(tookPart).map(({ broker }) => broker)));
    return own.length === 0 ? [] : [{ title, brokers: [...brokers], rows: own }];
  });
}

function tookPart({ value, fault }: Cell): boolean {
  return value !== undefined || fault !== undefined;
}

/** One line per scenario and figure, one column per broker. */
export function figureGrid({ rows, brokers }: Section): Grid {
  return [
    ['scenario', 'figure', ...brokers],
    ...rows.map((row, index) => [
      rows[index - 1]?.scenario === row.scenario ? '' : row.title,
      row.figure.title,
      ...brokers.map((broker) => {
        const cell = row.cells.find((candidate) => candidate.broker === broker);
        return cell === undefined ? '–' : cellText(cell, row);
      }),
    ]),
  ];
}

/** How busy everybody was, in per cent of a core. */
export function busyGrid({ rows, brokers }: Section): Grid {
  const percent = (share: number | undefined): string => (share === undefined ? '–' : `${Math.round(share * 100)}`);
  const first = rows.filter((row, index) => rows[index - 1]?.scenario !== row.scenario);
  return [
    ['scenario', 'busy, % of a core', ...brokers],
    ...first.map((row) => [
      row.title,
      'broker / generator / others',
      ...brokers.map((broker) => {
        const busy = row.cells.find((cell) => cell.broker === broker)?.busy;
        return busy === undefined ? '–' : [busy.broker, busy.generator, busy.others].map(percent).join(' / ');
      }),
    ]),
  ];
}

/** Aligned for a terminal. */
export function terminalTable(lines: Grid): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (text: string, column: number): string =>
    column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  const format = (line: readonly string[]): string => line.map(pad).join('  ').trimEnd();
  const [head = [], ...body] = lines;
  return [format(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(format)].join('\n');
}

export function markdownTable(lines: Grid): string {
  const [head = [], ...body] = lines;
  const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
  const rule = head.map((_, column) => (column < 2 ? '---' : '---:'));
  return [line(head), line(rule), ...body.map(line)].join('\n');
}
