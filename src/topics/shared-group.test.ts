import { expect, test } from 'vitest';
import { SharedGroup } from './shared-group.ts';

const everybody = (): boolean => true;
const nobody = (): boolean => false;

function groupOf(...members: string[]): SharedGroup<string> {
  const group = new SharedGroup<string>();
  for (const member of members) group.add(member);
  return group;
}

test('takes turns in the order of subscribing', () => {
  const group = groupOf('a', 'b', 'c');
  expect([1, 2, 3, 4].map(() => group.next(everybody))).toEqual(['a', 'b', 'c', 'a']);
});

test('passes over members that are not ready', () => {
  const group = groupOf('a', 'b', 'c');
  const withoutB = (member: string): boolean => member !== 'b';
  expect([1, 2, 3].map(() => group.next(withoutB))).toEqual(['a', 'c', 'a']);
});

test('takes turns among all when nobody is ready', () => {
  const group = groupOf('a', 'b');
  expect([1, 2, 3].map(() => group.next(nobody))).toEqual(['a', 'b', 'a']);
});

test('never gives a member what it may not get, ready or not', () => {
  const group = groupOf('a', 'b', 'c');
  const notA = (member: string): boolean => member !== 'a';
  expect([1, 2, 3].map(() => group.next(everybody, notA))).toEqual(['b', 'c', 'b']);
  expect([1, 2].map(() => group.next(nobody, notA))).toEqual(['c', 'b']);
  expect(group.next(everybody, nobody)).toBeUndefined();
});

test('counts the turns of each member, from when it joined', () => {
  const group = groupOf('a', 'b');
  for (let count = 0; count < 3; count++) group.next(everybody);
  group.add('c');
  for (let count = 0; count < 3; count++) group.next((member) => member !== 'a');
  expect([group.members, group.turns]).toEqual([
    ['a', 'b', 'c'],
    [2, 3, 1],
  ]);
  group.remove('a');
  expect(group.turns).toEqual([3, 1]);
});

test('keeps its place when a member leaves', () => {
  const group = groupOf('a', 'b', 'c');
  group.next(everybody);
  expect(group.remove('a')).toBe(false);
  expect(group.next(everybody)).toBe('b');
  expect(group.remove('c')).toBe(false);
  expect(group.next(everybody)).toBe('b');
});

test('is empty when its last member has left', () => {
  const group = groupOf('a');
  expect(group.remove('nobody')).toBe(false);
  expect(group.remove('a')).toBe(true);
  expect(group.next(everybody)).toBeUndefined();
});
