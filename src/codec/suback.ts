import type { ProtocolVersion, SubackPacket } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { Reader } from './reader.ts';
import { mayCarry, ReasonCode, type ReasonCodeOf } from './reason-code.ts';
import { packetWriter } from './writer.ts';

/** Reads a SUBACK. (§3.9) In 3.x a code above 2 can only be 0x80. */
export function decodeSuback(buf: Buffer, start: number, end: number, version: ProtocolVersion): SubackPacket {
  const reader = new Reader('SUBACK', buf, start, end);
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties(reader, 'suback', 'server') : NO_PROPERTIES;
  const reasonCodes: ReasonCodeOf<'suback'>[] = [];
  while (reader.remaining > 0) {
    const code = reader.u8('Reason Code');
    if (!mayCarry('suback', code) || (version < 5 && code > 2 && code !== ReasonCode.UnspecifiedError)) {
      throw reader.error(ReasonCode.ProtocolError, 'MQTT-3.9.3-2', `Reason Code 0x${code.toString(16)}`);
    }
    reasonCodes.push(code);
  }
  if (reasonCodes.length === 0) throw reader.error(ReasonCode.MalformedPacket, '§3.9.3', 'no Reason Code');
  return { type: 'suback', packetId, properties, reasonCodes };
}

/** Writes a SUBACK. A refusal is 0x80 in 3.1.1; MQTT 3.1 knows none, so the filter reads as granted with QoS 0. */
export function encodeSuback(packet: SubackPacket, version: ProtocolVersion): Buffer {
  const size = 2 + (version === 5 ? propertiesSize(packet.properties) : 0) + packet.reasonCodes.length;
  const writer = packetWriter(0x90, size);
  writer.u16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, 'suback');
  for (const code of packet.reasonCodes) {
    writer.u8(code < 0x80 || version === 5 ? code : version === 4 ? 0x80 : 0);
  }
  return writer.finish();
}
