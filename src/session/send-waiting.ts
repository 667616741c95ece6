/**
 * Room 6, later: what a session has waiting goes out as fast as its client takes it, a slice at a time.
 *
 * Deliveries of an earlier connection come first, then what was queued, then what is retained. An acknowledgement or a socket that
 * drains starts it; what does not fit into a slice goes on in the next turns (`DeliveryNeeds.takeTurns`), so that a client that
 * fetches a hundred thousand messages holds nobody up. While a session takes turns, what arrives for it queues behind.
 */
import type { Message } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import { packetIdOf } from '../contracts/store.ts';
import { countDrop, countSent, type DeliveryNeeds, finish, hasWindow, isExpired } from './deliver.ts';
import { release } from './holding.ts';
import { type Outgoing, Step } from './outgoing.ts';
import type { Backlog, Session } from './session.ts';

/** Payload bytes that count as much as a delivery, as a power of two. */
const bytesPerDelivery = 9;

/** What sending a message takes of a slice. */
export function costOf(message: Message): number {
  return 1 + (message.payloadLength >>> bytesPerDelivery);
}

/** Sends what waits as far as window and socket allow: after an acknowledgement, a drain, a reconnect, a new subscription. */
export function sendWaiting(needs: DeliveryNeeds, session: Session): void {
  if (session.isTakingTurns || !sendSlice(needs, session)) return;
  session.isTakingTurns = true;
  needs.takeTurns(session);
}

/**
 * Sends again what was under way when the last connection ended, in the original order with the original identifiers, then
 * what waits. [MQTT-4.4.0-1] A client that takes less at a time than before gets the rest as it acknowledges.
 */
export function resume(needs: DeliveryNeeds, session: Session): void {
  session.outgoing?.holdBack();
  // From here on a crash loses those that were not sent yet, rather than sending them twice.
  if (session.queuedQos0 !== null) needs.store.deliveryRemoved(session.clientId, 0);
  sendWaiting(needs, session);
}

/** The store has made more safe: QoS 2 deliveries that waited for it go out. */
export function sendCommitted(needs: DeliveryNeeds, session: Session): void {
  const { unsafe } = session;
  if (unsafe === null) return;
  const { committed } = needs.store;
  const left = unsafe.findIndex(({ position }) => position > committed);
  if (left === 0) return;
  session.unsafe = left < 0 ? null : unsafe.slice(left);
  if (left < 0) needs.awaitingCommit.delete(session);
  sendWaiting(needs, session);
}

/**
 * A slice of {@link sendWaiting}.
 *
 * @returns whether it ended because the slice is used up: there may be more
 */
export function sendSlice(needs: DeliveryNeeds, session: Session): boolean {
  const { outlet, outgoing } = session;
  if (outlet === null) return false;
  let left = needs.limits.sliceDeliveries;
  if (outgoing !== null) {
    if (outgoing.isResuming) left = goOnWithAll(needs, session, outlet, outgoing, left);
    if (outgoing.heldBack > 0 && !outgoing.isResuming) left = sendHeldBack(needs, session, outlet, outgoing, left);
    if (outgoing.heldBack === 0 && !outgoing.isResuming) left = sendQueued(needs, session, outlet, outgoing, left);
  }
  if (session.queuedQos0 !== null && left > 0) left = sendQos0(needs, session, outlet, left);
  if (session.mustRecheck && session.queuedQos0 === null && (outgoing === null || outgoing.isCaughtUp)) {
    session.mustRecheck = false;
  }
  if (session.backlogs !== null && left > 0) left = sendBacklogs(session, left);
  return left <= 0;
}

// Each of the following returns what it leaves of the slice: 0 or less when that is used up.

/**
 * A connection is new: every exchange under way goes on, in the original order. PUBREL does not wait for the window, a PUBLISH
 * does, and with it all that are behind it. [MQTT-4.9.0-2]
 */
function goOnWithAll(needs: DeliveryNeeds, session: Session, outlet: Outlet, outgoing: Outgoing, left: number): number {
  while (left > 0 && outgoing.isResuming && session.outlet === outlet && !outlet.isCongested) {
    const sequence = outgoing.resumeNext();
    if (outgoing.step(sequence) === Step.awaitingPubcomp) {
      outlet.sendPubrel(packetIdOf(sequence));
      left--;
    } else if (outgoing.heldBack > 0 && outgoing.firstHeldBack() === sequence) {
      left -= sendAgain(needs, session, outlet, outgoing, sequence);
    }
  }
  return left;
}

/** What the window of the new connection had no room for. */
function sendHeldBack(
  needs: DeliveryNeeds,
  session: Session,
  outlet: Outlet,
  outgoing: Outgoing,
  left: number,
): number {
  while (left > 0 && outgoing.heldBack > 0 && session.outlet === outlet && !outlet.isCongested) {
    const cost = sendAgain(needs, session, outlet, outgoing, outgoing.firstHeldBack());
    if (cost === 0) break;
    left -= cost;
  }
  return left;
}

/**
 * Sends a PUBLISH of an earlier connection again, unless the window of this one is full.
 *
 * @returns what that took of the slice; 0 when there is no room in the window
 */
function sendAgain(
  needs: DeliveryNeeds,
  session: Session,
  outlet: Outlet,
  outgoing: Outgoing,
  sequence: number,
): number {
  const message = outgoing.message(sequence) as Message; // what is held back has its message
  if (session.mustRecheck && isDenied(needs, session, message)) {
    finish(needs, session, sequence);
    return 1;
  }
  if (outgoing.inFlight - outgoing.heldBack >= outlet.receiveMaximum) return 0;
  outgoing.sentAgain(sequence);
  const isSent = send(outlet, outgoing, sequence, message);
  if (!isSent) finish(needs, session, sequence);
  return costOf(message);
}

/** @returns false when it is too large for its receiver */
function send(outlet: Outlet, outgoing: Outgoing, sequence: number, message: Message): boolean {
  return outlet.sendPublish(
    message,
    outgoing.qos(sequence),
    outgoing.retain(sequence),
    outgoing.dup(sequence),
    packetIdOf(sequence),
    outgoing.subscriptionIds(sequence),
  );
}

/** What was never sent. */
function sendQueued(needs: DeliveryNeeds, session: Session, outlet: Outlet, outgoing: Outgoing, left: number): number {
  while (left > 0 && outgoing.queued > 0 && session.outlet === outlet && !outlet.isCongested) {
    const sequence = outgoing.sendAt;
    const message = outgoing.message(sequence) as Message; // what waits has its message
    const reason = whyNot(needs, session, message);
    if (reason !== null) {
      countDrop(needs, session, reason);
      finish(needs, session, sequence);
      left--;
      continue;
    }
    if (sequence >= (session.unsafe?.[0]?.sequence ?? Number.POSITIVE_INFINITY) && outgoing.qos(sequence) === 2) break;
    if (!hasWindow(needs.limits, outgoing, outlet, message)) break;
    outgoing.sent();
    const isSent = send(outlet, outgoing, sequence, message);
    countSent(needs, session, isSent);
    if (!isSent) finish(needs, session, sequence);
    left -= costOf(message);
  }
  return left;
}

/** QoS 0 messages that were queued for a client that was away. */
function sendQos0(needs: DeliveryNeeds, session: Session, outlet: Outlet, left: number): number {
  const queued = session.queuedQos0 ?? [];
  let taken = 0;
  while (left > 0 && taken < queued.length && session.outlet === outlet && !outlet.isCongested) {
    const { message, retain, ids } = queued[taken++] as (typeof queued)[number];
    left -= costOf(message);
    session.queuedQos0Bytes -= message.payloadLength;
    const reason = whyNot(needs, session, message);
    if (reason !== null) countDrop(needs, session, reason);
    else countSent(needs, session, outlet.sendPublish(message, 0, retain, false, 0, ids));
    release(needs.holdings, message);
  }
  if (taken === queued.length) session.queuedQos0 = null;
  else queued.splice(0, taken);
  return left;
}

/** Why a delivery that waited is not sent any more; null: it is. */
function whyNot(needs: DeliveryNeeds, session: Session, message: Message): 'expired' | 'notAuthorized' | null {
  if (isExpired(message, needs.nowMs)) return 'expired';
  return session.mustRecheck && isDenied(needs, session, message) ? 'notAuthorized' : null;
}

/** Whether the client may not read the message any more: its rights are others than when that was queued. */
function isDenied(needs: DeliveryNeeds, session: Session, message: Message): boolean {
  const { rights } = session;
  if (rights === null) return false;
  const { name } = message.topic;
  const verdict = rights.decide('receive', name);
  if (verdict < 0) needs.denials.report(session, rights, 'receive', name, verdict);
  return verdict < 0;
}

/** What is retained, for subscriptions that are new. */
function sendBacklogs(session: Session, left: number): number {
  while (session.backlogs !== null && left > 0) {
    const backlog = session.backlogs[0] as Backlog;
    left = backlog.sendSome(left) - 1;
    if (!backlog.isOver) break;
    session.backlogs.shift();
    if (session.backlogs.length === 0) session.backlogs = null;
  }
  return left;
}
