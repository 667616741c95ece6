import { describe, expect, test } from 'vitest';
import type { Rights } from '../contracts/authorizer.ts';
import { deliveryDrops } from '../contracts/drop-reason.ts';
import { createMessage, Message } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import type { Store } from '../contracts/store.ts';
import { Topic } from '../topics/topic.ts';
import { type DeliveryLimits, type DeliveryNeeds, deliver, finish } from './deliver.ts';
import { dropCounters } from './drop-counters.ts';
import { hold, newHoldings, release } from './holding.ts';
import { resume, sendCommitted, sendSlice, sendWaiting } from './send-waiting.ts';
import { Session } from './session.ts';
import { Subscription } from './subscription.ts';

const publisher = { clientId: 'p', username: null, listenerPort: 0 };
const topic = Topic.of('t');
const limits: DeliveryLimits = {
  maxInflightMessages: 20,
  maxInflightBytes: 0,
  maxQueuedMessages: 3,
  maxQueuedBytes: 0,
  queueQos0Messages: false,
  allSocketsBytesMax: 1000,
  allHeldBytesMax: 1_000_000,
  upgradeOutgoingQos: false,
  sliceDeliveries: 100,
};

/** A connection that writes down what it was asked to send. */
class Recorder implements Outlet {
  readonly sent: string[] = [];
  isCongested = false;
  isFull = false;
  receiveMaximum = 2;
  payloadBytesMax = 100;

  sendPublish(message: Message, qos: number, retain: boolean, dup: boolean, id: number, ids: readonly number[] | null) {
    if (message.payloadLength > this.payloadBytesMax) return false;
    const flags = `${dup ? 'd' : ''}${retain ? 'r' : ''}`;
    this.sent.push(
      `${message.payload} q${qos}${flags === '' ? '' : ` ${flags}`} #${id}${ids === null ? '' : ` ${ids}`}`,
    );
    return true;
  }

  sendPubrel(packetId: number): void {
    this.sent.push(`PUBREL #${packetId}`);
  }

  disconnect(): void {
    throw new Error('not expected');
  }
}

/** A store that writes down what it is told about deliveries. */
class Journal {
  readonly facts: string[] = [];
  position = 0;
  committed = 0;
  deliveryPut(_clientId: string, sequence: number, message: Message): void {
    this.facts.push(`put ${sequence} ${message.payload}`);
  }
  deliveryRemoved(_clientId: string, sequence: number): void {
    this.facts.push(`gone ${sequence}`);
  }
}

function world(changes: Partial<DeliveryLimits> = {}) {
  const journal = new Journal();
  const reported: string[] = [];
  const turns: Session[] = [];
  const needs: DeliveryNeeds & { nowMs: number; packetsOutBytes: number } = {
    limits: { ...limits, ...changes },
    stats: { publishDropped: 0, deliveries: 0, deliveriesSent: 0, deliveriesDropped: dropCounters(deliveryDrops) },
    packetsOutBytes: 0,
    holdings: newHoldings(),
    // Only the calls that deliveries make are there.
    store: journal as unknown as Store,
    awaitingCommit: new Set(),
    nowMs: 1000,
    takeTurns: (session) => void turns.push(session),
    reportDrops: (session) => {
      session.hasReportedDrops = true;
      reported.push(session.clientId);
    },
    denials: { report: (_session, _rights, action, topic) => void reported.push(`${action} ${topic}`) },
  };
  const session = new Session('c', publisher, () => 0);
  const outlet = new Recorder();
  session.outlet = outlet;
  return { needs, session, outlet, journal, reported, turns };
}

function subscription(
  session: Session,
  qos: 0 | 1 | 2,
  { retainAsPublished = false, ids = null }: Partial<Subscription> = {},
): Subscription {
  const made = new Subscription(session, null, 0);
  made.setOptions(qos, false, retainAsPublished, 0);
  made.ids = ids;
  return made;
}

function message(text: string, qos: 0 | 1 | 2, more: { retain?: boolean; expiresAtMs?: number } = {}): Message {
  return createMessage(topic, publisher, { payload: Buffer.from(text), qos, ...more });
}

describe('bounds of all sessions together', () => {
  test('a message that would be held above the bound is dropped, whoever it is for; a socket that keeps up gets it', () => {
    const { needs, session, outlet } = world({ allHeldBytesMax: 900, maxQueuedMessages: 100 });
    session.outlet = null;
    session.expiryIntervalSeconds = 100;
    // Each counts 400 bytes and its payload: 404, 808, 1212.
    for (let count = 0; count < 5; count++)
      deliver(needs, session, message('four', 1), subscription(session, 1), false);
    expect(session.outgoing?.queued).toBe(3);
    expect(needs.stats.deliveriesDropped.memoryFull).toBe(2);
    expect(needs.stats.publishDropped).toBe(2);

    const other = new Session('d', publisher, () => 0);
    other.outlet = outlet;
    deliver(needs, other, message('live', 1), subscription(other, 1), false);
    expect(outlet.sent).toEqual(['live q1 #1']);
  });

  test('what waits for an absent client, or far back for one that is there, lies in a block that is counted', () => {
    const { needs, session, outlet } = world({ maxQueuedMessages: 100 });
    const away = new Session('away', publisher, () => 0);
    away.expiryIntervalSeconds = 100;
    const isInSlab = (to: Session): boolean => {
      const one = message('text', 1);
      deliver(needs, to, one, subscription(to, 1), false);
      return one.slab !== null;
    };
    expect(isInSlab(away)).toBe(true);
    outlet.isCongested = true;
    const found = Array.from({ length: 20 }, () => isInSlab(session));
    expect(found.indexOf(true)).toBe(16);
  });

  test('one message that waits for many sessions counts once', () => {
    const { needs } = world({ allHeldBytesMax: 900 });
    const shared = message('four', 1);
    const sessions = Array.from({ length: 50 }, (_, index) => new Session(`c${index}`, publisher, () => 0));
    for (const one of sessions) {
      one.expiryIntervalSeconds = 100;
      deliver(needs, one, shared, subscription(one, 1), false);
    }
    expect(needs.holdings).toMatchObject({ count: 1, bytes: 4 });
    expect(needs.stats.deliveriesDropped.memoryFull).toBe(0);
  });

  test('QoS 0 to a full socket says whether it was full itself or all were', () => {
    const { needs, session, outlet } = world();
    outlet.isFull = true;
    deliver(needs, session, message('x', 0), subscription(session, 0), false);
    needs.packetsOutBytes = 1001;
    deliver(needs, session, message('x', 0), subscription(session, 0), false);
    expect(needs.stats.deliveriesDropped).toMatchObject({ socketFull: 1, memoryFull: 1 });
  });
});

describe('QoS, RETAIN and identifiers of a delivery', () => {
  test('v5 [MQTT-3.8.4-8] the lower QoS of message and subscription holds', () => {
    const { needs, session, outlet } = world();
    for (const [published, granted] of [
      [0, 2],
      [1, 2],
      [2, 1],
      [2, 0],
    ] as const) {
      deliver(needs, session, message(`${published}${granted}`, published), subscription(session, granted), false);
    }
    expect(outlet.sent).toEqual(['02 q0 #0', '12 q1 #1', '21 q1 #2', '20 q0 #0']);
  });

  test('with upgrade_outgoing_qos the subscription alone decides', () => {
    const { needs, session, outlet } = world({ upgradeOutgoingQos: true });
    deliver(needs, session, message('x', 0), subscription(session, 1), false);
    expect(outlet.sent).toEqual(['x q1 #1']);
  });

  test('v5 [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.3.1-8] RETAIN is kept when asked for, and set when it is a replay', () => {
    const { needs, session, outlet } = world();
    const retained = message('x', 0, { retain: true });
    deliver(needs, session, retained, subscription(session, 0), false);
    deliver(needs, session, retained, subscription(session, 0, { retainAsPublished: true }), false);
    deliver(needs, session, message('y', 0), subscription(session, 0, { retainAsPublished: true }), false);
    deliver(needs, session, retained, subscription(session, 0), true);
    expect(outlet.sent).toEqual(['x q0 #0', 'x q0 r #0', 'y q0 #0', 'x q0 r #0']);
  });

  test('v5 [MQTT-3.3.4-3] Subscription Identifiers go along', () => {
    const { needs, session, outlet } = world();
    deliver(needs, session, message('x', 1), subscription(session, 1, { ids: [5] }), false);
    expect(outlet.sent).toEqual(['x q1 #1 5']);
  });
});

describe('QoS 0', () => {
  test('is dropped, and the drop counted and reported once, when the socket is full', () => {
    const { needs, session, outlet, reported } = world();
    outlet.isFull = true;
    deliver(needs, session, message('a', 0), subscription(session, 0), false);
    deliver(needs, session, message('b', 0), subscription(session, 0), false);
    outlet.isFull = false;
    deliver(needs, session, message('c', 0), subscription(session, 0), false);
    expect(outlet.sent).toEqual(['c q0 #0']);
    expect(needs.stats.publishDropped).toBe(2);
    expect(reported).toEqual(['c']);
  });

  test('is not for absent clients, unless queue_qos0_messages says so', () => {
    for (const queueQos0Messages of [false, true]) {
      const { needs, session, outlet, journal } = world({ queueQos0Messages });
      session.expiryIntervalSeconds = 60;
      session.outlet = null;
      deliver(needs, session, message('a', 0), subscription(session, 0, { ids: [3] }), false);
      deliver(needs, session, message('gone', 0, { expiresAtMs: 1500 }), subscription(session, 0), false);
      needs.nowMs = 2000;
      session.outlet = outlet;
      resume(needs, session);
      expect(outlet.sent).toEqual(queueQos0Messages ? ['a q0 #0 3'] : []);
      expect(journal.facts).toEqual(queueQos0Messages ? ['put 0 a', 'put 0 gone', 'gone 0'] : []);
      expect(needs.holdings.count).toBe(0);
    }
  });

  test('queued for an absent client counts against the limit', () => {
    const { needs, session } = world({ queueQos0Messages: true });
    session.expiryIntervalSeconds = 60;
    session.outlet = null;
    for (const text of ['a', 'b', 'c', 'd']) deliver(needs, session, message(text, 0), subscription(session, 0), false);
    expect(session.queuedQos0).toHaveLength(3);
    expect(needs.stats.publishDropped).toBe(1);
  });

  test('queued for an absent client counts against the byte limit, before there is any other delivery', () => {
    const { needs, session, reported } = world({ queueQos0Messages: true, maxQueuedBytes: 4 });
    session.expiryIntervalSeconds = 60;
    session.outlet = null;
    for (const text of ['ab', 'cd', 'ef']) deliver(needs, session, message(text, 0), subscription(session, 0), false);
    expect([session.queuedQos0?.length, session.queuedQos0Bytes, session.outgoing]).toEqual([2, 4, null]);
    expect([needs.stats.publishDropped, reported]).toEqual([1, ['c']]);
  });

  test('is not queued for a session that ends with its connection', () => {
    const { needs, session } = world({ queueQos0Messages: true });
    session.outlet = null;
    deliver(needs, session, message('a', 0), subscription(session, 0), false);
    expect(session.queuedQos0).toBeNull();
  });
});

describe('QoS 1 and 2', () => {
  test('v5 [MQTT-3.3.4-9] wait when the window is full and follow in order when it opens', () => {
    const { needs, session, outlet } = world();
    for (const text of ['a', 'b', 'c', 'd']) deliver(needs, session, message(text, 1), subscription(session, 1), false);
    expect(outlet.sent).toEqual(['a q1 #1', 'b q1 #2']);
    finish(needs, session, 2);
    sendWaiting(needs, session);
    finish(needs, session, 1);
    sendWaiting(needs, session);
    expect(outlet.sent.slice(2)).toEqual(['c q1 #3', 'd q1 #4']);
  });

  test('over the limit the newest is dropped', () => {
    const { needs, session, reported } = world();
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      deliver(needs, session, message(text, 1), subscription(session, 1), false);
    }
    expect(session.outgoing?.queued).toBe(3);
    expect(needs.stats.publishDropped).toBe(2);
    expect(reported).toEqual(['c']);
  });

  test('the byte limit of the queue holds as well', () => {
    const { needs, session } = world({ maxQueuedMessages: 0, maxQueuedBytes: 5 });
    session.outlet = null;
    session.expiryIntervalSeconds = 60;
    for (const text of ['abc', 'de', 'f']) deliver(needs, session, message(text, 1), subscription(session, 1), false);
    expect(session.outgoing?.queuedBytes).toBe(5);
    expect(needs.stats.publishDropped).toBe(1);
  });

  test('max_inflight_bytes lets one message through and holds the next back', () => {
    const { needs, session, outlet } = world({ maxInflightBytes: 4 });
    session.expiryIntervalSeconds = 60;
    for (const text of ['abcdef', 'gh', 'ij'])
      deliver(needs, session, message(text, 1), subscription(session, 1), false);
    expect(outlet.sent).toEqual(['abcdef q1 #1']);
    finish(needs, session, 1);
    sendWaiting(needs, session);
    expect(outlet.sent.slice(1)).toEqual(['gh q1 #2', 'ij q1 #3']);
  });

  test('wait in the session while the socket is congested', () => {
    const { needs, session, outlet } = world();
    outlet.isCongested = true;
    deliver(needs, session, message('a', 1), subscription(session, 1), false);
    sendWaiting(needs, session);
    expect(outlet.sent).toEqual([]);
    outlet.isCongested = false;
    sendWaiting(needs, session);
    expect(outlet.sent).toEqual(['a q1 #1']);
  });

  test('v5 [MQTT-3.1.2-25] too large for the receiver are done, and the window stays open', () => {
    const { needs, session, outlet } = world();
    outlet.payloadBytesMax = 1;
    outlet.receiveMaximum = 1;
    deliver(needs, session, message('too large', 1), subscription(session, 1), false);
    deliver(needs, session, message('a', 1), subscription(session, 1), false);
    deliver(needs, session, message('also too large', 1), subscription(session, 1), false);
    deliver(needs, session, message('b', 1), subscription(session, 1), false);
    finish(needs, session, 2);
    sendWaiting(needs, session);
    expect(outlet.sent).toEqual(['a q1 #2', 'b q1 #4']);
    expect(needs.holdings.count).toBe(0 + 1);
  });

  test('v5 [MQTT-3.3.2-5] expired before they were sent are dropped and use up their identifier', () => {
    const { needs, session, outlet, journal } = world();
    session.expiryIntervalSeconds = 60;
    session.outlet = null;
    deliver(needs, session, message('a', 1, { expiresAtMs: 1500 }), subscription(session, 1), false);
    deliver(needs, session, message('b', 1), subscription(session, 1), false);
    needs.nowMs = 1500;
    session.outlet = outlet;
    resume(needs, session);
    expect(outlet.sent).toEqual(['b q1 #2']);
    expect(journal.facts).toEqual(['put 1 a', 'put 2 b', 'gone 1']);
  });

  test('of a session that ends with its connection are neither held nor stored', () => {
    const { needs, session, journal } = world();
    deliver(needs, session, message('a', 1), subscription(session, 1), false);
    expect(needs.holdings.count).toBe(0);
    expect(journal.facts).toEqual([]);
  });

  test('of a session that is kept are held once, however many hold them', () => {
    const { needs, session, journal } = world();
    session.expiryIntervalSeconds = 60;
    const shared = message('abc', 1);
    deliver(needs, session, shared, subscription(session, 1), false);
    deliver(needs, session, shared, subscription(session, 1), false);
    expect(needs.holdings).toMatchObject({ count: 1, bytes: 3, lastStoreId: 1 });
    finish(needs, session, 1);
    finish(needs, session, 2);
    expect(needs.holdings).toMatchObject({ count: 0, bytes: 0, lastStoreId: 1 });
    expect(journal.facts).toEqual(['put 1 abc', 'put 2 abc', 'gone 1', 'gone 2']);
  });
});

describe('after a reconnect', () => {
  test('v5 [MQTT-4.4.0-1] [MQTT-4.6.0-5] what was under way comes again first, with DUP and its identifier, then what waits', () => {
    const { needs, session, outlet } = world();
    session.expiryIntervalSeconds = 60;
    outlet.receiveMaximum = 3;
    for (const [text, qos] of [
      ['a', 1],
      ['b', 2],
      ['c', 2],
      ['d', 1],
    ] as const) {
      deliver(needs, session, message(text, qos), subscription(session, 2), false);
    }
    session.outgoing?.released(2);
    session.outlet = null;
    session.outgoing?.interrupted();
    const fresh = new Recorder();
    fresh.receiveMaximum = 4;
    session.outlet = fresh;
    resume(needs, session);
    expect(fresh.sent).toEqual(['a q1 d #1', 'PUBREL #2', 'c q2 d #3', 'd q1 #4']);
  });

  test('v5 [MQTT-3.1.2-24] a repeat that the new connection cannot take is done', () => {
    const { needs, session } = world();
    session.expiryIntervalSeconds = 60;
    deliver(needs, session, message('large', 1), subscription(session, 1), false);
    deliver(needs, session, message('x', 1), subscription(session, 1), false);
    finish(needs, session, 2);
    deliver(needs, session, message('y', 1), subscription(session, 1), false);
    const fresh = new Recorder();
    fresh.payloadBytesMax = 1;
    session.outlet = fresh;
    resume(needs, session);
    expect(fresh.sent).toEqual(['y q1 #3']);
    expect(session.outgoing?.find(1)).toBe(0);
  });

  describe('of a client that takes less at a time than before', () => {
    /** `a` to `d` of QoS 2 under way, `e` waiting; then a connection that takes `receiveMaximum` at a time. */
    function comeBack(receiveMaximum: number) {
      const parts = world();
      const { needs, session } = parts;
      session.expiryIntervalSeconds = 60;
      parts.outlet.receiveMaximum = 4;
      for (const text of 'abcde') deliver(needs, session, message(text, 2), subscription(session, 2), false);
      session.outlet = null;
      const { outgoing } = session;
      if (outgoing === null) throw new Error('nothing was delivered');
      outgoing.interrupted();
      const fresh = new Recorder();
      fresh.receiveMaximum = receiveMaximum;
      session.outlet = fresh;
      return { ...parts, outgoing, fresh };
    }

    test('v5 [MQTT-3.3.4-9] [MQTT-4.9.0-2] the rest is held back and follows in order, before what waits', () => {
      const { needs, session, fresh } = comeBack(2);
      resume(needs, session);
      expect(fresh.sent).toEqual(['a q2 d #1', 'b q2 d #2']);
      deliver(needs, session, message('f', 2), subscription(session, 2), false);
      for (const sequence of [1, 2, 3, 4, 5]) {
        finish(needs, session, sequence);
        sendWaiting(needs, session);
      }
      expect(fresh.sent.slice(2)).toEqual(['c q2 d #3', 'd q2 d #4', 'e q2 #5', 'f q2 #6']);
    });

    test('an acknowledgement of what is held back ends it, or goes on with it', () => {
      const { needs, session, outgoing, fresh } = comeBack(1);
      resume(needs, session);
      expect(outgoing.heldBack).toBe(3);
      finish(needs, session, 2);
      expect(outgoing.released(3)?.payload.toString()).toBe('c');
      expect(outgoing.heldBack).toBe(1);
      finish(needs, session, 1);
      sendWaiting(needs, session);
      expect(fresh.sent).toEqual(['a q2 d #1']); // `c` awaits its PUBCOMP and takes the place
      finish(needs, session, 3);
      sendWaiting(needs, session);
      expect(fresh.sent.slice(1)).toEqual(['d q2 d #4']);
    });

    test('PUBREL is not held back', () => {
      const { needs, session, outgoing, fresh } = comeBack(2);
      outgoing.released(4);
      resume(needs, session);
      expect(fresh.sent).toEqual(['a q2 d #1', 'PUBREL #4']);
    });

    test('a connection after that begins with all of them', () => {
      const { needs, session, outgoing } = comeBack(1);
      resume(needs, session);
      outgoing.interrupted();
      expect(outgoing.heldBack).toBe(0);
      const roomy = new Recorder();
      roomy.receiveMaximum = 10;
      session.outlet = roomy;
      resume(needs, session);
      expect(roomy.sent).toEqual(['a q2 d #1', 'b q2 d #2', 'c q2 d #3', 'd q2 d #4', 'e q2 #5']);
      expect(outgoing.heldBack).toBe(0);
    });

    test('what is held back is judged by the rights of the moment it is sent', () => {
      const { needs, session, fresh, reported } = comeBack(1);
      resume(needs, session);
      session.rights = { decide: () => -1, describe: () => 'no' };
      session.mustRecheck = true;
      finish(needs, session, 1);
      sendWaiting(needs, session);
      expect(fresh.sent).toEqual(['a q2 d #1']);
      expect(reported).toHaveLength(4);
    });

    test('v5 [MQTT-3.1.2-24] one that is too large by now does not stop those behind it', () => {
      const { needs, session, fresh } = comeBack(1);
      fresh.payloadBytesMax = 0;
      resume(needs, session);
      expect(fresh.sent).toEqual([]);
      expect(needs.holdings.count).toBe(0);
    });
  });

  describe('of a client whose rights are others by then', () => {
    const denyB: Rights = { decide: (_action, name) => (name === 'b' ? -1 : 1), describe: () => 'no' };

    function about(name: string, text: string, qos: 0 | 1 | 2): Message {
      return createMessage(Topic.of(name), publisher, { payload: Buffer.from(text), qos });
    }

    /** Deliveries 1 to 4 under way (2 done, 3 released) and 5, 6 waiting; half of each kind is about `b`. */
    function absent() {
      const parts = world({ queueQos0Messages: true, maxQueuedMessages: 10 });
      const { needs, session, outlet } = parts;
      session.expiryIntervalSeconds = 60;
      outlet.receiveMaximum = 4;
      for (const [name, text] of ['a1', 'a2', 'b3', 'b4'].map((text) => [text[0] as string, text] as const)) {
        deliver(needs, session, about(name, text, 2), subscription(session, 2), false);
      }
      finish(needs, session, 2);
      session.outgoing?.released(3);
      session.outlet = null;
      for (const text of ['a5', 'b6'])
        deliver(needs, session, about(text[0] as string, text, 1), subscription(session, 2), false);
      for (const text of ['b7', 'a8'])
        deliver(needs, session, about(text[0] as string, text, 0), subscription(session, 0), false);
      session.outgoing?.interrupted();
      const fresh = new Recorder();
      fresh.receiveMaximum = 4;
      session.outlet = fresh;
      session.mustRecheck = true;
      return { ...parts, fresh };
    }

    test('what it may not read any more is given up, and told; an exchange that only needs PUBREL ends as it began', () => {
      const { needs, session, fresh, reported } = absent();
      session.rights = denyB;
      resume(needs, session);
      expect(fresh.sent).toEqual(['a1 q2 d #1', 'PUBREL #3', 'a5 q1 #5', 'a8 q0 #0']);
      expect(reported).toEqual(['receive b', 'receive b', 'receive b']);
      expect(session.queuedQos0Bytes).toBe(0);
      expect(session.mustRecheck).toBe(false);
    });

    test('without rules everything comes', () => {
      const { needs, session, fresh, reported } = absent();
      session.rights = null;
      resume(needs, session);
      expect(fresh.sent).toEqual(['a1 q2 d #1', 'PUBREL #3', 'b4 q2 d #4', 'a5 q1 #5', 'b7 q0 #0', 'a8 q0 #0']);
      expect(reported).toEqual([]);
    });

    test('only QoS 0 messages may be there to judge', () => {
      const { needs, session, outlet, reported } = world({ queueQos0Messages: true });
      session.expiryIntervalSeconds = 60;
      session.outlet = null;
      for (const name of ['a', 'b']) deliver(needs, session, about(name, name, 0), subscription(session, 0), false);
      session.outlet = outlet;
      session.rights = denyB;
      session.mustRecheck = true;
      resume(needs, session);
      expect(outlet.sent).toEqual(['a q0 #0']);
      expect(reported).toEqual(['receive b']);
      expect(needs.holdings).toMatchObject({ count: 0, bytes: 0 });
    });

    test('nothing is sent before it was judged, also without a reconnect', () => {
      const { needs, session, outlet, reported } = world();
      outlet.receiveMaximum = 1;
      for (const text of ['b1', 'b2', 'a3'])
        deliver(needs, session, about(text[0] as string, text, 1), subscription(session, 1), false);
      session.rights = denyB;
      session.mustRecheck = true;
      finish(needs, session, 1);
      sendWaiting(needs, session);
      expect(outlet.sent).toEqual(['b1 q1 #1', 'a3 q1 #3']);
      expect(reported).toEqual(['receive b']);
    });
  });

  test('nothing happens without a connection or without deliveries', () => {
    const { needs, session, outlet } = world();
    resume(needs, session);
    sendWaiting(needs, session);
    session.outlet = null;
    resume(needs, session);
    sendWaiting(needs, session);
    expect(outlet.sent).toEqual([]);
  });
});

test('v5 [MQTT-4.3.3-10] QoS 2 is not sent before the store has it; QoS 1 is', () => {
  const { needs, session, outlet, journal } = world();
  session.expiryIntervalSeconds = 60;
  outlet.receiveMaximum = 10;
  journal.position = 5;
  deliver(needs, session, message('one', 1), subscription(session, 2), false);
  deliver(needs, session, message('two', 2), subscription(session, 2), false);
  expect(outlet.sent).toEqual(['one q1 #1']);
  journal.position = 7;
  deliver(needs, session, message('three', 2), subscription(session, 2), false);
  journal.committed = 5;
  sendCommitted(needs, session);
  expect(outlet.sent.slice(1)).toEqual(['two q2 #2']);
  expect(needs.awaitingCommit.size).toBe(1);
  journal.committed = 6;
  sendCommitted(needs, session);
  sendWaiting(needs, session);
  expect(outlet.sent.slice(2)).toEqual([]);
  journal.committed = 7;
  sendCommitted(needs, session);
  expect(outlet.sent.slice(2)).toEqual(['three q2 #3']);
  expect(needs.awaitingCommit.size).toBe(0);
});

test('a session that waits for nothing is not disturbed when the store is safe', () => {
  const { needs, session, outlet } = world();
  sendCommitted(needs, session);
  expect(outlet.sent).toEqual([]);
});

test('v5 [MQTT-4.3.3-10] a message that was let go and is held again is the same one to the store', () => {
  const holdings = newHoldings();
  const [one, other] = [message('one', 1), message('other', 1)];
  hold(holdings, one);
  release(holdings, one);
  hold(holdings, other);
  hold(holdings, one);
  expect([one.storeId, other.storeId]).toEqual([1, 2]);
  expect(holdings).toMatchObject({ count: 2, bytes: 8, lastStoreId: 2 });
});

test('the wheel asks whoever made the session when to look again', () => {
  const asked: Session[] = [];
  const session = new Session('c', publisher, (due) => {
    asked.push(due);
    return 17;
  });
  expect(session.onWheel()).toBe(17);
  expect(asked).toEqual([session]);
});

test('a transient message is copied once, however many sessions keep it', () => {
  const { needs, session } = world();
  session.expiryIntervalSeconds = 60;
  const transient = new Message(topic, publisher);
  transient.setHeader(1, false, 0, 0);
  transient.payloadSource = Buffer.from('xxabcxx');
  transient.payloadStart = 2;
  transient.payloadEnd = 5;
  deliver(needs, session, transient, subscription(session, 1), false);
  deliver(needs, session, transient, subscription(session, 1), false);
  transient.payloadSource.fill(0);
  const kept = session.outgoing?.message(1);
  expect(kept?.payload.toString()).toBe('abc');
  expect(session.outgoing?.message(2)).toBe(kept);
});

describe('a slice at a time', () => {
  /** A session that is away, kept, and has as many QoS 1 messages waiting as asked for; ten are sent in a row. */
  function absent(count: number, changes: Partial<DeliveryLimits> = {}) {
    const parts = world({ sliceDeliveries: 10, maxQueuedMessages: 1000, queueQos0Messages: true, ...changes });
    const { needs, session, turns } = parts;
    session.outlet = null;
    session.expiryIntervalSeconds = 100;
    const queue = (text: string, qos: 0 | 1 | 2 = 1) =>
      deliver(needs, session, message(text, qos), subscription(session, 2), false);
    for (let index = 1; index <= count; index++) queue(`${index}`);
    const comeBack = (receiveMaximum = 65_535) => {
      const fresh = new Recorder();
      fresh.receiveMaximum = receiveMaximum;
      session.outlet = fresh;
      resume(needs, session);
      return fresh;
    };
    const leave = () => {
      session.outlet = null;
      session.outgoing?.interrupted();
    };
    /** The turn of the session, when it takes any. */
    const turn = (): boolean => {
      if (turns.length === 0) return false;
      expect(turns.splice(0)).toEqual([session]);
      session.isTakingTurns = sendSlice(needs, session);
      if (session.isTakingTurns) turns.push(session);
      return session.isTakingTurns;
    };
    return { ...parts, queue, comeBack, leave, turn };
  }
  const sent = (from: number, to: number, dup = ''): string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => `${from + index} q1${dup} #${from + index}`);

  test('a long queue goes out in order, never more than a slice between two turns', () => {
    const { session, comeBack, turn, turns } = absent(35);
    const fresh = comeBack();
    const counts = [fresh.sent.length];
    while (turn()) counts.push(fresh.sent.length);
    expect(counts).toEqual([10, 20, 30]);
    expect(fresh.sent).toEqual(sent(1, 35));
    expect([session.isTakingTurns, turns]).toEqual([false, []]);
  });

  test('a queue that fits into one takes no turns', () => {
    const { session, comeBack, turns } = absent(9);
    expect(comeBack().sent).toEqual(sent(1, 9));
    expect([session.isTakingTurns, turns]).toEqual([false, []]);
  });

  test('large messages count for more: half a KiB as much as a delivery', () => {
    const { queue, comeBack, turn } = absent(0, { maxQueuedBytes: 0 });
    for (let index = 0; index < 5; index++) queue('x'.repeat(2048));
    const fresh = comeBack();
    fresh.payloadBytesMax = 5000;
    fresh.sent.length = 0;
    // The first two were dropped as too large, and have used up the slice as well.
    turn();
    expect(fresh.sent).toHaveLength(2);
    turn();
    expect(fresh.sent).toHaveLength(3);
  });

  test('acknowledgements in between start nothing of their own, and what is published in between comes last', () => {
    const { needs, session, queue, comeBack, turn } = absent(25);
    const fresh = comeBack();
    for (let sequence = 1; sequence <= 10; sequence++) {
      finish(needs, session, sequence);
      sendWaiting(needs, session);
    }
    queue('26');
    expect(fresh.sent).toEqual(sent(1, 10));
    while (turn());
    expect(fresh.sent).toEqual(sent(1, 26));
  });

  test('[MQTT-3.3.4-9] a window that fills up ends the turns; acknowledgements go on from there', () => {
    const { needs, session, comeBack, turn } = absent(30);
    const fresh = comeBack(15);
    while (turn());
    expect(fresh.sent).toEqual(sent(1, 15));
    expect(session.isTakingTurns).toBe(false);
    for (let sequence = 1; sequence <= 12; sequence++) {
      finish(needs, session, sequence);
      sendWaiting(needs, session);
    }
    expect(fresh.sent).toEqual(sent(1, 27));
  });

  test('a message that is larger than a slice and has no room in the window does not make the session spin', () => {
    const { session, queue, comeBack, turn } = absent(0, { maxInflightBytes: 100 });
    for (let index = 0; index < 2; index++) queue('x'.repeat(9000));
    const fresh = comeBack();
    fresh.payloadBytesMax = 10_000;
    queue('y'.repeat(90));
    queue('z'.repeat(9000));
    while (turn());
    expect(fresh.sent).toHaveLength(1);
    expect(session.isTakingTurns).toBe(false);
  });

  test('a socket that is congested ends the turns, its drain goes on', () => {
    const { needs, session, comeBack, turn } = absent(30);
    const fresh = comeBack();
    fresh.isCongested = true;
    while (turn());
    expect([fresh.sent.length, session.isTakingTurns]).toEqual([10, false]);
    fresh.isCongested = false;
    sendWaiting(needs, session);
    while (turn());
    expect(fresh.sent).toEqual(sent(1, 30));
  });

  test('[MQTT-4.4.0-1] [MQTT-4.6.0-5] a disconnect in the middle: what was sent comes again first, with DUP, a slice at a time', () => {
    const { queue, comeBack, leave, turn } = absent(45);
    comeBack();
    turn();
    turn(); // 30 are under way
    leave();
    expect(turn()).toBe(false);
    const fresh = comeBack();
    queue('46');
    const counts = [fresh.sent.length];
    while (turn()) counts.push(fresh.sent.length);
    expect(counts).toEqual([10, 20, 30, 40]);
    expect(fresh.sent).toEqual([...sent(1, 30, ' d'), ...sent(31, 46)]);
  });

  test('a connection that takes over before the next turn is the one that gets the rest', () => {
    const { comeBack, leave, turn } = absent(25);
    const old = comeBack();
    leave();
    const fresh = comeBack();
    while (turn());
    expect(old.sent).toEqual(sent(1, 10));
    expect(fresh.sent).toEqual([...sent(1, 10, ' d'), ...sent(11, 25)]);
  });

  test('PUBREL keeps its place among what comes again, and what is published then waits for all of it', () => {
    const { needs, session, comeBack, leave, turn, queue } = absent(0);
    for (let index = 1; index <= 25; index++) queue(`${index}`, 2);
    comeBack();
    while (turn());
    for (const sequence of [3, 18]) {
      release(needs.holdings, session.outgoing?.released(sequence) ?? null);
    }
    leave();
    const fresh = comeBack();
    queue('26', 2);
    while (turn());
    expect(fresh.sent).toEqual(
      Array.from({ length: 26 }, (_, index) => index + 1).map((each) =>
        each === 3 || each === 18 ? `PUBREL #${each}` : `${each} q2${each < 26 ? ' d' : ''} #${each}`,
      ),
    );
  });

  test('[MQTT-4.9.0-2] room that an acknowledgement makes between two slices is for the oldest that waits', () => {
    const { needs, session, comeBack, leave, turn, queue } = absent(0);
    for (let index = 1; index <= 40; index++) queue(`${index}`, 2);
    comeBack();
    while (turn());
    for (let sequence = 5; sequence <= 30; sequence++) {
      release(needs.holdings, session.outgoing?.released(sequence) ?? null);
    }
    leave();
    // 26 have their PUBREL coming and count, two more fill the window; PUBREL does not wait, and takes more than a slice.
    const fresh = comeBack(28);
    const again = () => fresh.sent.filter((packet) => !packet.startsWith('PUBREL'));
    expect(fresh.sent).toHaveLength(10);
    finish(needs, session, 1);
    sendWaiting(needs, session);
    while (turn());
    expect(fresh.sent).toHaveLength(2 + 26 + 1);
    expect(again()).toEqual(['1 q2 d #1', '2 q2 d #2', '3 q2 d #3']);
    for (const sequence of [5, 6, 2]) {
      finish(needs, session, sequence);
      sendWaiting(needs, session);
    }
    expect(again().slice(3)).toEqual(['4 q2 d #4', '31 q2 d #31', '32 q2 d #32']);
  });

  test('QoS 0 messages that were queued go out in order, and those that come meanwhile behind them', () => {
    const { needs, session, queue, comeBack, turn, journal } = absent(0);
    for (let index = 1; index <= 25; index++) queue(`${index}`, 0);
    journal.facts.length = 0;
    const fresh = comeBack();
    queue('26', 0);
    expect(session.queuedQos0Bytes).toBe(2 * 16);
    while (turn());
    queue('27', 0);
    expect(fresh.sent).toEqual(Array.from({ length: 27 }, (_, index) => `${index + 1} q0 #0`));
    // At most once: the store let go of them before the first was sent, and is not told of those that came meanwhile.
    expect(journal.facts).toEqual(['gone 0']);
    expect([session.queuedQos0, session.queuedQos0Bytes, needs.holdings.count]).toEqual([null, 0, 0]);
  });

  test('QoS 0 messages that come meanwhile obey the bounds of the queue', () => {
    const { needs, session, queue, comeBack, turn } = absent(0, { maxQueuedMessages: 20 });
    for (let index = 1; index <= 20; index++) queue(`${index}`, 0);
    const fresh = comeBack();
    for (let index = 21; index <= 40; index++) queue(`${index}`, 0);
    expect(session.queuedQos0).toHaveLength(20);
    expect(needs.stats.deliveriesDropped.queueFull).toBe(10);
    while (turn());
    expect(fresh.sent).toHaveLength(30);
  });

  test('rights that change between two slices judge what is left', () => {
    const { session, comeBack, turn, reported } = absent(15);
    const fresh = comeBack();
    session.rights = { decide: () => -1, describe: () => 'no' };
    session.mustRecheck = true;
    while (turn());
    expect(fresh.sent).toEqual(sent(1, 10));
    expect(reported).toHaveLength(5);
    expect(session.mustRecheck).toBe(false);
  });

  test('[MQTT-3.3.2-5] time that goes by between two slices counts', () => {
    const { needs, session, queue, comeBack, turn } = absent(12);
    deliver(needs, session, message('old', 1, { expiresAtMs: 1500 }), subscription(session, 1), false);
    queue('14');
    const fresh = comeBack();
    needs.nowMs = 1500;
    while (turn());
    expect(fresh.sent).toEqual([...sent(1, 12), ...sent(14, 14)]);
    expect(needs.stats.deliveriesDropped.expired).toBe(1);
  });

  test('[MQTT-4.3.3-10] QoS 2 that the store has not made safe waits, between two slices as well', () => {
    const { needs, session, queue, comeBack, turn, journal } = absent(12);
    journal.position = 7;
    queue('13', 2);
    const fresh = comeBack();
    while (turn());
    expect(fresh.sent).toEqual(sent(1, 12));
    expect(session.isTakingTurns).toBe(false);
    journal.committed = 7;
    sendCommitted(needs, session);
    expect(fresh.sent.slice(12)).toEqual(['13 q2 #13']);
  });
});
