import { expect, test } from 'vitest';
import { filterCovers } from './filter-covers.ts';

// What Mosquitto 2.0.11 says to the same pairs, but for those that begin with $.
test.each([
  ['t/#', 't/#', true],
  ['t/#', 't', true],
  ['t/#', 't/+', true],
  ['t/#', 't/a/#', true],
  ['t/#', '#', false],
  ['t/#', 's', false],
  ['t/#', '+/a', false],
  ['w/+', 'w/#', false],
  ['w/+', 'w/+', true],
  ['w/+', 'w/a', true],
  ['w/+', 'w', false],
  ['w/+', 'w/a/b', false],
  ['x/+/y', 'x/+/y', true],
  ['x/+/y', 'x/a/y', true],
  ['x/+/y', 'x/#', false],
  ['x/+/y', 'x/+/+', false],
  ['v/+/#', 'v/#', false],
  ['v/+/#', 'v/a', true],
  ['v/+/#', 'v/+', true],
  ['v/+/#', 'v', false],
  ['+/all', '+/all', true],
  ['+/all', 'a/all', true],
  ['#', 'a/b', true],
  ['#', '#', true],
  ['+', '+', true],
  ['+', '#', false],
  ['a', 'a', true],
  ['a', 'a/b', false],
  ['a/b', 'a', false],
  ['$share/g/s/#', '$share/g/s/#', true],
  ['#', '$SYS/#', false],
  ['+/all', '$SYS/all', false],
  ['$SYS/#', '$SYS/+/x', true],
])('%s covers %s: %s', (wide, narrow, expected) => {
  expect(filterCovers(wide, narrow)).toBe(expected);
});
