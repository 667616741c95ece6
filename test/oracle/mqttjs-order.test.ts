/** 10,000 messages in order at each QoS, from one MQTT.js client to another. */
import { expect, test } from 'vitest';
import { describeBrokers } from './brokers.ts';

const count = 10_000;
/**
 * Publishes under way, so that the client's own store stays small. MQTT.js does not obey the server's Receive Maximum, which
 * is 20 by default and is used up by QoS 2 exchanges only: a QoS 1 message is acknowledged as it is read.
 */
const windows = [1000, 1000, 20] as const;

describeBrokers(
  'order',
  ({ connect, fresh, setup }) => {
    for (const version of [3, 4, 5] as const) {
      for (const qos of [0, 1, 2] as const) {
        test(`MQTT ${version === 5 ? '5.0' : version === 4 ? '3.1.1' : '3.1'}: ${count} messages at QoS ${qos}`, async () => {
          const topic = `order/${fresh()}`;
          const subscriber = await connect(version, { clientId: `s${fresh()}` });
          const publisher = await connect(version, { clientId: `p${fresh()}` });
          const [grant] = await subscriber.mqtt.subscribeAsync(topic, { qos });
          expect(grant?.qos).toBe(qos);

          const window = windows[qos];
          for (let next = 0; next < count; next += window) {
            const batch = Array.from({ length: window }, (_, index) =>
              publisher.publish(topic, `${next + index}`, { qos }),
            );
            await Promise.all(batch);
          }
          await publisher.publish(topic, 'end', { qos });

          const texts = await subscriber.textsUntil('end');
          expect(texts).toEqual(Array.from({ length: count }, (_, index) => `${index}`));
        });
      }
    }

    test(`from each version to each other (${setup.broker})`, async () => {
      const topic = `mixed/${fresh()}`;
      const versions = [3, 4, 5] as const;
      const clients = await Promise.all(versions.map((version) => connect(version, { clientId: `m${version}` })));
      for (const client of clients) await client.mqtt.subscribeAsync(topic, { qos: 2 });

      for (const [index, client] of clients.entries()) await client.publish(topic, `from ${index}`, { qos: 2 });
      await clients[0]?.publish(topic, 'end', { qos: 2 });

      for (const client of clients) {
        expect(await client.textsUntil('end')).toEqual(['from 0', 'from 1', 'from 2']);
      }
    });
  },
  // The rule of 1000 waiting messages is not what is tested here.
  ['max_queued_messages 0'],
  ({ broker, transport }) => broker === 'moustique' || transport === 'tcp',
);
