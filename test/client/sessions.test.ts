/** The client against real brokers: sessions that survive broken wires, streams, requests. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/index.ts';
import { type ClientSettings, connect, type PublishPacket, type QoS, RequestChannel } from '../../src/client/index.ts';
import { type BrokerName, startBroker, type TestBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { BreakingRelay } from './relay.ts';

const RECONNECT = { initialDelayMs: 5, maximumDelayMs: 50 } as const;

describeWith(['mosquitto'], 'the client', () => {
  for (const name of ['mosquitto', 'moustique'] satisfies readonly BrokerName[]) {
    describe(`with ${name}`, () => {
      const resources = useResources('end of file');
      let broker: TestBroker;
      beforeAll(async () => {
        broker = await startBroker(resources, name, {
          config: ['listener {port}', 'allow_anonymous true', 'max_queued_messages 100000', 'max_queued_bytes 0'],
        });
      });

      const at = (port: number): ClientSettings => ({ target: { address: { host: '127.0.0.1', port } } });

      async function open(settings: ClientSettings): Promise<Client> {
        const client = await connect(settings);
        resources.add({ close: () => client.destroy() });
        return client;
      }

      for (const version of [4, 5] as const) {
        for (const qos of [1, 2] as const) {
          test(`MQTT ${version === 5 ? '5.0' : '3.1.1'}: 2000 messages of QoS ${qos} get over a wire that breaks again and again`, async () => {
            const session = {
              protocolVersion: version,
              cleanStart: false,
              reconnect: RECONNECT,
              resubscribe: true,
              ...(version === 5 && { connectProperties: { sessionExpiryInterval: 600 } }),
            } as const;
            // A generator of our own, so that every run breaks the wires at the same bytes.
            let seed = 1;
            const random = (from: number, to: number) => {
              seed = (seed * 48_271) % 2_147_483_647;
              return from + (seed % (to - from));
            };
            const relay = resources.add(await BreakingRelay.start(broker.port(), () => random(1500, 8000)));
            const received: string[] = [];
            const topic = `broken/${version}/${qos}`;
            // The first wire lasts until the subscription stands.
            const subscriber = await open({
              ...at(broker.port()),
              ...session,
              clientId: `subscriber-${version}-${qos}`,
              onMessage: ({ payload }) => void received.push(payload.toString()),
            });
            await subscriber.subscribe({ filter: topic, qos });
            await subscriber.disconnect();
            received.length = 0;
            const again = await open({
              ...at(relay.port),
              ...session,
              clientId: `subscriber-${version}-${qos}`,
              onMessage: ({ payload }) => void received.push(payload.toString()),
            });
            const publisher = await open({ ...at(relay.port), ...session, clientId: `publisher-${version}-${qos}` });
            const count = 2000;
            await Promise.all(
              Array.from({ length: count }, (_, index) => publisher.publish(topic, String(index), { qos })),
            );
            await waitFor('the last message', () => received.includes(String(count - 1)));
            // Everything that was to come before the mark has come.
            await publisher.publish(topic, 'mark', { qos });
            await waitFor('the mark', () => received.includes('mark'));
            const numbers = received.filter((text) => text !== 'mark').map(Number);
            const expected = Array.from({ length: count }, (_, index) => index);
            if (qos === 2)
              expect(numbers).toEqual(expected); // exactly once, in order
            else expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(expected); // at least once
            expect(relay.connections).toBeGreaterThan(10);
            await Promise.all([again.disconnect(), publisher.disconnect()]);
          }, 120_000);
        }
      }

      test('messages as a stream', async () => {
        const client = await open(at(broker.port()));
        await client.subscribe({ filter: 'stream/#', qos: 1 });
        const messages = client.messages();
        for (const [index, qos] of ([0, 1, 0] satisfies QoS[]).entries()) {
          await client.publish(`stream/${index}`, `${index}`, { qos });
        }
        const texts: string[] = [];
        for await (const { topic, payload } of messages) {
          texts.push(`${topic}=${payload.toString()}`);
          if (texts.length === 3) break;
        }
        expect(texts).toEqual(['stream/0=0', 'stream/1=1', 'stream/2=2']);
        await client.disconnect();
        await expect(client.publish('a', 'x')).rejects.toMatchObject({ kind: 'closed' });
      });

      test('a slow loop slows the broker down and loses nothing', async () => {
        const client = await open(at(broker.port()));
        const publisher = await open(at(broker.port()));
        await client.subscribe({ filter: 'slow', qos: 1 });
        const messages = client.messages();
        const payload = Buffer.alloc(1000);
        const sending = Promise.all(
          Array.from({ length: 5000 }, (_, index) => {
            const numbered = Buffer.from(payload);
            numbered.writeUInt32BE(index);
            return publisher.publish('slow', numbered, { qos: 1 });
          }),
        );
        let expected = 0;
        for await (const message of messages) {
          expect(message.payload.readUInt32BE(0)).toBe(expected++);
          if (expected % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
          if (expected === 5000) break;
        }
        await sending;
      });

      test('requests get their own responses, and those without one an error', async () => {
        const server = await open({
          ...at(broker.port()),
          onMessage: ({ payload, properties }) => {
            const { responseTopic, correlationData } = properties;
            if (responseTopic === undefined || payload.toString() === 'silence') return;
            void server.publish(responseTopic, `re: ${payload.toString()}`, {
              properties: correlationData === undefined ? {} : { correlationData },
            });
          },
        });
        await server.subscribe('service');
        const client = await open(at(broker.port()));
        const channel = new RequestChannel(client, `responses/${name}`);
        await channel.start();
        const answers = await Promise.all(['a', 'b', 'c'].map((text) => channel.request('service', text)));
        expect(answers.map(({ payload }) => payload.toString())).toEqual(['re: a', 're: b', 're: c']);
        await expect(channel.request('service', 'silence', { timeoutMs: 50 })).rejects.toMatchObject({
          kind: 'timeout',
        });
        await channel.close();
      });

      test('the program’s own acknowledgements: what it did not acknowledge comes again', async () => {
        const received: PublishPacket[] = [];
        const settings: ClientSettings = {
          ...at(broker.port()),
          clientId: 'manual',
          cleanStart: false,
          connectProperties: { sessionExpiryInterval: 600 },
          manualAcknowledgement: true,
          onMessage: (message) => void received.push(message),
        };
        const first = await open(settings);
        await first.subscribe({ filter: 'manual', qos: 1 });
        const publisher = await open(at(broker.port()));
        for (const text of ['one', 'two', 'three']) await publisher.publish('manual', text, { qos: 1 });
        await waitFor('three messages', () => received.length === 3);
        first.acknowledge(received[0] as PublishPacket);
        await first.disconnect();
        received.length = 0;
        const second = await open(settings);
        await waitFor('two messages', () => received.length === 2);
        expect(received.map(({ payload, dup }) => `${payload.toString()} ${dup}`)).toEqual(['two true', 'three true']);
        for (const message of received) second.acknowledge(message);
        await second.disconnect();
      });

      test('a refused connection is an error with its code', async () => {
        await expect(
          connect({ ...at(broker.port()), authentication: { method: 'no-such', respond: () => undefined } }),
        ).rejects.toMatchObject({ kind: 'refused', reasonCode: 0x8c });
      });
    });
  }
});
