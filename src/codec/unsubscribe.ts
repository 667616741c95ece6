import type { ProtocolVersion, UnsubscribePacket } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { Reader } from './reader.ts';
import { ReasonCode } from './reason-code.ts';
import { readFilter } from './subscribe.ts';
import { packetWriter, stringSize } from './writer.ts';

/**
 * Reads an UNSUBSCRIBE. (§3.10)
 *
 * @throws ProtocolError - 0x81, also for Packet Identifier 0 (Mosquitto) and for no filter at all
 */
export function decodeUnsubscribe(
  buf: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): UnsubscribePacket {
  const reader = new Reader('UNSUBSCRIBE', buf, start, end);
  const packetId = reader.packetId(ReasonCode.MalformedPacket);
  const properties = version === 5 ? readProperties(reader, 'unsubscribe', 'client') : NO_PROPERTIES;
  const filters: string[] = [];
  while (reader.remaining > 0) filters.push(readFilter(reader));
  if (filters.length === 0) throw reader.error(ReasonCode.MalformedPacket, 'MQTT-3.10.3-2', 'no Topic Filter');
  return { type: 'unsubscribe', packetId, properties, filters };
}

/** Writes an UNSUBSCRIBE. */
export function encodeUnsubscribe(packet: UnsubscribePacket, version: ProtocolVersion): Buffer {
  let size = 2 + (version === 5 ? propertiesSize(packet.properties) : 0);
  for (const filter of packet.filters) size += stringSize(filter);
  const writer = packetWriter(0xa2, size);
  writer.u16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, 'unsubscribe');
  for (const filter of packet.filters) writer.string(filter);
  return writer.finish();
}
