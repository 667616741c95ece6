import { describe, expect, test } from 'vitest';
import { bytes, decodeBytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { encodePacket } from './encode.ts';

describe('UNSUBSCRIBE', () => {
  test.each([
    [5, 'a2 10  00 0b  07 26 00 01 "k" 00 01 "v"  00 01 "a" 00 01 "#"', { userProperties: [['k', 'v']] }],
    [4, 'a2 08  00 0b  00 01 "a" 00 01 "#"', {}],
    [3, 'a2 08  00 0b  00 01 "a" 00 01 "#"', {}],
  ] as const)('v%d is read and written', (version, source, properties) => {
    const packet = decodeBytes(source, version, 'client');
    expect(packet).toEqual({ type: 'unsubscribe', packetId: 11, properties, filters: ['a', '#'] });
    expect(encodePacket(packet, version)).toEqual(bytes(source));
  });

  test.each([
    ['Packet Identifier 0, which Mosquitto calls malformed', 'a2 06  00 00 00  00 01 "a"', 0x81],
    ['[MQTT-3.10.3-2] no Topic Filter', 'a2 03  00 01 00', 0x81],
    ['an empty Topic Filter', 'a2 05  00 01 00  00 00', 0x81],
    ['[MQTT-3.10.3-1] an ill-formed Topic Filter', 'a2 06  00 01 00  00 01 c3', 0x81],
    ['a Topic Filter cut short', 'a2 06  00 01 00  00 02 "a"', 0x81],
    ['a property of another packet', 'a2 08  00 01 02 0b 01  00 01 "a"', 0x81],
  ])('v5 refuses %s', (_name, source, reasonCode) => {
    expect(protocolErrorOf(() => decodeBytes(source, 5, 'client')).reasonCode).toBe(reasonCode);
  });
});

describe('UNSUBACK', () => {
  test('v5 carries a Reason Code per filter, 3.x none', () => {
    const packet = { type: 'unsuback', packetId: 11, properties: {}, reasonCodes: [0x00, 0x11] } as const;
    expect(encodePacket(packet, 5)).toEqual(bytes('b0 05 00 0b 00 00 11'));
    expect(decodeBytes('b0 05 00 0b 00 00 11', 5, 'server')).toEqual(packet);
    expect(encodePacket(packet, 4)).toEqual(bytes('b0 02 00 0b'));
    expect(decodeBytes('b0 02 00 0b', 4, 'server')).toEqual({ ...packet, reasonCodes: [] });
  });

  test.each([
    ['an unlisted code', 'b0 04 00 0b 00 01', 5, 0x82],
    ['no code', 'b0 03 00 0b 00', 5, 0x81],
    ['surplus bytes in 3.1.1', 'b0 03 00 0b 00', 4, 0x81],
  ] as const)('refuses %s', (_name, source, version, reasonCode) => {
    expect(protocolErrorOf(() => decodeBytes(source, version, 'server')).reasonCode).toBe(reasonCode);
  });
});
