/** Options that refuse: too many, too large, too long, not here. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { RawClient } from '../conformance/wire/client.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import { HandshakeRefused, WebSocketStream } from '../conformance/wire/websocket.ts';
import { prepareBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { describeEither, Place, startPlace } from './either-broker.ts';

const v3 = packetsOf(3);
const v4 = packetsOf(4);
const v5 = packetsOf(5);

describeEither('limits', (name) => {
  const isOurs = name === 'moustique';
  const resources = useResources();

  test('max_connections: one more is closed without a byte; when one has gone, another may come', async () => {
    const broker = await prepareBroker(resources, name, {
      config: [
        'allow_anonymous true',
        'listener {port} 127.0.0.1',
        'max_connections 2',
        'listener {other} 127.0.0.1',
        'log_dest stderr',
      ],
    });
    await broker.start();
    const place = new Place(broker, resources);
    const first = await place.connect({ clientId: 'first' });
    await place.connect({ clientId: 'second' });
    const third = await place.open();
    await third.expectClosed();
    await waitFor('the log line', () =>
      /Client connection from 127\.0\.0\.1 denied: max_connections exceeded\./.test(place.log),
    );
    // The other listener counts for itself.
    await place.connect({ clientId: 'other', port: 'other' });
    await first.disconnect();
    await waitFor('room for another', async () => {
      const client = await place.open();
      client.send(v4.connect({ clientId: 'fourth' }));
      return client.next().then(
        ({ type }) => type === 'connack',
        () => false,
      );
    });
  });

  test('max_qos 1: subscriptions are granted less, a PUBLISH of more ends the connection', async () => {
    const broker = await prepareBroker(resources, name, {
      config: ['allow_anonymous true', 'listener {port} 127.0.0.1', 'max_qos 1'],
    });
    await broker.start();
    const place = new Place(broker, resources);
    const five = await place.connect({ version: 5, clientId: 'five' });
    expect(five.connack.properties).toContainEqual(['maximumQos', 1]);
    expect((await five.subscribe({ filter: 'a', qos: 2 })).reasonCodes).toEqual([1]);
    await five.publish({ topic: 'b', payload: 'x', qos: 1 });
    five.send(v5.publish({ topic: 'a', qos: 2 }));
    await five.expectError(0x9b);
    const four = await place.connect({ clientId: 'four' });
    four.send(v4.publish({ topic: 'a', qos: 2 }));
    await four.expectClosed();
    const will = await place.open(5);
    will.send(v5.connect({ clientId: 'will', will: { topic: 'w', payload: 'x', qos: 2 } }));
    // Session Present 0, 0x9B, Maximum QoS 1: with that a bridge of Mosquitto's comes back.
    await will.expect('20 05 00 9b 02 24 01');
    await will.expectClosed();
  });

  test('retain_available false: what is to be retained ends the connection', async () => {
    const place = await startPlace(resources, name, ['retain_available false']);
    const five = await place.connect({ version: 5, clientId: 'five' });
    expect(five.connack.properties).toContainEqual(['retainAvailable', 0]);
    five.send(v5.publish({ topic: 'a', payload: 'x', retain: true }));
    await five.expectError(0x9a);
    const four = await place.connect({ clientId: 'four' });
    four.send(v4.publish({ topic: 'a', payload: 'x', retain: true }));
    await four.expectClosed();
    const will = await place.open(5);
    will.send(v5.connect({ clientId: 'will', will: { topic: 'w', payload: 'x', retain: true } }));
    await will.expectRefused(0x9a);
    const late = await place.connect({ clientId: 'late' });
    await late.subscribe('#', '$SYS/broker/version');
    await late.expectNothing();
  });

  test('max_keepalive: MQTT 5.0 is told, 3.x is refused', async () => {
    const place = await startPlace(resources, name, ['max_keepalive 60']);
    for (const keepAlive of [0, 61]) {
      const five = await place.connect({ version: 5, clientId: 'five', keepAlive });
      expect(five.connack.properties).toContainEqual(['serverKeepAlive', 60]);
      // Mosquitto 2.0 lets 3.x clients choose.
      if (!isOurs) continue;
      for (const packets of [v3, v4]) {
        const refused = await place.open(packets.version);
        refused.send(packets.connect({ keepAlive }));
        await refused.expectRefused(2);
      }
    }
    for (const version of [3, 4, 5] as const) {
      const { connack } = await place.connect({ version, clientId: `within${version}`, keepAlive: 60 });
      expect(connack.properties.filter(([key]) => key === 'serverKeepAlive')).toEqual([]);
    }
  });

  test('message_size_limit: larger payloads are dropped, and the connection stays', async () => {
    const place = await startPlace(resources, name, ['message_size_limit 10']);
    const subscriber = await place.connect({ clientId: 'subscriber' });
    await subscriber.subscribe({ filter: 'a', qos: 0 });
    const [large, fits] = ['x'.repeat(11), 'x'.repeat(10)];
    const four = await place.connect({ clientId: 'four' });
    for (const qos of [0, 1, 2] as const) await four.publish({ topic: 'a', payload: large, qos });
    const five = await place.connect({ version: 5, clientId: 'five' });
    await five.publish({ topic: 'a', payload: large });
    // Mosquitto says 0x95, which PUBACK and PUBREC may not carry.
    if (isOurs) expect(await five.publish({ topic: 'a', payload: large, qos: 1 })).toBeGreaterThanOrEqual(0x80);
    if (isOurs) expect(await five.publish({ topic: 'a', payload: large, qos: 2 })).toBeGreaterThanOrEqual(0x80);
    await five.publish({ topic: 'a', payload: fits, qos: 2 });
    await four.publish({ topic: 'a', payload: fits, qos: 2 });
    await subscriber.expectPublish({ payload: fits });
    await subscriber.expectPublish({ payload: fits });
    await subscriber.expectNothing();
  });

  test('max_packet_size: MQTT 5.0 is told in CONNACK, larger packets end the connection', async () => {
    const place = await startPlace(resources, name, ['max_packet_size 100']);
    const five = await place.connect({ version: 5, clientId: 'five' });
    expect(five.connack.properties).toContainEqual(['maximumPacketSize', 100]);
    // First byte, length, 00 01 'a', no properties: 6 bytes, and 94 of payload.
    await five.subscribe('a');
    await five.publish({ topic: 'a', payload: 'x'.repeat(94) });
    await five.expectPublish({ payload: 'x'.repeat(94) });
    // Mosquitto 2.0 counts without the fixed header.
    const over = isOurs ? 1 : 3;
    five.send(v5.publish({ topic: 'a', payload: 'x'.repeat(94 + over) }));
    await five.expectError(0x95);
    const four = await place.connect({ clientId: 'four' });
    await four.subscribe('a');
    await four.publish({ topic: 'a', payload: 'x'.repeat(95) });
    await four.expectPublish({ payload: 'x'.repeat(95) });
    four.send(v4.publish({ topic: 'a', payload: 'x'.repeat(95 + over) }));
    await four.expectClosed();
  });

  test('allow_zero_length_clientid false', async () => {
    const place = await startPlace(resources, name, ['allow_zero_length_clientid false']);
    const four = await place.open(4);
    four.send(v4.connect({ clientId: '' }));
    await four.expectRefused(2);
    const five = await place.open(5);
    five.send(v5.connect({ clientId: '' }));
    await five.expectRefused(0x80);
    await place.connect({ clientId: 'named' });
  });

  test('an empty Client Identifier: MQTT 3.1 never, 3.1.1 with a clean session, 5.0 always', async () => {
    const place = await startPlace(resources, name, ['auto_id_prefix robot-']);
    const three = await place.open(3);
    three.send(v3.connect({ clientId: '' }));
    await three.expectRefused(2);
    const kept = await place.open(4);
    kept.send(v4.connect({ clientId: '', cleanStart: false }));
    await kept.expectRefused(2);
    await place.connect({ clientId: '' });
    const five = await place.connect({ version: 5, clientId: '', cleanStart: false });
    const assigned = five.connack.properties.find(([key]) => key === 'assignedClientIdentifier');
    expect(assigned?.[1]).toMatch(/^robot-/);
  });

  test('clientid_prefixes: others are not authorised', async () => {
    const place = await startPlace(resources, name, ['clientid_prefixes good-']);
    await place.connect({ clientId: 'good-one' });
    await place.connect({ version: 5, clientId: 'good-' });
    for (const [packets, code] of [
      [v4, 5],
      [v5, 0x87],
    ] as const) {
      const bad = await place.open(packets.version);
      bad.send(packets.connect({ clientId: 'bad-one' }));
      await bad.expectRefused(code);
    }
  });

  test('use_username_as_clientid: the same user takes its session over, whatever identifier it sends', async () => {
    const broker = await prepareBroker(resources, name, {
      config: ['allow_anonymous true', 'listener {port} 127.0.0.1', 'use_username_as_clientid true'],
    });
    await broker.start();
    const place = new Place(broker, resources);
    const first = await place.connect({ clientId: 'one', username: 'sonde' });
    const second = await place.connect({ clientId: 'two', username: 'sonde' });
    await first.expectClosed();
    await second.expectNothing();
    const nobody = await place.open(4);
    nobody.send(v4.connect({ clientId: 'three' }));
    await nobody.expectRefused(5);
  });

  // Mosquitto 2.0 leaves the mount point in topics that go to MQTT 5.0 clients.
  test.runIf(isOurs)('mount_point: a world of its own inside the other', async () => {
    const broker = await prepareBroker(resources, name, {
      config: ['allow_anonymous true', 'listener {port} 127.0.0.1', 'listener {inner} 127.0.0.1', 'mount_point house/'],
    });
    await broker.start();
    const place = new Place(broker, resources);
    const outside = await place.connect({ version: 5, clientId: 'outside' });
    const inside = await place.connect({
      version: 5,
      clientId: 'inside',
      port: 'inner',
      will: { topic: 'will', payload: 'gone' },
    });
    await outside.subscribe('#');
    await inside.subscribe('#');
    await outside.publish({ topic: 'house/lamp', payload: 'on', retain: true });
    await outside.publish({ topic: 'garden/lamp', payload: 'on' });
    await outside.publish({ topic: 'lamp', payload: 'on' });
    await inside.expectPublish({ topic: 'lamp', payload: 'on' });
    await inside.publish({ topic: 'door', payload: 'open' });
    await inside.expectPublish({ topic: 'door', payload: 'open' });
    await inside.expectNothing();
    for (const topic of ['house/lamp', 'garden/lamp', 'lamp', 'house/door']) await outside.expectPublish({ topic });
    // Retained messages, exact filters, shared subscriptions, unsubscribing and the Will.
    await inside.subscribe('lamp');
    await inside.expectPublish({ topic: 'lamp', payload: 'on', retain: true });
    inside.send(v5.unsubscribe({ packetId: 9, filters: ['#', 'lamp'] }));
    expect((await inside.expectPacket('unsuback')).reasonCodes).toEqual([0, 0]);
    await inside.subscribe('$share/g/+/shared');
    await outside.publish({ topic: 'house/x/shared', payload: 'y' });
    await inside.expectPublish({ topic: 'x/shared', payload: 'y' });
    await outside.expectPublish({ topic: 'house/x/shared' });
    inside.close();
    await outside.expectPublish({ topic: 'house/will', payload: 'gone' });
  });

  test('without any listener: this machine only, anonymous clients let in, and the log says so', async () => {
    const broker = await prepareBroker(resources, name, { config: ['log_dest stderr'], args: ['-p', '{port}'] });
    await broker.start();
    const place = new Place(broker, resources);
    await place.connect({ clientId: 'c' });
    const addresses = () =>
      ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .flatMap((line) => {
            const [, local = '', , state] = line.trim().split(/\s+/);
            const [address, port = ''] = local.split(':');
            return state === '0A' && Number.parseInt(port, 16) === broker.port() ? [address] : [];
          }),
      );
    // 127.0.0.1, ::1; the client may be in before the second is open.
    const both = ['00000000000000000000000001000000', '0100007F'];
    await expect.poll(() => addresses().toSorted(), { timeout: 30_000 }).toEqual(both);
    expect(place.log).toContain(
      'Starting in local only mode. Connections will only be possible from clients running on this machine.',
    );
  });

  test('a listener without allow_anonymous lets nobody in without a name', async () => {
    const broker = await prepareBroker(resources, name, { config: ['listener {port} 127.0.0.1'] });
    await broker.start();
    const place = new Place(broker, resources);
    for (const [packets, code] of [
      [v3, 5],
      [v4, 5],
      [v5, 0x87],
    ] as const) {
      const client = await place.open(packets.version);
      client.send(packets.connect({ clientId: 'c' }));
      await client.expectRefused(code);
    }
  });
});

describe('limits of Mosquitto 2.1', () => {
  const resources = useResources();

  test('websockets_origin: one that is not in the list is dropped without an answer; none at all is no browser', async () => {
    const broker = await prepareBroker(resources, 'moustique', {
      config: [
        'allow_anonymous true',
        'log_dest stderr',
        'listener {port} 127.0.0.1',
        'protocol websockets',
        'websockets_origin https://good.example',
        'websockets_origin https://also.example:8443',
      ],
    });
    await broker.start();
    const open = (origin: string): Promise<WebSocketStream> =>
      WebSocketStream.open(broker.port(), { headers: [`Origin: ${origin}`] });
    for (const origin of ['https://good.example', 'https://also.example:8443']) {
      resources.add({ close: async () => (await open(origin)).destroy() });
      (await open(origin)).destroy();
    }
    resources.add(await RawClient.open(broker.port(), { transport: 'ws' }));
    for (const origin of ['https://evil.example', 'https://good.example.evil.example', 'https://good', 'null']) {
      const refused = await open(origin).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(HandshakeRefused);
      expect((refused as HandshakeRefused).head).toBe('');
    }
    await broker.process.waitForOutput(
      /Client \(null\) \[127\.0\.0\.1:\d+\] disconnected: non-matching http origin\./,
      'stderr',
    );
  });

  test('accept_protocol_versions: others are told that their version is not served', async () => {
    const broker = await prepareBroker(resources, 'moustique', {
      config: ['allow_anonymous true', 'listener {port} 127.0.0.1', 'accept_protocol_versions 4,5'],
    });
    await broker.start();
    const place = new Place(broker, resources);
    await place.connect({ version: 4, clientId: 'four' });
    await place.connect({ version: 5, clientId: 'five' });
    const three = await place.open(3);
    three.send(v3.connect({ clientId: 'three' }));
    await three.expectRefused(1);
  });

  test('global_max_connections counts all listeners together', async () => {
    const broker = await prepareBroker(resources, 'moustique', {
      config: [
        'allow_anonymous true',
        'global_max_connections 2',
        'listener {port} 127.0.0.1',
        'listener {other} 127.0.0.1',
      ],
    });
    await broker.start();
    const place = new Place(broker, resources);
    await place.connect({ clientId: 'first' });
    await place.connect({ clientId: 'second', port: 'other' });
    for (const port of ['port', 'other']) await (await place.open(4, port)).expectClosed();
  });

  test('persistent_client_expiration: sessions of absent clients end, of MQTT 3.x and 5.0 alike', async () => {
    const broker = await startBroker(resources, { options: { persistentClientExpiration: 3600 } });
    const connect = async (clientId: string) => {
      const isFive = clientId.startsWith('five');
      return broker.connect({
        clientId,
        version: isFive ? 5 : 4,
        keepAlive: 0,
        cleanStart: false,
        properties: isFive ? [property.sessionExpiryInterval(0xffff_ffff)] : [],
      });
    };
    for (const clientId of ['four', 'five', 'four-stays', 'five-stays']) {
      const client = await connect(clientId);
      await client.subscribe({ filter: 'a', qos: 1 });
      if (!clientId.endsWith('stays')) await client.disconnect();
    }
    await broker.advance(3500);
    for (const clientId of ['four', 'five']) {
      const back = await connect(clientId);
      expect(back.connack.sessionPresent).toBe(true);
      await back.disconnect();
    }
    await broker.advance(3700);
    expect(broker.log.filter((line) => line.startsWith('Expiring'))).toEqual([
      'Expiring client four due to timeout.',
      'Expiring client five due to timeout.',
    ]);
    for (const clientId of ['four', 'five']) expect((await connect(clientId)).connack.sessionPresent).toBe(false);
    // Whoever is connected stays, however long.
    for (const clientId of ['four-stays', 'five-stays'])
      expect(broker.running.broker.engine.sessions.has(clientId)).toBe(true);
  });
});
