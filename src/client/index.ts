/** The MQTT client: what `moustique/client` offers. */
export type { Clock } from '../base/clock.ts';
export type {
  ConnackPacket,
  Packet,
  ProtocolVersion,
  PublishPacket,
  QoS,
  RetainHandling,
  Subscription,
} from '../codec/packet.ts';
export {
  type Properties,
  type PropertyOwner,
  type PropertyRow,
  propertyTable,
  type UserProperty,
} from '../codec/property-table.ts';
export { ProtocolError } from '../codec/protocol-error.ts';
export { ReasonCode, reasonCodeName, returnCodeOf } from '../codec/reason-code.ts';
export { filterMatches, isTopicName, parseTopicFilter } from '../topics/topic-filter.ts';
export type { DialTarget, ProxyTarget, TlsTarget } from '../transport/dial.ts';
export { DialError, type DialStep } from '../transport/dial-error.ts';
export type { ReconnectPolicy } from './backoff.ts';
export { Client, type PublishOptions } from './client.ts';
export { ClientError, type ClientErrorDetails, type ClientErrorKind } from './client-error.ts';
export { connect } from './connect.ts';
export type { PublishOutcome, Settle } from './exchanges.ts';
export { RequestChannel, type RequestOptions } from './request.ts';
export type { SubscribeOutcome } from './requests.ts';
export type { ServerLimits } from './server-limits.ts';
export type { Authentication, ClientCallbacks, ClientSettings, Publication } from './settings.ts';
export type { SubscriptionRequest } from './subscription-request.ts';
export { isValidText } from './text.ts';
export { settingsOfUrl, type UrlSettings } from './url.ts';
