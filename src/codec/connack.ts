import { invariant } from '../base/invariant.ts';
import type { ConnackPacket, ProtocolVersion } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { Reader } from './reader.ts';
import { mayCarry, ReasonCode, reasonCodeOfReturnCode, returnCodeOf } from './reason-code.ts';
import { packetWriter } from './writer.ts';

/**
 * Reads a CONNACK. (§3.2) A server that knows only 3.x refuses a 5.0 client in the form of 3.x, so that form is
 * understood there too.
 */
export function decodeConnack(buf: Buffer, start: number, end: number, version: ProtocolVersion): ConnackPacket {
  const reader = new Reader('CONNACK', buf, start, end);
  const flags = reader.u8('Connect Acknowledge Flags');
  if (version > 3 && flags > 1) {
    throw reader.error(ReasonCode.MalformedPacket, 'MQTT-3.2.2-1', 'reserved Connect Acknowledge Flags are set');
  }
  // MQTT 3.1 §3.2 has no Session Present.
  const sessionPresent = version > 3 && flags === 1;
  const code = reader.u8('Reason Code');
  if (version < 5 || (code > 0 && code < 6 && reader.remaining === 0)) {
    reader.done();
    return { type: 'connack', sessionPresent, reasonCode: reasonCodeOfReturnCode(code), properties: NO_PROPERTIES };
  }
  if (!mayCarry('connack', code)) {
    throw reader.error(ReasonCode.ProtocolError, 'MQTT-3.2.2-8', `Reason Code 0x${code.toString(16)}`);
  }
  const properties = readProperties(reader, 'connack', 'server');
  reader.done();
  return { type: 'connack', sessionPresent, reasonCode: code, properties };
}

/** Writes a CONNACK. In 3.x the Reason Code must have a return code (`returnCodeOf`); where it has none, nothing is sent. */
export function encodeConnack(packet: ConnackPacket, version: ProtocolVersion): Buffer {
  const writer = packetWriter(0x20, version === 5 ? 2 + propertiesSize(packet.properties) : 2);
  writer.u8(packet.sessionPresent && version > 3 ? 1 : 0);
  if (version === 5) {
    writer.u8(packet.reasonCode);
    writeProperties(writer, packet.properties, 'connack');
  } else {
    const returnCode = returnCodeOf(packet.reasonCode);
    invariant(returnCode !== undefined, `no CONNACK return code says 0x${packet.reasonCode.toString(16)}`);
    writer.u8(returnCode);
  }
  return writer.finish();
}
