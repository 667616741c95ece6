/**
 * The durable state put together from a snapshot and the records of the journal after it.
 *
 * Records are absolute (this is put, that is removed), so replaying some that the snapshot already contains changes nothing in
 * the end. What refers to a message or session that is missing, because a damaged record took it away, is passed over.
 */

import { NumberTable } from '../base/number-table.ts';
import type { Message } from '../contracts/message.ts';
import type { Fact, SessionFact, SubscriptionFact, WillFact } from '../contracts/store.ts';
import { DeliveryState } from '../contracts/store.ts';
import type { RecordSink } from './fact-codec.ts';

interface OutgoingDelivery {
  readonly message: Message | null;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  state: DeliveryState;
  readonly subscriptionIds: readonly number[];
}

interface SessionState {
  fact: SessionFact;
  lastSequence: number;
  /** No delivery with a higher number is known to have been sent. */
  sentUpTo: number;
  /** Topic Filter → subscription. */
  readonly subscriptions: Map<string, SubscriptionFact>;
  /** Sequence number → QoS 1 or 2 delivery. */
  readonly outgoing: NumberTable<OutgoingDelivery>;
  queuedQos0: OutgoingDelivery[];
  /** Store id → how often the snapshot has it among those; null when it has none. */
  snapshotQos0: Map<number, number> | null;
  /** Packet Identifier of the client → QoS 2 message that awaits PUBREL. */
  readonly received: Map<number, Message>;
  will: WillFact | null;
}

export class StateModel implements RecordSink {
  /** Store id → message, also of those that nothing refers to any more. */
  readonly #messages = new NumberTable<Message>();
  /** Client Identifier → session. */
  readonly #sessions = new Map<string, SessionState>();
  /** Topic Name → retained message. */
  readonly #retained = new Map<string, Message>();
  /** Records and facts that referred to something missing. */
  danglingCount = 0;

  /** Takes a fact of the snapshot. */
  add(fact: Fact): void {
    switch (fact.kind) {
      case 'message':
        this.message(fact.message);
        break;
      case 'session':
        this.sessionPut(fact);
        break;
      case 'subscription':
        this.subscriptionPut(fact);
        break;
      case 'delivery':
        this.#addDelivery(fact);
        break;
      case 'retained':
        this.retainedPut(fact.storeId);
        break;
      case 'will':
        this.willPut(fact);
        break;
    }
  }

  message(message: Message): void {
    this.#messages.set(message.storeId, message);
  }

  sessionPut(fact: SessionFact): void {
    const session = this.#sessions.get(fact.clientId);
    if (session === undefined) {
      this.#sessions.set(fact.clientId, {
        fact,
        lastSequence: fact.lastSequence,
        sentUpTo: 0,
        subscriptions: new Map(),
        outgoing: new NumberTable(),
        queuedQos0: [],
        snapshotQos0: null,
        received: new Map(),
        will: null,
      });
      return;
    }
    session.fact = fact;
    session.lastSequence = Math.max(session.lastSequence, fact.lastSequence);
  }

  sessionRemoved(clientId: string): void {
    this.#sessions.delete(clientId);
  }

  subscriptionPut(subscription: SubscriptionFact): void {
    this.#session(subscription.clientId)?.subscriptions.set(subscription.filter, subscription);
  }

  subscriptionRemoved(clientId: string, filter: string): void {
    this.#sessions.get(clientId)?.subscriptions.delete(filter);
  }

  deliveryPut(
    clientId: string,
    sequence: number,
    storeId: number,
    qos: 0 | 1 | 2,
    retain: boolean,
    subscriptionIds: readonly number[],
  ): void {
    const session = this.#session(clientId);
    if (session === null) return;
    session.lastSequence = Math.max(session.lastSequence, sequence);
    const message = this.#message(storeId);
    if (message === null) return;
    const delivery = { message, qos, retain, dup: false, state: DeliveryState.queued, subscriptionIds };
    if (sequence === 0 && isInSnapshot(session, storeId)) return;
    this.#putOutgoing(session, sequence, delivery);
  }

  deliveryReleased(clientId: string, sequence: number): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    session.sentUpTo = Math.max(session.sentUpTo, sequence);
    session.lastSequence = Math.max(session.lastSequence, sequence);
    // Put even when it is not there: the message may have been lost, the exchange is not.
    session.outgoing.set(sequence, {
      ...{
        message: null,
        qos: 2,
        retain: false,
        dup: false,
        state: DeliveryState.awaitingPubcomp,
        subscriptionIds: [],
      },
    });
  }

  deliveryRemoved(clientId: string, sequence: number): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    if (sequence === 0) {
      session.queuedQos0 = [];
      session.snapshotQos0 = null;
      return;
    }
    session.sentUpTo = Math.max(session.sentUpTo, sequence);
    // Of a delivery that came and went within one group only this is known.
    session.lastSequence = Math.max(session.lastSequence, sequence);
    session.outgoing.delete(sequence);
  }

  receivedPut(clientId: string, packetId: number, storeId: number): void {
    const message = this.#message(storeId);
    if (message !== null) this.#session(clientId)?.received.set(packetId, message);
  }

  receivedRemoved(clientId: string, packetId: number): void {
    this.#sessions.get(clientId)?.received.delete(packetId);
  }

  retainedPut(storeId: number): void {
    const message = this.#message(storeId);
    if (message !== null) this.#retained.set(message.topic.name, message);
  }

  retainedRemoved(topicName: string): void {
    this.#retained.delete(topicName);
  }

  willPut(will: WillFact): void {
    const session = this.#session(will.clientId);
    if (session !== null) session.will = will;
  }

  willRemoved(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session !== undefined) session.will = null;
  }

  /**
   * The state as facts, messages first.
   *
   * @param nowMs - messages that have expired by then are left out
   * @param isClean - the state is complete: nothing was sent after it was written. Else whatever was waiting may have been
   *   sent, and everything up to the last delivery known to have been sent was
   */
  *facts(nowMs: number, isClean: boolean): Generator<Fact> {
    yield* this.#wantedMessages(nowMs, isClean);
    for (const [clientId, session] of this.#sessions) {
      yield { ...session.fact, lastSequence: session.lastSequence };
      yield* session.subscriptions.values();
      for (const queued of session.queuedQos0) {
        if (!isOver(queued.message, nowMs)) yield outgoingFact(clientId, 0, queued, queued.state, false);
      }
      for (const [sequence, delivery] of session.outgoing.entries()) {
        const state = likelyState(session, sequence, delivery, isClean);
        if (state === DeliveryState.queued && isOver(delivery.message, nowMs)) continue;
        yield outgoingFact(clientId, sequence, delivery, state, delivery.dup || !isClean);
      }
      for (const [packetId, message] of session.received) yield receivedFact(clientId, packetId, message);
      if (session.will !== null) yield session.will;
    }
    for (const message of this.#retained.values()) {
      if (!isOver(message, nowMs)) yield { kind: 'retained', storeId: message.storeId };
    }
  }

  /** The messages that the facts refer to. */
  *#wantedMessages(nowMs: number, isClean: boolean): Generator<Fact> {
    // A message told twice is there twice under one id; usually there is none.
    const doubles = new Set<Message>();
    const want = (message: Message | null): void => {
      if (message === null) return;
      if (this.#messages.get(message.storeId) !== message) doubles.add(message);
      // Nobody holds it yet, so its count is free to mark it.
      message.references = 1;
    };
    for (const session of this.#sessions.values()) {
      for (const { message } of session.queuedQos0) if (!isOver(message, nowMs)) want(message);
      session.outgoing.forEach((delivery, sequence) => {
        const state = likelyState(session, sequence, delivery, isClean);
        if (state !== DeliveryState.queued || !isOver(delivery.message, nowMs)) want(delivery.message);
      });
      for (const message of session.received.values()) want(message);
    }
    for (const message of this.#retained.values()) if (!isOver(message, nowMs)) want(message);
    for (const message of doubles) {
      message.references = 0;
      yield { kind: 'message', message };
    }
    for (const [, message] of this.#messages.entries()) {
      if (message.references === 0) continue;
      message.references = 0;
      yield { kind: 'message', message };
    }
    this.#messages.clear();
  }

  #addDelivery(fact: Extract<Fact, { kind: 'delivery' }>): void {
    const session = this.#session(fact.clientId);
    if (session === null) return;
    const { sequence, qos, retain, dup, state, subscriptionIds } = fact;
    const message = state === DeliveryState.awaitingPubcomp ? null : this.#message(fact.storeId);
    if (message === null && state !== DeliveryState.awaitingPubcomp) return;
    if (fact.direction === 'in') {
      if (message !== null) session.received.set(sequence, message);
      return;
    }
    if (state !== DeliveryState.queued) session.sentUpTo = Math.max(session.sentUpTo, sequence);
    session.lastSequence = Math.max(session.lastSequence, sequence);
    if (sequence === 0) {
      session.snapshotQos0 ??= new Map();
      session.snapshotQos0.set(fact.storeId, (session.snapshotQos0.get(fact.storeId) ?? 0) + 1);
    }
    this.#putOutgoing(session, sequence, { message, qos, retain, dup, state, subscriptionIds });
  }

  #putOutgoing(session: SessionState, sequence: number, delivery: OutgoingDelivery): void {
    if (sequence === 0) session.queuedQos0.push(delivery);
    else session.outgoing.set(sequence, delivery);
  }

  #session(clientId: string): SessionState | null {
    const session = this.#sessions.get(clientId);
    if (session !== undefined) return session;
    this.danglingCount++;
    return null;
  }

  #message(storeId: number): Message | null {
    const message = this.#messages.get(storeId);
    if (message !== undefined) return message;
    this.danglingCount++;
    return null;
  }
}

/**
 * Whether the snapshot has the queued QoS 0 message already, which it may when it was written while the message came; each is
 * asked for once. These deliveries have no number by which putting them twice would show.
 */
function isInSnapshot(session: SessionState, storeId: number): boolean {
  const count = session.snapshotQos0?.get(storeId) ?? 0;
  if (count === 0) return false;
  session.snapshotQos0?.set(storeId, count - 1);
  return true;
}

function isOver(message: Message | null, nowMs: number): boolean {
  return message !== null && message.expiresAtMs !== 0 && message.expiresAtMs <= nowMs;
}

/**
 * What was sent has to be sent again, even when its time is over, so that both sides end the exchange; and deliveries are sent
 * in their order, so everything up to one known to have been sent was sent as well.
 */
function likelyState(
  session: SessionState,
  sequence: number,
  { state, qos }: OutgoingDelivery,
  isClean: boolean,
): DeliveryState {
  if (state !== DeliveryState.queued || isClean || sequence > session.sentUpTo) return state;
  return qos === 1 ? DeliveryState.awaitingPuback : DeliveryState.awaitingPubrec;
}

function outgoingFact(
  clientId: string,
  sequence: number,
  delivery: OutgoingDelivery,
  state: DeliveryState,
  dup: boolean,
): Fact {
  const { message, qos, retain, subscriptionIds } = delivery;
  const storeId = message?.storeId ?? 0;
  return { kind: 'delivery', clientId, direction: 'out', storeId, sequence, qos, retain, dup, state, subscriptionIds };
}

function receivedFact(clientId: string, packetId: number, message: Message): Fact {
  return {
    kind: 'delivery',
    clientId,
    direction: 'in',
    storeId: message.storeId,
    sequence: packetId,
    qos: 2,
    retain: message.retain,
    dup: false,
    state: DeliveryState.awaitingPubrel,
    subscriptionIds: [],
  };
}
