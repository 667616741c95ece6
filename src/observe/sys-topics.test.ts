import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { type Gauges, Stats } from '../broker/stats.ts';
import { loadMetrics, metrics } from './metric-catalogue.ts';
import { SysTopics } from './sys-topics.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function setUp(intervalSeconds = 10, startMs = 1_800_000_003_000) {
  const clock = new VirtualClock(startMs);
  const stats = new Stats();
  const gauges: Writable<Gauges> = {
    clientsTotal: 0,
    clientsConnected: 0,
    messagesStored: 0,
    messagesStoredBytes: 0,
    deliveriesWaiting: 0,
    retainedCount: 0,
    subscriptionsCount: 0,
    sharedSubscriptionsCount: 0,
    packetsOutCount: 0,
    packetsOutBytes: 0,
  };
  const retained = new Map<string, string>();
  const options: unknown[] = [];
  /** Topics published since the list was last emptied, in order. */
  const published: string[] = [];
  const sys = new SysTopics({
    clock,
    stats,
    gauges: () => gauges,
    heapBytes: () => 4_096,
    publish: (topicName, payload, how) => {
      retained.set(topicName, payload);
      published.push(topicName);
      options.push(how);
    },
    version: 'moustique version 1.2.3',
    durability: null,
    intervalSeconds,
    retain: true,
  });
  return { clock, stats, gauges, retained, published, options, sys };
}

test('publishes everything at the start: version, uptime, metrics, loads', () => {
  const { sys, retained, published, options } = setUp();
  sys.start();
  expect(published.slice(0, 2)).toEqual(['$SYS/broker/version', '$SYS/broker/uptime']);
  expect(retained.get('$SYS/broker/version')).toBe('moustique version 1.2.3');
  expect(retained.get('$SYS/broker/uptime')).toBe('0 seconds');
  expect(retained.get('$SYS/broker/clients/maximum')).toBe('0');
  expect(retained.get('$SYS/broker/heap/current')).toBe('4096');
  expect(retained.get('$SYS/broker/load/bytes/sent/15min')).toBe('0.00');
  const aliases = 3; // active, inactive, store/messages/count
  expect(retained.size).toBe(2 + metrics.length + aliases + loadMetrics.length * 3);
  expect(published).toHaveLength(retained.size);
  expect(options[0]).toEqual({ qos: 2, retain: true });
});

test('publishes when the wall clock is a multiple of the interval, uptime always and the rest when changed', () => {
  const { sys, clock, gauges, published, retained } = setUp(); // at …3 s
  sys.start();
  published.length = 0;
  clock.advance(6_999);
  expect(published).toEqual([]);
  clock.advance(1); // …10 s
  expect(published).toEqual(['$SYS/broker/uptime']);
  expect(retained.get('$SYS/broker/uptime')).toBe('7 seconds');

  published.length = 0;
  gauges.clientsTotal = 3;
  gauges.clientsConnected = 1;
  clock.advance(10_000);
  expect(published).toEqual([
    '$SYS/broker/uptime',
    '$SYS/broker/clients/total',
    '$SYS/broker/clients/maximum',
    '$SYS/broker/clients/disconnected',
    '$SYS/broker/clients/inactive',
    '$SYS/broker/clients/connected',
    '$SYS/broker/clients/active',
  ]);
  expect(retained.get('$SYS/broker/clients/inactive')).toBe('2');
});

test('a maximum never falls', () => {
  const { sys, clock, gauges, retained } = setUp();
  sys.start();
  gauges.clientsTotal = 1;
  clock.advance(10_000);
  expect(retained.get('$SYS/broker/clients/maximum')).toBe('1');
  gauges.clientsTotal = 0;
  clock.advance(10_000);
  expect(retained.get('$SYS/broker/clients/total')).toBe('0');
  expect(retained.get('$SYS/broker/clients/maximum')).toBe('1');
});

test('sockets without a session do not make the disconnected negative', () => {
  const { sys, gauges, retained } = setUp();
  gauges.clientsConnected = 5;
  sys.start();
  expect(retained.get('$SYS/broker/clients/disconnected')).toBe('0');
});

test('loads are events per minute with exponential decay', () => {
  const { sys, clock, stats, retained, published } = setUp(10, 1_800_000_000_000);
  sys.start();
  stats.publishReceived = 100; // in 10 s: 600 per minute
  clock.advance(10_000);
  // 600 × (1 − e^(−10/60)), (1 − e^(−10/300)), (1 − e^(−10/900))
  expect(retained.get('$SYS/broker/load/publish/received/1min')).toBe('92.11');
  expect(retained.get('$SYS/broker/load/publish/received/5min')).toBe('19.67');
  expect(retained.get('$SYS/broker/load/publish/received/15min')).toBe('6.63');
  expect(retained.get('$SYS/broker/load/publish/sent/1min')).toBe('0.00');

  clock.advance(10_000); // nothing more came: 92.11 × e^(−10/60)
  expect(retained.get('$SYS/broker/load/publish/received/1min')).toBe('77.97');

  clock.advance(24 * 3_600_000); // shown until the very end of the decay
  expect(Number(retained.get('$SYS/broker/load/publish/received/15min'))).toBeLessThan(0.02);
  published.length = 0;
  clock.advance(10_000);
  expect(published).toEqual(['$SYS/broker/uptime']);
});

test('sys_interval 0 publishes nothing until a reload says otherwise', () => {
  const { sys, clock, retained, published } = setUp(0);
  sys.start();
  clock.advance(60_000);
  expect(published).toEqual([]);
  sys.changeInterval(5);
  expect(retained.get('$SYS/broker/version')).toBe('moustique version 1.2.3');
  expect(retained.get('$SYS/broker/uptime')).toBe('60 seconds');
  published.length = 0;
  clock.advance(5_000);
  expect(published).toEqual(['$SYS/broker/uptime']);
  sys.changeInterval(0);
  published.length = 0;
  clock.advance(60_000);
  expect(published).toEqual([]);
});

test('a changed interval goes on with the numbers it has', () => {
  const { sys, clock, published } = setUp(10, 1_800_000_000_000);
  sys.start();
  sys.changeInterval(2);
  published.length = 0;
  clock.advance(4_000);
  expect(published).toEqual(['$SYS/broker/uptime', '$SYS/broker/uptime']);
  sys.stop();
  sys.changeInterval(3); // a reload while the broker ends
  published.length = 0;
  clock.advance(60_000);
  expect(published).toEqual([]);
});

test('gives the last numbers under their names, without aliases', () => {
  const { sys, gauges } = setUp();
  gauges.retainedCount = 4;
  sys.start();
  const snapshot = sys.snapshot();
  expect(snapshot.get('$SYS/broker/retained messages/count')).toBe(4);
  expect(snapshot.get('$SYS/broker/uptime')).toBe(0);
  expect(snapshot.has('$SYS/broker/clients/active')).toBe(false);
  expect(snapshot.size).toBe(metrics.length + 1);
});

test('no name is used twice', () => {
  const topics = metrics.flatMap((metric) => metric.topics);
  expect(new Set(topics).size).toBe(topics.length);
  expect(new Set(metrics.map(({ exportName, labels }) => exportName + JSON.stringify(labels))).size).toBe(
    metrics.length,
  );
});
