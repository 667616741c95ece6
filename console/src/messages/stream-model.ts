/**
 * Messages of a live stream, oldest first, bounded by count and by bytes. Each has a number that grows by one per matching
 * message, so that what is missing is known and shown as a gap.
 */

import type { LiveAnswer, ShownMessage, StreamMessage } from '../api/types.ts';

export const messagesMax = 20_000;
export const bytesMax = 16 * 1024 * 1024;

/** Messages that were not sent: between two times, `missing` of them. */
export interface Gap {
  readonly gap: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export type StreamRow = StreamMessage | Gap;

export const isGap = (row: StreamRow): row is Gap => 'gap' in row;

export interface StreamState {
  readonly rows: readonly StreamRow[];
  readonly bytes: number;
  /** Number of the newest message that is known to have come; -1 before the stream listens. */
  readonly lastSeq: number;
  /** The time of that. */
  readonly lastMs: number;
  /** Messages that were counted and not sent. */
  readonly missing: number;
  readonly changes: number;
}

export const emptyStream: StreamState = { rows: [], bytes: 0, lastSeq: -1, lastMs: 0, missing: 0, changes: 0 };

const weight = (row: StreamRow): number =>
  isGap(row)
    ? 0
    : 200 + row.topic.length * 2 + ('text' in row.payload ? row.payload.text.length * 2 : row.payload.base64.length);

/** What came, and up to which number nothing else will come. */
type Arrival = Pick<Extract<LiveAnswer, { type: 'messages' }>, 'until'> & {
  readonly messages: readonly StreamMessage[];
};

/** Adds what came; the oldest make room. What was left out, of a pause or of a stream that is too fast, becomes a row. */
export function appendMessages(state: StreamState, { messages, until }: Arrival): StreamState {
  const rows: StreamRow[] = [...state.rows];
  let { bytes, lastSeq, lastMs, missing } = state;
  const miss = (count: number, toMs: number): void => {
    if (lastSeq === -1 || count <= 0) return;
    missing += count;
    const last = rows.at(-1);
    if (last !== undefined && isGap(last)) rows[rows.length - 1] = { ...last, gap: last.gap + count, toMs };
    else rows.push({ gap: count, fromMs: lastMs, toMs });
  };
  for (const message of messages) {
    miss(message.seq - lastSeq - 1, message.atMs);
    rows.push(message);
    bytes += weight(message);
    lastSeq = message.seq;
    lastMs = message.atMs;
  }
  miss(until.seq - lastSeq, until.atMs);
  return trim({ rows, bytes, lastSeq: until.seq, lastMs: until.atMs, missing, changes: state.changes + 1 });
}

/** Index of the first gap after a row, or from the top again; -1: there is none. */
export function nextGap(rows: readonly StreamRow[], after: number): number {
  const next = rows.findIndex((row, index) => index > after && isGap(row));
  return next === -1 ? rows.findIndex(isGap) : next;
}

function trim(state: StreamState): StreamState {
  let { bytes } = state;
  let first = Math.max(0, state.rows.length - messagesMax);
  for (let index = 0; index < first; index++) bytes -= weight(state.rows[index] as StreamRow);
  while (bytes > bytesMax && first < state.rows.length - 1) {
    bytes -= weight(state.rows[first] as StreamRow);
    first += 1;
  }
  return first === 0 ? { ...state, bytes } : { ...state, bytes, rows: state.rows.slice(first) };
}

/**
 * The history tells messages of one millisecond apart by thousandths: of a burst it keeps some a little later than they came.
 * Milliseconds, far more than that is.
 */
export const historyDelayMs = 100;

/**
 * Puts what the history knows into a gap. A message that the stream has as well is not put in again.
 *
 * @param found - oldest first, from the gap's times (both included, `historyDelayMs` added to the later one)
 */
export function fillGap(state: StreamState, gap: Gap, found: readonly ShownMessage[]): StreamState {
  const at = state.rows.indexOf(gap);
  if (at === -1) return state;
  const earlier = countedRows(state.rows.slice(0, at), (atMs) => atMs >= gap.fromMs - historyDelayMs);
  const later = countedRows(state.rows.slice(at + 1), (atMs) => atMs <= gap.toMs + historyDelayMs);
  const added = without(without(found, earlier).toReversed(), later).toReversed().slice(0, gap.gap);
  const rest = gap.gap - added.length;
  const rows: StreamRow[] = [
    ...state.rows.slice(0, at),
    ...added.map((message): StreamMessage => ({ ...message, seq: -1 })),
    ...(rest > 0 ? [{ ...gap, gap: rest, fromMs: added.at(-1)?.atMs ?? gap.fromMs }] : []),
    ...state.rows.slice(at + 1),
  ];
  let bytes = 0;
  for (const row of rows) bytes += weight(row);
  return trim({ ...state, rows, bytes, missing: Math.max(0, state.missing - added.length) });
}

/** What makes a message of the stream and one of the history the same. A stream cuts long payloads off. */
const sameness = ({ topic, sizeBytes, payload }: ShownMessage): string =>
  JSON.stringify([topic, sizeBytes, ('text' in payload ? payload.text : payload.base64).slice(0, 1000)]);

/** How many messages of each sort there are among rows of some times. */
function countedRows(rows: readonly StreamRow[], isOfThen: (atMs: number) => boolean): Map<string, number> {
  const counted = new Map<string, number>();
  for (const row of rows) {
    if (isGap(row) || !isOfThen(row.atMs)) continue;
    counted.set(sameness(row), (counted.get(sameness(row)) ?? 0) + 1);
  }
  return counted;
}

/** Messages beyond those counted, the first of each sort being the counted ones. */
function without(messages: readonly ShownMessage[], counted: Map<string, number>): ShownMessage[] {
  return messages.filter((message) => {
    const left = counted.get(sameness(message)) ?? 0;
    if (left > 0) counted.set(sameness(message), left - 1);
    return left === 0;
  });
}
