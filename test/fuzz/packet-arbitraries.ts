/**
 * Arbitrary valid control packets for each version: what an encoder may be asked to write, in the exact shape in which a
 * decoder gives it back.
 */
import fc from 'fast-check';
import {
  type ConnectPacket,
  NO_BYTES,
  type Packet,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  type RetainHandling,
  type Subscription,
  type WillMessage,
} from '../../src/codec/packet.ts';
import {
  type Properties,
  type PropertyOwner,
  type PropertyRow,
  propertyTable,
} from '../../src/codec/property-table.ts';
import {
  type ReasonCodeCarrier,
  type ReasonCodeOf,
  reasonCodeOfReturnCode,
  reasonCodes,
} from '../../src/codec/reason-code.ts';

/** Letters of one to four bytes, a byte order mark, and what topics are made of; nothing that may not travel. */
const letter = fc.constantFrom(...'ab019 ~$/._-éß€中\ufeff\u00a0😀');

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 9, arbitrary: fc.array(letter, { maxLength: 24 }).map((letters) => letters.join('')) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2000 }).map((length) => 'x'.repeat(length)) },
);

export const topicName: fc.Arbitrary<string> = text.filter((name) => name !== '');

const topicFilter = fc
  .array(fc.oneof(text, fc.constantFrom('+', '#', '$share/g/a')), { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((filter) => filter !== '');

const binary = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const payload = fc.oneof(
  { weight: 9, arbitrary: binary },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }).map((length) => Buffer.alloc(length, 'p')) },
);
const qos = fc.constantFrom<QoS>(0, 1, 2);
const packetId = fc.integer({ min: 1, max: 65_535 });

/** Plain objects only, so that they compare equal to what a decoder makes. */
function record<T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

/** A value for one property, within its row's bounds. */
function propertyValue(row: PropertyRow, owner: PropertyOwner): fc.Arbitrary<unknown> {
  const min = row.key === 'topicAlias' ? 1 : (row.min ?? 0);
  switch (row.type) {
    case 'byte':
      return fc.integer({ min, max: row.max ?? 255 });
    case 'boolean':
      return fc.boolean();
    case 'u16':
      return fc.integer({ min, max: 65_535 });
    case 'u32':
      return fc.integer({ min, max: 0xffff_ffff });
    case 'varint':
      return fc.array(fc.integer({ min, max: 268_435_455 }), { minLength: 1, maxLength: owner === 'publish' ? 3 : 1 });
    case 'string':
      return row.key === 'responseTopic' ? topicName : text;
    case 'binary':
      return binary;
    case 'pair':
      return fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 });
  }
}

/** Any subset of the properties that this side may put there, in any order. */
export function properties(owner: PropertyOwner, from: 'client' | 'server'): fc.Arbitrary<Properties> {
  const rows = propertyTable.filter((row) => row.packets.includes(owner) && (row.onlyFrom?.[owner] ?? from) === from);
  return fc
    .shuffledSubarray(rows)
    .chain((chosen) =>
      fc.tuple(...chosen.map((row) => propertyValue(row, owner).map((value) => [row.key, value] as const))),
    )
    .map((entries) => {
      const set = Object.fromEntries(entries) as Properties;
      if (set.authenticationData === undefined || set.authenticationMethod !== undefined) return set;
      return { ...set, authenticationMethod: 'method' };
    });
}

function propertiesOf(owner: PropertyOwner, from: 'client' | 'server', version: ProtocolVersion) {
  return version === 5 ? properties(owner, from) : fc.constant<Properties>({});
}

/** A code that the packet may carry, 0x00 only in 3.x. */
function codeOf<P extends ReasonCodeCarrier>(carrier: P, version: ProtocolVersion): fc.Arbitrary<ReasonCodeOf<P>> {
  const codes = reasonCodes.filter((row) => (row.packets as readonly ReasonCodeCarrier[]).includes(carrier));
  const listed = version === 5 ? codes.map((row) => row.code) : [0];
  return fc.constantFrom(...(listed as ReasonCodeOf<P>[]));
}

function will(version: ProtocolVersion): fc.Arbitrary<WillMessage> {
  return record({
    topic: topicName,
    payload: binary,
    qos,
    retain: fc.boolean(),
    properties: propertiesOf('will', 'client', version),
    rawProperties: fc.constant(NO_BYTES),
  });
}

export function connect(version: ProtocolVersion): fc.Arbitrary<ConnectPacket> {
  return fc
    .record(
      {
        type: fc.constant('connect' as const),
        protocolVersion: fc.constant(version),
        isBridge: version === 5 ? fc.constant(false) : fc.boolean(),
        cleanStart: fc.boolean(),
        keepAliveSeconds: fc.integer({ min: 0, max: 65_535 }),
        clientId: text,
        will: will(version),
        username: text,
        password: binary,
        properties: propertiesOf('connect', 'client', version),
      },
      {
        noNullPrototype: true,
        requiredKeys: [
          'type',
          'protocolVersion',
          'isBridge',
          'cleanStart',
          'keepAliveSeconds',
          'clientId',
          'properties',
        ],
      },
    )
    .map((packet) => {
      if (version === 5 || packet.username !== undefined) return packet;
      const { password: _, ...withoutPassword } = packet; // 3.x: no Password without User Name
      return withoutPassword;
    });
}

export function publish(version: ProtocolVersion, from: 'client' | 'server'): fc.Arbitrary<PublishPacket> {
  return record({
    type: fc.constant('publish' as const),
    topic: topicName,
    payload,
    qos,
    retain: fc.boolean(),
    dup: fc.boolean(),
    packetId,
    properties: propertiesOf('publish', from, version),
  }).map((packet) => {
    const topic = packet.properties.topicAlias !== undefined && packet.retain ? '' : packet.topic;
    return packet.qos === 0 ? { ...packet, topic, dup: false, packetId: 0 } : { ...packet, topic };
  });
}

function subscription(version: ProtocolVersion): fc.Arbitrary<Subscription> {
  const flag = version === 5 ? fc.boolean() : fc.constant(false);
  return record({
    filter: topicFilter,
    qos,
    noLocal: flag,
    retainAsPublished: flag,
    retainHandling: version === 5 ? fc.constantFrom<RetainHandling>(0, 1, 2) : fc.constant<RetainHandling>(0),
  }).map((one) => (one.filter.startsWith('$share/') ? { ...one, noLocal: false } : one));
}

/** All packets that this side may send in this version, one arbitrary per type. */
export function packets(version: ProtocolVersion, from: 'client' | 'server'): fc.Arbitrary<Packet>[] {
  const type = <T extends string>(name: T) => fc.constant(name);
  const both: fc.Arbitrary<Packet>[] = [
    publish(version, from),
    record({
      type: type('puback'),
      packetId,
      reasonCode: codeOf('puback', version),
      properties: propertiesOf('puback', from, version),
    }),
    record({
      type: type('pubrec'),
      packetId,
      reasonCode: codeOf('pubrec', version),
      properties: propertiesOf('pubrec', from, version),
    }),
    record({
      type: type('pubrel'),
      packetId,
      reasonCode: codeOf('pubrel', version),
      properties: propertiesOf('pubrel', from, version),
    }),
    record({
      type: type('pubcomp'),
      packetId,
      reasonCode: codeOf('pubcomp', version),
      properties: propertiesOf('pubcomp', from, version),
    }),
  ];
  if (version === 5 || from === 'client') {
    both.push(
      record({
        type: type('disconnect'),
        reasonCode: codeOf('disconnect', version),
        properties: propertiesOf('disconnect', from, version),
      }),
    );
  }
  if (version === 5) {
    const wrong = from === 'client' ? 0x00 : 0x19;
    both.push(
      record({
        type: type('auth'),
        reasonCode: codeOf('auth', 5).filter((code) => code !== wrong),
        properties: properties('auth', from).map((set) => ({ ...set, authenticationMethod: 'SCRAM-SHA-1' })),
      }),
    );
  }
  if (from === 'client') {
    return [
      ...both,
      connect(version),
      record({
        type: type('subscribe'),
        packetId,
        properties: propertiesOf('subscribe', from, version),
        subscriptions: fc.array(subscription(version), { minLength: 1, maxLength: 5 }),
      }),
      record({
        type: type('unsubscribe'),
        packetId,
        properties: propertiesOf('unsubscribe', from, version),
        filters: fc.array(topicFilter, { minLength: 1, maxLength: 5 }),
      }),
      record({ type: type('pingreq') }),
    ];
  }
  const connackCode = version === 5 ? codeOf('connack', 5) : fc.integer({ min: 0, max: 5 }).map(reasonCodeOfReturnCode);
  const subackCode =
    version === 5
      ? codeOf('suback', 5)
      : version === 4
        ? fc.constantFrom<ReasonCodeOf<'suback'>>(0, 1, 2, 0x80)
        : fc.constantFrom<ReasonCodeOf<'suback'>>(0, 1, 2);
  const unsubackCodes =
    version === 5
      ? fc.array(codeOf('unsuback', 5), { minLength: 1, maxLength: 5 })
      : fc.constant<ReasonCodeOf<'unsuback'>[]>([]);
  return [
    ...both,
    record({
      type: type('connack'),
      sessionPresent: version === 3 ? fc.constant(false) : fc.boolean(),
      reasonCode: connackCode,
      properties: propertiesOf('connack', from, version),
    }),
    record({
      type: type('suback'),
      packetId,
      properties: propertiesOf('suback', from, version),
      reasonCodes: fc.array(subackCode, { minLength: 1, maxLength: 5 }),
    }),
    record({
      type: type('unsuback'),
      packetId,
      properties: propertiesOf('unsuback', from, version),
      reasonCodes: unsubackCodes,
    }),
    record({ type: type('pingresp') }),
  ];
}
