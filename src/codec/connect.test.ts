import { describe, expect, test } from 'vitest';
import { bytes, decodeBytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { encodePacket } from './encode.ts';
import type { ConnectPacket } from './packet.ts';

function connect(source: string): ConnectPacket {
  return decodeBytes(source, 4, 'client') as ConnectPacket; // the version given does not matter to a CONNECT
}

/** What a refused CONNECT is answered with. */
function refusal(source: string): string {
  const error = protocolErrorOf(() => connect(source));
  expect(error.message).toMatch(/^CONNECT: /);
  if (error.silent) return 'close';
  return error.connackVersion === 5 ? `v5 ${error.reasonCode.toString(16)}` : `v${error.connackVersion} return code 1`;
}

const least311 = `
  10 0f           -- CONNECT, Remaining Length
  00 04 "MQTT" 04 -- Protocol Name, MQTT 3.1.1
  02              -- Clean Session
  00 3c           -- Keep Alive 60 s
  00 03 "abc"     -- Client Identifier
`;

const least31 = `
  10 11
  00 06 "MQIsdp" 03 -- MQTT 3.1
  02 00 3c
  00 03 "abc"
`;

const least5 = `
  10 10
  00 04 "MQTT" 05 -- MQTT 5.0
  02 00 3c
  00              -- no properties
  00 03 "abc"
`;

const full5 = `
  10 4a
  00 04 "MQTT" 05
  ee                         -- User Name, Password, Will Retain, Will QoS 1, Will, Clean Start
  00 00                      -- no Keep Alive
  13                         -- Property Length
    11 00 00 00 0a           -- Session Expiry Interval 10 s
    21 00 14                 -- Receive Maximum 20
    17 00                    -- Request Problem Information 0
    26 00 01 "k" 00 03 "v=1" -- User Property
  00 02 "id"
  10                         -- length of the Will's properties
    02 00 00 00 3c           -- Message Expiry Interval 60 s
    18 00 00 00 05           -- Will Delay Interval 5 s
    03 00 03 "txt"           -- Content Type
  00 03 "w/t"                -- Will Topic
  00 03 "bye"                -- Will Payload
  00 05 "alice"
  00 04 00 ff 01 02          -- Password: any bytes
`;

describe('reads', () => {
  test('the least CONNECT of each version', () => {
    const common = {
      type: 'connect',
      isBridge: false,
      cleanStart: true,
      keepAliveSeconds: 60,
      clientId: 'abc',
      properties: {},
    };
    expect(connect(least31)).toEqual({ ...common, protocolVersion: 3 });
    expect(connect(least311)).toEqual({ ...common, protocolVersion: 4 });
    expect(connect(least5)).toEqual({ ...common, protocolVersion: 5 });
  });

  test('every field of a 5.0 CONNECT', () => {
    expect(connect(full5)).toEqual({
      type: 'connect',
      protocolVersion: 5,
      isBridge: false,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientId: 'id',
      will: {
        topic: 'w/t',
        payload: Buffer.from('bye'),
        qos: 1,
        retain: true,
        properties: { messageExpiryInterval: 60, willDelayInterval: 5, contentType: 'txt' },
        // What subscribers get: all but Will Delay Interval, in the order received.
        rawProperties: bytes('02 00 00 00 3c  03 00 03 "txt"'),
      },
      username: 'alice',
      password: bytes('00 ff 01 02'),
      properties: {
        sessionExpiryInterval: 10,
        receiveMaximum: 20,
        requestProblemInformation: false,
        userProperties: [['k', 'v=1']],
      },
    });
  });

  test('a Will, User Name and Password in 3.1.1', () => {
    const packet = connect(`
      10 18  00 04 "MQTT" 04
      d4                     -- User Name, Password, Will QoS 2, Will
      00 00  00 00           -- Keep Alive, empty Client Identifier
      00 01 "w" 00 00        -- Will Topic, empty Will Message
      00 01 "u" 00 02 "pw"
    `);
    expect(packet).toMatchObject({ cleanStart: false, clientId: '', username: 'u', password: Buffer.from('pw') });
    expect(packet.will).toMatchObject({ topic: 'w', qos: 2, retain: false, properties: {} });
    expect(packet.will?.payload).toHaveLength(0);
    expect(packet.will?.rawProperties).toHaveLength(0);
  });

  test('a Password without User Name in 5.0', () => {
    const packet = connect('10 12  00 04 "MQTT" 05 42 00 3c 00  00 01 "c"  00 02 "pw"');
    expect(packet.password).toEqual(Buffer.from('pw'));
    expect(packet).not.toHaveProperty('username');
  });

  test("Mosquitto's bridges by bit 7 of the level, in 3.x", () => {
    expect(connect('10 0d  00 04 "MQTT" 84 02 00 3c  00 01 "b"')).toMatchObject({ protocolVersion: 4, isBridge: true });
    expect(connect('10 0f  00 06 "MQIsdp" 83 02 00 3c  00 01 "b"')).toMatchObject({
      protocolVersion: 3,
      isBridge: true,
    });
  });

  test('into bytes of its own', () => {
    const packet = bytes(full5);
    const read = connect(full5);
    packet.fill(0);
    expect(read.password).toEqual(bytes('00 ff 01 02'));
    expect(read.will?.payload).toEqual(Buffer.from('bye'));
  });
});

describe('writes', () => {
  test.each([
    ['3.1', least31],
    ['3.1.1', least311],
    ['5.0', least5],
    ['5.0 with everything', full5],
    ['3.1.1 with a Will, not retained', '10 15  00 04 "MQTT" 04 16 00 3c  00 01 "c"  00 01 "w" 00 03 00 ff 01'],
    ['3.1 with a retained Will', '10 15  00 06 "MQIsdp" 03 26 00 3c  00 01 "c"  00 01 "w" 00 01 "m"'],
    ['3.1.1 of a bridge', '10 0d  00 04 "MQTT" 84 00 00 3c  00 01 "b"'],
  ])('what it read: %s', (_name, source) => {
    const packet = connect(source);
    expect(encodePacket(packet, packet.protocolVersion)).toEqual(bytes(source));
  });
});

describe('Protocol Name and level', () => {
  test('v5 [MQTT-3.1.2-2] an unknown level gets a 5.0 CONNACK', () => {
    expect(refusal('10 0d  00 04 "MQTT" 06 02 00 3c  00 01 "c"')).toBe('v5 84');
    expect(refusal('10 0d  00 04 "MQTT" 02 02 00 3c  00 01 "c"')).toBe('v5 84');
    expect(refusal('10 0f  00 06 "MQIsdp" 05 02 00 3c  00 01 "c"')).toBe('v5 84');
    expect(refusal('10 0d  00 04 "MQTT" 85 02 00 3c  00 01 "c"')).toBe('v5 84');
  });

  test('v311 [MQTT-3.1.2-2] name and level of different 3.x versions get return code 1', () => {
    expect(refusal('10 0d  00 04 "MQTT" 03 02 00 3c  00 01 "c"')).toBe('v4 return code 1');
    expect(refusal('10 0f  00 06 "MQIsdp" 04 02 00 3c  00 01 "c"')).toBe('v4 return code 1');
    expect(refusal('10 0d  00 04 "MQTT" 83 02 00 3c  00 01 "c"')).toBe('v4 return code 1');
  });

  test.each([
    ['another name', '10 0d  00 04 "AMQP" 04 02 00 3c  00 01 "c"'],
    ['another case', '10 0d  00 04 "mqtt" 04 02 00 3c  00 01 "c"'],
    ['a longer name', '10 0e  00 05 "MQTTX" 04 02 00 3c  00 01 "c"'],
    ['a much longer name', '10 10  00 07 "MQIsdpX" 03 02 00 3c  00 01 "c"'],
    ['a length above the packet', '10 06  ff ff "MQTT"'],
    ['an empty packet', '10 00'],
    ['no level', '10 06  00 04 "MQTT"'],
  ])('v5 [MQTT-3.1.2-1] closes on %s', (_name, source) => expect(refusal(source)).toBe('close'));
});

describe('flags', () => {
  test('v5 [MQTT-2.1.3-1] the low nibble of the first byte is reserved, in MQTT 3.1 unused', () => {
    expect(refusal(least5.replace('10 10', '11 10'))).toBe('close');
    expect(refusal(least311.replace('10 0f', '18 0f'))).toBe('close');
    expect(connect(least31.replace('10 11', '1f 11')).clientId).toBe('abc');
  });

  test('v5 [MQTT-3.1.2-3] bit 0 is reserved, in MQTT 3.1 unused', () => {
    expect(refusal('10 0e  00 04 "MQTT" 05 03 00 3c 00  00 01 "c"')).toBe('close');
    expect(refusal('10 0d  00 04 "MQTT" 04 03 00 3c  00 01 "c"')).toBe('close');
    expect(connect('10 0f  00 06 "MQIsdp" 03 03 00 3c  00 01 "c"').cleanStart).toBe(true);
  });

  test('v5 [MQTT-3.1.2-12] Will QoS 3 closes in every version', () => {
    expect(refusal('10 15  00 04 "MQTT" 05 1c 00 3c 00  00 01 "c"  00 00 01 "w" 00 01 "m"')).toBe('close');
    expect(refusal('10 13  00 04 "MQTT" 04 1c 00 3c  00 01 "c"  00 01 "w" 00 01 "m"')).toBe('close');
    expect(refusal('10 15  00 06 "MQIsdp" 03 1c 00 3c  00 01 "c"  00 01 "w" 00 01 "m"')).toBe('close');
  });

  test('v5 [MQTT-3.1.2-11] [MQTT-3.1.2-13] Will QoS and Will Retain need a Will, but not in MQTT 3.1', () => {
    expect(refusal('10 0e  00 04 "MQTT" 05 0a 00 3c 00  00 01 "c"')).toBe('close');
    expect(refusal('10 0d  00 04 "MQTT" 04 22 00 3c  00 01 "c"')).toBe('close');
    expect(connect('10 0f  00 06 "MQIsdp" 03 3a 00 3c  00 01 "c"')).not.toHaveProperty('will');
  });

  test('v311 [MQTT-3.1.2-22] a Password needs a User Name in 3.x', () => {
    expect(refusal('10 11  00 04 "MQTT" 04 42 00 3c  00 01 "c"  00 02 "pw"')).toBe('close');
    expect(refusal('10 13  00 06 "MQIsdp" 03 42 00 3c  00 01 "c"  00 02 "pw"')).toBe('close');
  });

  test('v5 [MQTT-3.1.2-17] a flag without its field closes, in MQTT 3.1 the flag loses', () => {
    expect(refusal('10 0e  00 04 "MQTT" 05 82 00 3c 00  00 01 "c"')).toBe('close');
    expect(refusal('10 0d  00 04 "MQTT" 04 82 00 3c  00 01 "c"')).toBe('close');
    expect(refusal('10 10  00 04 "MQTT" 04 c2 00 3c  00 01 "c"  00 01 "u"')).toBe('close');
    const noUser = connect('10 0f  00 06 "MQIsdp" 03 c2 00 3c  00 01 "c"');
    expect(noUser).not.toHaveProperty('username');
    const noPassword = connect('10 12  00 06 "MQIsdp" 03 c2 00 3c  00 01 "c"  00 01 "u"');
    expect(noPassword.username).toBe('u');
    expect(noPassword).not.toHaveProperty('password');
  });
});

describe('strings', () => {
  test('v5 [MQTT-3.1.3-4] an ill-formed Client Identifier gets 0x85 in 5.0', () => {
    expect(refusal('10 0e  00 04 "MQTT" 05 02 00 3c 00  00 01 ff')).toBe('v5 85');
    expect(refusal('10 0e  00 04 "MQTT" 05 02 00 3c 00  00 01 1f')).toBe('v5 85');
    expect(refusal('10 0d  00 04 "MQTT" 04 02 00 3c  00 01 ff')).toBe('close');
  });

  test('v5 [MQTT-3.1.3-12] an ill-formed User Name closes in every version', () => {
    expect(refusal('10 11  00 04 "MQTT" 05 82 00 3c 00  00 01 "c"  00 01 ff')).toBe('close');
    expect(refusal('10 10  00 04 "MQTT" 04 82 00 3c  00 01 "c"  00 01 00')).toBe('close');
  });

  test('v5 [MQTT-3.1.3-11] the Will Topic is a Topic Name', () => {
    expect(refusal('10 15  00 04 "MQTT" 05 06 00 3c 00  00 01 "c"  00 00 01 ff 00 01 "m"')).toBe('v5 81');
    expect(refusal('10 14  00 04 "MQTT" 05 06 00 3c 00  00 01 "c"  00 00 00 00 01 "m"')).toBe('v5 90');
    expect(refusal('10 15  00 04 "MQTT" 05 06 00 3c 00  00 01 "c"  00 00 01 "+" 00 01 "m"')).toBe('v5 90');
    expect(refusal('10 13  00 04 "MQTT" 04 06 00 3c  00 01 "c"  00 01 "#" 00 01 "m"')).toBe('close');
    expect(refusal('10 12  00 04 "MQTT" 04 06 00 3c  00 01 "c"  00 00 00 01 "m"')).toBe('close');
  });

  test('supplementary characters are fine', () => {
    expect(connect('10 10  00 04 "MQTT" 04 02 00 3c  00 04 "😀"').clientId).toBe('😀');
  });
});

describe('lengths', () => {
  test('bytes behind the last field', () => {
    expect(refusal(`10 0f  00 04 "MQTT" 05 02 00 3c 00  00 01 "c" 00`)).toBe('v5 81');
    expect(refusal(`10 0e  00 04 "MQTT" 04 02 00 3c  00 01 "c" 00`)).toBe('close');
    expect(refusal(`10 10  00 06 "MQIsdp" 03 02 00 3c  00 01 "c" 00`)).toBe('close');
  });

  test('v5 [MQTT-3.1.2-9] missing parts of the Will', () => {
    expect(refusal('10 0e  00 04 "MQTT" 05 06 00 3c 00  00 01 "c"')).toBe('v5 81');
    expect(refusal('10 12  00 04 "MQTT" 05 06 00 3c 00  00 01 "c"  00 00 01 "w"')).toBe('v5 81');
    expect(refusal('10 10  00 04 "MQTT" 04 06 00 3c  00 01 "c"  00 01 "w"')).toBe('close');
  });

  test('a cut at every byte is refused, never misread', () => {
    const packet = bytes(full5);
    for (let length = 0; length < packet.length - 2; length++) {
      const cut = Buffer.concat([Buffer.from([0x10, length]), packet.subarray(2, 2 + length)]);
      protocolErrorOf(() => connect(cut.toString('hex')));
    }
  });
});

describe('properties', () => {
  /** A CONNECT with these properties of `length` bytes. */
  function refusalOf(length: number, properties: string): string {
    const remaining = 14 + length;
    const hex = (value: number) => value.toString(16).padStart(2, '0');
    return refusal(`10 ${hex(remaining)}  00 04 "MQTT" 05 02 00 3c  ${hex(length)} ${properties}  00 01 "c"`);
  }

  test.each([
    ['unknown', 2, '04 00'],
    ['of another packet', 5, '02 00 00 00 01'],
    ['cut short', 3, '11 00 00'],
    ['an identifier of two bytes', 2, 'ff 7f'],
  ])('v5 0x81 for one that is %s', (_name, length, properties) => expect(refusalOf(length, properties)).toBe('v5 81'));

  test.each([
    ['Receive Maximum 0', 3, '21 00 00'],
    ['Maximum Packet Size 0', 5, '27 00 00 00 00'],
    ['Request Problem Information 2', 2, '17 02'],
    ['Request Response Information 2', 2, '19 02'],
    ['a second Receive Maximum', 6, '21 00 01 21 00 01'],
    ['Authentication Data without Method', 4, '16 00 01 00'],
  ])('v5 0x82 for %s', (_name, length, properties) => expect(refusalOf(length, properties)).toBe('v5 82'));

  test('v5 in the Will: 0x82 for an empty Response Topic, 0x81 for a property of CONNECT', () => {
    const will = (length: string, properties: string) =>
      refusal(`10 18  00 04 "MQTT" 05 06 00 3c 00  00 01 "c"  ${length} ${properties} 00 01 "w" 00 01 "m"`);
    expect(will('03', '08 00 00')).toBe('v5 82');
    expect(will('03', '21 00 01')).toBe('v5 81');
  });

  test('v5 [MQTT-2.2.2-1] Property Length may not be left out', () => {
    expect(refusal('10 0a  00 04 "MQTT" 05 02 00 3c')).toBe('v5 81');
  });
});
