/** CSV by RFC 4180 that is safe to open: no cell becomes a formula of a spreadsheet. */

/** What spreadsheets take for the beginning of a formula; full-width forms as well. */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
/** A number may begin with a sign. */
const plainNumber = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** One line with its end. A cell that would be a formula gets an apostrophe in front, as spreadsheets write it themselves. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const safe = formula.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
