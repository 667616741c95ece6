import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createMessage, type Message, type Publisher } from '../../src/contracts/message.ts';
import type { DeliveryFact, Fact, SessionFact, SubscriptionFact } from '../../src/contracts/store.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import { Topic } from '../../src/topics/topic.ts';
import { prepareBroker, startBroker } from '../harness/brokers.ts';
import { bytes } from '../harness/codec.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { publish, runTool, subscribe } from '../harness/tools.ts';
import { LineLog } from './quiet-logger.ts';

const resources = useResources();
const publisher: Publisher = { clientId: 'sensor', username: 'marie', listenerPort: 1883 };
const config = [
  'listener {port} 127.0.0.1',
  'allow_anonymous true',
  'persistence true',
  'persistence_location {dir}/',
  'log_type all',
  'log_dest stderr',
];

function message(storeId: number, topic: string, payload: string, qos: 0 | 1 | 2, retain = false): Message {
  const made = createMessage(Topic.of(topic), publisher, {
    payload: Buffer.from(payload),
    qos,
    retain,
  });
  made.storeId = storeId;
  return made;
}

const session = (clientId: string, lastSequence = 0): SessionFact => ({
  kind: 'session',
  clientId,
  username: null,
  listenerPort: 1883,
  expiryIntervalSeconds: 0xffff_ffff,
  expiresAtMs: 0,
  lastSequence,
});

const subscription = (clientId: string, filter: string, qos: 0 | 1 | 2): SubscriptionFact => ({
  kind: 'subscription',
  clientId,
  filter,
  qos,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  identifier: 0,
});

const delivery = (clientId: string, storeId: number, sequence: number, rest: Partial<DeliveryFact>): DeliveryFact => ({
  kind: 'delivery',
  clientId,
  direction: 'out',
  storeId,
  sequence,
  qos: 1,
  retain: false,
  dup: false,
  state: 11,
  subscriptionIds: [],
  ...rest,
});

async function writeStore(path: string, facts: Fact[]): Promise<void> {
  const logger = new LineLog();
  const store = openFileStore({
    path,
    autosaveIntervalSeconds: 0,
    autosaveOnChanges: false,
    clock: systemClock(),
    logger,
  });
  expect([...store.restore()]).toEqual([]);
  store.attach(() => facts);
  await store.close();
  expect(logger.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([]);
}

function readStore(path: string): { facts: Fact[]; lines: string[] } {
  const logger = new LineLog();
  const store = openFileStore({
    path,
    autosaveIntervalSeconds: 0,
    autosaveOnChanges: false,
    clock: systemClock(),
    logger,
  });
  return { facts: [...store.restore()], lines: logger.lines };
}

describeWith(['mosquitto', 'mosquitto_pub'], 'with mosquitto', () => {
  test('Mosquitto goes on with what we wrote', async () => {
    const broker = await prepareBroker(resources, 'mosquitto', { config });
    await writeStore(join(broker.dir, 'mosquitto.db'), [
      { kind: 'message', message: message(1, 'home/temp', 'kept', 1, true) },
      { kind: 'message', message: message(2, 'home/hall', 'first', 1) },
      { kind: 'message', message: message(3, 'home/hall', 'second', 2) },
      { kind: 'message', message: message(4, 'home/roof', 'half-way', 2) },
      { kind: 'message', message: message(5, 'jobs/door', 'shared', 1) },
      { kind: 'message', message: message(6, '$SYS/broker/version', 'mine', 0, true) },
      session('sub', 65_537),
      subscription('sub', 'home/#', 2),
      delivery('sub', 2, 65_535, { state: 3, dup: true }),
      delivery('sub', 3, 65_536, { qos: 2, subscriptionIds: [3, 200] }),
      delivery('sub', 5, 65_537, { qos: 1 }),
      session('released', 7),
      delivery('released', 0, 7, { qos: 2, state: 9 }),
      session('sender'),
      delivery('sender', 4, 21, { qos: 2, state: 7, direction: 'in' }),
      { ...subscription('sub', '$share/g/jobs/#', 1) },
      { kind: 'retained', storeId: 1 },
      { kind: 'retained', storeId: 6 },
      { kind: 'will', clientId: 'sub', message: message(7, 'w', 'gone', 0), delaySeconds: 60, dueAtMs: 0 },
    ]);

    await broker.start();
    const { process } = broker;

    const port = String(broker.port());
    // Retained.
    const retained = await runTool('mosquitto', 'sub', ['-p', port, '-t', 'home/temp', '-C', '1', '-v', '-W', '20']);
    expect(retained.stdout).toBe('home/temp kept\n');
    // Our part of the file is passed over with one line.
    expect(`${process.stdout}${process.stderr}`.match(/Warning: Unsupported chunk/g)).toHaveLength(1);

    // PUBREC had come for this one: only PUBREL is sent.
    const released = await runTool('mosquitto', 'sub', [
      '-p',
      port,
      '-i',
      'released',
      '-c',
      '-t',
      'x',
      '-q',
      '2',
      '-E',
    ]);
    expect(released.status).toBe(0);
    await process.waitForOutput(/Received PUBCOMP from released \(Mid: 7/, 'stderr');
    expect(`${process.stdout}${process.stderr}`).not.toMatch(/Sending PUBLISH to released/);

    // Queued and in flight, with the identifiers they had; the QoS 2 message is printed when its exchange is over.
    const queued = await runTool('mosquitto', 'sub', [
      '-p',
      port,
      '-i',
      'sub',
      '-c',
      '-t',
      'x',
      '-q',
      '2',
      '-C',
      '3',
      '-v',
      '-W',
      '20',
    ]);
    expect(queued.stdout).toBe('home/hall first\njobs/door shared\nhome/hall second\n');
    await process.waitForOutput(/Sending PUBLISH to sub \(d1, q1, r0, m65535, 'home\/hall'/, 'stderr');

    // The QoS 2 message that a client had sent goes out when its PUBREL comes.
    const watcher = await subscribe(resources, 'mosquitto', ['-p', port, '-t', 'home/roof', '-v']);
    const socket = createConnection(broker.port(), '127.0.0.1');
    socket.write(bytes('10 12 0004 "MQTT" 04 00 003c 0006 "sender"'));
    socket.write(bytes('62 02 0015'));
    const [connack] = await once(socket, 'data');
    expect((connack as Buffer).subarray(0, 4)).toEqual(bytes('20 02 01 00')); // Session Present
    await watcher.linesUntil('home/roof half-way');
    socket.destroy();
  });

  test('we go on with what Mosquitto wrote', async () => {
    const broker = await startBroker(resources, 'mosquitto', { config });
    const port = String(broker.port());
    const stay = async (id: string, ...rest: string[]): Promise<void> => {
      const result = await runTool('mosquitto', 'sub', ['-p', port, '-i', id, '-c', '-E', ...rest]);
      expect(result.status).toBe(0);
    };
    await stay('v3', '-t', 'home/#', '-q', '2', '-t', '+/x');
    await stay(
      'v5',
      '-V',
      '5',
      '-t',
      'home/#',
      '-q',
      '1',
      '-x',
      '600',
      '-D',
      'subscribe',
      'subscription-identifier',
      '5',
      '--retain-as-published',
    );
    await publish('mosquitto', ['-p', port, '-i', 'one', '-t', 'home/a', '-m', 'q1', '-q', '1']);
    await publish('mosquitto', ['-p', port, '-i', 'two', '-t', 'home/b', '-m', 'q2', '-q', '2', '-r']);
    await publish('mosquitto', [
      ...['-p', port, '-i', 'three', '-V', '5', '-t', 'home/c', '-m', 'props', '-q', '1'],
      ...['-D', 'publish', 'message-expiry-interval', '900', '-D', 'publish', 'content-type', 'text'],
      ...['-D', 'publish', 'user-property', 'k', 'v', '-D', 'publish', 'response-topic', 'r'],
    ]);
    await publish('mosquitto', ['-p', port, '-i', 'four', '-t', 'other', '-m', 'kept', '-r']);
    const stopped = Date.now();
    await broker.stop();

    const { facts, lines } = readStore(join(broker.dir, 'mosquitto.db'));

    expect(lines.filter((line) => /^(error|warning)/.test(line))).toEqual([]);
    expect(lines).toContain('information: Restored 4 base messages');
    expect(lines).toContain('information: Restored 6 client messages');
    const messages = new Map(
      facts.flatMap((fact) => (fact.kind === 'message' ? [[fact.message.storeId, fact.message]] : [])),
    );
    const queued = (clientId: string): unknown[] =>
      facts.flatMap((fact) =>
        fact.kind === 'delivery' && fact.clientId === clientId
          ? [[fact.sequence, messages.get(fact.storeId)?.topic.name, fact.qos, fact.state, fact.direction]]
          : [],
      );
    expect(queued('v3')).toEqual([
      [1, 'home/a', 1, 11, 'out'],
      [2, 'home/b', 2, 11, 'out'],
      [3, 'home/c', 1, 11, 'out'],
    ]);
    expect(queued('v5')).toHaveLength(3);
    const retained = facts.flatMap((fact) =>
      fact.kind === 'retained' ? [messages.get(fact.storeId)?.payload.toString()] : [],
    );
    expect(retained.sort()).toEqual(['kept', 'q2']);
    expect(
      facts.filter((fact) => fact.kind === 'subscription').map(({ clientId, filter, qos }) => [clientId, filter, qos]),
    ).toEqual(
      expect.arrayContaining([
        ['v3', 'home/#', 2],
        ['v3', '+/x', 2],
        ['v5', 'home/#', 1],
      ]),
    );
    const withProperties = [...messages.values()].find(({ topic }) => topic.name === 'home/c');
    expect(withProperties?.publisher).toMatchObject({ clientId: 'three', listenerPort: broker.port() });
    expect(withProperties?.propertiesSource.toString('latin1')).toContain('\x03\x00\x04text');
    expect(withProperties?.expiresAtMs).toBeGreaterThan(stopped + 800_000);
    expect(withProperties?.expiresAtMs).toBeLessThan(stopped + 902_000);
    const options = facts.find((fact) => fact.kind === 'subscription' && fact.clientId === 'v5');
    expect(options).toMatchObject({ retainAsPublished: true, noLocal: false, identifier: 5 });
    const v5 = facts.find((fact) => fact.kind === 'session' && fact.clientId === 'v5');
    expect(v5).toMatchObject({ expiryIntervalSeconds: 600, listenerPort: broker.port() });
  });
});
