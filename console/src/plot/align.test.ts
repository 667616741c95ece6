import { expect, test } from 'vitest';
import type { StoredSeries } from '../api/types.ts';
import { align, holesOf } from './align.ts';

const series = (topic: string, times: number[], gaps: number[] = []): StoredSeries => ({
  topic,
  field: '',
  times,
  count: times.map(() => 1),
  min: times.map((time) => time - 1),
  avg: times,
  max: times.map((time) => time + 1),
  last: times,
  gaps,
});

test('a hole in the values is a hole in the line', () => {
  expect(holesOf(series('a', [0, 10, 100, 110], [2]))).toEqual([55]);
  expect(align([series('a', [0, 1000, 9000], [2])]).columns[0]?.mean).toEqual([0, 1000, null, 9000]);
});

test('series of different times share one axis; a line has no hole where only the other has a value', () => {
  const { times, columns } = align([series('a', [0, 1000, 2000]), series('b', [500, 1500])]);
  expect(times).toEqual([0, 0.5, 1, 1.5, 2]);
  expect(columns[0]?.mean).toEqual([0, undefined, 1000, undefined, 2000]);
  expect(columns[1]?.maximum).toEqual([undefined, 501, undefined, 1501, undefined]);
});
