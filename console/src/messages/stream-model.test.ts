import { expect, test } from 'vitest';
import type { StreamMessage } from '../api/types.ts';
import { appendMessages, bytesMax, emptyStream, fillGap, type Gap, isGap, messagesMax } from './stream-model.ts';

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

test('a jump in the numbers is a gap, and what the history has fills it', () => {
  let state = appendMessages(emptyStream, numbers(0, 3), Number.POSITIVE_INFINITY);
  state = appendMessages(state, numbers(8, 10), Number.POSITIVE_INFINITY);
  const gap = state.rows.find(isGap) as Gap;
  expect(gap).toEqual({ gap: 5, fromMs: 20, toMs: 80 });
  expect(state.missing).toBe(5);

  // The history answers from the times of the gap, both ends included.
  const full = fillGap(state, gap, numbers(2, 9));
  expect(full.rows.map((row) => (isGap(row) ? 'gap' : row.atMs / 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(full.missing).toBe(0);
});

test('what the history has only in part leaves a smaller gap', () => {
  const state = appendMessages(
    appendMessages(emptyStream, numbers(0, 1), Number.POSITIVE_INFINITY),
    numbers(5, 6),
    Number.POSITIVE_INFINITY,
  );
  const part = fillGap(state, state.rows.find(isGap) as Gap, [message(1), message(2)]);
  expect(part.rows.find(isGap)).toMatchObject({ gap: 2 });
  expect(part.missing).toBe(2);
});

test('it is bounded by count and by bytes', () => {
  const many = appendMessages(emptyStream, numbers(0, messagesMax + 100), 0);
  expect(many.rows.length).toBe(messagesMax);
  expect(many.seen).toBe(messagesMax + 100);

  let large = emptyStream;
  for (let seq = 0; seq < 40; seq++) large = appendMessages(large, [message(seq, 'x'.repeat(1_000_000))], 0);
  expect(large.bytes).toBeLessThanOrEqual(bytesMax);
  expect(large.rows.length).toBeLessThan(10);
});
