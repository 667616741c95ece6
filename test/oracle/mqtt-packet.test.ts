/**
 * The codec of MQTT.js as a second opinion: it must read what we write, and we what it writes, as the same packet. What it
 * cannot express is left out of the comparison and named at its place.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { generate, parser, type Packet as TheirPacket } from 'mqtt-packet';
import { describe, test } from 'vitest';
import { decodePacket } from '../../src/codec/decode.ts';
import { encodePacket } from '../../src/codec/encode.ts';
import { NO_BYTES, type Packet, type ProtocolVersion } from '../../src/codec/packet.ts';
import type { Properties } from '../../src/codec/property-table.ts';
import { ReasonCode, returnCodeOf } from '../../src/codec/reason-code.ts';
import { StreamDecoder } from '../../src/codec/stream-decoder.ts';
import { packets } from '../fuzz/packet-arbitraries.ts';

const RUNS = 300;

/** Our name of a property where theirs differs. */
const theirNames: Readonly<Record<string, string>> = {
  subscriptionIdentifiers: 'subscriptionIdentifier',
  maximumQos: 'maximumQoS',
  subscriptionIdentifierAvailable: 'subscriptionIdentifiersAvailable',
};

function toTheirProperties(properties: Properties): Record<string, unknown> {
  const theirs: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(properties)) {
    const name = theirNames[key] ?? key;
    if (key === 'userProperties') theirs[name] = Object.fromEntries(value);
    else if (key === 'payloadFormatIndicator') theirs[name] = value === 1;
    else if (key === 'subscriptionIdentifiers') theirs[name] = value.length === 1 ? value[0] : value;
    else theirs[name] = value;
  }
  return theirs;
}

function toTheirs(packet: Packet, version: ProtocolVersion): TheirPacket {
  const is5 = version === 5;
  const properties = 'properties' in packet && is5 ? { properties: toTheirProperties(packet.properties) } : {};
  const id = 'packetId' in packet && packet.packetId !== 0 ? { messageId: packet.packetId } : {};
  const theirs = (): object => {
    switch (packet.type) {
      case 'connect':
        return {
          protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
          protocolVersion: version,
          clean: packet.cleanStart,
          keepalive: packet.keepAliveSeconds,
          clientId: packet.clientId,
          ...(packet.isBridge ? { bridgeMode: true } : {}),
          ...(packet.username === undefined ? {} : { username: packet.username }),
          ...(packet.password === undefined ? {} : { password: packet.password }),
          ...(packet.will === undefined
            ? {}
            : {
                will: {
                  topic: packet.will.topic,
                  payload: packet.will.payload,
                  qos: packet.will.qos,
                  retain: packet.will.retain,
                  ...(is5 ? { properties: toTheirProperties(packet.will.properties) } : {}),
                },
              }),
        };
      case 'connack':
        return {
          sessionPresent: packet.sessionPresent,
          ...(is5 ? { reasonCode: packet.reasonCode } : { returnCode: returnCodeOf(packet.reasonCode) }),
        };
      case 'publish':
        return {
          topic: packet.topic,
          payload: packet.payload,
          qos: packet.qos,
          retain: packet.retain,
          dup: packet.dup,
        };
      case 'subscribe':
        return {
          subscriptions: packet.subscriptions.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => ({
            topic: filter,
            qos,
            ...(is5 ? { nl: noLocal, rap: retainAsPublished, rh: retainHandling } : {}),
          })),
        };
      case 'unsubscribe':
        return { unsubscriptions: packet.filters };
      case 'suback':
        return { granted: packet.reasonCodes };
      case 'unsuback':
        return is5 ? { granted: packet.reasonCodes } : {};
      case 'pingreq':
      case 'pingresp':
        return {};
      default:
        return is5 ? { reasonCode: packet.reasonCode } : {};
    }
  };
  return { cmd: packet.type, ...id, ...properties, ...theirs() } as TheirPacket;
}

/** The packet they read, without what it does not need to say. */
function theyRead(bytes: Buffer, version: ProtocolVersion): TheirPacket {
  const found: TheirPacket[] = [];
  const reader = parser({ protocolVersion: version });
  reader.on('packet', (packet) => found.push(packet));
  reader.on('error', (error) => {
    throw error;
  });
  reader.parse(bytes);
  assert.equal(found.length, 1);
  return found[0] as TheirPacket;
}

function weRead(bytes: Buffer, version: ProtocolVersion, from: 'client' | 'server'): Packet {
  const found: Packet[] = [];
  new StreamDecoder(1_000_000, 'any').push(bytes, 0, bytes.length, {
    onPacket: (firstByte, buf, start, end) => found.push(decodePacket(firstByte, buf, start, end, version, from)) > 0,
  });
  assert.equal(found.length, 1);
  return found[0] as Packet;
}

/** Their packet must say at least what ours does; absent properties and empty sets are the same. */
function assertSays(theirs: unknown, ours: unknown, where: string): void {
  if (Buffer.isBuffer(ours)) {
    // An empty payload is '' or null for them.
    if (ours.length > 0 || Buffer.isBuffer(theirs))
      assert.equal(Buffer.compare(Buffer.from(theirs as Buffer), ours), 0, where);
    return;
  }
  if (typeof ours !== 'object' || ours === null) {
    assert.deepEqual(Buffer.isBuffer(theirs) ? theirs.toString() : theirs, ours, where);
    return;
  }
  for (const [key, value] of Object.entries(ours)) {
    const isEmpty = typeof value === 'object' && !Buffer.isBuffer(value) && Object.keys(value).length === 0;
    if (isEmpty) continue;
    assertSays((theirs as Record<string, unknown>)[key], value, `${where}.${key}`);
  }
}

/** Whether they can express it at all. */
function isExpressible(packet: Packet): boolean {
  // Their User Properties are an object: no order between names, no repeated names and, when read, no empty values.
  const sets = [
    'properties' in packet ? packet.properties : {},
    packet.type === 'connect' && packet.will !== undefined ? packet.will.properties : {},
  ];
  for (const { userProperties = [], ...others } of sets) {
    const names = userProperties.map(([name]) => name);
    if (new Set(names).size !== names.length || names.includes('__proto__')) return false;
    if (names.some((name) => /^\d+$/.test(name))) return false; // their order would change
    if (userProperties.some(([, value]) => value === '')) return false;
    // They take 0 and false for absent in places, and refuse the empty string in others.
    if (Object.values(others).some((value) => value === '' || (Buffer.isBuffer(value) && value.length === 0)))
      return false;
  }
  // §2.4 lists 0x8C for DISCONNECT, the table in §3.14 does not; they go by the second.
  if (packet.type === 'disconnect' && packet.reasonCode === ReasonCode.BadAuthenticationMethod) return false;
  if (packet.type === 'connect') {
    if (packet.clientId === '' && (!packet.cleanStart || packet.protocolVersion === 3)) return false; // they refuse to write it
    if (packet.username === '' || packet.password?.length === 0) return false; // they leave it out
    if (packet.will?.payload.length === 0) return false; // they refuse an empty Will Payload
    if (packet.password !== undefined && packet.username === undefined) return false; // legal in 5.0; they refuse
  }
  return true;
}

const emptied = (packet: Packet): Packet =>
  packet.type === 'connect' && packet.will !== undefined
    ? { ...packet, will: { ...packet.will, rawProperties: NO_BYTES } }
    : packet;

describe.each([3, 4, 5] as const)('version %d', (version) => {
  for (const from of ['client', 'server'] as const) {
    test(`MQTT.js reads what we write as ${from}`, () => {
      for (const packet of packets(version, from)) {
        fc.assert(
          fc.property(packet.filter(isExpressible), (ours) => {
            assertSays(theyRead(encodePacket(ours, version), version), toTheirs(ours, version), ours.type);
          }),
          { numRuns: RUNS },
        );
      }
    });

    test(`we read what MQTT.js writes as ${from}`, () => {
      for (const packet of packets(version, from)) {
        fc.assert(
          fc.property(packet.filter(isExpressible), (ours) => {
            const bytes = generate(toTheirs(ours, version), { protocolVersion: version });
            assert.deepEqual(sorted(emptied(weRead(bytes, version, from))), sorted(ours));
          }),
          { numRuns: RUNS },
        );
      }
    });
  }
});

/** The same packet with the properties in the order of their names; they write them in theirs. */
function sorted(packet: Packet): unknown {
  return JSON.parse(
    JSON.stringify(packet, (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    ),
  );
}
