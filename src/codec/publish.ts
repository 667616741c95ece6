/**
 * PUBLISH (§3.3), twice: `readPublish` for the broker's hot path, which parses in place into one reusable view and
 * allocates nothing, and `decodePublish` / `encodePublish` for everybody else. Both accept the same packets.
 */
import type { Side } from './fixed-header.ts';
import type { ProtocolVersion, PublishPacket, QoS } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { ProtocolError } from './protocol-error.ts';
import { readPublishProperties } from './publish-properties.ts';
import { Reader } from './reader.ts';
import { ReasonCode } from './reason-code.ts';
import { topicNameFault } from './topic-name-bytes.ts';
import { packetWriter, stringSize } from './writer.ts';

/**
 * Where the parts of one PUBLISH lie in the buffer it was read from. One instance is reused for all packets; its offsets
 * are valid as long as that buffer is.
 */
export class PublishView {
  /** 0, 1 or 2. */
  qos = 0;
  /** 0 or 1, as are `retain` and `dup` on the wire. */
  retain = 0;
  dup = 0;
  /** 1 to 65,535; 0 when QoS is 0. */
  packetId = 0;
  /** Topic Name; not yet validated (`validateTopicNameBytes`). Empty only when there is a Topic Alias. */
  topicStart = 0;
  topicEnd = 0;
  /** The properties that travel on, validated, without their length and without Topic Alias; empty in 3.x. */
  propertiesStart = 0;
  propertiesEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** 1 to 65,535; 0: the packet has none. Whether it is within the maximum is the connection's to say. */
  topicAlias = 0;
  /** Seconds; −1: the packet has none. */
  messageExpiryInterval = -1;
  /** Offset of the four bytes of Message Expiry Interval, −1 when there is none. */
  expiryOffset = -1;
}

/**
 * Reads a PUBLISH from a client in place: bounds, flags, Packet Identifier and every property are checked, the Topic
 * Name's bytes are not.
 *
 * In 5.0 a Topic Alias in the middle of the properties makes it move the ones before it by three bytes inside `buf`, so
 * that what travels on is one range.
 *
 * @param start - first byte of the variable header; `end` is behind the last byte of the packet
 * @throws ProtocolError - 0x81 malformed; 0x82 Packet Identifier 0 or a bad property; 0x94 Topic Alias 0
 */
export function readPublish(
  firstByte: number,
  buf: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
  view: PublishView,
): void {
  const flags = firstByte & 0x0f;
  if (flags >= 6 && (flags & 6) === 6) throw badQos();
  if (flags === 8 || flags === 9) throw dupWithQos0();
  const qos = (flags >> 1) & 3;
  const topicStart = start + 2;
  if (topicStart > end) throw cutShort('Topic Name');
  const topicEnd = topicStart + (((buf[start] as number) << 8) | (buf[start + 1] as number));
  let at = topicEnd;
  let packetId = 0;
  if (qos !== 0) {
    at += 2;
    if (at > end) throw cutShort('Packet Identifier');
    packetId = ((buf[topicEnd] as number) << 8) | (buf[topicEnd + 1] as number);
    if (packetId === 0) throw packetIdZero();
  } else if (at > end) throw cutShort('Topic Name');
  view.qos = qos;
  view.retain = flags & 1;
  view.dup = flags >> 3;
  view.packetId = packetId;
  view.topicStart = topicStart;
  view.topicEnd = topicEnd;
  view.payloadEnd = end;
  view.topicAlias = 0;
  view.messageExpiryInterval = -1;
  view.expiryOffset = -1;
  if (version !== 5) {
    view.propertiesStart = at;
    view.propertiesEnd = at;
  } else if (at < end && buf[at] === 0) {
    at++;
    view.propertiesStart = at;
    view.propertiesEnd = at;
  } else {
    at = readPublishProperties(buf, at, end, view);
  }
  view.payloadStart = at;
  if (topicStart === topicEnd && view.topicAlias === 0) throw noTopic();
}

/**
 * Reads a PUBLISH into a packet that owns its bytes, Topic Name included in the checks.
 *
 * @throws ProtocolError - as `readPublish` and `validateTopicNameBytes`
 */
export function decodePublish(
  firstByte: number,
  buf: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
  from: Side,
): PublishPacket {
  const qos = (firstByte >> 1) & 3;
  const dup = (firstByte & 8) !== 0;
  if (qos === 3) throw badQos();
  if (dup && qos === 0) throw dupWithQos0();
  const reader = new Reader('PUBLISH', buf, start, end);
  const topic = reader.string('Topic Name');
  const topicEnd = reader.offset;
  const packetId = qos === 0 ? 0 : reader.packetId();
  const properties = version === 5 ? readProperties(reader, 'publish', from) : NO_PROPERTIES;
  if (properties.topicAlias === 0) {
    throw reader.error(ReasonCode.TopicAliasInvalid, 'MQTT-3.3.2-8', 'Topic Alias 0');
  }
  if (topic !== '' || properties.topicAlias === undefined) {
    const fault = topicNameFault(buf, start + 2, topicEnd);
    if (fault !== undefined) throw reader.error(ReasonCode.MalformedPacket, fault.statement, fault.message);
  }
  return {
    type: 'publish',
    topic,
    payload: Buffer.from(buf.subarray(reader.offset, end)),
    qos: qos as QoS,
    retain: (firstByte & 1) !== 0,
    dup,
    packetId,
    properties,
  };
}

/** Writes a PUBLISH; the broker's own path is `writePublishFrame`. */
export function encodePublish(packet: PublishPacket, version: ProtocolVersion): Buffer {
  let size = stringSize(packet.topic) + packet.payload.length + (packet.qos === 0 ? 0 : 2);
  if (version === 5) size += propertiesSize(packet.properties);
  const writer = packetWriter(publishFirstByte(packet.qos, packet.retain, packet.dup), size);
  writer.string(packet.topic);
  if (packet.qos !== 0) writer.u16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, 'publish');
  writer.raw(packet.payload);
  return writer.finish();
}

/** First byte of a PUBLISH. */
export function publishFirstByte(qos: QoS, retain: boolean, dup: boolean): number {
  return 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
}

// The errors are made out of line, so that the functions above stay small enough to be inlined.

function malformed(statement: string, message: string): ProtocolError {
  return new ProtocolError(ReasonCode.MalformedPacket, statement, `PUBLISH: ${message}`);
}

function badQos(): ProtocolError {
  return malformed('MQTT-3.3.1-4', 'QoS 3');
}

function dupWithQos0(): ProtocolError {
  return malformed('MQTT-3.3.1-2', 'DUP with QoS 0');
}

function cutShort(field: string): ProtocolError {
  return malformed('§4.13.1', `${field} runs past the end`);
}

function packetIdZero(): ProtocolError {
  return new ProtocolError(ReasonCode.ProtocolError, 'MQTT-2.2.1-3', 'PUBLISH: Packet Identifier 0');
}

function noTopic(): ProtocolError {
  // Mosquitto answers 0x81, the standard allows 0x82 too.
  return malformed('§3.3.2.1', 'neither Topic Name nor Topic Alias');
}
