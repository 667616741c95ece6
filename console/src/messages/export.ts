/** Messages as files: CSV that a spreadsheet may open safely, and JSON lines that lose nothing. */

import type { ShownMessage } from '../api/types.ts';

const columns = ['time', 'topic', 'qos', 'retain', 'payload', 'encoding', 'size', 'publisher'] as const;

/**
 * One field of CSV. A text that a spreadsheet would take for a formula gets an apostrophe in front; a number stays one.
 */
export function csvField(value: string): string {
  const isFormula =
    /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(value) && !/^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value);
  const safe = isFormula ? `'${value}` : value;
  return /[",\r\n;\t]/.test(safe) || isFormula ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvLine = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`;

export function toCsv(messages: readonly ShownMessage[]): string {
  const lines = messages.map((message) =>
    csvLine([
      new Date(message.atMs).toISOString(),
      message.topic,
      String(message.qos),
      String(message.isRetained),
      'text' in message.payload ? message.payload.text : message.payload.base64,
      'text' in message.payload ? 'text' : 'base64',
      String(message.sizeBytes),
      message.publisherClientId,
    ]),
  );
  return csvLine(columns) + lines.join('');
}

export const toJsonLines = (messages: readonly ShownMessage[]): string =>
  messages.map((message) => `${JSON.stringify(message)}\n`).join('');

/** Columns of numbers over time, as the plot shows them. */
export function seriesToCsv(
  names: readonly string[],
  times: readonly number[],
  columnsOf: readonly (readonly (number | null | undefined)[])[],
): string {
  const lines = times.map((time, row) =>
    csvLine([new Date(time).toISOString(), ...columnsOf.map((column) => String(column[row] ?? ''))]),
  );
  return csvLine(['time', ...names]) + lines.join('');
}
