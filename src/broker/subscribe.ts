/** Subscriptions of a session come and go. */
import { noSubscriptions, type Session, type Subscription } from '../session/session.ts';
import { SharedGroup } from '../topics/shared-group.ts';
import { filterParts, keptFilter, type TopicFilter } from '../topics/topic-filter.ts';
import type { Engine } from './engine.ts';

type Needs = Pick<Engine, 'tree' | 'groups' | 'store' | 'limits' | 'subscriptionsCount' | 'sharedSubscriptionsCount'>;

export interface SubscriptionOptions {
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** Subscription Identifier, 0 = none. */
  readonly identifier: number;
}

/**
 * Makes the subscription, or gives the existing one with the same filter new options without a gap. [MQTT-3.8.4-3]
 *
 * @returns the subscription and whether it is new to the session
 */
export function subscribe(
  engine: Needs,
  session: Session,
  topicFilter: TopicFilter,
  options: SubscriptionOptions,
): { readonly subscription: Subscription; readonly isNew: boolean } {
  const existing = session.subscriptions.get(topicFilter.text);
  const subscription = existing ?? newSubscription(session, topicFilter);
  subscription.qos = options.qos;
  subscription.noLocal = options.noLocal;
  subscription.retainAsPublished = options.retainAsPublished;
  subscription.retainHandling = options.retainHandling;
  subscription.ids = options.identifier === 0 ? null : [options.identifier];
  if (existing === undefined) {
    if (session.subscriptions === noSubscriptions) session.subscriptions = new Map();
    session.subscriptions.set(topicFilter.text, subscription);
    enter(engine, subscription);
  } else if (!engine.limits.allowDuplicateMessages) {
    // Joined routes hold copies of the options: leave and enter again makes them stale.
    leave(engine, subscription);
    enter(engine, subscription);
  }
  if (session.isPersistent) {
    engine.store.subscriptionPut({ clientId: session.clientId, filter: topicFilter.text, ...options });
  }
  return { subscription, isNew: existing === undefined };
}

/** @returns whether there was such a subscription [MQTT-3.10.4-1] */
export function unsubscribe(engine: Needs, session: Session, filter: string): boolean {
  const subscription = session.subscriptions.get(filter);
  if (subscription === undefined) return false;
  session.subscriptions.delete(filter);
  leave(engine, subscription);
  if (session.isPersistent) engine.store.subscriptionRemoved(session.clientId, filter);
  return true;
}

/** Takes every subscription of a session that ends out of the trees. */
export function unsubscribeAll(engine: Needs, session: Session): void {
  for (const subscription of session.subscriptions.values()) leave(engine, subscription);
  session.subscriptions = noSubscriptions;
}

function newSubscription(session: Session, topicFilter: TopicFilter): Subscription {
  return {
    session,
    group: null,
    topicFilter: keptFilter(topicFilter),
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    ids: null,
  };
}

function enter(engine: Needs, subscription: Subscription): void {
  const { text, filter, shareName } = filterParts(subscription.topicFilter);
  if (shareName === null) {
    engine.subscriptionsCount++;
    engine.tree.add(filter, subscription);
    return;
  }
  engine.sharedSubscriptionsCount++;
  let shared = engine.groups.get(text);
  if (shared === undefined) {
    const group = new SharedGroup<Subscription>();
    const entry: Subscription = {
      session: null,
      group,
      topicFilter: subscription.topicFilter,
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      ids: null,
    };
    shared = { group, entry };
    engine.groups.set(text, shared);
    engine.tree.add(filter, entry);
  }
  shared.group.add(subscription);
}

function leave(engine: Needs, subscription: Subscription): void {
  const { text, filter, shareName } = filterParts(subscription.topicFilter);
  if (shareName === null) {
    engine.subscriptionsCount--;
    engine.tree.remove(filter, subscription);
    return;
  }
  engine.sharedSubscriptionsCount--;
  const shared = engine.groups.get(text);
  if (shared?.group.remove(subscription)) {
    engine.groups.delete(text);
    engine.tree.remove(filter, shared.entry);
  }
}
