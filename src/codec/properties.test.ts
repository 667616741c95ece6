import { describe, expect, test } from 'vitest';
import { bytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { InvariantViolation } from '../base/invariant.ts';
import type { Side } from './fixed-header.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import {
  copySectionWithout,
  decodeForwardableSection,
  encodeForwardableSection,
  expiryOffsetIn,
} from './property-section.ts';
import type { Properties, PropertyOwner } from './property-table.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

function read(source: string, owner: PropertyOwner, from: Side): Properties {
  const buf = bytes(source);
  const reader = new Reader('TEST', buf, 0, buf.length);
  const properties = readProperties(reader, owner, from);
  reader.done();
  return properties;
}

function write(properties: Properties, owner: PropertyOwner): Buffer {
  const writer = new Writer(propertiesSize(properties));
  writeProperties(writer, properties, owner);
  return writer.finish();
}

describe('reads and writes', () => {
  test.each<[PropertyOwner, Side, string, Properties]>([
    ['publish', 'server', '02 01 01', { payloadFormatIndicator: 1 }],
    ['publish', 'server', '05 02 ff ff ff ff', { messageExpiryInterval: 0xffff_ffff }],
    ['publish', 'server', '03 03 00 00', { contentType: '' }],
    ['publish', 'server', '06 08 00 03 "a/b"', { responseTopic: 'a/b' }],
    ['publish', 'server', '05 09 00 02 00 ff', { correlationData: Buffer.from([0x00, 0xff]) }],
    ['publish', 'server', '07 0b 01 0b ff ff ff 7f', { subscriptionIdentifiers: [1, 268_435_455] }],
    ['subscribe', 'client', '03 0b 80 01', { subscriptionIdentifiers: [128] }],
    ['connect', 'client', '05 11 00 00 00 05', { sessionExpiryInterval: 5 }],
    ['connack', 'server', '05 12 00 02 "id"', { assignedClientIdentifier: 'id' }],
    ['connack', 'server', '03 13 00 3c', { serverKeepAlive: 60 }],
    [
      'auth',
      'client',
      '08 15 00 01 "m" 16 00 01 00',
      { authenticationMethod: 'm', authenticationData: Buffer.from([0]) },
    ],
    ['connect', 'client', '04 17 01 19 00', { requestProblemInformation: true, requestResponseInformation: false }],
    ['will', 'client', '05 18 00 00 01 00', { willDelayInterval: 256 }],
    ['connack', 'server', '04 1a 00 01 "r"', { responseInformation: 'r' }],
    ['disconnect', 'server', '04 1c 00 01 "s"', { serverReference: 's' }],
    ['suback', 'server', '05 1f 00 02 "no"', { reasonString: 'no' }],
    ['connect', 'client', '06 21 ff ff 22 00 00', { receiveMaximum: 65_535, topicAliasMaximum: 0 }],
    ['publish', 'client', '03 23 00 0a', { topicAlias: 10 }],
    ['connack', 'server', '04 24 01 25 00', { maximumQos: 1, retainAvailable: false }],
    ['connect', 'client', '05 27 00 00 00 01', { maximumPacketSize: 1 }],
    [
      'connack',
      'server',
      '06 28 00 29 01 2a 00',
      {
        wildcardSubscriptionAvailable: false,
        subscriptionIdentifierAvailable: true,
        sharedSubscriptionAvailable: false,
      },
    ],
  ])('%s from the %s: %s', (owner, from, source, properties) => {
    expect(read(source, owner, from)).toEqual(properties);
    expect(write(properties, owner)).toEqual(bytes(source));
  });

  test('v5 [MQTT-2.2.2-1] none at all as a length of 0', () => {
    expect(read('00', 'publish', 'client')).toBe(NO_PROPERTIES);
    expect(write({}, 'publish')).toEqual(bytes('00'));
  });

  test('v5 [MQTT-3.3.2-18] User Properties in order, equal names included', () => {
    const source = '15  26 00 01 "b" 00 01 "1"  26 00 01 "a" 00 01 "2"  26 00 01 "b" 00 01 "1"';
    const properties = read(source, 'publish', 'client');
    expect(properties.userProperties).toEqual([
      ['b', '1'],
      ['a', '2'],
      ['b', '1'],
    ]);
    expect(write(properties, 'publish')).toEqual(bytes(source));
  });

  test('a name like those of JavaScript objects as plain text', () => {
    const properties = read('0f  26 00 09 "__proto__" 00 01 "x"', 'publish', 'client');
    expect(properties.userProperties).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(properties)).toBe(Object.prototype);
  });

  test('different properties in any order, written in the order they were set', () => {
    expect(write({ receiveMaximum: 1, topicAliasMaximum: 2 }, 'connect')).toEqual(bytes('06 21 00 01 22 00 02'));
    expect(write({ topicAliasMaximum: 2, receiveMaximum: 1 }, 'connect')).toEqual(bytes('06 22 00 02 21 00 01'));
  });
});

describe('refuses', () => {
  test.each<[string, PropertyOwner, Side, string, number]>([
    ['an unknown property', 'publish', 'client', '02 04 00', 0x81],
    ['an unknown property of two bytes', 'publish', 'client', '02 ff 7f', 0x81],
    ['one that does not belong here', 'publish', 'client', '05 11 00 00 00 00', 0x81],
    ['a Will Delay Interval outside the Will', 'connect', 'client', '05 18 00 00 00 00', 0x81],
    ['a Topic Alias in the Will', 'will', 'client', '03 23 00 01', 0x81],
    ['a length beyond the packet', 'publish', 'client', '03 01 00', 0x81],
    ['a value cut short by the length', 'publish', 'client', '04 02 00 00 00', 0x81],
    ['an identifier alone', 'publish', 'client', '01 01', 0x81],
    ['a string beyond the length', 'publish', 'client', '04 03 00 02 61', 0x81],
    ['a value missing from a User Property', 'publish', 'client', '04 26 00 01 61', 0x81],
    ['a padded length', 'publish', 'client', '80 00', 0x81],
    ['an ill-formed string', 'publish', 'client', '04 03 00 01 ff', 0x81],
    ['an ill-formed name', 'publish', 'client', '06 26 00 01 00 00 00', 0x81],
    ['an ill-formed value', 'publish', 'client', '06 26 00 00 00 01 c3', 0x81],
    ['one that occurs twice', 'publish', 'client', '04 01 00 01 00', 0x82],
    ['one that occurs twice in the Will', 'will', 'client', '04 01 00 01 00', 0x82],
    ['Payload Format Indicator 2', 'publish', 'client', '02 01 02', 0x82],
    ['a Response Topic with a wildcard', 'publish', 'client', '06 08 00 03 "a/#"', 0x82],
    ['an empty Response Topic', 'publish', 'client', '03 08 00 00', 0x82],
    ['a Subscription Identifier from a client', 'publish', 'client', '02 0b 01', 0x82],
    ['Subscription Identifier 0', 'publish', 'server', '02 0b 00', 0x82],
    ['Authentication Data alone', 'connack', 'server', '03 16 00 00', 0x82],
    ['a flag of 2', 'connack', 'server', '02 25 02', 0x82],
  ])('%s', (_name, owner, from, source, reasonCode) => {
    expect(protocolErrorOf(() => read(source, owner, from)).reasonCode).toBe(reasonCode);
  });

  test('nothing where a field was not set', () => {
    expect(write({ contentType: undefined } as unknown as Properties, 'publish')).toEqual(bytes('00'));
  });

  test('to write what we got wrong ourselves', () => {
    expect(() => write({ willDelayInterval: 1 }, 'publish')).toThrow(InvariantViolation);
    expect(() => write({ receiveMaximum: 65_536 }, 'connect')).toThrow(InvariantViolation);
    expect(() => write({ contentType: 'x'.repeat(65_536) }, 'publish')).toThrow(InvariantViolation);
  });
});

describe('the section that travels on', () => {
  const section = bytes(`
    01 01                    -- Payload Format Indicator
    26 00 01 "k" 00 01 "v"   -- User Property
    18 00 00 00 05           -- Will Delay Interval
    09 00 02 18 18           -- Correlation Data that looks like it
    02 00 00 01 00           -- Message Expiry Interval
  `);

  test('is copied without one property, the others in their order', () => {
    expect(copySectionWithout(section, 0, section.length, 0x18)).toEqual(
      bytes('01 01  26 00 01 "k" 00 01 "v"  09 00 02 18 18  02 00 00 01 00'),
    );
    expect(copySectionWithout(section, 0, section.length, 0x03)).toEqual(section);
  });

  test('knows where its Message Expiry Interval is', () => {
    expect(expiryOffsetIn(section, 0, section.length)).toBe(section.length - 4);
    expect(expiryOffsetIn(section, 0, 9)).toBe(-1);
  });

  test('may hold properties of every type', () => {
    const every = bytes(`
      01 01                    -- a byte
      25 00                    -- a flag
      21 00 14                 -- two bytes
      02 00 00 01 00           -- four bytes
      0b ff 7f                 -- a Variable Byte Integer
      03 00 01 "t"             -- a string
      09 00 02 18 18           -- binary data
      26 00 01 "k" 00 01 "v"   -- a pair
    `);
    expect(copySectionWithout(every, 0, every.length, 0x18)).toEqual(every);
    expect(expiryOffsetIn(every, 0, every.length)).toBe(8);
    expect(() => expiryOffsetIn(bytes('7f 00'), 0, 2)).toThrow(InvariantViolation);
  });

  test('is made from properties and read back', () => {
    const properties: Properties = { contentType: 't', messageExpiryInterval: 9, userProperties: [['a', 'b']] };
    const encoded = encodeForwardableSection({ topicAlias: 3, ...properties, willDelayInterval: 2 });
    expect(encoded).toEqual(bytes('03 00 01 "t"  02 00 00 00 09  26 00 01 "a" 00 01 "b"'));
    expect(decodeForwardableSection(encoded, 0, encoded.length)).toEqual(properties);
    expect(encodeForwardableSection({ topicAlias: 3 })).toHaveLength(0);
    expect(decodeForwardableSection(encoded, 2, 2)).toBe(NO_PROPERTIES);
  });

  test('is walked in linear time, whatever it holds', () => {
    const pairs = Buffer.alloc(5 * 200_000); // 26 00 00 00 00
    for (let at = 0; at < pairs.length; at += 5) pairs[at] = 0x26;
    expect(expiryOffsetIn(pairs, 0, pairs.length)).toBe(-1);
    expect(decodeForwardableSection(pairs, 0, pairs.length).userProperties).toHaveLength(200_000);
  });
});
