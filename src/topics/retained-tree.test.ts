import { describe, expect, test } from 'vitest';
import { matchCases } from '../../test/topics/match-cases.ts';
import { levelsBelow, RetainedTree, valueAt } from './retained-tree.ts';
import { filterMatches } from './topic-filter.ts';

interface Named {
  readonly name: string;
  retainedSince: number;
}

const named = (name: string): Named => ({ name, retainedSince: 0 });

function treeOf(...names: string[]): RetainedTree<Named> {
  const tree = new RetainedTree<Named>();
  for (const name of names) tree.set(name, named(name));
  return tree;
}

function found(tree: RetainedTree<Named>, filter: string): string[] {
  return [...tree.matching(filter)].map(({ name }) => name);
}

test.each(matchCases)('v5 [MQTT-4.7.2-1] filter %j finds the retained %j: %j', (filter, name, matches) => {
  expect(found(treeOf(name), filter)).toEqual(matches ? [name] : []);
});

describe('retained values', () => {
  test('are replaced, returned and counted', () => {
    const tree = new RetainedTree<Named>();
    const [old, fresh] = [named('old'), named('fresh')];
    expect(tree.set('a/b', old)).toBeUndefined();
    expect(tree.set('a/b', fresh)).toBe(old);
    expect(tree.get('a/b')).toBe(fresh);
    expect(tree.count).toBe(1);
    expect(tree.get('a')).toBeUndefined();
    expect(tree.get('a/b/c')).toBeUndefined();
    expect(tree.get('x/y')).toBeUndefined();
  });

  test('are deleted without taking others along', () => {
    const tree = treeOf('a', 'a/b', 'a/b/c');
    expect(tree.delete('a/b')?.name).toBe('a/b');
    expect(tree.delete('a/b')).toBeUndefined();
    expect(tree.delete('x/y')).toBeUndefined();
    expect(tree.count).toBe(2);
    expect(found(tree, '#')).toEqual(['a', 'a/b/c']);
    expect(tree.delete('a/b/c')?.name).toBe('a/b/c');
    expect(found(tree, '#')).toEqual(['a']);
  });

  test('are deleted without taking their neighbours along', () => {
    const tree = treeOf('a/b', 'a/c', 'd');
    expect(tree.delete('a/b')?.name).toBe('a/b');
    expect(found(tree, 'a/+')).toEqual(['a/c']);
    expect(found(tree, '#')).toEqual(['a/c', 'd']);
  });

  test('are found parents first and in the order in which they were stored', () => {
    const tree = treeOf('1/2/3/4', 'b', '1', 'a');
    expect(found(tree, '#')).toEqual(['1', '1/2/3/4', 'b', 'a']);
  });

  test('are found while the tree changes', () => {
    const tree = treeOf('a/1', 'a/2', 'a/3', 'b');
    const names: string[] = [];
    for (const { name } of tree.matching('#')) {
      names.push(name);
      if (name === 'a/1') {
        tree.delete('a/2');
        tree.set('c', named('c'));
        tree.set('a/4', named('a/4'));
      }
    }
    expect(names).toEqual(['a/1', 'a/3', 'a/4', 'b', 'c']);
  });

  test('are found by random filters as matching one by one finds them', () => {
    const levels = ['', 'a', 'b', '$x'];
    const names = new Set<string>();
    for (let number = 0; number < 200; number++) {
      const path = Array.from({ length: 1 + (number % 4) }, (_, depth) => levels[(number >> (2 * depth)) % 4]).join(
        '/',
      );
      if (path !== '') names.add(path);
    }
    const tree = treeOf(...names);
    const parts = ['a', '', '+', '$x', '#'];
    for (let number = 0; number < 125; number++) {
      const filter = [number % 5, Math.floor(number / 5) % 5, Math.floor(number / 25)].map((index) => parts[index]);
      const end = filter.indexOf('#');
      const text = (end < 0 ? filter : filter.slice(0, end + 1)).join('/');
      if (text === '') continue;
      const expected = [...names].filter((name) => filterMatches(text, name));
      expect([text, found(tree, text).toSorted()]).toEqual([text, expected.toSorted()]);
    }
  });

  test('are all listed, $ topics too', () => {
    const tree = treeOf('$SYS/broker', 'a');
    expect([...tree.values()].map(({ name }) => name)).toEqual(['$SYS/broker', 'a']);
  });

  test('are reached level by level, and by path', () => {
    const tree = treeOf('a/b', '/x', 'c', 'c/d');
    expect(tree.entry('a')).toBe(tree.root.children.get('a'));
    const valueOf = (path: string) => valueAt(tree.entry(path))?.name;
    expect(['a', 'a/b', '/x', 'c', 'c/d'].map(valueOf)).toEqual([undefined, 'a/b', '/x', 'c', 'c/d']);
    expect(['b', 'a/b/c', 'a/', 'c/d/e/f'].map((path) => tree.entry(path))).toEqual(Array(4).fill(undefined));
    const levels = (path: string) => [...levelsBelow(tree.entry(path)).keys()];
    expect([levels(''), levels('c'), levels('c/d'), levels('b')]).toEqual([['x'], ['d'], [], []]);
  });

  test('stand in a node only while something is below, and keep their place in the order', () => {
    const tree = treeOf('a', 'b');
    const value = tree.get('a');
    expect(tree.entry('a')).toBe(value);
    tree.set('a/x', named('a/x'));
    expect(tree.entry('a')).not.toBe(value);
    expect([tree.get('a'), found(tree, '#')]).toEqual([value, ['a', 'a/x', 'b']]);
    tree.delete('a/x');
    expect([tree.entry('a'), found(tree, '#'), tree.count]).toEqual([value, ['a', 'b'], 2]);
  });

  test('are told to somebody who watches, also when one replaces another', () => {
    const tree = new RetainedTree<Named>();
    const told: string[] = [];
    tree.watcher = {
      stored: (topicName, { name }) => told.push(`${topicName} ${name}`),
      removed: (topicName) => told.push(`${topicName} gone`),
    };
    tree.set('a', named('one'));
    tree.set('a', named('two'));
    tree.delete('a/b');
    tree.delete('a');
    expect(told).toEqual(['a one', 'a two', 'a gone']);
  });

  test('are not found any more by somebody who walks when they were removed', () => {
    const tree = treeOf('a/b', 'a/c', 'a/d/e');
    const walk = tree.walk('a/#');
    expect(walk.next().value?.name).toBe('a/b');
    for (const name of ['a/c', 'a/d/e']) tree.delete(name);
    expect(walk.next().done).toBe(true);
  });

  test('tell what was stored since, and that one replaced another does not count', () => {
    const tree = treeOf('a', 'b', 'c/d');
    const { stored } = tree;
    tree.set('a', named('newer'));
    tree.delete('b');
    tree.set('b', named('again'));
    tree.set('c', named('new'));
    const values = [...tree.matching('#')];
    expect(values.map(({ name, retainedSince }) => [name, retainedSince > stored])).toEqual([
      ['newer', false],
      ['new', true],
      ['c/d', false],
      ['again', true],
    ]);
  });

  test('let others have their turn where nothing matches for long', () => {
    const tree = treeOf(...Array.from({ length: 1000 }, (_, index) => `t${index}/x`), 't/y');
    const steps = [...tree.walk('+/y')];
    expect(steps.filter((value) => value !== null).map(({ name }) => name)).toEqual(['t/y']);
    expect(steps.filter((value) => value === null).length).toBe(3);
  });
});
