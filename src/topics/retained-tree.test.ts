import { describe, expect, test } from 'vitest';
import { matchCases } from '../../test/topics/match-cases.ts';
import { RetainedTree } from './retained-tree.ts';

interface Named {
  readonly name: string;
}

function treeOf(...names: string[]): RetainedTree<Named> {
  const tree = new RetainedTree<Named>();
  for (const name of names) tree.set(name, { name });
  return tree;
}

function found(tree: RetainedTree<Named>, filter: string): (string | undefined)[] {
  return tree.find(filter).map(({ value }) => value?.name);
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
    const [node] = tree.find('a/+');
    tree.delete('a/b');
    expect(node?.value).toBeUndefined();
  });
});
