/** The Will: sent when its time has come, forgotten when it is not wanted any more. */
import { release } from '../session/holding.ts';
import { neverExpires, type Session } from '../session/session.ts';
import type { Engine } from './engine.ts';
import { publish } from './publish.ts';
import { findRoute } from './route.ts';

/** Forgets the session's Will. [MQTT-3.1.2-10] */
export function dropWill(engine: Pick<Engine, 'holdings' | 'store'>, session: Session): void {
  const will = session.will;
  if (will === null) return;
  session.will = null;
  session.willDueAtMs = 0;
  if (session.isPersistent) engine.store.willRemoved(session.clientId);
  release(engine.holdings, will.message);
}

/** Publishes the session's Will now and forgets it. [MQTT-3.1.2-8] */
export function sendWill(engine: Engine, session: Session): void {
  const will = session.will;
  if (will === null) return;
  const { message } = will;
  // Its lifetime begins with its publication, not with CONNECT (MQTT 5.0 §3.1.3.2.4).
  if (message.expiryOffset >= 0) {
    message.expiresAtMs = engine.nowMs + message.propertiesSource.readUInt32BE(message.expiryOffset) * 1000;
  }
  publish(engine, message, findRoute(engine, message.topic.bytes, 0, message.topic.bytes.length), session);
  dropWill(engine, session);
}

/**
 * The Network Connection ended without a DISCONNECT that cancels the Will: it goes out after its delay, or when the session
 * ends, whichever comes first. [MQTT-3.1.3-9]
 */
export function startWillDelay(engine: Engine, session: Session): void {
  const will = session.will;
  if (will === null) return;
  let delaySeconds = will.delaySeconds;
  if (session.expiryIntervalSeconds !== neverExpires) {
    delaySeconds = Math.min(delaySeconds, session.expiryIntervalSeconds);
  }
  if (delaySeconds === 0) {
    sendWill(engine, session);
    return;
  }
  session.willDueAtMs = engine.nowMs + delaySeconds * 1000;
  engine.store.willPut(session.clientId, will.message, will.delaySeconds, session.willDueAtMs);
}
