/**
 * Reads the packets that a test receives, strictly: reserved bits, lengths, Reason Codes, properties and what is left over are
 * checked in every packet of every test, which is how rules about "never sends" are watched everywhere.
 */
import { hexOf, type Version } from './bytes.ts';
import { type Carrier, type FieldReader, type Property, readProperties } from './properties.ts';

export type AckType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

/** Fields that every packet has. */
interface Whole {
  /** The whole packet as it came. */
  readonly bytes: Buffer;
}

export interface ReceivedConnack extends Whole {
  readonly type: 'connack';
  readonly sessionPresent: boolean;
  readonly reasonCode: number;
  readonly properties: readonly Property[];
}

export interface ReceivedPublish extends Whole {
  readonly type: 'publish';
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 at QoS 0 */
  readonly packetId: number;
  readonly properties: readonly Property[];
  readonly payload: Buffer;
  /** The payload as UTF-8. */
  readonly text: string;
}

export interface ReceivedAck extends Whole {
  readonly type: AckType;
  readonly packetId: number;
  /** 0 in the short form */
  readonly reasonCode: number;
  readonly properties: readonly Property[];
}

export interface ReceivedSuback extends Whole {
  readonly type: 'suback' | 'unsuback';
  readonly packetId: number;
  readonly reasonCodes: readonly number[];
  readonly properties: readonly Property[];
}

export interface ReceivedReason extends Whole {
  readonly type: 'disconnect' | 'auth';
  readonly reasonCode: number;
  readonly properties: readonly Property[];
}

export interface ReceivedPing extends Whole {
  readonly type: 'pingreq' | 'pingresp';
}

export interface ReceivedConnect extends Whole {
  readonly type: 'connect';
  readonly protocolName: string;
  readonly protocolLevel: number;
  readonly flags: number;
  readonly keepAlive: number;
  readonly properties: readonly Property[];
  readonly clientId: string;
  readonly will: {
    readonly properties: readonly Property[];
    readonly topic: string;
    readonly payload: Buffer;
  } | null;
  readonly username: string | null;
  readonly password: Buffer | null;
}

export interface ReceivedSubscribe extends Whole {
  readonly type: 'subscribe';
  readonly packetId: number;
  readonly properties: readonly Property[];
  readonly filters: readonly { readonly filter: string; readonly options: number }[];
}

export interface ReceivedUnsubscribe extends Whole {
  readonly type: 'unsubscribe';
  readonly packetId: number;
  readonly properties: readonly Property[];
  readonly filters: readonly string[];
}

export type Received =
  | ReceivedConnect
  | ReceivedConnack
  | ReceivedPublish
  | ReceivedAck
  | ReceivedSubscribe
  | ReceivedSuback
  | ReceivedUnsubscribe
  | ReceivedPing
  | ReceivedReason;

/** The packet of a type. */
export type ReceivedOf<T extends Received['type']> = OfType<Received, T>;
type OfType<R extends Received, T> = R extends unknown ? (T extends R['type'] ? R : never) : never;

type Side = 'client' | 'server';

/** Reason Codes that each packet may carry in MQTT 5.0 (§2.4), by sender where that matters. */
const reasonCodes = {
  connack: [
    ...[0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a],
    ...[0x9b, 0x9c, 0x9d, 0x9f],
  ],
  puback: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrec: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrel: [0x00, 0x92],
  pubcomp: [0x00, 0x92],
  suback: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  unsuback: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  disconnectServer: [
    ...[0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98],
    ...[0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2],
  ],
  disconnectClient: [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99],
  authServer: [0x00, 0x18],
  authClient: [0x18, 0x19],
} as const;

/** Bytes of the packet that `buffer` begins with; 0 as long as that is not known or not all there. */
export function packetLength(buffer: Buffer): number {
  let length = 0;
  for (let index = 1; index <= 4; index++) {
    const digit = buffer[index];
    if (digit === undefined) return 0;
    length += (digit & 0x7f) * 128 ** (index - 1);
    if (digit < 0x80) {
      if (index > 1 && digit === 0) throw new Error(`Remaining Length is not in its shortest form: ${hexOf(buffer)}`);
      const total = 1 + index + length;
      return buffer.length >= total ? total : 0;
    }
  }
  throw new Error(`Remaining Length has more than four bytes: ${hexOf(buffer.subarray(0, 5))}`);
}

/**
 * Reads one whole packet.
 *
 * @param from - who sent it
 * @throws Error - when the sender broke a rule of the standard
 */
export function read(whole: Buffer, version: Version, from: Side): Received {
  try {
    return readWhole(whole, version, from);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the ${from} sent ${hexOf(whole.subarray(0, 100))}: ${why}`, { cause: error });
  }
}

function readWhole(whole: Buffer, version: Version, from: Side): Received {
  const firstByte = whole[0] as number;
  const type = types[firstByte >> 4]?.[0];
  const flags = types[firstByte >> 4]?.[1];
  if (type === undefined || flags === undefined) throw new Error('packet type 0');
  if (type !== 'publish' && (firstByte & 0x0f) !== flags) throw new Error('reserved bits of the fixed header');
  if (wrongSide[from].includes(type)) throw new Error(`${type} comes from the other side`);
  let headerSize = 2;
  while ((whole[headerSize - 1] as number) >= 0x80) headerSize++;
  const reader = new Reader(whole, headerSize);
  const packet = readBody(type, firstByte, reader, version, from);
  if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes are left over`);
  return { ...packet, bytes: whole } as Received;
}

const types: readonly (readonly [type: Received['type'], flags: number] | undefined)[] = [
  undefined,
  ['connect', 0],
  ['connack', 0],
  ['publish', 0],
  ['puback', 0],
  ['pubrec', 0],
  ['pubrel', 2],
  ['pubcomp', 0],
  ['subscribe', 2],
  ['suback', 0],
  ['unsubscribe', 2],
  ['unsuback', 0],
  ['pingreq', 0],
  ['pingresp', 0],
  ['disconnect', 0],
  ['auth', 0],
];

const wrongSide: { readonly [S in Side]: readonly Received['type'][] } = {
  client: ['connack', 'suback', 'unsuback', 'pingresp'],
  server: ['connect', 'subscribe', 'unsubscribe', 'pingreq'],
};

type Body = { readonly type: Received['type'] } & Record<string, unknown>;

function readBody(type: Received['type'], firstByte: number, reader: Reader, version: Version, from: Side): Body {
  const isV5 = version === 5;
  const set = (carrier: Carrier): Property[] => (isV5 ? reader.properties(carrier, from) : []);
  switch (type) {
    case 'connect':
      return readConnect(reader);
    case 'connack': {
      const flags = reader.u8();
      if (flags > (version === 3 ? 0 : 1)) throw new Error('reserved Connect Acknowledge Flags');
      const reasonCode = reader.u8();
      if (isV5) check(reasonCodes.connack, reasonCode);
      else if (reasonCode > 5) throw new Error(`return code ${reasonCode}`);
      if (reasonCode !== 0 && flags !== 0) throw new Error('Session Present in a refusal');
      return { type, sessionPresent: flags === 1, reasonCode, properties: set('connack') };
    }
    case 'publish':
      return readPublish(firstByte, reader, version, from);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp': {
      const packetId = reader.packetId();
      if (!isV5 || reader.remaining === 0) return { type, packetId, reasonCode: 0, properties: [] };
      const reasonCode = check(reasonCodes[type], reader.u8());
      return { type, packetId, reasonCode, properties: reader.remaining === 0 ? [] : set('ack') };
    }
    case 'subscribe': {
      const [packetId, properties] = [reader.packetId(), set('subscribe')];
      const filters: { filter: string; options: number }[] = [];
      while (reader.remaining > 0) filters.push({ filter: reader.string(), options: reader.u8() });
      if (filters.length === 0) throw new Error('no Topic Filter');
      return { type, packetId, properties, filters };
    }
    case 'unsubscribe': {
      const [packetId, properties] = [reader.packetId(), set('unsubscribe')];
      const filters: string[] = [];
      while (reader.remaining > 0) filters.push(reader.string());
      if (filters.length === 0) throw new Error('no Topic Filter');
      return { type, packetId, properties, filters };
    }
    case 'suback':
    case 'unsuback': {
      const [packetId, properties] = [reader.packetId(), set('suback')];
      const codes = [...reader.rest()];
      const allowed = isV5 ? reasonCodes[type] : type === 'unsuback' ? [] : version === 3 ? [0, 1, 2] : [0, 1, 2, 0x80];
      for (const code of codes) check(allowed, code);
      return { type, packetId, properties, reasonCodes: codes };
    }
    case 'pingreq':
    case 'pingresp':
      return { type };
    case 'disconnect': {
      if (!isV5 && from === 'server') throw new Error('DISCONNECT from the server in MQTT 3.x');
      if (!isV5 || reader.remaining === 0) return { type, reasonCode: 0, properties: [] };
      const allowed = from === 'server' ? reasonCodes.disconnectServer : reasonCodes.disconnectClient;
      const reasonCode = check(allowed, reader.u8());
      return { type, reasonCode, properties: reader.remaining === 0 ? [] : set('disconnect') };
    }
    case 'auth': {
      if (!isV5) throw new Error('AUTH in MQTT 3.x');
      const reasonCode = check(from === 'server' ? reasonCodes.authServer : reasonCodes.authClient, reader.u8());
      return { type, reasonCode, properties: set('auth') };
    }
  }
}

function readPublish(firstByte: number, reader: Reader, version: Version, from: Side): Body {
  const qos = (firstByte >> 1) & 3;
  const dup = (firstByte & 8) !== 0;
  if (qos === 3) throw new Error('QoS 3');
  if (qos === 0 && dup) throw new Error('DUP with QoS 0');
  const topic = reader.string();
  if (/[+#]/.test(topic)) throw new Error('wildcard in a Topic Name');
  const packetId = qos > 0 ? reader.packetId() : 0;
  const properties = version === 5 ? reader.properties('publish', from) : [];
  if (topic === '' && !properties.some(([name]) => name === 'topicAlias'))
    throw new Error('no Topic Name and no alias');
  const payload = reader.rest();
  const retain = (firstByte & 1) !== 0;
  return { type: 'publish', topic, qos, retain, dup, packetId, properties, payload, text: payload.toString() };
}

/** A CONNECT is read by the version that it names. */
function readConnect(reader: Reader): Body {
  const protocolName = reader.string();
  const protocolLevel = reader.u8();
  const flags = reader.u8();
  const keepAlive = reader.u16();
  const isV5 = protocolLevel === 5;
  const properties = isV5 ? reader.properties('connect', 'client') : [];
  const clientId = reader.string();
  const will =
    (flags & 0x04) === 0
      ? null
      : {
          properties: isV5 ? reader.properties('will', 'client') : [],
          topic: reader.string(),
          payload: reader.binary(),
        };
  const username = (flags & 0x80) === 0 ? null : reader.string();
  const password = (flags & 0x40) === 0 ? null : reader.binary();
  const credentials = { username, password };
  return { type: 'connect', protocolName, protocolLevel, flags, keepAlive, properties, clientId, will, ...credentials };
}

function check(allowed: readonly number[], code: number): number {
  if (!allowed.includes(code)) throw new Error(`Reason Code 0x${code.toString(16)} does not belong here`);
  return code;
}

class Reader implements FieldReader {
  readonly #buffer: Buffer;
  #at: number;
  #end: number;

  constructor(buffer: Buffer, start: number) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = buffer.length;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#take(1)[0] as number;
  }

  u16(): number {
    return this.#take(2).readUInt16BE();
  }

  u32(): number {
    return this.#take(4).readUInt32BE();
  }

  varint(): number {
    let value = 0;
    for (let power = 0; power < 4; power++) {
      const digit = this.u8();
      value += (digit & 0x7f) * 128 ** power;
      if (digit < 0x80) {
        if (power > 0 && digit === 0) throw new Error('a Variable Byte Integer is not in its shortest form');
        return value;
      }
    }
    throw new Error('a Variable Byte Integer has more than four bytes');
  }

  string(): string {
    const content = this.binary();
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    if (text.includes('\0')) throw new Error('a string with NUL');
    return text;
  }

  binary(): Buffer {
    return this.#take(this.u16());
  }

  packetId(): number {
    const packetId = this.u16();
    if (packetId === 0) throw new Error('Packet Identifier 0');
    return packetId;
  }

  properties(carrier: Carrier, from: Side): Property[] {
    const length = this.varint();
    if (length > this.remaining) throw new Error('properties run past the end');
    const end = this.#end;
    this.#end = this.#at + length;
    const properties = readProperties(this, carrier, from);
    this.#end = end;
    return properties;
  }

  rest(): Buffer {
    return this.#take(this.remaining);
  }

  #take(length: number): Buffer {
    if (length > this.remaining) throw new Error('a field runs past the end');
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }
}
