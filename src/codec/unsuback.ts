import type { ProtocolVersion, UnsubackPacket } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { Reader } from './reader.ts';
import { mayCarry, ReasonCode, type ReasonCodeOf } from './reason-code.ts';
import { packetWriter } from './writer.ts';

/** Reads an UNSUBACK. (§3.11) In 3.x it holds the Packet Identifier alone. */
export function decodeUnsuback(buf: Buffer, start: number, end: number, version: ProtocolVersion): UnsubackPacket {
  const reader = new Reader('UNSUBACK', buf, start, end);
  const packetId = reader.packetId();
  if (version < 5) {
    reader.done();
    return { type: 'unsuback', packetId, properties: NO_PROPERTIES, reasonCodes: [] };
  }
  const properties = readProperties(reader, 'unsuback', 'server');
  const reasonCodes: ReasonCodeOf<'unsuback'>[] = [];
  while (reader.remaining > 0) {
    const code = reader.u8('Reason Code');
    if (!mayCarry('unsuback', code)) {
      throw reader.error(ReasonCode.ProtocolError, 'MQTT-3.11.3-2', `Reason Code 0x${code.toString(16)}`);
    }
    reasonCodes.push(code);
  }
  if (reasonCodes.length === 0) throw reader.error(ReasonCode.MalformedPacket, '§3.11.3', 'no Reason Code');
  return { type: 'unsuback', packetId, properties, reasonCodes };
}

/** Writes an UNSUBACK; 3.x carries no Reason Codes. */
export function encodeUnsuback(packet: UnsubackPacket, version: ProtocolVersion): Buffer {
  const size = 2 + (version === 5 ? propertiesSize(packet.properties) + packet.reasonCodes.length : 0);
  const writer = packetWriter(0xb0, size);
  writer.u16(packet.packetId);
  if (version === 5) {
    writeProperties(writer, packet.properties, 'unsuback');
    for (const code of packet.reasonCodes) writer.u8(code);
  }
  return writer.finish();
}
