/**
 * Two brokers with a bridge between them, killed in turn while messages go both ways: QoS 1 loses nothing, QoS 2 loses nothing and
 * doubles nothing, from publisher here to subscriber there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import { describe, expect, test } from 'vitest';
import { compare, connected, includesAll, type Publisher } from '../durability/kill-loop.ts';
import { Random } from '../durability/random.ts';
import { sweepOf } from '../durability/sweep-settings.ts';
import type { TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import {
  acceptBridge,
  grantSubscriptions,
  logged,
  RawServer,
  startBridged,
  startRemote,
  untilSubscribed,
} from './places.ts';

const resources = useResources();
const kept = ['persistence true', 'persistence_location {dir}/', 'max_queued_messages 0', 'max_inflight_messages 50'];

/** Messages a publisher has under way. */
const window = 10;

interface Flow extends Publisher {
  readonly subscriber: mqtt.MqttClient;
  readonly arrived: number[];
}

async function connectClient(broker: TestBroker, clientId: string): Promise<mqtt.MqttClient> {
  const options = { clientId, clean: false, reconnectPeriod: 30, resubscribe: false, connectTimeout: 5000 };
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port()}`, options);
  client.on('error', () => {});
  await connected(client);
  resources.add({ close: () => client.endAsync(true) });
  return client;
}

/** Messages from a publisher of one broker to a subscriber of the other. */
async function openFlow(from: TestBroker, to: TestBroker, topic: string, qos: 1 | 2): Promise<Flow> {
  const subscriber = await connectClient(to, `subscriber ${topic}`);
  const arrived: number[] = [];
  subscriber.on('message', (_, payload) => arrived.push(Number(payload.toString())));
  await subscriber.subscribeAsync(topic, { qos });
  const client = await connectClient(from, `publisher ${topic}`);
  return { client, topic, qos, acknowledged: new Set(), next: 1, underWay: 0, subscriber, arrived };
}

test.each(['mqttv311', 'mqttv50'])(
  '%s: brokers killed in turn on either side of a bridge',
  async (version) => {
    const { seed, count } = sweepOf(4);
    const random = new Random(seed);
    const there = await startRemote(resources, 'moustique', kept);
    const here = await startBridged(
      resources,
      there.broker.port(),
      [
        ...['topic out/# out 2', 'topic in/# in 2', 'restart_timeout 1', `bridge_protocol_version ${version}`],
        ...['bridge_session_expiry_interval 3600'],
      ],
      { before: kept },
    );
    await untilSubscribed(there);
    const flows = [
      await openFlow(here.broker, there.broker, 'out/1', 1),
      await openFlow(here.broker, there.broker, 'out/2', 2),
      await openFlow(there.broker, here.broker, 'in/1', 1),
      await openFlow(there.broker, here.broker, 'in/2', 2),
    ];
    let isLoading = true;
    const pump = (flow: Flow): void => {
      while (isLoading && flow.underWay < window) {
        const number = flow.next++;
        flow.underWay++;
        flow.client.publish(flow.topic, String(number), { qos: flow.qos }, (error) => {
          flow.underWay--;
          if (!error) flow.acknowledged.add(number);
          setImmediate(pump, flow);
        });
      }
    };
    for (const flow of flows) pump(flow);
    for (let kill = 0; kill < count; kill++) {
      // Long enough for the bridge to come back, most times.
      await sleep(200 + random.below(1500));
      const { broker } = kill % 2 === 0 ? there : here;
      broker.process.signal('SIGKILL');
      await broker.process.ended;
      await broker.start();
    }
    await sleep(200);
    isLoading = false;
    await waitFor('everything published to be acknowledged', () => flows.every(({ underWay }) => underWay === 0));
    const isDone = ({ arrived, acknowledged }: Flow): boolean => includesAll(arrived, acknowledged);
    await waitFor(
      () =>
        flows.map(({ topic, arrived, acknowledged }) => `${topic}: ${arrived.length} of ${acknowledged.size}`).join(),
      () => flows.every(isDone),
      60_000,
    );
    for (const { client, topic, qos } of flows) await client.publishAsync(topic, '0', { qos });
    await waitFor('the last messages', () => flows.every(({ arrived }) => arrived.includes(0)));
    const failures = flows.flatMap((flow) =>
      compare(
        flow,
        flow.arrived.filter((number) => number !== 0),
      ).map((what) => `${flow.topic}: ${what}`),
    );
    expect(failures).toEqual([]);
    expect(flows.every(({ acknowledged }) => acknowledged.size > 10)).toBe(true);
  },
  600_000,
);

describe('byte for byte', () => {
  test('a broker that is killed comes back with the identifiers that it had, and knows what was answered', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(
      resources,
      server.port,
      [
        'topic out out 2',
        'topic in in 2',
        'restart_timeout 1',
        'notifications false',
        'bridge_attempt_unsubscribe false',
      ],
      { before: kept },
    );
    const first = await acceptBridge(server);
    await grantSubscriptions(first.peer, 1);
    const publisher = await place.connect();
    const ids: number[] = [];
    for (const payload of ['1', '2', '3']) {
      await publisher.publish({ topic: 'out', payload, qos: 2 });
      ids.push((await first.peer.expectPublish({ payload, dup: false })).packetId);
    }
    // 1 is taken, 2 is not answered, 3 is finished; of those that come in, 8 is ours and not released.
    first.peer.send(first.peer.packets.pubrec({ packetId: ids[0] ?? 0 }));
    await first.peer.expect(first.peer.packets.pubrel({ packetId: ids[0] ?? 0 }));
    await first.peer.acknowledge({ qos: 2, packetId: ids[2] ?? 0 });
    const incoming = { topic: 'in', payload: '8', qos: 2, packetId: 8 } as const;
    first.peer.send(first.peer.packets.publish(incoming));
    await first.peer.expect(first.peer.packets.pubrec({ packetId: 8 }));
    place.broker.process.signal('SIGKILL');
    await place.broker.process.ended;
    await place.broker.start();
    const subscriber = await place.connect({ clientId: 'subscriber' });
    await subscriber.subscribe({ filter: 'in', qos: 2 });
    const { peer } = await acceptBridge(server);
    await grantSubscriptions(peer, 1);
    await peer.expect(peer.packets.pubrel({ packetId: ids[0] ?? 0 }));
    await peer.expectPublish({ payload: '2', qos: 2, dup: true, packetId: ids[1] ?? 0 });
    peer.send(peer.packets.publish({ ...incoming, dup: true }));
    await peer.expect(peer.packets.pubrec({ packetId: 8 }));
    peer.send(peer.packets.pubrel({ packetId: 8 }));
    await peer.expect(peer.packets.pubcomp({ packetId: 8 }));
    await subscriber.acknowledge(await subscriber.expectPublish({ payload: '8' }));
    await subscriber.expectNothing();
    await logged(place, 'Bridge one connected');
  });
});
