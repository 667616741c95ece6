import { expect, test } from 'vitest';
import type { StreamMessage } from '../api/types.ts';
import {
  appendMessages,
  bytesMax,
  emptyStream,
  fillGap,
  type Gap,
  isGap,
  messagesMax,
  nextGap,
} from './stream-model.ts';

const message = (seq: number, text = String(seq)): StreamMessage => ({
  topic: 'a',
  payload: { text },
  sizeBytes: text.length,
  isTruncated: false,
  qos: 0,
  isRetained: false,
  properties: {},
  publisherClientId: '',
  publisherUsername: null,
  atMs: seq * 10,
  seq,
});
const numbers = (from: number, to: number): StreamMessage[] =>
  Array.from({ length: to - from }, (_, index) => message(from + index));
/** A frame of these. @param untilSeq - the newest that is known to have come, when it was not sent */
const frame = (messages: readonly StreamMessage[], untilSeq = messages.at(-1)?.seq ?? 0) => ({
  messages,
  until: { seq: untilSeq, atMs: untilSeq * 10 },
});

test('a jump in the numbers is a gap, and what the history has fills it', () => {
  let state = appendMessages(emptyStream, frame(numbers(0, 3)));
  state = appendMessages(state, frame(numbers(8, 10)));
  const gap = state.rows.find(isGap) as Gap;
  expect(gap).toEqual({ gap: 5, fromMs: 20, toMs: 80 });
  expect(state.missing).toBe(5);

  // The history answers from the times of the gap, both ends included.
  const full = fillGap(state, gap, numbers(2, 9));
  expect(full.rows.map((row) => (isGap(row) ? 'gap' : row.atMs / 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(full.missing).toBe(0);
});

test('what was left out at the end is a gap too, and grows until something is sent', () => {
  let state = appendMessages(emptyStream, frame(numbers(0, 3)));
  state = appendMessages(state, frame(numbers(3, 5), 9));
  expect(state.rows.at(-1)).toEqual({ gap: 5, fromMs: 40, toMs: 90 });
  state = appendMessages(state, frame([], 12));
  state = appendMessages(state, frame(numbers(14, 15)));
  expect(state.rows.slice(5)).toMatchObject([{ gap: 9, fromMs: 40, toMs: 140 }, { seq: 14 }]);
  expect(state.missing).toBe(9);
  expect([-1, 0, 5].map((after) => nextGap(state.rows, after))).toEqual([5, 5, 5]);
  expect(nextGap(numbers(0, 3), 0)).toBe(-1);
});

test('the numbers of a new connection begin again', () => {
  const before = appendMessages(emptyStream, frame(numbers(50, 53)));
  const state = appendMessages(before, frame(numbers(1, 3)));
  expect([state.missing, state.lastSeq]).toEqual([0, 2]);
});

test('what the history has only in part leaves a smaller gap', () => {
  const state = appendMessages(appendMessages(emptyStream, frame(numbers(0, 1))), frame(numbers(5, 6)));
  const part = fillGap(state, state.rows.find(isGap) as Gap, [message(1), message(2)]);
  expect(part.rows.find(isGap)).toMatchObject({ gap: 2 });
  expect(part.missing).toBe(2);
});

test('what the history keeps a little later than it came is known again, repeated values too', () => {
  const burst = (from: number, to: number): StreamMessage[] =>
    numbers(from, to).map((one) => ({ ...one, payload: { text: '21.5' }, sizeBytes: 4, atMs: 1000 }));
  const before = appendMessages(appendMessages(emptyStream, frame(burst(1, 4))), frame(burst(9, 11)));
  const gap = before.rows.find(isGap) as Gap;
  const stored = burst(1, 11).map((one, index) => ({ ...one, atMs: 1000 + index }));
  const full = fillGap(before, gap, stored);
  expect(full.rows.map((row) => (isGap(row) ? 'gap' : row.seq))).toEqual([1, 2, 3, -1, -1, -1, -1, -1, 9, 10]);
  // Messages beyond the gap stay where they are missing.
  expect(fillGap(before, gap, [...stored, ...burst(11, 20)]).rows).toHaveLength(10);
});

test('it is bounded by count and by bytes', () => {
  const many = appendMessages(emptyStream, frame(numbers(0, messagesMax + 100)));
  expect(many.rows.length).toBe(messagesMax);

  let large = emptyStream;
  for (let seq = 0; seq < 40; seq++) large = appendMessages(large, frame([message(seq, 'x'.repeat(1_000_000))]));
  expect(large.bytes).toBeLessThanOrEqual(bytesMax);
  expect(large.rows.length).toBeLessThan(10);
});
