import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Store } from '../contracts/store.ts';
import { Session } from '../session/session.ts';
import { parseTopicFilter, type TopicFilter } from '../topics/topic-filter.ts';
import { Engine } from './engine.ts';
import { defaultLimits } from './limits.ts';
import { isSubscribed, subscribe, topicFilterOf, unsubscribe, unsubscribeAll } from './subscribe.ts';

const plain = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;

function world() {
  const engine = new Engine(new VirtualClock(), {} as Logger, {} as Store, defaultLimits);
  const sessionOf = (clientId: string) => new Session(clientId, { clientId, username: null, listenerPort: 0 }, () => 0);
  const add = (session: Session, filter: string, options = {}) =>
    subscribe(engine, session, parseTopicFilter(filter) as TopicFilter, { ...plain, ...options });
  return { engine, sessionOf, add };
}

test('options are kept side by side, and new ones replace them', () => {
  const { sessionOf, add } = world();
  const session = sessionOf('c');
  add(session, 'first');
  for (const qos of [0, 1, 2] as const) {
    for (const retainHandling of [0, 1, 2] as const) {
      for (const [noLocal, retainAsPublished] of [
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        const options = { qos, noLocal, retainAsPublished, retainHandling, identifier: qos };
        const { subscription, isNew } = add(session, 'a/+', options);
        expect(isNew).toBe(
          session.subscriptions.length === 2 && qos === 0 && retainHandling === 0 && noLocal && !retainAsPublished,
        );
        expect({
          qos: subscription.qos,
          retainHandling: subscription.retainHandling,
          noLocal: subscription.noLocal,
          retainAsPublished: subscription.retainAsPublished,
          identifier: subscription.ids?.[0] ?? 0,
        }).toEqual(options);
        expect(subscription.place).toBe(1);
      }
    }
  }
  expect(session.subscriptions).toHaveLength(2);
});

test('a filter of its own is found again in a session with many, and among many who have the same', () => {
  const { engine, sessionOf, add } = world();
  const many = sessionOf('many');
  const others = Array.from({ length: 200 }, (_, index) => sessionOf(`c${index}`));
  for (let index = 0; index < 100; index++) add(many, `t/${index}`);
  for (const session of others) for (const filter of ['t/7', '+/7', '$share/g/t/7']) add(session, filter);
  for (const filter of ['+/7', '$share/g/t/7']) add(many, filter);
  for (const session of [many, others[150] as Session]) {
    for (const filter of ['t/7', '+/7', '$share/g/t/7']) {
      const { subscription, isNew } = add(session, filter);
      expect([isNew, subscription.session, topicFilterOf(engine, subscription).text]).toEqual([false, session, filter]);
    }
  }
  expect(unsubscribe(engine, others[0] as Session, 't/8')).toBe(false);
  expect(unsubscribe(engine, others[0] as Session, '$share/h/t/7')).toBe(false);
  expect([engine.subscriptionsCount, engine.sharedSubscriptionsCount]).toEqual([100 + 1 + 400, 201]);
});

test('what is left stays in its place when others end, and nothing is left when all have', () => {
  const { engine, sessionOf, add } = world();
  const session = sessionOf('c');
  const filters = Array.from({ length: 30 }, (_, index) =>
    index % 3 === 0 ? `$share/g/t/${index}` : index % 3 === 1 ? `t/${index}` : `t/${index}/#`,
  );
  const made = new Map(filters.map((filter) => [filter, add(session, filter).subscription]));
  for (const filter of [...filters].sort((one, other) => one.length - other.length || (one > other ? 1 : -1))) {
    const subscription = made.get(filter);
    expect(subscription !== undefined && isSubscribed(session, subscription)).toBe(true);
    expect([unsubscribe(engine, session, filter), unsubscribe(engine, session, filter)]).toEqual([true, false]);
    expect(subscription !== undefined && isSubscribed(session, subscription)).toBe(false);
    made.delete(filter);
    const left = session.subscriptions.map((one) => topicFilterOf(engine, one).text);
    expect(left.toSorted()).toEqual([...made.keys()].toSorted());
    expect(session.subscriptions.map(({ place }) => place)).toEqual([...left.keys()]);
  }
  expect([engine.tree.isEmpty, engine.groups.size, engine.subscriptionsCount]).toEqual([true, 0, 0]);
  for (const filter of filters) add(session, filter);
  unsubscribeAll(engine, session);
  expect([engine.tree.isEmpty, engine.groups.size, session.subscriptions.length]).toEqual([true, 0, 0]);
});
