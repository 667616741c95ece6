import type { Side } from './fixed-header.ts';
import type { DisconnectPacket, ProtocolVersion } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import type { Properties } from './property-table.ts';
import { Reader } from './reader.ts';
import { mayCarry, ReasonCode } from './reason-code.ts';
import { packetWriter } from './writer.ts';

/**
 * Reads a DISCONNECT. (§3.14) In 5.0 a Remaining Length of 0 means Reason Code 0x00, one of 1 means no properties.
 *
 * Codes that the standard gives to the other side are taken too: they end the connection abnormally like any above 0x7F.
 *
 * @throws ProtocolError - 0x82 for a code that is not listed for DISCONNECT [MQTT-3.14.2-1]
 */
export function decodeDisconnect(
  buf: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
  from: Side,
): DisconnectPacket {
  const reader = new Reader('DISCONNECT', buf, start, end);
  let reasonCode = 0;
  let properties: Properties = NO_PROPERTIES;
  if (version === 5 && reader.remaining > 0) {
    reasonCode = reader.u8('Reason Code');
    if (reader.remaining > 0) properties = readProperties(reader, 'disconnect', from);
  }
  reader.done();
  if (!mayCarry('disconnect', reasonCode)) {
    throw reader.error(ReasonCode.ProtocolError, 'MQTT-3.14.2-1', `Reason Code 0x${reasonCode.toString(16)}`);
  }
  return { type: 'disconnect', reasonCode, properties };
}

/** Writes a DISCONNECT in its shortest form: without properties there is no Property Length, without a reason nothing at all. */
export function encodeDisconnect(packet: DisconnectPacket, version: ProtocolVersion): Buffer {
  const hasProperties = version === 5 && Object.keys(packet.properties).length > 0;
  const hasReasonCode = hasProperties || (version === 5 && packet.reasonCode !== 0);
  const size = (hasReasonCode ? 1 : 0) + (hasProperties ? propertiesSize(packet.properties) : 0);
  const writer = packetWriter(0xe0, size);
  if (hasReasonCode) writer.u8(packet.reasonCode);
  if (hasProperties) writeProperties(writer, packet.properties, 'disconnect');
  return writer.finish();
}
