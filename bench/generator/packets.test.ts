import { describe, expect, test } from 'vitest';
import { encodeConnect, encodeDisconnect, encodePublish, encodeSubscribe, variableByteInteger } from './packets.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (...parts: (number | string)[]): string =>
  hex(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part])))));

describe('variable byte integers', () => {
  test.each([
    [0, [0x00]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [16_383, [0xff, 0x7f]],
    [16_384, [0x80, 0x80, 0x01]],
    [268_435_455, [0xff, 0xff, 0xff, 0x7f]],
  ])('%i', (value, expected) => {
    expect(variableByteInteger(value)).toEqual(expected);
  });

  test.each([-1, 0.5, 268_435_456])('refuses %d', (value) => {
    expect(() => variableByteInteger(value)).toThrow(RangeError);
  });
});

describe('CONNECT', () => {
  test('MQTT 3.1.1, clean session', () => {
    expect(hex(encodeConnect({ level: 4, clientId: 'ab', cleanStart: true }))).toBe(
      bytes(
        ...[0x10, 14], // fixed header
        ...[0, 4, 'MQTT', 4], // protocol name and level
        ...[0x02, 0, 0], // clean session, Keep Alive 0
        ...[0, 2, 'ab'], // Client Identifier
      ),
    );
  });

  test('with a user and a password', () => {
    const credentials = { username: 'u', password: 'pw' };
    expect(hex(encodeConnect({ level: 4, clientId: 'a', cleanStart: true, credentials }))).toBe(
      bytes(0x10, 20, ...[0, 4, 'MQTT', 4], ...[0xc2, 0, 0], ...[0, 1, 'a'], ...[0, 1, 'u'], ...[0, 2, 'pw']),
    );
  });

  test('MQTT 5.0 that keeps its Session', () => {
    expect(hex(encodeConnect({ level: 5, clientId: 'ab', cleanStart: false }))).toBe(
      bytes(
        ...[0x10, 20],
        ...[0, 4, 'MQTT', 5],
        ...[0x00, 0, 0],
        ...[5, 0x11, 0, 0, 0x0e, 0x10], // Session Expiry Interval 3,600 s
        ...[0, 2, 'ab'],
      ),
    );
  });
});

describe('SUBSCRIBE', () => {
  test('MQTT 3.1.1, two filters', () => {
    expect(hex(encodeSubscribe(4, 0x0102, ['a/+', 'b'], 1))).toBe(
      bytes(0x82, 12, 1, 2, ...[0, 3, 'a/+', 1], ...[0, 1, 'b', 1]),
    );
  });

  test('MQTT 5.0 has properties', () => {
    expect(hex(encodeSubscribe(5, 1, ['b'], 2))).toBe(bytes(0x82, 7, 0, 1, 0, ...[0, 1, 'b', 2]));
  });
});

describe('PUBLISH', () => {
  const fields = { retain: false, topicName: 'a/b', packetId: 0x0203, payload: Buffer.from('xy') };

  test('QoS 0 has no Packet Identifier', () => {
    expect(hex(encodePublish({ ...fields, level: 4, qos: 0 }))).toBe(bytes(0x30, 7, 0, 3, 'a/b', 'xy'));
  });

  test('QoS 2, retained, MQTT 5.0', () => {
    expect(hex(encodePublish({ ...fields, level: 5, qos: 2, retain: true }))).toBe(
      bytes(0x35, 10, 0, 3, 'a/b', 2, 3, 0, 'xy'),
    );
  });

  test('a Remaining Length of two bytes', () => {
    const packet = encodePublish({ ...fields, level: 4, qos: 0, payload: Buffer.alloc(200) });
    expect(hex(packet.subarray(0, 5))).toBe(bytes(0x30, 0xcd, 0x01, 0, 3)); // 205 = 0x4d + 0x80, 1
  });
});

test('DISCONNECT', () => {
  expect(hex(encodeDisconnect())).toBe('e000');
});
