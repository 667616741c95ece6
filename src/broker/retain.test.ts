import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Broker } from './broker.ts';
import { defaultLimits } from './limits.ts';

test('a sweep removes the retained messages whose time is over, and no others', () => {
  const clock = new VirtualClock();
  const broker = new Broker(clock, { enabled: () => false, log: () => {} }, createMemoryStore(), defaultLimits);
  // Message Expiry Interval (property 2): 10 seconds
  const expiring = { retain: true, properties: Buffer.from([2, 0, 0, 0, 10]), expiryOffset: 1 };
  broker.publish('short', Buffer.from('x'), expiring);
  broker.publish('long', Buffer.from('x'), { retain: true });

  clock.advance(9_000);
  broker.sweepRetained();
  expect(broker.gauges().retainedCount).toBe(2);

  clock.advance(1_000);
  broker.sweepRetained();
  expect(broker.gauges()).toMatchObject({ retainedCount: 1, messagesStored: 1 });
  const left: string[] = [];
  broker.subscribe('#', ({ topic }) => left.push(topic.name));
  expect(left).toEqual(['long']);
});

test('when all that is held has reached its bound no further topic is retained, and that is counted', () => {
  const lines: string[] = [];
  const logger = { enabled: () => true, log: (type: string, line: string) => lines.push(`${type}: ${line}`) };
  // Two messages of 100 bytes, each with 400 beside them.
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
