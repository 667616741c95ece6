/**
 * A broker's durable state without a broker: it does operations by chance, tells a store as the engine does, and knows what must
 * be there afterwards. It is written apart from the store's own model of the state, so that both can be held against each other.
 */
import type { Message } from '../../src/contracts/message.ts';
import { createMessage } from '../../src/contracts/message.ts';
import type { DeliveryFact, Fact, SessionFact, Store, SubscriptionFact, WillFact } from '../../src/contracts/store.ts';
import { Topic } from '../../src/topics/topic.ts';
import type { Random } from './random.ts';

type Verbs = Omit<Store, 'position' | 'committed' | 'onCommitted' | 'restore' | 'attach' | 'snapshot' | 'close'>;

interface Session {
  fact: SessionFact;
  subscriptions: Map<string, SubscriptionFact>;
  queuedQos0: { message: Message; ids: readonly number[] }[];
  /** Sequence → delivery; null message: released. */
  outgoing: Map<number, { message: Message | null; qos: 1 | 2; retain: boolean; ids: readonly number[] }>;
  received: Map<number, Message>;
  will: WillFact | null;
}

const clientIds = ['alpha', 'beta', 'gamma', 'clé-δ'];
const topics = ['a/b', 'a/c', 'maison/salon/température', 'x'];
/** Which operations of {@link Ledger.step} take something away. */
const removing = new Set([1, 6, 7, 8, 10, 11, 13]);
const filters = ['a/#', '+/b', '$share/g/a/#', '$share/h/#', 'maison/+/température'];

export class Ledger {
  readonly #sessions = new Map<string, Session>();
  readonly #retained = new Map<string, Message>();
  readonly #random: Random;
  #lastStoreId = 0;
  #payloads = 0;
  /** Longest payload in bytes. */
  payloadMax = 300;
  /** Of the operations that take something away, so many are done. */
  removals = 1;

  constructor(random: Random, facts: Iterable<Fact>) {
    this.#random = random;
    const messages = new Map<number, Message>();
    const wills: Message[] = [];
    for (const fact of facts) {
      switch (fact.kind) {
        case 'message':
          messages.set(fact.message.storeId, fact.message);
          this.#lastStoreId = Math.max(this.#lastStoreId, fact.message.storeId);
          break;
        case 'session':
          this.#sessions.set(fact.clientId, newSession(fact));
          break;
        case 'subscription':
          this.#get(fact.clientId).subscriptions.set(fact.filter, fact);
          break;
        case 'delivery':
          this.#restore(fact, messages.get(fact.storeId) ?? null);
          break;
        case 'retained': {
          const message = messages.get(fact.storeId) as Message;
          this.#retained.set(message.topic.name, message);
          break;
        }
        case 'will':
          this.#get(fact.clientId).will = fact;
          wills.push(fact.message);
          break;
      }
    }
    for (const message of wills) {
      message.storeId = 0;
      this.#hold(message);
    }
  }

  /** One operation, told to the store in one go. */
  step(store: Verbs): void {
    const random = this.#random;
    const ids = [...this.#sessions.keys()];
    if (ids.length === 0 || random.chance(0.08)) {
      this.#connect(store, random.pick(clientIds));
      return;
    }
    const session = this.#get(random.pick(ids));
    const { clientId } = session.fact;
    const what = random.below(14);
    if (this.removals < 1 && removing.has(what) && !random.chance(this.removals)) return;
    switch (what) {
      case 0:
        this.#subscribe(store, session);
        break;
      case 1: {
        const filter = [...session.subscriptions.keys()][0];
        if (filter === undefined) break;
        session.subscriptions.delete(filter);
        store.subscriptionRemoved(clientId, filter);
        break;
      }
      case 2:
        // As under load: many at once, and some of them acknowledged at once.
        for (let count = random.below(10); count > 0; count--) this.#publish(store, this.message(1, false));
        this.#acknowledge(store, session);
        break;
      case 3:
      case 4:
        this.#publish(store, this.message(random.chance(0.5) ? 1 : 2, random.chance(0.3)));
        break;
      case 5: {
        const message = this.message(0, false);
        this.#hold(message);
        session.queuedQos0.push({ message, ids: [] });
        store.deliveryPut(clientId, 0, message, 0, false, null);
        break;
      }
      case 6:
      case 7:
      case 8:
        this.#acknowledge(store, session);
        break;
      case 9: {
        const packetId = 1 + random.below(20);
        if (session.received.has(packetId)) break;
        const message = this.message(2, random.chance(0.2));
        this.#hold(message);
        session.received.set(packetId, message);
        store.receivedPut(clientId, packetId, message);
        break;
      }
      case 10: {
        const [packetId, message] = [...session.received][0] ?? [];
        if (packetId === undefined || message === undefined) break;
        session.received.delete(packetId);
        this.#publish(store, message);
        store.receivedRemoved(clientId, packetId);
        break;
      }
      case 11: {
        const name = [...this.#retained.keys()][0];
        if (name === undefined) break;
        this.#retained.delete(name);
        store.retainedRemoved(name);
        break;
      }
      case 12:
        if (session.will === null) {
          const message = this.message(1, false);
          this.#hold(message);
          session.will = {
            kind: 'will',
            clientId,
            message,
            delaySeconds: random.below(90),
            dueAtMs: random.below(2) * 7e11,
          };
          store.willPut(clientId, message, session.will.delaySeconds, session.will.dueAtMs);
        } else {
          // Published and gone, as when its delay is over.
          const { message } = session.will;
          session.will = null;
          this.#publish(store, message);
          store.willRemoved(clientId);
        }
        break;
      default:
        if (random.chance(0.2)) {
          this.#sessions.delete(clientId);
          store.sessionRemoved(clientId);
        } else if (session.queuedQos0.length > 0) {
          session.queuedQos0 = [];
          store.deliveryRemoved(clientId, 0);
        }
    }
  }

  /** Everything that waits in the longest queue is acknowledged. */
  drain(store: Verbs): void {
    const [longest] = [...this.#sessions.values()].sort((first, second) => second.outgoing.size - first.outgoing.size);
    if (longest === undefined) return;
    for (const sequence of longest.outgoing.keys()) store.deliveryRemoved(longest.fact.clientId, sequence);
    longest.outgoing.clear();
  }

  /** The first line of {@link canonical} of the present state, which costs little. */
  get summary(): string {
    const counts = noCounts();
    counts.retained = this.#retained.size;
    for (const { fact, subscriptions, queuedQos0, outgoing, received, will } of this.#sessions.values()) {
      counts.sessions++;
      counts.sequences += fact.lastSequence;
      counts.subscriptions += subscriptions.size;
      counts.queued += queuedQos0.length;
      counts.outgoing += outgoing.size;
      counts.received += received.size;
      if (will !== null) counts.wills++;
    }
    return summaryOf(counts);
  }

  /** May be walked in pieces, as the engine's may. */
  *facts(): Generator<Fact> {
    const held = new Set<Message>(this.#retained.values());
    for (const session of this.#sessions.values()) {
      for (const { message } of session.queuedQos0) held.add(message);
      for (const { message } of session.outgoing.values()) if (message !== null) held.add(message);
      for (const message of session.received.values()) held.add(message);
    }
    for (const message of held) yield { kind: 'message', message };
    for (const session of this.#sessions.values()) yield* factsOf(session, held);
    for (const message of this.#retained.values()) {
      if (held.has(message)) yield { kind: 'retained', storeId: message.storeId };
    }
  }

  #connect(store: Verbs, clientId: string): void {
    const random = this.#random;
    const before = this.#sessions.get(clientId);
    const fact: SessionFact = {
      kind: 'session',
      clientId,
      username: random.chance(0.5) ? 'marie' : null,
      listenerPort: 1883,
      expiryIntervalSeconds: 1 + random.below(5000),
      expiresAtMs: random.chance(0.5) ? 0 : 9e11 + 1000 * random.below(1e6),
      lastSequence: before?.fact.lastSequence ?? 0,
    };
    if (before === undefined) this.#sessions.set(clientId, newSession(fact));
    else before.fact = fact;
    const { kind: _, ...session } = fact;
    store.sessionPut(session);
  }

  #subscribe(store: Verbs, session: Session): void {
    const random = this.#random;
    const subscription: SubscriptionFact = {
      kind: 'subscription',
      clientId: session.fact.clientId,
      filter: random.pick(filters),
      qos: random.pick([0, 1, 2]),
      noLocal: random.chance(0.3),
      retainAsPublished: random.chance(0.3),
      retainHandling: random.pick([0, 1, 2]),
      identifier: random.chance(0.5) ? 0 : 1 + random.below(1000),
    };
    session.subscriptions.set(subscription.filter, subscription);
    const { kind: _, ...rest } = subscription;
    store.subscriptionPut(rest);
  }

  /** To some of the sessions, and retained if the message says so: several facts that belong together. */
  #publish(store: Verbs, message: Message): void {
    const random = this.#random;
    if (message.retain) {
      this.#hold(message);
      this.#retained.set(message.topic.name, message);
      store.retainedPut(message);
    }
    const qos = message.qos === 0 ? 1 : message.qos;
    for (const session of this.#sessions.values()) {
      if (random.chance(0.4)) continue;
      this.#hold(message);
      const sequence = session.fact.lastSequence + 1;
      session.fact = { ...session.fact, lastSequence: sequence };
      const ids = random.chance(0.3) ? [1 + random.below(300), 7] : [];
      session.outgoing.set(sequence, { message, qos, retain: false, ids });
      store.deliveryPut(session.fact.clientId, sequence, message, qos, false, ids.length === 0 ? null : ids);
    }
  }

  /** The oldest deliveries go one step on, or the newest ones, of which the store may hardly have heard. */
  #acknowledge(store: Verbs, session: Session): void {
    const { clientId } = session.fact;
    const count = 1 + this.#random.below(4);
    const all = [...session.outgoing];
    for (const [sequence, delivery] of this.#random.chance(0.4) ? all.slice(-count) : all.slice(0, count)) {
      if (delivery.qos === 2 && delivery.message !== null) {
        session.outgoing.set(sequence, { ...delivery, message: null, retain: false, ids: [] });
        store.deliveryReleased(clientId, sequence);
      } else {
        session.outgoing.delete(sequence);
        store.deliveryRemoved(clientId, sequence);
      }
    }
  }

  /** A new message that nobody has yet. */
  message(qos: 0 | 1 | 2, retain: boolean): Message {
    const random = this.#random;
    const name = random.pick(topics);
    const payload = Buffer.alloc(random.below(this.payloadMax), ++this.#payloads);
    const expires = random.chance(0.3);
    const properties = expires ? Buffer.from([1, 1, 2, 0, 0, 0, 60]) : Buffer.from([3, 0, 1, 99]);
    const publisher = {
      clientId: random.pick(clientIds),
      username: random.chance(0.5) ? 'u' : null,
      listenerPort: 1883,
    };
    return createMessage(Topic.of(name), publisher, {
      ...{
        payload,
        qos,
        retain,
        properties,
        expiryOffset: expires ? 3 : -1,
        expiresAtMs: expires ? 3e12 + this.#payloads : 0,
      },
    });
  }

  #hold(message: Message): void {
    if (message.storeId === 0) message.storeId = ++this.#lastStoreId;
  }

  #restore(fact: DeliveryFact, message: Message | null): void {
    const session = this.#get(fact.clientId);
    if (fact.direction === 'in') session.received.set(fact.sequence, message as Message);
    else if (fact.qos === 0) session.queuedQos0.push({ message: message as Message, ids: fact.subscriptionIds });
    else {
      const { qos, retain, subscriptionIds: ids } = fact;
      session.outgoing.set(fact.sequence, { message, qos, retain, ids });
    }
  }

  #get(clientId: string): Session {
    return this.#sessions.get(clientId) as Session;
  }
}

function newSession(fact: SessionFact): Session {
  return {
    fact,
    subscriptions: new Map(),
    queuedQos0: [],
    outgoing: new Map(),
    received: new Map(),
    will: null,
  };
}

function* factsOf(session: Session, held: ReadonlySet<Message>): Generator<Fact> {
  const { clientId } = session.fact;
  const delivery = { kind: 'delivery', clientId, retain: false, dup: false } as const;
  yield session.fact;
  yield* session.subscriptions.values();
  for (const { message, ids } of [...session.queuedQos0]) {
    if (!held.has(message)) continue;
    const rest = { direction: 'out', storeId: message.storeId, sequence: 0, qos: 0, state: 11 } as const;
    yield { ...delivery, ...rest, subscriptionIds: ids };
  }
  for (const [sequence, { message, qos, retain, ids }] of session.outgoing) {
    if (message !== null && !held.has(message)) continue;
    const state = message === null ? 9 : 11;
    const rest = { direction: 'out', storeId: message?.storeId ?? 0, sequence, qos, retain, state } as const;
    yield { ...delivery, ...rest, subscriptionIds: ids };
  }
  for (const [packetId, message] of session.received) {
    if (!held.has(message)) continue;
    const rest = { direction: 'in', storeId: message.storeId, sequence: packetId, qos: 2, state: 7 } as const;
    yield { ...delivery, ...rest, retain: message.retain, subscriptionIds: [] };
  }
  if (session.will !== null) yield session.will;
}

function noCounts() {
  return { sessions: 0, sequences: 0, subscriptions: 0, queued: 0, outgoing: 0, received: 0, retained: 0, wills: 0 };
}

function summaryOf(counts: ReturnType<typeof noCounts>): string {
  return Object.values(counts).join(' ');
}

/**
 * The state as a text that is the same for equal states. Whether a delivery was sent is not part of it, only whether its
 * message is still needed; messages are told by their content, not by their store ids. The first line tells how many there are
 * of everything.
 */
export function canonical(facts: Iterable<Fact>): string {
  const messages = new Map<number, string>();
  const lines: string[] = [];
  const queues = new Map<string, string[]>();
  const counts = noCounts();
  for (const fact of facts) {
    switch (fact.kind) {
      case 'message':
        messages.set(fact.message.storeId, contentOf(fact.message));
        break;
      case 'session': {
        const { clientId, username, listenerPort, expiryIntervalSeconds, expiresAtMs, lastSequence } = fact;
        counts.sessions++;
        counts.sequences += lastSequence;
        lines.push(
          ['session', clientId, username, listenerPort, expiryIntervalSeconds, expiresAtMs, lastSequence].join('|'),
        );
        break;
      }
      case 'subscription': {
        const { clientId, filter, qos, noLocal, retainAsPublished, retainHandling, identifier } = fact;
        counts.subscriptions++;
        lines.push(
          ['subscription', clientId, filter, qos, noLocal, retainAsPublished, retainHandling, identifier].join('|'),
        );
        break;
      }
      case 'delivery': {
        const { clientId, direction, storeId, sequence, qos, retain, subscriptionIds } = fact;
        counts[direction === 'in' ? 'received' : sequence === 0 ? 'queued' : 'outgoing']++;
        const content = storeId === 0 ? 'released' : (messages.get(storeId) ?? 'missing');
        const queue = queues.get(`${clientId} ${direction}`) ?? [];
        queue.push([sequence, qos, retain, subscriptionIds.join(','), content].join('|'));
        queues.set(`${clientId} ${direction}`, queue);
        break;
      }
      case 'retained':
        counts.retained++;
        lines.push(`retained|${messages.get(fact.storeId) ?? 'missing'}`);
        break;
      case 'will':
        counts.wills++;
        lines.push(`will|${fact.clientId}|${fact.delaySeconds}|${fact.dueAtMs}|${contentOf(fact.message)}`);
        break;
    }
  }
  for (const [owner, queue] of queues) {
    // QoS 0 messages have an order among themselves only; incoming ones have none.
    const plain = queue.filter((line) => line.startsWith('0|'));
    const numbered = queue.filter((line) => !line.startsWith('0|'));
    if (owner.endsWith(' in')) numbered.sort();
    lines.push(`queue|${owner}|${plain.join('\n')}\n${numbered.join('\n')}`);
  }
  return `${summaryOf(counts)}\n${lines.sort().join('\n')}`;
}

/** A message as a text; messages of a ledger differ in their payload. */
export function contentOf(message: Message): string {
  const { topic, qos, retain, publisher, publisherPacketId, expiresAtMs } = message;
  // Message Expiry Interval may have moved to the end of the properties.
  const properties = message.propertiesEnd - message.propertiesStart;
  const payload = `${message.payloadLength}×${message.payload[0] ?? 0}`;
  return [
    ...[topic.name, payload, qos, retain, publisher.clientId, publisher.username],
    ...[publisher.listenerPort, publisherPacketId, expiresAtMs, properties],
  ].join('~');
}
