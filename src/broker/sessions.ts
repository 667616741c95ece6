/** Sessions begin, are taken over, are left by their connection, and end. */
import { ReasonCode } from '../codec/reason-code.ts';
import type { ListenerAccess } from '../contracts/authorizer.ts';
import type { Publisher } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import { hold } from '../session/holding.ts';
import { neverExpires, Session, type Will } from '../session/session.ts';
import { clearSession } from './clear-session.ts';
import { type Engine, tickMs } from './engine.ts';
import { logLines } from './log-lines.ts';
import { grantRights } from './rights.ts';
import { unsubscribeAll } from './subscribe.ts';
import { dropWill, sendWill, startWillDelay } from './will.ts';

/** What a CONNECT that was let in asks for. */
export interface OpenRequest {
  readonly publisher: Publisher;
  readonly cleanStart: boolean;
  /** Seconds; 0 ends the session with the connection, 0xFFFF_FFFF keeps it. */
  readonly expiryIntervalSeconds: number;
  readonly will: Will | null;
  readonly outlet: Outlet;
  /** The rules of the listener; absent where there never are any. */
  readonly access?: ListenerAccess | undefined;
}

/**
 * Gives the connection its session: a new one, or the one that was kept. An older connection of the same client is told and
 * closed first. [MQTT-3.1.4-3]
 */
export function openSession(engine: Engine, request: OpenRequest): { session: Session; isPresent: boolean } {
  const { clientId } = request.publisher;
  let session = engine.sessions.get(clientId);
  if (session !== undefined) {
    if (session.outlet !== null) takeOver(engine, session, request.cleanStart);
    // [MQTT-3.1.2-4]; a Will still waiting for its delay goes out because its session ends.
    if (request.cleanStart && engine.sessions.get(clientId) === session) endSession(engine, session);
    session = engine.sessions.get(clientId);
  }
  const isPresent = session !== undefined;
  if (session === undefined) {
    session = new Session(clientId, request.publisher, engine.onSessionDue);
    engine.sessions.set(clientId, session);
  }
  // Coming back in time suppresses a Will that waits for its delay. [MQTT-3.1.3-9]
  dropWill(engine, session);
  engine.wheel.remove(session);
  const wasPersistent = isPresent && session.isPersistent;
  session.publisher = request.publisher;
  grantRights(engine, session, request.access ?? null);
  session.expiryIntervalSeconds = request.expiryIntervalSeconds;
  session.expiresAtMs = 0;
  session.outlet = request.outlet;
  session.hasReportedDrops = false;
  session.will = request.will;
  if (request.will !== null) hold(engine.holdings, request.will.message);
  if (session.isPersistent) {
    storeSession(engine, session);
    if (request.will !== null) {
      engine.store.willPut(clientId, request.will.message, request.will.delaySeconds, 0);
    }
  } else if (wasPersistent) {
    engine.store.sessionRemoved(clientId);
  }
  return { session, isPresent };
}

/** DISCONNECT gives the session another Session Expiry Interval (MQTT 5.0 §3.14.2.2.2); 0 may not become anything else. */
export function changeExpiry(engine: Pick<Engine, 'store'>, session: Session, expiryIntervalSeconds: number): void {
  const wasPersistent = session.isPersistent;
  session.expiryIntervalSeconds = expiryIntervalSeconds;
  if (wasPersistent && !session.isPersistent) engine.store.sessionRemoved(session.clientId);
}

/** How a Network Connection ended. */
export type Ending = 'normal' | 'abnormal';

/**
 * The Network Connection is gone.
 *
 * @param ending - `normal` cancels the Will (DISCONNECT 0x00, or DISCONNECT of MQTT 3.x)
 */
export function leaveSession(engine: Engine, session: Session, ending: Ending): void {
  session.outlet = null;
  session.backlogs = null;
  session.outgoing?.interrupted();
  if (ending === 'normal') dropWill(engine, session);
  else startWillDelay(engine, session);
  if (session.expiryIntervalSeconds === 0) {
    endSession(engine, session);
    return;
  }
  if (session.expiryIntervalSeconds !== neverExpires) {
    session.expiresAtMs = engine.nowMs + session.expiryIntervalSeconds * 1000;
  }
  storeSession(engine, session);
  scheduleLook(engine, session);
}

/** The session and everything in it goes; a Will that is still waiting goes out. [MQTT-3.1.2-8] */
export function endSession(engine: Engine, session: Session): void {
  engine.wheel.remove(session);
  engine.awaitingCommit.delete(session);
  session.unsafe = null;
  sendWill(engine, session);
  unsubscribeAll(engine, session);
  clearSession(engine, session);
  engine.sessions.delete(session.clientId);
  if (session.isPersistent) engine.store.sessionRemoved(session.clientId);
}

/** The store's view of the session. */
export function storeSession(engine: Pick<Engine, 'store'>, session: Session): void {
  engine.store.sessionPut({
    clientId: session.clientId,
    username: session.publisher.username,
    listenerPort: session.publisher.listenerPort,
    expiryIntervalSeconds: session.expiryIntervalSeconds,
    expiresAtMs: session.expiresAtMs,
    lastSequence: session.outgoing?.lastSequence ?? 0,
  });
}

/** Looks at a session without connection when its expiry or its Will falls due. */
export function scheduleLook(engine: Engine, session: Session): void {
  const dueMs = earlier(session.expiresAtMs, session.willDueAtMs);
  if (dueMs !== 0) engine.wheel.schedule(session, engine.tickAfter(Math.max(0, dueMs - engine.nowMs)));
}

/** The wheel came round: sends the Will, ends the session, or says when to look again. */
export function dueSession(engine: Engine, session: Session): number {
  if (session.outlet !== null) return 0;
  if (session.willDueAtMs !== 0 && session.willDueAtMs <= engine.nowMs) sendWill(engine, session);
  if (session.expiresAtMs !== 0 && session.expiresAtMs <= engine.nowMs) {
    engine.logger.log('notice', logLines.sessionExpired(session.clientId));
    engine.stats.clientsExpired++;
    endSession(engine, session);
    return 0;
  }
  const dueMs = earlier(session.expiresAtMs, session.willDueAtMs);
  return dueMs === 0 ? 0 : engine.tick() + Math.max(1, Math.ceil((dueMs - engine.nowMs) / tickMs));
}

/** The earlier of two times of which 0 means never. */
function earlier(first: number, second: number): number {
  if (first === 0 || second === 0) return first + second;
  return Math.min(first, second);
}

/** Closes the connection that serves the session now; its Will goes out unless session and delay go on. */
function takeOver(engine: Engine, session: Session, cleanStart: boolean): void {
  const old = session.outlet;
  if (old === null) return;
  // A delayed Will of a session that continues is not sent; its delay is what the reconnect was given time for.
  const continues = !cleanStart && session.expiryIntervalSeconds > 0;
  if (continues && (session.will?.delaySeconds ?? 0) > 0) dropWill(engine, session);
  old.disconnect(ReasonCode.SessionTakenOver);
}
