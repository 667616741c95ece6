import { expect, test } from 'vitest';
import { decodePacket, encodeAck, encodeConnect, encodePublish, encodeSubscribe, type Packet } from './codec.ts';
import { matchesFilter } from './match.ts';
import { PacketStream } from './packet-stream.ts';

const bytes = (...parts: (number | string)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])));

test('CONNECT of 3.1.1 and 5.0', () => {
  const options = { clientId: 'me', keepAliveSeconds: 30, username: 'u', password: 'p' };
  expect(encodeConnect({ ...options, level: 4 })).toEqual(
    // Remaining Length 20; MQTT, level 4; user name, password, clean session; keep alive 30; id; user; password.
    bytes(0x10, 20, 0, 4, 'MQTT', 4, 0xc2, 0, 30, 0, 2, 'me', 0, 1, 'u', 0, 1, 'p'),
  );
  expect(encodeConnect({ level: 5, clientId: '', keepAliveSeconds: 60 })).toEqual(
    // Clean start; no properties; empty id.
    bytes(0x10, 13, 0, 4, 'MQTT', 5, 0x02, 0, 60, 0, 0, 0),
  );
});

test('SUBSCRIBE', () => {
  expect(encodeSubscribe(4, 1, ['a/#'])).toEqual(bytes(0x82, 8, 0, 1, 0, 3, 'a/#', 0));
  // 5.0: no properties; Retain As Published.
  expect(encodeSubscribe(5, 258, ['#'])).toEqual(bytes(0x82, 7, 1, 2, 0, 0, 1, '#', 8));
});

test('PUBLISH with every property, there and back', () => {
  const publish = {
    topic: 't',
    payload: bytes('hi'),
    qos: 1 as const,
    retain: true,
    packetId: 7,
    properties: {
      payloadFormatIndicator: 1 as const,
      messageExpiryIntervalSeconds: 0x0102_0304,
      contentType: 'c',
      responseTopic: 'r',
      correlationData: 'AP8=',
      userProperties: [['k', 'v']] as [string, string][],
    },
  };
  const encoded = encodePublish(5, publish);
  expect(encoded).toEqual(
    bytes(
      ...[0x33, 35], // QoS 1, retain
      ...[0, 1, 't', 0, 7], // topic, Packet Identifier
      ...[
        27,
        0x01,
        1,
        0x02,
        1,
        2,
        3,
        4,
        0x03,
        0,
        1,
        'c',
        0x08,
        0,
        1,
        'r',
        0x09,
        0,
        2,
        0,
        255,
        0x26,
        0,
        1,
        'k',
        0,
        1,
        'v',
      ],
      'hi',
    ),
  );
  expect(decodePacket(5, 0x33, encoded.subarray(2))).toEqual({ type: 'publish', ...publish });
});

test('acknowledgements with and without a Reason Code', () => {
  expect(encodeAck('pubrel', 3)).toEqual(bytes(0x62, 2, 0, 3));
  expect(decodePacket(5, 0x40, bytes(0, 3, 0x10))).toMatchObject({ of: 'puback', packetId: 3, reasonCode: 0x10 });
  expect(decodePacket(4, 0x40, bytes(0, 3))).toMatchObject({ of: 'puback', reasonCode: 0 });
  expect(decodePacket(4, 0x20, bytes(0, 5))).toEqual({ type: 'connack', reasonCode: 5 });
});

test('packets are cut out of whatever pieces arrive', () => {
  const whole = bytes(0xd0, 0, 0x30, 5, 0, 1, 't', 'hi', 0x40, 2, 0, 9);
  for (let size = 1; size <= whole.length; size++) {
    const seen: Packet[] = [];
    const stream = new PacketStream(100, (first, body) => seen.push(decodePacket(4, first, body)));
    for (let at = 0; at < whole.length; at += size) stream.push(whole.subarray(at, at + size));
    expect(seen.map((packet) => packet.type)).toEqual(['other', 'publish', 'ack']);
  }
});

test('a packet that is too large, cut short or no packet is an error', () => {
  const stream = new PacketStream(10, () => undefined);
  expect(() => stream.push(bytes(0x30, 11))).toThrow(RangeError);
  expect(() => new PacketStream(10, () => undefined).push(bytes(0x30, 255, 255, 255, 255))).toThrow(RangeError);
  expect(() => decodePacket(4, 0x30, bytes(0, 9, 't'))).toThrow(RangeError);
});

test.each([
  ['#', 'a/b', true],
  ['#', '$SYS/x', false],
  ['+/x', '$SYS/x', false],
  ['$SYS/#', '$SYS/x', true],
  ['a/#', 'a', true],
  ['a/+', 'a', false],
  ['a/+/c', 'a//c', true],
  ['a/b', 'a/b/c', false],
])('%s on %s: %s', (filter, topic, matches) => {
  expect(matchesFilter(filter, topic)).toBe(matches);
});
