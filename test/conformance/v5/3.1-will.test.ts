import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { type ConformanceBroker, type Connected, type StartOptions, startBroker } from '../wire/broker.ts';
import { bytes } from '../wire/bytes.ts';
import { v5, type WillFields } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

/** A broker, and somebody who watches the topic `will`. */
async function watched(options: StartOptions = {}): Promise<readonly [ConformanceBroker, Connected]> {
  const broker = await startBroker(resources, options);
  const watcher = await broker.connect({ clientId: 'watcher', keepAlive: 0 });
  await watcher.subscribe({ filter: 'will', qos: 2, retainAsPublished: true });
  return [broker, watcher];
}

interface Case {
  /** seconds */
  readonly delay?: number;
  readonly expiry?: number;
  readonly will?: WillFields;
}

/** A client `c` with a Will on the topic `will`. */
async function connectWithWill(
  broker: ConformanceBroker,
  { delay = 0, expiry = 0, will = {} }: Case,
): Promise<Connected> {
  return broker.connect({
    clientId: 'c',
    keepAlive: 600,
    properties: [property.sessionExpiryInterval(expiry)],
    will: {
      topic: 'will',
      payload: 'gone',
      ...will,
      properties: [property.willDelayInterval(delay), ...(will.properties ?? [])],
    },
  });
}

/** How a connection ends. Each does it and waits until the broker knows. */
const endings: Readonly<Record<string, (broker: ConformanceBroker, client: Connected) => Promise<void>>> = {
  'network failure': (broker, client) => broker.kill(client),
  'keep alive timeout': async (broker, client) => {
    await broker.advance(899.5);
    while (!client.hasEnded) await broker.advance(0.5);
    await client.expectError(0x8d);
  },
  'malformed packet': async (_broker, client) => {
    client.send('C1 00');
    await client.expectError(0x81);
  },
  'protocol error': async (_broker, client) => {
    client.send(v5.connect());
    await client.expectError(0x82);
  },
  'DISCONNECT 0x00 in one byte': (_broker, client) => client.disconnect(0x00),
  'DISCONNECT without a Reason Code': (_broker, client) => client.disconnect(),
  'DISCONNECT 0x04': (_broker, client) => client.disconnect(0x04),
  'DISCONNECT 0x80': (_broker, client) => client.disconnect(0x80),
  'DISCONNECT 0x99': (_broker, client) => client.disconnect(0x99),
  'administrative end': async (broker, client) => {
    broker.running.broker.kick('c', 0x98);
    await client.expectError(0x98);
  },
};

const cancelling = ['DISCONNECT 0x00 in one byte', 'DISCONNECT without a Reason Code'];

for (const [name, end] of Object.entries(endings)) {
  const isSent = !cancelling.includes(name);

  if (!isSent) {
    for (const [delay, expiry] of [
      [0, 0],
      [0, 60],
      [5, 60],
    ] as const) {
      test(`v5 [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.14.4-3] ${name}, delay ${delay}, expiry ${expiry}: no Will`, async () => {
        const [broker, watcher] = await watched();
        await end(broker, await connectWithWill(broker, { delay, expiry }));
        await broker.advance(120);
        await watcher.expectNothing();
      });
    }
    continue;
  }

  test(`v5 [MQTT-3.1.2-7] [MQTT-3.1.2-8] ${name}, no delay: the Will goes out at once`, async () => {
    const [broker, watcher] = await watched();
    for (const expiry of [0, 60]) {
      await end(broker, await connectWithWill(broker, { expiry }));
      await watcher.expectPublish({ topic: 'will', payload: 'gone' });
      await watcher.expectNothing();
    }
  });

  test(`v5 [MQTT-3.1.2-7] [MQTT-3.1.2-8] ${name}, delay 5 in a session of 60: the Will goes out after the delay`, async () => {
    const [broker, watcher] = await watched();
    await end(broker, await connectWithWill(broker, { delay: 5, expiry: 60 }));
    await broker.advance(4.4);
    await watcher.expectNothing();
    await broker.advance(1.6);
    await watcher.expectPublish({ topic: 'will', payload: 'gone' });
    await broker.advance(100); // and not again when the session ends
    await watcher.expectNothing();
  });

  test(`v5 [MQTT-3.1.2-8] [U5-21] ${name}, delay 60 in a session of 5: the Will goes out when the session ends`, async () => {
    const [broker, watcher] = await watched();
    await end(broker, await connectWithWill(broker, { delay: 60, expiry: 5 }));
    await broker.advance(4.4);
    await watcher.expectNothing();
    await broker.advance(1.6);
    await watcher.expectPublish({ topic: 'will', payload: 'gone' });
    await broker.advance(100);
    await watcher.expectNothing();
  });

  test(`v5 [MQTT-3.1.2-8] [U5-21] ${name}, delay 60 without a session to keep: the Will goes out at once`, async () => {
    const [broker, watcher] = await watched();
    await end(broker, await connectWithWill(broker, { delay: 60, expiry: 0 }));
    await watcher.expectPublish({ topic: 'will', payload: 'gone' });
    await broker.advance(100);
    await watcher.expectNothing();
  });

  test(`v5 [MQTT-3.1.3-9] ${name}: back within the delay with Clean Start 0, no Will, then or later`, async () => {
    const [broker, watcher] = await watched();
    await end(broker, await connectWithWill(broker, { delay: 5, expiry: 60 }));
    await broker.advance(3);
    const back = await broker.connect({
      clientId: 'c',
      cleanStart: false,
      keepAlive: 0,
      properties: [property.sessionExpiryInterval(60)],
    });
    expect(back.connack.sessionPresent).toBe(true);
    expect(broker.running.broker.gauges().messagesStored).toBe(0); // it is forgotten altogether
    await broker.advance(100);
    await watcher.expectNothing();
    await broker.kill(back); // this connection has no Will
    await broker.advance(100);
    await watcher.expectNothing();
  });
}

const takeOvers: readonly (readonly [
  delay: number,
  expiry: number,
  cleanStart: boolean,
  isSent: boolean,
  why: string,
])[] = [
  [0, 0, false, true, 'the connection closed'],
  [0, 0, true, true, 'the connection closed'],
  [0, 60, false, true, 'the connection closed, and there is no delay to come back in'],
  [0, 60, true, true, 'the connection closed'],
  [5, 0, false, true, 'the session ended with its connection'],
  [5, 0, true, true, 'the session ended with its connection'],
  [5, 60, false, false, 'the session goes on before the delay is over'],
  [5, 60, true, true, 'Clean Start ended the session'],
];
for (const [delay, expiry, cleanStart, isSent, why] of takeOvers) {
  const title = `take-over, delay ${delay}, expiry ${expiry}, Clean Start ${Number(cleanStart)}: ${isSent ? '' : 'no '}Will, ${why}`;
  test(`v5 [MQTT-3.1.2-8] [MQTT-3.1.3-9] [MQTT-3.1.4-3] ${title}`, async () => {
    const [broker, watcher] = await watched();
    const old = await connectWithWill(broker, { delay, expiry });
    const next = await broker.connect({ clientId: 'c', cleanStart, keepAlive: 0 });
    await old.expectError(0x8e);
    expect(next.connack.sessionPresent).toBe(!cleanStart && expiry > 0);
    if (isSent) await watcher.expectPublish({ topic: 'will', payload: 'gone' });
    await broker.advance(100);
    await watcher.expectNothing();
    await next.expectNothing();
  });
}

test('v5 [MQTT-3.1.2-8] back within the delay with Clean Start 1: the session ended, the Will goes out at once', async () => {
  const [broker, watcher] = await watched();
  await broker.kill(await connectWithWill(broker, { delay: 50, expiry: 60 }));
  await watcher.expectNothing();
  await broker.connect({ clientId: 'c', cleanStart: true });
  await watcher.expectPublish({ payload: 'gone' });
  await broker.advance(30);
  await watcher.expectNothing();
});

test('v5 [MQTT-3.1.3-9] the delay counts from the close, not from CONNECT, and anew after each return', async () => {
  const [broker, watcher] = await watched();
  const first = await connectWithWill(broker, { delay: 10, expiry: 60 });
  await broker.advance(100);
  await broker.kill(first);
  await broker.advance(9);
  const second = await broker.connect({
    clientId: 'c',
    cleanStart: false,
    properties: [property.sessionExpiryInterval(60)],
    will: { topic: 'will', payload: 'second', properties: [property.willDelayInterval(10)] },
  });
  await broker.kill(second);
  await broker.advance(9);
  await watcher.expectNothing();
  await broker.advance(2);
  await watcher.expectPublish({ payload: 'second' });
  await watcher.expectNothing();
});

test('v5 [MQTT-3.1.3-9] coming back too late does not take a sent Will back, nor send it twice', async () => {
  const [broker, watcher] = await watched();
  await broker.kill(await connectWithWill(broker, { delay: 5, expiry: 60 }));
  await broker.advance(7);
  await watcher.expectPublish({ payload: 'gone' });
  const back = await broker.connect({ clientId: 'c', cleanStart: false });
  expect(back.connack.sessionPresent).toBe(true);
  await broker.advance(30);
  await watcher.expectNothing();
});

test('v5 [MQTT-3.1.2-8] [U5-17] DISCONNECT 0x04 may end the session as well: the Will does not wait then', async () => {
  const [broker, watcher] = await watched();
  const client = await connectWithWill(broker, { delay: 50, expiry: 60 });
  await client.disconnect(0x04, [property.sessionExpiryInterval(0)]);
  await watcher.expectPublish({ payload: 'gone' });
});

test('v5 [MQTT-3.1.2-8] [U5-17] DISCONNECT 0x04 may make the session last longer: the Will waits for its delay', async () => {
  const [broker, watcher] = await watched();
  const client = await connectWithWill(broker, { delay: 20, expiry: 5 });
  await client.disconnect(0x04, [property.sessionExpiryInterval(60)]);
  await broker.advance(19);
  await watcher.expectNothing();
  await broker.advance(2);
  await watcher.expectPublish({ payload: 'gone' });
});

test('v5 [MQTT-3.1.2-8] [U5-9] a DISCONNECT that may not be cancels nothing: 0x82, and the Will goes out', async () => {
  const [broker, watcher] = await watched();
  const client = await connectWithWill(broker, {});
  client.send(v5.disconnect({ reasonCode: 0x00, properties: [property.sessionExpiryInterval(60)] }));
  await client.expectError(0x82);
  await watcher.expectPublish({ payload: 'gone' });
});

test('v5 [MQTT-3.1.2-8] [U5-16] DISCONNECT 0x04 keeps the session for its time', async () => {
  const [broker, watcher] = await watched();
  const client = await connectWithWill(broker, { expiry: 60 });
  await client.disconnect(0x04);
  await watcher.expectPublish({ payload: 'gone' });
  expect((await broker.connect({ clientId: 'c', cleanStart: false })).connack.sessionPresent).toBe(true);
});

test('v5 [MQTT-3.1.2-10] a Will that went out is gone: the next connection without one has none', async () => {
  const [broker, watcher] = await watched();
  for (const end of ['network failure', 'DISCONNECT 0x04'] as const) {
    await endings[end]?.(broker, await connectWithWill(broker, { expiry: 60 }));
    await watcher.expectPublish({ payload: 'gone' });
    await broker.kill(await broker.connect({ clientId: 'c', cleanStart: false }));
    await broker.advance(100);
    await watcher.expectNothing();
  }
});

test('v5 [MQTT-3.1.2-10] the Will of the new connection stands instead of the old one', async () => {
  const [broker, watcher] = await watched();
  await connectWithWill(broker, { delay: 5, expiry: 60, will: { payload: 'old' } });
  const next = await broker.connect({
    clientId: 'c',
    cleanStart: false,
    properties: [property.sessionExpiryInterval(60)],
    will: { topic: 'will', payload: 'new' },
  });
  await broker.kill(next);
  await watcher.expectPublish({ payload: 'new' });
  await broker.advance(100);
  await watcher.expectNothing();
});

test('v5 [MQTT-3.1.2-8] without a Will nothing is published', async () => {
  const broker = await startBroker(resources);
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('#');
  await broker.kill(await broker.connect({ clientId: 'c' }));
  await watcher.expectNothing();
});

test('v5 [MQTT-3.1.2-8] a broker that stops sends the Wills of those still connected and of those still waiting', async () => {
  const broker = await startBroker(resources, {
    options: { persistence: true, persistenceLocation: tempDir(resources) },
  });
  await broker.kill(await connectWithWill(broker, { delay: 50, expiry: 60, will: { retain: true, topic: 'waiting' } }));
  await broker.connect({ clientId: 'd', will: { topic: 'connected', payload: 'stopped', retain: true } });
  await broker.restart();
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('+');
  const found = (await watcher.drainPublishes()).map(({ topic, text }) => `${topic} ${text}`).toSorted();
  expect(found).toEqual(['connected stopped', 'waiting gone']);
});

for (const qos of [0, 1, 2] as const) {
  test(`v5 [MQTT-3.1.2-12] a Will of QoS ${qos} arrives at that QoS`, async () => {
    const [broker, watcher] = await watched();
    await broker.kill(await connectWithWill(broker, { will: { qos } }));
    await watcher.expectPublish({ payload: 'gone', qos });
  });
}

test('v5 [MQTT-3.1.2-14] Will Retain 0: nothing is retained', async () => {
  const [broker, watcher] = await watched();
  await broker.kill(await connectWithWill(broker, {}));
  await watcher.expectPublish({ payload: 'gone', retain: false });
  const late = await broker.connect({ clientId: 'late' });
  await late.subscribe('will');
  await late.expectNothing();
});

test('v5 [MQTT-3.1.2-14] Will Retain 0 leaves what was retained before', async () => {
  const [broker, watcher] = await watched();
  await watcher.publish({ topic: 'will', payload: 'before', retain: true });
  await watcher.expectPublish({ payload: 'before' });
  await broker.kill(await connectWithWill(broker, {}));
  await watcher.expectPublish({ payload: 'gone' });
  const late = await broker.connect({ clientId: 'late' });
  await late.subscribe('will');
  await late.expectPublish({ payload: 'before', retain: true });
});

test('v5 [MQTT-3.1.2-15] Will Retain 1: retained for those who come later', async () => {
  const [broker, watcher] = await watched();
  await broker.kill(await connectWithWill(broker, { will: { retain: true, qos: 1 } }));
  await watcher.expectPublish({ payload: 'gone', retain: true });
  const late = await broker.connect({ clientId: 'late' });
  await late.subscribe({ filter: 'will', qos: 2 });
  await late.expectPublish({ payload: 'gone', retain: true, qos: 1 });
});

test('v5 [MQTT-3.1.2-15] an empty Will with Will Retain 1 clears what was retained', async () => {
  const [broker, watcher] = await watched();
  await watcher.publish({ topic: 'will', payload: 'before', retain: true });
  await watcher.expectPublish({ payload: 'before' });
  await broker.kill(await connectWithWill(broker, { will: { retain: true, payload: '' } }));
  await watcher.expectPublish({ payload: '', retain: true });
  const late = await broker.connect({ clientId: 'late' });
  await late.subscribe('will');
  await late.expectNothing();
});

test('v5 [MQTT-3.1.3-10] [U5-25] the properties of the Will arrive in their order, Will Delay Interval left out', async () => {
  const [broker, watcher] = await watched();
  const client = await connectWithWill(broker, {
    will: {
      payload: bytes('C3 A9'),
      properties: [
        property.userProperty(['b', '1']),
        property.contentType('text/plain'),
        property.userProperty(['a', '2']),
        property.payloadFormatIndicator(1),
        property.userProperty(['b', '3']),
        property.correlationData(bytes('00 FF')),
        property.responseTopic('answers'),
        property.messageExpiryInterval(30),
      ],
    },
  });
  await broker.kill(client);
  await watcher.expectPublish({
    payload: 'é',
    properties: [
      ['userProperty', ['b', '1']],
      ['contentType', 'text/plain'],
      ['userProperty', ['a', '2']],
      ['payloadFormatIndicator', 1],
      ['userProperty', ['b', '3']],
      ['correlationData', bytes('00 FF')],
      ['responseTopic', 'answers'],
      ['messageExpiryInterval', 30],
    ],
  });
});

test('v5 [U5-25] the Message Expiry Interval of a Will begins when it is published', async () => {
  const [broker] = await watched();
  const will = { retain: true, properties: [property.messageExpiryInterval(10)] };
  const client = await connectWithWill(broker, { delay: 20, expiry: 60, will });
  await broker.advance(100);
  await broker.kill(client);
  await broker.advance(21);
  await broker.advance(5);
  const late = await broker.connect({ clientId: 'late' });
  await late.subscribe('will');
  const publish = await late.expectPublish({ payload: 'gone' });
  expect([4, 5, 6]).toContain(publish.properties[0]?.[1]);
  await broker.advance(6);
  await late.subscribe('will');
  await late.expectNothing();
});

test('v5 [MQTT-3.1.2-7] the Will waits through the absence of its client, and reaches those who were absent too', async () => {
  const [broker, watcher] = await watched();
  const absent = await broker.connect({ clientId: 'absent', properties: [property.sessionExpiryInterval(600)] });
  await absent.subscribe({ filter: 'will', qos: 1 });
  await broker.kill(absent);
  await broker.kill(await connectWithWill(broker, { delay: 30, expiry: 60, will: { qos: 1 } }));
  await broker.advance(31.5);
  await watcher.expectPublish({ payload: 'gone' });
  const back = await broker.connect({ clientId: 'absent', cleanStart: false });
  await back.expectPublish({ payload: 'gone', qos: 1 });
});

test('v5 [MQTT-3.1.2-8] a Will that its client may not publish is not published', async () => {
  for (const authorize of [(topic: string) => topic !== 'will', async (topic: string) => topic !== 'will']) {
    const [broker, watcher] = await watched({
      authorizer: { authorize: (_client, action, topic) => action === 'subscribe' || authorize(topic) },
    });
    const client = await connectWithWill(broker, {});
    await broker.kill(client);
    const other = await broker.connect({ clientId: 'c', will: { topic: 'other', payload: 'gone' } });
    await watcher.subscribe('other');
    await broker.kill(other);
    await watcher.expectPublish({ topic: 'other' });
    await watcher.expectNothing();
  }
});
