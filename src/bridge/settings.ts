/** What a bridge is told: one `connection` section, as plain data. */
import type { TlsTarget } from '../transport/dial.ts';
import type { TopicLine } from './topic-map.ts';

export interface RemoteAddress {
  readonly host: string;
  /** 1..65,535 */
  readonly port: number;
}

export interface BridgeSettings {
  readonly name: string;
  /** In the order written, at least one. */
  readonly addresses: readonly RemoteAddress[];
  readonly topics: readonly TopicLine[];
  /** All addresses are alike; otherwise the first is gone back to. */
  readonly roundRobin: boolean;
  /** Local address to connect from, null for any. */
  readonly bindAddress: string | null;
  /** Reads certificates and keys, at each attempt; null for a connection without TLS. Rejects with what is wrong with a file. */
  readonly tls: (() => Promise<TlsTarget>) | null;
  /** Seconds of idleness after which TCP asks whether the peer is there, null: never. */
  readonly tcpKeepaliveSeconds: number | null;

  /** 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
  readonly protocolVersion: 3 | 4 | 5;
  /** Says in CONNECT that it is a bridge, which MQTT 3.x brokers of Mosquitto's kind understand. */
  readonly tryPrivate: boolean;
  readonly remoteClientId: string;
  readonly remoteUsername: string | null;
  readonly remotePassword: Buffer | null;
  /** The other broker forgets the session at each connection. */
  readonly cleanSession: boolean;
  /** 5..65,535 */
  readonly keepAliveSeconds: number;
  /** MQTT 5.0: seconds the other broker keeps the session, Receive Maximum (0: none is stated) and Topic Aliases each side may set. */
  readonly sessionExpirySeconds: number;
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
  /** Bytes of the largest packet that is sent, 0 for no limit. */
  readonly packetBytesMax: number;
  /** Whether messages go out with their RETAIN flag. */
  readonly outgoingRetain: boolean;
  /** UNSUBSCRIBE, at each connection, from what only goes out. */
  readonly attemptUnsubscribe: boolean;

  readonly localClientId: string;
  readonly localUsername: string | null;
  /** What waits for the other broker is forgotten when the connection ends. */
  readonly localCleanSession: boolean;

  /** Where to tell that the bridge is up (`1`) and down (`0`); null: nowhere. */
  readonly notificationTopic: string | null;
  readonly isNotificationLocalOnly: boolean;

  readonly startType: 'automatic' | 'lazy' | 'once';
  /** Of a lazy bridge: seconds without messages until it disconnects, and messages waiting until it connects. */
  readonly idleSeconds: number;
  readonly threshold: number;
  readonly restart: RestartSettings;
  /** Changed settings are taken at once, instead of at the next connection. */
  readonly changesAtOnce: boolean;
  /** The same text as long as nothing has changed. */
  readonly fingerprint: string;
}

/** How long to wait before the next attempt. */
export interface RestartSettings {
  readonly baseSeconds: number;
  /** Longest wait; null: every wait is `baseSeconds`. */
  readonly capSeconds: number | null;
  /** A connection that lasted so long makes the next wait `baseSeconds` again. */
  readonly stableSeconds: number;
}
