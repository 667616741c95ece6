import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import type { Message } from '../contracts/message.ts';
import { sendSlice } from '../session/send-waiting.ts';
import { Session } from '../session/session.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Broker } from './broker.ts';
import { defaultLimits } from './limits.ts';
import { sendRetained } from './retain.ts';
import { subscribe } from './subscribe.ts';

test('a sweep removes the retained messages whose time is over, and no others', async () => {
  const clock = new VirtualClock();
  const broker = new Broker(clock, { enabled: () => false, log: () => {} }, createMemoryStore(), defaultLimits);
  // Message Expiry Interval (property 2): 10 seconds
  const expiring = { retain: true, properties: Buffer.from([2, 0, 0, 0, 10]), expiryOffset: 1 };
  broker.publish('short', Buffer.from('x'), expiring);
  broker.publish('long', Buffer.from('x'), { retain: true });

  clock.advance(9_000);
  await broker.sweepRetained();
  expect(broker.gauges().retainedCount).toBe(2);

  clock.advance(1_000);
  await broker.sweepRetained();
  expect(broker.gauges()).toMatchObject({ retainedCount: 1, messagesStored: 1 });
  const left: string[] = [];
  broker.subscribe('#', ({ topic }) => left.push(topic.name));
  expect(left).toEqual(['long']);
});

test('a sweep of many goes on in slices, once at a time, and ends with the broker', async () => {
  for (const closes of [false, true]) {
    const clock = new VirtualClock();
    const broker = new Broker(clock, { enabled: () => false, log: () => {} }, createMemoryStore(), defaultLimits);
    const expiring = { retain: true, properties: Buffer.from([2, 0, 0, 0, 10]), expiryOffset: 1 };
    for (let index = 0; index < 300; index++) broker.publish(`t/${index}`, Buffer.from('x'), expiring);
    clock.advance(11_000);
    // Every look at the clock finds that the slice is over.
    let lookedMs = 0;
    Object.assign(clock, { monotonicMs: () => (lookedMs += 5) });
    const sweeps = [broker.sweepRetained(), broker.sweepRetained()];
    const { retainedCount } = broker.gauges();
    expect([retainedCount > 0, retainedCount < 300]).toEqual([true, true]);
    if (closes) await broker.close();
    let areOver = false;
    const over = Promise.all(sweeps).then(() => (areOver = true));
    while (!areOver) {
      clock.advance(1);
      await Promise.resolve();
    }
    await over;
    expect(broker.gauges().retainedCount).toBe(closes ? retainedCount : 0);
  }
});

test('a new subscription gets what was retained when it was made, a part at a time, and nothing newly retained twice', () => {
  const clock = new VirtualClock();
  const broker = new Broker(clock, { enabled: () => false, log: () => {} }, createMemoryStore(), defaultLimits);
  for (let index = 0; index < 500; index++) broker.publish(`t/${index}`, Buffer.from('old'), { retain: true });
  const got: string[] = [];
  broker.subscribe('t/#', ({ topic, payload }, isRetained) =>
    got.push(`${topic.name} ${payload}${isRetained ? ' retained' : ''}`),
  );
  expect(got.length).toBeGreaterThan(0);
  expect(got.length).toBeLessThan(500);
  const parts = got.length;
  broker.publish('t/499', Buffer.from('new'), { retain: true });
  broker.publish('t/new', Buffer.from('new'), { retain: true });
  broker.publish('t/498', Buffer.alloc(0), { retain: true });
  broker.publish('t/498', Buffer.from('again'), { retain: true });
  for (let turn = 0; turn < 10; turn++) clock.advance(1);
  expect(got.length).toBeGreaterThan(parts);
  const about = (name: string) => got.filter((line) => line.startsWith(`${name} `));
  expect(about('t/497')).toEqual(['t/497 old retained']);
  expect(about('t/499')).toEqual(['t/499 new', 't/499 new retained']);
  expect(about('t/new')).toEqual(['t/new new']);
  expect(about('t/498')).toEqual(['t/498 ', 't/498 again']);
  expect(got).toHaveLength(499 + 4);
});

test('whoever asks again while many answers wait gets what is retained by then', () => {
  const broker = new Broker(
    new VirtualClock(),
    { enabled: () => false, log: () => {} },
    createMemoryStore(),
    defaultLimits,
  );
  const { engine } = broker;
  const retain = (topic: string) => broker.publish(topic, Buffer.from('x'), { retain: true });
  const got: string[] = [];
  const outlet = {
    ...{ isCongested: true, isFull: false, receiveMaximum: 10, disconnect() {}, sendPubrel() {} },
    sendPublish: ({ topic }: Message, _qos: number, retain: boolean) => got.push(`${topic.name} ${retain}`) > 0,
  };
  const session = new Session('c', { clientId: 'c', username: null, listenerPort: 0 }, () => 0);
  session.outlet = outlet;
  const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;
  const topicFilter = { text: 't/#', filter: 't/#', shareName: null };
  const ask = (): void => {
    const { subscription } = subscribe(engine, session, topicFilter, options);
    sendRetained(engine, session, subscription);
  };
  retain('t/old');
  for (let count = 0; count < 20; count++) ask();
  const waiting = session.backlogs?.length ?? 0;
  retain('t/new');
  ask();
  expect(session.backlogs).toHaveLength(waiting);
  outlet.isCongested = false;
  expect(sendSlice(engine, session)).toBe(false);
  const count = (line: string): number => got.filter((one) => one === line).length;
  // One as it was published, and one because it was asked for since.
  expect([count('t/old true'), count('t/new false'), count('t/new true')]).toEqual([waiting, 1, 1]);
});

test('when all that is held has reached its bound no further topic is retained, and that is counted', () => {
  const lines: string[] = [];
  const logger = { enabled: () => true, log: (type: string, line: string) => lines.push(`${type}: ${line}`) };
  // Two messages of 103 bytes, each with 400 beside them.
  const limits = { ...defaultLimits, allHeldBytesMax: 1000 };
  const broker = new Broker(new VirtualClock(), logger, createMemoryStore(), limits);
  const retain = (topic: string, byte: string): void => {
    broker.publish(topic, Buffer.from(byte.repeat(100)), { retain: true });
  };
  const retained = (): string[] => {
    const found: string[] = [];
    broker.subscribe('#', ({ topic, payload }) => found.push(`${topic.name} ${payload.toString('utf8', 0, 1)}`));
    return found;
  };
  const { stats } = broker.engine;
  retain('one', 'a');
  retain('two', 'a');
  expect(stats.retainedRefused).toBe(0);
  retain('three', 'a');
  retain('four', 'a');
  expect([retained(), stats.retainedRefused]).toEqual([['one a', 'two a'], 2]);
  expect(lines).toEqual([
    'warning: Warning: The memory for messages is used up: "three" and further topics are not retained.',
  ]);

  // A topic that has one gets newer ones, and one that is cleared makes room.
  retain('two', 'b');
  broker.publish('one', Buffer.alloc(0), { retain: true });
  retain('three', 'b');
  expect([retained(), stats.retainedRefused]).toEqual([['two b', 'three b'], 2]);
});

test('names and properties count, and what replaces a retained message may not be larger when the bound is reached', () => {
  const logger = { enabled: () => false, log: () => {} };
  const limits = { ...defaultLimits, allHeldBytesMax: 10_000 };
  const broker = new Broker(new VirtualClock(), logger, createMemoryStore(), limits);
  const { stats, holdings } = broker.engine;
  const retain = (topic: string, bytes: number): void => {
    broker.publish(topic, Buffer.alloc(bytes, 'x'), { retain: true });
  };
  const long = 'n'.repeat(4600);
  retain(`${long}/1`, 1);
  retain(`${long}/2`, 1);
  expect(holdings.sizes).toBe(2 * (400 + 1 + 4602));
  retain('short', 1);
  expect([broker.gauges().retainedCount, stats.retainedRefused]).toEqual([2, 1]);

  // As large as the one before: taken. Larger: the topic has none rather than an old one, and that made room.
  retain(`${long}/1`, 1);
  expect([broker.gauges().retainedCount, stats.retainedRefused]).toEqual([2, 1]);
  retain(`${long}/1`, 100_000);
  expect([broker.gauges().retainedCount, stats.retainedRefused]).toEqual([1, 2]);
  retain('short', 1);
  expect([broker.gauges().retainedCount, stats.retainedRefused]).toEqual([2, 2]);

  broker.publish('short', Buffer.alloc(0), { retain: true });
  broker.publish(`${long}/2`, Buffer.alloc(0), { retain: true });
  const properties = Buffer.from([0x26, 0, 1, 0x61, 0, 1, 0x62]);
  broker.publish('p', Buffer.from('x'), { retain: true, properties });
  expect(holdings.sizes).toBe(400 + 1 + 1 + properties.length);
  broker.publish('p', Buffer.alloc(0), { retain: true });
  expect(holdings).toMatchObject({ count: 0, bytes: 0, sizes: 0 });
});
