import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { InvariantViolation } from '../base/invariant.ts';
import type { Logger } from '../contracts/logger.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Broker } from './broker.ts';
import { defaultLimits } from './limits.ts';

function newBroker() {
  const lines: string[] = [];
  const logger: Logger = { enabled: () => true, log: (type, line) => lines.push(`${type}: ${line.split('\n')[0]}`) };
  const broker = new Broker(new VirtualClock(), logger, createMemoryStore(), defaultLimits);
  return { broker, lines };
}

test('a watcher that throws is logged and in nobody’s way', () => {
  const { broker, lines } = newBroker();
  const seen: string[] = [];
  broker.watch({
    afterPublish: () => {
      throw new Error('broken watcher');
    },
  });
  broker.watch({ afterPublish: ({ topic }) => seen.push(topic.name) });
  broker.subscribe('a', (message) => seen.push(message.payload.toString()));

  expect(broker.publish('a', Buffer.from('x'))).toBe(1);

  expect(seen).toEqual(['a', 'x']);
  expect(lines).toEqual(['error: Error: afterPublish failed: Error: broken watcher']);
});

test('a mistake of ours that a watcher meets is not hidden', () => {
  const { broker } = newBroker();
  broker.watch({
    afterPublish: () => {
      throw new InvariantViolation('seen by the watcher');
    },
  });

  expect(() => broker.publish('a', Buffer.from('x'))).toThrow(InvariantViolation);
});

test('a watcher that was taken off is not called any more, others are', () => {
  const { broker } = newBroker();
  const seen: string[] = [];
  const off = broker.watch({ afterPublish: () => seen.push('first') });
  broker.watch({ afterPublish: () => seen.push('second') });

  off();
  off();
  broker.publish('a', Buffer.from('x'));

  expect(seen).toEqual(['second']);
});

test('a watcher is asked once per topic which ones it is about, and again when it says so', () => {
  const { broker } = newBroker();
  const asked: string[] = [];
  const seen: string[] = [];
  let wanted = 'b';
  broker.watch({
    watches: (topicName) => {
      asked.push(topicName);
      return topicName === wanted;
    },
    afterPublish: ({ topic }) => seen.push(topic.name),
  });

  for (const name of ['a', 'a', 'b', 'b']) broker.publish(name, Buffer.from('x'));
  expect(asked).toEqual(['a', 'b']);
  expect(seen).toEqual(['b', 'b']);

  wanted = 'a';
  broker.watchAgain();
  for (const name of ['a', 'b']) broker.publish(name, Buffer.from('x'));
  expect(seen).toEqual(['b', 'b', 'a']);
});

test('a watcher keeps its own this', () => {
  const { broker } = newBroker();
  class Counter {
    count = 0;
    afterPublish(): void {
      this.count++;
    }
  }
  const counter = new Counter();
  broker.watch(counter);

  broker.publish('a', Buffer.from('x'));

  expect(counter.count).toBe(1);
});

test('a subscription of the program hears which messages were retained before', () => {
  const { broker } = newBroker();
  const seen: string[] = [];
  broker.publish('a/old', Buffer.from('kept'), { retain: true });

  broker.subscribe('a/+', (message, isRetained) => seen.push(`${message.payload.toString()} ${isRetained}`));
  broker.publish('a/new', Buffer.from('fresh'), { retain: true });

  expect(seen).toEqual(['kept true', 'fresh false']);
});
