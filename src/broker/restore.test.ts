import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import type { Message } from '../contracts/message.ts';
import { createMessage } from '../contracts/message.ts';
import type { Fact } from '../contracts/store.ts';
import { hold } from '../session/holding.ts';
import { Session } from '../session/session.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Topic } from '../topics/topic.ts';
import { Broker } from './broker.ts';
import type { Engine } from './engine.ts';
import { defaultLimits } from './limits.ts';
import { durableFacts } from './restore.ts';

function newEngine(): Engine {
  return new Broker(new VirtualClock(), { enabled: () => false, log: () => {} }, createMemoryStore(), defaultLimits)
    .engine;
}

function newSession(engine: Engine, clientId: string): Session {
  const session = new Session(clientId, { clientId, username: null, listenerPort: 1883 }, () => 0);
  session.expiryIntervalSeconds = 60;
  engine.sessions.set(clientId, session);
  return session;
}

function newMessage(engine: Engine, name: string): Message {
  const publisher = { clientId: 'p', username: null, listenerPort: 1883 };
  const message = createMessage(Topic.of(name), publisher, { payload: Buffer.from('x'), qos: 1 });
  hold(engine.holdings, message);
  return message;
}

const textOf = (fact: Fact): string => {
  if (fact.kind === 'message') return `message ${fact.message.storeId}`;
  if (fact.kind === 'delivery') return `${fact.clientId} ${fact.sequence} of ${fact.storeId}`;
  return fact.kind === 'retained' ? `retained ${fact.storeId}` : `${fact.kind} ${fact.clientId}`;
};

/** Takes so many facts, does something, takes the others. */
function interrupted(engine: Engine, after: number, happens: () => void): string[] {
  const facts = durableFacts(engine);
  const texts: string[] = [];
  for (let count = 0; count < after; count++) texts.push(textOf(facts.next().value as Fact));
  happens();
  for (const fact of facts) texts.push(textOf(fact));
  return texts;
}

test('the whole state, messages first, once each; what is under $SYS only for those it waits for', () => {
  const engine = newEngine();
  const [first, second] = [newSession(engine, 'a'), newSession(engine, 'b')];
  newSession(engine, 'gone with its connection').expiryIntervalSeconds = 0;
  const one = newMessage(engine, 'x');
  const own = newMessage(engine, '$SYS/broker/uptime');
  for (const session of [first, second]) session.outgoingRing().pushQueued(one, 1, false, null);
  second.outgoingRing().pushQueued(own, 1, false, null);
  engine.retained.set('x', one);
  engine.retained.set('$SYS/broker/uptime', own);
  expect([...durableFacts(engine)].map(textOf)).toEqual([
    ...['message 1', 'message 2', 'session a', 'a 1 of 1', 'session b', 'b 1 of 1', 'b 2 of 2', 'retained 1'],
  ]);
});

test('what is there all the time is told although the rest comes and goes', () => {
  const engine = newEngine();
  const session = newSession(engine, 'a');
  const ring = session.outgoingRing();
  const messages = Array.from({ length: 40 }, (_, index) => newMessage(engine, `t${index}`));
  for (const message of messages) ring.pushQueued(message, 1, false, null);
  engine.retained.set('t0', messages[0] as Message);
  for (let after = 0; after < 60; after++) {
    const begun = ring.end;
    const texts = interrupted(engine, Math.min(after, 2), () => {
      // The oldest is acknowledged, one comes, and the ring grows and moves.
      ring.sent();
      ring.remove(ring.first);
      for (let more = 0; more < 3; more++) ring.pushQueued(newMessage(engine, 'new'), 1, false, null);
      engine.retained.set('t1', newMessage(engine, 't1'));
    });
    const known = new Set(texts.filter((text) => text.startsWith('message ')).map((text) => text.slice(8)));
    for (const text of texts) {
      const storeId = / of (\d+)$/.exec(text)?.[1] ?? /^retained (\d+)$/.exec(text)?.[1];
      if (storeId !== undefined) expect(known).toContain(storeId);
    }
    for (let sequence = ring.first; sequence < begun; sequence++) {
      expect(texts).toContain(`a ${sequence} of ${ring.message(sequence)?.storeId}`);
    }
    expect(texts).toContain('retained 1');
  }
});

test('a message that came after the messages were told is left to the journal, with what refers to it', () => {
  const engine = newEngine();
  const session = newSession(engine, 'a');
  session.outgoingRing().pushQueued(newMessage(engine, 'x'), 1, false, null);
  const texts = interrupted(engine, 2, () => {
    session.outgoingRing().pushQueued(newMessage(engine, 'y'), 1, false, null);
    engine.retained.set('y', newMessage(engine, 'y'));
  });
  expect(texts).toEqual(['message 1', 'session a', 'a 1 of 1']);
});
