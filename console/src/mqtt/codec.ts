/**
 * The part of MQTT 3.1.1 and 5.0 that the console needs to look into a broker of any make: CONNECT, PUBLISH, SUBSCRIBE,
 * their acknowledgements and PINGREQ, on `Uint8Array`. The broker's own codec works on Node's Buffer and stays there.
 */

import type { MessageProperties } from '../api/types.ts';
import { base64OfBytes, bytesOfBase64 } from '../inspect/payload.ts';
import { Reader, Writer } from './bytes.ts';

/** 4 is MQTT 3.1.1, 5 is 5.0. */
export type Level = 4 | 5;

export interface ConnectOptions {
  readonly level: Level;
  readonly clientId: string;
  readonly keepAliveSeconds: number;
  readonly username?: string;
  readonly password?: string;
}

export interface Publish {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** 0 with QoS 0. */
  readonly packetId: number;
  readonly properties: MessageProperties;
}

export type Packet =
  | { readonly type: 'connack'; readonly reasonCode: number }
  | ({ readonly type: 'publish' } & Publish)
  | {
      readonly type: 'ack';
      readonly of: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
      readonly packetId: number;
      readonly reasonCode: number;
    }
  | { readonly type: 'suback'; readonly packetId: number; readonly reasonCodes: readonly number[] }
  | { readonly type: 'disconnect'; readonly reasonCode: number }
  | { readonly type: 'other' };

export function encodeConnect(options: ConnectOptions): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.text('MQTT');
  writer.byte(options.level);
  const hasUser = options.username !== undefined;
  const hasPassword = options.password !== undefined;
  // Clean Start: the console leaves nothing behind. [MQTT-3.1.2-4]
  writer.byte(0x02 | (hasUser ? 0x80 : 0) | (hasPassword ? 0x40 : 0));
  writer.uint16(options.keepAliveSeconds);
  if (options.level === 5) writer.byte(0);
  writer.text(options.clientId);
  if (options.username !== undefined) writer.text(options.username);
  if (options.password !== undefined) writer.text(options.password);
  return writer.packet(0x10);
}

export function encodeSubscribe(level: Level, packetId: number, filters: readonly string[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.uint16(packetId);
  if (level === 5) writer.byte(0);
  for (const filter of filters) {
    writer.text(filter);
    // QoS 0; 5.0: Retain As Published, so that what is retained is seen to be.
    writer.byte(level === 5 ? 0x08 : 0x00);
  }
  return writer.packet(0x82);
}

export function encodePublish(level: Level, publish: Publish): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.text(publish.topic);
  if (publish.qos > 0) writer.uint16(publish.packetId);
  if (level === 5) writeProperties(writer, publish.properties);
  writer.bytes(publish.payload);
  return writer.packet(0x30 | (publish.qos << 1) | (publish.retain ? 1 : 0));
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP without a Reason Code, which is success. */
export function encodeAck(of: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number): Uint8Array<ArrayBuffer> {
  const firstByte = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 }[of];
  const writer = new Writer();
  writer.uint16(packetId);
  return writer.packet(firstByte);
}

export const pingRequest = new Uint8Array([0xc0, 0x00]);
export const disconnectPacket = new Uint8Array([0xe0, 0x00]);

/** @throws RangeError - the packet ends too early; Error - a property that is none */
export function decodePacket(level: Level, firstByte: number, body: Uint8Array): Packet {
  const reader = new Reader(body);
  switch (firstByte >> 4) {
    case 2:
      reader.byte();
      return { type: 'connack', reasonCode: reader.byte() };
    case 3:
      return decodePublish(level, firstByte, reader);
    case 4:
      return ack('puback', reader);
    case 5:
      return ack('pubrec', reader);
    case 6:
      return ack('pubrel', reader);
    case 7:
      return ack('pubcomp', reader);
    case 9: {
      const packetId = reader.uint16();
      if (level === 5) reader.skip(reader.varint());
      return { type: 'suback', packetId, reasonCodes: Array.from(reader.rest()) };
    }
    case 14:
      return { type: 'disconnect', reasonCode: reader.left > 0 ? reader.byte() : 0 };
    default:
      return { type: 'other' };
  }
}

function ack(of: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', reader: Reader): Packet {
  return { type: 'ack', of, packetId: reader.uint16(), reasonCode: reader.left > 0 ? reader.byte() : 0 };
}

function decodePublish(level: Level, firstByte: number, reader: Reader): Packet {
  const qos = ((firstByte >> 1) & 3) as 0 | 1 | 2;
  const topic = reader.text();
  const packetId = qos > 0 ? reader.uint16() : 0;
  const properties = level === 5 ? readProperties(reader) : {};
  return {
    type: 'publish',
    topic,
    payload: reader.rest().slice(),
    qos,
    retain: (firstByte & 1) === 1,
    packetId,
    properties,
  };
}

function writeProperties(writer: Writer, properties: MessageProperties): void {
  const inner = new Writer();
  if (properties.payloadFormatIndicator !== undefined) inner.byte(0x01).byte(properties.payloadFormatIndicator);
  if (properties.messageExpiryIntervalSeconds !== undefined) {
    inner.byte(0x02).uint32(properties.messageExpiryIntervalSeconds);
  }
  if (properties.contentType !== undefined) inner.byte(0x03).text(properties.contentType);
  if (properties.responseTopic !== undefined) inner.byte(0x08).text(properties.responseTopic);
  if (properties.correlationData !== undefined) inner.byte(0x09).binary(bytesOfBase64(properties.correlationData));
  for (const [name, value] of properties.userProperties ?? []) inner.byte(0x26).text(name).text(value);
  const bytes = inner.content();
  writer.varint(bytes.length);
  writer.bytes(bytes);
}

function readProperties(reader: Reader): MessageProperties {
  const end = reader.varint() + reader.offset;
  const properties: { -readonly [K in keyof MessageProperties]: MessageProperties[K] } = {};
  const user: [string, string][] = [];
  while (reader.offset < end) {
    const id = reader.byte();
    if (id === 0x01) properties.payloadFormatIndicator = reader.byte() === 1 ? 1 : 0;
    else if (id === 0x02) properties.messageExpiryIntervalSeconds = reader.uint32();
    else if (id === 0x03) properties.contentType = reader.text();
    else if (id === 0x08) properties.responseTopic = reader.text();
    else if (id === 0x09) properties.correlationData = base64OfBytes(reader.binary());
    else if (id === 0x0b) reader.varint();
    else if (id === 0x23) reader.uint16();
    else if (id === 0x26) user.push([reader.text(), reader.text()]);
    else throw new Error(`property 0x${id.toString(16)} in a PUBLISH`);
  }
  if (user.length > 0) properties.userProperties = user;
  return properties;
}
