import { describe, expect, test } from 'vitest';
import type { MessageProperties, PublishOptions } from '../../src/index.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, Inbox, inboxOf, newBroker, startBroker } from './embedding.ts';

const resources = useResources();

describe('subscribe', () => {
  test('gives whole messages of clients, at every QoS, in order', async () => {
    const { broker, url } = await startBroker(resources);
    const inbox = new Inbox();
    broker.subscribe('home/+/temp', inbox.add);
    const client = await connect(resources, url, { clientId: 'sensor', username: 'anne' });

    await client.publishAsync('home/kitchen/temp', '20');
    await client.publishAsync('home/bath/temp', '21', { qos: 1, retain: true });
    await client.publishAsync('home/bath', 'does not match');
    const properties = { contentType: 'text/plain', correlationData: Buffer.from([1, 2]), userProperties: { a: 'b' } };
    await client.publishAsync('home/hall/temp', 'é', { qos: 2, properties });

    const publisher = { clientId: 'sensor', username: 'anne', listenerPort: broker.listeners[0]?.port };
    expect((await inbox.first(3)).map((message) => ({ ...message }))).toEqual([
      { topic: 'home/kitchen/temp', payload: Buffer.from('20'), qos: 0, retain: false, isRetained: false, publisher },
      { topic: 'home/bath/temp', payload: Buffer.from('21'), qos: 1, retain: true, isRetained: false, publisher },
      { topic: 'home/hall/temp', payload: Buffer.from('é'), qos: 2, retain: false, isRetained: false, publisher },
    ]);
    expect(inbox.all.map((message) => [message.text(), message.properties])).toEqual([
      ['20', {}],
      ['21', {}],
      ['é', { ...properties, userProperties: [['a', 'b']] }],
    ]);
  });

  test('messages stay what they were, whatever the network brings next', async () => {
    const { broker, url } = await startBroker(resources);
    const inbox = new Inbox();
    broker.subscribe('#', (message) => {
      if (!message.topic.startsWith('$')) inbox.add(message);
    });
    const client = await connect(resources, url);
    const payloads = Array.from({ length: 500 }, (_, index) => String(index).repeat(1 + (index % 50)));

    for (const [index, payload] of payloads.entries()) {
      client.publish('t', payload, { properties: { userProperties: { index: String(index) } } });
    }

    // Read only now, long after the buffers of the network were used again.
    const messages = await inbox.first(payloads.length);
    expect(messages.map((message) => message.text())).toEqual(payloads);
    expect(messages.map(({ properties }) => properties.userProperties?.[0]?.[1])).toEqual(
      payloads.map((_, n) => `${n}`),
    );
  });

  test('what is retained comes first, and says so; an expiry tells what is left', async () => {
    const { broker } = await startBroker(resources);
    broker.publish('r/1', 'kept', { retain: true, properties: { messageExpiryInterval: 100 } });
    const inbox = new Inbox();

    broker.subscribe('r/#', inbox.add);
    broker.publish('r/2', 'fresh', { retain: true, properties: { messageExpiryInterval: 50 } });

    const seen = (await inbox.first(2)).map((message) => [message.text(), message.isRetained, message.retain]);
    expect(seen).toEqual([
      ['kept', true, true],
      ['fresh', false, true],
    ]);
    const left = inbox.all.map(({ properties }) => properties.messageExpiryInterval ?? -1);
    expect(left[0]).toBeGreaterThan(0);
    expect(left[0]).toBeLessThanOrEqual(100);
    expect(left[1]).toBeLessThanOrEqual(50);
  });

  test('before listen nothing is missed, and the function that it returns ends it', async () => {
    const broker = newBroker(resources);
    const [kept, ended] = [new Inbox(), new Inbox()];
    broker.subscribe('a', kept.add);
    broker.subscribe('a', ended.add)();
    await broker.listen();

    const end = broker.subscribe('a', ended.add);
    broker.publish('a', '1');
    // Still on its way to the handler, but whoever ended a subscription hears no more.
    end();
    end();
    broker.publish('a', '2');

    expect((await kept.first(2)).map((message) => message.text())).toEqual(['1', '2']);
    expect(ended.all).toEqual([]);
    expect(broker.stats.subscriptionsCount).toBe(1);
  });

  test('a shared subscription takes turns with clients', async () => {
    const { broker, url } = await startBroker(resources);
    const inbox = new Inbox();
    broker.subscribe('$share/workers/job', inbox.add);
    const client = await connect(resources, url);
    const clientInbox = inboxOf(client);
    await client.subscribeAsync('$share/workers/job');

    for (const job of ['1', '2', '3', '4']) broker.publish('job', job);

    await inbox.first(2);
    await clientInbox.first(2);
    const all = [...inbox.all.map((message) => `job ${message.text()}`), ...clientInbox.all];
    expect(all.toSorted()).toEqual(['job 1', 'job 2', 'job 3', 'job 4']);
  });

  test.each(['', 'a/#/b', 'a+', '$share/name', undefined])('%j is no Topic Filter', (filter) => {
    expect(() => newBroker(resources).subscribe(filter as string, () => {})).toThrow(
      /^filter: .* is not a Topic Filter$/,
    );
  });
});

describe('handlers', () => {
  test('may publish, subscribe, end themselves and kick whom they serve', async () => {
    const { broker, url } = await startBroker(resources);
    const client = await connect(resources, url, { clientId: 'anne' });
    const clientInbox = inboxOf(client);
    await client.subscribeAsync(['in', 'out']);
    const late = new Inbox();
    const end = broker.subscribe('in', (message) => {
      end();
      broker.subscribe('out', late.add);
      broker.publish('out', `answer to ${message.text()}`);
      broker.on('disconnect', ({ clientId }, reason) => broker.publish('out', `${clientId}: ${reason}`));
      broker.publish('out', 'before the kick', { qos: 1 });
      broker.kick('anne');
    });

    await client.publishAsync('in', '1');

    const texts = (await late.first(3)).map((message) => message.text());
    expect(texts).toEqual(['answer to 1', 'before the kick', 'anne: administrative action']);
    // Cause before effect for everybody, and what was published before the kick still arrives.
    expect(await clientInbox.first(3)).toEqual(['in 1', 'out answer to 1', 'out before the kick']);
  });

  test('are never called from inside a call', async () => {
    const { broker } = await startBroker(resources);
    const order: string[] = [];
    broker.subscribe('a', (message) => void order.push(`got ${message.text()}`));

    broker.publish('a', '1');
    order.push('published 1');
    await new Promise(setImmediate);
    order.push('later');

    expect(order).toEqual(['published 1', 'got 1', 'later']);
  });

  test('that answer each other for ever leave room for clients', async () => {
    const { broker, url } = await startBroker(resources);
    broker.subscribe('ping', () => broker.publish('pong', ''));
    broker.subscribe('pong', () => broker.publish('ping', ''));
    broker.publish('ping', '');

    const client = await connect(resources, url);
    const inbox = inboxOf(client);
    await client.subscribeAsync('a');
    await client.publishAsync('a', 'x', { qos: 2 });

    expect(await inbox.first(1)).toEqual(['a x']);
  });

  test('that fail are logged, at once or later, and disturb nobody', async () => {
    const lines = new Inbox<string>();
    const { broker, url } = await startBroker(resources, {
      logType: ['error'],
      log: (type, line) => lines.add(`${type}: ${line.replace(/\\n.*/, '')}`),
    });
    const inbox = new Inbox();
    broker.subscribe('a', () => {
      throw new Error('at once');
    });
    broker.subscribe('a', async () => {
      await Promise.resolve();
      throw new Error('later');
    });
    broker.on('publish', () => {
      throw new TypeError('in an event');
    });
    broker.subscribe('a', inbox.add);
    const client = await connect(resources, url);

    await client.publishAsync('a', 'x', { qos: 1 });

    expect((await inbox.first(1)).map((message) => message.text())).toEqual(['x']);
    expect((await lines.first(3)).toSorted()).toEqual([
      'error: Error: handler of "publish" failed: TypeError: in an event',
      'error: Error: handler of messages for a failed: Error: at once',
      'error: Error: handler of messages for a failed: Error: later',
    ]);
    expect(client.connected).toBe(true);
  });
});

describe('publish', () => {
  test('reaches clients with QoS, RETAIN and properties', async () => {
    const { broker, url } = await startBroker(resources);
    const client = await connect(resources, url);
    const packets: { readonly topic: string }[] = [];
    client.on('message', (topic, payload, { qos, retain, properties }) => {
      const packet = { topic, payload: payload.toString(), qos, retain, properties };
      packets.push(packet);
    });
    await client.subscribeAsync('#', { qos: 2, rap: true });
    const properties: MessageProperties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 60,
      contentType: 'application/json',
      responseTopic: 'answers/7',
      correlationData: Uint8Array.of(0, 255),
      userProperties: [
        ['unit', '°C'],
        ['unit', 'K'],
      ],
    };

    expect(broker.publish('a', '{}', { qos: 2, retain: true, properties })).toBe(1);
    const bytes = Uint8Array.of(120);
    expect(broker.publish('b', bytes)).toBe(1);
    bytes[0] = 121; // the caller's own again

    // MQTT.js hands a QoS 2 message on when it is released, so `b` may be first.
    await waitFor('both messages', () => packets.length === 2);
    expect(packets.toSorted((one, other) => (one.topic < other.topic ? -1 : 1))).toEqual([
      {
        topic: 'a',
        payload: '{}',
        qos: 2,
        retain: true,
        properties: {
          ...properties,
          payloadFormatIndicator: true,
          correlationData: Buffer.from([0, 255]),
          userProperties: { unit: ['°C', 'K'] },
        },
      },
      { topic: 'b', payload: 'x', qos: 0, retain: false, properties: undefined },
    ]);
  });

  test('is not asked about, and may use $ topics', async () => {
    const { broker } = await startBroker(resources, { authorize: () => false });
    const inbox = new Inbox();
    broker.subscribe('$SYS/mine', inbox.add);

    expect(broker.publish('$SYS/mine', 'x')).toBe(1);

    expect((await inbox.first(1)).map(({ publisher }) => publisher)).toEqual([null]);
  });

  test('an empty payload with retain clears what is retained', async () => {
    const { broker } = await startBroker(resources);
    const retained = (): number => broker.stats.retainedCount;
    const before = retained();
    broker.publish('a', 'x', { retain: true });
    expect(retained()).toBe(before + 1);
    broker.publish('a', '', { retain: true });
    expect(retained()).toBe(before);
  });

  const lone = '\ud800';
  test.each<[string, unknown, unknown, unknown]>([
    ['topic: "" is not a Topic Name', '', 'x', {}],
    ['topic: "a/+" is not a Topic Name', 'a/+', 'x', {}],
    ['topic: "\\ud800" is not a Topic Name', lone, 'x', {}],
    ['topic: "a\\u0000" is not a Topic Name', 'a\0', 'x', {}],
    [`topic: "${'é'.repeat(100)}" is not a Topic Name`, 'é'.repeat(40_000), 'x', {}],
    ['topic: undefined is not a Topic Name', undefined, 'x', {}],
    ['payload: expected text or Uint8Array, got 7', 'a', 7, {}],
    ['payload: expected text or Uint8Array, got undefined', 'a', undefined, {}],
    ['qos: expected 0, 1 or 2, got 3', 'a', 'x', { qos: 3 }],
    ['qos: expected 0, 1 or 2, got "1"', 'a', 'x', { qos: '1' }],
    ['retain: expected true or false, got 1', 'a', 'x', { retain: 1 }],
    [
      'properties.topicAlias: unknown; a message may have payloadFormatIndicator,',
      'a',
      'x',
      { properties: { topicAlias: 1 } },
    ],
    ['properties.payloadFormatIndicator: expected 0 or 1', 'a', 'x', { properties: { payloadFormatIndicator: true } }],
    [
      'properties.messageExpiryInterval: expected integer',
      'a',
      'x',
      { properties: { messageExpiryInterval: 2 ** 32 } },
    ],
    ['properties.contentType: expected text', 'a', 'x', { properties: { contentType: 'x'.repeat(65_536) } }],
    ['properties.contentType: expected text', 'a', 'x', { properties: { contentType: lone } }],
    ['properties.responseTopic: expected a Topic Name', 'a', 'x', { properties: { responseTopic: 'a/#' } }],
    ['properties.correlationData: expected Uint8Array', 'a', 'x', { properties: { correlationData: 'text' } }],
    ['properties.userProperties: expected array of', 'a', 'x', { properties: { userProperties: { a: 'b' } } }],
    ['properties.userProperties: expected array of', 'a', 'x', { properties: { userProperties: [['a', 'b', 'c']] } }],
  ])('refuses with a clear answer: %s', async (message, topic, payload, options) => {
    const { broker } = await startBroker(resources, { listeners: [] });
    const publish = (): number => broker.publish(topic as string, payload as string, options as PublishOptions);
    expect(publish).toThrow(RangeError);
    expect(publish).toThrow(message);
  });

  test('undefined in options means the default', async () => {
    const { broker } = await startBroker(resources, { listeners: [] });
    const inbox = new Inbox();
    broker.subscribe('a', inbox.add);
    broker.publish('a', 'x', { qos: undefined, retain: undefined, properties: { contentType: undefined } });
    expect((await inbox.first(1)).map(({ qos, retain, properties }) => [qos, retain, properties])).toEqual([
      [0, false, {}],
    ]);
  });
});

test('all messages of one publication share their bytes', async () => {
  const { broker } = await startBroker(resources, { listeners: [] });
  const [first, second] = [new Inbox(), new Inbox()];
  broker.subscribe('a', first.add);
  broker.on('publish', (message) => {
    if (message.topic === 'a') second.add(message);
  });

  broker.publish('a', 'x');

  const [one] = await first.first(1);
  const [other] = await second.first(1);
  expect(one?.payload.buffer).toBe(other?.payload.buffer);
  expect(one?.payload.byteOffset).toBe(other?.payload.byteOffset);
});
