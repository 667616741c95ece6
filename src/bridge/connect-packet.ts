/** CONNECT of a bridge, and what is asked for less of when the other broker refuses. */
import { type ConnackPacket, type ConnectPacket, NO_BYTES, NO_PROPERTIES, type QoS } from '../codec/packet.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { isTopicName } from '../topics/topic-filter.ts';
import type { BridgeSettings } from './settings.ts';

/** What the other broker is believed to know. */
export interface Belief {
  readonly version: 3 | 4 | 5;
  /** The protocol level with bit 7: a bridge. MQTT 3.x only. */
  readonly isPrivate: boolean;
  readonly willQos: QoS;
  readonly willRetain: boolean;
}

export function firstBelief({ protocolVersion, tryPrivate }: BridgeSettings): Belief {
  return { version: protocolVersion, isPrivate: tryPrivate && protocolVersion !== 5, willQos: 1, willRetain: true };
}

/** The topic on which the state is told; null for nowhere. */
export function notificationTopic({ notificationTopic: topic }: BridgeSettings): string | null {
  return topic !== null && isTopicName(topic) ? topic : null;
}

export function connectPacket(settings: BridgeSettings, belief: Belief): ConnectPacket {
  const { remoteUsername, remotePassword, sessionExpirySeconds, topicAliasMaximum, receiveMaximum } = settings;
  const { version, isPrivate, willQos, willRetain } = belief;
  const topic = settings.isNotificationLocalOnly ? null : notificationTopic(settings);
  return {
    type: 'connect',
    protocolVersion: version,
    isBridge: isPrivate,
    cleanStart: settings.cleanSession,
    keepAliveSeconds: settings.keepAliveSeconds,
    clientId: settings.remoteClientId,
    ...(topic === null
      ? {}
      : {
          will: {
            ...{ topic, payload: Buffer.from('0'), qos: willQos, retain: willRetain },
            ...{ properties: NO_PROPERTIES, rawProperties: NO_BYTES },
          },
        }),
    ...(remoteUsername === null ? {} : { username: remoteUsername }),
    // [v3.1.1 MQTT-3.1.2-22]
    ...(remotePassword === null || (remoteUsername === null && version < 5) ? {} : { password: remotePassword }),
    properties:
      version === 5
        ? {
            ...(sessionExpirySeconds === 0 ? {} : { sessionExpiryInterval: sessionExpirySeconds }),
            ...(topicAliasMaximum === 0 ? {} : { topicAliasMaximum }),
            ...(receiveMaximum === 0 ? {} : { receiveMaximum }),
          }
        : NO_PROPERTIES,
  };
}

/** What to believe after a CONNACK that refuses; null when asking for less would not help. */
export function lowered(belief: Belief, { reasonCode, properties }: ConnackPacket): Belief | null {
  if (reasonCode === ReasonCode.UnsupportedProtocolVersion) {
    if (belief.version === 5) return { ...belief, version: 4 };
    return belief.isPrivate ? { ...belief, isPrivate: false } : null;
  }
  if (belief.version !== 5) return null;
  if (reasonCode === ReasonCode.QosNotSupported && belief.willQos > 0) {
    return { ...belief, willQos: properties.maximumQos === 1 && belief.willQos > 1 ? 1 : 0 };
  }
  if (reasonCode === ReasonCode.RetainNotSupported && belief.willRetain) return { ...belief, willRetain: false };
  return null;
}
