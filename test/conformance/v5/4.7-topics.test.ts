import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, type Connected, startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';
import { property } from '../wire/properties.ts';

const resources = useResources();

/** Which of the Topic Names a subscription to the filter delivers, live. */
async function live(broker: ConformanceBroker, filter: string, names: readonly string[]): Promise<string[]> {
  const client = await broker.connect({ clientId: 'live' });
  await client.subscribe(filter);
  const publisher = await broker.connect({ clientId: 'p' });
  for (const topic of names) await publisher.publish({ topic, qos: 1 });
  const found = (await client.drainPublishes()).map(({ topic }) => topic);
  client.close();
  publisher.close();
  return found;
}

/** Which of the Topic Names are replayed at a subscription to the filter, when all of them are retained. */
async function retained(broker: ConformanceBroker, filter: string, names: readonly string[]): Promise<string[]> {
  const publisher = await broker.connect({ clientId: 'p' });
  for (const topic of names) await publisher.publish({ topic, qos: 1, retain: true, payload: 'x' });
  const client = await broker.connect({ clientId: 'late' });
  await client.subscribe(filter);
  const found = (await client.drainPublishes()).map(({ topic }) => topic);
  for (const topic of names) await publisher.publish({ topic, qos: 1, retain: true });
  client.close();
  publisher.close();
  return found;
}

// 4.7.1 Wildcards

const names = ['a', '/a', 'a/', 'a/b', 'a/b/c', 'a//b', 'b', 'b/a', '/', '//', 'ab'];
const matching: readonly { readonly title: string; readonly filter: string; readonly found: readonly string[] }[] = [
  {
    title: 'v5 [MQTT-4.7.1-1] "a/#" matches its parent and everything below',
    filter: 'a/#',
    found: ['a', 'a/', 'a/b', 'a/b/c', 'a//b'],
  },
  { title: 'v5 [MQTT-4.7.1-1] "#" matches everything', filter: '#', found: names },
  { title: 'v5 [MQTT-4.7.1-1] "/#" matches what begins with an empty level', filter: '/#', found: ['/a', '/', '//'] },
  { title: 'v5 [MQTT-4.7.1-1] [MQTT-4.7.1-2] "+/#" matches everything too', filter: '+/#', found: names },
  {
    title: 'v5 [MQTT-4.7.1-1] [MQTT-4.7.1-2] "+/b/#" needs its second level',
    filter: '+/b/#',
    found: ['a/b', 'a/b/c'],
  },
  { title: 'v5 [MQTT-4.7.1-2] "+" matches one level', filter: '+', found: ['a', 'b', 'ab'] },
  {
    title: 'v5 [MQTT-4.7.1-2] "+/+" matches two levels, empty ones too',
    filter: '+/+',
    found: ['/a', 'a/', 'a/b', 'b/a', '/'],
  },
  { title: 'v5 [MQTT-4.7.1-2] "/+" matches two levels of which the first is empty', filter: '/+', found: ['/a', '/'] },
  { title: 'v5 [MQTT-4.7.1-2] "a/+/b" matches an empty level in the middle', filter: 'a/+/b', found: ['a//b'] },
  { title: 'v5 [MQTT-4.7.1-2] "a/+" does not match "a"', filter: 'a/+', found: ['a/', 'a/b'] },
  { title: 'v5 [MQTT-4.7.3-4] "a/" is not "a"', filter: 'a/', found: ['a/'] },
];
for (const { title, filter, found } of matching) {
  test(`${title}, live and retained`, async () => {
    const broker = await startBroker(resources);
    expect(await live(broker, filter, names)).toEqual(found);
    expect((await retained(broker, filter, names)).toSorted()).toEqual([...found].toSorted());
  });
}

const noFilters = [
  {
    title: 'v5 [MQTT-4.7.1-1] # beside other characters, or not at the end',
    filters: ['a#', 'a/b#', '#a', '#/a', 'a/#/b', '#/', '##', 'a/##'],
  },
  {
    title: 'v5 [MQTT-4.7.1-2] + beside other characters of its level',
    filters: ['a+', '+a', '++', 'a/b+/c', 'a/+b', '+#', '#+', 'a/++/b'],
  },
];
for (const { title, filters } of noFilters) {
  test(`${title}: malformed, nothing is subscribed; UNSUBSCRIBE likewise`, async () => {
    const broker = await startBroker(resources);
    for (const filter of filters) {
      for (const request of [
        v5.subscribe({ filters: ['fine', filter] }),
        v5.subscribe({ filters: [`$share/g/${filter}`] }),
        v5.unsubscribe({ filters: [filter] }),
      ]) {
        const client = await broker.connect();
        client.send(request);
        await client.expectError(0x81);
      }
    }
    expect(broker.running.broker.gauges().subscriptionsCount).toBe(0);
  });
}

test('v5 [MQTT-4.7.1-1] [MQTT-4.7.1-2] wildcards that fill their level are taken, in any number', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('#', 'a/#', '/#', '+', '+/+/+', '+/a/+', '/+/#', '$share/g/+/#');
});

test('v5 [MQTT-4.7.0-1] Topic Names have no wildcards: malformed in PUBLISH, a protocol error as Response Topic, a refused Will', async () => {
  const broker = await startBroker(resources);
  for (const topic of ['#', '+', 'a/#', 'a/+/b', 'a+', 'a#b']) {
    for (const [publish, reasonCode] of [
      [v5.publish({ topic, retain: true, payload: 'x' }), 0x81],
      [v5.publish({ topic: 'a', properties: [property.responseTopic(topic)] }), 0x82],
    ] as const) {
      const client = await broker.connect();
      client.send(publish);
      await client.expectError(reasonCode);
    }
    const client = await broker.open();
    client.send(v5.connect({ will: { topic } }));
    await client.expectRefused(0x90);
  }
  expect(broker.running.broker.gauges().retainedCount).toBe(0);
});

// 4.7.2 Topics beginning with $

const dollars = ['$a', '$a/b', '$SYSTEM/x', 'b/$a', 'x'];

test('v5 [MQTT-4.7.2-1] filters that begin with a wildcard do not match names that begin with $, live', async () => {
  const broker = await startBroker(resources);
  expect(await live(broker, '#', dollars)).toEqual(['b/$a', 'x']);
  expect(await live(broker, '+', dollars)).toEqual(['x']);
  expect(await live(broker, '+/#', dollars)).toEqual(['b/$a', 'x']);
  expect(await live(broker, '+/b', dollars)).toEqual([]);
  expect(await live(broker, '+/+', dollars)).toEqual(['b/$a']);
});

test('v5 [MQTT-4.7.2-1] nor what is retained', async () => {
  const broker = await startBroker(resources);
  expect((await retained(broker, '#', dollars)).toSorted()).toEqual(['b/$a', 'x']);
  expect(await retained(broker, '+', dollars)).toEqual(['x']);
  expect(await retained(broker, '+/b', dollars)).toEqual([]);
});

test('v5 [MQTT-4.7.2-1] nor through a Shared Subscription', async () => {
  const broker = await startBroker(resources);
  expect(await live(broker, '$share/g/#', dollars)).toEqual(['b/$a', 'x']);
  expect(await live(broker, '$share/g/+/b', dollars)).toEqual([]);
  expect(await live(broker, '$share/g/$a/#', dollars)).toEqual(['$a', '$a/b']);
});

test('v5 [MQTT-4.7.2-1] filters that begin with $ themselves match them, and wildcards behind it too', async () => {
  const broker = await startBroker(resources);
  expect(await live(broker, '$a/#', dollars)).toEqual(['$a', '$a/b']);
  expect(await live(broker, '$a/+', dollars)).toEqual(['$a/b']);
  expect(await live(broker, 'b/+', dollars)).toEqual(['b/$a']);
  expect(await retained(broker, '$SYSTEM/+', dollars)).toEqual(['$SYSTEM/x']);
});

test('v5 [MQTT-4.7.2-1] $SYS comes to those who ask for it alone', async () => {
  const broker = await startBroker(resources, { options: { sysInterval: 10 } });
  const all = await broker.connect({ clientId: 'all', keepAlive: 0 });
  await all.subscribe('#', '+/broker/version', '+/#');
  const system = await broker.connect({ clientId: 'system', keepAlive: 0 });
  await system.subscribe('$SYS/broker/version');
  await broker.advance(30);
  await all.expectNothing();
  const [version] = await system.drainPublishes();
  expect(version?.topic).toBe('$SYS/broker/version');
});

// 4.7.3 Semantics

test('v5 [MQTT-4.7.3-1] an empty Topic Name is a malformed PUBLISH and a refused Will; an empty Topic Filter is malformed', async () => {
  const broker = await startBroker(resources);
  const requests = [
    [v5.publish({ topic: '' }), 0x81],
    [v5.subscribe({ filters: ['a', ''] }), 0x81],
    [v5.unsubscribe({ filters: ['a', ''] }), 0x81],
    [v5.subscribe({ filters: ['$share/g/'] }), 0x82],
  ] as const;
  for (const [request, reasonCode] of requests) {
    const client = await broker.connect();
    client.send(request);
    await client.expectError(reasonCode);
  }
  const client = await broker.open();
  client.send(v5.connect({ will: { topic: '' } }));
  await client.expectRefused(0x90);
  expect(await live(broker, ' ', [' '])).toEqual([' ']); // one character is enough, a blank too
});

test('v5 [MQTT-4.7.3-2] NUL is in no Topic Name and no Topic Filter', async () => {
  const broker = await startBroker(resources);
  for (const request of [
    v5.publish({ topic: 'a\0' }),
    v5.subscribe({ filters: ['\0'] }),
    v5.unsubscribe({ filters: ['a\0b'] }),
    v5.publish({ topic: 'a', properties: [property.responseTopic('a\0')] }),
  ]) {
    const client = await broker.connect();
    client.send(request);
    await client.expectError(0x81);
  }
});

test('v5 [MQTT-4.7.3-3] Topic Names and Topic Filters may have 65,535 bytes', async () => {
  const broker = await startBroker(resources);
  const longest = 'x'.repeat(65_535);
  expect(await live(broker, longest, [longest, 'x'.repeat(65_534)])).toEqual([longest]);
  const inTwoBytes = `${'é'.repeat(32_767)}x`;
  expect(await retained(broker, inTwoBytes, [inTwoBytes])).toEqual([inTwoBytes]);
});

test('v5 [MQTT-4.7.3-3] and 201 levels, as in Mosquitto: one more is malformed', async () => {
  const broker = await startBroker(resources);
  const deepest = Array(201).fill('a').join('/'); // 200 times /
  expect(await live(broker, deepest, [deepest])).toEqual([deepest]);
  expect(await live(broker, 'a/#', [deepest])).toEqual([deepest]);
  for (const request of [
    v5.publish({ topic: `${deepest}/` }),
    v5.subscribe({ filters: [`${deepest}/`] }),
    v5.unsubscribe({ filters: [`${deepest}/`] }),
  ]) {
    const client = await broker.connect();
    client.send(request);
    await client.expectError(0x81);
  }
});

test('v5 [MQTT-4.7.3-4] names are compared as they are: case, normal forms, slashes and blanks make a difference', async () => {
  const broker = await startBroker(resources);
  const alike: readonly (readonly string[])[] = [
    ['a', 'A', 'a ', ' a', 'a/', '/a'],
    ['\u00e9', 'e\u0301', 'E\u0301'],
    ['a//b', 'a/b', 'a///b', 'a/./b', 'a/../b'],
    ['ﬁ', 'fi'],
    ['\u00e5', '\u212b'],
    ['a%20b', 'a b', 'a+b'.replace('+', '\u00a0')],
  ];
  for (const group of alike) {
    for (const name of group) {
      expect(await live(broker, name, group)).toEqual([name]);
      expect(await retained(broker, name, group)).toEqual([name]);
    }
  }
});

test('v5 [MQTT-4.7.3-4] exotic characters go through, byte for byte', async () => {
  const broker = await startBroker(resources);
  for (const name of ['日本語/温度', '\u{1F680}/\u{1F680}', 'a b\u00a0c', '\u202eabc', '"\'\\`', '%s%n', '\ufeffa']) {
    expect(await live(broker, name, [name])).toEqual([name]);
    expect(await live(broker, '#', [name])).toEqual([name]);
  }
});

// 1.5.4 UTF-8 Encoded String: the byte order mark

test('v5 [MQTT-1.5.4-3] a byte order mark is a character of a topic like any other: only the very same filter matches', async () => {
  const broker = await startBroker(resources);
  const group = ['\ufeffa', 'a', 'a\ufeff'];
  for (const name of group) {
    expect(await live(broker, name, group)).toEqual([name]);
    expect(await retained(broker, name, group)).toEqual([name]);
  }
});

test('v5 [MQTT-1.5.4-3] it comes back byte for byte, in topic and properties', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  await client.subscribe('+');
  client.send(`
    30 21                -- PUBLISH, Remaining Length 33
    00 04 EF BB BF "a"   -- Topic Name
    19                   -- Property Length 25
    03 00 03 EF BB BF    -- Content Type
    08 00 04 EF BB BF "r"  -- Response Topic
    26 00 03 EF BB BF 00 04 EF BB BF "v"  -- User Property
    "x"
  `);
  await client.expect(`
    30 21 00 04 EF BB BF "a" 19 03 00 03 EF BB BF 08 00 04 EF BB BF "r" 26 00 03 EF BB BF 00 04 EF BB BF "v" "x"
  `);
});

test('v5 [MQTT-1.5.4-3] it makes another Client Identifier and another user name', async () => {
  const seen: unknown[] = [];
  const broker = await startBroker(resources, {
    authenticator: {
      authenticate: ({ clientId, username }) => {
        seen.push([clientId, username]);
        return 'accepted';
      },
    },
  });
  const marked: Connected = await broker.connect({ clientId: '\ufeffc', username: '\ufeffu' });
  const plain = await broker.connect({ clientId: 'c', username: 'u' });
  expect(seen).toEqual([
    ['\ufeffc', '\ufeffu'],
    ['c', 'u'],
  ]);
  await marked.expectNothing(); // nobody took it over
  await plain.expectNothing();
});

test('v5 [MQTT-1.5.4-1] bytes that are no UTF-8 are never replaced: a filter with U+FFFD does not get what was refused', async () => {
  const broker = await startBroker(resources);
  const client = await broker.connect();
  const wrong = await broker.connect({ clientId: 'wrong' });
  await client.subscribe('a', '\u{fffd}a');
  wrong.send(v5.publish({ topic: Buffer.from([0xff, 0x61]), payload: 'x' }));
  await wrong.expectError(0x81);
  await client.expectNothing();
  client.send(v5.publish({ topic: '\u{fffd}a', payload: 'itself' })); // U+FFFD itself is a character
  await client.expectPublish({ topic: '\u{fffd}a', payload: 'itself' });
});
