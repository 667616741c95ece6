import { describe, expect, test } from 'vitest';
import { hashBytes } from './byte-table.ts';
import { Route, RouteCache } from './route-cache.ts';
import { Topic } from './topic.ts';

function routeOf(name: string, generation = 1): Route<string> {
  const bytes = Buffer.from(name);
  return new Route<string>(new Topic(bytes, 0, bytes.length), hashBytes(bytes, 0, bytes.length, 7), generation, []);
}

function find(cache: RouteCache<string>, name: string): Route<string> | undefined {
  const bytes = Buffer.from(`xx${name}yy`);
  return cache.find(bytes, 2, bytes.length - 2, hashBytes(bytes, 2, bytes.length - 2, 7));
}

describe('a route cache', () => {
  test('finds a route by its bytes, wherever they lie', () => {
    const cache = new RouteCache<string>();
    const route = routeOf('maison/salon/temp');
    cache.add(route);
    expect(find(cache, 'maison/salon/temp')).toBe(route);
    expect(find(cache, 'maison/salon/tem')).toBeUndefined();
    expect(find(cache, 'maison/salon/hum')).toBeUndefined();
  });

  test('replaces the route of the same name and makes the old one stale', () => {
    const cache = new RouteCache<string>();
    const [old, fresh] = [routeOf('a'), routeOf('a', 2)];
    cache.add(old);
    cache.add(fresh);
    expect(find(cache, 'a')).toBe(fresh);
    expect(old.generation).toBe(-1);
  });

  test('makes the route of one topic stale and no other', () => {
    const cache = new RouteCache<string>();
    const [one, other] = [routeOf('a/b'), routeOf('a/c')];
    cache.add(one);
    cache.add(other);
    for (const name of ['a/b', 'never/seen']) {
      const bytes = Buffer.from(name);
      cache.invalidate(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length, 7));
    }
    expect(one.generation).toBe(-1);
    expect(other.generation).toBe(1);
  });

  test('does not keep very long names: such a route is good for one use', () => {
    const cache = new RouteCache<string>();
    const route = routeOf('x'.repeat(256));
    cache.add(route);
    expect(route.generation).toBe(-1);
    expect(find(cache, 'x'.repeat(256))).toBeUndefined();
  });

  test('grows with use and stays bounded; what leaves it is stale', () => {
    const cache = new RouteCache<string>();
    const routes: Route<string>[] = [];
    for (let index = 0; index < 400_000; index++) {
      // Twice, because from some size on only what comes again is kept.
      for (let time = 0; time < 2; time++) {
        const route = routeOf(`t/${index}`);
        cache.add(route);
        if (route.generation === -1) continue;
        routes.push(route);
        break;
      }
    }
    const cached = routes.filter(({ generation }) => generation === 1);
    expect(cached.length).toBeGreaterThan(100_000);
    expect(cached.length).toBeLessThanOrEqual(262_144);
    for (const route of routes.slice(-1000))
      expect(find(cache, route.topic.name)).toBe(route.generation === 1 ? route : undefined);
  });

  test('holds 100,000 topics that come again and again', () => {
    const cache = new RouteCache<string>();
    let misses = 0;
    for (let round = 0; round < 4; round++) {
      misses = 0;
      for (let index = 0; index < 100_000; index++) {
        if (find(cache, `t/${index}`) !== undefined) continue;
        misses++;
        cache.add(routeOf(`t/${index}`));
      }
    }
    expect(misses).toBeLessThan(2_000);
  });

  test('a scan of ever new topics neither fills it nor drives out what is used', () => {
    const cache = new RouteCache<string>();
    const used = Array.from({ length: 1000 }, (_, index) => routeOf(`used/${index}`));
    for (const route of used) cache.add(route);
    let kept = 0;
    for (let index = 0; index < 1_000_000; index++) {
      const route = routeOf(`once/${index}`);
      cache.add(route);
      if (route.generation === 1) kept++;
    }
    expect(kept).toBeLessThan(4096 + 20_000);
    expect(used.filter(({ generation }) => generation === 1).length).toBeGreaterThan(950);
  });

  test('forgets everything', () => {
    const cache = new RouteCache<string>();
    const route = routeOf('a');
    cache.add(route);
    cache.clear();
    expect(route.generation).toBe(-1);
    expect(find(cache, 'a')).toBeUndefined();
  });
});

test('tells the topics that the broker keeps for itself', () => {
  const kinds = ['a', '$SYS', '$SYS/x', '$SYSTEM', '$share/g/t', '$share', '$CONTROL/x', '$CONTROL', '$other/x'];
  expect(kinds.map((name) => routeOf(name).kind)).toEqual([
    'ordinary',
    'sys',
    'sys',
    'ordinary',
    'share',
    'share',
    'control',
    'control',
    'ordinary',
  ]);
});

test('names that change places in memory are found again, and those of routes that left are not', () => {
  const cache = new RouteCache<string>();
  const names = Array.from({ length: 3000 }, (_, index) => 'x'.repeat(index % 240) + index);
  for (const name of names) cache.add(routeOf(name));
  const found = names.filter((name) => find(cache, name)?.topic.name === name);
  expect(found.length).toBeGreaterThan(2_900);
  for (const name of names) expect(find(cache, name)?.topic.name ?? name).toBe(name);
  cache.clear();
  for (const name of names) expect(find(cache, name)).toBeUndefined();
  for (const name of names.slice(0, 10)) cache.add(routeOf(name));
  expect(names.filter((name) => find(cache, name) !== undefined)).toEqual(names.slice(0, 10));
});

test('knows all matches of a route, however many there are', () => {
  const bytes = Buffer.from('a');
  const matches = ['one', 'two', 'three'];
  for (const count of [0, 1, 2, 3]) {
    const found = matches.slice(0, count);
    const route = new Route<string>(new Topic(bytes, 0, 1), 1, 1, found);
    // The array belongs to whoever found them.
    found.length = 0;
    expect([route.count, route.first, route.matches]).toEqual([
      count,
      matches.slice(0, count)[0],
      matches.slice(0, count),
    ]);
  }
});

test('compares names where hashes are the same', () => {
  const cache = new RouteCache<string>();
  const route = routeOf('abc');
  cache.add(route);
  const bytes = Buffer.from('abdabcab');
  const found = [3, 0].map((start) => cache.find(bytes, start, start + 3, route.hash));
  expect([...found, cache.find(bytes, 6, 8, route.hash)]).toEqual([route, undefined, undefined]);
});

test('topics of routes that are not kept are as good as others', () => {
  const cache = new RouteCache<string>();
  const name = (index: number) => `t/${'x'.repeat(index % 300)}/${index}`;
  const topics = Array.from({ length: 3000 }, (_, index) => {
    const bytes = Buffer.from(`..${name(index)}..`);
    const topic = cache.newTopic(bytes, 2, bytes.length - 2);
    bytes.fill(0);
    return topic;
  });
  for (const [index, topic] of topics.entries()) expect(topic.name).toBe(name(index));
});
