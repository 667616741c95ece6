/** A message that fits its receiver was dropped when the Topic Alias that it was to set made it larger than the receiver takes. */
import { test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';

const resources = useResources();

test('v5 [MQTT-3.1.2-24] a message that fits without a Topic Alias is sent without one', async () => {
  const broker = await startBroker(resources, { listener: { maxTopicAliasBroker: 10 } });
  const subscriber = await broker.connect({
    clientId: 's',
    properties: [property.maximumPacketSize(30), property.topicAliasMaximum(5)],
  });
  await subscriber.subscribe('#');
  const publisher = await broker.connect({ clientId: 'p' });
  // First byte and length 2, topic 2 + 6, Property Length 1: 19 bytes of payload make 30.
  await publisher.publish({ topic: 'long/1', payload: 'x'.repeat(19) });
  await subscriber.expectPublish({ topic: 'long/1', payload: 'x'.repeat(19), properties: [] });
  await publisher.publish({ topic: 'long/1', payload: 'x'.repeat(16) });
  await subscriber.expectPublish({ topic: 'long/1', payload: 'x'.repeat(16), properties: [['topicAlias', 1]] });
  await publisher.publish({ topic: 'long/1', payload: 'x'.repeat(22) });
  await subscriber.expectPublish({ topic: '', payload: 'x'.repeat(22), properties: [['topicAlias', 1]] });
  // A topic so short that its alias is longer.
  await publisher.publish({ topic: 't', payload: 'x'.repeat(20) });
  await subscriber.expectPublish({ topic: 't', payload: 'x'.repeat(20), properties: [['topicAlias', 2]] });
  await publisher.publish({ topic: 't', payload: 'x'.repeat(24) });
  await subscriber.expectPublish({ topic: 't', payload: 'x'.repeat(24), properties: [] });
});
