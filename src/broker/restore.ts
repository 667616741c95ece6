/** Durable state into memory at start, and the whole of it out again for a snapshot. */
import { NumberTable } from '../base/number-table.ts';
import { type Message } from '../contracts/message.ts';
import { DeliveryState, type Fact, type SessionFact, type SubscriptionFact } from '../contracts/store.ts';
import { hold, release } from '../session/holding.ts';
import { Step } from '../session/outgoing.ts';
import { neverExpires, type Session } from '../session/session.ts';
import { parseTopicFilter } from '../topics/topic-filter.ts';
import type { Engine } from './engine.ts';
import { IdSet } from './id-set.ts';
import { scheduleLook } from './sessions.ts';
import { isSubscribed, subscribe, topicFilterOf } from './subscribe.ts';

const stepOf: Record<DeliveryState, Step> = {
  [DeliveryState.awaitingPuback]: Step.awaitingPuback,
  [DeliveryState.awaitingPubrec]: Step.awaitingPubrec,
  [DeliveryState.awaitingPubrel]: Step.none,
  [DeliveryState.awaitingPubcomp]: Step.awaitingPubcomp,
  [DeliveryState.queued]: Step.queued,
};

const stateOf: Record<Step, DeliveryState> = {
  [Step.none]: DeliveryState.queued,
  [Step.queued]: DeliveryState.queued,
  [Step.awaitingPuback]: DeliveryState.awaitingPuback,
  [Step.awaitingPubrec]: DeliveryState.awaitingPubrec,
  [Step.awaitingPubcomp]: DeliveryState.awaitingPubcomp,
};

/** What was restored, for the log. */
export interface Restored {
  sessions: number;
  subscriptions: number;
  messages: number;
  deliveries: number;
  retained: number;
}

/**
 * Reads the store's facts. Facts that refer to something that is not there are passed over: the store has said so already.
 *
 * @param endSession - called for a session whose time ran out while the broker was away
 */
export function restore(engine: Engine, newSession: (fact: SessionFact) => Session): Restored {
  const counts: Restored = { sessions: 0, subscriptions: 0, messages: 0, deliveries: 0, retained: 0 };
  const messages = new NumberTable<Message>();
  const lastSequences = new Map<Session, number>();
  for (const fact of engine.store.restore()) {
    switch (fact.kind) {
      case 'session': {
        const session = newSession(fact);
        session.expiryIntervalSeconds = fact.expiryIntervalSeconds;
        session.expiresAtMs = fact.expiresAtMs;
        if (fact.lastSequence > 0) lastSequences.set(session, fact.lastSequence);
        engine.sessions.set(fact.clientId, session);
        counts.sessions++;
        break;
      }
      case 'subscription':
        if (restoreSubscription(engine, fact)) counts.subscriptions++;
        break;
      case 'message':
        messages.set(fact.message.storeId, fact.message);
        engine.holdings.lastStoreId = Math.max(engine.holdings.lastStoreId, fact.message.storeId);
        counts.messages++;
        break;
      case 'delivery':
        if (restoreDelivery(engine, fact, messages.get(fact.storeId))) counts.deliveries++;
        break;
      case 'retained': {
        const message = messages.get(fact.storeId);
        if (message === undefined) break;
        hold(engine.holdings, message);
        const previous = engine.retained.set(message.topic.name, message);
        if (previous !== undefined) release(engine.holdings, previous);
        counts.retained++;
        break;
      }
      case 'will': {
        const session = engine.sessions.get(fact.clientId);
        if (session === undefined) break;
        session.will = { message: fact.message, delaySeconds: fact.delaySeconds };
        hold(engine.holdings, fact.message);
        // The connection ended with the process: the delay counts from now on.
        session.willDueAtMs = fact.dueAtMs !== 0 ? fact.dueAtMs : engine.nowMs + fact.delaySeconds * 1000;
        break;
      }
    }
  }
  for (const [session, lastSequence] of lastSequences) session.outgoingRing().restoreLastSequence(lastSequence);
  for (const session of engine.sessions.values()) {
    if (session.expiresAtMs === 0 && session.expiryIntervalSeconds !== neverExpires) {
      session.expiresAtMs = engine.nowMs + session.expiryIntervalSeconds * 1000;
    }
    scheduleLook(engine, session);
  }
  return counts;
}

function restoreSubscription(engine: Engine, fact: SubscriptionFact): boolean {
  const session = engine.sessions.get(fact.clientId);
  const topicFilter = parseTopicFilter(fact.filter);
  if (session === undefined || typeof topicFilter === 'string') return false;
  subscribe(engine, session, topicFilter, fact);
  return true;
}

function restoreDelivery(
  engine: Engine,
  fact: Extract<Fact, { kind: 'delivery' }>,
  message: Message | undefined,
): boolean {
  const session = engine.sessions.get(fact.clientId);
  if (session === undefined) return false;
  if (message === undefined && (fact.direction === 'in' || fact.state !== DeliveryState.awaitingPubcomp)) return false;
  if (message !== undefined) hold(engine.holdings, message);
  if (fact.direction === 'in') {
    session.receivedMessages().set(fact.sequence, message ?? null);
    return true;
  }
  const ids = fact.subscriptionIds.length === 0 ? null : fact.subscriptionIds;
  if (fact.qos === 0) {
    session.queuedQos0 ??= [];
    session.queuedQos0.push({ message: message as Message, retain: fact.retain, ids });
    session.queuedQos0Bytes += message?.payloadLength ?? 0;
    engine.stats.deliveries++;
    return true;
  }
  const held = fact.state === DeliveryState.awaitingPubcomp ? null : (message ?? null);
  if (held === null) release(engine.holdings, message ?? null);
  if (stepOf[fact.state] === Step.queued) engine.stats.deliveries++;
  session.outgoingRing().restore(fact.sequence, held, fact.qos, fact.retain, ids, stepOf[fact.state]);
  return true;
}

/**
 * The whole durable state, messages before what refers to them. It may be walked in pieces while the broker works: what is there
 * from beginning to end is told, what comes or goes meanwhile may be.
 */
export function* durableFacts(engine: Engine): Generator<Fact> {
  const told = new IdSet();
  for (const message of heldMessages(engine)) {
    if (told.add(message.storeId)) yield { kind: 'message', message };
  }
  for (const session of engine.sessions.values()) {
    if (session.isPersistent) yield* sessionFacts(engine, session, told);
  }
  for (const message of engine.retained.values()) {
    if (message.topic.name.startsWith('$SYS/')) continue;
    if (told.has(message.storeId)) yield { kind: 'retained', storeId: message.storeId };
  }
}

function* heldMessages(engine: Engine): Generator<Message> {
  for (const session of engine.sessions.values()) {
    if (!session.isPersistent) continue;
    const { outgoing } = session;
    for (let sequence = 0; outgoing !== null && sequence < outgoing.end; sequence++) {
      sequence = Math.max(sequence, outgoing.first);
      if (sequence >= outgoing.end || outgoing.step(sequence) === Step.none) continue;
      const message = outgoing.message(sequence);
      if (message !== null) yield message;
    }
    for (const { message } of keptQos0(session)) yield message;
    for (const [, message] of session.received?.entries() ?? []) {
      if (message !== null) yield message;
    }
  }
  for (const message of engine.retained.values()) {
    if (!message.topic.name.startsWith('$SYS/')) yield message;
  }
}

/** QoS 0 messages that wait for a client that is away; those on their way out are not stored, or they might come twice. */
function keptQos0({ outlet, queuedQos0 }: Session): NonNullable<Session['queuedQos0']> {
  return outlet === null && queuedQos0 !== null ? [...queuedQos0] : [];
}

/** @param told - messages that may be referred to; what refers to a later one was told to the store by itself */
function* sessionFacts(engine: Engine, session: Session, told: IdSet): Generator<Fact> {
  const { clientId, outgoing } = session;
  yield {
    kind: 'session',
    clientId,
    username: session.publisher.username,
    listenerPort: session.publisher.listenerPort,
    expiryIntervalSeconds: session.expiryIntervalSeconds,
    expiresAtMs: session.expiresAtMs,
    lastSequence: outgoing?.lastSequence ?? 0,
  };
  // A copy: places change while somebody walks. One that is gone by its turn has no filter any more.
  for (const subscription of [...session.subscriptions]) {
    if (!isSubscribed(session, subscription)) continue;
    const { qos, noLocal, retainAsPublished, retainHandling } = subscription;
    const filter = topicFilterOf(engine, subscription).text;
    const identifier = subscription.ids?.[0] ?? 0;
    yield { kind: 'subscription', clientId, filter, qos, noLocal, retainAsPublished, retainHandling, identifier };
  }
  for (const { message, retain, ids } of keptQos0(session)) {
    if (!told.has(message.storeId)) continue;
    yield deliveryFact(clientId, 'out', message, 0, 0, retain, false, DeliveryState.queued, ids);
  }
  for (let sequence = 0; outgoing !== null && sequence < outgoing.end; sequence++) {
    sequence = Math.max(sequence, outgoing.first);
    if (sequence >= outgoing.end) break;
    const step = outgoing.step(sequence);
    const message = outgoing.message(sequence);
    if (step === Step.none || (message !== null && !told.has(message.storeId))) continue;
    yield deliveryFact(
      clientId,
      'out',
      message,
      sequence,
      outgoing.qos(sequence),
      outgoing.retain(sequence),
      outgoing.dup(sequence),
      stateOf[step],
      outgoing.subscriptionIds(sequence),
    );
  }
  for (const [packetId, message] of session.received?.entries() ?? []) {
    if (message === null || !told.has(message.storeId)) continue;
    yield deliveryFact(clientId, 'in', message, packetId, 2, message.retain, false, DeliveryState.awaitingPubrel, null);
  }
  if (session.will !== null) {
    const { message, delaySeconds } = session.will;
    yield { kind: 'will', clientId, message, delaySeconds, dueAtMs: session.willDueAtMs };
  }
}

function deliveryFact(
  clientId: string,
  direction: 'in' | 'out',
  message: Message | null,
  sequence: number,
  qos: 0 | 1 | 2,
  retain: boolean,
  dup: boolean,
  state: DeliveryState,
  ids: readonly number[] | null,
): Fact {
  return {
    kind: 'delivery',
    clientId,
    direction,
    storeId: message?.storeId ?? 0,
    sequence,
    qos,
    retain,
    dup,
    state,
    subscriptionIds: ids ?? [],
  };
}
