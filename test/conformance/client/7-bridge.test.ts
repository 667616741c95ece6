/** The broker as a client of another broker; `test/bridge/` has what bridges are for. */
import { describe, expect, test } from 'vitest';
import { acceptBridge, grantSubscriptions, logged, RawServer, startBridged } from '../../bridge/places.ts';
import { useResources } from '../../harness/resources.ts';
import type { Peer } from '../wire/peer.ts';

const resources = useResources();
const lines = ['topic a/# both 2', 'notifications false', 'restart_timeout 1'];

describe('a bridge conforms as a client', () => {
  test.each([
    ['PUBLISH before CONNACK', (peer: Peer) => peer.packets.publish({ topic: 'a/b' }), false],
    ['PINGRESP before CONNACK', (peer: Peer) => peer.packets.pingresp(), false],
    ['a second CONNACK', (peer: Peer) => peer.packets.connack(), true],
    ["SUBSCRIBE, which is a client's", (peer: Peer) => peer.packets.subscribe({ packetId: 1, filters: ['a'] }), true],
    ["PINGREQ, which is a client's", (peer: Peer) => peer.packets.pingreq(), true],
    ['QoS 3', () => Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1]), true],
    ['PUBACK for a QoS 2 message', (peer: Peer) => peer.packets.puback({ packetId: 3 }), true],
  ])('v311 [MQTT-7.0.0-1] %s ends the connection; the server goes on', async (_, wrong, isLater) => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, lines);
    const peer = await server.accept();
    await peer.expectPacket('connect');
    if (isLater) {
      peer.send(peer.packets.connack());
      await grantSubscriptions(peer, 1);
      const publisher = await place.connect();
      for (let count = 0; count < 2; count++) {
        await publisher.publish({ topic: 'a/b', qos: 2 });
        await peer.expectPublish({ packetId: count + 2 });
      }
    }
    peer.send(wrong(peer));
    await peer.expectClosed();
    await (await place.connect()).expectNothing();
  });

  test('v311 [MQTT-7.0.0-1] Session Present after a clean session ends the connection', async () => {
    const server = await RawServer.listen(resources, 4);
    await startBridged(resources, server.port, [...lines, 'cleansession true']);
    const peer = await server.accept();
    expect((await peer.expectPacket('connect')).flags).toBe(2);
    peer.send(peer.packets.connack({ sessionPresent: true }));
    await peer.expectClosed();
  });

  test('v311 [MQTT-7.0.0-1] each QoS is answered as it must be; a repeated QoS 2 message is passed on once', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, lines);
    const { peer } = await acceptBridge(server);
    await grantSubscriptions(peer, 1);
    const client = await place.connect();
    await client.subscribe({ filter: '#', qos: 2 });
    await peer.publish({ topic: 'a/0', payload: '0' });
    expect(await peer.publish({ topic: 'a/1', payload: '1', qos: 1, packetId: 1 })).toBe(0);
    peer.send(peer.packets.publish({ topic: 'a/2', payload: '2', qos: 2, packetId: 2 }));
    expect((await peer.expectPacket('pubrec')).packetId).toBe(2);
    peer.close();
    const again = (await acceptBridge(server)).peer;
    await grantSubscriptions(again, 1);
    again.send(again.packets.publish({ topic: 'a/2', payload: '2', qos: 2, packetId: 2, dup: true }));
    expect((await again.expectPacket('pubrec')).packetId).toBe(2);
    for (let count = 0; count < 2; count++) {
      again.send(again.packets.pubrel({ packetId: 2 }));
      expect((await again.expectPacket('pubcomp')).packetId).toBe(2);
    }
    for (const qos of [0, 1, 2] as const) {
      const publish = await client.expectPublish({ topic: `a/${qos}`, payload: `${qos}`, qos });
      await client.acknowledge(publish);
    }
    await client.expectNothing();
  });

  test('v311 [MQTT-7.0.0-1] what is not answered is sent again with DUP and its identifier, in order', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, lines);
    const first = await acceptBridge(server);
    await grantSubscriptions(first.peer, 1);
    const publisher = await place.connect();
    for (const [payload, qos] of [
      ['1', 1],
      ['2', 2],
      ['3', 1],
    ] as const) {
      await publisher.publish({ topic: 'a/x', payload, qos });
    }
    const ids: number[] = [];
    for (const payload of ['1', '2', '3']) ids.push((await first.peer.expectPublish({ payload, dup: false })).packetId);
    first.peer.close();
    await logged(place, '] disconnected: connection closed by client.');
    const { peer } = await acceptBridge(server);
    await grantSubscriptions(peer, 1);
    for (const [index, payload] of ['1', '2', '3'].entries()) {
      await peer.expectPublish({ payload, dup: true, packetId: ids[index] ?? 0 });
    }
  });
});
