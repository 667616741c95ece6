/** A client that came back with a smaller Receive Maximum than messages in flight was sent all of them at once. */
import { expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';

const resources = useResources();

test('what is sent again at a resumption obeys the Receive Maximum of the new connection', async () => {
  const broker = await startBroker(resources);
  const expiry = property.sessionExpiryInterval(600);
  const client = await broker.connect({ clientId: 'c', properties: [expiry] });
  await client.subscribe({ filter: 'a', qos: 1 });
  const publisher = await broker.connect({ clientId: 'p' });
  for (const payload of ['1', '2', '3']) await publisher.publish({ topic: 'a', payload, qos: 1 });
  expect((await client.drainPublishes()).length).toBe(3);
  await broker.kill(client);
  const again = await broker.connect({
    clientId: 'c',
    cleanStart: false,
    properties: [expiry, property.receiveMaximum(1)],
  });
  for (const payload of ['1', '2', '3']) {
    const publish = await again.expectPublish({ payload, dup: true });
    await again.expectNothing();
    await again.acknowledge(publish);
  }
  await again.expectNothing();
});
