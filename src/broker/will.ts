/** The Will: sent when its time has come, forgotten when it is not wanted any more. */
import type { Message } from '../contracts/message.ts';
import { hold, release } from '../session/holding.ts';
import { neverExpires, type Session } from '../session/session.ts';
import type { Engine } from './engine.ts';
import { publish } from './publish.ts';
import { isOpenToClients, mayPublish } from './rights.ts';
import { routeOfTopic } from './route.ts';

/** Forgets the session's Will. [MQTT-3.1.2-10] */
export function dropWill(engine: Pick<Engine, 'holdings' | 'store'>, session: Session): void {
  const will = session.will;
  if (will === null) return;
  session.will = null;
  session.willDueAtMs = 0;
  if (session.isPersistent) engine.store.willRemoved(session.clientId);
  release(engine.holdings, will.message);
}

/** Publishes the session's Will now, if its client may publish to that topic, and forgets it. [MQTT-3.1.2-8] */
export function sendWill(engine: Engine, session: Session): void {
  const will = session.will;
  if (will === null) return;
  const { message } = will;
  // Mosquitto: whether the client may is asked when the Will is sent, not when it is set.
  const route = routeOfTopic(engine, message.topic);
  if (!isOpenToClients(route) || !mayPublish(engine, session, route)) {
    dropWill(engine, session);
    return;
  }
  const verdict = engine.authorizer?.authorize(message.publisher, 'publish', message.topic.name) ?? true;
  if (typeof verdict !== 'boolean') sendWhenAllowed(engine, session, message, verdict);
  else if (verdict) publishWill(engine, session, message);
  dropWill(engine, session);
}

/** The answer to whether a Will may be sent comes later; {@link Engine.judgedWills} tells who waits for it. */
function sendWhenAllowed(engine: Engine, session: Session, message: Message, verdict: Promise<boolean>): void {
  hold(engine.holdings, message);
  const settle = (isAllowed: boolean): void => {
    engine.nowMs = engine.clock.nowMs();
    // After the end nothing is told to the store any more.
    if (engine.judgedWills.delete(judged) && isAllowed) publishWill(engine, session, message);
    release(engine.holdings, message);
  };
  const judged = verdict.then(settle, () => settle(false));
  engine.judgedWills.add(judged);
}

function publishWill(engine: Engine, session: Session, message: Message): void {
  // Its lifetime begins with its publication, not with CONNECT (MQTT 5.0 §3.1.3.2.4).
  if (message.expiryOffset >= 0) {
    message.expiresAtMs = engine.nowMs + message.propertiesSource.readUInt32BE(message.expiryOffset) * 1000;
  }
  publish(engine, message, routeOfTopic(engine, message.topic), session);
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
