import type { Side } from './fixed-header.ts';
import { firstByteOf, packetKinds } from './fixed-header.ts';
import type { AckPacket, ProtocolVersion } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import type { Properties } from './property-table.ts';
import { Reader } from './reader.ts';
import { mayCarry, ReasonCode } from './reason-code.ts';
import { packetWriter } from './writer.ts';

/** PUBACK, PUBREC, PUBREL, PUBCOMP: one layout, told apart by type and by the codes they may carry. (§3.4 to §3.7) */
export type AckType = AckPacket['type'];

/**
 * Reads an acknowledgement. In 5.0 a Remaining Length of 2 means Reason Code 0x00, one of 3 means no properties.
 *
 * @throws ProtocolError - 0x82 for Packet Identifier 0 and codes that the type may not carry
 */
export function decodeAck(
  type: AckType,
  buf: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
  from: Side,
): AckPacket {
  const reader = new Reader(packetKinds[type].name, buf, start, end);
  const packetId = reader.packetId();
  let reasonCode = 0;
  let properties: Properties = NO_PROPERTIES;
  if (version === 5 && reader.remaining > 0) {
    reasonCode = reader.u8('Reason Code');
    if (reader.remaining > 0) properties = readProperties(reader, type, from);
  }
  reader.done();
  if (!mayCarry(type, reasonCode) && !(from === 'server' && isMosquittos(type, reasonCode))) {
    throw reader.error(ReasonCode.ProtocolError, '§2.4', `Reason Code 0x${reasonCode.toString(16)}`);
  }
  // The code was checked against the type; the compiler cannot pair the two across the union.
  return { type, packetId, reasonCode, properties } as AckPacket;
}

/** Mosquitto answers 0x95 to a PUBLISH above its message_size_limit, a code that the standard does not list there. */
function isMosquittos(type: AckType, reasonCode: number): boolean {
  return reasonCode === ReasonCode.PacketTooLarge && (type === 'puback' || type === 'pubrec');
}

/** Writes an acknowledgement in its shortest form. */
export function encodeAck(packet: AckPacket, version: ProtocolVersion): Buffer {
  const hasProperties = version === 5 && Object.keys(packet.properties).length > 0;
  const hasReasonCode = hasProperties || (version === 5 && packet.reasonCode !== 0);
  const size = 2 + (hasReasonCode ? 1 : 0) + (hasProperties ? propertiesSize(packet.properties) : 0);
  const writer = packetWriter(firstByteOf(packet.type), size);
  writer.u16(packet.packetId);
  if (hasReasonCode) writer.u8(packet.reasonCode);
  if (hasProperties) writeProperties(writer, packet.properties, packet.type);
  return writer.finish();
}

/** Most bytes that `writeAck` writes. */
export const ACK_SIZE_MAX = 5;

/**
 * Writes an acknowledgement without properties straight into a buffer, allocating nothing.
 *
 * @param target - with room for ACK_SIZE_MAX bytes at `offset`
 * @param reasonCode - 0 leaves it out; 3.x never carries one
 * @returns the offset behind it
 */
export function writeAck(
  target: Buffer,
  offset: number,
  type: AckType,
  packetId: number,
  reasonCode: number,
  version: ProtocolVersion,
): number {
  const isLong = reasonCode !== 0 && version === 5;
  target[offset] = type === 'puback' ? 0x40 : type === 'pubrec' ? 0x50 : type === 'pubrel' ? 0x62 : 0x70;
  target[offset + 1] = isLong ? 3 : 2;
  target[offset + 2] = packetId >>> 8;
  target[offset + 3] = packetId;
  if (!isLong) return offset + 4;
  target[offset + 4] = reasonCode;
  return offset + 5;
}
