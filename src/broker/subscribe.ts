/** Subscriptions of a session come and go. */
import { noSubscriptions, type Session } from '../session/session.ts';
import { Subscription } from '../session/subscription.ts';
import { SharedGroup } from '../topics/shared-group.ts';
import { parseTopicFilter, type TopicFilter } from '../topics/topic-filter.ts';
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
  const existing = findSubscription(engine, session, topicFilter);
  const subscription = existing ?? new Subscription(session, null, topicFilter);
  const { qos, noLocal, retainAsPublished, retainHandling, identifier } = options;
  subscription.setOptions(qos, noLocal, retainAsPublished, retainHandling);
  subscription.ids = identifier === 0 ? null : [identifier];
  if (existing === undefined) {
    if (session.subscriptions === noSubscriptions) session.subscriptions = [];
    subscription.place = session.subscriptions.length;
    session.subscriptions.push(subscription);
    enter(engine, subscription, topicFilter);
  } else if (!engine.limits.allowDuplicateMessages) {
    // Joined routes hold copies of the options: leave and enter again makes them stale.
    leave(engine, subscription);
    enter(engine, subscription, topicFilter);
  }
  if (session.isPersistent) {
    engine.store.subscriptionPut({ clientId: session.clientId, filter: topicFilter.text, ...options });
  }
  return { subscription, isNew: existing === undefined };
}

/** @returns whether there was such a subscription [MQTT-3.10.4-1] */
export function unsubscribe(engine: Needs, session: Session, filter: string): boolean {
  const topicFilter = parseTopicFilter(filter);
  if (typeof topicFilter === 'string') return false;
  const subscription = findSubscription(engine, session, topicFilter);
  if (subscription === undefined) return false;
  // The last one takes its place.
  const { subscriptions } = session;
  const last = subscriptions.pop() as Subscription;
  if (last !== subscription) {
    last.place = subscription.place;
    subscriptions[last.place] = last;
  }
  if (subscriptions.length === 0) session.subscriptions = noSubscriptions;
  leave(engine, subscription);
  if (session.isPersistent) engine.store.subscriptionRemoved(session.clientId, filter);
  return true;
}

/** Takes every subscription of a session that ends out of the trees. */
export function unsubscribeAll(engine: Needs, session: Session): void {
  for (const subscription of session.subscriptions) leave(engine, subscription);
  session.subscriptions = noSubscriptions;
}

/** Whether the subscription was not ended meanwhile. */
export function isSubscribed(session: Session, subscription: Subscription): boolean {
  return session.subscriptions[subscription.place] === subscription;
}

/** What the filter of a subscription consists of. */
export function topicFilterOf({ tree }: Pick<Engine, 'tree'>, { filter }: Subscription): TopicFilter {
  if (typeof filter !== 'number') return filter;
  const text = tree.filterOf(filter);
  return { text, filter: text, shareName: null };
}

/** The session's subscription with that filter: whichever is shorter is looked through, what it has or who has the filter. */
function findSubscription(engine: Needs, session: Session, topicFilter: TopicFilter): Subscription | undefined {
  const { subscriptions } = session;
  const { text, filter, shareName } = topicFilter;
  let holders: readonly Subscription[] | undefined;
  let kept: number | TopicFilter | undefined;
  if (shareName === null) {
    kept = engine.tree.numberOf(filter);
    holders = kept === undefined ? undefined : engine.tree.valuesOf(kept);
  } else {
    const shared = engine.groups.get(text);
    holders = shared?.group.members;
    kept = shared?.entry.filter;
  }
  if (holders === undefined) return undefined;
  return holders.length < subscriptions.length
    ? holders.find((one) => one.session === session)
    : subscriptions.find((one) => one.filter === kept);
}

function enter(engine: Needs, subscription: Subscription, topicFilter: TopicFilter): void {
  const { text, filter, shareName } = topicFilter;
  if (shareName === null) {
    engine.subscriptionsCount++;
    subscription.filter = engine.tree.add(filter, subscription);
    return;
  }
  engine.sharedSubscriptionsCount++;
  let shared = engine.groups.get(text);
  if (shared === undefined) {
    const group = new SharedGroup<Subscription>();
    const entry = new Subscription(null, group, topicFilter);
    shared = { group, entry, number: engine.tree.add(filter, entry) };
    engine.groups.set(text, shared);
  }
  subscription.filter = shared.entry.filter;
  shared.group.add(subscription);
}

function leave(engine: Needs, subscription: Subscription): void {
  const { filter } = subscription;
  if (typeof filter === 'number') {
    engine.subscriptionsCount--;
    engine.tree.remove(filter, subscription);
    return;
  }
  engine.sharedSubscriptionsCount--;
  const shared = engine.groups.get(filter.text);
  if (shared?.group.remove(subscription)) {
    engine.groups.delete(filter.text);
    engine.tree.remove(shared.number, shared.entry);
  }
}
