import { describe, expect, test } from 'vitest';
import { EachTally, OnceTally } from './tally.ts';

describe('every subscriber gets every message', () => {
  /** One publisher, one subscriber; what is received, and what comes of it when `sent` were sent. */
  function counts(sent: number, received: readonly number[]): object {
    const tally = new EachTally(1, 1);
    for (const sequence of received) tally.note(0, 0, sequence);
    return tally.counts([sent], () => true);
  }
  const none = { lost: 0, duplicated: 0, reordered: 0 };

  test('all, in order', () => {
    expect(counts(3, [0, 1, 2])).toEqual({ ...none, received: 3 });
  });

  test('nothing at all', () => {
    expect(counts(3, [])).toEqual({ ...none, received: 0, lost: 3 });
  });

  test('one missing in the middle', () => {
    expect(counts(4, [0, 1, 3])).toEqual({ ...none, received: 3, lost: 1 });
  });

  test('the last ones missing', () => {
    expect(counts(4, [0, 1])).toEqual({ ...none, received: 2, lost: 2 });
  });

  test('one twice', () => {
    expect(counts(3, [0, 1, 1, 2])).toEqual({ ...none, received: 4, duplicated: 1 });
  });

  test('two exchanged', () => {
    expect(counts(3, [0, 2, 1])).toEqual({ ...none, received: 3, reordered: 1 });
  });

  test('one lost, another twice: the loss shows at the end of the stream', () => {
    expect(counts(4, [0, 1, 2, 2])).toEqual({ ...none, received: 4, lost: 1, duplicated: 1 });
  });

  test('publishers and subscribers are kept apart, and only pairs count', () => {
    const tally = new EachTally(2, 2);
    tally.note(0, 0, 0);
    tally.note(1, 1, 0);
    tally.note(1, 1, 1);
    const isPair = (subscriber: number, publisher: number): boolean => subscriber === publisher;
    expect(tally.counts([1, 2], isPair)).toEqual({ ...none, received: 3 });
    expect(tally.counts([1, 2], () => true)).toEqual({ ...none, received: 3, lost: 3 });
  });
});

describe('one subscriber or another gets each message', () => {
  test('in any order', () => {
    const tally = new OnceTally(2, 4);
    for (const sequence of [1, 0, 2, 3, 4]) tally.note(sequence % 2, 0, sequence);
    tally.note(0, 1, 0);
    expect(tally.counts([5, 1])).toEqual({ received: 6, lost: 0, duplicated: 0, reordered: 0 });
  });

  test('a loss and a copy do not cancel out', () => {
    const tally = new OnceTally(1, 4);
    for (const sequence of [0, 1, 1, 3]) tally.note(0, 0, sequence);
    expect(tally.counts([4])).toEqual({ received: 4, lost: 1, duplicated: 1, reordered: 0 });
  });

  test('a copy is seen even when both subscribers got one', () => {
    const tally = new OnceTally(1, 100);
    tally.note(0, 0, 50);
    tally.note(1, 0, 50);
    expect(tally.counts([1]).duplicated).toBe(1);
  });
});
