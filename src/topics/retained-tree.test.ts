import { describe, expect, test } from 'vitest';
import { matchCases } from '../../test/topics/match-cases.ts';
import { RetainedTree } from './retained-tree.ts';
import { filterMatches } from './topic-filter.ts';

interface Named {
  readonly name: string;
}

function treeOf(...names: string[]): RetainedTree<Named> {
  const tree = new RetainedTree<Named>();
  for (const name of names) tree.set(name, { name });
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
    const [old, fresh] = [{ name: 'old' }, { name: 'fresh' }];
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
        tree.set('c', { name: 'c' });
        tree.set('a/4', { name: 'a/4' });
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
    const tree = treeOf('a/b', '/x');
    expect(tree.node('a')).toBe(tree.root.children?.get('a'));
    expect([tree.node('a')?.value, tree.node('a/b')?.value?.name, tree.node('/x')?.value?.name]).toEqual([
      ...[undefined, 'a/b', '/x'],
    ]);
    expect([tree.node('b'), tree.node('a/b/c'), tree.node('a/')]).toEqual([undefined, undefined, undefined]);
  });

  test('leave a node without value behind for somebody who walks', () => {
    const tree = treeOf('a/b');
    const [node] = tree.matchingNodes('a/+');
    tree.delete('a/b');
    expect(node?.value).toBeUndefined();
  });

  test('tell what was stored since, and that one replaced another does not count', () => {
    const tree = treeOf('a', 'b', 'c/d');
    const { stored } = tree;
    tree.set('a', { name: 'newer' });
    tree.delete('b');
    tree.set('b', { name: 'again' });
    tree.set('c', { name: 'new' });
    const nodes = [...tree.matchingNodes('#')];
    expect(nodes.map((node) => [node?.value?.name, (node?.since ?? 0) > stored])).toEqual([
      ['newer', false],
      ['new', true],
      ['c/d', false],
      ['again', true],
    ]);
  });

  test('let others have their turn where nothing matches for long', () => {
    const tree = treeOf(...Array.from({ length: 1000 }, (_, index) => `t${index}/x`), 't/y');
    const nodes = [...tree.matchingNodes('+/y')];
    expect(nodes.filter((node) => node !== null).map((node) => node.value?.name)).toEqual(['t/y']);
    expect(nodes.filter((node) => node === null).length).toBe(3);
  });
});
