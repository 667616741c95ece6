/** PUBACK, PUBREC, PUBREL and PUBCOMP from the peer. Unknown identifiers are tolerated and answered, as Mosquitto does. */
import { logLines } from '../broker/log-lines.ts';
import { publish } from '../broker/publish.ts';
import { mayPublish } from '../broker/rights.ts';
import { routeOfTopic } from '../broker/route.ts';
import { decodeAck } from '../codec/acks.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Topic } from '../contracts/message.ts';
import { finish, isExpired } from '../session/deliver.ts';
import { release } from '../session/holding.ts';
import { Step } from '../session/outgoing.ts';
import { sendWaiting } from '../session/send-waiting.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import type { Connection } from './connection.ts';

type AckType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

/** Reads the acknowledgement `bytes[start..end)` and does what it asks. */
export function receiveAck(connection: Connection, type: AckType, bytes: Buffer, start: number, end: number): void {
  let packetId: number;
  let reasonCode = 0;
  // Nearly all of them are two bytes long; the rest goes through the decoder with its checks.
  if (end - start === 2 && (bytes[start] !== 0 || bytes[start + 1] !== 0)) {
    packetId = ((bytes[start] as number) << 8) | (bytes[start + 1] as number);
  } else {
    const from = connection.outward === null ? 'client' : 'server';
    const packet = decodeAck(type, bytes, start, end, connection.version, from);
    packetId = packet.packetId;
    reasonCode = packet.reasonCode;
  }
  if (connection.hub.isTracing) trace(connection, type, packetId, reasonCode);
  const session = connection.session as Session;
  switch (type) {
    case 'puback':
      onDone(connection, session, packetId, Step.awaitingPuback);
      return;
    case 'pubrec':
      onPubrec(connection, session, packetId, reasonCode);
      return;
    case 'pubrel':
      onPubrel(connection, session, packetId);
      return;
    case 'pubcomp':
      onDone(connection, session, packetId, Step.awaitingPubcomp);
      return;
  }
}

/** PUBACK or PUBCOMP: the exchange is over, the next one may begin. */
function onDone(connection: Connection, session: Session, packetId: number, expected: Step): void {
  const sequence = session.outgoing?.find(packetId) ?? 0;
  if (sequence === 0) return;
  if (session.outgoing?.step(sequence) !== expected) throw wrongAck(packetId);
  finish(connection.hub.engine, session, sequence);
  goOn(connection, session);
}

function onPubrec(connection: Connection, session: Session, packetId: number, reasonCode: number): void {
  const { engine } = connection.hub;
  const outgoing = session.outgoing;
  const sequence = outgoing?.find(packetId) ?? 0;
  if (outgoing === null || sequence === 0) {
    connection.sendPubrel(packetId);
    return;
  }
  const step = outgoing.step(sequence);
  if (step === Step.awaitingPuback) throw wrongAck(packetId);
  if (reasonCode >= 0x80) {
    // Refused by the receiver: over, without PUBREL. [MQTT-4.3.3-4] [MQTT-4.4.0-2]
    finish(engine, session, sequence);
    goOn(connection, session);
    return;
  }
  if (step === Step.awaitingPubrec) {
    release(engine.holdings, outgoing.released(sequence));
    if (session.isPersistent) {
      engine.store.deliveryReleased(session.clientId, sequence);
      session.releasedPosition = engine.store.position;
    }
  }
  connection.sendPubrel(packetId);
}

/** The client lets go of its QoS 2 message: now it is distributed. [MQTT-4.3.3-11] */
function onPubrel(connection: Connection, session: Session, packetId: number): void {
  const { engine } = connection.hub;
  const message = session.received?.take(packetId);
  if (message !== undefined) {
    if (message !== null) {
      const route = routeOf(connection, message.topic);
      // Expired while it waited for PUBREL, or under other rules since: the exchange is finished, the message is not
      // delivered. [MQTT-4.3.3-13]
      const { messagesDropped } = engine.stats;
      if (isExpired(message, engine.nowMs)) messagesDropped.expired++;
      else if (!mayPublish(engine, session, route)) messagesDropped.notAuthorized++;
      else if (publish(engine, message, route, session) === 0) messagesDropped.noSubscribers++;
      if (session.isPersistent) engine.store.receivedRemoved(session.clientId, packetId);
      release(engine.holdings, message);
    }
  }
  connection.acknowledge('pubcomp', packetId, 0);
}

/** The route of a topic that was legal when its PUBLISH came; mostly still the one of its connection. */
function routeOf(connection: Connection, topic: Topic): Route<Subscription> {
  const { engine } = connection.hub;
  const { lastRoute } = connection;
  if (lastRoute !== null && lastRoute.topic === topic && lastRoute.generation === engine.tree.generation) {
    return lastRoute;
  }
  return routeOfTopic(engine, topic);
}

function goOn(connection: Connection, session: Session): void {
  if (session.outgoing?.isCaughtUp === false || session.backlogs !== null) sendWaiting(connection.hub.engine, session);
}

function wrongAck(packetId: number): ProtocolError {
  return new ProtocolError(
    ReasonCode.ProtocolError,
    '§4.3',
    `acknowledgement of packet ${packetId} does not belong to its QoS or step`,
  );
}

function trace(connection: Connection, type: AckType, packetId: number, reasonCode: number): void {
  const { clientId } = connection;
  const { logger } = connection.hub.engine;
  if (type === 'puback') logger.log('debug', logLines.receivedAck('PUBACK', clientId, packetId, reasonCode));
  else if (type === 'pubcomp') logger.log('debug', logLines.receivedAck('PUBCOMP', clientId, packetId, reasonCode));
  else logger.log('debug', logLines.receivedRelease(type === 'pubrec' ? 'PUBREC' : 'PUBREL', clientId, packetId));
}
