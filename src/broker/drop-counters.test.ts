/** The books of what is delivered: every delivery is sent, waits, or was given up for a reason. */
import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { deliveryDrops } from '../contracts/drop-reason.ts';
import { createMessage, type Message } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import { finish } from '../session/deliver.ts';
import { dropTotal } from '../session/drop-counters.ts';
import { resume, sendWaiting } from '../session/send-waiting.ts';
import { neverExpires, type Session } from '../session/session.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { parseTopicFilter, type TopicFilter } from '../topics/topic-filter.ts';
import { Broker } from './broker.ts';
import { defaultLimits } from './limits.ts';
import { publish } from './publish.ts';
import { routeOf } from './route.ts';
import { leaveSession, openSession } from './sessions.ts';
import { subscribe } from './subscribe.ts';

const bytesMax = 40;

/** A client that takes what it is sent until it is told not to, and nothing above 40 bytes. */
class Client implements Outlet {
  isCongested = false;
  isFull = false;
  isBroken = false;
  receiveMaximum = 3;
  /** First PUBLISH packets, without those sent again. */
  taken = 0;

  sendPublish(message: Message, _qos: number, _retain: boolean, dup: boolean): boolean {
    if (this.isBroken) throw new Error('broken');
    if (message.payloadLength > bytesMax) return false;
    if (!dup) this.taken++;
    return true;
  }

  sendPubrel(): void {}

  disconnect(): void {}
}

/** Numbers in [0, below) that look random and are the same for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function waitingIn(sessions: Iterable<Session>): number {
  let waiting = 0;
  for (const session of sessions) waiting += (session.outgoing?.queued ?? 0) + (session.queuedQos0?.length ?? 0);
  return waiting;
}

test.each([1, 2, 3, 4, 5, 6])('deliveries = sent + waiting + Σ dropped, after every step (seed %i)', (seed) => {
  const roll = dice(seed);
  const clock = new VirtualClock();
  const silent = { enabled: () => false, log: () => {} };
  const limits = { ...defaultLimits, maxQueuedMessages: 5, queueQos0Messages: seed % 2 === 0 };
  const broker = new Broker(clock, silent, createMemoryStore(), limits);
  const { engine } = broker;
  const clients = new Map<string, Client>();
  let taken = 0;
  const names = ['a', 'b', 'c', 'd', 'e'];
  const connect = (clientId: string): void => {
    const outlet = new Client();
    clients.set(clientId, outlet);
    const expiryIntervalSeconds = roll(3) === 0 ? 0 : neverExpires;
    const publisher = { clientId, username: null, listenerPort: 0 };
    const request = { publisher, cleanStart: roll(6) === 0, expiryIntervalSeconds, will: null, outlet };
    const { session, isPresent } = openSession(engine, request);
    if (!isPresent) {
      const options = { noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;
      subscribe(engine, session, parseTopicFilter('t') as TopicFilter, { ...options, qos: roll(3) as 0 | 1 | 2 });
    }
    resume(engine, session);
  };
  const leave = (session: Session): void => {
    taken += clients.get(session.clientId)?.taken ?? 0;
    clients.delete(session.clientId);
    leaveSession(engine, session, 'normal');
  };

  for (let step = 0; step < 4000; step++) {
    const clientId = names[roll(names.length)] as string;
    const session = engine.sessions.get(clientId);
    const client = clients.get(clientId);
    engine.nowMs = clock.nowMs();
    switch (roll(12)) {
      case 0:
        if (client === undefined) connect(clientId);
        break;
      case 1:
        if (client !== undefined && session !== undefined) leave(session);
        break;
      case 2:
        if (client !== undefined) client.isCongested = !client.isCongested;
        break;
      case 3:
        if (client !== undefined) client.isFull = !client.isFull;
        break;
      case 4:
        clock.advance(400);
        break;
      case 5:
        if (client !== undefined && roll(8) === 0) client.isBroken = !client.isBroken;
        break;
      case 6:
      case 7:
      case 8: {
        // The oldest that is under way is acknowledged, and the next may go.
        const { outgoing } = session ?? {};
        if (session === undefined || client === undefined || client.isBroken) break;
        if (outgoing && outgoing.inFlight > 0) finish(engine, session, outgoing.first);
        sendWaiting(engine, session);
        break;
      }
      default: {
        const route = routeOf(engine, 't');
        const message = createMessage(
          route.topic,
          { clientId: 'p', username: null, listenerPort: 0 },
          {
            payload: Buffer.alloc(roll(30) === 0 ? bytesMax + 1 : 10),
            qos: roll(3) as 0 | 1 | 2,
            expiresAtMs: roll(3) === 0 ? clock.nowMs() + 1000 : 0,
          },
        );
        publish(engine, message, route, null);
      }
    }
    const { stats } = engine;
    expect(broker.gauges().deliveriesWaiting, `step ${step}`).toBe(waitingIn(engine.sessions.values()));
    const takenNow = [...clients.values()].reduce((sum, one) => sum + one.taken, taken);
    expect(stats.deliveriesSent, `step ${step}`).toBe(takenNow);
  }

  const dropped = engine.stats.deliveriesDropped;
  expect(Object.keys(dropped)).toEqual(Object.keys(deliveryDrops));
  const common = ['queueFull', 'socketFull', 'tooLarge', 'expired', 'sessionEnded', 'fault'] as const;
  for (const reason of common) expect(dropped[reason], reason).toBeGreaterThan(0);
  expect(dropped.clientAway > 0).toBe(!limits.queueQos0Messages);
  expect(dropTotal(dropped) + engine.stats.deliveriesSent + waitingIn(engine.sessions.values())).toBe(
    engine.stats.deliveries,
  );
});
