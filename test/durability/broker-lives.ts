/**
 * A whole broker on a simulated disk, with model clients in the same process, ended again and again at some call. What counts in
 * the end is only what the clients wrote down.
 */
import { VirtualClock } from '../../src/base/clock.ts';
import { Broker } from '../../src/broker/broker.ts';
import { defaultLimits } from '../../src/broker/limits.ts';
import { Connection } from '../../src/connection/connection.ts';
import { Hub } from '../../src/connection/hub.ts';
import type { ListenerPolicy } from '../../src/connection/policy.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import type { Fault } from './faults.ts';
import { smallStore, turns } from './lives.ts';
import { ModelClient, Wire } from './model-client.ts';
import { LineLog } from './quiet-logger.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const policy: ListenerPolicy = {
  port: 1883,
  authenticator: { authenticate: () => 'accepted' },
  protocolVersions: new Set([3, 4, 5]),
  maxQos: 2,
  maxTopicAlias: 0,
  maxTopicAliasBroker: 0,
  allowZeroLengthClientId: true,
  autoIdPrefix: 'auto-',
  clientIdPrefix: '',
  useUsernameAsClientId: false,
  useCertificateIdentity: false,
  mountPoint: Buffer.alloc(0),
};

/** "When the waiting input has been handled" is a real turn, all other time is virtual. */
class TurnClock extends VirtualClock {
  override soon(callback: () => void): void {
    setImmediate(callback);
  }
}

/** One process: broker, store and their clock. */
class Process {
  readonly disk: SimulatedDisk;
  readonly clock: TurnClock;
  readonly log = new LineLog();
  readonly hub: Hub;
  readonly #broker: Broker;

  constructor(disk: SimulatedDisk, startMs: number, endAtCall: number, fault: Fault | null) {
    this.disk = disk;
    this.clock = new TurnClock(startMs);
    const store = openFileStore({
      ...{ ...smallStore, clock: this.clock, logger: this.log, disk: fault?.disk?.(disk) ?? disk },
    });
    let calls = 0;
    const counted = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name === 'restore' || name === 'attach') return value.bind(target);
        return (...args: unknown[]): unknown => {
          if (++calls === endAtCall) disk.end();
          // What a process does after its end has no effect on anybody.
          return disk.isGone || fault?.verbsLeftOut?.includes(String(name))
            ? undefined
            : Reflect.apply(value, target, args);
        };
      },
      set: (target, name, value) => Reflect.set(target, name, value, target),
    });
    const limits = { ...defaultLimits, maxQueuedMessages: 0 };
    this.#broker = new Broker(this.clock, this.log, counted, limits);
    this.#broker.start();
    this.hub = new Hub(this.#broker.engine);
  }

  connect(client: ModelClient): void {
    const wire = new Wire(this.disk);
    new Connection(this.hub, wire, policy);
    client.connect(wire);
  }
}

/** Runs one broker through some ends. Returns what was wrong, null when nothing was. */
export async function brokerPoint(
  seed: number,
  kind: 'kill' | 'power',
  fault: Fault | null = null,
): Promise<string | null> {
  const random = new Random(seed);
  const publishers = ['p0', 'p1'].map((id) => new ModelClient(id, null, random));
  const subscribers = ['s0', 's1', 's2'].map((id) => new ModelClient(id, 'load/#', random));
  const clients = [...publishers, ...subscribers];
  let disk = new SimulatedDisk(random);
  let startMs = 1.8e12;
  let number = 0;
  // Order is promised for each QoS by itself.
  const topics = publishers.flatMap((publisher, index) =>
    [1, 2].map((qos) => [`load/${index}/${qos}`, publisher] as const),
  );

  let process = new Process(disk, startMs, Number.POSITIVE_INFINITY, fault);
  for (const client of clients) process.connect(client);
  await exchange(clients, () => subscribers.every((client) => client.isSubscribed), process);
  for (const client of clients) client.expectSession();

  const lives = 1 + random.below(3);
  for (let life = 0; life <= lives; life++) {
    const isLast = life === lives;
    if (!isLast && random.chance(0.5)) {
      const at = disk.calls + random.below(60);
      disk.onCall = ({ index }) => (index >= at ? random.pick(['ends', 'tears']) : undefined);
    }
    for (let step = 0; step < 60 && !disk.isGone && !isLast; step++) {
      act(process);
      await turns(random.below(3));
      if (random.chance(0.4)) process.clock.advance(random.pick([1, 1, 200]));
    }
    if (isLast) break;
    disk.end();
    for (const client of clients) {
      // What had been sent may still arrive.
      if (random.chance(0.5)) client.pump();
      client.lose(false);
    }
    await turns(3);
    disk = kind === 'kill' ? disk.afterKill() : disk.afterPowerCut();
    startMs = process.clock.nowMs() + 1000;
    process = new Process(disk, startMs, random.chance(0.5) ? random.below(150) : Number.POSITIVE_INFINITY, fault);
    const wrong = process.log.lines.filter((line) => /^(error|warning)/.test(line));
    if (wrong.length > 0) return `life ${life + 1}: ${wrong.join(' · ')}`;
  }
  // The last life may have been told to end somewhere as well; this one is not.
  disk.end();
  for (const client of clients) client.lose(false);
  await turns(3);
  disk = disk.afterKill();
  process = new Process(disk, process.clock.nowMs() + 1000, Number.POSITIVE_INFINITY, fault);
  for (const client of clients) process.connect(client);
  await exchange(clients, () => publishers.every((client) => client.underWay === 0), process);
  for (const [topic, publisher] of topics) publisher.publish(topic, 0, 2, false);
  const isDone = (): boolean =>
    subscribers.every(({ arrived }) => topics.every(([topic]) => arrived.get(topic)?.includes(0)));
  await exchange(clients, isDone, process);
  disk.end();
  await turns(2);
  return judge();

  /** Something happens at the clients. */
  function act(now: Process): void {
    const publisher = random.pick(publishers);
    const index = publishers.indexOf(publisher);
    switch (random.below(6)) {
      case 0: {
        const client = random.pick(clients);
        if (client.isConnected) client.lose(true);
        break;
      }
      case 1:
      case 2:
        for (const client of clients) {
          if (!client.isConnected && random.chance(0.6)) now.connect(client);
        }
        break;
      default:
        if (publisher.underWay < 6) {
          const isRetained = random.chance(0.2);
          const qos = random.chance(0.5) ? 1 : 2;
          publisher.publish(
            isRetained ? `kept/${index}` : `load/${index}/${qos}`,
            ++number,
            isRetained ? 1 : qos,
            isRetained,
          );
        }
    }
    for (const client of clients) if (random.chance(0.7)) client.pump();
  }

  function judge(): string | null {
    for (const client of clients) if (client.hasLostSession) return `the session of ${client.clientId} is gone`;
    for (const [topic, publisher] of topics) {
      const acknowledged = publisher.acknowledged.get(topic) ?? new Set();
      for (const { clientId, arrived } of subscribers) {
        const numbers = arrived.get(topic) ?? [];
        const lost = [...acknowledged].filter((one) => !numbers.includes(one));
        if (lost.length > 0) return `${topic} at ${clientId}: lost ${lost.join(' ')}`;
        const twice = numbers.filter((one, place) => numbers.indexOf(one) !== place);
        if (topic.endsWith('2') && twice.length > 0) return `${topic} at ${clientId}: ${twice.join(' ')} came twice`;
        const first = [...new Set(numbers)].filter((one) => one !== 0);
        const wrong = first.findIndex((one, place) => place > 0 && one < (first[place - 1] as number));
        if (wrong >= 0) return `${topic} at ${clientId}: out of order at ${first[wrong]} of ${numbers.join(' ')}`;
      }
    }
    for (const [index, publisher] of publishers.entries()) {
      const kept = [...process.hub.engine.retained.values()].find(({ topic: { name } }) => name === `kept/${index}`);
      const promised = Math.max(0, ...(publisher.acknowledged.get(`kept/${index}`) ?? []));
      if (promised > Number(kept?.payload.toString() ?? 0)) return `kept/${index}: ${promised} is not retained`;
    }
    return null;
  }
}

/** Lets clients and broker talk until something is so; gives up after many turns, and the judgement says what is missing. */
async function exchange(clients: readonly ModelClient[], isDone: () => boolean, process: Process): Promise<void> {
  for (let turn = 0; turn < 3000 && !isDone(); turn++) {
    for (const client of clients) {
      if (client.isConnected) client.pump();
      else process.connect(client);
    }
    await turns(1);
    if (turn % 50 === 49) process.clock.advance(600);
  }
}
