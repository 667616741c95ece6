import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

test('v5 [MQTT-3.4.2-1] [MQTT-3.5.2-1] a payload above message_size_limit is refused with a code that PUBACK and PUBREC may carry', async () => {
  const broker = await startBroker(resources, { options: { messageSizeLimit: 10 } });
  const client = await broker.connect();
  await client.subscribe({ filter: 'a', qos: 2 });
  const payload = 'x'.repeat(11);
  await client.publish({ topic: 'a', payload });
  expect(await client.publish({ topic: 'a', payload, qos: 1 })).toBe(0x97);
  expect(await client.publish({ topic: 'a', payload, qos: 2 })).toBe(0x97);
  // Only the payload is measured.
  const properties = [property.contentType('x'.repeat(100))];
  await client.publish({ topic: 'a', payload: 'x'.repeat(10), properties });
  await client.expectPublish({ payload: 'x'.repeat(10) });
});
