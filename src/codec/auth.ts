import type { Side } from './fixed-header.ts';
import type { AuthPacket } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { Reader } from './reader.ts';
import { mayCarry, ReasonCode } from './reason-code.ts';
import { packetWriter } from './writer.ts';

/**
 * Reads an AUTH. (§3.15) A Remaining Length of 0 would mean 0x00 without a method, which nobody may send.
 *
 * @throws ProtocolError - 0x82 without Authentication Method, and for a code that this side may not send
 */
export function decodeAuth(buf: Buffer, start: number, end: number, from: Side): AuthPacket {
  const reader = new Reader('AUTH', buf, start, end);
  if (reader.remaining === 0) {
    throw reader.error(ReasonCode.ProtocolError, '§3.15.2.2.2', 'no Authentication Method');
  }
  const reasonCode = reader.u8('Reason Code');
  const wrongSide = from === 'client' ? ReasonCode.Success : ReasonCode.ReAuthenticate;
  if (!mayCarry('auth', reasonCode) || reasonCode === wrongSide) {
    throw reader.error(ReasonCode.ProtocolError, 'MQTT-3.15.2-1', `Reason Code 0x${reasonCode.toString(16)}`);
  }
  if (reader.remaining === 0) {
    throw reader.error(ReasonCode.ProtocolError, '§3.15.2.2.2', 'no Authentication Method');
  }
  const properties = readProperties(reader, 'auth', from);
  reader.done();
  if (properties.authenticationMethod === undefined) {
    throw reader.error(ReasonCode.ProtocolError, '§3.15.2.2.2', 'no Authentication Method');
  }
  return { type: 'auth', reasonCode, properties };
}

/** Writes an AUTH. */
export function encodeAuth(packet: AuthPacket): Buffer {
  const writer = packetWriter(0xf0, 1 + propertiesSize(packet.properties));
  writer.u8(packet.reasonCode);
  writeProperties(writer, packet.properties, 'auth');
  return writer.finish();
}
