import { test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';

const resources = useResources();

test('v5 [MQTT-3.8.3-3] No Local holds for retained messages: a client is not sent what it retained itself', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect({ clientId: 'c', properties: [property.sessionExpiryInterval(60)] });
  const other = await broker.connect({ clientId: 'o' });
  await client.publish({ topic: 'a/mine', payload: 'mine', retain: true, qos: 1 });
  await other.publish({ topic: 'a/yours', payload: 'yours', retain: true, qos: 1 });

  await client.subscribe({ filter: 'a/#', noLocal: true });
  await client.expectPublish({ payload: 'yours', retain: true });
  await client.expectNothing();

  // The Client Identifier counts, on another connection and in another session too.
  await client.disconnect(0x00, [property.sessionExpiryInterval(0)]);
  const again = await broker.connect({ clientId: 'c' });
  await again.subscribe({ filter: 'a/mine', noLocal: true });
  await again.expectNothing();

  // Without No Local, and for everybody else, it is replayed.
  await again.subscribe('a/mine');
  await again.expectPublish({ payload: 'mine', retain: true });
  await other.subscribe({ filter: 'a/mine', noLocal: true });
  await other.expectPublish({ payload: 'mine', retain: true });
});
