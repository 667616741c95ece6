/** Exports in pieces: every piece says where the next one begins, so nothing is held between them. */
import type { HistoryExportRequest, HistoryMessage } from '../contracts/history.ts';
import type { SeriesEntry } from './catalog.ts';
import { csvLine } from './csv.ts';
import { invalid } from './history-fault.ts';
import { storedPayload } from './numbers.ts';
import { readMessages } from './read-messages.ts';
import { sortedSeries } from './read-series.ts';
import { checkedFilter, checkedSpan, type Reader } from './reader.ts';

/** Where an export goes on. Plain data, so that it travels between threads. */
export interface ExportPlace {
  /** Only what is older belongs to the export: microseconds since 1970. */
  readonly until: number;
  /** Time of the last row written. */
  readonly after: number;
  /** Topic and field of the series that is being written; null for messages, and at the beginning. */
  readonly series: readonly [topic: string, field: string] | null;
}

export interface ExportPiece {
  readonly bytes: Uint8Array;
  /** null at the end */
  readonly next: ExportPlace | null;
}

const pieceBytes = 262_144;
const messagesPerRead = 500;
const samplesPerRead = 4000;

/**
 * Checks a request; where its export begins.
 *
 * @throws HistoryFault
 */
export function exportBegin(reader: Reader, request: HistoryExportRequest): ExportPlace {
  const { format, what } = request;
  checkedFilter(request.filter);
  if (format !== 'csv' && format !== 'jsonl') throw invalid('format', "expected 'csv' or 'jsonl'");
  if (what !== 'messages' && what !== 'samples') throw invalid('what', "expected 'messages' or 'samples'");
  if (request.field !== undefined && what === 'messages') throw invalid('field', 'belongs to samples');
  const [from, to] = checkedSpan(request);
  const last = Number(reader.database.prepare('SELECT max(at) AS at FROM message').get()?.['at'] ?? 0);
  return { until: Math.min(to, last + 1), after: from - 1, series: null };
}

/** The line that an export begins with; empty for JSON lines. */
export function exportHead({ format, what }: HistoryExportRequest): string {
  if (format === 'jsonl') return '';
  if (what === 'samples') return csvLine(['time', 'topic', 'field', 'value']);
  return csvLine(['time', 'topic', 'qos', 'retain', 'client', 'encoding', 'payload']);
}

/** The piece that begins at `place`; it may be empty although more follow. */
export function exportPiece(reader: Reader, request: HistoryExportRequest, place: ExportPlace): ExportPiece {
  return request.what === 'messages' ? messagesPiece(reader, request, place) : samplesPiece(reader, request, place);
}

function messagesPiece(reader: Reader, request: HistoryExportRequest, place: ExportPlace): ExportPiece {
  const lines: string[] = [];
  let length = 0;
  let after: number | null = place.after;
  while (after !== null && length < pieceBytes) {
    const { filter } = request;
    const page = readMessages(reader, {
      filter,
      order: 'oldest',
      limit: messagesPerRead,
      before: place.until,
      ...(after < 0 ? {} : { after }),
    });
    after = page.next;
    for (const [index, message] of page.messages.entries()) {
      const line = request.format === 'csv' ? csvMessage(message) : jsonMessage(message);
      lines.push(line);
      length += line.length;
      if (length >= pieceBytes && index + 1 < page.messages.length) {
        after = message.id;
        break;
      }
    }
    if (page.messages.length === 0) break;
  }
  return { bytes: Buffer.from(lines.join('')), next: after === null ? null : { ...place, after } };
}

function csvMessage({ timeMs, topic, qos, retain, clientId, payload }: HistoryMessage): string {
  const stored = storedPayload(payload);
  const [encoding, text] =
    typeof stored === 'string' ? ['text', stored] : ['base64', Buffer.from(stored).toString('base64')];
  return csvLine([new Date(timeMs).toISOString(), topic, String(qos), retain ? '1' : '0', clientId, encoding, text]);
}

function jsonMessage({ timeMs, topic, qos, retain, clientId, payload }: HistoryMessage): string {
  const stored = storedPayload(payload);
  const content =
    typeof stored === 'string' ? { payload: stored } : { payloadBase64: Buffer.from(stored).toString('base64') };
  const time = new Date(timeMs).toISOString();
  return `${JSON.stringify({ time, timeMs, topic, qos, retain, client: clientId, ...content })}\n`;
}

function samplesPiece(reader: Reader, request: HistoryExportRequest, place: ExportPlace): ExportPiece {
  const [from] = checkedSpan(request);
  const read = reader.database.prepare(
    'SELECT at, value FROM sample WHERE series = ? AND at > ? AND at < ? ORDER BY at LIMIT ?',
  );
  const lines: string[] = [];
  let length = 0;
  let left = samplesPerRead;
  for (const series of seriesFrom(reader, request, place.series)) {
    const name = [series.topic.name, series.field] as const;
    const isSame = place.series?.[0] === name[0] && place.series[1] === name[1];
    let after = isSame ? place.after : from - 1;
    for (;;) {
      if (left <= 0 || length >= pieceBytes)
        return { bytes: Buffer.from(lines.join('')), next: { ...place, after, series: name } };
      const size = Math.min(1000, left);
      const rows = read.all(series.id, after, place.until, size);
      for (const row of rows) {
        after = Number(row['at']);
        const line = sampleLine(request, after, name, Number(row['value']));
        lines.push(line);
        length += line.length;
      }
      // A series without rows costs a look as well.
      left -= Math.max(10, rows.length);
      if (rows.length < size) break;
    }
  }
  return { bytes: Buffer.from(lines.join('')), next: null };
}

function sampleLine(
  { format }: HistoryExportRequest,
  at: number,
  [topic, field]: readonly [string, string],
  value: number,
): string {
  const time = new Date(Math.floor(at / 1000)).toISOString();
  if (format === 'csv') return csvLine([time, topic, field, String(value)]);
  return `${JSON.stringify({ time, timeMs: Math.floor(at / 1000), topic, field, value })}\n`;
}

/** The series of an export in their order, from the one that is being written on. */
function* seriesFrom(
  { catalog }: Reader,
  { filter, field }: HistoryExportRequest,
  first: readonly [topic: string, field: string] | null,
): Generator<SeriesEntry> {
  for (const topic of catalog.matching(filter)) {
    if (first !== null && topic.name < first[0]) continue;
    for (const series of sortedSeries(topic.series)) {
      if (field !== undefined && series.field !== field) continue;
      if (first !== null && topic.name === first[0] && series.field < first[1]) continue;
      yield series;
    }
  }
}
