/**
 * Messages of a live stream, oldest first, bounded by count and by bytes. Each has a number that grows by one per matching
 * message, so that what is missing is known and shown as a gap.
 */

import type { ShownMessage, StreamMessage } from '../api/types.ts';

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
  /** Number of the newest message; -1 before the first. */
  readonly lastSeq: number;
  /** Messages that were counted and not sent. */
  readonly missing: number;
  readonly seen: number;
}

export const emptyStream: StreamState = { rows: [], bytes: 0, lastSeq: -1, missing: 0, seen: 0 };

const weight = (row: StreamRow): number =>
  isGap(row)
    ? 0
    : 200 + row.topic.length * 2 + ('text' in row.payload ? row.payload.text.length * 2 : row.payload.base64.length);

/**
 * Adds what came; the oldest make room.
 *
 * @param gapsUntilMs - a jump in the numbers before a message that is not later than this becomes a row of its own; other
 *   jumps, of a stream that is too fast to be shown whole, are only counted
 */
export function appendMessages(
  state: StreamState,
  messages: readonly StreamMessage[],
  gapsUntilMs: number,
): StreamState {
  if (messages.length === 0) return state;
  const rows: StreamRow[] = [...state.rows];
  let { bytes, lastSeq, missing } = state;
  for (const message of messages) {
    const jump = lastSeq === -1 ? 0 : message.seq - lastSeq - 1;
    if (jump > 0) {
      missing += jump;
      const last = rows.at(-1);
      const fromMs = last === undefined ? message.atMs : isGap(last) ? last.toMs : last.atMs;
      if (message.atMs <= gapsUntilMs) rows.push({ gap: jump, fromMs, toMs: message.atMs });
    }
    rows.push(message);
    bytes += weight(message);
    lastSeq = message.seq;
  }
  return trim({ rows, bytes, lastSeq, missing, seen: state.seen + messages.length });
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
 * Puts what the history knows into a gap. A message that the stream has as well is not put in again.
 *
 * @param found - oldest first, from the gap's times (both included)
 */
export function fillGap(state: StreamState, gap: Gap, found: readonly ShownMessage[]): StreamState {
  const at = state.rows.indexOf(gap);
  if (at === -1) return state;
  const key = (message: ShownMessage): string => JSON.stringify([message.topic, message.atMs, message.payload]);
  const present = new Map<string, number>();
  for (const row of state.rows) {
    if (isGap(row) || row.atMs < gap.fromMs || row.atMs > gap.toMs) continue;
    present.set(key(row), (present.get(key(row)) ?? 0) + 1);
  }
  const added = found.filter((message) => {
    const left = present.get(key(message)) ?? 0;
    if (left > 0) present.set(key(message), left - 1);
    return left === 0;
  });
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
