import { expect, test } from 'vitest';
import { Client } from '../../../src/client/client.ts';
import type { ClientError } from '../../../src/client/client-error.ts';
import type { ClientSettings } from '../../../src/client/settings.ts';
import { useResources } from '../../harness/resources.ts';
import { bytes, hexOf } from '../wire/bytes.ts';
import { connectClient, dialClient } from '../wire/client-under-test.ts';
import { property, valueOf } from '../wire/properties.ts';

const resources = useResources();

const message = { topic: 'a', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } as const;

const publication = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false, properties: {} } as const;

/** What a client says about settings it cannot connect with; '' when it takes them. */
function faultOf(settings: Partial<ClientSettings>): string {
  try {
    return new Client({ target: { address: { host: '127.0.0.1', port: 1 } }, ...settings }).clientId.slice(0, 0);
  } catch (error) {
    return (error as ClientError).kind;
  }
}

test('v5 [MQTT-3.1.0-1] [MQTT-3.1.3-1] [MQTT-3.1.3-3] CONNECT is the first packet, with its fields in order', async () => {
  const { peer, connect } = await dialClient(resources, {
    keepAliveSeconds: 10,
    username: 'user',
    password: bytes('00 FF'),
    will: { topic: 'will', payload: Buffer.from('gone'), qos: 1, retain: true, properties: { contentType: 't' } },
    connectProperties: { sessionExpiryInterval: 5 },
  });
  expect(hexOf(connect.bytes)).toBe(
    hexOf(
      bytes(`
        10 33                     -- CONNECT, Remaining Length 51
        00 04 "MQTT" 05
        EE                        -- User Name, Password, Will Retain, Will QoS 1, Will, Clean Start
        00 0A                     -- Keep Alive
        05 11 00 00 00 05         -- Session Expiry Interval
        00 06 "client"
        04 03 00 01 "t"           -- Will Properties: Content Type
        00 04 "will" 00 04 "gone"
        00 04 "user" 00 02 00 FF
      `),
    ),
  );
  peer.send(peer.packets.connack());
});

test('v311 [MQTT-3.1.0-1] [MQTT-3.1.3-1] [MQTT-3.1.3-3] CONNECT is the first packet, with its fields in order', async () => {
  const { connect } = await dialClient(resources, {
    version: 4,
    username: 'u',
    password: Buffer.from('p'),
    will: publication,
  });
  expect(hexOf(connect.bytes)).toBe(
    hexOf(bytes('10 21 00 04 "MQTT" 04 C6 00 3C 00 06 "client" 00 01 "w" 00 04 "gone" 00 01 "u" 00 01 "p"')),
  );
});

test('[MQTT31-CONN-1] the CONNECT of MQTT 3.1 has the name MQIsdp and level 3', async () => {
  const { connect } = await dialClient(resources, { version: 3, cleanStart: false });
  expect(hexOf(connect.bytes)).toBe(hexOf(bytes('10 14 00 06 "MQIsdp" 03 00 00 3C 00 06 "client"')));
});

test('v5 [MQTT-3.1.2-9] [MQTT-3.1.2-11] [MQTT-3.1.2-12] [MQTT-3.1.2-13] flags of the Will and its fields come together or not at all', async () => {
  const without = await dialClient(resources);
  expect([without.connect.flags, without.connect.will]).toEqual([0x02, null]);
  for (const qos of [0, 1, 2] as const) {
    for (const retain of [false, true]) {
      const { connect } = await dialClient(resources, { will: { ...publication, qos, retain } });
      expect(connect.flags).toBe(0x06 | (qos << 3) | (retain ? 0x20 : 0));
      expect(connect.will).toEqual({ properties: [], topic: 'w', payload: Buffer.from('gone') });
    }
  }
});

test('v311 [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-14] [MQTT-3.1.2-15] flags of the Will and its fields come together or not at all', async () => {
  const without = await dialClient(resources, { version: 4 });
  expect([without.connect.flags, without.connect.will]).toEqual([0x02, null]);
  const { connect } = await dialClient(resources, { version: 4, will: { ...publication, qos: 2, retain: true } });
  expect([connect.flags, connect.will?.topic]).toEqual([0x36, 'w']);
});

test('v5 [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.2-18] [MQTT-3.1.2-19] User Name and Password are there exactly when their flags say so', async () => {
  for (const username of [undefined, '', 'user']) {
    for (const password of [undefined, Buffer.alloc(0), bytes('FF 00')]) {
      const { connect } = await dialClient(resources, {
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
      });
      expect(connect.flags & 0xc0).toBe((username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40));
      expect([connect.username, connect.password]).toEqual([username ?? null, password ?? null]);
    }
  }
});

test('v311 [MQTT-3.1.2-18] [MQTT-3.1.2-19] [MQTT-3.1.2-20] [MQTT-3.1.2-21] [MQTT-3.1.2-22] likewise, and no Password without a User Name', async () => {
  const password = Buffer.from('p');
  for (const version of [3, 4] as const) {
    const { connect } = await dialClient(resources, { version, username: '', password });
    expect([connect.flags, connect.username, connect.password]).toEqual([0xc2, '', password]);
    const bare = await dialClient(resources, { version });
    expect([bare.connect.flags, bare.connect.username, bare.connect.password]).toEqual([0x02, null, null]);
    expect(faultOf({ protocolVersion: version, clientId: 'c', password })).toBe('invalid');
  }
});

const illFormed: readonly (readonly [string, string])[] = [
  ['NUL', 'a\0b'],
  ['a surrogate', 'a\uD800'],
  ['a control character', 'a\u0007'],
  ['more than 65,535 bytes', 'é'.repeat(32_768)],
];
for (const [name, text] of illFormed) {
  test(`v5 [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12] v311 [MQTT-3.1.3-4] [MQTT-3.1.3-10] [MQTT-3.1.3-11] text with ${name} is refused before anything is sent`, () => {
    for (const protocolVersion of [4, 5] as const) {
      expect(faultOf({ protocolVersion, clientId: text })).toBe('invalid');
      expect(faultOf({ protocolVersion, username: text })).toBe('invalid');
      expect(faultOf({ protocolVersion, will: { ...publication, topic: text } })).toBe('invalid');
      expect(
        faultOf({ protocolVersion, clientId: 'ä😀', username: '\uFEFF', will: { ...publication, topic: 'é' } }),
      ).toBe('');
    }
  });

  test(`v5 [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] properties with ${name} are refused before anything is sent`, () => {
    expect(faultOf({ connectProperties: { userProperties: [['n', text]] } })).toBe('invalid');
    expect(faultOf({ connectProperties: { userProperties: [[text, 'v']] } })).toBe('invalid');
    for (const properties of [
      { contentType: text },
      { responseTopic: text },
      { userProperties: [[text, '']] },
    ] as const) {
      expect(faultOf({ will: { ...publication, properties } })).toBe('invalid');
    }
  });
}

for (const topic of ['', '#', 'a/+', 'a/#/b']) {
  test(`v5 [MQTT-4.7.0-1] [MQTT-4.7.3-1] v311 [MQTT-4.7.1-1] [MQTT-4.7.3-1] a Will Topic "${topic}" is refused before anything is sent`, () => {
    expect(faultOf({ will: { ...publication, topic } })).toBe('invalid');
  });
}

test('v311 [MQTT-3.1.3-7] without a Client Identifier the session is a clean one', async () => {
  const { connect } = await dialClient(resources, { version: 4, clientId: '' });
  expect([connect.clientId, connect.flags]).toEqual(['', 0x02]);
  expect(faultOf({ protocolVersion: 4, clientId: '', cleanStart: false })).toBe('invalid');
  expect(faultOf({ protocolVersion: 5, clientId: '', cleanStart: false })).toBe('');
});

test('[MQTT31-CONN-5] MQTT 3.1 without a Client Identifier is refused before anything is sent', () => {
  expect(faultOf({ protocolVersion: 3, clientId: '' })).toBe('invalid');
});

for (const [version, title] of [
  [5, 'v5 [MQTT-3.1.2-20] an idle client sends PINGREQ within its Keep Alive, again and again'],
  [4, 'v311 [MQTT-3.1.2-23] an idle client sends PINGREQ within its Keep Alive, again and again'],
] as const) {
  test(title, async () => {
    const { peer, clock } = await connectClient(resources, { version, keepAliveSeconds: 2 });
    for (let interval = 0; interval < 3; interval++) {
      clock.advance(2000);
      await peer.expect('C0 00');
      peer.send(peer.packets.pingresp());
      await peer.expectQuiet();
    }
  });
}

test('v5 [MQTT-3.1.2-20] whatever is sent puts PINGREQ off; with Keep Alive 0 none is sent', async () => {
  const { client, peer, clock } = await connectClient(resources, { keepAliveSeconds: 8 });
  for (let second = 0; second < 20; second += 4) {
    clock.advance(4000);
    await client.publish('a', `${second}`);
    await peer.expectPublish({ payload: `${second}` }); // and no PINGREQ before it
  }
  const never = await connectClient(resources, { keepAliveSeconds: 0 });
  never.clock.advance(100_000_000);
  await never.client.publish('a', 'x');
  await never.peer.expectPublish({ payload: 'x' });
});

test("v5 [MQTT-3.1.2-21] [MQTT-3.2.2-21] Server Keep Alive counts instead of the client's own", async () => {
  const { peer, clock } = await connectClient(
    resources,
    { keepAliveSeconds: 60 },
    { properties: [property.serverKeepAlive(2)] },
  );
  clock.advance(2000);
  await peer.expect('C0 00');
});

test('v5 [MQTT-3.1.2-21] [MQTT-3.2.2-21] also when it is longer, and when it is 0', async () => {
  for (const seconds of [60, 0]) {
    const { client, peer, clock } = await connectClient(
      resources,
      { keepAliveSeconds: 2 },
      { properties: [property.serverKeepAlive(seconds)] },
    );
    clock.advance(20_000);
    await client.publish('a', 'x');
    await peer.expectPublish({ payload: 'x' });
  }
});

test('v5 [MQTT-3.1.2-30] [MQTT-4.12.0-3] a client that named a method sends nothing but AUTH until CONNACK', async () => {
  const { client, peer, connect } = await dialClient(resources, {
    authentication: { method: 'm', start: () => Buffer.from('1'), respond: () => Buffer.from('3') },
  });
  expect(valueOf(connect, 'authenticationMethod')).toBe('m');
  client.send({ ...publication, qos: 1 });
  for (let round = 0; round < 3; round++) {
    peer.send(
      peer.packets.auth({
        reasonCode: 0x18,
        properties: [property.authenticationMethod('m'), property.authenticationData('2')],
      }),
    );
    const auth = await peer.expectPacket('auth');
    expect(auth.reasonCode).toBe(0x18);
    expect(auth.properties).toEqual([
      ['authenticationMethod', 'm'],
      ['authenticationData', Buffer.from('3')],
    ]);
  }
  peer.send(peer.packets.connack({ properties: [property.authenticationMethod('m')] }));
  await peer.expectPublish({ topic: 'w' });
});

test('v5 [MQTT-3.1.2-4] [MQTT-3.1.2-23] v311 [MQTT-3.1.2-4] the client keeps its side of a session as long as the broker does, and comes back with Clean Start 0', async () => {
  for (const version of [4, 5] as const) {
    const { client, server, peer, clock } = await connectClient(resources, {
      version,
      cleanStart: false,
      connectProperties: { sessionExpiryInterval: 60 },
      reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
    });
    client.send({ ...message, payload: Buffer.from('x'), qos: 1 });
    const { packetId } = await peer.expectPublish({ dup: false });
    peer.close();
    await expect.poll(() => client.isConnected).toBe(false);
    clock.advance(1000);
    const back = await server.accept();
    expect((await back.expectPacket('connect')).flags & 0x02).toBe(0);
    back.send(back.packets.connack({ sessionPresent: true }));
    await back.expectPublish({ payload: 'x', dup: true, packetId });
  }
});

test('v5 [MQTT-3.1.2-4] v311 [MQTT-3.1.2-6] with Clean Start 1 the client begins anew as well', async () => {
  for (const version of [4, 5] as const) {
    const { client, server, peer, clock } = await connectClient(resources, {
      version,
      reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
    });
    client.send({ ...message, payload: Buffer.from('x'), qos: 2 });
    await peer.expectPublish({ dup: false });
    peer.close();
    await expect.poll(() => client.isConnected).toBe(false);
    clock.advance(1000);
    const back = await server.accept();
    expect((await back.expectPacket('connect')).flags & 0x02).toBe(0x02);
    back.send(back.packets.connack());
    await back.expectPublish({ payload: 'x', dup: false }); // a new message
  }
});
