/**
 * What the broker owes one client: subscriptions, deliveries not yet done, incoming QoS 2 messages, the Will, and how long
 * all of it is kept. A Session outlives Network Connections; while one serves it, that one is its `outlet`.
 */
import type { WheelEntry } from '../base/timer-wheel.ts';
import type { ListenerAccess, Rights } from '../contracts/authorizer.ts';
import type { DeliveryDrop } from '../contracts/drop-reason.ts';
import type { Message, Publisher } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import { Outgoing } from './outgoing.ts';
import { ReceivedMessages } from './received-messages.ts';
import type { Subscription } from './subscription.ts';

/** Session Expiry Interval that means never (MQTT 5.0 §3.1.2.11.2). */
export const neverExpires = 0xffff_ffff;

/** Of a session without any; nothing is ever put into it, see `subscribe.ts`. */
export const noSubscriptions: Subscription[] = [];

export interface Will {
  readonly message: Message;
  readonly delaySeconds: number;
}

/** Something the session sends as fast as its client takes it, such as the retained messages of a new subscription. */
export interface Backlog {
  /** Whether everything was sent. */
  readonly isOver: boolean;
  /**
   * Sends as much as the client can take.
   *
   * @param left - what is left of the session's slice, above 0
   * @returns what is left then: 0 or less when that is used up
   */
  sendSome(left: number): number;
}

export class Session implements WheelEntry {
  readonly clientId: string;
  /** Identity of the client, shared by all messages it publishes; replaced when it comes back as somebody else. */
  publisher: Publisher;
  /** The Network Connection that serves the session now. */
  outlet: Outlet | null = null;
  /** The rules of the listener it uses, or used last; null where there never are any. */
  access: ListenerAccess | null = null;
  /** What its client may do under the present rules; null: everything. */
  rights: Rights | null = null;
  /** Whether deliveries that wait were queued under other rights, so that each is judged again before it is sent. */
  mustRecheck = false;
  /** Whether it goes on sending in the next turns, see `send-waiting.ts`. */
  isTakingTurns = false;
  /** The denials that the operator was told in this second. Bounded by the rules. */
  denials: { readonly second: number; readonly verdicts: number[] } | null = null;
  /** In any order; each knows its place. Bounded by memory that the client's own packets paid for. */
  subscriptions: Subscription[] = noSubscriptions;
  /** QoS 1 and 2 deliveries; made with the first. */
  outgoing: Outgoing | null = null;
  /** Whether QoS 0 messages are queued for it without `queue_qos0_messages` as well. */
  queuesQos0 = false;
  /** Queued QoS 0 messages that a client missed, where they are queued; bounded with the queue. */
  queuedQos0: { readonly message: Message; readonly retain: boolean; readonly ids: readonly number[] | null }[] | null =
    null;
  /** Payload bytes of those. */
  queuedQos0Bytes = 0;
  /** Incoming QoS 2 messages that await PUBREL; made with the first. */
  received: ReceivedMessages | null = null;
  /**
   * QoS 2 deliveries that the store has not made safe yet, in order; they are not sent before. At most one for each delivery
   * that waits.
   */
  unsafe: { readonly sequence: number; readonly position: number }[] | null = null;
  /** Position in the store of the last PUBREC that was told it; PUBREL is not sent before that is safe. */
  releasedPosition = 0;
  /** Work that waits for the client to take more. */
  backlogs: Backlog[] | null = null;
  /** Seconds to keep the session without a connection; 0 ends it with the connection, {@link neverExpires} keeps it. */
  expiryIntervalSeconds = 0;
  /** Wall clock in ms at which a session without connection ends; 0 while connected or for ever. */
  expiresAtMs = 0;
  will: Will | null = null;
  /** Wall clock in ms at which a delayed Will goes out; 0 while connected. */
  willDueAtMs = 0;
  /** Whether the operator was told that deliveries are being dropped, once per connection. */
  hasReportedDrops = false;
  /** Deliveries to it that were given up since it began; made with the first. */
  drops: Record<DeliveryDrop, number> | null = null;
  wheelSlot = -1;
  wheelIndex = 0;
  readonly #onDue: (session: Session) => number;

  /** @param onDue - looks at expiry and Will when the wheel comes round; returns the tick for the next look, 0 for none */
  constructor(clientId: string, publisher: Publisher, onDue: (session: Session) => number) {
    this.clientId = clientId;
    this.publisher = publisher;
    this.#onDue = onDue;
  }

  /** Whether anything of the session must survive its connection, and so be stored. */
  get isPersistent(): boolean {
    return this.expiryIntervalSeconds > 0;
  }

  outgoingRing(): Outgoing {
    this.outgoing ??= new Outgoing();
    return this.outgoing;
  }

  receivedMessages(): ReceivedMessages {
    this.received ??= new ReceivedMessages();
    return this.received;
  }

  onWheel(): number {
    return this.#onDue(this);
  }
}
