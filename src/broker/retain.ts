/** Retained messages: kept, cleared, expired, and sent to new subscriptions. */
import { inBatches } from '../base/in-batches.ts';
import type { Rights } from '../contracts/authorizer.ts';
import type { Message, Publisher } from '../contracts/message.ts';
import { deliver, isExpired, isMemoryFull } from '../session/deliver.ts';
import { compact, hold, release, sizeOf } from '../session/holding.ts';
import { costOf } from '../session/send-waiting.ts';
import type { Backlog, Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import { hasWildcard } from '../topics/topic-filter.ts';
import type { Engine } from './engine.ts';
import { logLines } from './log-lines.ts';
import { mayReceive, rightsOfPublisher } from './rights.ts';
import { isSubscribed, topicFilterOf } from './subscribe.ts';

/** Replays a session may have waiting; further ones have to be for subscriptions that have none waiting. */
const waitingReplaysMax = 16;

/**
 * A RETAIN 1 message replaces the one of its topic; an empty one removes it. [MQTT-3.3.1-5] [MQTT-3.3.1-6]
 *
 * When all that is held has reached its bound no further topic gets one, which bounds their number as well, and a topic that has
 * one gets no larger one: rather none than one that is no longer true.
 */
export function retain(
  engine: Pick<Engine, 'retained' | 'holdings' | 'store' | 'limits' | 'stats' | 'logger'>,
  message: Message,
): void {
  // Not kept: a string for each message would be a tenth of all it takes.
  const name = message.topic.text;
  // $SYS is made anew at every start and is not worth a place on the disk.
  const isStored = !name.startsWith('$SYS/');
  if (message.payloadLength === 0) {
    const removed = engine.retained.delete(name);
    if (removed === undefined) return;
    if (isStored) engine.store.retainedRemoved(name);
    release(engine.holdings, removed);
    return;
  }
  if (isMemoryFull(engine)) {
    const present = engine.retained.get(name);
    if (present === undefined || sizeOf(message) > sizeOf(present)) {
      if (engine.stats.retainedRefused++ === 0) engine.logger.log('warning', logLines.notRetained(name));
      if (present !== undefined) forget(engine, present);
      return;
    }
  }
  const kept = message.keep();
  compact(engine.holdings, kept);
  hold(engine.holdings, kept);
  const previous = engine.retained.set(name, kept);
  if (isStored) engine.store.retainedPut(kept);
  if (previous !== undefined) release(engine.holdings, previous);
}

/** Sends what is retained under a new subscription, as fast as its client takes it; room 6 decides the rest. */
export function sendRetained(engine: Engine, session: Session, subscription: Subscription): void {
  // It may have ended while its SUBACK waited for the disk; then the number of its filter means nothing, or another.
  if (!isSubscribed(session, subscription)) return;
  const { filter } = topicFilterOf(engine, subscription);
  if (!hasWildcard(filter) && engine.retained.get(filter) === undefined) return;
  session.backlogs ??= [];
  // Whoever asks again and again and takes nothing gets it once more, not as often as it asked.
  if (session.backlogs.length >= waitingReplaysMax && session.backlogs.some((one) => takesOver(one, subscription)))
    return;
  session.backlogs.push(new RetainedReplay(engine, session, subscription, filter));
}

/** Whether a replay for the subscription waits for its turn; it is as good as one that begins to wait now. */
function takesOver(backlog: Backlog, subscription: Subscription): boolean {
  return backlog instanceof RetainedReplay && backlog.takesOver(subscription);
}

class RetainedReplay implements Backlog {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #subscription: Subscription;
  /** Found while they are sent, so that the first leave before the last are found. */
  readonly #messages: Generator<Message | null>;
  /** What was stored later was sent when it was published. */
  #until: number;
  isOver = false;
  #isBegun = false;
  /** Publisher → its rights, for those met last. */
  #publisher: Publisher | null = null;
  #publisherRights: Rights | null = null;

  constructor(engine: Engine, session: Session, subscription: Subscription, filter: string) {
    this.#engine = engine;
    this.#session = session;
    this.#subscription = subscription;
    this.#messages = engine.retained.walk(filter);
    this.#until = engine.retained.stored;
  }

  takesOver(subscription: Subscription): boolean {
    if (this.#isBegun || this.#subscription !== subscription) return false;
    this.#until = this.#engine.retained.stored;
    return true;
  }

  sendSome(slice: number): number {
    const session = this.#session;
    let left = slice;
    while (left > 0) {
      if (!isSubscribed(session, this.#subscription)) this.isOver = true;
      if (this.isOver || session.outlet === null || session.outlet.isCongested) return left;
      if ((session.outgoing?.queued ?? 0) > 0) return left;
      this.#isBegun = true;
      // What is sent is what is retained now.
      const { value: message, done } = this.#messages.next();
      if (done === true) {
        this.isOver = true;
        return left;
      }
      // Many were looked at that do not match.
      if (message === null) return 0;
      left--;
      if (message.retainedSince > this.#until) continue;
      if (isExpired(message, this.#engine.nowMs)) {
        forget(this.#engine, message);
        continue;
      }
      if (this.#engine.limits.checkRetainSource && !this.#mayStillPublish(message)) continue;
      // [MQTT-3.8.3-3] holds for every message; Mosquitto replays what the client retained itself.
      if (this.#subscription.noLocal && message.publisher.clientId === session.clientId) continue;
      if (session.rights !== null && !mayReceive(this.#engine, session, message.topic.text)) continue;
      deliver(this.#engine, session, message, this.#subscription, true);
      left -= costOf(message) - 1;
    }
    return left;
  }

  /** By the rules of now, as its publisher was known then (`check_retain_source`). Those of the broker and its bridges stay. */
  #mayStillPublish({ publisher, topic }: Message): boolean {
    if (publisher.clientId === '' || this.#engine.ownClientIds.has(publisher.clientId)) return true;
    if (publisher !== this.#publisher) {
      this.#publisher = publisher;
      this.#publisherRights = rightsOfPublisher(this.#engine, publisher);
    }
    return this.#publisherRights === null || this.#publisherRights.decide('publish', topic.text) > 0;
  }
}

/**
 * Removes every retained message whose time is over, a slice at a time.
 *
 * @param isOver - asked for each: whether to leave it at that
 */
export async function sweepRetained(
  engine: Pick<Engine, 'retained' | 'holdings' | 'store' | 'clock'>,
  isOver: () => boolean,
): Promise<void> {
  const nowMs = engine.clock.nowMs();
  await inBatches(engine.retained.values(), engine.clock, (message) => {
    if (isOver()) return false;
    if (isExpired(message, nowMs)) forget(engine, message);
    return true;
  });
}

/** Removes a retained message whose time is over. */
function forget(engine: Pick<Engine, 'retained' | 'holdings' | 'store'>, message: Message): void {
  const name = message.topic.text;
  const removed = engine.retained.delete(name);
  if (removed === undefined) return;
  engine.store.retainedRemoved(name);
  release(engine.holdings, removed);
}
