import type { ConnectPacket, ProtocolVersion, QoS, WillMessage } from './packet.ts';
import { NO_BYTES, NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { copySectionWithout } from './property-section.ts';
import { ProtocolError, type ProtocolErrorAnswer } from './protocol-error.ts';
import { Reader } from './reader.ts';
import { ReasonCode } from './reason-code.ts';
import { topicNameFault } from './topic-name-bytes.ts';
import { readVariableByteInteger, variableByteIntegerSize } from './variable-byte-integer.ts';
import { binarySize, packetWriter, stringSize } from './writer.ts';

// What a client that cannot be served is told follows Mosquitto: 3.x clients nothing, 5.0 clients a CONNACK, except where
// the flags make no sense.
const CLOSE: ProtocolErrorAnswer = { silent: true };
const CONNACK_4: ProtocolErrorAnswer = { connackVersion: 4 };
const CONNACK_5: ProtocolErrorAnswer = { connackVersion: 5 };

const WILL_DELAY_INTERVAL = 0x18;

const flagBits = { username: 0x80, password: 0x40, willRetain: 0x20, willQos: 0x18, will: 0x04, cleanStart: 0x02 };

/**
 * Reads a CONNECT of any version. (§3.1, MQTT 3.1 §3.1)
 *
 * @param firstByte - its low nibble must be 0 except in MQTT 3.1
 * @throws ProtocolError - with `silent` or `connackVersion` always set, so the answer needs no further knowledge
 */
export function decodeConnect(firstByte: number, buf: Buffer, start: number, end: number): ConnectPacket {
  const reader = new Reader('CONNECT', buf, start, end);
  reader.answer = CLOSE;
  const level = readLevel(reader);
  const version = (level & 0x7f) as ProtocolVersion;
  if (version > 3 && (firstByte & 0x0f) !== 0) {
    throw reader.error(ReasonCode.MalformedPacket, 'MQTT-2.1.3-1', 'reserved flags are set');
  }
  const flags = reader.u8('Connect Flags');
  checkConnectFlags(reader, flags, version);
  if (version === 5) reader.answer = CONNACK_5;

  const keepAliveSeconds = reader.u16('Keep Alive');
  const properties = version === 5 ? readProperties(reader, 'connect', 'client') : NO_PROPERTIES;
  const clientId = reader.string('Client Identifier', ReasonCode.ClientIdentifierNotValid);
  const will = (flags & flagBits.will) === 0 ? undefined : readWill(reader, flags, version);
  reader.answer = CLOSE;
  const username =
    (flags & flagBits.username) !== 0 && hasField(reader, version) ? reader.string('User Name') : undefined;
  const password =
    (flags & flagBits.password) !== 0 && hasField(reader, version) ? reader.binary('Password') : undefined;
  if (version === 5) reader.answer = CONNACK_5;
  reader.done();
  return {
    type: 'connect',
    protocolVersion: version,
    isBridge: level > 0x7f,
    cleanStart: (flags & flagBits.cleanStart) !== 0,
    keepAliveSeconds,
    clientId,
    ...(will === undefined ? {} : { will }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    properties,
  };
}

/** Protocol Name and level, which belong together: `MQIsdp` and 3, `MQTT` and 4 or 5. Bit 7 marks a bridge in 3.x. */
function readLevel(reader: Reader): number {
  const nameLength = reader.u16('Protocol Name');
  const nameStart = reader.offset;
  reader.offset += nameLength;
  const level = reader.u8('Protocol Version'); // throws when the name was cut short, too
  const name = nameLength <= 6 ? reader.buf.toString('latin1', nameStart, nameStart + nameLength) : '';
  if (name !== 'MQTT' && name !== 'MQIsdp') {
    throw reader.error(ReasonCode.UnsupportedProtocolVersion, 'MQTT-3.1.2-1', 'unknown Protocol Name');
  }
  const version = level & 0x7f;
  const isKnown = version === 3 || version === 4 || level === 5;
  if (isKnown && (name === 'MQIsdp') === (version === 3)) return level;
  // [MQTT-3.1.2-2] [v3.1.1 MQTT-3.1.2-2] Mosquitto: a level of 3.x gets the answer of 3.x.
  throw new ProtocolError(
    ReasonCode.UnsupportedProtocolVersion,
    'MQTT-3.1.2-2',
    `CONNECT: Protocol Version 0x${level.toString(16)} of ${name} is not supported`,
    version === 3 || version === 4 ? CONNACK_4 : CONNACK_5,
  );
}

/** The flags contradict each other in every version; MQTT 3.1 ignores what it does not use. */
function checkConnectFlags(reader: Reader, flags: number, version: ProtocolVersion): void {
  const qos = (flags & flagBits.willQos) >> 3;
  const hasWill = (flags & flagBits.will) !== 0;
  if (version > 3 && (flags & 1) !== 0) {
    throw reader.error(ReasonCode.MalformedPacket, 'MQTT-3.1.2-3', 'reserved Connect Flag is set');
  }
  if (hasWill && qos === 3) throw reader.error(ReasonCode.MalformedPacket, 'MQTT-3.1.2-12', 'Will QoS 3');
  if (!hasWill && version > 3 && (flags & (flagBits.willQos | flagBits.willRetain)) !== 0) {
    throw reader.error(ReasonCode.MalformedPacket, 'MQTT-3.1.2-11', 'Will QoS or Will Retain without a Will');
  }
  if (version < 5 && (flags & (flagBits.username | flagBits.password)) === flagBits.password) {
    throw reader.error(ReasonCode.MalformedPacket, 'v3.1.1 MQTT-3.1.2-22', 'Password without User Name');
  }
}

/** MQTT 3.1 §3.1: the Remaining Length wins over the flag. */
function hasField(reader: Reader, version: ProtocolVersion): boolean {
  return version > 3 || reader.remaining > 0;
}

function readWill(reader: Reader, flags: number, version: ProtocolVersion): WillMessage {
  const sectionStart = reader.offset;
  const properties = version === 5 ? readProperties(reader, 'will', 'client') : NO_PROPERTIES;
  const rawProperties =
    properties === NO_PROPERTIES ? NO_BYTES : copyForwardable(reader.buf, sectionStart, reader.offset);
  const topicStart = reader.offset + 2;
  const topic = reader.string('Will Topic');
  const fault = topicNameFault(reader.buf, topicStart, reader.offset);
  if (fault !== undefined) {
    throw reader.error(ReasonCode.TopicNameInvalid, fault.statement, `Will: ${fault.message}`);
  }
  return {
    topic,
    payload: reader.binary('Will Payload'),
    qos: ((flags & flagBits.willQos) >> 3) as QoS,
    retain: (flags & flagBits.willRetain) !== 0,
    properties,
    rawProperties,
  };
}

/** What subscribers get of the Will's properties: all but Will Delay Interval, in their order. [MQTT-3.1.3-10] */
function copyForwardable(buf: Buffer, start: number, end: number): Buffer {
  const length = readVariableByteInteger(buf, start, end);
  return copySectionWithout(buf, start + variableByteIntegerSize(length), end, WILL_DELAY_INTERVAL);
}

/** Writes a CONNECT in the version that it names. */
export function encodeConnect(packet: ConnectPacket): Buffer {
  const { protocolVersion: version, will } = packet;
  const name = version === 3 ? 'MQIsdp' : 'MQTT';
  let size = stringSize(name) + 4 + stringSize(packet.clientId);
  if (version === 5) size += propertiesSize(packet.properties);
  if (will !== undefined) {
    size += stringSize(will.topic) + binarySize(will.payload) + (version === 5 ? propertiesSize(will.properties) : 0);
  }
  if (packet.username !== undefined) size += stringSize(packet.username);
  if (packet.password !== undefined) size += binarySize(packet.password);

  const writer = packetWriter(0x10, size);
  writer.string(name);
  writer.u8(version | (packet.isBridge ? 0x80 : 0));
  writer.u8(connectFlags(packet));
  writer.u16(packet.keepAliveSeconds);
  if (version === 5) writeProperties(writer, packet.properties, 'connect');
  writer.string(packet.clientId);
  if (will !== undefined) {
    if (version === 5) writeProperties(writer, will.properties, 'will');
    writer.string(will.topic);
    writer.binary(will.payload);
  }
  if (packet.username !== undefined) writer.string(packet.username);
  if (packet.password !== undefined) writer.binary(packet.password);
  return writer.finish();
}

function connectFlags(packet: ConnectPacket): number {
  let flags = packet.cleanStart ? flagBits.cleanStart : 0;
  if (packet.will !== undefined) {
    flags |= flagBits.will | (packet.will.qos << 3) | (packet.will.retain ? flagBits.willRetain : 0);
  }
  if (packet.username !== undefined) flags |= flagBits.username;
  if (packet.password !== undefined) flags |= flagBits.password;
  return flags;
}
