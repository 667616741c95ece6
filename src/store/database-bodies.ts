/**
 * Bodies of Mosquitto's chunks, field by field as they lie in the file, for versions 2 to 6.
 *
 * Versions 5 and 6 dump fixed structures and put texts behind them; 2 to 4 write every text with its length before it.
 */
import type { ByteReader } from './byte-reader.ts';
import { FormatError } from './byte-reader.ts';

/** An identity of 64 bits: a number where that is exact. */
export type StoredId = number | bigint;

export interface StoredConfig {
  readonly isShutdown: number;
  readonly idSize: number;
  readonly lastId: StoredId;
}

export interface StoredMessage {
  readonly id: StoredId;
  /** Unix time, 0 = never. */
  readonly expirySeconds: number;
  readonly clientId: string;
  /** Empty when there is none. */
  readonly username: string;
  readonly listenerPort: number;
  readonly publisherPacketId: number;
  readonly topicName: string;
  readonly qos: number;
  readonly retain: number;
  /** In the reader's bytes. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** Length of the encoded properties, at which the reader stands. */
  readonly propertiesLength: number;
}

export interface StoredClient {
  readonly clientId: string;
  readonly username: string;
  readonly listenerPort: number;
  readonly lastPacketId: number;
  /** Unix time, 0 = none. */
  readonly expirySeconds: number;
  readonly expiryIntervalSeconds: number;
}

export interface StoredDelivery {
  readonly clientId: string;
  readonly id: StoredId;
  readonly packetId: number;
  readonly qos: number;
  readonly state: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly isOut: boolean;
  readonly subscriptionIds: readonly number[];
}

export interface StoredSubscription {
  readonly clientId: string;
  readonly filter: string;
  readonly qos: number;
  /** Bits 0xFC of the Subscription Options. */
  readonly options: number;
  readonly identifier: number;
}

const never = 0xffff_ffff;

/** Eight bytes of the writer's byte order. */
export function readStoredId(reader: ByteReader): StoredId {
  const start = reader.skip(8, 'store id');
  const high = reader.bytes.readUInt32LE(start + 4);
  if (high < 0x20_0000) return high * 0x1_0000_0000 + reader.bytes.readUInt32LE(start);
  return reader.bytes.readBigUInt64LE(start);
}

export function readConfig(reader: ByteReader, version: number): StoredConfig {
  if (version < 5) {
    const isShutdown = reader.u8('configuration');
    const idSize = reader.u8('configuration');
    return { isShutdown, idSize, lastId: readStoredId(reader) };
  }
  const lastId = readStoredId(reader);
  return { lastId, isShutdown: reader.u8('configuration'), idSize: reader.u8('configuration') };
}

/** Leaves the reader at the properties. */
export function readStoredMessage(reader: ByteReader, version: number): StoredMessage {
  return version < 5 ? readOldMessage(reader, version) : readNewMessage(reader);
}

function readNewMessage(reader: ByteReader): StoredMessage {
  const id = readStoredId(reader);
  const expirySeconds = reader.i64LE('expiry');
  const payloadLength = reader.u32('payload length');
  const publisherPacketId = reader.u16('Packet Identifier');
  const clientIdLength = reader.u16('length');
  const usernameLength = reader.u16('length');
  const topicLength = reader.u16('length');
  const listenerPort = reader.u16('port');
  const qos = reader.u8('QoS');
  const retain = reader.u8('retain');
  const clientId = reader.text(clientIdLength, 'Client Identifier');
  const username = reader.text(usernameLength, 'user name');
  const topicName = reader.text(topicLength, 'Topic Name');
  const payloadStart = reader.skip(payloadLength, 'payload');
  const propertiesLength = reader.remaining > 0 ? reader.variableByteInteger('properties') : 0;
  return {
    id,
    expirySeconds,
    clientId,
    username,
    listenerPort,
    publisherPacketId,
    topicName,
    qos,
    retain,
    payloadStart,
    payloadEnd: payloadStart + payloadLength,
    propertiesLength,
  };
}

function readOldMessage(reader: ByteReader, version: number): StoredMessage {
  const id = readStoredId(reader);
  const clientId = reader.text16('Client Identifier');
  const username = version === 4 ? reader.text16('user name') : '';
  const listenerPort = version === 4 ? reader.u16('port') : 0;
  const publisherPacketId = reader.u16('Packet Identifier');
  reader.skip(2, 'Packet Identifier');
  const topicName = reader.text16('Topic Name');
  const qos = reader.u8('QoS');
  const retain = reader.u8('retain');
  const payloadLength = reader.u32('payload length');
  const payloadStart = reader.skip(payloadLength, 'payload');
  return {
    id,
    expirySeconds: 0,
    clientId,
    username,
    listenerPort,
    publisherPacketId,
    topicName,
    qos,
    retain,
    payloadStart,
    payloadEnd: payloadStart + payloadLength,
    propertiesLength: 0,
  };
}

export function readStoredClient(reader: ByteReader, version: number): StoredClient {
  if (version < 5) {
    const clientId = reader.text16('Client Identifier');
    const lastPacketId = reader.u16('Packet Identifier');
    if (version >= 3) reader.skip(8, 'time');
    return { clientId, username: '', listenerPort: 0, lastPacketId, expirySeconds: 0, expiryIntervalSeconds: never };
  }
  const expirySeconds = reader.i64LE('expiry');
  const expiryIntervalSeconds = reader.u32('Session Expiry Interval');
  const lastPacketId = reader.u16('Packet Identifier');
  const clientIdLength = reader.u16('length');
  let listenerPort = 0;
  let usernameLength = 0;
  if (version >= 6) {
    listenerPort = reader.u16('port');
    usernameLength = reader.u16('length');
    reader.skip(4, 'client');
  }
  const clientId = reader.text(clientIdLength, 'Client Identifier');
  const username = reader.text(usernameLength, 'user name');
  return { clientId, username, listenerPort, lastPacketId, expirySeconds, expiryIntervalSeconds };
}

export function readStoredDelivery(reader: ByteReader, version: number): StoredDelivery {
  if (version < 5) {
    const clientId = reader.text16('Client Identifier');
    const id = readStoredId(reader);
    const packetId = reader.u16('Packet Identifier');
    const qos = reader.u8('QoS');
    const retain = reader.u8('retain') !== 0;
    const isOut = reader.u8('direction') === 1;
    const state = reader.u8('state');
    return { clientId, id, packetId, qos, state, retain, dup: reader.u8('dup') !== 0, isOut, subscriptionIds: [] };
  }
  const id = readStoredId(reader);
  const packetId = reader.u16('Packet Identifier');
  const clientIdLength = reader.u16('length');
  const qos = reader.u8('QoS');
  const state = reader.u8('state');
  const flags = reader.u8('flags');
  const isOut = reader.u8('direction') === 1;
  const clientId = reader.text(clientIdLength, 'Client Identifier');
  const subscriptionIds: number[] = [];
  if (reader.remaining > 0) {
    const end = reader.variableByteInteger('properties') + reader.at;
    while (reader.at < end) {
      if (reader.u8('property') !== 0x0b) throw new FormatError('a delivery has only Subscription Identifiers');
      subscriptionIds.push(reader.variableByteInteger('Subscription Identifier'));
    }
  }
  const retain = (flags & 0xf0) !== 0;
  return { clientId, id, packetId, qos, state, retain, dup: (flags & 0x0f) !== 0, isOut, subscriptionIds };
}

export function readStoredSubscription(reader: ByteReader, version: number): StoredSubscription {
  if (version < 5) {
    const clientId = reader.text16('Client Identifier');
    const filter = reader.text16('Topic Filter');
    return { clientId, filter, qos: reader.u8('QoS'), options: 0, identifier: 0 };
  }
  const identifier = reader.u32('Subscription Identifier');
  const clientIdLength = reader.u16('length');
  const filterLength = reader.u16('length');
  const qos = reader.u8('QoS');
  const options = reader.u8('options');
  reader.skip(2, 'subscription');
  const clientId = reader.text(clientIdLength, 'Client Identifier');
  return { clientId, filter: reader.text(filterLength, 'Topic Filter'), qos, options, identifier };
}
