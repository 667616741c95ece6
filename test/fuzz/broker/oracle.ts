/**
 * What clients may be given, written down as simply as possible: lists that are looked through from the beginning. It does not say
 * when something comes; it says of everything that comes whether it was to come, and at the end what did not come.
 */
import { hexOf } from '../../conformance/wire/bytes.ts';
import type { Property } from '../../conformance/wire/properties.ts';
import type { ReceivedPublish } from '../../conformance/wire/received.ts';
import type { Line } from './line.ts';

export type Qos = 0 | 1 | 2;

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** As receivers of MQTT 5.0 get them, without expiry, alias and Subscription Identifiers. */
  readonly properties: readonly Property[];
  /** seconds; 0: none */
  readonly expiry: number;
  readonly publisher: string;
  /** Place in the order of acceptance; 0 before. */
  order: number;
  /** When the broker read it; 0 before. */
  readAtMs: number;
}

export interface Subscription {
  readonly session: Session;
  readonly filter: string;
  qos: Qos;
  noLocal: boolean;
  retainAsPublished: boolean;
  /** 0: none */
  identifier: number;
  /** Those that it had. */
  readonly identifiers: number[];
}

/** One copy that is to come. */
interface Due {
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** The only connection on which it may come; null: any. */
  readonly line: Line | null;
  /** Of QoS 0: the connection of the moment in which it was accepted. */
  readonly sentOn: Line | null;
  isMust: boolean;
}

/** One copy for one of several. */
interface GroupDue {
  readonly message: Message;
  readonly members: readonly {
    readonly session: Session;
    readonly qos: Qos;
    readonly retain: boolean;
    readonly identifier: number;
  }[];
}

interface Replay {
  readonly subscription: Subscription;
  /** Whether it had No Local when it asked. */
  readonly noLocal: boolean;
  readonly line: Line;
  /** Topics that had a message then, with that. */
  readonly topics: ReadonlyMap<string, Message>;
  readonly since: number;
  readonly seen: Set<string>;
}

export interface Session {
  readonly clientId: string;
  readonly version: 3 | 4 | 5;
  /** Bytes of the largest packet its client takes; it need not get what comes near. */
  readonly packetBytesMax: number;
  readonly mount: string;
  line: Line | null;
  isPersistent: boolean;
  hasEnded: boolean;
  readonly subscriptions: Map<string, Subscription>;
  readonly due: Due[];
  readonly replays: Replay[];
  /** QoS 2 messages of its client that the broker owns. */
  readonly received: Map<number, Message>;
  will: Message | null;
  /** What came last with a Packet Identifier. */
  readonly last: Map<number, { readonly message: Message; readonly qos: Qos; isReleased: boolean; isDone: boolean }>;
  lastOrder: number;
  lastQos0: { line: Line | null; order: number };
}

const noMessage: Message = {
  ...{ topic: '', payload: Buffer.alloc(0), qos: 0, retain: false, properties: [], expiry: 0, publisher: '' },
  ...{ order: 0, readAtMs: 0 },
};

export interface OracleOptions {
  readonly allowsDuplicates: boolean;
  readonly queuesQos0: boolean;
  /** Whether queues have room for everything. */
  readonly isUnbounded: boolean;
}

export class Oracle {
  readonly sessions = new Map<string, Session>();
  readonly retained = new Map<string, Message>();
  readonly #options: OracleOptions;
  /** `NAME/FILTER` → members */
  readonly #groups = new Map<string, Subscription[]>();
  readonly #groupDue: GroupDue[] = [];
  /** Every message that was retained, and until when. */
  readonly #wasRetained: { readonly message: Message; until: number }[] = [];
  #order = 0;

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  subscribe(subscription: Subscription, replays: boolean): void {
    const { session, filter } = subscription;
    const { name, plain } = parts(filter);
    const present = session.subscriptions.get(filter);
    if (present === undefined) {
      session.subscriptions.set(filter, subscription);
      if (name !== null) this.#groups.set(filter, [...(this.#groups.get(filter) ?? []), subscription]);
    } else {
      const { qos, noLocal, retainAsPublished, identifier } = subscription;
      Object.assign(present, { qos, noLocal, retainAsPublished, identifier });
      present.identifiers.push(identifier);
    }
    if (!replays || session.line === null) return;
    const topics = new Map([...this.retained].filter(([topic]) => matches(plain, topic)));
    session.replays.push({
      ...{
        subscription: present ?? subscription,
        noLocal: subscription.noLocal,
        line: session.line,
        topics,
        since: this.#order,
        seen: new Set(),
      },
    });
  }

  unsubscribe(session: Session, filter: string): boolean {
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined) return false;
    session.subscriptions.delete(filter);
    const group = this.#groups.get(filter)?.filter((member) => member !== subscription);
    if (group?.length === 0) this.#groups.delete(filter);
    else if (group !== undefined) this.#groups.set(filter, group);
    return true;
  }

  /** The broker has accepted the message. */
  accept(message: Message, nowMs: number): void {
    const accepted = message;
    accepted.order = ++this.#order;
    if (message.readAtMs === 0) accepted.readAtMs = nowMs;
    if (message.retain) this.#retain(message);
    for (const session of this.sessions.values()) this.#give(session, message);
    for (const [filter, members] of this.#groups) {
      if (!matches(parts(filter).plain, message.topic)) continue;
      const all = members.map(({ session, qos, retainAsPublished, identifier }) => ({
        ...{ session, qos: Math.min(qos, message.qos) as Qos, retain: message.retain && retainAsPublished, identifier },
      }));
      this.#groupDue.push({ message, members: all });
    }
  }

  #retain(message: Message): void {
    const { topic } = message;
    for (const one of this.#wasRetained) if (one.message.topic === topic) one.until = Math.min(one.until, this.#order);
    if (message.payload.length === 0) {
      this.retained.delete(topic);
    } else {
      this.retained.set(topic, message);
      this.#wasRetained.push({ message, until: Number.POSITIVE_INFINITY });
    }
  }

  #give(session: Session, message: Message): void {
    const own = message.publisher === session.clientId;
    const found = [...session.subscriptions.values()].filter(
      ({ filter, noLocal }) => parts(filter).name === null && !(noLocal && own) && matches(filter, message.topic),
    );
    if (found.length === 0) return;
    const copies = this.#options.allowsDuplicates ? found.map((one) => [one]) : [found];
    for (const together of copies) {
      const qos = Math.min(message.qos, Math.max(...together.map((one) => one.qos))) as Qos;
      const waits = qos > 0 || this.#options.queuesQos0;
      if (session.line === null && (!waits || !session.isPersistent)) continue;
      session.due.push({
        ...{ message, qos, retain: message.retain && together.some((one) => one.retainAsPublished) },
        identifiers: together.map((one) => one.identifier).filter((one) => one > 0),
        // Behind QoS 0 messages that were queued it waits as they do.
        line: qos === 0 && !this.#options.queuesQos0 ? session.line : null,
        sentOn: qos === 0 ? session.line : null,
        isMust: this.#options.isUnbounded && message.payload.length > 0 && this.#fits(session, message),
      });
    }
  }

  #fits({ packetBytesMax }: Session, { topic, payload, properties }: Message): boolean {
    if (packetBytesMax === 0) return true;
    const size = JSON.stringify(properties).length * 2 + Buffer.byteLength(topic) + payload.length + 80;
    return size < packetBytesMax;
  }

  /** The session's present connection is gone: what was sent at once and is not here will not come. */
  leave(session: Session, nowMs: number): void {
    const left = session;
    left.line = null;
    // What was sent at QoS 0 may never have been read.
    for (const due of session.due) if (due.qos === 0) due.isMust = false;
    const { will } = session;
    left.will = null;
    if (will !== null) this.accept(will, nowMs);
    if (!session.isPersistent) this.end(session);
  }

  end(session: Session): void {
    const ended = session;
    ended.hasEnded = true;
    for (const filter of [...session.subscriptions.keys()]) this.unsubscribe(session, filter);
    this.sessions.delete(session.clientId);
  }

  /**
   * A PUBLISH came.
   *
   * @param topic - what its alias stands for, with the mount point in front
   * @returns what is wrong with it; null: nothing
   */
  take(session: Session, line: Line, topic: string, packet: ReceivedPublish, nowMs: number): string | null {
    const { qos, packetId, dup, payload } = packet;
    const identifiers = numbersOf(packet, 'subscriptionIdentifier');
    const last = qos > 0 ? session.last.get(packetId) : undefined;
    if (dup) {
      const isSame = last !== undefined && last.message.topic === topic && last.message.payload.equals(payload);
      if (last?.isReleased && isSame) return 'a PUBLISH after its PUBREC';
      if (isSame && last.qos === qos)
        return payload.length === 0 ? null : wrongContent(session, last.message, packet, nowMs);
    } else if (last !== undefined && !last.isDone && !last.isReleased) {
      return `Packet Identifier ${packetId} is in use`;
    }
    const found = this.#find(session, line, topic, packet, identifiers);
    // Empty ones are all alike, so one may have been taken for another.
    if (found === null && payload.length > 0) return 'nobody was to get this';
    const message = found?.message ?? { ...noMessage, topic };
    if (qos > 0) session.last.set(packetId, { message, qos, isReleased: false, isDone: false });
    if (found === null || payload.length === 0) return null;
    const wrong = wrongContent(session, found.message, packet, nowMs);
    // One that was retained may be an old one.
    if (wrong !== null || found.isReplay || packet.retain) return wrong;
    return wrongOrder(session, line, found.message, qos, this.#options);
  }

  #find(
    session: Session,
    line: Line,
    topic: string,
    { qos, retain, payload }: ReceivedPublish,
    identifiers: readonly number[],
  ): { readonly message: Message; readonly isReplay: boolean } | null {
    const isMessage = (message: Message): boolean => message.topic === topic && message.payload.equals(payload);
    const at = session.due.findIndex(
      (one) =>
        one.qos === qos &&
        one.retain === retain &&
        (one.line === null || one.line === line) &&
        sameNumbers(one.identifiers, session.version === 5 ? identifiers : one.identifiers) &&
        isMessage(one.message),
    );
    if (at >= 0) {
      const [due] = session.due.splice(at, 1);
      return { message: (due as Due).message, isReplay: false };
    }
    for (const [index, one] of this.#groupDue.entries()) {
      if (!isMessage(one.message)) continue;
      const member = one.members.find(
        (each) =>
          each.session === session &&
          each.qos === qos &&
          each.retain === retain &&
          (session.version !== 5 || sameNumbers(each.identifier === 0 ? [] : [each.identifier], identifiers)),
      );
      if (member === undefined) continue;
      this.#groupDue.splice(index, 1);
      return { message: one.message, isReplay: false };
    }
    if (!retain) return null;
    const was = this.#wasRetained.filter(({ message }) => isMessage(message));
    for (const { subscription, seen, since } of session.replays) {
      if (seen.has(topic) || !matches(subscription.filter, topic)) continue;
      if (session.version === 5 && !subscription.identifiers.includes(identifiers[0] ?? 0)) continue;
      const then = was.find(({ until, message }) => until > since && message.qos >= qos);
      if (then === undefined) continue;
      seen.add(topic);
      return { message: then.message, isReplay: true };
    }
    return null;
  }

  /** What did not come; to be asked when nothing is under way any more. */
  missing(): string[] {
    const missing: string[] = [];
    for (const session of this.sessions.values()) {
      for (const { message, qos, isMust, sentOn, identifiers } of session.due) {
        if (!isMust || (sentOn !== null && (sentOn !== session.line || sentOn.hasBeenBlocked))) continue;
        missing.push(`${session.clientId}: ${told(message)} at QoS ${qos} of ${identifiers.join()}`);
      }
      for (const { subscription, noLocal, line, topics } of session.replays) {
        const { filter, identifiers } = subscription;
        // Without a Subscription Identifier it could have been for another subscription.
        if (identifiers.includes(0) || session.packetBytesMax > 0) continue;
        // It may have been taken for one that was queued at QoS 0 and lost.
        if (this.#options.queuesQos0 && subscription.retainAsPublished) continue;
        if (line !== session.line || line.hasBeenBlocked || session.subscriptions.get(filter) !== subscription)
          continue;
        for (const [topic, then] of topics) {
          const now = this.retained.get(topic);
          // Who asks again while it waits for the answer may get one answer.
          if (session.replays.some((one) => one.subscription === subscription && one.seen.has(topic))) continue;
          if (now === undefined || !this.#options.isUnbounded) continue;
          const wasGone = this.#wasRetained.some(({ message, until }) => message === then && until < now.order);
          // With No Local one of its own may have been in the way.
          if (wasGone || noLocal || subscription.noLocal) continue;
          missing.push(`${session.clientId}: retained ${told(now)} for ${filter}`);
        }
      }
    }
    for (const { message, members } of this.#groupDue) {
      const mayBeLost = members.some((one) => one.qos === 0 || one.session.hasEnded || one.session.packetBytesMax > 0);
      if (mayBeLost || message.payload.length === 0 || !this.#options.isUnbounded) continue;
      missing.push(`one of ${members.map(({ session }) => session.clientId).join()}: ${told(message)}`);
    }
    return missing;
  }
}

export function told({ topic, payload, qos, order }: Message): string {
  const name = topic.length > 40 ? `${topic.slice(0, 40)}…` : topic;
  return `"${name}" ${payload.toString('latin1', 0, 8)} (${payload.length} bytes, QoS ${qos}, ${order})`;
}

function wrongContent(session: Session, message: Message, packet: ReceivedPublish, nowMs: number): string | null {
  if (session.packetBytesMax > 0 && packet.bytes.length > session.packetBytesMax) return 'above Maximum Packet Size';
  if (session.version !== 5) return null;
  const own = new Set(['topicAlias', 'subscriptionIdentifier', 'messageExpiryInterval']);
  const found = packet.properties.filter(([name]) => !own.has(name));
  if (textOf(found) !== textOf(message.properties)) {
    return `properties are ${textOf(found)}, not ${textOf(message.properties)}`;
  }
  const [left] = numbersOf(packet, 'messageExpiryInterval');
  if ((left !== undefined) !== message.expiry > 0) return `Message Expiry Interval ${left}`;
  const passed = (nowMs - message.readAtMs) / 1000;
  const isRight = left === undefined || (left <= message.expiry && left >= Math.floor(message.expiry - passed) - 1);
  return isRight ? null : `Message Expiry Interval ${left} of ${message.expiry} after ${passed} s`;
}

function wrongOrder(session: Session, line: Line, { order }: Message, qos: Qos, options: OracleOptions): string | null {
  const given = session;
  if (qos > 0) {
    if (order < session.lastOrder) return `${order} comes after ${session.lastOrder}`;
    given.lastOrder = order;
    return null;
  }
  if (options.queuesQos0) return null;
  if (session.lastQos0.line === line && order < session.lastQos0.order) {
    return `${order} comes after ${session.lastQos0.order} at QoS 0`;
  }
  given.lastQos0 = { line, order };
  return null;
}

function textOf(properties: readonly Property[]): string {
  return JSON.stringify(properties.map(([name, value]) => [name, Buffer.isBuffer(value) ? hexOf(value) : value]));
}

function numbersOf({ properties }: ReceivedPublish, name: string): number[] {
  return properties.filter(([one]) => one === name).map(([, value]) => Number(value));
}

function sameNumbers(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  const [first, second] = [[...one].sort(), [...other].sort()];
  return first.every((number, index) => number === second[index]);
}

/** `$share/NAME/FILTER` → NAME and FILTER. */
function parts(filter: string): { readonly name: string | null; readonly plain: string } {
  if (!filter.startsWith('$share/')) return { name: null, plain: filter };
  const slash = filter.indexOf('/', 7);
  return { name: filter.slice(7, slash), plain: filter.slice(slash + 1) };
}

/** Level by level. [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false;
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= levels.length) return false;
    if (level !== '+' && level !== levels[index]) return false;
    if (index === levels.length - 1) {
      return wanted.length === levels.length || (wanted.length === index + 2 && wanted[index + 1] === '#');
    }
  }
  return false;
}
