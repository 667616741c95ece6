import { expect, test } from 'vitest';
import type { ConnectRequest } from '../../../src/contracts/authenticator.ts';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, startBroker } from '../wire/broker.ts';
import { type Bytes, bytes, field, packet } from '../wire/bytes.ts';
import { type ConnectFields, v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

/** The CONNECT is answered by closing, without a byte. */
async function expectSilence(broker: ConformanceBroker, connect: Bytes): Promise<void> {
  const client = await broker.open();
  client.send(connect);
  await client.expectClosed();
}

/** The CONNECT is answered by CONNACK with this Reason Code, and closed. */
async function expectRefusal(broker: ConformanceBroker, connect: Bytes, reasonCode: number): Promise<void> {
  const client = await broker.open();
  client.send(connect);
  await client.expectRefused(reasonCode);
}

/** A client still comes in and is served. */
async function expectService(broker: ConformanceBroker, fields: ConnectFields = {}): Promise<void> {
  const client = await broker.connect(fields);
  await client.expectNothing();
}

/** An authenticator that lets everybody in and remembers whom. */
function openDoor(): { requests: ConnectRequest[]; authenticate(request: ConnectRequest): 'accepted' } {
  const requests: ConnectRequest[] = [];
  return {
    requests,
    authenticate(request) {
      requests.push(request);
      return 'accepted';
    },
  };
}

for (const transport of ['tcp', 'ws', 'tls'] as const) {
  test(`v5 [MQTT-3.1.4-5] a CONNECT is acknowledged by CONNACK 0x00, byte for byte (${transport})`, async () => {
    const broker = await startBroker(resources, { transports: [transport] });
    const client = await broker.open({ transport });
    client.send(`
      10 13           -- CONNECT, Remaining Length 19
      00 04 "MQTT"    -- Protocol Name
      05              -- Protocol Version
      02              -- Connect Flags: Clean Start
      00 3C           -- Keep Alive 60
      00              -- Property Length
      00 06 "client"  -- Client Identifier
    `);
    await client.expect(`
      20 0E           -- CONNACK, Remaining Length 14
      00              -- Session Present 0
      00              -- Success
      0B              -- Property Length 11
      22 00 0A        -- Topic Alias Maximum 10
      27 00 1E 84 80  -- Maximum Packet Size 2,000,000
      21 00 14        -- Receive Maximum 20
    `);
    await client.expectNothing();
  });
}

const otherFirstPackets: readonly (readonly [string, Bytes])[] = [
  ['PINGREQ', 'C0 00'],
  ['PUBLISH', v5.publish({ topic: 'a', payload: 'x', retain: true })],
  ['SUBSCRIBE', v5.subscribe({ filters: ['#'] })],
  ['UNSUBSCRIBE', v5.unsubscribe({ filters: ['#'] })],
  ['AUTH', v5.auth({ reasonCode: 0x18, properties: [property.authenticationMethod('x')] })],
  ['DISCONNECT', 'E0 00'],
  ['PUBACK', '40 02 00 01'],
  ['CONNACK', '20 03 00 00 00'],
  ['packet type 0', '00 00'],
];
for (const [name, first] of otherFirstPackets) {
  test(`v5 [MQTT-3.1.0-1] [MQTT-3.14.0-1] ${name} first: closed without a byte, and nothing is done`, async () => {
    const broker = await startBroker(resources);
    await expectSilence(broker, Buffer.concat([bytes(first), v5.connect()]));
    const client = await broker.connect();
    await client.subscribe('#');
    await client.expectNothing(); // nothing was retained by the PUBLISH
  });
}

test('v5 [MQTT-3.1.0-2] [MQTT-3.2.0-2] a second CONNECT ends the connection: no second CONNACK, DISCONNECT 0x82, the Will goes out', async () => {
  const broker = await startBroker(resources);
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('will');
  const client = await broker.connect({ will: { topic: 'will', payload: 'gone' } });
  client.send(v5.connect());
  await client.expectError(0x82);
  await watcher.expectPublish({ topic: 'will', payload: 'gone' });
});

test('v5 [MQTT-3.1.0-2] also as another client, which is not connected by it', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'one' });
  client.send(v5.connect({ clientId: 'two' }));
  await client.expectError(0x82);
  expect([...broker.running.broker.engine.sessions.keys()]).toEqual([]);
});

const wrongNames: readonly (readonly [string, string])[] = [
  ['lower case', '00 04 "mqtt"'],
  ['another letter', '00 04 "MQTX"'],
  ['empty', '00 00'],
  ['too long', '00 05 "MQTTT"'],
  ['too short', '00 03 "MQT"'],
  ['with NUL behind', '00 05 "MQTT" 00'],
  ['length beyond the packet', 'FF FF "MQTT"'],
];
for (const [name, protocolName] of wrongNames) {
  test(`v5 [MQTT-3.1.2-1] Protocol Name ${name}: closed`, async () => {
    const broker = await startBroker(resources);
    await expectSilence(broker, packet(0x10, protocolName, '05 02 00 3C 00 00 06 "client"'));
    await expectService(broker);
  });
}

for (const level of [0, 1, 2, 6, 7, 127, 128, 133, 255]) {
  test(`v5 [MQTT-3.1.2-2] Protocol Version ${level}: CONNACK 0x84 and closed`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ protocolLevel: level }), 0x84);
  });
}

test('v5 [MQTT-3.1.2-2] a version that the listener does not accept: CONNACK 0x84 and closed', async () => {
  const broker = await startBroker(resources, { listener: { acceptProtocolVersions: [4] } });
  await expectRefusal(broker, v5.connect(), 0x84);
  const older = await broker.connect({ version: 4 });
  await older.expectNothing();
});

test('v5 [MQTT-3.1.2-3] reserved Connect Flag set: closed without an answer', async () => {
  const broker = await startBroker(resources);
  await expectSilence(broker, v5.connect({ flags: 0x03 }));
  await expectSilence(broker, v5.connect({ flags: 0x01 }));
  await expectService(broker);
});

for (let nibble = 1; nibble < 16; nibble++) {
  test(`v5 [MQTT-2.1.3-1] CONNECT with reserved flags ${nibble} in its first byte: closed without an answer`, async () => {
    const broker = await startBroker(resources);
    await expectSilence(broker, v5.connect({ firstByte: 0x10 | nibble }));
  });
}

const withoutWillFields: readonly (readonly [string, string])[] = [
  ['after the Client Identifier', ''],
  ['after the Will Properties', '00'],
  ['after the Will Topic', '00 00 01 "w"'],
  ['inside the Will Topic', '00 00 05 "w"'],
  ['inside the Will Payload', '00 00 01 "w" 00 05 "x"'],
];
for (const [name, rest] of withoutWillFields) {
  test(`v5 [MQTT-3.1.2-9] Will Flag 1 and an end ${name}: CONNACK 0x81`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 06 00 3C 00 00 06 "client"', rest), 0x81);
    await expectService(broker);
  });
}

for (const qos of [1, 2, 3]) {
  test(`v5 [MQTT-3.1.2-11] Will QoS ${qos} without a Will: closed`, async () => {
    const broker = await startBroker(resources);
    await expectSilence(broker, v5.connect({ flags: 0x02 | (qos << 3) }));
    await expectService(broker);
  });
}

test('v5 [MQTT-3.1.2-12] Will QoS 3: closed', async () => {
  const broker = await startBroker(resources);
  await expectSilence(broker, v5.connect({ will: {}, flags: 0x1e }));
  await expectService(broker, { will: { qos: 2 } });
});

test('v5 [MQTT-3.1.2-13] Will Retain 1 without a Will: closed', async () => {
  const broker = await startBroker(resources);
  await expectSilence(broker, v5.connect({ flags: 0x22 }));
  await expectService(broker, { will: { retain: true } });
});

test('v5 [MQTT-3.1.2-16] User Name Flag 0 and a User Name behind: CONNACK 0x81', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, v5.connect({ username: 'u', flags: 0x02 }), 0x81);
});

test('v5 [MQTT-3.1.2-17] User Name Flag 1 without a User Name: closed; an empty one is a User Name', async () => {
  const authenticator = openDoor();
  const broker = await startBroker(resources, { authenticator });
  await expectSilence(broker, v5.connect({ flags: 0x82 }));
  expect(authenticator.requests).toEqual([]);
  await expectService(broker, { username: '' });
  expect(authenticator.requests[0]?.username).toBe('');
});

test('v5 [MQTT-3.1.2-18] Password Flag 0 and a Password behind: CONNACK 0x81', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, v5.connect({ username: 'u', password: 'p', flags: 0x82 }), 0x81);
});

test('v5 [MQTT-3.1.2-19] Password Flag 1 without a Password: closed', async () => {
  const broker = await startBroker(resources);
  await expectSilence(broker, v5.connect({ flags: 0x42 }));
  await expectSilence(broker, v5.connect({ username: 'u', flags: 0xc2 }));
  await expectService(broker);
});

test('v5 [MQTT-3.1.2-19] a Password may come without a User Name, and may be any bytes', async () => {
  const authenticator = openDoor();
  const broker = await startBroker(resources, { authenticator });
  await expectService(broker, { password: bytes('00 FF C0 80') });
  expect(authenticator.requests[0]).toMatchObject({ username: null, password: bytes('00 FF C0 80') });
});

test('v5 [MQTT-3.1.3-1] every field of the payload is taken for what its place says', async () => {
  const authenticator = openDoor();
  const broker = await startBroker(resources, { authenticator });
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe({ filter: 'will/topic', qos: 2 });
  const client = await broker.open();
  client.send(`
    10 3B                   -- CONNECT, Remaining Length 59
    00 04 "MQTT" 05
    CE                      -- User Name, Password, Will QoS 1, Will, Clean Start
    00 3C                   -- Keep Alive 60
    05 11 00 00 00 0A       -- Property Length, Session Expiry Interval 10
    00 03 "abc"             -- Client Identifier
    05 02 00 00 00 09       -- Will Properties: Message Expiry Interval 9
    00 0A "will/topic"      -- Will Topic
    00 07 "payload"         -- Will Payload
    00 04 "user"            -- User Name
    00 03 "pwd"             -- Password
  `);
  expect((await client.expectPacket('connack')).reasonCode).toBe(0);
  expect(authenticator.requests[1]).toMatchObject({
    clientId: 'abc',
    username: 'user',
    password: Buffer.from('pwd'),
    protocolVersion: 5,
  });
  await broker.kill(client);
  await watcher.expectPublish({
    topic: 'will/topic',
    payload: 'payload',
    qos: 1,
    properties: [['messageExpiryInterval', 9]],
  });
});

test('v5 [MQTT-3.1.3-3] no Client Identifier field: CONNACK 0x81', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 02 00 3C 00'), 0x81);
  await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 02 00 3C 00 00'), 0x81); // half of its length
  await expectService(broker, { clientId: '' }); // the field is there, and empty
});

const illFormed: readonly (readonly [string, Bytes])[] = [
  ['NUL', '61 00 62'],
  ['an overlong NUL', '61 C0 80'],
  ['a surrogate', '61 ED A0 80'],
  ['a lone continuation byte', '80'],
  ['a sequence cut short', '61 E2 82'],
  ['a code point above U+10FFFF', 'F4 90 80 80'],
  ['the byte FF', 'FF'],
  ['a control character', '61 07'],
  ['a non-character', 'EF BF BF'],
];
for (const [name, source] of illFormed) {
  const text = bytes(source);

  test(`v5 [MQTT-3.1.3-4] [MQTT-1.5.4-1] [MQTT-1.5.4-2] Client Identifier with ${name}: CONNACK 0x85`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ clientId: text }), 0x85);
    await expectService(broker, { clientId: 'ä€😀\uFEFF' });
  });

  test(`v5 [MQTT-3.1.3-11] [MQTT-1.5.4-1] [MQTT-1.5.4-2] Will Topic with ${name}: CONNACK 0x81`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ will: { topic: text } }), 0x81);
    await expectService(broker, { will: { topic: 'ä/€/😀/\uFEFF' } });
  });

  test(`v5 [MQTT-3.1.3-12] [MQTT-1.5.4-1] [MQTT-1.5.4-2] User Name with ${name}: closed`, async () => {
    const broker = await startBroker(resources);
    await expectSilence(broker, v5.connect({ username: text }));
    await expectService(broker, { username: 'ä€😀', password: text }); // a Password is no string
  });

  test(`v5 [MQTT-1.5.7-1] User Property of CONNECT with ${name} in name or value: CONNACK 0x81`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ properties: [property.userProperty([text, 'v'])] }), 0x81);
    await expectRefusal(broker, v5.connect({ properties: [property.userProperty(['n', text])] }), 0x81);
    await expectService(broker, { properties: [property.userProperty(['ä', '']), property.userProperty(['', ''])] });
  });
}

for (const topic of ['', '#', 'a/+', 'a/#', '+/a', 'a#']) {
  test(`v5 [MQTT-4.7.0-1] [MQTT-4.7.3-1] Will Topic "${topic}": CONNACK 0x90`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ will: { topic } }), 0x90);
  });
}

const identifiers = ['0', 'Z', '0123456789ABCDEFGHIJKLM', 'nopqrstuvwxyzNOPQRSTUVW', 'XYZabcdefghijklm'];
test('v5 [MQTT-3.1.3-5] Client Identifiers of 1 to 23 digits and letters are accepted, and longer and odder ones', async () => {
  const broker = await startBroker(resources);
  const more = ['x'.repeat(24), 'y'.repeat(65_535), 'a b/c+#$', '-', '日本'];
  for (const clientId of [...identifiers, ...more]) await expectService(broker, { clientId });
});

test('v5 [MQTT-3.1.4-1] the CONNECT is read in its whole layout: every cut and every addition is refused', async () => {
  const broker = await startBroker(resources);
  const whole = v5.connect({
    will: { topic: 'w', payload: 'x', properties: [property.willDelayInterval(5)] },
    username: 'u',
    password: 'p',
    properties: [property.sessionExpiryInterval(5)],
  });
  const body = whole.subarray(2);
  for (let length = 0; length < body.length; length++) {
    const client = await broker.open();
    client.send(packet(0x10, body.subarray(0, length)));
    const answers: string[] = [];
    while (!client.hasEnded) {
      const answer = await client.next().catch(() => null);
      if (answer !== null) answers.push(answer.bytes.toString('hex'));
    }
    expect([[], ['2003008100']], `CONNECT cut to ${length} bytes`).toContainEqual(answers);
  }
  await expectRefusal(broker, packet(0x10, body, '00'), 0x81);
  await expectRefusal(broker, packet(0x10, body, field('more')), 0x81);
  const client = await broker.open();
  client.send(whole);
  expect((await client.expectPacket('connack')).reasonCode).toBe(0);
});

const wrongProperties: readonly (readonly [string, number, readonly Buffer[]])[] = [
  ['v5 [MQTT-3.1.4-1] [U5-3] Receive Maximum 0', 0x82, [property.receiveMaximum(0)]],
  ['v5 [MQTT-3.1.4-1] [U5-3] Maximum Packet Size 0', 0x82, [property.maximumPacketSize(0)]],
  ['v5 [MQTT-3.1.4-1] [U5-3] Request Problem Information 2', 0x82, [property.requestProblemInformation(2)]],
  ['v5 [MQTT-3.1.4-1] [U5-3] Request Response Information 2', 0x82, [property.requestResponseInformation(2)]],
  ['v5 [MQTT-3.1.4-1] [U5-4] Authentication Data without a method', 0x82, [property.authenticationData('x')]],
  ['v5 [MQTT-3.1.4-1] [U5-1] a property that no packet has', 0x81, [Buffer.from([0x7f, 0])]],
  ['v5 [MQTT-3.1.4-1] [U5-1] a property with a two-byte identifier', 0x81, [Buffer.from([0xff, 0x7f, 0])]],
  ['v5 [MQTT-3.1.4-1] [U5-1] a property of PUBLISH', 0x81, [property.topicAlias(1)]],
  ['v5 [MQTT-3.1.4-1] [U5-1] a property of CONNACK', 0x81, [property.serverKeepAlive(1)]],
  ['v5 [MQTT-3.1.4-1] [U5-1] a property cut short', 0x81, [property.sessionExpiryInterval(1).subarray(0, 3)]],
];
for (const [title, reasonCode, properties] of wrongProperties) {
  test(title, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ properties }), reasonCode);
    await expectService(broker, {
      properties: [property.requestProblemInformation(0), property.requestResponseInformation(1)],
    });
  });
}

const onceOnly: readonly (readonly [string, Buffer])[] = [
  ['Session Expiry Interval', property.sessionExpiryInterval(1)],
  ['Receive Maximum', property.receiveMaximum(1)],
  ['Maximum Packet Size', property.maximumPacketSize(100)],
  ['Topic Alias Maximum', property.topicAliasMaximum(1)],
  ['Request Response Information', property.requestResponseInformation(1)],
  ['Request Problem Information', property.requestProblemInformation(1)],
  ['Authentication Method', property.authenticationMethod('m')],
];
for (const [name, once] of onceOnly) {
  test(`v5 [MQTT-3.1.4-1] [U5-2] ${name} twice in CONNECT: CONNACK 0x82`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ properties: [once, once] }), 0x82);
  });
}

const onceInWill: readonly (readonly [string, Buffer])[] = [
  ['Will Delay Interval', property.willDelayInterval(1)],
  ['Payload Format Indicator', property.payloadFormatIndicator(1)],
  ['Message Expiry Interval', property.messageExpiryInterval(1)],
  ['Content Type', property.contentType('t')],
  ['Response Topic', property.responseTopic('r')],
  ['Correlation Data', property.correlationData('c')],
];
for (const [name, once] of onceInWill) {
  test(`v5 [MQTT-3.1.4-1] [U5-2] ${name} twice in the Will: CONNACK 0x82`, async () => {
    const broker = await startBroker(resources);
    await expectRefusal(broker, v5.connect({ will: { properties: [once, once] } }), 0x82);
    await expectService(broker, { will: { properties: [once] } });
  });
}

test('v5 [MQTT-3.1.4-1] [U5-1] a property that a Will may not have: CONNACK 0x81', async () => {
  const broker = await startBroker(resources);
  for (const foreign of [
    property.topicAlias(1),
    property.sessionExpiryInterval(1),
    property.subscriptionIdentifier(1),
  ]) {
    await expectRefusal(broker, v5.connect({ will: { properties: [foreign] } }), 0x81);
  }
});

test('v5 [MQTT-2.2.2-1] no Property Length in CONNECT, or none in the Will: CONNACK 0x81', async () => {
  const broker = await startBroker(resources);
  // What is meant as the Client Identifier is read as Property Length and properties, as no reader can know better.
  await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 02 00 3C'), 0x81);
  await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 06 00 3C 00 00 01 "c"'), 0x81);
});

test('v5 [MQTT-1.5.5-1] Property Length or Property Identifier not in the shortest form: CONNACK 0x81', async () => {
  const broker = await startBroker(resources);
  await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 02 00 3C 80 00 00 01 "c"'), 0x81);
  await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 02 00 3C 04 A1 00 00 01 00 01 "c"'), 0x81);
  await expectRefusal(broker, packet(0x10, '00 04 "MQTT" 05 02 00 3C FF FF FF FF 01 00 01 "c"'), 0x81);
});

test('v5 [U5-10] a CONNECT of more than 100,000 bytes: closed on its length', async () => {
  const broker = await startBroker(resources);
  await expectSilence(broker, '10 A1 8D 06'); // Remaining Length 100,001, and nothing behind it
  const filling = Array.from({ length: 1000 }, () => property.userProperty(['n'.repeat(40), 'v'.repeat(50)]));
  const client = await broker.open();
  client.send(v5.connect({ properties: filling })); // 95,020 bytes
  expect((await client.expectPacket('connack')).reasonCode).toBe(0);
});

test('v5 [MQTT-3.1.4-1] a Remaining Length of five bytes: closed without an answer', async () => {
  const broker = await startBroker(resources);
  await expectSilence(broker, '10 80 80 80 80 01');
});
