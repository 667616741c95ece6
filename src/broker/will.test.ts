import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import type { Authorizer } from '../contracts/authorizer.ts';
import { createMessage } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Topic } from '../topics/topic.ts';
import { Broker } from './broker.ts';
import { defaultLimits } from './limits.ts';
import { leaveSession, openSession } from './sessions.ts';

const outlet: Outlet = {
  isCongested: false,
  isFull: false,
  receiveMaximum: 65_535,
  sendPublish: () => true,
  sendPubrel: () => {},
  disconnect: () => {},
};

/** A broker with one client, whose Will is "gone" on `w`, and what a subscriber of `w` got. */
function withWill(authorizer: Authorizer | null) {
  const clock = new VirtualClock();
  const broker = new Broker(clock, { enabled: () => false, log: () => {} }, createMemoryStore(), defaultLimits);
  const { engine } = broker;
  engine.authorizer = authorizer;
  const got: string[] = [];
  broker.subscribe('w', ({ payload }) => got.push(payload.toString()));
  const publisher = { clientId: 'c', username: 'anne', listenerPort: 1883 };
  const message = createMessage(Topic.of('w'), publisher, { payload: Buffer.from('gone') });
  const { session } = openSession(engine, {
    publisher,
    cleanStart: true,
    expiryIntervalSeconds: 0,
    will: { message, delaySeconds: 0 },
    outlet,
  });
  return { broker, got, clock, disconnect: () => leaveSession(engine, session, 'abnormal') };
}

test('a Will is sent when its client may publish to its topic', () => {
  const asked: unknown[] = [];
  const { broker, got, disconnect } = withWill({
    authorize: (...question) => asked.push(question) > 0,
  });

  disconnect();

  expect(got).toEqual(['gone']);
  expect(asked).toEqual([[{ clientId: 'c', username: 'anne', listenerPort: 1883 }, 'publish', 'w']]);
  expect(broker.gauges().messagesStored).toBe(0);
});

test('a Will is forgotten when its client may not publish to its topic', () => {
  const { broker, got, disconnect } = withWill({ authorize: () => false });

  disconnect();
  broker.publish('w', Buffer.from('marker'));

  expect(got).toEqual(['marker']);
  expect(broker.gauges().messagesStored).toBe(0);
});

test.each([
  [true, ['gone']],
  [false, []],
])('an answer that comes later decides: %j', async (isAllowed, expected) => {
  const { broker, got, disconnect } = withWill({ authorize: async () => isAllowed });

  disconnect();
  expect(got).toEqual([]);
  await new Promise(setImmediate);

  expect(got).toEqual(expected);
  expect(broker.gauges().messagesStored).toBe(0);
});

test('a broker that closes waits for answers', async () => {
  let answer = (_isAllowed: boolean): void => {};
  const { broker, got, disconnect } = withWill({ authorize: () => new Promise((resolve) => (answer = resolve)) });

  disconnect();
  const closed = broker.close();
  answer(true);
  await closed;

  expect(got).toEqual(['gone']);
});

test('a broker that closes does not wait for ever, and an answer after the end has no effect', async () => {
  let answer = (_isAllowed: boolean): void => {};
  const { broker, got, clock, disconnect } = withWill({
    authorize: () => new Promise((resolve) => (answer = resolve)),
  });

  disconnect();
  const closed = broker.close();
  clock.advance(1000);
  await closed;
  answer(true);
  await new Promise(setImmediate);

  expect(got).toEqual([]);
});
