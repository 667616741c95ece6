/**
 * The tree of subscriptions, the cache of routes and the route a connection remembers, together, while filters come and go: what is
 * found for a topic is what a list of filters says. Names are few, so that places and numbers are used again all the time; then
 * many, so that routes leave the cache.
 *
 *     CHURN_SEED=123 npx vitest run --project integration test/topics     another run than that of `npm test`
 */
import { expect, test } from 'vitest';
import { Route, RouteCache } from '../../src/topics/route-cache.ts';
import { SubscriptionTree } from '../../src/topics/subscription-tree.ts';
import { Chance } from '../fuzz/broker/chance.ts';
import { matches } from '../fuzz/broker/oracle.ts';

interface Value {
  readonly id: number;
}

const seed = Number(process.env['CHURN_SEED'] ?? 1);

test.each([
  ['few', () => ['a', 'b', '', 'cc', '$d', 'x'.repeat(130)], 4000, 3, 1],
  ['many', () => Array.from({ length: 300 }, (_, index) => `${index}`.repeat(1 + (index % 7))), 30_000, 2, 25],
] as const)('%s levels', (_title, levelsOf, steps, levelsMax, every) => {
  const chance = new Chance(seed);
  const levels = levelsOf();
  const cache = new RouteCache<Value>();
  const tree = new SubscriptionTree<Value>((name, hash) => cache.invalidate(name, 0, name.length, hash), seed);
  /** filter → its number and values */
  const present = new Map<string, { readonly number: number; readonly values: Value[] }>();
  const remembered: Route<Value>[] = [];
  let lastId = 0;

  const nameOf = (from: readonly string[]): string =>
    Array.from({ length: 1 + chance.below(levelsMax) }, () => chance.of(from)).join('/') || 'a';

  const change = (isGrowing: boolean): void => {
    if (isGrowing || present.size === 0) {
      const known = chance.oneIn(2) ? remembered[chance.below(20)]?.topic.name : undefined;
      const plain = known ?? (chance.oneIn(3) ? nameOf([...levels.slice(0, 6), '+', '+']) : nameOf(levels));
      const filter = chance.oneIn(6) ? `${plain}/#` : plain;
      const value = { id: ++lastId };
      const number = tree.add(filter, value);
      const entry = present.get(filter) ?? { number, values: [] };
      expect(number).toBe(entry.number);
      entry.values.push(value);
      present.set(filter, entry);
      return;
    }
    const filter = chance.of([...present.keys()]);
    const { number, values } = present.get(filter) as { number: number; values: Value[] };
    const [value] = values.splice(chance.below(values.length), 1);
    tree.remove(number, value as Value);
    if (values.length === 0) present.delete(filter);
    expect(tree.numberOf(filter)).toBe(values.length === 0 ? undefined : number);
  };

  const routeOf = (name: string): Route<Value> => {
    const bytes = Buffer.from(name);
    const last = remembered.find(
      (route) => route.generation === tree.generation && route.topic.is(bytes, 0, bytes.length),
    );
    if (last !== undefined) return last;
    const hash = tree.hash(bytes, 0, bytes.length);
    const cached = cache.find(bytes, 0, bytes.length, hash);
    if (cached?.generation === tree.generation) return cached;
    const topic = cached?.topic ?? cache.newTopic(bytes, 0, bytes.length);
    const route = new Route(topic, hash, tree.generation, tree.match(bytes, 0, bytes.length, hash));
    cache.add(route);
    remembered.push(route);
    if (remembered.length > 20) remembered.splice(chance.below(20), 1);
    return route;
  };

  for (let step = 0; step < steps; step++) {
    if (chance.oneIn(step % 1000 < 500 ? 4 : 40)) change(chance.below(10) < (step % 4000 < 2000 ? 7 : 3));
    const known = chance.oneIn(3) ? remembered[chance.below(20)] : undefined;
    const name = known?.topic.name ?? nameOf(levels);
    const route = routeOf(name);
    if (step % every > 0) continue;
    const wanted = [...present].flatMap(([filter, { values }]) =>
      matches(filter, name) ? values.map(({ id }) => id) : [],
    );
    expect(route.topic.name).toBe(name);
    expect(route.matches.map(({ id }) => id).sort()).toEqual(wanted.sort());
    if (step % 500 > 0) continue;
    const listed = new Map([...tree.entries()].map(([filter, values]) => [filter, values.map(({ id }) => id)]));
    expect(listed).toEqual(new Map([...present].map(([filter, { values }]) => [filter, values.map(({ id }) => id)])));
    for (const [filter, { number }] of present) expect(tree.filterOf(number)).toBe(filter);
    expect(tree.isEmpty).toBe(present.size === 0);
  }
});
