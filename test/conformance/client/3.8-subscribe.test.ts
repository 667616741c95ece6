import { expect, test } from 'vitest';
import type { SubscriptionRequest } from '../../../src/client/subscription-request.ts';
import { useResources } from '../../harness/resources.ts';
import { connectClient, type Dialled } from '../wire/client-under-test.ts';

const resources = useResources();

/** Neither SUBSCRIBE nor UNSUBSCRIBE leaves with this filter, alone or among good ones. */
async function expectUnsent({ client, peer }: Dialled, filter: string): Promise<void> {
  const invalid = { kind: 'invalid' };
  await expect(client.subscribe(filter), filter).rejects.toMatchObject(invalid);
  await expect(client.subscribe(['good', filter]), filter).rejects.toMatchObject(invalid);
  await expect(client.unsubscribe(filter), filter).rejects.toMatchObject(invalid);
  await expect(client.unsubscribe(['good', filter]), filter).rejects.toMatchObject(invalid);
  await peer.expectQuiet();
}

/** Both leave with this filter. */
async function expectSent({ client, peer }: Dialled, filter: string): Promise<void> {
  const subscribed = client.subscribe(filter);
  const subscribe = await peer.expectPacket('subscribe');
  expect(subscribe.filters).toEqual([{ filter, options: 0 }]);
  peer.send(peer.packets.suback({ packetId: subscribe.packetId, reasonCodes: [0] }));
  await subscribed;
  const unsubscribed = client.unsubscribe(filter);
  const unsubscribe = await peer.expectPacket('unsubscribe');
  expect(unsubscribe.filters).toEqual([filter]);
  peer.send(peer.packets.unsuback({ packetId: unsubscribe.packetId }));
  await unsubscribed;
}

const filters = [
  {
    title:
      'v5 [MQTT-3.8.3-1] [MQTT-3.10.3-1] v311 [MQTT-3.8.3-1] [MQTT-3.10.3-1] filters are sent as UTF-8, or not at all',
    unsent: ['a\0', '\uD800', 'x\uDFFFy', 'a\u0007', 'é'.repeat(32_768)],
    sent: ['ä/😀', '\uFEFF', 'é'.repeat(32_767)],
  },
  {
    title: 'v5 [MQTT-4.7.1-1] v311 [MQTT-4.7.1-2] # is sent alone or behind a slash, and last',
    unsent: ['a#', 'a/#/b', '#/', 'a/b#', '##', '#a'],
    sent: ['#', 'a/#', '/#', '+/#'],
  },
  {
    title: 'v5 [MQTT-4.7.1-2] v311 [MQTT-4.7.1-3] + is sent only as a whole level',
    unsent: ['a+', '+a/b', 'a/b+/c', '++', 'a/+b'],
    sent: ['+', '+/+', 'a/+/b', '/+'],
  },
  {
    title: 'v5 [MQTT-4.8.2-1] a shared filter is sent with a share name only',
    unsent: ['$share//t', '$share/', '$share', '$share//'],
    sent: ['$share/g/t', '$share/ä/+/#', '$SHARE/g/t', '$shared', '$share/g/$SYS/#'],
  },
  {
    title: 'v5 [MQTT-4.8.2-2] a share name is sent without wildcards and with a filter behind it',
    unsent: ['$share/g', '$share/g/', '$share/g+/t', '$share/#/t', '$share/+/t', '$share/g/a#', '$share/g/+a'],
    sent: ['$share/g//t', '$share/g/#', '$share/g//'],
  },
];
for (const { title, unsent, sent } of filters) {
  test(title, async () => {
    for (const version of [4, 5] as const) {
      const dialled = await connectClient(resources, { version });
      for (const filter of unsent) await expectUnsent(dialled, filter);
      for (const filter of sent) await expectSent(dialled, filter);
    }
  });
}

test('v5 [MQTT-3.8.3-2] [MQTT-3.10.3-2] v311 [MQTT-3.8.3-3] [MQTT-3.10.3-2] without a filter nothing is sent', async () => {
  for (const version of [4, 5] as const) {
    const { client, peer } = await connectClient(resources, { version });
    await expect(client.subscribe([])).rejects.toMatchObject({ kind: 'invalid' });
    await expect(client.unsubscribe([])).rejects.toMatchObject({ kind: 'invalid' });
    await peer.expectQuiet();
    client.subscribe(['a', { filter: 'b', qos: 2 }]).catch(() => {});
    expect((await peer.expectPacket('subscribe')).filters).toEqual([
      { filter: 'a', options: 0 },
      { filter: 'b', options: 2 },
    ]);
    client.unsubscribe(['a', 'b']).catch(() => {});
    expect((await peer.expectPacket('unsubscribe')).filters).toEqual(['a', 'b']);
  }
});

test('v5 [MQTT-3.8.3-4] No Local is not sent for a Shared Subscription', async () => {
  const { client, peer } = await connectClient(resources);
  const shared: SubscriptionRequest = { filter: '$share/g/t', noLocal: true };
  await expect(client.subscribe(shared)).rejects.toMatchObject({ kind: 'invalid' });
  await expect(client.subscribe(['a', shared])).rejects.toMatchObject({ kind: 'invalid' });
  await peer.expectQuiet();
  client
    .subscribe([
      { filter: '$share/g/t', qos: 1 },
      { filter: '$shared/g/t', noLocal: true },
    ])
    .catch(() => {});
  expect((await peer.expectPacket('subscribe')).filters).toEqual([
    { filter: '$share/g/t', options: 0x01 },
    { filter: '$shared/g/t', options: 0x04 },
  ]);
});

test('v5 [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] User Properties without legal text are not sent', async () => {
  const { client, peer } = await connectClient(resources);
  for (const text of ['\0', '\uD800']) {
    for (const pair of [
      ['n', text],
      [text, 'v'],
    ] as const) {
      const properties = { userProperties: [pair] };
      await expect(client.subscribe('a', properties)).rejects.toMatchObject({ kind: 'invalid' });
      await expect(client.unsubscribe('a', properties)).rejects.toMatchObject({ kind: 'invalid' });
    }
  }
  await peer.expectQuiet();
  client.subscribe('a', { userProperties: [['ä', '😀']] }).catch(() => {});
  expect((await peer.expectPacket('subscribe')).properties).toEqual([['userProperty', ['ä', '😀']]]);
  await client.disconnect(0x00, { reasonString: '\uD800' });
  await peer.expect('E0 00');
});
