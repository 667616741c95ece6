import type { ProtocolVersion, Subscription } from '../codec/packet.ts';
import { ClientError } from './client-error.ts';

/** A Topic Filter, or one with its options. */
export type SubscriptionRequest = string | (Partial<Subscription> & { readonly filter: string });

/** The subscriptions asked for, with the defaults filled in. */
export function subscriptionsOf(
  requests: SubscriptionRequest | readonly SubscriptionRequest[],
): readonly Subscription[] {
  const list: readonly SubscriptionRequest[] = isList(requests) ? requests : [requests];
  return list.map(subscriptionOf);
}

/** No Local means nothing in a shared subscription, and is a protocol error there; 3.x has no such option. [MQTT-3.8.3-4] */
export function shareFault(subscriptions: readonly Subscription[], version: ProtocolVersion): ClientError | undefined {
  const wrong = version < 5 ? undefined : subscriptions.find((one) => one.noLocal && one.filter.startsWith('$share/'));
  return (
    wrong && new ClientError('invalid', `No Local may not be asked for in a Shared Subscription: '${wrong.filter}'`)
  );
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
