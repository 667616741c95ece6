import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMessage, type Message } from '../contracts/message.ts';
import { packetIdOf } from '../contracts/store.ts';
import { Topic } from '../topics/topic.ts';
import { Outgoing, Step } from './outgoing.ts';

const publisher = { clientId: 'p', username: null, listenerPort: 0 };

function message(text: string): Message {
  return createMessage(Topic.of('t'), publisher, { payload: Buffer.from(text) });
}

describe('deliveries that are sent at once', () => {
  test('v5 [MQTT-2.2.1-4] [MQTT-4.3.2-1] get identifiers from 1 on and are found by them', () => {
    const outgoing = new Outgoing();
    const first = outgoing.pushSent(message('a'), 1, false, null);
    const second = outgoing.pushSent(message('bb'), 2, true, [7]);
    expect([first, second].map(packetIdOf)).toEqual([1, 2]);
    expect(outgoing.find(1)).toBe(first);
    expect(outgoing.find(2)).toBe(second);
    expect([outgoing.inFlight, outgoing.inFlightBytes, outgoing.queued]).toEqual([2, 3, 0]);
    expect([outgoing.step(first), outgoing.step(second)]).toEqual([Step.awaitingPuback, Step.awaitingPubrec]);
    expect([outgoing.qos(second), outgoing.retain(second), outgoing.dup(second)]).toEqual([2, true, false]);
    expect(outgoing.subscriptionIds(second)).toEqual([7]);
    expect(outgoing.subscriptionIds(first)).toBeNull();
  });

  test('need not hold their message', () => {
    const outgoing = new Outgoing();
    const sequence = outgoing.pushSent(null, 1, false, null);
    expect(outgoing.remove(sequence)).toBeNull();
    expect([outgoing.inFlight, outgoing.inFlightBytes]).toEqual([0, 0]);
  });

  test('v5 [MQTT-4.3.3-4] go on to PUBREL without a message to let go', () => {
    const outgoing = new Outgoing();
    const sequence = outgoing.pushSent(null, 2, false, null);
    expect(outgoing.released(sequence)).toBeNull();
    expect(outgoing.step(sequence)).toBe(Step.awaitingPubcomp);
    expect([outgoing.inFlight, outgoing.inFlightBytes]).toEqual([1, 0]);
  });

  test('are done in any order', () => {
    const outgoing = new Outgoing();
    for (let count = 0; count < 5; count++) outgoing.pushSent(message('x'), 1, false, null);
    outgoing.remove(outgoing.find(3));
    outgoing.remove(outgoing.find(1));
    expect(outgoing.find(3)).toBe(0);
    expect(outgoing.find(1)).toBe(0);
    expect(outgoing.find(2)).toBe(2);
    expect(outgoing.first).toBe(2);
    for (const id of [2, 4, 5]) outgoing.remove(outgoing.find(id));
    expect(outgoing.isEmpty).toBe(true);
  });

  test('identifiers that were never given out, and 0, are unknown', () => {
    const outgoing = new Outgoing();
    expect(outgoing.find(1)).toBe(0);
    outgoing.pushSent(message('x'), 1, false, null);
    for (const id of [0, 2, 65_535]) expect(outgoing.find(id)).toBe(0);
  });
});

describe('deliveries that wait', () => {
  test('have their number before they are sent, and go in order', () => {
    const outgoing = new Outgoing();
    const one = outgoing.pushQueued(message('a'), 1, false, null);
    outgoing.pushQueued(message('bb'), 2, false, null);
    expect([outgoing.queued, outgoing.queuedBytes]).toEqual([2, 3]);
    expect(outgoing.find(1)).toBe(0);
    expect(outgoing.sendAt).toBe(one);
    outgoing.sent();
    expect(outgoing.find(1)).toBe(one);
    expect([outgoing.inFlight, outgoing.inFlightBytes, outgoing.queued, outgoing.queuedBytes]).toEqual([1, 1, 1, 2]);
    outgoing.sent();
    expect(outgoing.step(2)).toBe(Step.awaitingPubrec);
  });

  test('use up their number when they are given up before they were sent', () => {
    const outgoing = new Outgoing();
    const one = outgoing.pushQueued(message('a'), 1, false, null);
    outgoing.pushQueued(message('b'), 1, false, null);
    outgoing.remove(one);
    expect(outgoing.sendAt).toBe(2);
    outgoing.sent();
    expect(outgoing.find(2)).toBe(2);
  });

  test('given up in the middle leave a hole that is stepped over', () => {
    const outgoing = new Outgoing();
    for (const text of ['a', 'b', 'c']) outgoing.pushQueued(message(text), 1, false, null);
    outgoing.remove(2);
    outgoing.sent();
    expect(outgoing.sendAt).toBe(3);
    outgoing.sent();
    expect([outgoing.inFlight, outgoing.queued]).toEqual([2, 0]);
  });
});

test('v5 [MQTT-4.3.3-6] after PUBREC the message is let go and the exchange stays', () => {
  const outgoing = new Outgoing();
  const sent = message('abc');
  const sequence = outgoing.pushSent(sent, 2, false, null);
  expect(outgoing.released(sequence)).toBe(sent);
  expect(outgoing.step(sequence)).toBe(Step.awaitingPubcomp);
  expect(outgoing.message(sequence)).toBeNull();
  expect([outgoing.inFlight, outgoing.inFlightBytes]).toEqual([1, 0]);
});

test('v5 [MQTT-3.3.1-1] what was under way when the connection ended is a repeat, what waited is not', () => {
  const outgoing = new Outgoing();
  outgoing.pushSent(message('a'), 1, false, null);
  outgoing.pushSent(message('b'), 1, false, null);
  outgoing.remove(1);
  const [third, fourth] = [3, 4].map(() => outgoing.pushSent(message('c'), 1, false, null)) as [number, number];
  outgoing.remove(third);
  const fifth = outgoing.pushQueued(message('d'), 1, false, null);
  outgoing.interrupted();
  expect([2, third, fourth, fifth].map((sequence) => outgoing.dup(sequence))).toEqual([true, false, true, false]);
});

test('identifiers wrap behind 65,535 to 1', () => {
  const outgoing = new Outgoing(65_534);
  const last = outgoing.pushSent(message('a'), 1, false, null);
  const next = outgoing.pushSent(message('b'), 1, false, null);
  expect([last, next].map(packetIdOf)).toEqual([65_535, 1]);
  expect([outgoing.find(65_535), outgoing.find(1)]).toEqual([last, next]);
  expect(outgoing.lastSequence).toBe(65_536);
});

test('a queue may be longer than there are identifiers; those in flight stay distinct', () => {
  const outgoing = new Outgoing();
  for (let count = 0; count < 70_000; count++) outgoing.pushQueued(message('x'), 1, false, null);
  while (outgoing.hasPacketId) outgoing.sent();
  expect(outgoing.inFlight).toBe(65_534);
  outgoing.remove(outgoing.find(1));
  expect(outgoing.hasPacketId).toBe(true);
  outgoing.sent();
  expect(outgoing.find(65_535)).toBe(65_535);
});

test('an identifier that is reserved is not that of a delivery under way, however many wait', () => {
  const outgoing = new Outgoing();
  const underWay = [0, 1, 2].map(() => outgoing.pushSent(message('x'), 1, false, null));
  expect(outgoing.reservePacketId()).toBe(4);
  while (packetIdOf(outgoing.end) !== packetIdOf(underWay[0] as number)) {
    outgoing.pushQueued(message('y'), 1, false, null);
  }
  const reserved = outgoing.reservePacketId();
  expect(reserved).toBe(4);
  expect([outgoing.find(reserved), ...underWay.map((one) => outgoing.find(packetIdOf(one)))]).toEqual([0, ...underWay]);
});

test('keeps the Subscription Identifiers of each delivery when its ring grows', () => {
  const outgoing = new Outgoing();
  for (let id = 1; id <= 100; id++) outgoing.pushSent(message('x'), 1, false, id % 3 === 0 ? [id] : null);
  for (let id = 1; id <= 100; id++) {
    expect(outgoing.subscriptionIds(outgoing.find(id))).toEqual(id % 3 === 0 ? [id] : null);
  }
});

test('gives a large ring back when it is empty', () => {
  const outgoing = new Outgoing();
  for (let count = 0; count < 5000; count++) outgoing.pushSent(message('x'), 1, false, [count]);
  for (let id = 1; id <= 5000; id++) outgoing.remove(outgoing.find(id));
  expect(outgoing.isEmpty).toBe(true);
  const sequence = outgoing.pushSent(message('y'), 1, false, null);
  expect(packetIdOf(sequence)).toBe(5001);
  expect(outgoing.message(sequence)?.payload.toString()).toBe('y');
});

describe('a restored session', () => {
  test('has its deliveries under their old identifiers, with holes where others are done', () => {
    const outgoing = new Outgoing();
    outgoing.restore(3, message('a'), 1, false, null, Step.awaitingPuback);
    outgoing.restore(5, null, 2, false, null, Step.awaitingPubcomp);
    outgoing.restore(9, message('cc'), 2, true, [1], Step.queued);
    expect([outgoing.find(3), outgoing.find(4), outgoing.find(5)]).toEqual([3, 0, 5]);
    expect([outgoing.dup(3), outgoing.dup(9)]).toEqual([true, false]);
    expect([outgoing.inFlight, outgoing.queued, outgoing.queuedBytes]).toEqual([2, 1, 2]);
    outgoing.restoreLastSequence(12);
    expect(outgoing.pushQueued(message('d'), 1, false, null)).toBe(13);
    outgoing.sent();
    expect(outgoing.find(9)).toBe(9);
    expect(outgoing.sendAt).toBe(13);
  });

  test('goes on counting where it was when nothing was left', () => {
    const outgoing = new Outgoing();
    outgoing.restoreLastSequence(41);
    expect(packetIdOf(outgoing.pushSent(message('a'), 1, false, null))).toBe(42);
    outgoing.restoreLastSequence(7);
    expect(outgoing.lastSequence).toBe(42);
    outgoing.remove(42);
    outgoing.restoreLastSequence(7);
    expect(outgoing.lastSequence).toBe(42);
  });
});

test('behaves like a plain list of deliveries, whatever is done to it', () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('send' as const) }),
    fc.record({ do: fc.constant('queue' as const) }),
    fc.record({ do: fc.constant('next' as const) }),
    fc.record({ do: fc.constant('done' as const), which: fc.nat(40) }),
    fc.record({ do: fc.constant('release' as const), which: fc.nat(40) }),
  );
  fc.assert(
    fc.property(fc.nat(65_535), fc.array(action, { maxLength: 120 }), (lastSequence, actions) => {
      const outgoing = new Outgoing(lastSequence);
      const model: { sequence: number; text: string | null; isQueued: boolean }[] = [];
      let end = lastSequence + 1;
      for (const step of actions) {
        const waiting = model.filter(({ isQueued }) => isQueued);
        const flying = model.filter(({ isQueued }) => !isQueued);
        if (step.do === 'send' && waiting.length === 0) {
          const text = `m${end}`;
          expect(outgoing.pushSent(message(text), 2, false, null)).toBe(end);
          model.push({ sequence: end++, text, isQueued: false });
        } else if (step.do === 'queue') {
          const text = `m${end}`;
          expect(outgoing.pushQueued(message(text), 2, false, null)).toBe(end);
          model.push({ sequence: end++, text, isQueued: true });
        } else if (step.do === 'next' && waiting[0] !== undefined) {
          expect(outgoing.sendAt).toBe(waiting[0].sequence);
          outgoing.sent();
          waiting[0].isQueued = false;
        } else if (step.do === 'done' && flying.length > 0) {
          const one = flying[step.which % flying.length] as (typeof model)[number];
          expect(outgoing.remove(outgoing.find(packetIdOf(one.sequence)))?.payload.toString() ?? null).toBe(one.text);
          model.splice(model.indexOf(one), 1);
        } else if (step.do === 'release' && flying.length > 0) {
          const one = flying[step.which % flying.length] as (typeof model)[number];
          if (one.text === null) continue;
          outgoing.released(outgoing.find(packetIdOf(one.sequence)));
          one.text = null;
        }
        expect(outgoing.inFlight).toBe(model.filter(({ isQueued }) => !isQueued).length);
        expect(outgoing.queued).toBe(model.filter(({ isQueued }) => isQueued).length);
        for (const { sequence, text, isQueued } of model) {
          expect(outgoing.message(sequence)?.payload.toString() ?? null).toBe(text);
          expect(outgoing.find(packetIdOf(sequence))).toBe(isQueued ? 0 : sequence);
        }
      }
    }),
    { numRuns: 500 },
  );
});
