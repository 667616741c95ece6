import { describe, expect, test } from 'vitest';
import { bytes, decodeBytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { encodePacket } from './encode.ts';
import type { ProtocolVersion, PublishPacket } from './packet.ts';
import { PublishView, readPublish } from './publish.ts';

/** Reads in place a packet with a one-byte Remaining Length, and shows the parts as bytes. */
function view(source: string, version: ProtocolVersion) {
  const packet = bytes(source);
  expect(packet[1], 'Remaining Length as written by hand').toBe(packet.length - 2);
  // Bytes around the packet must never be looked at.
  const buf = Buffer.concat([Buffer.from([0xff, 0xff]), packet, Buffer.from([0xff, 0xff])]);
  const { qos, retain, dup, packetId, topicAlias, messageExpiryInterval, ...at } = read(buf, version, packet.length);
  return {
    qos,
    retain,
    dup,
    packetId,
    topicAlias,
    messageExpiryInterval,
    topic: buf.toString('utf8', at.topicStart, at.topicEnd),
    properties: buf.subarray(at.propertiesStart, at.propertiesEnd),
    payload: buf.toString('utf8', at.payloadStart, at.payloadEnd),
    expiryBytes: at.expiryOffset < 0 ? undefined : buf.subarray(at.expiryOffset, at.expiryOffset + 4),
  };
}

function read(buf: Buffer, version: ProtocolVersion, length: number): PublishView {
  const result = new PublishView();
  readPublish(buf[2] as number, buf, 4, 2 + length, version, result);
  return result;
}

const plain = { qos: 0, retain: 0, dup: 0, packetId: 0, topicAlias: 0, messageExpiryInterval: -1 };

describe('reads in place', () => {
  test('QoS 0 has no Packet Identifier', () => {
    expect(view('30 05 00 01 "a" "hi"', 4)).toMatchObject({ ...plain, topic: 'a', payload: 'hi' });
    expect(view('30 06 00 01 "a" 00 "hi"', 5)).toMatchObject({ ...plain, topic: 'a', payload: 'hi' });
  });

  test('all flags', () => {
    expect(view('3b 07 00 01 "a" 00 0a "hi"', 3)).toMatchObject({
      qos: 1,
      retain: 1,
      dup: 1,
      packetId: 10,
      payload: 'hi',
    });
    expect(view('34 06 00 01 "a" ff ff 00', 5)).toMatchObject({
      qos: 2,
      retain: 0,
      dup: 0,
      packetId: 65_535,
      payload: '',
    });
  });

  test('an empty payload in 3.x', () => {
    expect(view('31 03 00 01 "a"', 4)).toMatchObject({ topic: 'a', retain: 1, payload: '' });
  });

  const all = `
    01 01                   -- Payload Format Indicator
    02 00 00 00 3c          -- Message Expiry Interval 60 s
    03 00 01 "t"            -- Content Type
    08 00 03 "r/t"          -- Response Topic
    09 00 02 00 ff          -- Correlation Data
    26 00 01 "k" 00 01 "v"  -- User Property
    26 00 01 "k" 00 01 "v"
  `;

  test('every property that travels on, as one range', () => {
    const parts = view(`32 2c 00 01 "a" 00 07 24 ${all} "hi"`, 5);
    expect(parts).toMatchObject({ packetId: 7, topicAlias: 0, messageExpiryInterval: 60, payload: 'hi' });
    expect(parts.properties).toEqual(bytes(all));
    expect(parts.expiryBytes).toEqual(bytes('00 00 00 3c'));
  });

  test.each([
    ['first', `23 00 05 ${all}`],
    ['last', `${all} 23 00 05`],
    ['in the middle', all.replace('03 00 01', '23 00 05 03 00 01')],
    ['before the expiry', all.replace('02 00 00 00 3c', '23 00 05 02 00 00 00 3c')],
  ])('takes a Topic Alias out of it: %s', (_name, properties) => {
    const parts = view(`30 2d 00 01 "a" 27 ${properties} "hi"`, 5);
    expect(parts).toMatchObject({ topicAlias: 5, messageExpiryInterval: 60, topic: 'a', payload: 'hi' });
    expect(parts.properties).toEqual(bytes(all));
    expect(parts.expiryBytes).toEqual(bytes('00 00 00 3c'));
  });

  test('a Topic Alias alone, with and without Topic Name', () => {
    expect(view('30 09 00 01 "a" 03 23 00 0a "hi"', 5)).toMatchObject({ topic: 'a', topicAlias: 10 });
    const alone = view('30 08 00 00 03 23 ff ff "hi"', 5);
    expect(alone).toMatchObject({ topic: '', topicAlias: 65_535, payload: 'hi' });
    expect(alone.properties).toHaveLength(0);
  });

  test('nothing of the packet before', () => {
    const result = new PublishView();
    const first = bytes('3d 0f 00 01 "a" 00 07 08 02 00 00 00 3c 23 00 01 "x"');
    readPublish(0x3d, first, 2, first.length, 5, result);
    expect(result).toMatchObject({ topicAlias: 1, messageExpiryInterval: 60 });
    const second = bytes('30 04 00 01 "b" 00');
    readPublish(0x30, second, 2, second.length, 5, result);
    expect(result).toMatchObject({ ...plain, expiryOffset: -1, propertiesStart: 6, propertiesEnd: 6, payloadStart: 6 });
  });
});

const malformed: readonly [name: string, source: string, version: ProtocolVersion, reasonCode: number][] = [
  ['v5 [MQTT-3.3.1-4] QoS 3', '36 06 00 01 "a" 00 01 00', 5, 0x81],
  ['v311 [MQTT-3.3.1-4] QoS 3', '36 05 00 01 "a" 00 01', 4, 0x81],
  ['v5 [MQTT-3.3.1-2] DUP with QoS 0', '38 04 00 01 "a" 00', 5, 0x81],
  ['v311 [MQTT-3.3.1-2] DUP with QoS 0', '39 03 00 01 "a"', 4, 0x81],
  ['an empty packet', '30 00', 4, 0x81],
  ['half a length', '30 01 00', 4, 0x81],
  ['a Topic Name beyond the end', '30 03 00 02 "a"', 4, 0x81],
  ['no Packet Identifier', '32 03 00 01 "a"', 4, 0x81],
  ['half a Packet Identifier', '32 04 00 01 "a" 00', 4, 0x81],
  ['v5 [MQTT-2.2.1-3] Packet Identifier 0', '32 06 00 01 "a" 00 00 00', 5, 0x82],
  ['no Topic Name in 3.x', '30 02 00 00', 4, 0x81],
  ['neither Topic Name nor Topic Alias', '30 03 00 00 00', 5, 0x81],
  ['no Property Length', '30 03 00 01 "a"', 5, 0x81],
  ['a Property Length beyond the end', '30 04 00 01 "a" 01', 5, 0x81],
  ['a padded Property Length', '30 05 00 01 "a" 80 00', 5, 0x81],
  ['an unknown property', '30 06 00 01 "a" 02 04 00', 5, 0x81],
  ['a property of CONNECT', '30 07 00 01 "a" 03 21 00 01', 5, 0x81],
  ['a property identifier of two bytes', '30 06 00 01 "a" 02 ff 7f', 5, 0x81],
  ['an identifier without value', '30 05 00 01 "a" 01 01', 5, 0x81],
  ['an expiry cut short', '30 08 00 01 "a" 04 02 00 00 00', 5, 0x81],
  ['an alias cut short', '30 06 00 01 "a" 02 23 00', 5, 0x81],
  ['a string whose length is cut short', '30 06 00 01 "a" 02 03 00', 5, 0x81],
  ['a string cut short', '30 08 00 01 "a" 03 03 00 01 61', 5, 0x81],
  ['Correlation Data cut short', '30 08 00 01 "a" 04 09 00 02 00', 5, 0x81],
  ['an ill-formed Content Type', '30 08 00 01 "a" 04 03 00 01 ff', 5, 0x81],
  ['an ill-formed User Property', '30 0a 00 01 "a" 06 26 00 00 00 01 1f', 5, 0x81],
  ['Payload Format Indicator 2', '30 06 00 01 "a" 02 01 02', 5, 0x82],
  ['two Payload Format Indicators', '30 08 00 01 "a" 04 01 00 01 00', 5, 0x82],
  ['two Content Types', '30 0a 00 01 "a" 06 03 00 00 03 00 00', 5, 0x82],
  ['two Topic Aliases', '30 0a 00 01 "a" 06 23 00 01 23 00 01', 5, 0x82],
  ['two expiries', '30 0e 00 01 "a" 0a 02 00 00 00 01 02 00 00 00 01', 5, 0x82],
  ['v5 [MQTT-3.3.2-8] Topic Alias 0', '30 07 00 01 "a" 03 23 00 00', 5, 0x94],
  ['v5 [MQTT-3.3.4-6] a Subscription Identifier', '30 06 00 01 "a" 02 0b 01', 5, 0x82],
  ['v5 [MQTT-3.3.2-14] a Response Topic with a wildcard', '30 0a 00 01 "a" 06 08 00 03 "a/+"', 5, 0x82],
  ['an empty Response Topic', '30 07 00 01 "a" 03 08 00 00', 5, 0x82],
];

describe('refuses, in place and as a packet,', () => {
  test.each(malformed)('%s', (_name, source, version, reasonCode) => {
    expect(protocolErrorOf(() => view(source, version)).reasonCode).toBe(reasonCode);
    expect(protocolErrorOf(() => decodeBytes(source, version, 'client')).reasonCode).toBe(reasonCode);
  });

  test('a cut at every byte of the header, never misread', () => {
    const packet = bytes('32 1b 00 03 "a/b" 00 07 13 02 00 00 00 3c 03 00 01 "t" 26 00 01 "k" 00 01 "v" 23 00 01');
    for (let length = 0; length < packet.length - 2; length++) {
      protocolErrorOf(() => readPublish(0x32, packet, 2, 2 + length, 5, new PublishView()));
    }
  });
});

describe('as a packet', () => {
  const packet: PublishPacket = {
    type: 'publish',
    topic: 'é/b',
    payload: Buffer.from([0x00, 0xff]),
    qos: 2,
    retain: true,
    dup: true,
    packetId: 258,
    properties: { subscriptionIdentifiers: [1, 1], contentType: 't' },
  };

  test('v5 is written and read, with the identifiers that only a server sends', () => {
    const source = '3d 13 00 04 "é/b" 01 02 08 0b 01 0b 01 03 00 01 "t" 00 ff';
    expect(encodePacket(packet, 5)).toEqual(bytes(source));
    expect(decodeBytes(source, 5, 'server')).toEqual(packet);
    expect(protocolErrorOf(() => decodeBytes(source, 5, 'client')).reasonCode).toBe(0x82);
  });

  test('3.x leaves properties out', () => {
    const source = '3d 0a 00 04 "é/b" 01 02 00 ff';
    expect(encodePacket(packet, 4)).toEqual(bytes(source));
    expect(decodeBytes(source, 4, 'server')).toEqual({ ...packet, properties: {} });
  });

  test('QoS 0 has no Packet Identifier, and no flag that is not set', () => {
    const { packetId: _, ...unnumbered } = packet;
    const plain = { ...unnumbered, topic: 'a', qos: 0 as const, retain: false, dup: false, properties: {} };
    expect(encodePacket({ ...plain, packetId: 0 }, 5)).toEqual(bytes('30 06 00 01 "a" 00 00 ff'));
    expect(decodeBytes('30 06 00 01 "a" 00 00 ff', 5, 'server')).toEqual({ ...plain, packetId: 0 });
  });

  test('v5 a Topic Alias may stand for the Topic Name', () => {
    const read = decodeBytes('30 06 00 00 03 23 00 07', 5, 'server');
    expect(read).toMatchObject({ topic: '', properties: { topicAlias: 7 } });
    expect(protocolErrorOf(() => decodeBytes('30 07 00 01 "a" 03 23 00 00', 5, 'server')).reasonCode).toBe(0x94);
  });

  test('the Topic Name is checked too', () => {
    expect(protocolErrorOf(() => decodeBytes('30 03 00 01 "#"', 4, 'client')).statement).toBe('MQTT-3.3.2-2');
    expect(protocolErrorOf(() => decodeBytes('30 03 00 01 ff', 4, 'client')).statement).toBe('MQTT-1.5.4-1');
    // Not in place: that is the route cache's affair, once per topic.
    expect(view('30 03 00 01 "#"', 4).topic).toBe('#');
  });
});
