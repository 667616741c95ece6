/**
 * A broker process under attack, and a canary beside it: two ordinary clients whose messages must go on arriving, in order,
 * whatever the attackers do.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient, type TransportName } from '../conformance/wire/client.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { prepareBroker, type TestBroker } from '../harness/brokers.ts';
import type { Resources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { Attacker } from './attacker.ts';

export const transports = ['tcp', 'ws'] as const satisfies readonly TransportName[];
export type Transport = (typeof transports)[number];

/** Open descriptors and memory are read from the kernel's tables. */
export const hasProc = process.platform === 'linux';

const v5 = packetsOf(5);

export interface SiegeOptions {
  /** Further global lines of the configuration. */
  readonly config?: readonly string[];
  /** Lines of listeners of its own. */
  readonly listeners?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Puts files into the broker's folder before it starts. */
  readonly prepare?: (broker: TestBroker) => Promise<void>;
  /** How the canary's clients come in. */
  readonly canary?: Parameters<typeof v5.connect>[0];
}

export class Siege {
  readonly broker: TestBroker;
  readonly canary: Canary;
  readonly #resources: Resources;

  private constructor(broker: TestBroker, canary: Canary, resources: Resources) {
    this.broker = broker;
    this.canary = canary;
    this.#resources = resources;
  }

  /** @param more - further global lines of the configuration, or more */
  static async begin(resources: Resources, more: readonly string[] | SiegeOptions = []): Promise<Siege> {
    const {
      config = [],
      listeners = [],
      files = {},
      prepare,
      canary: fields = {},
    } = 'length' in more ? { config: more } : more;
    const hasLog = config.some((line) => line.startsWith('log_dest'));
    const hasUsers = config.some((line) => line.startsWith('password_file'));
    const broker = await prepareBroker(resources, 'moustique', {
      config: [
        ...config,
        ...(hasLog ? [] : ['log_dest none']),
        ...(hasUsers ? [] : ['allow_anonymous true']),
        'listener {tcp} 127.0.0.1',
        'listener {ws} 127.0.0.1',
        'protocol websockets',
        ...listeners,
      ],
      files,
    });
    await prepare?.(broker);
    await broker.start();
    const canary = await Canary.start(resources, broker.port('tcp'), fields);
    return new Siege(broker, canary, resources);
  }

  /** A well-behaved client that is let in. */
  async connect(
    transport: Transport,
    clientId: string,
    fields: Parameters<typeof v5.connect>[0] = {},
  ): Promise<RawClient> {
    return open(this.#resources, this.broker.port(transport), transport, clientId, fields);
  }

  /** A connection whose bytes are in the test's hand, nothing sent yet. */
  async attack(transport: Transport): Promise<Attacker> {
    return this.#resources.add(await Attacker.open(this.broker.port(transport), transport));
  }

  /** Attackers of one kind, opened together. */
  attackers(transport: Transport, count: number): Promise<Attacker[]> {
    return Promise.all(Array.from({ length: count }, () => this.attack(transport)));
  }

  /** An attacker that was let in as an ordinary client, MQTT 5.0 unless told, and subscribed. */
  async insider(
    transport: Transport,
    clientId: string,
    filters: readonly { filter: string; qos: 0 | 1 | 2 }[] = [],
    version: 4 | 5 = 5,
  ): Promise<Attacker> {
    const packets = packetsOf(version);
    const attacker = await this.attack(transport);
    attacker.send(packets.connect({ clientId }));
    await attacker.receive('CONNACK', (bytes) => bytes.includes(Buffer.from([0x20])));
    if (filters.length > 0) {
      attacker.send(packets.subscribe({ packetId: 1, filters }));
      await attacker.receive('SUBACK', (bytes) => bytes.includes(Buffer.from([0x90])));
    }
    return attacker;
  }

  /** Resident memory of the broker in MiB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.broker.process.pid}/status`, 'utf8');
    const [, kib = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    return Number(kib) / 1024;
  }

  /** Does something while the canary sings; afterwards it must still sing. */
  async withstand<T>(attack: () => Promise<T>): Promise<T> {
    let isOver = false;
    const singing = (async () => {
      while (!isOver) {
        await this.canary.sing();
        await sleep(5);
      }
    })();
    singing.catch(() => {}); // told below
    try {
      return await attack();
    } finally {
      isOver = true;
      await singing;
      await this.canary.sing(5);
    }
  }

  /** Waits until only the canary's two connections are open. */
  async alone(): Promise<void> {
    await waitFor('the broker to close every other connection', () => this.openSockets() === 2);
  }

  /** Established connections of the broker. */
  openSockets(): number {
    const ports = transports.map(
      (transport) => `:${this.broker.port(transport).toString(16).toUpperCase().padStart(4, '0')}`,
    );
    const established = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, local = '', remote = '', state] = line.trim().split(/\s+/);
        return state === '01' && ports.some((port) => local.endsWith(port)) ? [`${local} ${remote}`] : []; // 01: ESTABLISHED
      });
    // The kernel may show a connection twice when the table changes while it is read.
    return new Set(established).size;
  }
}

/**
 * What became of deliveries, from `$SYS`.
 *
 * @param client - subscribed to nothing else
 * @param countMin - deliveries that have been counted when the numbers are taken
 */
export async function deliveries(client: RawClient, countMin: number) {
  /** Topic below `$SYS/broker/deliveries/` → its number. */
  const books = new Map<string, number>();
  await client.subscribe('$SYS/broker/deliveries/#');
  await waitFor('books that are of one moment', async () => {
    for (const { topic, text } of await client.drainPublishes())
      books.set(topic.slice('$SYS/broker/deliveries/'.length), Number(text));
    return (books.get('count') ?? 0) >= countMin;
  });
  const value = (name: string): number => books.get(name) ?? Number.NaN;
  let dropped = 0;
  for (const [name, count] of books) if (name.startsWith('dropped/')) dropped += count;
  const droppedAtSocket = value('dropped/socket_full') + value('dropped/memory_full');
  return { count: value('count'), sent: value('sent'), waiting: value('waiting'), dropped, droppedAtSocket };
}

/** Publishes and receives, one message after the other. */
export class Canary {
  readonly #publisher: RawClient;
  readonly #subscriber: RawClient;
  #sung = 0;
  readonly #songsMs: number[] = [];

  private constructor(publisher: RawClient, subscriber: RawClient) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
  }

  static async start(
    resources: Resources,
    port: number,
    fields: Parameters<typeof v5.connect>[0] = {},
  ): Promise<Canary> {
    const publisher = await open(resources, port, 'tcp', 'canary-p', fields);
    const subscriber = await open(resources, port, 'tcp', 'canary-s', fields);
    await subscriber.subscribe({ filter: 'canary/+', qos: 1 });
    return new Canary(publisher, subscriber);
  }

  /** @throws Error when a message is lost, out of order or not there after the patience of a test */
  async sing(times = 1): Promise<void> {
    for (let time = 0; time < times; time++) {
      const payload = `song ${++this.#sung}`;
      const begunMs = performance.now();
      await this.#publisher.publish({ topic: 'canary/song', payload, qos: 1, packetId: 1 });
      await this.#subscriber.acknowledge(await this.#subscriber.expectPublish({ topic: 'canary/song', payload }));
      this.#songsMs.push(performance.now() - begunMs);
    }
  }

  /** How long 99 of 100 songs took at most since it was asked last, in ms; for people, and for machines with nothing else to do. */
  p99(): number {
    const songs = this.#songsMs.splice(0).toSorted((one, other) => one - other);
    return songs[Math.ceil(songs.length * 0.99) - 1] ?? 0;
  }
}

async function open(
  resources: Resources,
  port: number,
  transport: Transport,
  clientId: string,
  fields: Parameters<typeof v5.connect>[0],
): Promise<RawClient> {
  const client = resources.add(await RawClient.open(port, { transport }));
  // No Keep Alive: an attack may last longer than one.
  client.send(v5.connect({ keepAlive: 0, ...fields, clientId }));
  await client.expectPacket('connack');
  return client;
}
