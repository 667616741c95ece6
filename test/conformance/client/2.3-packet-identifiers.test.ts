import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { connectClient } from '../wire/client-under-test.ts';

const resources = useResources();

const message = { topic: 'a', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } as const;

test('v311 [MQTT-2.3.1-2] v5 [MQTT-2.2.1-3] one sequence for PUBLISH, SUBSCRIBE and UNSUBSCRIBE; identifiers in use are passed over', async () => {
  const { client, peer } = await connectClient(resources, { version: 4, inflightMaximum: 65_535 });
  client.subscribe('s').catch(() => {});
  expect((await peer.expectPacket('subscribe')).packetId).toBe(1);
  client.unsubscribe('s').catch(() => {});
  expect((await peer.expectPacket('unsubscribe')).packetId).toBe(2);
  client.send({ ...message, qos: 2 });
  expect((await peer.expectPublish({ qos: 2 })).packetId).toBe(3);
  peer.send(peer.packets.pubrec({ packetId: 3 }));
  expect((await peer.expectPacket('pubrel')).packetId).toBe(3); // still in use
  // All the others once, acknowledged.
  for (let next = 4; next <= 65_535; ) {
    const last = Math.min(next + 4095, 65_535);
    for (let packetId = next; packetId <= last; packetId++) client.send({ ...message, qos: 1 });
    const acknowledgements: Buffer[] = [];
    for (let packetId = next; packetId <= last; packetId++) {
      const publish = await peer.next();
      if (!('packetId' in publish) || publish.packetId !== packetId) expect(publish).toMatchObject({ packetId });
      acknowledgements.push(peer.packets.puback({ packetId }));
    }
    peer.send(...acknowledgements);
    next = last + 1;
  }
  await client.publish('q', 'QoS 0 takes none');
  expect((await peer.expectPublish({ topic: 'q' })).qos).toBe(0);
  peer.send(peer.packets.pubcomp({ packetId: 3 }));
  await peer.expectQuiet();
  // 0 is none, 1 and 2 wait for SUBACK and UNSUBACK, 3 is free again.
  client.send({ ...message, qos: 1 });
  await peer.expectPublish({ qos: 1, packetId: 3 });
});

test('v311 [MQTT-2.3.1-2] with all 65,535 in use nothing is sent that needs one', async () => {
  const { client, peer } = await connectClient(resources, { version: 4, inflightMaximum: 65_535 });
  for (let packetId = 1; packetId < 65_535; packetId++) client.send({ ...message, qos: 1 });
  for (let packetId = 1; packetId < 65_535; packetId++) await peer.next();
  client.subscribe('s').catch(() => {});
  expect((await peer.expectPacket('subscribe')).packetId).toBe(65_535);
  await expect(client.subscribe('t')).rejects.toMatchObject({ kind: 'full' });
  await expect(client.publish('a', 'x', { qos: 1 })).rejects.toMatchObject({ kind: 'full' });
  peer.send(peer.packets.puback({ packetId: 40_000 }));
  await peer.expectQuiet();
  client.send({ ...message, qos: 1 });
  await peer.expectPublish({ packetId: 40_000 });
});

test('v311 [MQTT-2.3.1-3] what is repeated keeps its identifier, which is free after the last acknowledgement', async () => {
  const { client, server, peer, clock } = await connectClient(resources, {
    version: 4,
    cleanStart: false,
    reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
  });
  client.send({ ...message, payload: Buffer.from('one'), qos: 1 });
  client.send({ ...message, payload: Buffer.from('two'), qos: 2 });
  client.send({ ...message, payload: Buffer.from('released'), qos: 2 });
  const [one, two, released] = [
    await peer.expectPublish({ payload: 'one' }),
    await peer.expectPublish({ payload: 'two' }),
    await peer.expectPublish({ payload: 'released' }),
  ].map(({ packetId }) => packetId) as [number, number, number];
  peer.send(peer.packets.pubrec({ packetId: released }));
  await peer.expectPacket('pubrel');
  peer.close();
  await expect.poll(() => client.isConnected).toBe(false);
  clock.advance(1000);
  const back = await server.accept();
  await back.expectPacket('connect');
  back.send(back.packets.connack({ sessionPresent: true }));
  expect((await back.expectPacket('pubrel')).packetId).toBe(released);
  await back.expectPublish({ payload: 'one', dup: true, packetId: one });
  await back.expectPublish({ payload: 'two', dup: true, packetId: two });
  // New ones meanwhile take others.
  client.send({ ...message, payload: Buffer.from('new'), qos: 1 });
  const { packetId } = await back.expectPublish({ payload: 'new', dup: false });
  expect([one, two, released]).not.toContain(packetId);
  back.send(...[one, packetId].map((done) => back.packets.puback({ packetId: done })));
  back.send(back.packets.pubrec({ packetId: two }));
  expect((await back.expectPacket('pubrel')).packetId).toBe(two);
  back.send(...[released, two].map((done) => back.packets.pubcomp({ packetId: done })));
  await client.idle();
});
