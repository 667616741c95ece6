/** What a client is told before it connects. */
import type { Clock } from '../base/clock.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { ConnackPacket, Packet, ProtocolVersion, PublishPacket, QoS } from '../codec/packet.ts';
import type { Properties } from '../codec/property-table.ts';
import type { DialTarget } from '../transport/dial.ts';
import type { ReconnectPolicy } from './backoff.ts';
import type { ClientError } from './client-error.ts';

/** A message to be published. */
export interface Publication {
  /** Without wildcards, not empty. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  /** MQTT 5.0 only. */
  readonly properties: Properties;
}

/** Enhanced authentication (MQTT 5.0 §4.12). */
export interface Authentication {
  /** Authentication Method, the same for the whole connection. [MQTT-4.12.0-5] */
  readonly method: string;
  /** Authentication Data of CONNECT and of a re-authentication. */
  start?(): MaybePromise<Buffer | undefined>;
  /** Answers a challenge; `undefined` sends no data. A thrown error ends the connection. */
  respond(challenge: Buffer | undefined): MaybePromise<Buffer | undefined>;
}

/** Called as things happen; all optional. An error thrown by one of them ends the process: they are the program's own code. */
export interface ClientCallbacks {
  /** The broker accepted a connection, the first or a later one. */
  onConnect?(connack: ConnackPacket): void;
  /** A connection ended, or an attempt to connect again failed; `willReconnect` tells whether another attempt follows. */
  onDisconnect?(error: ClientError, willReconnect: boolean): void;
  /** The very first attempt failed and will be repeated. */
  onConnectFailure?(error: ClientError): void;
  /**
   * A message arrived. Its acknowledgement leaves after this has returned, or with `manualAcknowledgement` after
   * `Client.acknowledge`. Returning false pauses reading until `resume()`.
   */
  onMessage?(message: PublishPacket): unknown;
  /** After `isCongested`: more can be published. */
  onDrain?(): void;
  /** For protocol traces. `messageId` numbers messages of QoS 0 as well. */
  onPacketSent?(packet: Packet, messageId: number): void;
  onPacketReceived?(packet: Packet): void;
}

/** Settings of {@link Client}; only `target` is needed. */
export interface ClientSettings extends ClientCallbacks {
  readonly target: DialTarget;
  /** Default 5. */
  readonly protocolVersion?: ProtocolVersion;
  /** Default '': the broker makes one up (not in MQTT 3.1). */
  readonly clientId?: string;
  /** Default true. */
  readonly cleanStart?: boolean;
  /** 0..65535, 0 turns it off. Default 60. A Server Keep Alive overrides it. [MQTT-3.1.2-21] */
  readonly keepAliveSeconds?: number;
  /** Mosquitto: marks the connection as a bridge's, MQTT 3.x only. Default false. */
  readonly isBridge?: boolean;
  readonly username?: string;
  readonly password?: Buffer;
  readonly will?: Publication;
  /** Of CONNECT, MQTT 5.0 only: session expiry, receive maximum, maximum packet size … */
  readonly connectProperties?: Properties;
  readonly authentication?: Authentication;
  /** Messages of QoS 1 and 2 under way at once, 1..65535, default 20; the broker's Receive Maximum may lower it. */
  readonly inflightMaximum?: number;
  /** Messages that may wait for their turn or for a connection. Default 10,000. */
  readonly queuedMessagesMaximum?: number;
  /** Bytes of their payloads. Default 64 MiB; one larger message may wait alone. */
  readonly queuedBytesMaximum?: number;
  /** Topic Aliases that the client assigns on its own, 0..65535 (the broker's maximum may lower it). Default 0. */
  readonly topicAliases?: number;
  /** Absent: a lost connection is the end. */
  readonly reconnect?: ReconnectPolicy;
  /** Subscribe again when the broker has forgotten the session. Default true. */
  readonly resubscribe?: boolean;
  /**
   * PUBACK and PUBCOMP wait for {@link Client.acknowledge}, for a program that must first store what it received. Default false.
   * They leave in the order in which the messages came, whatever the order of the calls. [MQTT-4.6.0-2]
   */
  readonly manualAcknowledgement?: boolean;
  /** Milliseconds from the start of an attempt to CONNACK. Default 30,000. */
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
}
