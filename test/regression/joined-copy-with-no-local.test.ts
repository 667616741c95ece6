/**
 * With `allow_duplicate_messages false`, a client that published under two of its own subscriptions, one of them with No Local,
 * got a copy with the QoS, the RETAIN flag and the Subscription Identifier of the one that should have kept quiet.
 */
import { test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { useResources } from '../harness/resources.ts';

const resources = useResources();

test('subscriptions with No Local have no part in the copy of what their own client published', async () => {
  const broker = await startBroker(resources, { options: { allowDuplicateMessages: false } });
  const client = await broker.connect();
  await client.subscribe({ filter: 'a/#', qos: 2, noLocal: true, retainAsPublished: true }, { filter: 'a/b', qos: 0 });
  await client.publish({ topic: 'a/b', retain: true });
  await client.expectPublish({ topic: 'a/b', qos: 0, retain: false });
  await client.expectNothing();
  const other = await broker.connect({ clientId: 'other' });
  await other.publish({ topic: 'a/b', qos: 1, retain: true });
  await client.expectPublish({ topic: 'a/b', qos: 1, retain: true });
});
