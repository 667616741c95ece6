import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { connectClient, dialClient } from '../wire/client-under-test.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

/** Counts its answers, so that each is seen to be the right one. */
function method() {
  let answers = 0;
  return {
    method: 'm',
    start: () => Buffer.from('begin'),
    respond: (challenge: Buffer | undefined) => Buffer.from(`${challenge}:${++answers}`),
  };
}

const named = property.authenticationMethod('m');

test('v5 [MQTT-4.12.0-7] without a method in CONNECT no AUTH is sent', async () => {
  const { client, peer, connect } = await connectClient(resources);
  expect(connect.properties).toEqual([]);
  await expect(client.reauthenticate()).rejects.toMatchObject({ kind: 'invalid' });
  await peer.expectQuiet();
});

test('v5 [MQTT-4.12.0-7] not even to answer one, neither before CONNACK nor after it', async () => {
  const auth = { reasonCode: 0x18, properties: [named, property.authenticationData('2')] };
  const before = await dialClient(resources);
  before.peer.send(before.peer.packets.auth(auth));
  await before.peer.expectClosed();
  await expect(before.started).rejects.toMatchObject({ kind: 'protocol' });

  const { peer } = await connectClient(resources);
  peer.send(peer.packets.auth(auth));
  expect((await peer.expectPacket('disconnect')).reasonCode).toBe(0x82);
  await peer.expectClosed();
});

test('v5 [MQTT-4.12.0-7] and none before MQTT 5.0, whatever the settings say', async () => {
  const { client, peer } = await connectClient(resources, { version: 4, authentication: method() });
  await expect(client.reauthenticate()).rejects.toMatchObject({ kind: 'invalid' });
  await peer.expectQuiet();
});

test('v5 [MQTT-4.12.1-1] re-authentication is AUTH 0x19 with the method of CONNECT, and messages go on meanwhile', async () => {
  const { client, peer, connect } = await connectClient(
    resources,
    { authentication: method() },
    { properties: [named] },
  );
  expect(connect.properties).toEqual([
    ['authenticationMethod', 'm'],
    ['authenticationData', Buffer.from('begin')],
  ]);
  for (const round of [1, 2]) {
    const done = client.reauthenticate();
    const first = await peer.expectPacket('auth');
    expect([first.reasonCode, first.properties]).toEqual([0x19, connect.properties]);
    await client.publish('a', 'meanwhile');
    await peer.expectPublish({ payload: 'meanwhile' });
    await peer.expectQuiet();
    peer.send(peer.packets.auth({ reasonCode: 0x18, properties: [named, property.authenticationData('c')] }));
    const second = await peer.expectPacket('auth');
    expect(second.reasonCode).toBe(0x18);
    expect(second.properties).toEqual([
      ['authenticationMethod', 'm'],
      ['authenticationData', Buffer.from(`c:${round}`)],
    ]);
    peer.send(peer.packets.auth({ reasonCode: 0x00, properties: [named] }));
    await done;
  }
});

test('v5 [MQTT-4.12.1-1] not before CONNACK, and not twice at the same time', async () => {
  const { client, peer, started } = await dialClient(resources, { authentication: method() });
  await expect(client.reauthenticate()).rejects.toMatchObject({ kind: 'invalid' });
  peer.send(peer.packets.connack({ properties: [named] }));
  await started;
  const done = client.reauthenticate();
  expect((await peer.expectPacket('auth')).reasonCode).toBe(0x19);
  await expect(client.reauthenticate()).rejects.toMatchObject({ kind: 'invalid' });
  await peer.expectQuiet();
  peer.send(peer.packets.auth({ reasonCode: 0x00, properties: [named] }));
  await done;
});

test('v5 [MQTT-4.12.1-1] a broker that refuses it ends the connection, and the caller is told', async () => {
  const { client, peer } = await connectClient(resources, { authentication: method() }, { properties: [named] });
  const done = client.reauthenticate().catch((error: unknown) => error);
  await peer.expectPacket('auth');
  peer.send(peer.packets.disconnect({ reasonCode: 0x87 }));
  await peer.expectClosed();
  peer.close();
  expect(await done).toMatchObject({ kind: 'disconnected', reasonCode: 0x87 });
});

for (const [name, auth, isUnderWay] of [
  ['another method', { reasonCode: 0x18, properties: [property.authenticationMethod('n')] }, true],
  ['no method', { reasonCode: 0x18, properties: [] }, true],
  ['AUTH 0x19', { reasonCode: 0x19, properties: [named] }, true],
  ['success that nobody asked for', { reasonCode: 0x00, properties: [named] }, false],
  ['a challenge that nobody asked for', { reasonCode: 0x18, properties: [named] }, false],
] as const) {
  test(`v5 [MQTT-4.12.1-1] ${name} from the broker ends the connection`, async () => {
    const { client, peer } = await connectClient(resources, { authentication: method() }, { properties: [named] });
    if (isUnderWay) {
      client.reauthenticate().catch(() => {});
      await peer.expectPacket('auth');
    }
    peer.send(peer.packets.auth(auth));
    expect((await peer.expectPacket('disconnect')).reasonCode).toBe(0x82);
    await peer.expectClosed();
  });
}
