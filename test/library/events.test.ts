import { expect, test } from 'vitest';
import type { BrokerEvents, ReceivedMessage } from '../../src/index.ts';
import { useResources } from '../harness/resources.ts';
import { connect, Inbox, newBroker, startBroker } from './embedding.ts';

const resources = useResources();

test('the life of a client, event by event, in order', async () => {
  const broker = newBroker(resources);
  const events = new Inbox<string>();
  broker.on('connect', (client) => {
    const { clientId, username, address, protocolVersion, cleanStart, keepAliveSeconds } = client;
    events.add(`connect ${[clientId, username, address, protocolVersion, cleanStart, keepAliveSeconds].join(' ')}`);
  });
  broker.on('subscribe', ({ clientId }, filter, qos) => events.add(`subscribe ${clientId} ${filter} ${qos}`));
  broker.on('unsubscribe', ({ clientId }, filter) => events.add(`unsubscribe ${clientId} ${filter}`));
  broker.on('publish', ({ topic, publisher }) => {
    if (!topic.startsWith('$SYS/')) events.add(`publish ${publisher?.clientId ?? 'the program'} ${topic}`);
  });
  broker.on('disconnect', ({ clientId }, reason) => events.add(`disconnect ${clientId} ${reason}`));
  const [listener] = await broker.listen();

  const client = await connect(resources, listener?.url ?? '', { clientId: 'anne', username: 'a', keepalive: 77 });
  await client.subscribeAsync({ 'x/#': { qos: 1 }, '$share/g/y': { qos: 2 } });
  await client.publishAsync('x/1', 'one', { qos: 1 });
  broker.publish('x/2', 'two');
  await client.unsubscribeAsync(['x/#', 'never/subscribed']);
  await client.endAsync();

  expect(await events.first(7)).toEqual([
    'connect anne a 127.0.0.1 5 true 77',
    'subscribe anne x/# 1',
    'subscribe anne $share/g/y 2',
    'publish anne x/1',
    'publish the program x/2',
    'unsubscribe anne x/#',
    'disconnect anne disconnected',
  ]);
});

test('why a client went', async () => {
  const { broker, url } = await startBroker(resources);
  const reasons = new Inbox<string>();
  broker.on('disconnect', ({ clientId }, reason) => reasons.add(`${clientId}: ${reason}`));

  const lost = await connect(resources, url, { clientId: 'lost' });
  lost.stream.destroy();
  await reasons.first(1);
  await connect(resources, url, { clientId: 'twice' });
  await connect(resources, url, { clientId: 'twice' });
  await reasons.first(2);
  broker.kick('twice');
  await reasons.first(3);
  await connect(resources, url, { clientId: 'last' });
  await broker.close();

  expect(reasons.all).toEqual([
    'lost: connection closed by client',
    'twice: session taken over',
    'twice: administrative action',
    'last: server shutting down',
  ]);
});

test('wills are published by their client; what the broker says has no publisher', async () => {
  const { broker, url } = await startBroker(resources, { sysInterval: 1 });
  const messages = new Inbox();
  broker.on('publish', messages.add);
  const will = { topic: 'last', payload: Buffer.from('words'), qos: 1, retain: true } as const;
  const client = await connect(resources, url, { clientId: 'anne', will });

  client.stream.destroy();

  const last = await messages.until(({ topic }) => topic === 'last');
  expect(last).toMatchObject({ qos: 1, retain: true, isRetained: false, publisher: { clientId: 'anne' } });
  const version = await messages.until(({ topic }) => topic === '$SYS/broker/uptime');
  expect(version.publisher).toBeNull();
});

test('several handlers are called in the order in which they were registered, until taken off', async () => {
  const { broker } = await startBroker(resources, { listeners: [] });
  const calls = new Inbox<string>();
  const handler = (name: string): BrokerEvents['publish'] => {
    return (message: ReceivedMessage) => {
      if (message.topic === 'a') calls.add(`${name} ${message.text()}`);
    };
  };
  broker.on('publish', handler('first'));
  const off = broker.on('publish', handler('second'));
  broker.on('publish', handler('third'));

  broker.publish('a', '1');
  await calls.first(3);
  off();
  off();
  broker.publish('a', '2');

  expect(await calls.first(5)).toEqual(['first 1', 'second 1', 'third 1', 'first 2', 'third 2']);
});

test('an event that does not exist is refused, and so is what is no function', () => {
  const broker = newBroker(resources);
  expect(() => broker.on('conect' as 'connect', () => {})).toThrow(
    'event: expected one of connect, disconnect, subscribe, unsubscribe, publish, got "conect"',
  );
  expect(() => broker.on('toString' as 'connect', () => {})).toThrow(RangeError);
  expect(() => broker.on('connect', 'handler' as never)).toThrow('handler: expected a function, got "handler"');
});

test('clients lists who is connected, stats counts', async () => {
  const { broker, url } = await startBroker(resources);
  const gone = new Inbox<string>();
  broker.on('disconnect', ({ clientId }) => gone.add(clientId));
  const anne = await connect(resources, url, { clientId: 'anne' });
  await connect(resources, url, { clientId: 'bob', protocolVersion: 4, clean: false });
  expect(broker.clients.map(({ clientId, protocolVersion }) => [clientId, protocolVersion])).toEqual([
    ['anne', 5],
    ['bob', 4],
  ]);
  await anne.publishAsync('a', 'xyz', { qos: 1 });
  expect(broker.stats).toMatchObject({
    publishReceived: 1,
    publishBytesReceived: 3,
    clientsTotal: 2,
    connectsReceived: 2,
  });

  await anne.endAsync();
  await gone.first(1);

  expect(broker.clients.map(({ clientId }) => clientId)).toEqual(['bob']);
  const before = broker.stats;
  broker.kick('bob');
  await gone.first(2);
  // A session that is kept, and a snapshot that stays what it was.
  expect([before.clientsConnected, broker.stats.clientsConnected, broker.stats.clientsTotal]).toEqual([1, 0, 1]);
});

test('kick ends a connection with a reason, and a session when asked', async () => {
  const { broker, url } = await startBroker(resources);
  const client = await connect(resources, url, {
    clientId: 'anne',
    clean: false,
    properties: { sessionExpiryInterval: 60 },
  });
  const told = new Inbox<number | undefined>();
  client.on('disconnect', ({ reasonCode }) => told.add(reasonCode));

  expect(broker.kick('anne', { reasonCode: 0x9c })).toBe(true);
  expect(await told.first(1)).toEqual([0x9c]);
  expect([broker.clients.length, broker.stats.clientsTotal]).toEqual([0, 1]);

  expect(broker.kick('anne', { endSession: true })).toBe(true);
  expect(broker.stats.clientsTotal).toBe(0);
  expect(broker.kick('anne')).toBe(false);
});
