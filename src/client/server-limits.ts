/** What the broker said in CONNACK that it can do (MQTT 5.0 §3.2.2.3); in MQTT 3.x everything. */
import type { ConnackPacket, QoS } from '../codec/packet.ts';
import type { ReasonCode as Code } from '../codec/reason-code.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { ClientError } from './client-error.ts';
import type { Publication } from './settings.ts';

export interface ServerLimits {
  readonly receiveMaximum: number;
  readonly maximumQos: QoS;
  readonly isRetainAvailable: boolean;
  /** Bytes of a whole packet. */
  readonly maximumPacketSize: number;
  readonly topicAliasMaximum: number;
  readonly hasWildcards: boolean;
  readonly hasSubscriptionIdentifiers: boolean;
  readonly hasSharedSubscriptions: boolean;
  /** Seconds; 0 turns Keep Alive off. */
  readonly keepAliveSeconds: number;
}

/** @param keepAliveSeconds - what our CONNECT asked for */
export function serverLimits(connack: ConnackPacket, keepAliveSeconds: number): ServerLimits {
  const { properties } = connack;
  return {
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumQos: properties.maximumQos ?? 2,
    isRetainAvailable: properties.retainAvailable ?? true,
    maximumPacketSize: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    hasWildcards: properties.wildcardSubscriptionAvailable ?? true,
    hasSubscriptionIdentifiers: properties.subscriptionIdentifierAvailable ?? true,
    hasSharedSubscriptions: properties.sharedSubscriptionAvailable ?? true,
    // [MQTT-3.2.2-21]
    keepAliveSeconds: properties.serverKeepAlive ?? keepAliveSeconds,
  };
}

function unsupported(what: string, reasonCode: Code): ClientError {
  return new ClientError('unsupported', `the broker does not support ${what}`, { reasonCode });
}

/** Why the broker would refuse the message, if it would. [MQTT-3.2.2-11] [MQTT-3.2.2-14] */
export function publicationFault(publication: Publication, limits: ServerLimits): ClientError | undefined {
  if (publication.qos > limits.maximumQos) return unsupported(`QoS ${publication.qos}`, ReasonCode.QosNotSupported);
  if (publication.retain && !limits.isRetainAvailable) {
    return unsupported('retained messages', ReasonCode.RetainNotSupported);
  }
  return undefined;
}

/** Why the broker would refuse the subscriptions, if it would. (§3.2.2.3.11 to 13) */
export function subscriptionFault(
  filters: readonly string[],
  hasIdentifier: boolean,
  limits: ServerLimits,
): ClientError | undefined {
  if (hasIdentifier && !limits.hasSubscriptionIdentifiers) {
    return unsupported('Subscription Identifiers', ReasonCode.SubscriptionIdentifiersNotSupported);
  }
  for (const filter of filters) {
    if (!limits.hasSharedSubscriptions && filter.startsWith('$share/')) {
      return unsupported('Shared Subscriptions', ReasonCode.SharedSubscriptionsNotSupported);
    }
    if (!limits.hasWildcards && /[+#]/.test(filter)) {
      return unsupported('Wildcard Subscriptions', ReasonCode.WildcardSubscriptionsNotSupported);
    }
  }
  return undefined;
}
