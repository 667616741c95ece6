import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../base/clock.ts';
import { createMessage, type Message } from '../contracts/message.ts';
import { TopicIndex } from '../observe/topic-index.ts';
import { RetainedTree } from '../topics/retained-tree.ts';
import { Topic } from '../topics/topic.ts';
import { KnownTopics } from './known-topics.ts';

const publisher = { clientId: 'c', username: null, listenerPort: 1883 };

test('who does not wait for all names gets those gathered so far, and later all', async () => {
  const retained = new RetainedTree<Message>();
  for (let number = 0; number < 2000; number++) {
    const name = `hall/${number}`;
    retained.set(name, createMessage(Topic.of(name), publisher, { payload: Buffer.from('1') }));
  }
  let elapsedMs = 0;
  const pauses: (() => void)[] = [];
  /** Each look at the clock takes 5 ms, pauses end when the test says so, and only waits of 200 ms are over, at once. */
  const clock: Clock = {
    ...systemClock(),
    monotonicMs: () => (elapsedMs += 5),
    soon: (callback) => pauses.push(callback),
    after: (delayMs, callback) => {
      if (delayMs === 200) queueMicrotask(callback);
      return { cancel: () => {} };
    },
  };
  const topics = new KnownTopics({ retained }, new TopicIndex(1024 * 1024, () => 0), clock);
  const names = await topics.names(200);
  expect(topics.isGathering).toBe(true);
  expect(names.count).toBeGreaterThan(0);
  expect(names.count).toBeLessThan(2000);
  const all = topics.names();
  while (topics.isGathering) {
    pauses.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await all).count).toBe(2000);
  expect(await topics.names(200)).toBe(names);
  topics.close();
});
