/**
 * With persistence, a QoS 2 PUBLISH whose PUBREC waited for the disk was counted twice, and a SUBACK that waited was counted as
 * well: a client that kept within Receive Maximum was disconnected with 0x93.
 */
import { expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { v5 } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';

const resources = useResources();

test('a client may use its whole quota in one write while the disk is waited for', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources), maxInflightMessages: 4 },
  });
  const client = await broker.connect({ properties: [property.sessionExpiryInterval(600)] });
  client.send(
    v5.subscribe({ packetId: 9, filters: ['x'] }),
    ...[1, 2, 3, 4].map((packetId) => v5.publish({ topic: 'b', qos: 2, packetId })),
  );
  const answers = [];
  for (let count = 0; count < 5; count++) answers.push((await client.next()).type);
  expect(answers).toEqual(['suback', 'pubrec', 'pubrec', 'pubrec', 'pubrec']);
});
