/** All bounds of the engine as one record; the configuration is turned into it by `server/`. */
import type { DeliveryLimits } from '../session/deliver.ts';

export interface Limits extends DeliveryLimits {
  /** Largest payload in bytes that is accepted, 0 = no bound of its own. */
  readonly messageSizeLimit: number;
  /** Largest Control Packet in bytes that a client may send, 0 = none; announced to MQTT 5.0 clients. */
  readonly maxPacketSize: number;
  /** Largest Keep Alive in seconds, 0 = any. */
  readonly maxKeepaliveSeconds: number;
  readonly retainAvailable: boolean;
  /** Longest time in seconds a session is kept without a connection, null = as long as its client asks. */
  readonly persistentClientExpirationSeconds: number | null;
  /** One copy per matching subscription instead of one per client. */
  readonly allowDuplicateMessages: boolean;
  /** Whether connects and disconnects are logged. */
  readonly connectionMessages: boolean;
  /** Sessions there may be, those of absent clients included; 0 = any number. */
  readonly maxSessions: number;
  /** Open Network Connections over all listeners; 0 = any number. */
  readonly maxConnections: number;
  /** Whether a retained message is given to new subscribers only while its publisher may still publish to its topic. */
  readonly checkRetainSource: boolean;
  /** Whether a session may be used by the user alone who made it. */
  readonly sessionOwnerCheck: boolean;
  /** Whether MQTT 5.0 publishers are told which rule refused their message. */
  readonly explainDenials: boolean;
  /** Packets of one client that are handled in a row, before others get their turn. */
  readonly packetsPerTurn: number;
  /** Bytes waiting for one socket from which QoS 1, QoS 2 and retained messages wait in the session. */
  readonly socketBytesSoftMax: number;
  /** Bytes waiting for one socket from which QoS 0 messages are dropped. */
  readonly socketBytesHardMax: number;
}

/** Mosquitto 2.1's defaults. */
export const defaultLimits: Limits = {
  maxInflightMessages: 20,
  maxInflightBytes: 0,
  maxQueuedMessages: 1000,
  maxQueuedBytes: 0,
  queueQos0Messages: false,
  upgradeOutgoingQos: false,
  sliceDeliveries: 64,
  packetsPerTurn: 1024,
  messageSizeLimit: 0,
  maxPacketSize: 2_000_000,
  maxKeepaliveSeconds: 0,
  retainAvailable: true,
  persistentClientExpirationSeconds: null,
  allowDuplicateMessages: true,
  connectionMessages: true,
  maxSessions: 0,
  maxConnections: 0,
  checkRetainSource: false,
  sessionOwnerCheck: true,
  explainDenials: false,
  socketBytesSoftMax: 256 * 1024,
  socketBytesHardMax: 16 * 1024 * 1024,
  allSocketsBytesMax: 256 * 1024 * 1024,
  allHeldBytesMax: 1024 * 1024 * 1024,
};
