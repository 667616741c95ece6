/**
 * Moustique as a library: an MQTT broker inside a Node.js program (docs/library.md).
 *
 * What is exported here is the public API; everything else may change.
 */
export type { ConnectRequest } from './contracts/authenticator.ts';
export type {
  History,
  HistoryBuckets,
  HistoryExportRequest,
  HistoryFault,
  HistoryFormat,
  HistoryMessage,
  HistoryMessagesPage,
  HistoryMessagesRequest,
  HistoryQuery,
  HistoryQueryResult,
  HistoryRuleStats,
  HistorySeries,
  HistorySeriesPage,
  HistorySeriesRequest,
  HistorySinkStats,
  HistoryStats,
} from './contracts/history.ts';
export type { ConnectedClient } from './contracts/hooks.ts';
export type { LogType } from './contracts/logger.ts';
export type { Publisher } from './contracts/message.ts';
export {
  type BrokerStats,
  createBroker,
  type EmbeddedBroker,
  type KickOptions,
  type PublishOptions,
} from './server/create-broker.ts';
export { type Authenticate, type Authorize, ReasonCode, type Refusal } from './server/library/access.ts';
export {
  type EnhancedExchange,
  type EnhancedMethod,
  type EnhancedStep,
  type ScramCredentials,
  scramCredentials,
  scramSha256,
} from './server/library/authentication-methods.ts';
export { type BrokerState, BrokerStateError } from './server/library/broker-state.ts';
export type { BrokerEvents } from './server/library/events.ts';
export type { LogLine } from './server/library/library-logger.ts';
export {
  type BridgeOptions,
  type BrokerOptions,
  type ConfigError,
  ConfigErrors,
  type CreateBrokerOptions,
  type ListenerOptions,
  type PluginOptions,
} from './server/library/library-options.ts';
export type { OpenListener } from './server/library/open-listener.ts';
export type { MessageProperties, UserProperty } from './server/library/properties.ts';
export type { ReceivedMessage } from './server/library/received-message.ts';
export { StartError } from './server/start-error.ts';
