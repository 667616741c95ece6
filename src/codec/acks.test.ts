import { describe, expect, test } from 'vitest';
import { bytes, decodeBytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { ACK_SIZE_MAX, writeAck } from './acks.ts';
import { encodePacket } from './encode.ts';
import type { AckPacket } from './packet.ts';

const puback: AckPacket = { type: 'puback', packetId: 0x1234, reasonCode: 0x00, properties: {} };

describe('v5 short forms', () => {
  test('length 2 means success, length 3 no properties, and both are written where they do', () => {
    expect(decodeBytes('40 02 12 34', 5, 'client')).toEqual(puback);
    expect(encodePacket(puback, 5)).toEqual(bytes('40 02 12 34'));
    const none: AckPacket = { ...puback, reasonCode: 0x10 };
    expect(decodeBytes('40 03 12 34 10', 5, 'client')).toEqual(none);
    expect(encodePacket(none, 5)).toEqual(bytes('40 03 12 34 10'));
  });

  test('the long forms say the same', () => {
    expect(decodeBytes('40 03 12 34 00', 5, 'client')).toEqual(puback);
    expect(decodeBytes('40 04 12 34 00 00', 5, 'client')).toEqual(puback);
  });

  test('properties need a Reason Code in front', () => {
    const explained: AckPacket = { ...puback, properties: { reasonString: 'ok' } };
    const source = '40 09 12 34 00 05 1f 00 02 "ok"';
    expect(decodeBytes(source, 5, 'client')).toEqual(explained);
    expect(encodePacket(explained, 5)).toEqual(bytes(source));
  });
});

test('each type has its first byte', () => {
  expect(encodePacket({ type: 'pubrec', packetId: 1, reasonCode: 0x97, properties: {} }, 5)).toEqual(
    bytes('50 03 00 01 97'),
  );
  expect(encodePacket({ type: 'pubrel', packetId: 1, reasonCode: 0x92, properties: {} }, 5)).toEqual(
    bytes('62 03 00 01 92'),
  );
  expect(encodePacket({ type: 'pubcomp', packetId: 1, reasonCode: 0x92, properties: {} }, 5)).toEqual(
    bytes('70 03 00 01 92'),
  );
});

test('3.x carries the Packet Identifier alone', () => {
  expect(encodePacket({ ...puback, reasonCode: 0x87 }, 4)).toEqual(bytes('40 02 12 34'));
  expect(decodeBytes('62 02 00 07', 3, 'client')).toMatchObject({ type: 'pubrel', packetId: 7, reasonCode: 0 });
  expect(protocolErrorOf(() => decodeBytes('40 03 12 34 00', 4, 'client')).reasonCode).toBe(0x81);
});

test.each([
  ['[MQTT-2.2.1-3] Packet Identifier 0', '40 02 00 00', 0x82],
  ['no Packet Identifier', '40 01 12', 0x81],
  ['[MQTT-3.4.2-1] an unlisted code in PUBACK', '40 03 12 34 92', 0x82],
  ['[MQTT-3.6.2-1] an unlisted code in PUBREL', '62 03 12 34 10', 0x82],
  ['[MQTT-3.7.2-1] an unlisted code in PUBCOMP', '70 03 12 34 80', 0x82],
  ['a property of another packet', '40 06 12 34 00 02 01 00', 0x81],
  ['surplus bytes', '40 05 12 34 00 00 00', 0x81],
])('v5 refuses %s', (_name, source, reasonCode) => {
  expect(protocolErrorOf(() => decodeBytes(source, 5, 'client')).reasonCode).toBe(reasonCode);
});

test('0x95 is no code of PUBACK, but Mosquitto sends it', () => {
  expect(decodeBytes('40 03 12 34 95', 5, 'server')).toMatchObject({ type: 'puback', reasonCode: 0x95 });
  expect(decodeBytes('50 03 12 34 95', 5, 'server')).toMatchObject({ type: 'pubrec', reasonCode: 0x95 });
  expect(protocolErrorOf(() => decodeBytes('40 03 12 34 95', 5, 'client')).reasonCode).toBe(0x82);
  expect(protocolErrorOf(() => decodeBytes('62 03 12 34 95', 5, 'server')).reasonCode).toBe(0x82);
});

describe('without allocation', () => {
  test('writeAck writes the shortest form in place', () => {
    const target = Buffer.alloc(2 + ACK_SIZE_MAX, 0xee);
    expect(writeAck(target, 1, 'puback', 0xabcd, 0x10, 5)).toBe(6);
    expect(target).toEqual(bytes('ee 40 03 ab cd 10 ee'));
    expect(writeAck(target, 0, 'pubrec', 0x0102, 0x87, 4)).toBe(4); // 3.x has no codes
    expect(target).toEqual(bytes('50 02 01 02 cd 10 ee'));
    expect(writeAck(target, 0, 'pubrel', 1, 0, 5)).toBe(4);
    expect(writeAck(target, 4, 'pubcomp', 2, 0, 5)).toBe(8);
    expect(target.subarray(0, 7)).toEqual(bytes('62 02 00 01 70 02 00'));
  });
});
