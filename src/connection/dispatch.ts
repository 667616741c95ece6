/** Packet type × state → handler; the one place that knows which packets may come when. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { logLines } from '../broker/log-lines.ts';
import { changeExpiry } from '../broker/sessions.ts';
import { decodePacket } from '../codec/decode.ts';
import { checkFirstByte } from '../codec/fixed-header.ts';
import type { DisconnectPacket } from '../codec/packet.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Session } from '../session/session.ts';
import type { Connection } from './connection.ts';
import { dispatchDuringAuth, receiveAuth } from './enhanced-auth.ts';
import { receiveAck } from './receive-acks.ts';
import { receiveConnect } from './receive-connect.ts';
import { receivePublish } from './receive-publish.ts';
import { receiveSubscribe, receiveUnsubscribe } from './receive-subscribe.ts';

const pingresp = Buffer.from([0xd0, 0x00]);

/**
 * Handles one packet.
 *
 * @returns a promise when the connection has to stop reading until it is settled
 * @throws ProtocolError - the peer broke the protocol; `fail.ts` answers
 */
export function dispatch(
  connection: Connection,
  firstByte: number,
  bytes: Buffer,
  start: number,
  end: number,
): MaybePromise<void> {
  if (connection.state !== 'active') return dispatchFirst(connection, firstByte, bytes, start, end);
  switch (firstByte) {
    case 0x40:
      return receiveAck(connection, 'puback', bytes, start, end);
    case 0x50:
      return receiveAck(connection, 'pubrec', bytes, start, end);
    case 0x62:
      return receiveAck(connection, 'pubrel', bytes, start, end);
    case 0x70:
      return receiveAck(connection, 'pubcomp', bytes, start, end);
  }
  if (firstByte >> 4 === 3) return receivePublish(connection, firstByte, bytes, start, end);
  return dispatchOther(connection, firstByte, bytes, start, end);
}

/** The packets that come seldom. */
function dispatchOther(
  connection: Connection,
  firstByte: number,
  bytes: Buffer,
  start: number,
  end: number,
): MaybePromise<void> {
  const { engine, isTracing } = connection.hub;
  const { outward } = connection;
  const type = checkFirstByte(firstByte, connection.version, outward === null ? 'client' : 'server');
  if (type === 'puback' || type === 'pubrec' || type === 'pubrel' || type === 'pubcomp') {
    // MQTT 3.1: the flags are not used, so the first byte may differ from the usual one.
    receiveAck(connection, type, bytes, start, end);
    return;
  }
  if (outward !== null) {
    outward.receive(decodePacket(firstByte, bytes, start, end, connection.version, 'server'));
    return;
  }
  if (type === 'connect') {
    const { address, port } = connection.transport.peer;
    engine.logger.log('notice', logLines.multipleConnect(address, port));
    throw new ProtocolError(ReasonCode.ProtocolError, 'MQTT-3.1.0-2', 'a second CONNECT');
  }
  const packet = decodePacket(firstByte, bytes, start, end, connection.version, 'client');
  switch (packet.type) {
    case 'subscribe':
      return receiveSubscribe(connection, packet);
    case 'unsubscribe':
      return receiveUnsubscribe(connection, packet);
    case 'pingreq':
      if (isTracing) {
        engine.logger.log('debug', logLines.receivedPingreq(connection.clientId));
        engine.logger.log('debug', logLines.sendingPingresp(connection.clientId));
      }
      connection.send(pingresp);
      return;
    case 'disconnect':
      receiveDisconnect(connection, packet);
      return;
    case 'auth':
      return receiveAuth(connection, connection.enhancedAuth, packet);
    default:
      throw new ProtocolError(ReasonCode.ProtocolError, '§2.1.2', `${packet.type.toUpperCase()} from a client`);
  }
}

/** CONNECT comes first, and nothing else before it is answered. [MQTT-3.1.0-1] */
function dispatchFirst(
  connection: Connection,
  firstByte: number,
  bytes: Buffer,
  start: number,
  end: number,
): MaybePromise<void> {
  const { enhancedAuth, outward } = connection;
  if (outward !== null) {
    outward.receive(decodePacket(firstByte, bytes, start, end, connection.version, 'server'));
    return;
  }
  if (enhancedAuth !== null) return dispatchDuringAuth(connection, enhancedAuth, firstByte, bytes, start, end);
  const packet = decodePacket(firstByte, bytes, start, end, 4, 'client');
  if (packet.type !== 'connect') {
    throw new ProtocolError(ReasonCode.ProtocolError, 'MQTT-3.1.0-1', 'first packet is not CONNECT', { silent: true });
  }
  return receiveConnect(connection, packet);
}

function receiveDisconnect(connection: Connection, packet: DisconnectPacket): void {
  const { engine, isTracing } = connection.hub;
  if (isTracing) engine.logger.log('debug', logLines.receivedDisconnect(connection.clientId));
  const session = connection.session as Session;
  const expiry = packet.properties.sessionExpiryInterval;
  if (expiry !== undefined) {
    if (session.expiryIntervalSeconds === 0 && expiry > 0) {
      throw new ProtocolError(
        ReasonCode.ProtocolError,
        '§3.14.2.2.2',
        'DISCONNECT raises Session Expiry Interval from 0',
      );
    }
    const longest = engine.limits.persistentClientExpirationSeconds;
    changeExpiry(engine, session, longest === null ? expiry : Math.min(expiry, longest));
  }
  // Only 0x00 cancels the Will. [MQTT-3.14.4-3]
  connection.close(packet.reasonCode === ReasonCode.Success ? 'normal' : 'abnormal', null);
}
