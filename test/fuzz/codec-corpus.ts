import { InvariantViolation } from '../../src/base/invariant.ts';
import { encodePacket } from '../../src/codec/encode.ts';
import { NO_BYTES, type Packet, type ProtocolVersion } from '../../src/codec/packet.ts';
import type { Properties } from '../../src/codec/property-table.ts';

const many: Properties = {
  reasonString: 'because',
  userProperties: [
    ['k', 'v'],
    ['k', 'é'],
  ],
};

const messageProperties: Properties = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 60,
  contentType: 'text/plain',
  responseTopic: 'reply/to',
  correlationData: Buffer.from([1, 2, 3]),
  userProperties: [['unit', '°C']],
};

/** One or more valid packets of every type, for either side. */
const packets: readonly Packet[] = [
  {
    type: 'connect',
    protocolVersion: 3,
    isBridge: false,
    cleanStart: true,
    keepAliveSeconds: 60,
    clientId: 'three',
    properties: {},
  },
  {
    type: 'connect',
    protocolVersion: 4,
    isBridge: true,
    cleanStart: false,
    keepAliveSeconds: 0,
    clientId: '',
    username: 'user',
    password: Buffer.from('secret'),
    properties: {},
  },
  {
    type: 'connect',
    protocolVersion: 5,
    isBridge: false,
    cleanStart: true,
    keepAliveSeconds: 30,
    clientId: 'five',
    properties: {},
  },
  {
    type: 'connect',
    protocolVersion: 5,
    isBridge: false,
    cleanStart: false,
    keepAliveSeconds: 65_535,
    clientId: 'é😀',
    will: {
      topic: 'will/topic',
      payload: Buffer.from('gone'),
      qos: 2,
      retain: true,
      properties: { willDelayInterval: 5, ...messageProperties },
      rawProperties: NO_BYTES,
    },
    username: 'user',
    password: Buffer.from([0, 255]),
    properties: {
      sessionExpiryInterval: 3600,
      receiveMaximum: 20,
      maximumPacketSize: 1000,
      topicAliasMaximum: 10,
      requestProblemInformation: true,
      requestResponseInformation: false,
      authenticationMethod: 'SCRAM',
      authenticationData: Buffer.from('data'),
      userProperties: [['a', 'b']],
    },
  },
  {
    type: 'connect',
    protocolVersion: 4,
    isBridge: false,
    cleanStart: true,
    keepAliveSeconds: 10,
    clientId: 'c',
    will: { topic: 'w', payload: NO_BYTES, qos: 0, retain: false, properties: {}, rawProperties: NO_BYTES },
    properties: {},
  },
  {
    type: 'connack',
    sessionPresent: true,
    reasonCode: 0,
    properties: {
      serverKeepAlive: 60,
      topicAliasMaximum: 10,
      assignedClientIdentifier: 'auto-1',
      retainAvailable: false,
      maximumQos: 1,
      responseInformation: 'r',
      serverReference: 's',
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifierAvailable: false,
      sharedSubscriptionAvailable: true,
      ...many,
    },
  },
  { type: 'connack', sessionPresent: false, reasonCode: 0x87, properties: {} },
  { type: 'publish', topic: 'a', payload: NO_BYTES, qos: 0, retain: false, dup: false, packetId: 0, properties: {} },
  {
    type: 'publish',
    topic: 'maison/salon/température',
    payload: Buffer.from('21.5'),
    qos: 1,
    retain: true,
    dup: true,
    packetId: 258,
    properties: messageProperties,
  },
  {
    type: 'publish',
    topic: 'maison/salon',
    payload: Buffer.from('21.5'),
    qos: 2,
    retain: false,
    dup: false,
    packetId: 65_535,
    properties: { contentType: 't', topicAlias: 7, messageExpiryInterval: 1 },
  },
  {
    type: 'publish',
    topic: 'sub/ids',
    payload: Buffer.from('x'),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: { subscriptionIdentifiers: [1, 300] },
  },
  {
    type: 'publish',
    topic: '',
    payload: Buffer.from('x'),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: { topicAlias: 1 },
  },
  {
    type: 'publish',
    topic: 'long',
    payload: Buffer.alloc(300, 'p'),
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1,
    properties: {},
  },
  { type: 'puback', packetId: 1, reasonCode: 0, properties: {} },
  { type: 'puback', packetId: 2, reasonCode: 0x10, properties: many },
  { type: 'pubrec', packetId: 3, reasonCode: 0x87, properties: {} },
  { type: 'pubrel', packetId: 4, reasonCode: 0, properties: {} },
  { type: 'pubrel', packetId: 5, reasonCode: 0x92, properties: many },
  { type: 'pubcomp', packetId: 6, reasonCode: 0, properties: {} },
  {
    type: 'subscribe',
    packetId: 7,
    properties: { subscriptionIdentifiers: [128], userProperties: [['a', 'b']] },
    subscriptions: [
      { filter: 'a/+/#', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      { filter: '$share/group/topic', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
    ],
  },
  { type: 'suback', packetId: 7, properties: many, reasonCodes: [0, 1, 2, 0x80] },
  { type: 'unsubscribe', packetId: 8, properties: { userProperties: [['a', 'b']] }, filters: ['a/+/#', 'b'] },
  { type: 'unsuback', packetId: 8, properties: many, reasonCodes: [0, 0x11] },
  { type: 'pingreq' },
  { type: 'pingresp' },
  { type: 'disconnect', reasonCode: 0, properties: {} },
  { type: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 9, ...many } },
  { type: 'disconnect', reasonCode: 0x9d, properties: { serverReference: 'other:1883' } },
  {
    type: 'auth',
    reasonCode: 0x18,
    properties: { authenticationMethod: 'SCRAM', authenticationData: Buffer.from('data'), ...many },
  },
];

/** The packets of one version as bytes. */
export function corpus(version: ProtocolVersion): readonly Buffer[] {
  const encoded: Buffer[] = [];
  for (const packet of packets) {
    const isOf5 = packet.type === 'auth' || (packet.type === 'publish' && packet.topic === '');
    if (version < 5 && isOf5) continue;
    const bytes = encodedIn(packet, version);
    if (bytes !== undefined) encoded.push(bytes);
  }
  return encoded;
}

/** The packet in this version; undefined when it cannot say that (a CONNACK code without return code). */
export function encodedIn(packet: Packet, version: ProtocolVersion): Buffer | undefined {
  try {
    return encodePacket(packet, version);
  } catch (error) {
    if (error instanceof InvariantViolation) return undefined;
    throw error;
  }
}
