import { describe, expect, test } from 'vitest';
import { bytes, decodeBytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { encodePacket } from './encode.ts';

describe('SUBSCRIBE', () => {
  const source5 = `
    82 10
    00 0a             -- Packet Identifier 10
    03 0b 80 01       -- Subscription Identifier 128
    00 03 "a/+" 2e    -- Retain Handling 2, Retain As Published, No Local, QoS 2
    00 01 "#" 01      -- QoS 1
  `;

  test('v5 is read and written with identifier and options', () => {
    const packet = decodeBytes(source5, 5, 'client');
    expect(packet).toEqual({
      type: 'subscribe',
      packetId: 10,
      properties: { subscriptionIdentifiers: [128] },
      subscriptions: [
        { filter: 'a/+', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
        { filter: '#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
    });
    expect(encodePacket(packet, 5)).toEqual(bytes(source5));
  });

  test('3.x has the QoS alone', () => {
    const source = '82 0a  00 01  00 01 "a" 02  00 01 "b" 00';
    const packet = decodeBytes(source, 4, 'client');
    expect(packet).toMatchObject({
      subscriptions: [
        { filter: 'a', qos: 2, noLocal: false },
        { filter: 'b', qos: 0 },
      ],
    });
    expect(encodePacket(packet, 4)).toEqual(bytes(source));
    // Options of a 5.0 subscription have no place in 3.x.
    expect(encodePacket(decodeBytes(source5, 5, 'client'), 4)).toEqual(
      bytes('82 0c  00 0a  00 03 "a/+" 02  00 01 "#" 01'),
    );
  });

  test('MQTT 3.1 does not use the upper six bits, 3.1.1 forbids them', () => {
    expect(decodeBytes('82 06  00 01  00 01 "a" fd', 3, 'client')).toMatchObject({ subscriptions: [{ qos: 1 }] });
    expect(protocolErrorOf(() => decodeBytes('82 06  00 01  00 01 "a" 05', 4, 'client')).reasonCode).toBe(0x81);
  });

  test.each([
    ['[MQTT-2.2.1-3] Packet Identifier 0', '82 07  00 00 00  00 01 "a" 00', 0x82],
    ['[MQTT-3.8.3-2] no Topic Filter', '82 03  00 01 00', 0x81],
    ['a Topic Filter without options', '82 06  00 01 00  00 01 "a"', 0x81],
    ['[MQTT-4.7.3-1] an empty Topic Filter', '82 06  00 01 00  00 00 00', 0x81],
    ['[MQTT-3.8.3-1] an ill-formed Topic Filter', '82 07  00 01 00  00 01 ff 00', 0x81],
    ['QoS 3', '82 07  00 01 00  00 01 "a" 03', 0x81],
    ['Retain Handling 3', '82 07  00 01 00  00 01 "a" 30', 0x81],
    ['[MQTT-3.8.3-5] reserved options', '82 07  00 01 00  00 01 "a" 40', 0x81],
    ['[MQTT-3.8.3-4] No Local on a Shared Subscription', '82 10  00 01 00  00 0a "$share/g/a" 04', 0x82],
    ['Subscription Identifier 0', '82 09  00 01 02 0b 00  00 01 "a" 00', 0x82],
    ['two Subscription Identifiers', '82 0b  00 01 04 0b 01 0b 02  00 01 "a" 00', 0x82],
    ['a property of another packet', '82 09  00 01 02 01 00  00 01 "a" 00', 0x81],
    ['no Property Length', '82 02  00 01', 0x81],
  ])('v5 refuses %s', (_name, source, reasonCode) => {
    expect(protocolErrorOf(() => decodeBytes(source, 5, 'client')).reasonCode).toBe(reasonCode);
  });

  test('No Local is fine on other filters and 0 on shared ones', () => {
    expect(decodeBytes('82 10  00 01 00  00 0a "$share/g/a" 00', 5, 'client')).toMatchObject({ type: 'subscribe' });
    expect(decodeBytes('82 0c  00 01 00  00 06 "$share" 04', 5, 'client')).toMatchObject({ type: 'subscribe' });
  });
});

describe('SUBACK', () => {
  test('v5 carries Reason Codes and properties', () => {
    const source = '90 0a  00 0a  04 1f 00 01 "x"  00 02 87';
    const packet = decodeBytes(source, 5, 'server');
    expect(packet).toEqual({
      type: 'suback',
      packetId: 10,
      properties: { reasonString: 'x' },
      reasonCodes: [0x00, 0x02, 0x87],
    });
    expect(encodePacket(packet, 5)).toEqual(bytes(source));
  });

  test('3.1.1 says 0x80 for every refusal, MQTT 3.1 has none', () => {
    const packet = { type: 'suback', packetId: 1, properties: {}, reasonCodes: [0x01, 0x87, 0x8f] } as const;
    expect(encodePacket(packet, 4)).toEqual(bytes('90 05 00 01 01 80 80'));
    expect(encodePacket(packet, 3)).toEqual(bytes('90 05 00 01 01 00 00'));
    expect(decodeBytes('90 04 00 01 02 80', 4, 'server')).toMatchObject({ reasonCodes: [2, 0x80] });
  });

  test.each([
    ['an unlisted code', '90 04 00 01 00 03', 5, 0x82],
    ['no code', '90 03 00 01 00', 5, 0x81],
    ['a code of 5.0 in 3.1.1', '90 03 00 01 87', 4, 0x82],
    ['no code in 3.1.1', '90 02 00 01', 4, 0x81],
    ['Packet Identifier 0', '90 03 00 00 00', 4, 0x82],
  ] as const)('refuses %s', (_name, source, version, reasonCode) => {
    expect(protocolErrorOf(() => decodeBytes(source, version, 'server')).reasonCode).toBe(reasonCode);
  });
});
