/**
 * A PUBLISH with the Packet Identifier of a QoS 2 message that awaits PUBREL was judged before it was known as a repeat. One that
 * was refused (too large, a topic that is not the client's) took the place of the message: with MQTT 3.x that was lost, and what it
 * took was counted for ever.
 */
import { expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { useResources } from '../harness/resources.ts';

const resources = useResources();

test.each([
  [5, 'too large', { topic: 'a', payload: 'x'.repeat(11) }],
  [4, 'too large', { topic: 'a', payload: 'x'.repeat(11) }],
  [3, 'too large', { topic: 'a', payload: 'x'.repeat(11) }],
  [5, 'not for clients', { topic: '$SYS/x', payload: 'x' }],
  [4, 'not for clients', { topic: '$SYS/x', payload: 'x' }],
  [3, 'not for clients', { topic: '$SYS/x', payload: 'x' }],
] as const)(
  'MQTT %d [MQTT-4.3.3-10] a repeat is acknowledged and changes nothing, also one that would be refused: %s',
  async (version, _why, repeat) => {
    const broker = await startBroker(resources, { options: { messageSizeLimit: 10 } });
    const { publish, pubrel } = packetsOf(version);
    const subscriber = await broker.connect({ clientId: 's' });
    await subscriber.subscribe('a');
    const client = await broker.connect({ version });
    const before = { ...broker.running.broker.engine.holdings };
    for (let round = 0; round < 3; round++) {
      client.send(publish({ topic: 'a', payload: 'the one', qos: 2, packetId: 7 }));
      await client.expect('50 02 00 07');
      client.send(publish({ ...repeat, qos: 2, packetId: 7, dup: true }));
      await client.expect('50 02 00 07');
      client.send(pubrel({ packetId: 7 }));
      await client.expect('70 02 00 07');
      await subscriber.expectPublish({ topic: 'a', payload: 'the one' });
    }
    await subscriber.expectNothing();
    const { count, bytes, sizes } = broker.running.broker.engine.holdings;
    expect({ count, bytes, sizes }).toEqual({ count: before.count, bytes: before.bytes, sizes: before.sizes });
  },
);
