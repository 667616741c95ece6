/** What a bridge says on the wire, packet by packet, to a server made of bytes. */
import { describe, expect, test } from 'vitest';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';
import {
  acceptBridge,
  grantSubscriptions,
  logged,
  RawServer,
  remoteIdOf,
  startBridged,
  stateTopicOf,
  untilConnected,
} from './places.ts';

const resources = useResources();
const quiet = ['notifications false', 'restart_timeout 1'];

describe('CONNECT', () => {
  test('names the bridge, is marked as one, keeps the session, and has the state as Will', async () => {
    const server = await RawServer.listen(resources, 4);
    await startBridged(resources, server.port, ['topic a out']);
    const { connect } = await acceptBridge(server);
    expect(connect).toMatchObject({
      protocolName: 'MQTT',
      protocolLevel: 0x84,
      // Will, QoS 1, retained; no Clean Session
      flags: 0b0010_1100,
      keepAlive: 60,
      clientId: remoteIdOf('one'),
      will: { topic: stateTopicOf('one'), payload: Buffer.from('0') },
      username: null,
    });
  });

  test.each([
    ['bridge_protocol_version mqttv31', { protocolName: 'MQIsdp', protocolLevel: 0x83 }],
    ['try_private false', { protocolName: 'MQTT', protocolLevel: 4 }],
    ['cleansession true', { flags: 0b10 }],
    ['keepalive_interval 17', { keepAlive: 17 }],
    ['remote_clientid somebody', { clientId: 'somebody' }],
    ['clientid somebody', { clientId: 'somebody' }],
    ['notifications false', { will: null }],
    ['remote_username me\nremote_password secret', { username: 'me', password: Buffer.from('secret') }],
    ['remote_password secret', { username: null, password: null }],
  ])('%s', async (lines, wanted) => {
    const server = await RawServer.listen(resources, 4);
    const isOurs = lines.startsWith('notifications') ? [] : ['notifications false'];
    await startBridged(resources, server.port, ['topic a out', ...isOurs, ...lines.split('\n')]);
    expect((await acceptBridge(server)).connect).toMatchObject(wanted);
  });

  test('notification_topic names another topic for the state; notifications_local_only tells the other side nothing', async () => {
    const server = await RawServer.listen(resources, 4);
    const lines = ['topic a out', 'notification_topic where/it/is', 'bridge_attempt_unsubscribe false'];
    const place = await startBridged(resources, server.port, lines);
    const { connect, peer } = await acceptBridge(server);
    expect(connect.will?.topic).toBe('where/it/is');
    await peer.expectPublish({ topic: 'where/it/is', payload: '1', qos: 1, retain: true });
    const client = await place.connect();
    await client.subscribe('where/#');
    await client.expectPublish({ topic: 'where/it/is', payload: '1' });

    const other = await RawServer.listen(resources, 4);
    const local = await startBridged(resources, other.port, ['topic a both', 'notifications_local_only true']);
    const alone = await acceptBridge(other);
    expect(alone.connect.will).toBeNull();
    await grantSubscriptions(alone.peer, 1);
    const watcher = await local.connect();
    await watcher.subscribe('$SYS/broker/connection/#');
    await watcher.expectPublish({ topic: stateTopicOf('one'), payload: '1', retain: true });
  });

  describe('bridge_protocol_version mqttv50', () => {
    test.each([
      ['', [property.topicAliasMaximum(10), property.receiveMaximum(20)]],
      ['bridge_max_topic_alias 0', [property.receiveMaximum(20)]],
      ['bridge_receive_maximum 7', [property.topicAliasMaximum(10), property.receiveMaximum(7)]],
      [
        'bridge_session_expiry_interval 60',
        [property.sessionExpiryInterval(60), property.topicAliasMaximum(10), property.receiveMaximum(20)],
      ],
    ])('%s: properties in Mosquitto order', async (line, wanted) => {
      const server = await RawServer.listen(resources, 5);
      const lines = ['topic a out', 'bridge_protocol_version mqttv50', ...quiet];
      await startBridged(resources, server.port, line === '' ? lines : [...lines, line]);
      const { connect } = await acceptBridge(server, 5);
      expect(connect.protocolLevel).toBe(5);
      expect(connect.bytes.includes(Buffer.concat(wanted))).toBe(true);
      expect(connect.properties).toHaveLength(wanted.length);
    });

    test('a broker that knows only 3.1.1 is met with 3.1.1', async () => {
      const server = await RawServer.listen(resources, 5);
      const place = await startBridged(resources, server.port, [
        'topic a both',
        'bridge_protocol_version mqttv50',
        ...quiet,
      ]);
      const first = await server.accept();
      await first.expectPacket('connect');
      // CONNACK of 3.1.1: unacceptable protocol version
      first.send(Buffer.from([0x20, 2, 0, 1]));
      await first.expectClosed();
      const { connect, peer } = await acceptBridge(server);
      expect(connect.protocolLevel).toBe(4);
      await grantSubscriptions(peer, 1);
      await logged(place, 'Warning: Remote bridge one does not support MQTT v5.0, reconnecting using MQTT v3.1.1.');
    });

    test('a refused Will is asked for with less', async () => {
      const server = await RawServer.listen(resources, 5);
      const place = await startBridged(resources, server.port, ['topic a out', 'bridge_protocol_version mqttv50']);
      const flags: number[] = [];
      for (const [reasonCode, properties] of [
        [0x9b, [property.maximumQos(0)]],
        [0x9a, []],
      ] as const) {
        const peer = await server.accept();
        flags.push((await peer.expectPacket('connect')).flags);
        peer.send(peer.packets.connack({ reasonCode, properties }));
        await peer.expectClosed();
      }
      flags.push((await acceptBridge(server, 5)).connect.flags);
      // Will flag 4; QoS 1 is 8, RETAIN is 32
      expect(flags).toEqual([0x2c, 0x24, 0x04]);
      await logged(place, 'Connection Refused: QoS not supported (will retry)');
      await logged(place, 'Connection Refused: retain not available (will retry)');
    });
  });

  test('a broker that does not know bridges is met without the mark', async () => {
    const server = await RawServer.listen(resources, 4);
    await startBridged(resources, server.port, ['topic a out', ...quiet]);
    const first = await server.accept();
    expect((await first.expectPacket('connect')).protocolLevel).toBe(0x84);
    first.send(first.packets.connack({ reasonCode: 1 }));
    await first.expectClosed();
    expect((await acceptBridge(server)).connect.protocolLevel).toBe(4);
  });

  test.each([
    [1, 'unacceptable protocol version', ['try_private false']],
    [2, 'identifier rejected', []],
    [3, 'broker unavailable', []],
    [4, 'bad user name or password', []],
    [5, 'not authorised', []],
  ])('return code %i: Connection Refused: %s', async (returnCode, words, lines) => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, ['topic a out', ...quiet, ...lines]);
    const first = await server.accept();
    await first.expectPacket('connect');
    first.send(first.packets.connack({ reasonCode: returnCode }));
    await first.expectClosed();
    await logged(place, `Connection Refused: ${words}`);
    if (returnCode === 5) await acceptBridge(server);
  });
});

describe('after CONNACK', () => {
  test('the state, SUBSCRIBE and UNSUBSCRIBE a packet each, what is retained; one counter of identifiers', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, [
      ...['topic up/# out 1 "" to/', 'topic down/# in 2', 'topic all/+ both 0', 'restart_timeout 1'],
    ]);
    const client = await place.connect();
    await client.publish({ topic: 'up/kept', payload: 'k', qos: 1, retain: true });
    const { peer } = await acceptBridge(server);
    // 1 is that of the message, which was published before.
    await peer.expectPublish({ topic: stateTopicOf('one'), payload: '1', qos: 1, retain: true, packetId: 2 });
    expect(await peer.expectPacket('unsubscribe')).toMatchObject({ packetId: 3, filters: ['to/up/#'] });
    expect(await grantSubscriptions(peer, 2)).toEqual([
      { id: 4, filter: 'down/#', options: 2 },
      { id: 5, filter: 'all/+', options: 0 },
    ]);
    // It waited, and it is retained.
    const seen = [await peer.expectPublish({ packetId: 1 }), await peer.expectPublish({ packetId: 6 })];
    expect(seen.every(({ retain, text }) => retain && text === 'k')).toBe(true);
    for (const publish of seen) await peer.acknowledge(publish);
    peer.close();
    const again = await acceptBridge(server);
    const { packetId = 0 } = await again.peer.expectPublish({ topic: stateTopicOf('one') });
    expect(packetId).toBe(7);
  });

  test('bridge_attempt_unsubscribe false leaves what only goes out alone', async () => {
    const server = await RawServer.listen(resources, 4);
    await startBridged(resources, server.port, [
      ...['topic a out', 'topic b in', 'bridge_attempt_unsubscribe false', ...quiet],
    ]);
    const { peer } = await acceptBridge(server);
    expect(await grantSubscriptions(peer, 1)).toEqual([{ id: 1, filter: 'b', options: 0 }]);
  });

  test('the second connection goes on counting; cleansession true as well', async () => {
    for (const line of ['cleansession false', 'cleansession true']) {
      const server = await RawServer.listen(resources, 4);
      await startBridged(resources, server.port, ['topic b in', line, ...quiet]);
      const first = await acceptBridge(server);
      expect((await grantSubscriptions(first.peer, 1))[0]?.id).toBe(1);
      first.peer.close();
      const second = await acceptBridge(server);
      expect((await grantSubscriptions(second.peer, 1))[0]?.id).toBe(2);
    }
  });

  test('MQTT 5.0: No Local and Retain As Published; not No Local for a shared subscription', async () => {
    const server = await RawServer.listen(resources, 5);
    const lines = ['topic a both 1', 'topic b in 0 "" $share/g/', 'bridge_protocol_version mqttv50', ...quiet];
    await startBridged(resources, server.port, lines);
    const { peer } = await acceptBridge(server, 5);
    expect(await grantSubscriptions(peer, 2)).toEqual([
      { id: 1, filter: 'a', options: 0b1101 },
      { id: 2, filter: '$share/g/b', options: 0b1000 },
    ]);
  });

  test("the log has Mosquitto's lines for it", async () => {
    const server = await RawServer.listen(resources, 5);
    const place = await startBridged(resources, server.port, [
      ...['topic a out', 'topic b in 2', 'bridge_protocol_version mqttv50', ...quiet],
    ]);
    const { peer } = await acceptBridge(server, 5);
    const { packetId } = await peer.expectPacket('unsubscribe');
    peer.send(peer.packets.unsuback({ packetId, reasonCodes: [0] }));
    await grantSubscriptions(peer, 1);
    const [remote, local] = [remoteIdOf('one'), `local.${remoteIdOf('one')}`];
    for (const line of [
      `Connecting bridge one (127.0.0.1:${server.port})`,
      `Bridge ${remote} sending CONNECT`,
      `Received CONNACK on connection ${local}.`,
      `Bridge ${local} sending UNSUBSCRIBE (Mid: 1, Topic: a)`,
      `Bridge ${local} sending SUBSCRIBE (Mid: 2, Topic: b, QoS: 2, Options: 0x0c)`,
      `Received UNSUBACK from ${local}`,
      `Received SUBACK from ${local}`,
    ]) {
      await logged(place, line);
    }
    peer.send(peer.packets.disconnect({ reasonCode: 0x8b }));
    await logged(place, `Client ${local} [127.0.0.1:${server.port}] disconnected: server shutting down.`);
  });

  test('a refused subscription is told to the operator', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, ['topic b in', ...quiet]);
    const { peer } = await acceptBridge(server);
    const { packetId } = await peer.expectPacket('subscribe');
    peer.send(peer.packets.suback({ packetId, reasonCodes: [0x80] }));
    await logged(place, "Warning: Bridge one: the other broker refuses the subscription to 'b'.");
  });
});

describe('messages', () => {
  test('bridge_outgoing_retain false clears the flag, of live messages and of retained ones', async () => {
    for (const [line, retain] of [
      ['bridge_outgoing_retain true', true],
      ['bridge_outgoing_retain false', false],
    ] as const) {
      const server = await RawServer.listen(resources, 4);
      const place = await startBridged(resources, server.port, [
        ...['topic a out', line, 'bridge_attempt_unsubscribe false', ...quiet],
      ]);
      const first = await acceptBridge(server);
      await untilConnected(place);
      const client = await place.connect();
      await client.publish({ topic: 'a', payload: '1', qos: 1, retain: true });
      await first.peer.expectPublish({ topic: 'a', payload: '1', qos: 0, retain });
      first.peer.close();
      const second = await acceptBridge(server);
      await second.peer.expectPublish({ topic: 'a', payload: '1', retain });
    }
  });

  test('bridge_max_packet_size keeps larger packets back, as does what the other broker states', async () => {
    const server = await RawServer.listen(resources, 5);
    const place = await startBridged(resources, server.port, [
      ...['topic a out 1', 'bridge_max_packet_size 100', 'bridge_protocol_version mqttv50'],
      ...['bridge_attempt_unsubscribe false', ...quiet],
    ]);
    const client = await place.connect();
    for (const size of [101, 40, 10]) await client.publish({ topic: 'a', payload: 'x'.repeat(size), qos: 1 });
    const first = await acceptBridge(server, 5);
    const publish = await first.peer.expectPublish({ payload: 'x'.repeat(40) });
    await logged(place, /Dropping too large outgoing PUBLISH for local\..*one \(\d+ bytes\)/);
    await first.peer.acknowledge(publish);
    first.peer.close();
    const second = await server.accept();
    await second.expectPacket('connect');
    second.send(second.packets.connack({ properties: [property.maximumPacketSize(30)] }));
    await second.expectPublish({ payload: 'x'.repeat(10), dup: true });
  });

  test('bridge_max_topic_alias: aliases both ways', async () => {
    const server = await RawServer.listen(resources, 5);
    const place = await startBridged(resources, server.port, [
      ...['topic # both 0 here/ there/', 'bridge_max_topic_alias 3', 'bridge_protocol_version mqttv50', ...quiet],
    ]);
    const peer = await server.accept();
    await peer.expectPacket('connect');
    peer.send(peer.packets.connack({ properties: [property.topicAliasMaximum(1)] }));
    await grantSubscriptions(peer, 1);
    const client = await place.connect();
    await client.subscribe('#');
    const alias = [property.topicAlias(3)];
    peer.send(peer.packets.publish({ topic: 'there/x', payload: '1', properties: alias }));
    peer.send(peer.packets.publish({ topic: '', payload: '2', properties: alias }));
    await client.expectPublish({ topic: 'here/x', payload: '1' });
    await client.expectPublish({ topic: 'here/x', payload: '2' });
    const other = await place.connect();
    for (const payload of ['3', '4']) await other.publish({ topic: 'here/y', payload, qos: 1 });
    const first = await peer.expectPublish({ topic: 'there/y', payload: '3' });
    const second = await peer.expectPublish({ topic: '', payload: '4' });
    expect([first, second].map(({ properties }) => properties.length)).toEqual([1, 1]);
  });

  test('a broker that takes less QoS and no retained messages gets what it takes, also of what waited', async () => {
    for (const maximum of [1, 0] as const) {
      const server = await RawServer.listen(resources, 5);
      const place = await startBridged(resources, server.port, [
        ...['topic a both 2', 'bridge_protocol_version mqttv50', 'remote_clientid x', ...quiet],
      ]);
      const client = await place.connect();
      for (const payload of ['1', '2']) await client.publish({ topic: 'a', payload, qos: 2, retain: true });
      const peer = await server.accept();
      await peer.expectPacket('connect');
      peer.send(peer.packets.connack({ properties: [property.retainAvailable(0), property.maximumQos(maximum)] }));
      expect((await grantSubscriptions(peer, 1))[0]?.options).toBe(0b1100 | maximum);
      const seen = [];
      for (const payload of ['1', '2', '2']) {
        const publish = await peer.expectPublish({ payload, retain: false, qos: maximum });
        await peer.acknowledge(publish);
        seen.push(publish.text);
      }
      await client.publish({ topic: 'a', payload: '3', qos: 2 });
      await peer.expectPublish({ payload: '3', qos: maximum });
    }
  });

  test('what no line asked for is not taken; a topic with a wildcard ends the connection', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, ['topic a/# in 1 in/', ...quiet]);
    const { peer } = await acceptBridge(server);
    await grantSubscriptions(peer, 1);
    const client = await place.connect();
    await client.subscribe('#', '$CONTROL/#');
    for (const topic of ['b', 'in/a/b', '$CONTROL/broker/v1', 'a/b']) {
      peer.send(peer.packets.publish({ topic, payload: topic, qos: 1, packetId: 9 }));
      await peer.expect(peer.packets.puback({ packetId: 9 }));
    }
    await client.expectPublish({ topic: 'in/a/b', payload: 'a/b' });
    peer.send(peer.packets.publish({ topic: 'a/+', qos: 1, packetId: 9 }));
    await peer.expectClosed();
    await acceptBridge(server);
  });

  test('what was under way goes again with its identifier and DUP; a PUBREC is not forgotten', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, [
      ...['topic a out 2', 'bridge_attempt_unsubscribe false', ...quiet],
    ]);
    const client = await place.connect();
    const first = await acceptBridge(server);
    for (const payload of ['1', '2']) await client.publish({ topic: 'a', payload, qos: 2 });
    const one = await first.peer.expectPublish({ payload: '1', qos: 2, dup: false });
    const two = await first.peer.expectPublish({ payload: '2', qos: 2, dup: false });
    first.peer.send(first.peer.packets.pubrec({ packetId: one.packetId }));
    await first.peer.expectPacket('pubrel');
    first.peer.close();
    const { peer } = await acceptBridge(server);
    await peer.expect(peer.packets.pubrel({ packetId: one.packetId }));
    const again = await peer.expectPublish({ payload: '2', qos: 2, dup: true, packetId: two.packetId });
    peer.send(peer.packets.pubcomp({ packetId: one.packetId }));
    await peer.acknowledge(again);
  });
});

describe('the end', () => {
  test('MQTT 5.0: a stop says DISCONNECT with the Will', async () => {
    const server = await RawServer.listen(resources, 5);
    const place = await startBridged(resources, server.port, ['topic a out', 'bridge_protocol_version mqttv50']);
    const { peer } = await acceptBridge(server, 5);
    await peer.expectPublish({ payload: '1' });
    await peer.expectPacket('unsubscribe');
    await place.broker.stop();
    expect(await peer.expectPacket('disconnect')).toMatchObject({ reasonCode: 4 });
    await peer.expectClosed();
  });

  test('keepalive_interval: PINGREQ while nothing else is sent', async () => {
    const server = await RawServer.listen(resources, 4);
    await startBridged(resources, server.port, ['topic a in', 'keepalive_interval 5', ...quiet]);
    const { peer } = await acceptBridge(server);
    await grantSubscriptions(peer, 1);
    await peer.expectPacket('pingreq');
    peer.send(peer.packets.pingresp());
    await peer.expectPacket('pingreq');
  });
});
