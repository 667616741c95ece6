/**
 * MQTT Control Packets as a load generator needs them: written whole, once, before the clock starts.
 *
 * This is on purpose not the codec of the broker: a fault shared by both ends would measure itself as correct.
 */

/** Protocol Level of CONNECT: 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type ProtocolLevel = 4 | 5;

export type Qos = 0 | 1 | 2;

/** First byte of every packet type that the generator writes or reads, flags included where they are fixed. */
export const FirstByte = {
  connect: 0x10,
  connack: 0x20,
  publish: 0x30,
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
  subscribe: 0x82,
  suback: 0x90,
  unsubscribe: 0xa2,
  unsuback: 0xb0,
  pingreq: 0xc0,
  pingresp: 0xd0,
  disconnect: 0xe0,
} as const;

/** A Variable Byte Integer (MQTT 5.0 §1.5.5), 0..268,435,455. */
export function variableByteInteger(value: number): number[] {
  if (!Number.isInteger(value) || value < 0 || value > 268_435_455) {
    throw new RangeError(`${value} does not fit a Variable Byte Integer`);
  }
  const bytes: number[] = [];
  let rest = value;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return bytes;
}

function utf8(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function packet(firstByte: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([firstByte, ...variableByteInteger(length)]), ...parts]);
}

export interface ConnectFields {
  readonly level: ProtocolLevel;
  readonly clientId: string;
  /** false asks for the stored Session; on MQTT 5.0 it also asks to keep the Session for an hour. */
  readonly cleanStart: boolean;
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
}

/** CONNECT with Keep Alive 0 and no Will. */
export function encodeConnect(fields: ConnectFields): Buffer {
  const { credentials } = fields;
  const flags = (fields.cleanStart ? 0x02 : 0x00) | (credentials === undefined ? 0 : 0xc0);
  const sessionExpiry = [0x11, 0x00, 0x00, 0x0e, 0x10]; // Session Expiry Interval, 3,600 s
  const properties = fields.level === 4 ? [] : fields.cleanStart ? [0] : [sessionExpiry.length, ...sessionExpiry];
  return packet(
    FirstByte.connect,
    utf8('MQTT'),
    Buffer.from([fields.level, flags, 0, 0, ...properties]),
    utf8(fields.clientId),
    ...(credentials === undefined ? [] : [utf8(credentials.username), utf8(credentials.password)]),
  );
}

/** SUBSCRIBE to several Topic Filters, all at one QoS. */
export function encodeSubscribe(level: ProtocolLevel, packetId: number, filters: readonly string[], qos: Qos): Buffer {
  const entries = filters.map((filter) => Buffer.concat([utf8(filter), Buffer.from([qos])]));
  return packet(FirstByte.subscribe, uint16(packetId), Buffer.from(level === 5 ? [0] : []), ...entries);
}

export interface PublishFields {
  readonly level: ProtocolLevel;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly topicName: string;
  /** Written only with QoS 1 and 2. */
  readonly packetId: number;
  readonly payload: Uint8Array;
}

/** A PUBLISH without properties. */
export function encodePublish(fields: PublishFields): Buffer {
  const flags = (fields.qos << 1) | (fields.retain ? 1 : 0);
  return packet(
    FirstByte.publish | flags,
    utf8(fields.topicName),
    fields.qos > 0 ? uint16(fields.packetId) : Buffer.alloc(0),
    Buffer.from(fields.level === 5 ? [0] : []),
    fields.payload,
  );
}

/** DISCONNECT, normal. */
export function encodeDisconnect(): Buffer {
  return Buffer.from([FirstByte.disconnect, 0]);
}
