import type { Subscription } from '../codec/packet.ts';

/** A Topic Filter, or one with its options. */
export type SubscriptionRequest = string | (Partial<Subscription> & { readonly filter: string });

/** The subscriptions asked for, with the defaults filled in. */
export function subscriptionsOf(
  requests: SubscriptionRequest | readonly SubscriptionRequest[],
): readonly Subscription[] {
  const list: readonly SubscriptionRequest[] = isList(requests) ? requests : [requests];
  return list.map(subscriptionOf);
}

function subscriptionOf(request: SubscriptionRequest): Subscription {
  const given = typeof request === 'string' ? { filter: request } : request;
  return {
    filter: given.filter,
    qos: given.qos ?? 0,
    noLocal: given.noLocal ?? false,
    retainAsPublished: given.retainAsPublished ?? false,
    retainHandling: given.retainHandling ?? 0,
  };
}

function isList(
  requests: SubscriptionRequest | readonly SubscriptionRequest[],
): requests is readonly SubscriptionRequest[] {
  return Array.isArray(requests);
}
