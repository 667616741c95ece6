/**
 * The 27 properties of MQTT 5.0 (§2.2.2.2): one row each, from which reading, writing, command line names and checks are
 * derived. Values are described by `Properties`; a row's `key` is its field there.
 */

/** A User Property: name and value, both any legal string, in the order received. */
export type UserProperty = readonly [name: string, value: string];

/**
 * Properties of one packet or Will. An absent field was absent on the wire; defaults are the reader's business.
 *
 * Writing keeps the order in which the fields were set on the object.
 */
export interface Properties {
  /** 0x01: 0 unspecified bytes, 1 UTF-8 text. */
  readonly payloadFormatIndicator?: 0 | 1;
  /** 0x02: seconds. */
  readonly messageExpiryInterval?: number;
  /** 0x03 */
  readonly contentType?: string;
  /** 0x08: a Topic Name, without wildcards. */
  readonly responseTopic?: string;
  /** 0x09 */
  readonly correlationData?: Buffer;
  /** 0x0B: 1 to 268,435,455 each; one in SUBSCRIBE, any number in a PUBLISH from the server. */
  readonly subscriptionIdentifiers?: readonly number[];
  /** 0x11: seconds; 0xFFFFFFFF never expires. */
  readonly sessionExpiryInterval?: number;
  /** 0x12 */
  readonly assignedClientIdentifier?: string;
  /** 0x13: seconds. */
  readonly serverKeepAlive?: number;
  /** 0x15 */
  readonly authenticationMethod?: string;
  /** 0x16: only together with a method. */
  readonly authenticationData?: Buffer;
  /** 0x17: false forbids Reason String and User Properties outside PUBLISH, CONNACK and DISCONNECT. */
  readonly requestProblemInformation?: boolean;
  /** 0x18: seconds. */
  readonly willDelayInterval?: number;
  /** 0x19 */
  readonly requestResponseInformation?: boolean;
  /** 0x1A */
  readonly responseInformation?: string;
  /** 0x1C */
  readonly serverReference?: string;
  /** 0x1F: for people, not to be parsed. */
  readonly reasonString?: string;
  /** 0x21: 1 to 65,535. */
  readonly receiveMaximum?: number;
  /** 0x22: 0 to 65,535. */
  readonly topicAliasMaximum?: number;
  /** 0x23: 0 to 65,535 as received; 0 and values above the announced maximum are refused by the connection with 0x94. */
  readonly topicAlias?: number;
  /** 0x24 */
  readonly maximumQos?: 0 | 1;
  /** 0x25 */
  readonly retainAvailable?: boolean;
  /** 0x26: order kept, names may repeat. */
  readonly userProperties?: readonly UserProperty[];
  /** 0x27: bytes of a whole packet, 1 to 0xFFFFFFFF. */
  readonly maximumPacketSize?: number;
  /** 0x28 */
  readonly wildcardSubscriptionAvailable?: boolean;
  /** 0x29 */
  readonly subscriptionIdentifierAvailable?: boolean;
  /** 0x2A */
  readonly sharedSubscriptionAvailable?: boolean;
}

/** Whose property set it is: a packet's, or the Will's inside CONNECT. */
export type PropertyOwner =
  | 'connect'
  | 'will'
  | 'connack'
  | 'publish'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

/** Encoding on the wire (§1.5); `boolean` is a byte that may only be 0 or 1. */
export type PropertyType = 'byte' | 'boolean' | 'u16' | 'u32' | 'varint' | 'string' | 'binary' | 'pair';

export interface PropertyRow {
  /** Property Identifier; a Variable Byte Integer on the wire, one byte for all of today's. */
  readonly id: number;
  /** Field in `Properties`. */
  readonly key: keyof Properties;
  /** As Mosquitto's `-D` option spells it. */
  readonly name: string;
  readonly type: PropertyType;
  readonly packets: readonly PropertyOwner[];
  /** Where it may occur more than once: User Property everywhere, Subscription Identifier in PUBLISH. */
  readonly repeatable?: readonly PropertyOwner[];
  /** Smallest and largest legal value where the type allows more. */
  readonly min?: number;
  readonly max?: number;
  /** Where only one side may send it. */
  readonly onlyFrom?: { readonly [owner in PropertyOwner]?: 'client' | 'server' };
}

const everyOwner: readonly PropertyOwner[] = [
  'connect',
  'will',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'disconnect',
  'auth',
];

const acknowledgements: readonly PropertyOwner[] = [
  'connack',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'disconnect',
  'auth',
];

/** The rows, ordered by identifier. */
export const propertyTable: readonly PropertyRow[] = [
  {
    id: 0x01,
    key: 'payloadFormatIndicator',
    name: 'payload-format-indicator',
    type: 'byte',
    packets: ['publish', 'will'],
    max: 1,
  },
  {
    id: 0x02,
    key: 'messageExpiryInterval',
    name: 'message-expiry-interval',
    type: 'u32',
    packets: ['publish', 'will'],
  },
  { id: 0x03, key: 'contentType', name: 'content-type', type: 'string', packets: ['publish', 'will'] },
  { id: 0x08, key: 'responseTopic', name: 'response-topic', type: 'string', packets: ['publish', 'will'] },
  { id: 0x09, key: 'correlationData', name: 'correlation-data', type: 'binary', packets: ['publish', 'will'] },
  {
    id: 0x0b,
    key: 'subscriptionIdentifiers',
    name: 'subscription-identifier',
    type: 'varint',
    packets: ['publish', 'subscribe'],
    repeatable: ['publish'],
    min: 1,
    onlyFrom: { publish: 'server' },
  },
  {
    id: 0x11,
    key: 'sessionExpiryInterval',
    name: 'session-expiry-interval',
    type: 'u32',
    packets: ['connect', 'connack', 'disconnect'],
    onlyFrom: { disconnect: 'client' },
  },
  {
    id: 0x12,
    key: 'assignedClientIdentifier',
    name: 'assigned-client-identifier',
    type: 'string',
    packets: ['connack'],
  },
  { id: 0x13, key: 'serverKeepAlive', name: 'server-keep-alive', type: 'u16', packets: ['connack'] },
  {
    id: 0x15,
    key: 'authenticationMethod',
    name: 'authentication-method',
    type: 'string',
    packets: ['connect', 'connack', 'auth'],
  },
  {
    id: 0x16,
    key: 'authenticationData',
    name: 'authentication-data',
    type: 'binary',
    packets: ['connect', 'connack', 'auth'],
  },
  {
    id: 0x17,
    key: 'requestProblemInformation',
    name: 'request-problem-information',
    type: 'boolean',
    packets: ['connect'],
  },
  { id: 0x18, key: 'willDelayInterval', name: 'will-delay-interval', type: 'u32', packets: ['will'] },
  {
    id: 0x19,
    key: 'requestResponseInformation',
    name: 'request-response-information',
    type: 'boolean',
    packets: ['connect'],
  },
  { id: 0x1a, key: 'responseInformation', name: 'response-information', type: 'string', packets: ['connack'] },
  {
    id: 0x1c,
    key: 'serverReference',
    name: 'server-reference',
    type: 'string',
    packets: ['connack', 'disconnect'],
    onlyFrom: { disconnect: 'server' },
  },
  { id: 0x1f, key: 'reasonString', name: 'reason-string', type: 'string', packets: acknowledgements },
  { id: 0x21, key: 'receiveMaximum', name: 'receive-maximum', type: 'u16', packets: ['connect', 'connack'], min: 1 },
  { id: 0x22, key: 'topicAliasMaximum', name: 'topic-alias-maximum', type: 'u16', packets: ['connect', 'connack'] },
  { id: 0x23, key: 'topicAlias', name: 'topic-alias', type: 'u16', packets: ['publish'] },
  { id: 0x24, key: 'maximumQos', name: 'maximum-qos', type: 'byte', packets: ['connack'], max: 1 },
  { id: 0x25, key: 'retainAvailable', name: 'retain-available', type: 'boolean', packets: ['connack'] },
  {
    id: 0x26,
    key: 'userProperties',
    name: 'user-property',
    type: 'pair',
    packets: everyOwner,
    repeatable: everyOwner,
  },
  {
    id: 0x27,
    key: 'maximumPacketSize',
    name: 'maximum-packet-size',
    type: 'u32',
    packets: ['connect', 'connack'],
    min: 1,
  },
  {
    id: 0x28,
    key: 'wildcardSubscriptionAvailable',
    name: 'wildcard-subscription-available',
    type: 'boolean',
    packets: ['connack'],
  },
  {
    id: 0x29,
    key: 'subscriptionIdentifierAvailable',
    name: 'subscription-identifier-available',
    type: 'boolean',
    packets: ['connack'],
  },
  {
    id: 0x2a,
    key: 'sharedSubscriptionAvailable',
    name: 'shared-subscription-available',
    type: 'boolean',
    packets: ['connack'],
  },
];
