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
