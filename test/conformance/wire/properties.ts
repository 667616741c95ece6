/** Properties of MQTT 5.0 (§2.2.2.2) as bytes, one function each, so that a test decides order, number and place. */
import { field, u8, u16, u32, varint } from './bytes.ts';

type Kind = 'byte' | 'u16' | 'u32' | 'varint' | 'string' | 'binary' | 'pair';

/** name → identifier and type */
const table = {
  payloadFormatIndicator: [0x01, 'byte'],
  messageExpiryInterval: [0x02, 'u32'],
  contentType: [0x03, 'string'],
  responseTopic: [0x08, 'string'],
  correlationData: [0x09, 'binary'],
  subscriptionIdentifier: [0x0b, 'varint'],
  sessionExpiryInterval: [0x11, 'u32'],
  assignedClientIdentifier: [0x12, 'string'],
  serverKeepAlive: [0x13, 'u16'],
  authenticationMethod: [0x15, 'string'],
  authenticationData: [0x16, 'binary'],
  requestProblemInformation: [0x17, 'byte'],
  willDelayInterval: [0x18, 'u32'],
  requestResponseInformation: [0x19, 'byte'],
  responseInformation: [0x1a, 'string'],
  serverReference: [0x1c, 'string'],
  reasonString: [0x1f, 'string'],
  receiveMaximum: [0x21, 'u16'],
  topicAliasMaximum: [0x22, 'u16'],
  topicAlias: [0x23, 'u16'],
  maximumQos: [0x24, 'byte'],
  retainAvailable: [0x25, 'byte'],
  userProperty: [0x26, 'pair'],
  maximumPacketSize: [0x27, 'u32'],
  wildcardSubscriptionAvailable: [0x28, 'byte'],
  subscriptionIdentifierAvailable: [0x29, 'byte'],
  sharedSubscriptionAvailable: [0x2a, 'byte'],
} as const satisfies Record<string, readonly [id: number, kind: Kind]>;

export type PropertyName = keyof typeof table;

/** Values by type: a string may be given as bytes, to be ill-formed. */
interface Values {
  readonly byte: number;
  readonly u16: number;
  readonly u32: number;
  readonly varint: number;
  readonly string: string | Buffer;
  readonly binary: Buffer | string;
  readonly pair: readonly [name: string | Buffer, value: string | Buffer];
}

type Writers = { readonly [Name in PropertyName]: (value: Values[(typeof table)[Name][1]]) => Buffer };

/** `property.receiveMaximum(2)` → `21 00 02` */
export const property = Object.fromEntries(
  Object.entries(table).map(([name, [id, kind]]) => [
    name,
    (value: never) => Buffer.concat([u8(id), writers[kind](value)]),
  ]),
) as unknown as Writers;

const writers: { readonly [K in Kind]: (value: Values[K]) => Buffer } = {
  byte: u8,
  u16,
  u32,
  varint,
  string: field,
  binary: field,
  pair: ([name, value]) => Buffer.concat([field(name), field(value)]),
};

/** Property Length and properties. */
export function propertySet(properties: readonly Buffer[] = []): Buffer {
  const content = Buffer.concat(properties);
  return Buffer.concat([varint(content.length), content]);
}

/** One property that was received, in the order of the packet. */
export type Property = readonly [name: PropertyName, value: number | string | Buffer | readonly [string, string]];

/** Packets that carry properties. */
export type Carrier =
  | 'connect'
  | 'will'
  | 'connack'
  | 'publish'
  | 'ack'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'disconnect'
  | 'auth';

/** Which properties each side may send in which packet (§2.2.2.2); User Property in all of them. */
const fromServer: { readonly [C in Carrier]?: readonly PropertyName[] } = {
  connack: [
    ...['sessionExpiryInterval', 'receiveMaximum', 'maximumQos', 'retainAvailable', 'maximumPacketSize'],
    ...['assignedClientIdentifier', 'topicAliasMaximum', 'reasonString', 'wildcardSubscriptionAvailable'],
    ...['subscriptionIdentifierAvailable', 'sharedSubscriptionAvailable', 'serverKeepAlive', 'responseInformation'],
    ...['serverReference', 'authenticationMethod', 'authenticationData'],
  ] as PropertyName[],
  publish: [
    ...['payloadFormatIndicator', 'messageExpiryInterval', 'topicAlias', 'responseTopic', 'correlationData'],
    ...['subscriptionIdentifier', 'contentType'],
  ] as PropertyName[],
  ack: ['reasonString'],
  suback: ['reasonString'],
  disconnect: ['reasonString', 'serverReference'],
  auth: ['authenticationMethod', 'authenticationData', 'reasonString'],
};
const fromClient: { readonly [C in Carrier]?: readonly PropertyName[] } = {
  connect: [
    ...['sessionExpiryInterval', 'receiveMaximum', 'maximumPacketSize', 'topicAliasMaximum'],
    ...['requestResponseInformation', 'requestProblemInformation', 'authenticationMethod', 'authenticationData'],
  ] as PropertyName[],
  will: [
    ...['willDelayInterval', 'payloadFormatIndicator', 'messageExpiryInterval', 'contentType', 'responseTopic'],
    'correlationData',
  ] as PropertyName[],
  publish: [
    ...['payloadFormatIndicator', 'messageExpiryInterval', 'topicAlias', 'responseTopic', 'correlationData'],
    'contentType',
  ] as PropertyName[],
  ack: ['reasonString'],
  subscribe: ['subscriptionIdentifier'],
  unsubscribe: [],
  disconnect: ['sessionExpiryInterval', 'reasonString'],
  auth: ['authenticationMethod', 'authenticationData', 'reasonString'],
};

/** What a {@link Reader} of packets offers to read properties with. */
export interface FieldReader {
  readonly remaining: number;
  u8(): number;
  u16(): number;
  u32(): number;
  varint(): number;
  string(): string;
  binary(): Buffer;
}

const byId = new Map<number, PropertyName>(
  (Object.keys(table) as PropertyName[]).map((name) => [table[name][0], name]),
);

/**
 * Reads properties to the reader's end, and refuses what the standard refuses: unknown ones, ones that do not belong, ones
 * that repeat, values out of range. So every packet that any test receives is checked.
 */
export function readProperties(reader: FieldReader, carrier: Carrier, from: 'client' | 'server'): Property[] {
  const allowed = (from === 'server' ? fromServer : fromClient)[carrier];
  if (allowed === undefined) throw new Error(`the ${from} sent properties in ${carrier}`);
  const found: Property[] = [];
  while (reader.remaining > 0) {
    const id = reader.varint();
    const name = byId.get(id);
    if (name === undefined) throw new Error(`unknown property 0x${id.toString(16)}`);
    if (name !== 'userProperty' && !allowed.includes(name)) throw new Error(`${name} may not be in ${carrier}`);
    const mayRepeat = name === 'userProperty' || (name === 'subscriptionIdentifier' && from === 'server');
    if (!mayRepeat && found.some(([other]) => other === name)) throw new Error(`${name} occurs twice`);
    found.push([name, readValue(reader, name)]);
  }
  return found;
}

const flags: readonly PropertyName[] = [
  ...(['payloadFormatIndicator', 'requestProblemInformation', 'requestResponseInformation', 'maximumQos'] as const),
  ...(['retainAvailable', 'wildcardSubscriptionAvailable', 'subscriptionIdentifierAvailable'] as const),
  'sharedSubscriptionAvailable',
];
const neverZero: readonly PropertyName[] = [
  ...(['receiveMaximum', 'maximumPacketSize', 'topicAlias', 'subscriptionIdentifier'] as const),
];

function readValue(reader: FieldReader, name: PropertyName): Property[1] {
  const kind: Kind = table[name][1];
  switch (kind) {
    case 'string':
      return reader.string();
    case 'binary':
      return reader.binary();
    case 'pair':
      return [reader.string(), reader.string()];
    default: {
      const value = reader[kind === 'byte' ? 'u8' : kind]();
      if (flags.includes(name) && value > 1) throw new Error(`${name} is ${value}`);
      if (neverZero.includes(name) && value === 0) throw new Error(`${name} is 0`);
      return value;
    }
  }
}

/** The value of the first property of that name, undefined when there is none. */
export function valueOf(
  packet: { readonly properties: readonly Property[] },
  name: PropertyName,
): Property[1] | undefined {
  return valuesOf(packet, name)[0];
}

/** All values of the properties of that name, in order. */
export function valuesOf(packet: { readonly properties: readonly Property[] }, name: PropertyName): Property[1][] {
  return packet.properties.flatMap(([other, value]) => (other === name ? [value] : []));
}
