/** Errors → packets: nothing else answers a peer that broke the protocol. */
import { InvariantViolation } from '../base/invariant.ts';
import { disconnectReasonFor, logLines } from '../broker/log-lines.ts';
import { encodePacket } from '../codec/encode.ts';
import { NO_PROPERTIES } from '../codec/packet.ts';
import type { Properties } from '../codec/property-table.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { mayCarry, ReasonCode, returnCodeOf } from '../codec/reason-code.ts';
import type { Connection } from './connection.ts';

/**
 * Ends the connection because of what was thrown while its input was handled.
 *
 * @throws InvariantViolation - passed on: a mistake of ours ends the process, not one connection
 */
export function fail(connection: Connection, error: unknown): void {
  if (error instanceof InvariantViolation) throw error;
  if (connection.state === 'closed') return;
  const { engine } = connection.hub;
  const { address, port } = connection.transport.peer;
  if (!(error instanceof ProtocolError)) {
    const who = connection.clientId || `${address}:${port}`;
    engine.logger.log('error', `Error: Unable to handle a packet of ${who}: ${describe(error)}`);
    connection.disconnect(ReasonCode.UnspecifiedError);
    return;
  }
  const detail = `${error.message} [${error.statement}].`;
  engine.logger.log(
    'information',
    connection.clientId === ''
      ? logLines.protocolErrorFromAddress(address, port, detail)
      : logLines.protocolErrorFromClient(connection.clientId, detail),
  );
  if (connection.state === 'awaiting-connect' && error.silent) {
    connection.drop(disconnectReasonFor(error.reasonCode));
    return;
  }
  if (!error.silent) {
    if (connection.state === 'active') connection.sendDisconnect(error.reasonCode);
    else if (connection.outward === null) {
      refuse(connection, error.reasonCode, error.connackVersion ?? connection.version);
    }
  }
  connection.close('abnormal', disconnectReasonFor(error.reasonCode));
}

/**
 * CONNACK with a Reason Code of 0x80 or above, where the version has one that says it. [MQTT-3.2.2-6]
 *
 * @param reason - Reason String, left out where the client cannot take it [MQTT-3.2.2-19]
 */
export function refuse(connection: Connection, reasonCode: number, version: 3 | 4 | 5, reason?: string): void {
  const code = mayCarry('connack', reasonCode) ? reasonCode : ReasonCode.UnspecifiedError;
  if (version !== 5 && returnCodeOf(code) === undefined) return;
  if (connection.hub.isTracing) {
    const told = version === 5 ? code : (returnCodeOf(code) ?? 0);
    connection.hub.engine.logger.log('debug', logLines.sendingConnack(connection.clientId, false, told));
  }
  // Mosquitto says with 0x9B what it would have taken, and its bridges come back with that.
  const properties: Properties =
    code === ReasonCode.QosNotSupported ? { maximumQos: connection.policy.maxQos === 1 ? 1 : 0 } : NO_PROPERTIES;
  const connack = { type: 'connack', sessionPresent: false, reasonCode: code, properties } as const;
  if (reason !== undefined && version === 5) {
    const explained = encodePacket({ ...connack, properties: { ...properties, reasonString: reason } }, 5);
    if (explained.length <= connection.maximumPacketSize) {
      connection.send(explained);
      return;
    }
  }
  const packet = encodePacket(connack, version);
  // [MQTT-3.1.2-24]
  if (packet.length <= connection.maximumPacketSize) connection.send(packet);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
