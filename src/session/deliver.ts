/**
 * Room 6: one message, one subscription → sent, queued or dropped.
 *
 * QoS 0 goes out at once or not at all. QoS 1 and 2 go out while the window has room and nothing is waiting, else they queue
 * up to the limits; over the limit the newest is dropped, as Mosquitto does. A fault in here belongs to the subscriber.
 */
import type { Rights, Verdict } from '../contracts/authorizer.ts';
import { type DeliveryDrop, deliveryDrops } from '../contracts/drop-reason.ts';
import type { Message } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import type { Store } from '../contracts/store.ts';
import { packetIdOf } from '../contracts/store.ts';
import { dropCounters } from './drop-counters.ts';
import { compact, type Holdings, hold, release } from './holding.ts';
import type { Outgoing } from './outgoing.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

/** The bounds that a session obeys; 0 means none. */
export interface DeliveryLimits {
  /** Exchanges in flight to a client that states no Receive Maximum. */
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly queueQos0Messages: boolean;
  /** Bytes that wait for all sockets together, from which nothing is added to a socket that has some waiting. */
  readonly allSocketsBytesMax: number;
  /** Bytes that all messages held take, as `sizeOf` counts them, from which nothing more is queued, and no further topic retained. */
  readonly allHeldBytesMax: number;
  /** Deliver at the subscription's QoS even when the message was published at a lower one. */
  readonly upgradeOutgoingQos: boolean;
  /**
   * Deliveries of what waits that one session is sent in a row, before others get their turn; each half KiB of payload counts as
   * another.
   */
  readonly sliceDeliveries: number;
}

/** Deliveries waiting for a client that is connected which are taken to be sent soon. */
const soonSentMax = 16;

/** What of the engine a delivery touches. */
export interface DeliveryNeeds {
  readonly limits: DeliveryLimits;
  readonly stats: {
    publishDropped: number;
    deliveries: number;
    deliveriesSent: number;
    readonly deliveriesDropped: Record<DeliveryDrop, number>;
  };
  readonly holdings: Holdings;
  /** Bytes that wait for slow sockets. */
  readonly packetsOutBytes: number;
  readonly store: Store;
  /** Sessions with QoS 2 deliveries that the store has not made safe yet. */
  readonly awaitingCommit: Set<Session>;
  /** Wall clock in ms of the present turn. */
  readonly nowMs: number;
  /** There is more to send than one slice: the session goes on in the next turns, with `sendSlice`. */
  takeTurns(session: Session): void;
  /** A delivery was dropped because of a limit; called once per connection. */
  reportDrops(session: Session): void;
  /** Tells the operator that the rules kept a delivery back. */
  readonly denials: {
    report(session: Session, rights: Rights, action: 'receive', topicName: string, verdict: Verdict): void;
  };
}

/** @param isReplay - the message is a retained one sent because of a new subscription */
export function deliver(
  needs: DeliveryNeeds,
  session: Session,
  message: Message,
  subscription: Subscription,
  isReplay: boolean,
): void {
  needs.stats.deliveries++;
  let qos = subscription.qos;
  if (message.qos < qos && !needs.limits.upgradeOutgoingQos) qos = message.qos;
  const retain = isReplay || (subscription.retainAsPublished && message.retain);
  if (qos === 0) {
    deliverQos0(needs, session, message, retain, subscription.ids);
  } else {
    deliverAcknowledged(needs, session, message, qos, retain, subscription.ids);
  }
}

function deliverQos0(
  needs: DeliveryNeeds,
  session: Session,
  message: Message,
  retain: boolean,
  ids: readonly number[] | null,
): void {
  const outlet = session.outlet;
  // While those that were queued are still being sent, it goes behind them.
  if (outlet !== null && session.queuedQos0 === null) {
    if (outlet.isFull) drop(needs, session, areSocketsFull(needs) ? 'memoryFull' : 'socketFull');
    else countSent(needs, session, outlet.sendPublish(message, 0, retain, false, 0, ids));
    return;
  }
  if (outlet === null && (!(needs.limits.queueQos0Messages || session.queuesQos0) || !session.isPersistent)) {
    countDrop(needs, session, 'clientAway');
    return;
  }
  if (!hasRoom(needs, session)) return;
  const kept = message.keep();
  compact(needs.holdings, kept);
  hold(needs.holdings, kept);
  session.queuedQos0 ??= [];
  session.queuedQos0.push({ message: kept, retain, ids });
  session.queuedQos0Bytes += kept.payloadLength;
  // The store has let go of those that are on their way out.
  if (outlet === null) needs.store.deliveryPut(session.clientId, 0, kept, 0, retain, ids);
}

function deliverAcknowledged(
  needs: DeliveryNeeds,
  session: Session,
  message: Message,
  qos: 1 | 2,
  retain: boolean,
  ids: readonly number[] | null,
): void {
  const { outlet } = session;
  const outgoing = session.outgoingRing();
  if (
    outlet !== null &&
    outgoing.isCaughtUp &&
    !outlet.isCongested &&
    hasWindow(needs.limits, outgoing, outlet, message)
  ) {
    // A session that ends with its connection never sends twice, so its message need not be kept.
    const kept = session.isPersistent ? message.keep() : null;
    if (kept !== null) {
      hold(needs.holdings, kept);
      if (!storeDelivery(needs, session, outgoing.end, kept, qos, retain, ids)) {
        outgoing.pushQueued(kept, qos, retain, ids);
        return;
      }
    }
    const sequence = outgoing.pushSent(kept, qos, retain, ids);
    const isSent = outlet.sendPublish(message, qos, retain, false, packetIdOf(sequence), ids);
    countSent(needs, session, isSent);
    if (!isSent) finish(needs, session, sequence);
    return;
  }
  if (!hasRoom(needs, session)) return;
  const kept = message.keep();
  // The queue of an absent client may be there for long, and that of one which is far behind.
  if (outlet === null || outgoing.queued >= soonSentMax) compact(needs.holdings, kept);
  hold(needs.holdings, kept);
  const sequence = outgoing.pushQueued(kept, qos, retain, ids);
  if (session.isPersistent) storeDelivery(needs, session, sequence, kept, qos, retain, ids);
}

/**
 * Tells the store of a delivery.
 *
 * Exactly once holds only when nobody can have seen a QoS 2 PUBLISH that a crash makes the broker forget: its Packet Identifier
 * would mean another message afterwards, or the message would come again under another one.
 *
 * @returns whether it may be sent at once
 */
function storeDelivery(
  needs: DeliveryNeeds,
  session: Session,
  sequence: number,
  message: Message,
  qos: 1 | 2,
  retain: boolean,
  ids: readonly number[] | null,
): boolean {
  const { store } = needs;
  store.deliveryPut(session.clientId, sequence, message, qos, retain, ids);
  if (qos === 1 || store.committed >= store.position) return true;
  session.unsafe ??= [];
  session.unsafe.push({ sequence, position: store.position });
  needs.awaitingCommit.add(session);
  return false;
}

/** The delivery is done: acknowledged, too large for its receiver, or expired before it was sent. */
export function finish(needs: DeliveryNeeds, session: Session, sequence: number): void {
  const outgoing = session.outgoing as Outgoing;
  const message = outgoing.remove(sequence);
  release(needs.holdings, message);
  if (session.isPersistent) needs.store.deliveryRemoved(session.clientId, sequence);
}

/** Whether the message's time is over. [MQTT-3.3.2-5] */
export function isExpired(message: Message, nowMs: number): boolean {
  return message.expiresAtMs !== 0 && message.expiresAtMs <= nowMs;
}

export function hasWindow(limits: DeliveryLimits, outgoing: Outgoing, outlet: Outlet, message: Message): boolean {
  // [MQTT-3.3.4-9]
  if (outgoing.inFlight >= outlet.receiveMaximum || !outgoing.hasPacketId) return false;
  const bytesMax = limits.maxInflightBytes;
  return bytesMax === 0 || outgoing.inFlight === 0 || outgoing.inFlightBytes + message.payloadLength <= bytesMax;
}

/** Whether a delivery may wait in the session; if not, it is given up. */
function hasRoom(needs: DeliveryNeeds, session: Session): boolean {
  const { limits } = needs;
  const waiting = (session.outgoing?.queued ?? 0) + (session.queuedQos0?.length ?? 0);
  const waitingBytes = (session.outgoing?.queuedBytes ?? 0) + session.queuedQos0Bytes;
  const isFull =
    (limits.maxQueuedMessages > 0 && waiting >= limits.maxQueuedMessages) ||
    // Mosquitto: the last one taken may go beyond the limit.
    (limits.maxQueuedBytes > 0 && waitingBytes >= limits.maxQueuedBytes);
  if (isFull) {
    drop(needs, session, 'queueFull');
    return false;
  }
  if (!isMemoryFull(needs)) return true;
  drop(needs, session, 'memoryFull');
  return false;
}

/** Whether as much is held for all sessions and topics together as may. */
export function isMemoryFull({ holdings, limits }: Pick<DeliveryNeeds, 'holdings' | 'limits'>): boolean {
  return holdings.sizes >= limits.allHeldBytesMax;
}

/** Whether as much waits for all sockets together as may. */
export function areSocketsFull(needs: Pick<DeliveryNeeds, 'packetsOutBytes' | 'limits'>): boolean {
  return needs.packetsOutBytes > needs.limits.allSocketsBytesMax;
}

/** What becomes of a delivery that was handed to the outlet; one that is too large for the client is done without being sent. */
export function countSent(needs: DeliveryNeeds, session: Session, isSent: boolean): void {
  if (isSent) needs.stats.deliveriesSent++;
  else countDrop(needs, session, 'tooLarge');
}

/** Deliveries to a session are given up before they were sent. */
export function countDrop(
  { stats }: Pick<DeliveryNeeds, 'stats'>,
  session: Session,
  reason: DeliveryDrop,
  count = 1,
): void {
  stats.deliveriesDropped[reason] += count;
  session.drops ??= dropCounters(deliveryDrops);
  session.drops[reason] += count;
}

/** Gives up a delivery because of a limit. */
function drop(needs: DeliveryNeeds, session: Session, reason: DeliveryDrop): void {
  needs.stats.publishDropped++;
  countDrop(needs, session, reason);
  if (session.hasReportedDrops) return;
  session.hasReportedDrops = true;
  needs.reportDrops(session);
}
