import { describe, expect, test } from 'vitest';
import { median, percentile, ratio, spread } from './statistics.ts';

describe('median', () => {
  test('of an odd number of values', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  test('of an even number: between the middle two', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test('sorts by value, not by text', () => {
    expect(median([100, 9, 20])).toBe(20);
  });

  test('of nothing is an error', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

  test.each([
    [0.5, 50],
    [0.99, 99],
    [0.999, 100],
    [1, 100],
    [0, 1],
  ])('%d of 1..100 is %i', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  test('of nothing is not a number', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('ratio', () => {
  test('is the median of the quotients, not the quotient of the medians', () => {
    // The machine was slow in the second round, for both alike.
    expect(ratio([20, 10, 22], [10, 5, 10])).toBe(2);
  });

  test('leaves out rounds that one side lacks', () => {
    expect(ratio([20, undefined, 30], [10, 5, undefined])).toBe(2);
  });

  test('is undefined when no round has both', () => {
    expect(ratio([1], [undefined])).toBeUndefined();
    expect(ratio([1], [0])).toBeUndefined();
  });
});

test('spread is half the range as a share of the median', () => {
  expect(spread([90, 100, 110])).toBeCloseTo(0.1);
  expect(spread([100])).toBe(0);
});
