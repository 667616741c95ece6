import { describe, expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, type ConnectOptions, startBroker } from '../wire/broker.ts';
import { type Bytes, packet, u16 } from '../wire/bytes.ts';
import { v311 } from '../wire/packets.ts';

const resources = useResources();

function connect(broker: ConformanceBroker, fields: ConnectOptions = {}): Promise<Connected> {
  return broker.connect({ version: 4, ...fields });
}

/** A client that watches everything, to see Wills. */
async function watcher(broker: ConformanceBroker): Promise<Connected> {
  const client = await connect(broker, { clientId: 'watcher' });
  await client.subscribe({ filter: '#', qos: 2 });
  return client;
}

/** "MQTT" 04, flags, Keep Alive 60, then the payload. */
function connectBytes(flags: string, ...payload: readonly Bytes[]): Buffer {
  return packet(0x10, '0004 "MQTT" 04', flags, '003C', ...payload);
}

describe('a CONNECT that does not conform is closed without CONNACK, and another client is not disturbed', () => {
  const cases: readonly { readonly title: string; readonly bytes: Buffer }[] = [
    { title: 'v311 [MQTT-3.1.2-1] [MQTT-3.1.4-1] protocol name MQTX', bytes: v311.connect({ protocolName: 'MQTX' }) },
    { title: 'v311 [MQTT-3.1.2-1] protocol name mqtt', bytes: v311.connect({ protocolName: 'mqtt' }) },
    { title: 'v311 [MQTT-3.1.2-1] empty protocol name', bytes: v311.connect({ protocolName: '' }) },
    { title: 'v311 [MQTT-3.1.2-3] reserved connect flag', bytes: v311.connect({ flags: 0x03 }) },
    { title: 'v311 [MQTT-2.2.2-1] [MQTT-2.2.2-2] low nibble of CONNECT', bytes: v311.connect({ firstByte: 0x11 }) },
    { title: 'v311 [MQTT-3.1.2-9] Will Flag without will fields', bytes: connectBytes('06', '0001 "c"') },
    { title: 'v311 [MQTT-3.1.2-9] Will Flag without a message', bytes: connectBytes('06', '0001 "c" 0001 "w"') },
    { title: 'v311 [MQTT-3.1.2-11] [MQTT-3.1.2-13] Will QoS 1 without Will', bytes: connectBytes('0A', '0001 "c"') },
    { title: 'v311 [MQTT-3.1.2-13] Will QoS 3 without Will', bytes: connectBytes('1A', '0001 "c"') },
    { title: 'v311 [MQTT-3.1.2-11] [MQTT-3.1.2-15] Will Retain without Will', bytes: connectBytes('22', '0001 "c"') },
    {
      title: 'v311 [MQTT-3.1.2-11] will fields without Will Flag',
      bytes: connectBytes('02', '0001 "c" 0001 "w" 0001 "m"'),
    },
    { title: 'v311 [MQTT-3.1.2-14] Will QoS 3', bytes: connectBytes('1E', '0001 "c" 0001 "w" 0001 "m"') },
    { title: 'v311 [MQTT-3.1.2-18] User Name without its flag', bytes: connectBytes('02', '0001 "c" 0001 "u"') },
    { title: 'v311 [MQTT-3.1.2-19] User Name Flag without User Name', bytes: connectBytes('82', '0001 "c"') },
    {
      title: 'v311 [MQTT-3.1.2-20] Password without its flag',
      bytes: connectBytes('82', '0001 "c" 0001 "u" 0001 "p"'),
    },
    { title: 'v311 [MQTT-3.1.2-21] Password Flag without Password', bytes: connectBytes('C2', '0001 "c" 0001 "u"') },
    { title: 'v311 [MQTT-3.1.2-22] Password without User Name', bytes: connectBytes('42', '0001 "c" 0001 "p"') },
    { title: 'v311 [MQTT-3.1.3-3] no payload at all', bytes: connectBytes('02') },
    {
      title: 'v311 [MQTT-3.1.3-4] [MQTT-1.5.3-1] Client Identifier with C0 80',
      bytes: connectBytes('02', '0002 C080'),
    },
    { title: 'v311 [MQTT-3.1.3-4] [MQTT-1.5.3-2] Client Identifier with NUL', bytes: connectBytes('02', '0001 00') },
    {
      title: 'v311 [MQTT-3.1.3-10] [MQTT-1.5.3-1] Will Topic cut off in a character',
      bytes: connectBytes('06', '0001 "c" 0001 C3 0001 "m"'),
    },
    {
      title: 'v311 [MQTT-3.1.3-10] [MQTT-1.5.3-2] Will Topic with NUL',
      bytes: connectBytes('06', '0001 "c" 0001 00 0001 "m"'),
    },
    {
      title: 'v311 [MQTT-4.7.1-1] [MQTT-3.2.2-6] Will Topic with a wildcard',
      bytes: v311.connect({ will: { topic: 'a/#', payload: 'm' } }),
    },
    { title: 'v311 [MQTT-4.7.3-1] empty Will Topic', bytes: v311.connect({ will: { topic: '', payload: 'm' } }) },
    {
      title: 'v311 [MQTT-3.1.3-11] [MQTT-1.5.3-1] User Name with a surrogate',
      bytes: connectBytes('82', '0001 "c" 0003 EDA080'),
    },
    { title: 'v311 [MQTT-3.1.3-11] [MQTT-1.5.3-2] User Name with NUL', bytes: connectBytes('82', '0001 "c" 0001 00') },
    { title: 'v311 [MQTT-3.1.4-1] a byte too many', bytes: connectBytes('02', '0001 "c" 00') },
    { title: 'v311 [MQTT-3.1.4-1] Client Identifier longer than the packet', bytes: connectBytes('02', '0009 "c"') },
  ];

  for (const { title, bytes } of cases)
    test(title, async () => {
      const broker = await startBroker(resources);
      const canary = await watcher(broker);
      const client = await broker.open({ version: 4 });
      client.send(bytes);
      await client.expectClosed();
      await canary.publish({ topic: 'still', payload: 'served' });
      // The first that comes: what was refused left no Will.
      await canary.expectPublish({ topic: 'still', payload: 'served' });
    });
});

test('v311 [MQTT-3.1.0-1] anything but CONNECT first is closed without a byte', async () => {
  const broker = await startBroker(resources);
  for (const bytes of ['C0 00', 'E0 00', '30 03 0001 "a"', '82 06 0001 0001 "a" 00', '40 02 0001']) {
    const client = await broker.open({ version: 4 });
    client.send(bytes);
    await client.expectClosed();
  }
});

test('v311 [MQTT-3.1.0-2] a second CONNECT ends the connection and its Will goes out', async () => {
  const broker = await startBroker(resources);
  const observer = await watcher(broker);
  const client = await connect(broker, { clientId: 'c', will: { topic: 'w', payload: 'gone' } });
  client.send(v311.connect({ clientId: 'c' }));
  await client.expectClosed();
  await observer.expectPublish({ topic: 'w', payload: 'gone' });
});

test.each([0x03, 0x06, 0xff])('v311 [MQTT-3.1.2-2] MQTT with level %i is told so and closed', async (protocolLevel) => {
  const broker = await startBroker(resources);
  const client = await broker.open({ version: protocolLevel === 3 ? 4 : 5 });
  client.send(v311.connect({ protocolLevel }));
  // Mosquitto: a level of 3.x gets return code 1, any other the CONNACK of 5.0.
  await client.expect(protocolLevel === 3 ? '20 02 00 01' : '20 03 00 84 00');
  await client.expectClosed();
});

test('v311 [MQTT-3.1.2-1] MQIsdp with level 3 is handled as MQTT 3.1, not as 3.1.1', async () => {
  const broker = await startBroker(resources);
  const client = await broker.open({ version: 3 });
  client.send('10 0F 0006 "MQIsdp" 03 00 003C 0001 "c"');
  await client.expect('20 02 00 00');
  await broker.kill(client);
  const again = await broker.open({ version: 3 });
  again.send('10 0F 0006 "MQIsdp" 03 00 003C 0001 "c"');
  await again.expect('20 02 00 00'); // MQTT 3.1 has no Session Present
});

test('v311 [MQTT-3.1.4-4] [MQTT-3.2.2-3] [MQTT-3.2.0-1] a good CONNECT is answered by CONNACK 0 and nothing before it', async () => {
  const broker = await startBroker(resources);
  const client = await broker.open({ version: 4 });
  client.send(v311.connect({ clientId: 'c', cleanStart: false }), v311.pingreq());
  await client.expect('20 02 00 00');
  await client.expect('D0 00');
});

test('v311 [MQTT-3.1.2-4] [MQTT-3.2.2-2] [MQTT-3.1.4-3] [MQTT-4.1.0-1] CleanSession 0 goes on with what was stored', async () => {
  const broker = await startBroker(resources);
  const first = await connect(broker, { clientId: 'c', cleanStart: false });
  expect(first.connack.sessionPresent).toBe(false);
  await first.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(first);
  const second = await connect(broker, { clientId: 'c', cleanStart: false });
  expect(second.connack.sessionPresent).toBe(true);
  const publisher = await connect(broker, { clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'x', qos: 1 });
  await second.expectPublish({ topic: 'a', payload: 'x', qos: 1 });
});

test('v311 [MQTT-3.1.2-5] [MQTT-4.5.0-1] [MQTT-3.2.0-1] QoS 1 and 2 wait for an absent client and follow its CONNACK', async () => {
  const broker = await startBroker(resources);
  const away = await connect(broker, { clientId: 'c', cleanStart: false });
  await away.subscribe({ filter: '#', qos: 2 });
  await broker.kill(away);
  const here = await connect(broker, { clientId: 'here' });
  await here.subscribe({ filter: '#', qos: 2 });
  const publisher = await connect(broker, { clientId: 'p' });
  await publisher.publish({ topic: 'a', payload: 'zero', qos: 0 });
  await publisher.publish({ topic: 'a', payload: 'one', qos: 1 });
  await publisher.publish({ topic: 'a', payload: 'two', qos: 2 });
  expect((await here.drainPublishes()).map(({ text }) => text)).toEqual(['zero', 'one', 'two']);
  const back = await connect(broker, { clientId: 'c', cleanStart: false });
  expect((await back.drainPublishes()).map(({ text, qos, dup }) => [text, qos, dup])).toEqual([
    ['one', 1, false],
    ['two', 2, false],
  ]);
});

test('v311 [MQTT-3.1.2-6] [MQTT-3.2.2-1] CleanSession 1 discards the old session, and its own ends with it', async () => {
  const broker = await startBroker(resources);
  const old = await connect(broker, { clientId: 'c', cleanStart: false });
  await old.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(old);
  const clean = await connect(broker, { clientId: 'c', cleanStart: true });
  expect(clean.connack.sessionPresent).toBe(false);
  await clean.subscribe({ filter: 'b', qos: 1 });
  await broker.kill(clean);
  const again = await connect(broker, { clientId: 'c', cleanStart: false });
  expect(again.connack.sessionPresent).toBe(false);
  await again.publish({ topic: 'a', qos: 1 });
  await again.publish({ topic: 'b', qos: 1 });
  await again.expectNothing();
});

test('v311 [MQTT-3.1.2-7] a retained message outlives the session that made it', async () => {
  const broker = await startBroker(resources);
  const maker = await connect(broker, { clientId: 'p', cleanStart: true });
  await maker.publish({ topic: 'a', payload: 'kept', qos: 1, retain: true });
  await maker.disconnect();
  const client = await connect(broker, { clientId: 'c' });
  await client.subscribe('a');
  await client.expectPublish({ topic: 'a', payload: 'kept', retain: true });
});

describe('the Will', () => {
  test('v311 [MQTT-3.1.2-8] [MQTT-3.1.2-10] goes out when the network fails, once', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    await broker.kill(await connect(broker, { clientId: 'c', will: { topic: 'w', payload: 'gone' } }));
    await observer.expectPublish({ topic: 'w', payload: 'gone' });
    await broker.kill(await connect(broker, { clientId: 'c' }));
    await observer.expectNothing();
  });

  test('v311 [MQTT-3.1.2-8] goes out when the client breaks the protocol', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    const client = await connect(broker, { clientId: 'c', will: { topic: 'w', payload: 'gone' } });
    client.send('36 05 0001 "a" 0001'); // PUBLISH with QoS 3
    await client.expectClosed();
    await observer.expectPublish({ topic: 'w', payload: 'gone' });
  });

  test('v311 [MQTT-3.1.2-8] [MQTT-3.1.4-2] goes out when another connection takes over, which the old one is not told', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    const old = await connect(broker, { clientId: 'c', cleanStart: false, will: { topic: 'w', payload: 'gone' } });
    await connect(broker, { clientId: 'c', cleanStart: false });
    await old.expectClosed();
    await observer.expectPublish({ topic: 'w', payload: 'gone' });
  });

  test('v311 [MQTT-3.1.2-10] [MQTT-3.14.4-3] is forgotten with DISCONNECT', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    const client = await connect(broker, { clientId: 'c', will: { topic: 'w', payload: 'gone' } });
    await client.disconnect();
    await observer.expectNothing();
  });

  test('v311 [MQTT-3.1.2-12] is not there without Will Flag', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    await broker.kill(await connect(broker, { clientId: 'c' }));
    await observer.expectNothing();
  });

  test.each([0, 1, 2] as const)('v311 [MQTT-3.1.2-9] [MQTT-3.1.2-14] has QoS %i when it says so', async (qos) => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    await broker.kill(await connect(broker, { clientId: 'c', will: { topic: 'w', payload: 'gone', qos } }));
    await observer.expectPublish({ topic: 'w', payload: 'gone', qos });
  });

  test('v311 [MQTT-3.1.2-16] [MQTT-3.1.2-17] is retained with Will Retain, and not without', async () => {
    const broker = await startBroker(resources);
    await broker.kill(await connect(broker, { clientId: 'a', will: { topic: 'plain', payload: 'x' } }));
    await broker.kill(await connect(broker, { clientId: 'b', will: { topic: 'kept', payload: 'y', retain: true } }));
    const late = await watcher(broker);
    expect((await late.drainPublishes()).map(({ topic, retain }) => [topic, retain])).toEqual([['kept', true]]);
  });
});

test('v311 [MQTT-3.1.2-24] silence of 1.5 × Keep Alive ends the connection with its Will; any packet puts it off', async () => {
  const broker = await startBroker(resources);
  const observer = await connect(broker, { clientId: 'o', keepAlive: 0 });
  await observer.subscribe('w');
  const client = await connect(broker, { clientId: 'c', keepAlive: 2, will: { topic: 'w', payload: 'gone' } });
  await broker.advance(2.9);
  client.send(v311.publish({ topic: 'alive' }));
  await broker.advance(2.9);
  await observer.expectNothing();
  await broker.advance(1.6);
  await client.expectClosed();
  await observer.expectPublish({ topic: 'w', payload: 'gone' });
});

test('v311 [MQTT-4.1.0-2] Keep Alive 0: a session lasts as long as its connection, however long that is', async () => {
  const broker = await startBroker(resources);
  const client = await connect(broker, { clientId: 'c', keepAlive: 0 });
  await client.subscribe('a');
  await broker.advance(7200);
  await client.publish({ topic: 'a', payload: 'x' });
  await client.expectPublish({ topic: 'a', payload: 'x' });
});

describe('the Client Identifier', () => {
  test('v311 [MQTT-3.1.3-5] has 1 to 23 letters and digits, or more of anything', async () => {
    const broker = await startBroker(resources);
    for (const clientId of ['0', 'Z', 'abcdefghijklmnopqrstuvw', `${'long '.repeat(20)}é`]) {
      await connect(broker, { clientId });
    }
  });

  test('v311 [MQTT-3.1.3-2] tells sessions apart byte by byte', async () => {
    const broker = await startBroker(resources);
    const one = await connect(broker, { clientId: 'c', cleanStart: false });
    const other = await connect(broker, { clientId: 'C', cleanStart: false });
    expect(other.connack.sessionPresent).toBe(false);
    await one.expectNothing();
    await broker.kill(one);
    expect((await connect(broker, { clientId: 'c', cleanStart: false })).connack.sessionPresent).toBe(true);
  });

  test('v311 [MQTT-3.1.3-6] may be empty: two such clients get different ones', async () => {
    const broker = await startBroker(resources);
    const one = await connect(broker, { clientId: '' });
    const two = await connect(broker, { clientId: '' });
    await one.expectNothing();
    await two.expectNothing();
  });

  test('v311 [MQTT-3.1.3-7] [MQTT-3.1.3-8] [MQTT-3.2.2-5] may not be empty with CleanSession 0', async () => {
    const broker = await startBroker(resources);
    const client = await broker.open({ version: 4 });
    client.send(v311.connect({ clientId: '', cleanStart: false }));
    await client.expectRefused(2);
  });

  test('v311 [MQTT-3.1.3-9] [MQTT-3.2.2-5] that is against the rules is refused with return code 2', async () => {
    const broker = await startBroker(resources, { listener: { allowZeroLengthClientid: false } });
    const client = await broker.open({ version: 4 });
    client.send(v311.connect({ clientId: '' }));
    await client.expectRefused(2);
  });
});

test('v311 [MQTT-3.1.3-1] [MQTT-3.1.2-19] [MQTT-3.1.2-21] the fields of the payload are used in their roles', async () => {
  const asked: unknown[] = [];
  const broker = await startBroker(resources, {
    authenticator: {
      authenticate: ({ clientId, username, password }) => {
        asked.push([clientId, username, password?.toString()]);
        return 'accepted';
      },
    },
  });
  const observer = await watcher(broker);
  const client = await broker.open({ version: 4 });
  client.send(connectBytes('CE', '0002 "id" 0002 "wt" 0002 "wm" 0004 "user" 0004 "pass"'));
  await client.expect('20 02 00 00');
  expect(asked.at(-1)).toEqual(['id', 'user', 'pass']);
  await broker.kill(client);
  await observer.expectPublish({ topic: 'wt', payload: 'wm', qos: 1 });
  const empty = await broker.open({ version: 4 });
  empty.send(connectBytes('C2', '0002 "id"', u16(0), u16(0)));
  await empty.expect('20 02 00 00');
  expect(asked.at(-1)).toEqual(['id', '', '']);
});

test('v311 [MQTT-3.1.4-2] the existing client is disconnected before the new one is answered', async () => {
  const broker = await startBroker(resources);
  const old = await connect(broker, { clientId: 'c' });
  await connect(broker, { clientId: 'c' });
  await old.expectClosed();
});

test('v311 [MQTT-3.1.4-5] [MQTT-3.2.2-4] [MQTT-3.2.2-5] after a refusal nothing the client sent is done, and its session is as it was', async () => {
  let isOpen = true;
  const broker = await startBroker(resources, {
    authenticator: { authenticate: () => (isOpen ? 'accepted' : { reasonCode: 0x87 }) },
  });
  const before = await connect(broker, { clientId: 'c', cleanStart: false });
  await before.subscribe({ filter: 'a', qos: 1 });
  await broker.kill(before);
  isOpen = false;
  const refused = await broker.open({ version: 4 });
  refused.send(
    v311.connect({ clientId: 'c', cleanStart: true }),
    v311.publish({ topic: 'a', payload: 'no', retain: true }),
  );
  await refused.expectRefused(5);
  isOpen = true;
  const after = await connect(broker, { clientId: 'c', cleanStart: false });
  expect(after.connack.sessionPresent).toBe(true);
  await after.subscribe({ filter: 'a', qos: 1 });
  await after.expectNothing();
});
