import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import type { TransportName } from '../wire/client.ts';
import { v5 } from '../wire/packets.ts';

const resources = useResources();

const transports: readonly TransportName[] = ['tcp', 'tls', 'ws'];

/** What a client sends in a life, and what it is answered. */
const life = Buffer.concat([
  v5.connect({ clientId: 'c' }),
  v5.subscribe({ packetId: 1, filters: [{ filter: 'a', qos: 2 }] }),
  v5.publish({ topic: 'a', payload: 'x'.repeat(200), qos: 1, packetId: 2 }),
  v5.publish({ topic: 'a', payload: 'y', qos: 2, packetId: 3 }),
  v5.pubrel({ packetId: 3 }),
  v5.pingreq(),
  v5.disconnect(),
]);
const answers = ['connack', 'suback', 'publish', 'puback', 'pubrec', 'publish', 'pubcomp', 'pingresp'];

for (const transport of transports) {
  test(`v5 [MQTT-4.2.0-1] ${transport}: the same bytes mean the same, however they are cut`, async () => {
    const broker = await startBroker(resources, { transports });
    for (const size of [1, 2, 3, 7, 50, life.length]) {
      const client = await broker.open({ transport });
      for (let at = 0; at < life.length; at += size) {
        client.send(life.subarray(at, at + size));
        if (size <= 7) await new Promise((resolve) => setImmediate(resolve)); // so that they are written one by one
      }
      const types: string[] = [];
      while (types.length < answers.length) types.push((await client.next()).type);
      expect(types).toEqual(answers);
      await client.expectClosed();
    }
  });

  test(`v5 [MQTT-4.2.0-1] ${transport}: a million bytes come through in both directions, unchanged and in order`, async () => {
    const broker = await startBroker(resources, { transports });
    const client = await broker.connect({ transport });
    await client.subscribe('a');
    const payload = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 7919) >> 3));
    for (let number = 0; number < 3; number++) {
      payload[0] = number;
      await client.publish({ topic: 'a', payload: Buffer.from(payload) });
    }
    for (let number = 0; number < 3; number++) {
      payload[0] = number;
      expect((await client.expectPublish({ topic: 'a' })).payload.equals(payload)).toBe(true);
    }
  });
}
