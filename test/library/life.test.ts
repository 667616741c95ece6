import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BrokerStateError, ConfigErrors, createBroker, StartError } from '../../src/index.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { connect, Inbox, inboxOf, newBroker, startBroker } from './embedding.ts';

const resources = useResources();

describe('listen', () => {
  test('tells what was opened, port and URL included', async () => {
    const path = join(tempDir(resources), 'broker.sock');
    const broker = newBroker(resources, {
      listeners: [{ port: 0, host: '127.0.0.1' }, { port: 0, host: '127.0.0.1', protocol: 'websockets' }, { path }],
    });
    expect(broker.listeners).toEqual([]);

    const opened = await broker.listen();

    const [tcp, web, unix] = opened;
    expect(tcp).toEqual({
      protocol: 'mqtt',
      isEncrypted: false,
      host: '127.0.0.1',
      port: expect.any(Number),
      path: null,
      url: `mqtt://127.0.0.1:${tcp?.port}`,
    });
    expect(tcp?.port).toBeGreaterThan(0);
    expect(web).toMatchObject({ protocol: 'websockets', url: `ws://127.0.0.1:${web?.port}` });
    expect(unix).toMatchObject({ port: 0, path, url: `mqtt+unix://${path}` });
    expect(broker.listeners).toEqual(opened);
    for (const { url } of opened) await connect(resources, url);
    expect(broker.clients.map(({ listenerPort }) => listenerPort)).toEqual([tcp?.port, web?.port, 0]);
  });

  test('without listeners there is a broker for the program alone', async () => {
    const { broker } = await startBroker(resources, { listeners: [] });
    const inbox = new Inbox();
    broker.subscribe('a', inbox.add);

    broker.publish('a', 'x');

    expect((await inbox.first(1)).map((message) => message.text())).toEqual(['x']);
  });

  test('a port in use: the error names it, nothing stays open, and listening can be tried again', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    const broker = newBroker(resources, {
      listeners: [
        { port: 0, host: '127.0.0.1' },
        { port, host: '127.0.0.1' },
      ],
    });
    const inbox = new Inbox();
    broker.subscribe('a', inbox.add);

    const failure = await broker.listen().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StartError);
    expect((failure as StartError).lines).toEqual([
      'Error: Address already in use',
      `Error: Unable to listen on port ${port} (127.0.0.1): Address already in use.`,
    ]);
    expect([broker.state, broker.listeners]).toEqual(['new', []]);
    await new Promise((resolve) => other.close(resolve));

    await broker.listen();
    broker.publish('a', 'after the second try');
    expect(broker.state).toBe('running');
    expect((await inbox.first(1)).map((message) => message.text())).toEqual(['after the second try']);
  });

  test('an unreadable password file: the error names it', async () => {
    const passwordFile = join(tempDir(resources), 'none');
    await expect(newBroker(resources, { passwordFile }).listen()).rejects.toThrow(
      `password-file: Error: Unable to open pwfile "${passwordFile}".`,
    );
  });
});

describe('states', () => {
  test('what needs a running broker says so before and after', async () => {
    const broker = newBroker(resources);
    expect(() => broker.publish('a', 'x')).toThrow('publish(): the broker is not running; call listen() first');
    expect(() => broker.kick('c')).toThrow(BrokerStateError);
    expect([broker.state, broker.clients, broker.stats.clientsTotal]).toEqual(['new', [], 0]);
    await broker.listen();
    await expect(broker.listen()).rejects.toThrow('listen(): the broker is running already');
    expect(broker.publish('a', 'x')).toBe(0);
    await broker.close();

    expect([broker.state, broker.listeners, broker.clients]).toEqual(['closed', [], []]);
    expect(() => broker.publish('a', 'x')).toThrow('publish(): the broker is closed; create another one');
    expect(() => broker.subscribe('a', () => {})).toThrow(BrokerStateError);
    expect(() => broker.on('connect', () => {})).toThrow(BrokerStateError);
    await expect(broker.save()).rejects.toThrow(BrokerStateError);
    await expect(broker.listen()).rejects.toThrow(BrokerStateError);
  });

  test('closing twice, before the start and during it', async () => {
    const never = newBroker(resources);
    const closing = never.close();
    expect(never.close()).toBe(closing);
    await expect(never.listen()).rejects.toThrow(BrokerStateError);
    await closing;
    expect(never.state).toBe('closed');

    const early = newBroker(resources);
    const listening = early.listen();
    await early.close();
    expect(await listening).toHaveLength(1);
    expect(early.state).toBe('closed');
  });
});

test('what a handler publishes when clients are disconnected by the end is stored', async () => {
  const persistenceLocation = tempDir(resources);
  const durable = { persistence: true, persistenceLocation };
  const first = await startBroker(resources, durable);
  const reasons: string[] = [];
  first.broker.on('disconnect', ({ clientId }, reason) => {
    reasons.push(reason);
    first.broker.publish(`clients/${clientId}`, 'offline', { retain: true });
  });
  await connect(resources, first.url, { clientId: 'anne' });
  await first.broker.close();
  expect(reasons).toEqual(['server shutting down']);

  const second = newBroker(resources, durable);
  const inbox = new Inbox();
  second.subscribe('clients/+', inbox.add);
  await second.listen();

  expect((await inbox.first(1)).map((message) => [message.topic, message.text(), message.isRetained])).toEqual([
    ['clients/anne', 'offline', true],
  ]);
});

test('a Will that the end of the broker sends reaches the handlers of the program', async () => {
  const { broker, url } = await startBroker(resources);
  const inbox = new Inbox();
  broker.subscribe('last', inbox.add);
  await connect(resources, url, { will: { topic: 'last', payload: Buffer.from('words'), qos: 0, retain: false } });

  await broker.close();

  expect(inbox.all.map((message) => message.text())).toEqual(['words']);
});

test('several brokers live side by side and share nothing', async () => {
  const brokers = await Promise.all(['red', 'green', 'blue'].map(async () => await startBroker(resources)));
  const names = ['red', 'green', 'blue'];
  const inboxes = await Promise.all(
    brokers.map(async ({ url }) => {
      const client = await connect(resources, url, { clientId: 'the same everywhere' });
      await client.subscribeAsync('#');
      return inboxOf(client);
    }),
  );

  for (const [index, { broker }] of brokers.entries()) broker.publish('name', names[index] as string, { retain: true });

  for (const [index, inbox] of inboxes.entries()) {
    expect(await inbox.first(1)).toEqual([`name ${names[index]}`]);
  }
  await brokers[0]?.broker.close();
  brokers[1]?.broker.publish('still', 'here');
  await inboxes[1]?.until((line) => line === 'still here');
  expect(inboxes.map(({ all }) => all.length)).toEqual([1, 2, 1]);
  expect(brokers.map(({ broker }) => broker.stats.connectsReceived)).toEqual([1, 1, 1]);
});

describe('options', () => {
  test('are those of mosquitto.conf', async () => {
    const { broker, url } = await startBroker(resources, {
      maxKeepalive: 30,
      retainAvailable: false,
      maxInflightMessages: 7,
    });
    const client = await connect(resources, url, { keepalive: 300 });
    expect(client.keepalive).toBe(30);
    expect(broker.clients[0]?.keepAliveSeconds).toBe(30);
  });

  test('of a listener hold for it alone', async () => {
    const broker = newBroker(resources, {
      listeners: [
        { port: 0, host: '127.0.0.1', mountPoint: 'first/' },
        { port: 0, host: '127.0.0.1', listenerAllowAnonymous: false },
      ],
    });
    const [open, shut] = await broker.listen();
    const inbox = new Inbox();
    broker.subscribe('#', inbox.add);

    await (await connect(resources, open?.url ?? '')).publishAsync('a', 'x', { qos: 1 });

    expect((await inbox.first(1)).map(({ topic }) => topic)).toEqual(['first/a']);
    await expect(connect(resources, shut?.url ?? '')).rejects.toThrow('Not authorized');
  });

  test('wrong ones are named, all of them, before anything is opened', () => {
    const wrong = { maxKeepAlive: 5, listeners: [{ port: 70_000 }], authenticate: true, user: 'root', pidFile: '/p' };
    let thrown: unknown;
    try {
      createBroker(wrong as object);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigErrors);
    const belongs = 'is an option of the moustique command; a broker inside a program leaves its process alone';
    expect((thrown as ConfigErrors).errors.map(({ message }) => message)).toEqual([
      'authenticate: expected a function, got true',
      `user: ${belongs}`,
      `pidFile: ${belongs}`,
      'maxKeepAlive: unknown option',
      'listeners[0].port: expected integer 0..65535, got 70000',
    ]);
    expect(() => createBroker(null as unknown as object)).toThrow('expected an object, got null');
    expect(() => createBroker([] as object)).toThrow('expected an object');
  });
});
