/**
 * What outlives the process: facts in, a position in the log out.
 *
 * The engine tells the store every change of durable state at the moment it happens and never waits. A store writes when it
 * likes, in the order told. `position` is that of the last fact told, `committed` that of the last fact on disk: an ack that
 * belongs to facts up to `position` may leave as soon as `committed` has reached it. A store that promises nothing keeps both
 * at 0. Calls never throw for trouble with the disk; a store that cannot write stops moving `committed` and says why through
 * its logger.
 *
 * The engine promises: a message is told before the first fact that refers to it is (`storeId` is set by then), every put has
 * its removal, and nothing is told after `close`.
 */
import type { Message } from './message.ts';

/** Steps of a delivery as they are kept; the numbers are those of Mosquitto's persistence file. */
export const DeliveryState = {
  awaitingPuback: 3,
  awaitingPubrec: 5,
  /** Inbound: PUBLISH stored, PUBREC sent. */
  awaitingPubrel: 7,
  awaitingPubcomp: 9,
  queued: 11,
} as const;
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState];

/**
 * The Packet Identifier of an outgoing delivery.
 *
 * Deliveries of a session are numbered 1, 2, 3 … as they are accepted, and the identifier follows from the number, so it is
 * known, and durable, before anything is sent; a queue may be longer than there are identifiers.
 */
export function packetIdOf(sequence: number): number {
  return ((sequence - 1) % 65_535) + 1;
}

export interface SessionFact {
  readonly kind: 'session';
  readonly clientId: string;
  readonly username: string | null;
  /** Port of the listener the session was last used on, 0 for Unix sockets. */
  readonly listenerPort: number;
  /** Seconds; 0xFFFF_FFFF = never. */
  readonly expiryIntervalSeconds: number;
  /** Wall clock in ms at which a disconnected session ends; 0 while connected or when it never ends. */
  readonly expiresAtMs: number;
  /** Sequence number of the last outgoing QoS 1 or 2 delivery, 0 = none yet; see {@link packetIdOf}. */
  readonly lastSequence: number;
}

export interface SubscriptionFact {
  readonly kind: 'subscription';
  readonly clientId: string;
  /** As subscribed, `$share/group/` included. */
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** 0 = none. */
  readonly identifier: number;
}

/** A message that later facts refer to by its `storeId`. */
export interface MessageFact {
  readonly kind: 'message';
  readonly message: Message;
}

export interface DeliveryFact {
  readonly kind: 'delivery';
  readonly clientId: string;
  readonly direction: 'in' | 'out';
  /** `storeId` of the message; 0 when only the exchange is left (awaiting PUBCOMP). */
  readonly storeId: number;
  /**
   * Outgoing: sequence number ({@link packetIdOf}), 0 for a queued QoS 0 message. A file that knows only Packet Identifiers gives
   * the least number that has the identifier and is above that of the session's delivery before it.
   * Incoming: the Packet Identifier the client chose.
   */
  readonly sequence: number;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly state: DeliveryState;
  readonly subscriptionIds: readonly number[];
}

export interface RetainedFact {
  readonly kind: 'retained';
  readonly storeId: number;
}

export interface WillFact {
  readonly kind: 'will';
  readonly clientId: string;
  readonly message: Message;
  readonly delaySeconds: number;
  /** Wall clock in ms at which the will is due; 0 while its client is connected. */
  readonly dueAtMs: number;
}

/** Durable state, one fact at a time. Messages come before what refers to them, sessions before what belongs to them. */
export type Fact = SessionFact | SubscriptionFact | MessageFact | DeliveryFact | RetainedFact | WillFact;

export interface Store {
  /** Position of the last fact told. */
  readonly position: number;
  /** Position of the last fact that is safe; never above `position`. */
  readonly committed: number;
  /** Called after `committed` has moved; set once by the engine. */
  onCommitted: (() => void) | null;
  /** Why nothing can be made safe at present (`ENOSPC`), null while all is well. */
  readonly trouble: string | null;
  /** How often facts were made safe since the start, and the seconds that took in all; absent where nothing is. */
  readonly commits?: { readonly count: number; readonly seconds: number };
  /** Called when `trouble` has changed; set once by the engine. */
  onTrouble: (() => void) | null;

  sessionPut(session: Omit<SessionFact, 'kind'>): void;
  sessionRemoved(clientId: string): void;
  subscriptionPut(subscription: Omit<SubscriptionFact, 'kind'>): void;
  subscriptionRemoved(clientId: string, filter: string): void;
  /** An outgoing QoS 1 or 2 delivery was queued or sent (`sequence` > 0), or a QoS 0 message queued (`sequence` 0). */
  deliveryPut(
    clientId: string,
    sequence: number,
    message: Message,
    qos: 0 | 1 | 2,
    retain: boolean,
    subscriptionIds: readonly number[] | null,
  ): void;
  /** PUBREC came: only PUBREL may be sent from now on. */
  deliveryReleased(clientId: string, sequence: number): void;
  /** Acknowledged, expired or given up; `sequence` 0: all queued QoS 0 messages of the session are gone. */
  deliveryRemoved(clientId: string, sequence: number): void;
  /** An incoming QoS 2 message is owned and awaits PUBREL. */
  receivedPut(clientId: string, packetId: number, message: Message): void;
  receivedRemoved(clientId: string, packetId: number): void;
  retainedPut(message: Message): void;
  retainedRemoved(topicName: string): void;
  willPut(clientId: string, message: Message, delaySeconds: number, dueAtMs: number): void;
  willRemoved(clientId: string): void;

  /** What was safe when the process ended; asked once, before anything is told. */
  restore(): Iterable<Fact>;
  /**
   * Where the whole durable state can be read at any time, for snapshots; set once, after `restore`.
   * The iterable is walked in pieces while the state goes on changing: what was there all the time is among the facts, what came
   * or went meanwhile may be; nothing refers to a message or session that did not come before.
   */
  attach(source: () => Iterable<Fact>): void;
  /** Writes a snapshot now (SIGUSR1, autosave). Resolves when it is on disk or has failed and was logged. */
  snapshot(): Promise<void>;
  /** Makes everything told so far safe and lets go of files. */
  close(): Promise<void>;
}
