import { expect, test } from 'vitest';
import { editDistance, nearestWord } from './suggest.ts';

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', '', 3],
  ['abc', 'abd', 1], // replaced
  ['abc', 'abcd', 1], // put in
  ['abcd', 'acd', 1], // left out
  ['abcd', 'acbd', 1], // neighbours swapped
  ['kitten', 'sitting', 3],
])('%j and %j are %d edits apart', (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance);
});

const names = ['listener', 'max_queued_messages', 'max_queued_bytes', 'user', 'port'];

test.each([
  ['max_queued_mesages', 'max_queued_messages'],
  ['Listener', 'listener'],
  ['lsitener', 'listener'],
  ['usr', 'user'],
])('%j probably means %j', (written, meant) => {
  expect(nearestWord(written, names)).toBe(meant);
});

test.each(['completely_different', '#', 'xyz', ''])('%j is near nothing', (written) => {
  expect(nearestWord(written, names)).toBeUndefined();
});

test('the first of two equally near words is named', () => {
  expect(nearestWord('cat', ['bat', 'rat'])).toBe('bat');
});
