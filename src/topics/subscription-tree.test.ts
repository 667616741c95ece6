import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchCases } from '../../test/topics/match-cases.ts';
import { SubscriptionTree } from './subscription-tree.ts';
import { filterMatches } from './topic-filter.ts';

interface Named {
  readonly name: string;
}

function find(tree: SubscriptionTree<Named>, topicName: string): string[] {
  return tree
    .matchName(topicName)
    .map(({ name }) => name)
    .sort();
}

function remove(tree: SubscriptionTree<Named>, filter: string, value: Named): void {
  const number = tree.numberOf(filter);
  if (number !== undefined) tree.remove(number, value);
}

test.each(matchCases)('v5 [MQTT-4.7.2-1] a tree with %j asked for %j finds it: %j', (filter, name, matches) => {
  const tree = new SubscriptionTree<Named>();
  tree.add(filter, { name: 'it' });
  expect(find(tree, name)).toEqual(matches ? ['it'] : []);
});

describe('a tree', () => {
  test('finds every filter that matches, and a subscriber once per filter', () => {
    const tree = new SubscriptionTree<Named>();
    const [one, two] = [{ name: 'one' }, { name: 'two' }];
    tree.add('a/b', one);
    tree.add('a/b', two);
    tree.add('a/+', one);
    tree.add('#', one);
    tree.add('a/b/#', two);
    tree.add('x', two);
    expect(find(tree, 'a/b')).toEqual(['one', 'one', 'one', 'two', 'two']);
  });

  test('knows by its number a filter and who subscribes to it', () => {
    const tree = new SubscriptionTree<Named>();
    const [one, two] = [{ name: 'one' }, { name: 'two' }];
    for (const filter of ['a', 'a/b', '/', '+', 'a/+', '#', 'a/#', '+/#', 'a/b/#']) {
      expect(tree.numberOf(filter)).toBeUndefined();
      const number = tree.add(filter, one);
      expect([tree.numberOf(filter), tree.filterOf(number)]).toEqual([number, filter]);
      expect(tree.valuesOf(number)).toEqual([one]);
      tree.add(filter, two);
      expect(tree.valuesOf(number)).toEqual([one, two]);
      tree.remove(number, one);
      tree.remove(number, one);
      expect(tree.valuesOf(number)).toEqual([two]);
    }
    for (const filter of ['b', 'b/#', 'a/+/c', 'a/+/#', 'a/b/+']) expect(tree.numberOf(filter)).toBeUndefined();
  });

  test('forgets what is removed and keeps the rest', () => {
    const tree = new SubscriptionTree<Named>();
    const [one, two, three] = [{ name: 'one' }, { name: 'two' }, { name: 'three' }];
    for (const filter of ['a/b', 'a/+', 'a/#']) {
      tree.add(filter, one);
      tree.add(filter, two);
      tree.add(filter, three);
      remove(tree, filter, two);
      remove(tree, filter, { name: 'never added' });
    }
    expect(find(tree, 'a/b')).toEqual(['one', 'one', 'one', 'three', 'three', 'three']);
  });

  test('v5 [MQTT-3.10.4-1] of two subscribers of one filter the other stays', () => {
    const tree = new SubscriptionTree<Named>();
    const [one, two] = [{ name: 'one' }, { name: 'two' }];
    for (const filter of ['a/b', 'a/+', 'a/#']) {
      tree.add(filter, one);
      tree.add(filter, two);
      remove(tree, filter, one);
    }
    expect(find(tree, 'a/b')).toEqual(['two', 'two', 'two']);
    for (const filter of ['a/b', 'a/+', 'a/#']) remove(tree, filter, two);
    expect(tree.isEmpty).toBe(true);
  });

  test('is stale as a whole when somebody says so', () => {
    const tree = new SubscriptionTree<Named>();
    const before = tree.generation;
    tree.invalidate();
    expect(tree.generation).toBeGreaterThan(before);
  });

  test('removing what was never there changes nothing', () => {
    const tree = new SubscriptionTree<Named>();
    tree.add('a/+/c', { name: 'one' });
    remove(tree, 'a/x/+', { name: 'one' });
    remove(tree, 'b', { name: 'one' });
    remove(tree, 'a/+', { name: 'other' });
    expect(find(tree, 'a/b/c')).toEqual(['one']);
  });

  test('has no nodes left when everybody has gone', () => {
    const tree = new SubscriptionTree<Named>();
    const one = { name: 'one' };
    const filters = ['a', 'a/b', '+/b/#', 'a/+/+', '#', '+', 'a/b/c/d/#'];
    for (const filter of filters) tree.add(filter, one);
    expect(tree.isEmpty).toBe(false);
    for (const filter of filters) remove(tree, filter, one);
    expect(tree.isEmpty).toBe(true);
  });

  test('moves its generation for wildcards and announces exact filters', () => {
    const announced: string[] = [];
    const tree = new SubscriptionTree<Named>((topicName, hash) => {
      announced.push(`${topicName}`);
      expect(hash).toBe(tree.hash(topicName, 0, topicName.length));
    });
    const one = { name: 'one' };
    const before = tree.generation;
    tree.add('a/b', one);
    remove(tree, 'a/b', one);
    expect(tree.generation).toBe(before);
    expect(announced).toEqual(['a/b', 'a/b']);
    tree.add('a/+', one);
    expect(tree.generation).toBeGreaterThan(before);
    expect(announced).toHaveLength(2);
  });

  test('lists its filters with their subscribers', () => {
    const tree = new SubscriptionTree<Named>();
    const [one, two] = [{ name: 'one' }, { name: 'two' }];
    tree.add('x', one);
    tree.add('x', two);
    tree.add('y', one);
    tree.add('a/+/b', one);
    tree.add('a/#', two);
    const listed = [...tree.entries()].map(([filter, values]) => [filter, values.map(({ name }) => name)]);
    expect(listed).toEqual([
      ['x', ['one', 'two']],
      ['y', ['one']],
      ['a/#', ['two']],
      ['a/+/b', ['one']],
    ]);
  });
});

test('agrees with matching every filter alone, whatever was added and removed before', () => {
  const level = fc.constantFrom('a', 'b', '', '$s', '+');
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, hasHash]) => (hasHash ? [...levels, '#'] : levels).join('/'))
    .filter((text) => text !== '');
  const name = fc
    .array(fc.constantFrom('a', 'b', '', '$s'), { minLength: 1, maxLength: 5 })
    .map((levels) => levels.join('/'))
    .filter((text) => text !== '');
  fc.assert(
    fc.property(fc.uniqueArray(filter, { maxLength: 12 }), fc.nat(12), name, (filters, removed, topicName) => {
      const tree = new SubscriptionTree<Named>();
      const values = filters.map((text) => ({ name: text }));
      for (const value of values) {
        const number = tree.add(value.name, value);
        expect([tree.numberOf(value.name), tree.filterOf(number), tree.valuesOf(number)]).toEqual([
          number,
          value.name,
          [value],
        ]);
      }
      for (const value of values.slice(0, removed)) remove(tree, value.name, value);
      const expected = filters.slice(removed).filter((text) => filterMatches(text, topicName));
      expect(find(tree, topicName)).toEqual(expected.sort());
    }),
    { numRuns: 2000 },
  );
});
