import { describe, expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, type ConnectOptions, startBroker } from '../wire/broker.ts';
import { type Bytes, packet } from '../wire/bytes.ts';
import { v31 } from '../wire/packets.ts';

const resources = useResources();

function connect(broker: ConformanceBroker, fields: ConnectOptions = {}): Promise<Connected> {
  return broker.connect({ version: 3, ...fields });
}

/** "MQIsdp" 03, flags, Keep Alive 60, then the payload. */
function connectBytes(flags: string, ...payload: readonly Bytes[]): Buffer {
  return packet(0x10, '0006 "MQIsdp" 03', flags, '003C', ...payload);
}

async function watcher(broker: ConformanceBroker): Promise<Connected> {
  const client = await connect(broker, { clientId: 'watcher' });
  await client.subscribe({ filter: '#', qos: 2 });
  return client;
}

describe('recognising a client of MQTT 3.1', () => {
  test('[MQTT31-CONN-1] [MQTT31-ACK-1] [MQTT31-ACK-2] MQIsdp with level 3 is let in, and CONNACK has no Session Present', async () => {
    const broker = await startBroker(resources);
    const client = await broker.open({ version: 3 });
    client.send('10 0F 0006 "MQIsdp" 03 00 003C 0001 "c"');
    await client.expect('20 02 00 00');
    await broker.kill(client);
    const again = await broker.open({ version: 3 });
    again.send('10 0F 0006 "MQIsdp" 03 00 003C 0001 "c"');
    await again.expect('20 02 00 00');
  });

  test('[MQTT31-CONN-2] [MQTT31-ACK-2] name and level belong together; another name is closed', async () => {
    const broker = await startBroker(resources);
    for (const bytes of ['10 0F 0006 "MQIsdp" 04 02 003C 0001 "c"', '10 0D 0004 "MQTT" 03 02 003C 0001 "c"']) {
      const client = await broker.open({ version: 3 });
      client.send(bytes);
      await client.expectRefused(1);
    }
    const client = await broker.open({ version: 3 });
    client.send('10 0F 0006 "MQISDP" 03 02 003C 0001 "c"');
    await client.expectClosed();
  });

  test('[MQTT31-CONN-3] level 0x83 marks a bridge of Mosquitto: let in, and spared its own messages', async () => {
    const broker = await startBroker(resources);
    const bridge = await broker.open({ version: 3 });
    bridge.send('10 0F 0006 "MQIsdp" 83 02 003C 0001 "b"');
    await bridge.expect('20 02 00 00');
    await bridge.subscribe('a');
    await bridge.publish({ topic: 'a', payload: 'own' });
    const other = await connect(broker, { clientId: 'o' });
    await other.publish({ topic: 'a', payload: 'other', retain: true, qos: 1 });
    expect((await bridge.drainPublishes()).map(({ text, retain }) => [text, retain])).toEqual([['other', true]]);
  });

  test('[MQTT31-CONN-4] the version of the CONNECT decides how everything after it is read and written', async () => {
    const broker = await startBroker(resources);
    const old = await connect(broker, { clientId: 'c' });
    const modern = await broker.connect({ clientId: 'm', version: 5 });
    await old.subscribe('a');
    await modern.subscribe('a');
    await modern.publish({ topic: 'a', payload: 'x' });
    await old.expect('30 04 0001 "a" "x"');
    await modern.expectPublish({ payload: 'x' });
  });
});

describe('CONNECT', () => {
  test('[MQTT31-CONN-5] [MQTT31-ACK-2] an empty Client Identifier is refused with 2, whatever Clean Session says', async () => {
    const broker = await startBroker(resources);
    for (const cleanStart of [true, false]) {
      const client = await broker.open({ version: 3 });
      client.send(v31.connect({ clientId: '', cleanStart }));
      await client.expectRefused(2);
    }
  });

  test('[MQTT31-CONN-6] more than 23 characters are accepted', async () => {
    const broker = await startBroker(resources);
    await connect(broker, { clientId: 'a'.repeat(24) });
    await connect(broker, { clientId: 'b'.repeat(200) });
  });

  test('[MQTT31-CONN-7] [MQTT31-CONN-8] flags that 3.1 does not use are ignored', async () => {
    const broker = await startBroker(resources);
    for (const bytes of ['1F 0F 0006 "MQIsdp" 03 02 003C 0001 "c"', '10 0F 0006 "MQIsdp" 03 03 003C 0001 "c"']) {
      const client = await broker.open({ version: 3 });
      client.send(bytes);
      await client.expect('20 02 00 00');
    }
  });

  test('[MQTT31-CONN-9] without a Will its QoS and RETAIN do not matter; with one QoS 3 closes', async () => {
    const broker = await startBroker(resources);
    const fine = await broker.open({ version: 3 });
    fine.send(connectBytes('3A', '0001 "c"'));
    await fine.expect('20 02 00 00');
    const wrong = await broker.open({ version: 3 });
    wrong.send(connectBytes('1E', '0001 "d" 0001 "w" 0001 "m"'));
    await wrong.expectClosed();
  });

  test('[MQTT31-CONN-10] a Will may hold any bytes, or none', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    await broker.kill(await connect(broker, { clientId: 'c', will: { topic: 'w', payload: Buffer.from([0, 0xff]) } }));
    expect((await observer.expectPublish({ topic: 'w' })).payload).toEqual(Buffer.from([0, 0xff]));
    await broker.kill(await connect(broker, { clientId: 'c', will: { topic: 'w', payload: '' } }));
    await observer.expectPublish({ topic: 'w', payload: '' });
  });

  test('[MQTT31-CONN-11] flags for User Name and Password that the payload has no room for are passed over', async () => {
    const broker = await startBroker(resources);
    for (const bytes of [connectBytes('C2', '0001 "c"'), connectBytes('C2', '0001 "d" 0001 "u"')]) {
      const client = await broker.open({ version: 3 });
      client.send(bytes);
      await client.expect('20 02 00 00');
    }
  });

  test('[MQTT31-CONN-12] a Password without User Name is closed', async () => {
    const broker = await startBroker(resources);
    const client = await broker.open({ version: 3 });
    client.send(connectBytes('42', '0001 "c" 0001 "p"'));
    await client.expectClosed();
  });

  test('[MQTT31-CONN-13] names and passwords may be longer than 12 characters', async () => {
    const asked: unknown[] = [];
    const broker = await startBroker(resources, {
      authenticator: {
        authenticate: ({ username, password }) => {
          asked.push([username, password?.toString()]);
          return 'accepted';
        },
      },
    });
    await connect(broker, { username: 'u'.repeat(40), password: 'p'.repeat(40) });
    expect(asked).toEqual([['u'.repeat(40), 'p'.repeat(40)]]);
  });

  test('[MQTT31-ACK-2] who may not come in is told 5 and closed', async () => {
    const broker = await startBroker(resources, { authenticator: { authenticate: () => ({ reasonCode: 0x87 }) } });
    const client = await broker.open({ version: 3 });
    client.send(v31.connect({ username: 'u', password: 'wrong' }));
    await client.expectRefused(5);
  });

  test('[MQTT31-CONN-14] an older connection of the same client is dropped first', async () => {
    const broker = await startBroker(resources);
    const old = await connect(broker, { clientId: 'c' });
    await connect(broker, { clientId: 'c' });
    await old.expectClosed();
  });

  test('[MQTT31-CONN-15] [MQTT31-ERR-1] no CONNECT in time, or a broken one, is closed', async () => {
    const broker = await startBroker(resources);
    const silent = await broker.open({ version: 3 });
    const broken = await broker.open({ version: 3 });
    broken.send('10 05 0006 "MQI"');
    await broken.expectClosed();
    await broker.advance(12);
    await silent.expectClosed();
  });

  test('[MQTT31-CONN-16] [MQTT31-CONN-17] Clean Session 0 keeps subscriptions and QoS 1 and 2, not QoS 0; Clean Session 1 keeps nothing', async () => {
    const broker = await startBroker(resources);
    const away = await connect(broker, { clientId: 'c', cleanStart: false });
    await away.subscribe({ filter: 'a', qos: 2 });
    await away.disconnect();
    const publisher = await connect(broker, { clientId: 'p' });
    for (const qos of [0, 1, 2] as const) await publisher.publish({ topic: 'a', payload: `q${qos}`, qos });
    const back = await connect(broker, { clientId: 'c', cleanStart: false });
    expect((await back.drainPublishes()).map(({ text }) => text)).toEqual(['q1', 'q2']);
    await back.disconnect();
    const clean = await connect(broker, { clientId: 'c', cleanStart: true });
    await clean.expectNothing();
    await clean.subscribe('a');
    await clean.disconnect();
    const after = await connect(broker, { clientId: 'c', cleanStart: false });
    await after.publish({ topic: 'a' });
    await after.expectNothing();
  });
});

describe('fixed header', () => {
  test('[MQTT31-FLAG-1] the low nibble of packets that do not use it is ignored', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    client.send('CF 00');
    await client.expect('D0 00');
    client.send('4F 02 0007', '71 02 0007');
    await client.expectNothing();
    client.send('E5 00');
    await client.expectClosed();
  });

  test('[MQTT31-FLAG-2] [MQTT31-FLAG-3] PUBREL, SUBSCRIBE and UNSUBSCRIBE may come with DUP', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    client.send('8A 06 0001 0001 "a" 01');
    await client.expect('90 03 0001 01');
    client.send(v31.publish({ topic: 'b', qos: 2, packetId: 9, dup: true }));
    await client.expect('50 02 0009');
    client.send('6A 02 0009');
    await client.expect('70 02 0009');
    client.send('AA 05 0002 0001 "a"');
    await client.expect('B0 02 0002');
  });

  test('[MQTT31-FLAG-4] [MQTT31-FLAG-5] QoS 3 and message id 0 close', async () => {
    const broker = await startBroker(resources);
    for (const bytes of ['36 05 0001 "a" 0001', '32 05 0001 "a" 0000', '82 06 0000 0001 "a" 00']) {
      const client = await connect(broker, { clientId: 'c' });
      client.send(bytes);
      await client.expectClosed();
    }
  });
});

describe('PUBLISH', () => {
  test('[MQTT31-PUB-1] a topic longer than 32,767 characters is taken', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    const topic = 'x'.repeat(40_000);
    await client.subscribe(topic);
    await client.publish({ topic, payload: 'y' });
    await client.expectPublish({ topic, payload: 'y' });
  });

  test('[MQTT31-PUB-2] one that is not allowed is acknowledged and dropped', async () => {
    const broker = await startBroker(resources, {
      authorizer: { authorize: (_c, action, topic) => action !== 'publish' || topic !== 'no' },
    });
    const client = await connect(broker, { clientId: 'c' });
    await client.subscribe('#');
    client.send(v31.publish({ topic: 'no', qos: 1, packetId: 3 }));
    await client.expect('40 02 0003');
    await client.publish({ topic: 'yes' });
    await client.expectPublish({ topic: 'yes' });
  });

  test('[MQTT31-PUB-3] [MQTT31-PUB-5] retained: replaced, replayed with the flag, forwarded without it, cleared by an empty one', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.publish({ topic: 'a', payload: 'old', retain: true });
    await client.publish({ topic: 'a', payload: 'new', retain: true });
    await client.subscribe('a');
    await client.expectPublish({ payload: 'new', retain: true });
    await client.publish({ topic: 'a', payload: '', retain: true });
    await client.expectPublish({ payload: '', retain: false });
    const late = await connect(broker, { clientId: 'late' });
    await late.subscribe('a');
    await late.expectNothing();
  });

  test('[MQTT31-PUB-4] retained messages outlive a restart', async () => {
    const location = tempDir(resources);
    const broker = await startBroker(resources, { options: { persistence: true, persistenceLocation: location } });
    const client = await connect(broker, { clientId: 'c' });
    await client.publish({ topic: 'a', payload: 'kept', retain: true, qos: 1 });
    await broker.restart();
    const after = await connect(broker, { clientId: 'c' });
    await after.subscribe('a');
    await after.expectPublish({ payload: 'kept', retain: true });
  });

  test('[MQTT31-PUB-6] a QoS 2 message is passed on once, at its PUBREL', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    const client = await connect(broker, { clientId: 'c' });
    for (const dup of [false, true]) {
      client.send(v31.publish({ topic: 'a', payload: 'x', qos: 2, packetId: 4, dup }));
      await client.expect('50 02 0004');
    }
    await observer.expectNothing();
    client.send('62 02 0004');
    await client.expect('70 02 0004');
    expect((await observer.drainPublishes()).map(({ text }) => text)).toEqual(['x']);
  });

  test('[MQTT31-PUB-7] [MQTT31-PUB-8] what is open comes again after a reconnect, with DUP and PUBREL as 62; never on a connection that lives', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c', cleanStart: false, keepAlive: 0 });
    await client.subscribe({ filter: 'a', qos: 2 });
    const publisher = await connect(broker, { clientId: 'p', keepAlive: 0 });
    await publisher.publish({ topic: 'a', payload: '1', qos: 1 });
    await publisher.publish({ topic: 'a', payload: '2', qos: 2 });
    const [one, two] = await client.drainPublishes();
    client.send(v31.pubrec({ packetId: two?.packetId ?? 0 }));
    await client.expectPacket('pubrel');
    await broker.advance(600);
    await client.expectNothing();
    await broker.kill(client);
    const again = await connect(broker, { clientId: 'c', cleanStart: false });
    await again.expectPublish({ payload: '1', dup: true, packetId: one?.packetId ?? 0 });
    await again.expect(v31.pubrel({ packetId: two?.packetId ?? 0 }));
  });

  test('[MQTT31-PUB-9] a repeated QoS 1 PUBLISH is forwarded and acknowledged again', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    const client = await connect(broker, { clientId: 'c' });
    for (const dup of [false, true]) {
      client.send(v31.publish({ topic: 'a', payload: 'x', qos: 1, packetId: 4, dup }));
      await client.expect('40 02 0004');
    }
    expect((await observer.drainPublishes()).map(({ text }) => text)).toEqual(['x', 'x']);
  });
});

describe('SUBSCRIBE', () => {
  test('[MQTT31-SUB-1] a refused filter is answered with a QoS and never delivers', async () => {
    const broker = await startBroker(resources, {
      authorizer: { authorize: (_client, action, topic) => action !== 'subscribe' || topic !== 'secret' },
    });
    const client = await connect(broker, { clientId: 'c' });
    client.send(
      v31.subscribe({
        packetId: 1,
        filters: [
          { filter: 'secret', qos: 1 },
          { filter: 'open', qos: 2 },
        ],
      }),
    );
    const { reasonCodes } = await client.expectPacket('suback');
    expect(reasonCodes.every((code) => code <= 2)).toBe(true);
    expect(reasonCodes[1]).toBe(2);
    await client.publish({ topic: 'secret' });
    await client.publish({ topic: 'open' });
    await client.expectPublish({ topic: 'open' });
  });

  test('[MQTT31-SUB-2] the upper six bits are ignored, both lower ones close', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    client.send('82 06 0001 0001 "a" FD');
    await client.expect('90 03 0001 01');
    client.send('82 06 0002 0001 "a" 03');
    await client.expectClosed();
  });

  test('[MQTT31-SUB-3] [MQTT31-SUB-4] granted values follow the request; what is retained may come around the SUBACK', async () => {
    const broker = await startBroker(resources, { listener: { maxQos: 1 } });
    const client = await connect(broker, { clientId: 'c' });
    await client.publish({ topic: 'b', payload: 'kept', retain: true });
    client.send(
      v31.subscribe({
        packetId: 1,
        filters: [
          { filter: 'a', qos: 2 },
          { filter: 'b', qos: 0 },
          { filter: 'c', qos: 1 },
        ],
      }),
    );
    const packets = await client.drain();
    const suback = packets.find(({ type }) => type === 'suback');
    expect(suback?.bytes.subarray(4)).toEqual(Buffer.from([1, 0, 1]));
    expect(packets.filter(({ type }) => type === 'publish')).toHaveLength(1);
  });

  test('[MQTT31-SUB-5] without any filter the connection is closed', async () => {
    const broker = await startBroker(resources);
    for (const bytes of ['82 02 0001', 'A2 02 0001']) {
      const client = await connect(broker, { clientId: 'c' });
      client.send(bytes);
      await client.expectClosed();
    }
  });

  test('[MQTT31-SUB-6] # includes the parent level and does not see $ topics', async () => {
    const broker = await startBroker(resources);
    const client = await connect(broker, { clientId: 'c' });
    await client.subscribe('a/#', '#');
    await client.publish({ topic: '$x/a' });
    await client.expectNothing();
    await client.publish({ topic: 'a' });
    expect(await client.drainPublishes()).toHaveLength(2);
  });

  test('[MQTT31-SUB-7] shared subscriptions work for 3.1 as well', async () => {
    const broker = await startBroker(resources);
    const members = [await connect(broker, { clientId: 'm1' }), await connect(broker, { clientId: 'm2' })];
    for (const member of members) await member.subscribe('$share/g/a');
    const publisher = await connect(broker, { clientId: 'p' });
    for (let count = 0; count < 4; count++) await publisher.publish({ topic: 'a', qos: 1 });
    for (const member of members) expect(await member.drainPublishes()).toHaveLength(2);
  });
});

describe('the end', () => {
  test('[MQTT31-KA-1] [MQTT31-KA-2] silence of 1.5 × Keep Alive ends the connection with its Will, Keep Alive 0 never', async () => {
    const broker = await startBroker(resources);
    const observer = await connect(broker, { clientId: 'o', keepAlive: 0 });
    await observer.subscribe('w');
    const client = await connect(broker, { clientId: 'c', keepAlive: 10, will: { topic: 'w', payload: 'gone' } });
    await broker.advance(14.5);
    await client.expectNothing();
    await broker.advance(17);
    await client.expectClosed();
    await observer.expectPublish({ topic: 'w', payload: 'gone' });
    await broker.advance(86_400);
    await observer.expectNothing();
  });

  test('[MQTT31-DIS-1] DISCONNECT drops the Will, and the broker closes', async () => {
    const broker = await startBroker(resources);
    const observer = await watcher(broker);
    const client = await connect(broker, { clientId: 'c', will: { topic: 'w', payload: 'gone' } });
    await client.disconnect();
    await observer.expectNothing();
  });

  test('[MQTT31-DIS-2] [MQTT31-ERR-1] [MQTT31-UTF-1] errors close without a word', async () => {
    const broker = await startBroker(resources);
    for (const bytes of ['30 04 0002 C080', '30 08 0006 EDA081EDB081', 'F0 00', 'E0 01 00', '90 03 0001 00']) {
      const client = await connect(broker, { clientId: 'c' });
      client.send(bytes);
      await client.expectClosed();
    }
  });

  test.each(['mqtt', 'mqttv3.1'])('[MQTT31-WS-1] subprotocol %s is accepted and echoed', async (protocol) => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const client = await broker.open({ version: 3, transport: 'ws', webSocket: { protocol } });
    expect(client.webSocket.head).toContain(`Sec-WebSocket-Protocol: ${protocol}`);
    client.send(v31.connect({ clientId: 'c' }));
    await client.expect('20 02 00 00');
  });
});
