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
    lines.push('* the generator was at least 95 % busy: the broker may be capable of more.');
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

function grid(rows: readonly Row[]): string[][] {
  const brokers = rows[0]?.cells.map(({ broker }) => broker) ?? [];
  return [
    ['scenario', 'figure', ...brokers],
    ...rows.map((row, index) => [
      rows[index - 1]?.scenario === row.scenario ? '' : row.title,
      row.figure.title,
      ...row.cells.map((cell) => cellText(cell, row)),
    ]),
  ];
}

export function terminalTable(rows: readonly Row[]): string {
  const lines = grid(rows);
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]): string =>
    line
      .map((text, column) => (column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  ');
  const [head = [], ...body] = lines;
  return [format(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(format)].join('\n');
}

export function markdownTable(rows: readonly Row[]): string {
  const [head = [], ...body] = grid(rows);
  const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
  const rule = head.map((_, column) => (column < 2 ? '---' : '---:'));
  return [line(head), line(rule), ...body.map(line)].join('\n');
}
