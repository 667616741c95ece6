/**
 * A real broker process under load is killed with SIGKILL again and again. Publishers and subscribers are MQTT.js clients that
 * keep their sessions and come back; what was acknowledged and what arrived is written down on their side only, and checked at
 * the end from these histories alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import type { TestBroker } from '../harness/brokers.ts';
import { waitFor } from '../harness/wait.ts';
import type { Random } from './random.ts';

/** Messages a publisher has under way. */
const window = 20;

export interface Publisher {
  readonly client: mqtt.MqttClient;
  readonly topic: string;
  readonly qos: 1 | 2;
  /** Numbers of the messages whose exchange ended with success. */
  readonly acknowledged: Set<number>;
  next: number;
  underWay: number;
}

interface Subscriber {
  readonly client: mqtt.MqttClient;
  readonly name: string;
  /** Topic → numbers in the order of arrival. */
  readonly arrived: Map<string, number[]>;
}

export interface LoopResult {
  readonly kills: number;
  readonly acknowledged: number;
  readonly arrived: number;
  readonly failures: string[];
}

/**
 * @param broker - started, with persistence and unlimited queues
 * @param patienceMs - how long something may take to arrive; what has not by then is lost
 */
export async function killLoop(
  broker: TestBroker,
  kills: number,
  random: Random,
  patienceMs = 60_000,
): Promise<LoopResult> {
  const port = broker.port();
  const connect = (clientId: string, reconnectPeriod = 30): mqtt.MqttClient => {
    const options = { clientId, clean: false, reconnectPeriod, resubscribe: false, connectTimeout: 5000 };
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, options);
    client.on('error', () => {});
    return client;
  };
  const subscribers: Subscriber[] = [];
  const watch = (client: mqtt.MqttClient, name: string): Subscriber => {
    const arrived = new Map<string, number[]>();
    client.on('message', (topic, payload) => {
      const numbers = arrived.get(topic) ?? [];
      numbers.push(Number(payload.toString().split(' ')[0]));
      arrived.set(topic, numbers);
    });
    const subscriber = { client, name, arrived };
    subscribers.push(subscriber);
    return subscriber;
  };
  for (const name of ['online', 'second']) {
    const { client } = watch(connect(name), name);
    await connected(client);
    await client.subscribeAsync('load/#', { qos: 2 });
  }
  // This one has a queue that grows through all the kills.
  const absent = connect('absent');
  await connected(absent);
  await absent.subscribeAsync('load/#', { qos: 2 });
  await absent.endAsync();

  const publishers: Publisher[] = [];
  for (const [index, qos] of ([1, 2, 1, 2] as const).entries()) {
    const client = connect(`publisher${index}`);
    publishers.push({ client, topic: `load/${index}`, qos, acknowledged: new Set(), next: 1, underWay: 0 });
  }
  let isLoading = true;
  const pump = (publisher: Publisher): void => {
    while (isLoading && publisher.underWay < window) {
      const number = publisher.next++;
      publisher.underWay++;
      const payload = `${number} ${'x'.repeat(random.below(200))}`;
      publisher.client.publish(publisher.topic, payload, { qos: publisher.qos }, (error) => {
        publisher.underWay--;
        if (!error) publisher.acknowledged.add(number);
        // Not at once: the loop of this process has other clients to serve.
        setImmediate(pump, publisher);
      });
    }
  };
  for (const publisher of publishers) pump(publisher);

  for (let kill = 0; kill < kills; kill++) {
    await sleep(50 + random.below(250));
    broker.process.signal('SIGKILL');
    await broker.process.ended;
    await broker.start(patienceMs);
  }
  const failures: string[] = [];
  await sleep(200);
  isLoading = false;
  await waitFor(
    'everything published to be acknowledged',
    () => publishers.every(({ underWay }) => underWay === 0),
    patienceMs,
  ).catch((error: unknown) => failures.push(String(error)));

  watch(connect('absent'), 'absent');
  // MQTT.js gives up a few messages itself, when it loses the connection at that moment; they were not acknowledged.
  const isDone = ({ arrived }: Subscriber): boolean =>
    publishers.every(({ topic, acknowledged }) => includesAll(arrived.get(topic) ?? [], acknowledged));
  await waitFor('everything to arrive', () => subscribers.every(isDone), patienceMs).catch((error: unknown) =>
    failures.push(String(error)),
  );
  // Whatever comes twice comes before this.
  for (const { client, topic } of publishers) await client.publishAsync(topic, '0 end', { qos: 2 });
  const hasEnd = (subscriber: Subscriber): boolean =>
    publishers.every(({ topic }) => subscriber.arrived.get(topic)?.includes(0) === true);
  await waitFor('the last messages', () => subscribers.every(hasEnd), patienceMs).catch((error: unknown) =>
    failures.push(String(error)),
  );

  let acknowledged = 0;
  let arrivedCount = 0;
  for (const publisher of publishers) {
    acknowledged += publisher.acknowledged.size;
    for (const subscriber of subscribers) {
      const numbers = (subscriber.arrived.get(publisher.topic) ?? []).filter((number) => number !== 0);
      arrivedCount += numbers.length;
      failures.push(...compare(publisher, numbers).map((what) => `${publisher.topic} at ${subscriber.name}: ${what}`));
    }
  }
  for (const { client } of [...publishers, ...subscribers]) await client.endAsync(true);
  return { kills, acknowledged, arrived: arrivedCount, failures };
}

/** Resolves when the client is let in. */
export function connected(client: mqtt.MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('connect', () => resolve());
  });
}

export function includesAll(numbers: readonly number[], wanted: ReadonlySet<number>): boolean {
  const seen = new Set(numbers);
  for (const number of wanted) if (!seen.has(number)) return false;
  return true;
}

/** Nothing acknowledged may be missing, QoS 2 comes once, and what comes first comes in order. */
export function compare({ acknowledged, qos }: Publisher, numbers: readonly number[]): string[] {
  const failures: string[] = [];
  const seen = new Set(numbers);
  const lost = [...acknowledged].filter((number) => !seen.has(number));
  if (lost.length > 0) failures.push(`lost ${lost.length}: ${lost.slice(0, 10).join(' ')}`);
  if (qos === 2 && numbers.length !== seen.size) {
    const twice = numbers.filter((number, index) => numbers.indexOf(number) !== index);
    failures.push(`${twice.length} came twice: ${twice.slice(0, 10).join(' ')}`);
  }
  const first = [...seen];
  const wrong = first.findIndex((number, index) => index > 0 && number < (first[index - 1] as number));
  if (wrong >= 0) failures.push(`out of order: ${first.slice(Math.max(0, wrong - 3), wrong + 3).join(' ')}`);
  return failures;
}
