/** Control Packets as bytes, for each version: `v5.publish({ topic: 'a', payload: 'x' })`. */
import { type Bytes, bytes, field, packet, u8, u16, type Version } from './bytes.ts';
import { propertySet } from './properties.ts';

/** Properties in MQTT 5.0 packets, see `property`; not written in 3.x. */
interface WithProperties {
  readonly properties?: readonly Buffer[] | undefined;
}

type Qos = 0 | 1 | 2;

export interface WillFields extends WithProperties {
  readonly topic?: string | Buffer;
  readonly payload?: string | Buffer;
  readonly qos?: Qos;
  readonly retain?: boolean;
}

export interface ConnectFields extends WithProperties {
  /** 'client' when absent */
  readonly clientId?: string | Buffer;
  /** Clean Start, or Clean Session in 3.x; true when absent */
  readonly cleanStart?: boolean;
  /** seconds; 60 when absent */
  readonly keepAlive?: number;
  readonly will?: WillFields | undefined;
  readonly username?: string | Buffer | undefined;
  readonly password?: string | Buffer | undefined;
  /** Instead of what the version says, to be wrong. */
  readonly protocolName?: string | Buffer;
  readonly protocolLevel?: number;
  /** Instead of what follows from the other fields, to be wrong. */
  readonly flags?: number;
  readonly firstByte?: number;
}

export interface PublishFields extends WithProperties {
  readonly topic?: string | Buffer;
  readonly payload?: string | Buffer;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** 1 when absent and QoS is above 0 */
  readonly packetId?: number;
}

export interface AckFields extends WithProperties {
  readonly packetId?: number;
  /** Left out together with the properties when absent: the short form. */
  readonly reasonCode?: number;
}

/** A Topic Filter with its options: a byte, or by name. */
export interface FilterFields {
  readonly filter: string | Buffer;
  readonly qos?: Qos;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: 0 | 1 | 2;
  /** Instead of what follows from the other fields, to be wrong. */
  readonly options?: number;
}

export interface SubscribeFields extends WithProperties {
  readonly packetId?: number;
  /** A filter alone is subscribed with QoS 0. */
  readonly filters: readonly (string | Buffer | FilterFields)[];
}

export interface UnsubscribeFields extends WithProperties {
  readonly packetId?: number;
  readonly filters: readonly (string | Buffer)[];
}

export interface ReasonFields extends WithProperties {
  /** Left out together with the properties when absent. */
  readonly reasonCode?: number;
}

/** Builders of one version. */
export interface Packets {
  readonly version: Version;
  connect(fields?: ConnectFields): Buffer;
  publish(fields?: PublishFields): Buffer;
  puback(fields?: AckFields): Buffer;
  pubrec(fields?: AckFields): Buffer;
  pubrel(fields?: AckFields): Buffer;
  pubcomp(fields?: AckFields): Buffer;
  subscribe(fields: SubscribeFields): Buffer;
  unsubscribe(fields: UnsubscribeFields): Buffer;
  pingreq(): Buffer;
  disconnect(fields?: ReasonFields): Buffer;
  auth(fields?: ReasonFields): Buffer;
  // What a server sends, for tests of clients and of packets from the wrong side.
  connack(fields?: ReasonFields & { readonly sessionPresent?: boolean }): Buffer;
  suback(fields: WithProperties & { readonly packetId?: number; readonly reasonCodes: readonly number[] }): Buffer;
  unsuback(fields?: WithProperties & { readonly packetId?: number; readonly reasonCodes?: readonly number[] }): Buffer;
  pingresp(): Buffer;
}

function buildersOf(version: Version): Packets {
  const set = (properties: readonly Buffer[] | undefined): Bytes => (version === 5 ? propertySet(properties) : '');
  const ack = (firstByte: number, { packetId = 1, reasonCode, properties }: AckFields = {}): Buffer =>
    packet(firstByte, u16(packetId), ...reason(reasonCode, properties));
  return {
    version,
    connect: (fields = {}) => connect(version, fields),
    publish: ({ topic = 'topic', payload = '', qos = 0, retain, dup, packetId = 1, properties } = {}) =>
      packet(
        0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0),
        field(topic),
        qos > 0 ? u16(packetId) : '',
        set(properties),
        typeof payload === 'string' ? Buffer.from(payload) : payload,
      ),
    puback: (fields) => ack(0x40, fields),
    pubrec: (fields) => ack(0x50, fields),
    pubrel: (fields) => ack(0x62, fields),
    pubcomp: (fields) => ack(0x70, fields),
    subscribe: ({ packetId = 1, filters, properties }) =>
      packet(
        0x82,
        u16(packetId),
        set(properties),
        ...filters.map((filter) => {
          const fields = typeof filter === 'string' || Buffer.isBuffer(filter) ? { filter } : filter;
          return Buffer.concat([field(fields.filter), u8(optionsOf(fields))]);
        }),
      ),
    unsubscribe: ({ packetId = 1, filters, properties }) =>
      packet(0xa2, u16(packetId), set(properties), ...filters.map((filter) => field(filter))),
    pingreq: () => bytes('C0 00'),
    disconnect: ({ reasonCode, properties } = {}) => packet(0xe0, ...reason(reasonCode, properties)),
    auth: ({ reasonCode, properties } = {}) => packet(0xf0, ...reason(reasonCode, properties)),
    connack: ({ sessionPresent, reasonCode = 0, properties } = {}) =>
      packet(0x20, u8(sessionPresent ? 1 : 0), u8(reasonCode), set(properties)),
    suback: ({ packetId = 1, reasonCodes, properties }) =>
      packet(0x90, u16(packetId), set(properties), Buffer.from(reasonCodes)),
    unsuback: ({ packetId = 1, reasonCodes = [0], properties } = {}) =>
      packet(0xb0, u16(packetId), set(properties), version === 5 ? Buffer.from(reasonCodes) : ''),
    pingresp: () => bytes('D0 00'),
  };
}

export const v5: Packets = buildersOf(5);
export const v311: Packets = buildersOf(4);
export const v31: Packets = buildersOf(3);

/** The builders of a version. */
export function packetsOf(version: Version): Packets {
  return version === 5 ? v5 : version === 4 ? v311 : v31;
}

/** Reason Code and properties at the end of a packet that may leave out either. */
function reason(reasonCode: number | undefined, properties: readonly Buffer[] | undefined): Buffer[] {
  if (reasonCode === undefined && properties === undefined) return [];
  return [u8(reasonCode ?? 0), ...(properties === undefined ? [] : [propertySet(properties)])];
}

function optionsOf({ qos = 0, noLocal, retainAsPublished, retainHandling = 0, options }: FilterFields): number {
  return options ?? qos | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4);
}

function connect(version: Version, fields: ConnectFields): Buffer {
  const { clientId = 'client', cleanStart = true, keepAlive = 60, will, username, password } = fields;
  const flags =
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40) |
    (will?.retain ? 0x20 : 0) |
    ((will?.qos ?? 0) << 3) |
    (will === undefined ? 0 : 0x04) |
    (cleanStart ? 0x02 : 0);
  return packet(
    fields.firstByte ?? 0x10,
    field(fields.protocolName ?? (version === 3 ? 'MQIsdp' : 'MQTT')),
    u8(fields.protocolLevel ?? version),
    u8(fields.flags ?? flags),
    u16(keepAlive),
    version === 5 ? propertySet(fields.properties) : '',
    field(clientId),
    ...(will === undefined
      ? []
      : [
          version === 5 ? propertySet(will.properties) : '',
          field(will.topic ?? 'will'),
          field(will.payload ?? 'gone'),
        ]),
    ...(username === undefined ? [] : [field(username)]),
    ...(password === undefined ? [] : [field(password)]),
  );
}
