/**
 * What a broker owes its clients, written down as simply as possible: lists and loops, no cache, no ring, no wheel. It says,
 * packet by packet, what every client must see.
 */
import { type Action, filters, type Qos, versions } from './actions.ts';
import { RetainedModel, type RetainedModelNode } from './retained.ts';

interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly publisher: number;
  /** seconds of the model's clock; 0: never */
  readonly expiresAt: number;
}

interface Subscription {
  readonly session: Session;
  readonly filter: string;
  qos: Qos;
  noLocal: boolean;
  retainAsPublished: boolean;
  identifier: number;
}

interface Delivery {
  readonly message: Message;
  readonly packetId: number;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly identifier: number;
  step: 'queued' | 'puback' | 'pubrec' | 'pubcomp';
  dup: boolean;
  /** Under way on an earlier connection, and not yet sent on this one. */
  heldBack: boolean;
}

interface Session {
  readonly client: number;
  isConnected: boolean;
  expiry: number;
  expiresAt: number;
  receiveMaximum: number;
  will: (Message & { readonly delay: number }) | null;
  willDueAt: number;
  lastPacketId: number;
  readonly subscriptions: Map<string, Subscription>;
  deliveries: Delivery[];
  readonly received: Map<number, Message>;
  /** Retained messages that wait until nothing else is queued. */
  replays: { readonly subscription: Subscription; readonly nodes: RetainedModelNode<Message>[] }[];
}

/** Who is looked at for a message: one session's subscription, or a group of them that take turns. */
interface Entry {
  readonly filter: string;
  readonly only: Subscription | null;
  readonly group: { readonly name: string; members: Subscription[]; turn: number } | null;
}

export const inflightMax = 5;
export const queuedMax = 4;
const never = 0xffff_ffff;

export class Model {
  /** What each client sees, since it was taken last. */
  readonly seen: string[][] = versions.map(() => []);
  /** Client → Packet Identifiers under way to it, for choosing one to acknowledge. */
  #now = 0;
  #sessions = new Map<number, Session>();
  /** In the order in which they were made. */
  #entries: Entry[] = [];
  readonly #retained = new RetainedModel<Message>();

  isConnected(client: number): boolean {
    return this.#sessions.get(client)?.isConnected ?? false;
  }

  /** What is under way to a client, in order. */
  underWay(client: number): readonly Pick<Delivery, 'packetId' | 'step'>[] {
    return (this.#sessions.get(client)?.deliveries ?? []).filter(
      ({ step, heldBack }) => step !== 'queued' && !heldBack,
    );
  }

  connect(action: Extract<Action, { kind: 'connect' }>): void {
    const { client, cleanStart } = action;
    const version = versions[client] as 3 | 4 | 5;
    const expiry = version === 5 ? action.expiry : cleanStart ? 0 : never;
    const old = this.#sessions.get(client);
    if (old?.isConnected) {
      // A session that goes on does not send a Will that has a delay.
      if (!cleanStart && old.expiry > 0 && (old.will?.delay ?? 0) > 0) old.will = null;
      this.#leave(old, 'E 8e');
    }
    const kept = this.#sessions.get(client);
    if (cleanStart && kept !== undefined) this.#end(kept);
    const isPresent = this.#sessions.has(client);
    const session = this.#sessions.get(client) ?? this.#newSession(client);
    this.#sessions.set(client, session);
    session.isConnected = true;
    session.expiry = expiry;
    session.expiresAt = 0;
    session.willDueAt = 0;
    session.receiveMaximum = (version === 5 && action.receiveMaximum) || inflightMax;
    const { will } = action;
    session.will =
      will === null
        ? null
        : {
            ...will,
            payload: `will of ${client}`,
            publisher: client,
            expiresAt: 0,
            delay: version === 5 ? will.delay : 0,
          };
    this.#see(session, `connack ${isPresent && version > 3}`);
    for (const delivery of session.deliveries) {
      if (delivery.step === 'queued') continue;
      delivery.dup = true;
      delivery.heldBack = delivery.step !== 'pubcomp';
      if (delivery.step === 'pubcomp') continue;
    }
    for (const delivery of session.deliveries) {
      if (delivery.step === 'pubcomp') this.#see(session, `pubrel ${delivery.packetId}`);
      else this.#sendAgain(session, delivery);
    }
    this.#sendWaiting(session);
  }

  cut(client: number): void {
    const session = this.#connected(client);
    if (session) this.#leave(session, null);
  }

  disconnect(client: number, withWill: boolean): void {
    const session = this.#connected(client);
    if (session === undefined) return;
    if (!withWill || versions[client] !== 5) session.will = null;
    this.#leave(session, 'end');
  }

  subscribe(action: Extract<Action, { kind: 'subscribe' }>): void {
    const session = this.#connected(action.client);
    if (session === undefined) return;
    const isV5 = versions[action.client] === 5;
    const existing = session.subscriptions.get(action.filter);
    const subscription = existing ?? {
      session,
      filter: action.filter,
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      identifier: 0,
    };
    const isShared = action.filter.startsWith('$share/');
    subscription.qos = action.qos;
    subscription.noLocal = isV5 && action.noLocal && !isShared;
    subscription.retainAsPublished = isV5 && action.retainAsPublished;
    subscription.identifier = isV5 ? action.identifier : 0;
    if (existing === undefined) this.#enter(session, subscription);
    this.#see(session, `suback ${action.qos}`);
    const handling = isV5 ? action.retainHandling : 0;
    if (isShared || handling === 2 || (handling === 1 && existing !== undefined)) return;
    session.replays.push({ subscription, nodes: this.#retained.find((topic) => matches(action.filter, topic)) });
    this.#replay(session);
  }

  unsubscribe(client: number, filter: string): void {
    const session = this.#connected(client);
    if (session === undefined) return;
    const subscription = session.subscriptions.get(filter);
    if (subscription !== undefined) this.#withdraw(subscription);
    session.subscriptions.delete(filter);
    this.#see(session, versions[client] === 5 ? `unsuback ${subscription ? 0 : 17}` : 'unsuback');
  }

  publish(action: Extract<Action, { kind: 'publish' }>, payload: string): void {
    const session = this.#connected(action.client);
    if (session === undefined) return;
    const isV5 = versions[action.client] === 5;
    const { topic, qos, retain } = action;
    const expiresAt = isV5 && action.expiry > 0 ? this.#now + action.expiry : 0;
    const message = { topic, payload: action.isEmpty ? '' : payload, qos, retain, publisher: action.client, expiresAt };
    if (qos === 2) {
      // A repeat is the message that is there already.
      if (!session.received.has(action.packetId)) session.received.set(action.packetId, message);
      this.#see(session, `pubrec ${action.packetId} 0`);
      return;
    }
    const count = this.#distribute(message, session);
    if (qos === 1) this.#see(session, `puback 9 ${isV5 && count === 0 ? 16 : 0}`);
  }

  release(client: number, packetId: number): void {
    const session = this.#connected(client);
    if (session === undefined) return;
    const message = session.received.get(packetId);
    session.received.delete(packetId);
    if (message !== undefined && !this.#isExpired(message)) this.#distribute(message, session);
    this.#see(session, `pubcomp ${packetId} 0`);
  }

  acknowledge(client: number, packetId: number, refuses: boolean): void {
    const session = this.#connected(client);
    const delivery = session?.deliveries.find((one) => one.packetId === packetId && one.step !== 'queued');
    if (session === undefined || delivery === undefined) return;
    if (delivery.step === 'pubrec' && !(refuses && versions[client] === 5)) {
      delivery.step = 'pubcomp';
      this.#see(session, `pubrel ${packetId}`);
      return;
    }
    session.deliveries = session.deliveries.filter((one) => one !== delivery);
    this.#sendWaiting(session);
    this.#replay(session);
  }

  /** Second by second, so that what falls due does so in its order. */
  wait(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.#now++;
      for (const session of [...this.#sessions.values()]) {
        if (session.isConnected) continue;
        if (session.willDueAt === this.#now) this.#sendWill(session);
        if (session.expiresAt === this.#now) this.#end(session);
      }
    }
  }

  #newSession(client: number): Session {
    return {
      ...{ client, isConnected: false, expiry: 0, expiresAt: 0, receiveMaximum: inflightMax, will: null, willDueAt: 0 },
      ...{ lastPacketId: 0, subscriptions: new Map(), deliveries: [], received: new Map(), replays: [] },
    };
  }

  #connected(client: number): Session | undefined {
    const session = this.#sessions.get(client);
    return session?.isConnected ? session : undefined;
  }

  #see(session: Session, line: string): void {
    this.seen[session.client]?.push(line);
  }

  #leave(session: Session, word: string | null): void {
    if (word !== null && (word === 'end' || versions[session.client] === 5)) this.#see(session, word);
    if (word !== null && word !== 'end') this.#see(session, 'end');
    session.isConnected = false;
    session.replays = [];
    for (const delivery of session.deliveries) delivery.heldBack = false;
    if (session.will !== null) {
      const delay = Math.min(session.will.delay, session.expiry);
      if (delay === 0) this.#sendWill(session);
      else session.willDueAt = this.#now + delay;
    }
    if (session.expiry === 0) this.#end(session);
    else if (session.expiry !== never) session.expiresAt = this.#now + session.expiry;
  }

  #end(session: Session): void {
    this.#sendWill(session);
    for (const subscription of session.subscriptions.values()) this.#withdraw(subscription);
    this.#sessions.delete(session.client);
  }

  #sendWill(session: Session): void {
    const { will } = session;
    session.will = null;
    session.willDueAt = 0;
    if (will !== null) this.#distribute(will, session);
  }

  #enter(session: Session, subscription: Subscription): void {
    session.subscriptions.set(subscription.filter, subscription);
    if (!subscription.filter.startsWith('$share/')) {
      this.#entries.push({ filter: subscription.filter, only: subscription, group: null });
      return;
    }
    const group = this.#entries.find((entry) => entry.group?.name === subscription.filter)?.group;
    if (group) group.members.push(subscription);
    else {
      const filter = unshared(subscription.filter);
      this.#entries.push({
        filter,
        only: null,
        group: { name: subscription.filter, members: [subscription], turn: 0 },
      });
    }
  }

  #withdraw(subscription: Subscription): void {
    this.#entries = this.#entries.filter((entry) => entry.only !== subscription);
    const group = this.#entries.find((entry) => entry.group?.name === subscription.filter)?.group;
    if (!group) return;
    const at = group.members.indexOf(subscription);
    if (at < 0) return;
    group.members.splice(at, 1);
    if (at < group.turn) group.turn--;
    if (group.members.length === 0) this.#entries = this.#entries.filter((entry) => entry.group !== group);
  }

  /** @returns how many were to get it */
  #distribute(message: Message, publisher: Session): number {
    if (message.retain) {
      if (message.payload === '') this.#retained.delete(message.topic);
      else this.#retained.set(message.topic, message);
    }
    let count = 0;
    const place = (entry: Entry): number => filters.indexOf(entry.filter as (typeof filters)[number]);
    const found = this.#entries
      .filter(({ filter }) => matches(filter, message.topic))
      .sort((first, second) => place(first) - place(second));
    for (const { only, group } of found) {
      const subscription = only ?? this.#next(group as NonNullable<Entry['group']>);
      if (subscription.noLocal && subscription.session === publisher) continue;
      count++;
      this.#deliver(subscription, message, false);
    }
    return count;
  }

  /** Whose turn it is: of those who are connected, or of all when nobody is. */
  #next(group: NonNullable<Entry['group']>): Subscription {
    const { members, turn } = group;
    const order = members.map((_, step) => (turn + step) % members.length);
    const at = order.find((index) => members[index]?.session.isConnected) ?? (order[0] as number);
    group.turn = (at + 1) % members.length;
    return members[at] as Subscription;
  }

  #deliver(subscription: Subscription, message: Message, isReplay: boolean): void {
    const { session, identifier } = subscription;
    const qos = Math.min(subscription.qos, message.qos) as Qos;
    const retain = isReplay || (subscription.retainAsPublished && message.retain);
    if (qos === 0) {
      if (session.isConnected) this.#seePublish(session, { message, retain, identifier }, 0);
      return;
    }
    const queued = session.deliveries.filter(({ step }) => step === 'queued').length;
    const isSent = session.isConnected && queued === 0 && this.#hasWindow(session);
    if (!isSent && queued >= queuedMax) return;
    const packetId = ++session.lastPacketId;
    const delivery: Delivery = {
      message,
      packetId,
      qos,
      retain,
      identifier,
      step: 'queued',
      dup: false,
      heldBack: false,
    };
    session.deliveries.push(delivery);
    if (isSent) this.#send(session, delivery);
  }

  #hasWindow(session: Session): boolean {
    return session.deliveries.filter(({ step }) => step !== 'queued').length < session.receiveMaximum;
  }

  #send(session: Session, delivery: Delivery): void {
    delivery.step = delivery.qos === 1 ? 'puback' : 'pubrec';
    this.#seePublish(session, delivery, delivery.qos);
  }

  #sendAgain(session: Session, delivery: Delivery): void {
    if (!delivery.heldBack) return;
    const active = session.deliveries.filter(({ step, heldBack }) => step !== 'queued' && !heldBack).length;
    if (active >= session.receiveMaximum) return;
    delivery.heldBack = false;
    this.#seePublish(session, delivery, delivery.qos);
  }

  #sendWaiting(session: Session): void {
    for (const delivery of session.deliveries) this.#sendAgain(session, delivery);
    if (session.deliveries.some(({ heldBack }) => heldBack)) return;
    for (const delivery of [...session.deliveries]) {
      if (delivery.step !== 'queued') continue;
      if (this.#isExpired(delivery.message)) {
        session.deliveries = session.deliveries.filter((one) => one !== delivery);
        continue;
      }
      if (!this.#hasWindow(session)) return;
      this.#send(session, delivery);
    }
  }

  #replay(session: Session): void {
    for (let replay = session.replays[0]; replay !== undefined; replay = session.replays[0]) {
      if (session.subscriptions.get(replay.subscription.filter) === replay.subscription) {
        while (replay.nodes.length > 0) {
          if (session.deliveries.some(({ step }) => step === 'queued')) return;
          const message = replay.nodes.shift()?.value;
          if (message === undefined) continue;
          const { session: receiver, noLocal } = replay.subscription;
          if (this.#isExpired(message)) this.#retained.delete(message.topic);
          // [MQTT-3.8.3-3] holds for what is retained, too.
          else if (!noLocal || message.publisher !== receiver.client) this.#deliver(replay.subscription, message, true);
        }
      }
      session.replays.shift();
    }
  }

  #isExpired({ expiresAt }: Message): boolean {
    return expiresAt !== 0 && expiresAt <= this.#now;
  }

  #seePublish(
    session: Session,
    delivery: Pick<Delivery, 'message' | 'retain' | 'identifier'> & Partial<Delivery>,
    qos: Qos,
  ): void {
    const { message, retain, identifier, packetId = 0, dup = false } = delivery;
    const isV5 = versions[session.client] === 5;
    const left = isV5 && message.expiresAt > 0 ? ` expires in ${Math.max(0, message.expiresAt - this.#now)}` : '';
    const mark = isV5 && identifier > 0 ? ` of ${identifier}` : '';
    this.#see(
      session,
      `${message.topic} "${message.payload}" ${qos} ${packetId}${dup ? ' dup' : ''}${retain ? ' retain' : ''}${left}${mark}`,
    );
  }
}

/** The Topic Filter behind `$share/NAME/`. */
function unshared(filter: string): string {
  return filter.startsWith('$share/') ? filter.slice(filter.indexOf('/', 7) + 1) : filter;
}

/** Level by level, as the standard says it. [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] */
function matches(filter: string, topic: string): boolean {
  const key = `${filter} ${topic}`;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = isMatch(unshared(filter), topic);
  answers.set(key, answer);
  return answer;
}

/** Filter and topic → whether they match; there are few of either. */
const answers = new Map<string, boolean>();

function isMatch(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const pattern = filter
    .split('/')
    .map((level) => (level === '+' ? '[^/]*' : level.replaceAll(/[$]/g, '\\$&')))
    .join('/')
    .replace(/(^|\/)#$/, (_, slash) => (slash === '/' ? '(/.*)?' : '.*'));
  return new RegExp(`^${pattern}$`).test(topic);
}
