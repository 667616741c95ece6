import { expect, test } from 'vitest';
import { bytes, decodeBytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { InvariantViolation } from '../base/invariant.ts';
import { encodePacket } from './encode.ts';
import type { ConnackPacket } from './packet.ts';

const accepted5: ConnackPacket = {
  type: 'connack',
  sessionPresent: false,
  reasonCode: 0x00,
  // Properties are written in the order in which they were set.
  properties: { topicAliasMaximum: 10, maximumPacketSize: 2_000_000, receiveMaximum: 20 },
};

const accepted5Bytes = `
  20 0e 00 00 0b    -- CONNACK, no Session Present, success, Property Length
  22 00 0a          -- Topic Alias Maximum 10
  27 00 1e 84 80    -- Maximum Packet Size 2,000,000
  21 00 14          -- Receive Maximum 20
`;

test('v5 is byte for byte what Mosquitto sends with default settings', () => {
  expect(encodePacket(accepted5, 5)).toEqual(bytes(accepted5Bytes));
  expect(decodeBytes(accepted5Bytes, 5, 'server')).toEqual(accepted5);
});

test('v5 refusals have an empty property list', () => {
  const refused: ConnackPacket = { type: 'connack', sessionPresent: false, reasonCode: 0x87, properties: {} };
  expect(encodePacket(refused, 5)).toEqual(bytes('20 03 00 87 00'));
  expect(decodeBytes('20 03 00 87 00', 5, 'server')).toEqual(refused);
});

test('3.x carries a return code', () => {
  const refused: ConnackPacket = { type: 'connack', sessionPresent: false, reasonCode: 0x85, properties: {} };
  expect(encodePacket(refused, 4)).toEqual(bytes('20 02 00 02'));
  expect(encodePacket(refused, 3)).toEqual(bytes('20 02 00 02'));
  expect(decodeBytes('20 02 00 02', 4, 'server')).toEqual(refused);
  expect(decodeBytes('20 02 00 63', 4, 'server')).toMatchObject({ reasonCode: 0x80 }); // reserved: unspecified
});

test('3.x leaves properties out, and MQTT 3.1 Session Present too', () => {
  const resumed: ConnackPacket = { ...accepted5, sessionPresent: true };
  expect(encodePacket(resumed, 4)).toEqual(bytes('20 02 01 00'));
  expect(encodePacket(resumed, 3)).toEqual(bytes('20 02 00 00'));
  expect(decodeBytes('20 02 01 00', 4, 'server')).toMatchObject({ sessionPresent: true });
  expect(decodeBytes('20 02 01 00', 3, 'server')).toMatchObject({ sessionPresent: false });
});

test('3.x has no CONNACK for a code without return code: asking for one is our mistake', () => {
  const malformed: ConnackPacket = { type: 'connack', sessionPresent: false, reasonCode: 0x81, properties: {} };
  expect(() => encodePacket(malformed, 4)).toThrow(InvariantViolation);
});

test('v5 understands the refusal of a server that knows 3.x only', () => {
  expect(decodeBytes('20 02 00 01', 5, 'server')).toMatchObject({ reasonCode: 0x84 });
  expect(protocolErrorOf(() => decodeBytes('20 02 00 00', 5, 'server')).reasonCode).toBe(0x81); // success needs properties
});

test.each([
  ['[MQTT-3.2.2-1] reserved flags', '20 03 02 00 00', 0x81],
  ['[MQTT-3.2.2-8] a code of another packet', '20 03 00 8e 00', 0x82],
  ['surplus bytes', '20 04 00 00 00 00', 0x81],
  ['no code', '20 01 00', 0x81],
  ['a property of CONNECT', '20 05 00 00 02 17 00', 0x81],
  ['Maximum QoS 2', '20 05 00 00 02 24 02', 0x82],
])('v5 refuses %s', (_name, source, reasonCode) => {
  expect(protocolErrorOf(() => decodeBytes(source, 5, 'server')).reasonCode).toBe(reasonCode);
});

test('v311 refuses surplus bytes', () => {
  expect(protocolErrorOf(() => decodeBytes('20 03 00 00 00', 4, 'server')).reasonCode).toBe(0x81);
});
