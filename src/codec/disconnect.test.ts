import { describe, expect, test } from 'vitest';
import { bytes, decodeBytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { encodePacket } from './encode.ts';

describe('DISCONNECT', () => {
  test('v5 has three forms', () => {
    expect(decodeBytes('e0 00', 5, 'client')).toEqual({ type: 'disconnect', reasonCode: 0, properties: {} });
    expect(decodeBytes('e0 01 04', 5, 'client')).toEqual({ type: 'disconnect', reasonCode: 4, properties: {} });
    const source = 'e0 07 00 05 11 00 00 00 0a';
    const packet = decodeBytes(source, 5, 'client');
    expect(packet).toEqual({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 10 } });
    expect(encodePacket(packet, 5)).toEqual(bytes(source));
  });

  test('is written in the shortest form', () => {
    expect(encodePacket({ type: 'disconnect', reasonCode: 0x8e, properties: {} }, 5)).toEqual(bytes('e0 01 8e'));
    expect(encodePacket({ type: 'disconnect', reasonCode: 0, properties: {} }, 5)).toEqual(bytes('e0 00'));
    expect(encodePacket({ type: 'disconnect', reasonCode: 0x8e, properties: { reasonString: 'x' } }, 4)).toEqual(
      bytes('e0 00'),
    );
  });

  test.each([
    ['[MQTT-3.14.2-1] an unlisted code', 'e0 01 05', 0x82],
    ['[MQTT-3.14.1-1] reserved flags', 'e1 00', 0x81],
    ['surplus bytes', 'e0 03 00 00 00', 0x81],
    ['a property that only the server sends', 'e0 06 00 04 1c 00 01 "s"', 0x82],
    ['a property of another packet', 'e0 04 00 02 01 00', 0x81],
  ])('v5 refuses %s', (_name, source, reasonCode) => {
    expect(protocolErrorOf(() => decodeBytes(source, 5, 'client')).reasonCode).toBe(reasonCode);
  });

  test('v5 from the server: Server Reference, but no Session Expiry Interval', () => {
    expect(decodeBytes('e0 06 9c 04 1c 00 01 "s"', 5, 'server')).toMatchObject({
      properties: { serverReference: 's' },
    });
    expect(protocolErrorOf(() => decodeBytes('e0 07 00 05 11 00 00 00 0a', 5, 'server')).reasonCode).toBe(0x82);
  });

  test('3.x has no body', () => {
    expect(decodeBytes('e0 00', 4, 'client')).toMatchObject({ reasonCode: 0 });
    expect(protocolErrorOf(() => decodeBytes('e0 01 00', 4, 'client')).reasonCode).toBe(0x81);
  });
});

describe('PINGREQ and PINGRESP', () => {
  test('are two bytes', () => {
    expect(decodeBytes('c0 00', 5, 'client')).toEqual({ type: 'pingreq' });
    expect(decodeBytes('d0 00', 4, 'server')).toEqual({ type: 'pingresp' });
    expect(encodePacket({ type: 'pingreq' }, 5)).toEqual(bytes('c0 00'));
    expect(encodePacket({ type: 'pingresp' }, 5)).toEqual(bytes('d0 00'));
  });

  test('with a body close without a word, in 5.0 too', () => {
    expect(protocolErrorOf(() => decodeBytes('c0 01 00', 5, 'client')).silent).toBe(true);
    expect(protocolErrorOf(() => decodeBytes('d0 01 00', 5, 'server')).silent).toBe(true);
  });
});

describe('AUTH', () => {
  const source = 'f0 0d 18 0b 15 00 03 "PSK" 16 00 02 ff 00';

  test('carries method and data', () => {
    const packet = decodeBytes(source, 5, 'client');
    expect(packet).toEqual({
      type: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: 'PSK', authenticationData: bytes('ff 00') },
    });
    expect(encodePacket(packet, 5)).toEqual(bytes(source));
  });

  test.each([
    ['an empty one', 'f0 00', 0x82],
    ['a code alone', 'f0 01 18', 0x82],
    ['no method', 'f0 02 18 00', 0x82],
    ['data without method', 'f0 06 18 04 16 00 01 00', 0x82],
    ['[MQTT-3.15.2-1] an unlisted code', 'f0 08 17 06 15 00 03 "PSK"', 0x82],
    ['[MQTT-3.15.2-1] 0x00 from a client', 'f0 08 00 06 15 00 03 "PSK"', 0x82],
    ['[MQTT-3.15.1-1] reserved flags', 'f1 08 18 06 15 00 03 "PSK"', 0x81],
    ['surplus bytes', 'f0 09 18 06 15 00 03 "PSK" 00', 0x81],
  ])('refuses %s', (_name, bad, reasonCode) => {
    expect(protocolErrorOf(() => decodeBytes(bad, 5, 'client')).reasonCode).toBe(reasonCode);
  });

  test('0x00 comes from the server and 0x19 from the client', () => {
    expect(decodeBytes('f0 08 00 06 15 00 03 "PSK"', 5, 'server')).toMatchObject({ reasonCode: 0 });
    expect(decodeBytes('f0 08 19 06 15 00 03 "PSK"', 5, 'client')).toMatchObject({ reasonCode: 0x19 });
    expect(protocolErrorOf(() => decodeBytes('f0 08 19 06 15 00 03 "PSK"', 5, 'server')).reasonCode).toBe(0x82);
  });
});
