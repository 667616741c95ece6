import { expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';

const resources = useResources();

test('max_queued_bytes counts queued QoS 0 messages, and messages are taken while less than that waits', async () => {
  const broker = await startBroker(resources, {
    options: { queueQos0Messages: true, maxQueuedMessages: 0, maxQueuedBytes: 1000 },
  });
  const kept = { clientId: 'c', cleanStart: false, properties: [property.sessionExpiryInterval(60)] };
  const publisher = await broker.connect({ clientId: 'p' });
  const arrived: string[][] = [];
  for (let round = 0; round < 2; round++) {
    const client = await broker.connect(kept);
    arrived.push((await client.drainPublishes()).map(({ text }) => text.slice(0, 1)));
    await client.subscribe({ filter: 'a', qos: 1 });
    await client.disconnect();
    for (const [index, qos] of ([0, 1, 0, 0, 1, 0] as const).entries()) {
      await publisher.publish({ topic: 'a', payload: `${index}`.padEnd(300, '.'), qos });
    }
    await publisher.drain();
  }
  const client = await broker.connect(kept);
  arrived.push((await client.drainPublishes()).map(({ text }) => text.slice(0, 1)));
  // 300, 600, 900: below 1000, so a fourth is taken, whatever its QoS; what is queued at QoS 0 follows the others. In the second
  // round message 1 waits for its acknowledgement, as message 0 of the first does not.
  expect(arrived).toEqual([[], ['1', '0', '2', '3'], ['1', '1', '0', '2', '3']]);
});
