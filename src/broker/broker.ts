/** The engine's public face: what the rest of the program and users of the library may do with a broker. */
import type { Clock, Timer } from '../base/clock.ts';
import { InvariantViolation } from '../base/invariant.ts';
import type { Hooks } from '../contracts/hooks.ts';
import type { Logger } from '../contracts/logger.ts';
import { createMessage, type Message, type Publisher } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import type { Store } from '../contracts/store.ts';
import { dropTotal } from '../session/drop-counters.ts';
import { sendWaiting } from '../session/send-waiting.ts';
import { Session } from '../session/session.ts';
import { isTopicName, parseTopicFilter } from '../topics/topic-filter.ts';
import { Engine, tickMs } from './engine.ts';
import type { Limits } from './limits.ts';
import { publish } from './publish.ts';
import { durableFacts, type Restored, restore } from './restore.ts';
import { sendRetained, sweepRetained } from './retain.ts';
import { accessOfPort, grantRights } from './rights.ts';
import { routeOf } from './route.ts';
import { SessionTurn } from './session-turn.ts';
import { dueSession, endSession } from './sessions.ts';
import type { Gauges, Stats } from './stats.ts';
import { subscribe, unsubscribeAll } from './subscribe.ts';
import { sendWill } from './will.ts';

/** How a message of the program itself is published. */
export interface PublishOptions {
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  /** Encoded MQTT 5.0 properties that travel on, without their length. */
  readonly properties?: Buffer;
  /** Offset of the Message Expiry Interval's four bytes in `properties`. */
  readonly expiryOffset?: number;
}

/** The broker as a publisher: `$SYS` topics, messages of the embedding program. */
const internalPublisher: Publisher = { clientId: '', username: null, listenerPort: 0 };

/** How long a broker that stops waits for answers to whether Wills may be sent. */
const judgedWillPatienceMs = 1000;

export class Broker {
  readonly engine: Engine;
  #timer: Timer | null = null;
  #isSweeping = false;
  #isClosing = false;

  constructor(clock: Clock, logger: Logger, store: Store, limits: Limits) {
    const engine = new Engine(clock, logger, store, limits);
    engine.onSessionDue = (session) => dueSession(engine, session);
    engine.takeTurns = (session) => engine.turns.add(new SessionTurn(engine, session));
    this.engine = engine;
  }

  /** Restores what the store kept and begins to count time. */
  start(): Restored {
    const { engine } = this;
    const restored = restore(engine, (fact) => {
      const { clientId, username, listenerPort } = fact;
      return new Session(clientId, { clientId, username, listenerPort }, engine.onSessionDue);
    });
    for (const session of engine.sessions.values()) {
      grantRights(engine, session, accessOfPort(engine, session.publisher.listenerPort));
    }
    engine.store.attach(() => durableFacts(engine));
    this.#timer = engine.clock.every(tickMs, () => {
      engine.nowMs = engine.clock.nowMs();
      engine.currentTick = engine.tick();
      engine.wheel.advance(engine.currentTick);
    });
    return restored;
  }

  get stats(): Stats {
    return this.engine.stats;
  }

  gauges(): Gauges {
    const { engine } = this;
    const { stats } = engine;
    return {
      clientsTotal: engine.sessions.size,
      clientsConnected: engine.connectionsCount,
      messagesStored: engine.holdings.count,
      messagesStoredBytes: engine.holdings.bytes,
      deliveriesWaiting: stats.deliveries - stats.deliveriesSent - dropTotal(stats.deliveriesDropped),
      retainedCount: engine.retained.count,
      subscriptionsCount: engine.subscriptionsCount,
      sharedSubscriptionsCount: engine.sharedSubscriptionsCount,
      packetsOutCount: engine.packetsOutCount,
      packetsOutBytes: engine.packetsOutBytes,
    };
  }

  /** Removes retained messages whose time is over, which otherwise go when they are next met. */
  async sweepRetained(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    await sweepRetained(this.engine, () => this.#isClosing);
    this.#isSweeping = false;
  }

  /** Registers functions that watch the engine; the returned function takes them off again. What they throw is logged. */
  watch(hooks: Hooks): () => void {
    const { hooks: all, logger } = this.engine;
    const guarded = guard(hooks, logger);
    all.push(guarded);
    this.watchAgain();
    return () => {
      const index = all.indexOf(guarded);
      if (index < 0) return;
      all.splice(index, 1);
      this.watchAgain();
    };
  }

  /** Asks those who watch again which topics they are about. */
  watchAgain(): void {
    this.engine.routes.clear();
  }

  /**
   * Publishes a message of the program itself; `$SYS` topics are allowed, access rules do not apply.
   *
   * @returns how many sessions were to get it
   * @throws RangeError - when `topicName` is not a legal Topic Name
   */
  publish(topicName: string, payload: Buffer, options: PublishOptions = {}): number {
    if (!isTopicName(topicName)) throw new RangeError(`"${topicName}" is not a Topic Name`);
    const { engine } = this;
    engine.nowMs = engine.clock.nowMs();
    const route = routeOf(engine, topicName);
    const { expiryOffset = -1 } = options;
    const expiresAtMs =
      expiryOffset < 0 || options.properties === undefined
        ? 0
        : engine.nowMs + options.properties.readUInt32BE(expiryOffset) * 1000;
    const message = createMessage(route.topic, internalPublisher, { payload, ...options, expiresAtMs });
    return publish(engine, message, route, null);
  }

  /**
   * Calls back for every message that the filter matches, retained ones first. Messages are valid during the call only, unless
   * `message.keep()` is taken. `$share` groups are possible.
   *
   * @param onMessage - must not throw; `isRetained`: the message comes because the subscription is new
   * @returns a function that ends the subscription
   * @throws RangeError - when `filter` is not a legal Topic Filter
   */
  subscribe(filter: string, onMessage: (message: Message, isRetained: boolean) => void): () => void {
    const topicFilter = parseTopicFilter(filter);
    if (typeof topicFilter === 'string') throw new RangeError(`"${filter}" is not a Topic Filter`);
    const { engine } = this;
    // A session of its own that no client can take over: it is not in the registry and ends with the subscription.
    const session = new Session('', internalPublisher, () => 0);
    session.outlet = new CallbackOutlet(onMessage);
    const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;
    const { subscription } = subscribe(engine, session, topicFilter, options);
    if (topicFilter.shareName === null) {
      sendRetained(engine, session, subscription);
      sendWaiting(engine, session);
    }
    return () => {
      session.outlet = null;
      unsubscribeAll(engine, session);
    };
  }

  /**
   * Disconnects a client and, when asked, ends its session.
   *
   * @returns whether there was anything of that client
   */
  kick(clientId: string, reasonCode: number, endItsSession = false): boolean {
    const session = this.engine.sessions.get(clientId);
    if (session === undefined) return false;
    session.outlet?.disconnect(reasonCode);
    if (endItsSession && this.engine.sessions.get(clientId) === session) endSession(this.engine, session);
    return true;
  }

  /** Publishes the Wills that are still waiting, stores everything and lets go of time. Connections are closed before. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#timer?.cancel();
    this.engine.nowMs = this.engine.clock.nowMs();
    // Mosquitto: a broker that stops sends the Wills it holds before it saves.
    for (const session of [...this.engine.sessions.values()]) sendWill(this.engine, session);
    await this.#willsJudged();
    await this.engine.store.close();
  }

  /** Waits a little for answers to whether Wills may be sent; those that are not sent then never are. */
  async #willsJudged(): Promise<void> {
    const { judgedWills, clock } = this.engine;
    if (judgedWills.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = clock.after(judgedWillPatienceMs, resolve);
      void Promise.all(judgedWills).then(() => {
        timer.cancel();
        resolve();
      });
    });
    judgedWills.clear();
  }
}

/** Every hook there is; the compiler misses none. */
const everyHook: { readonly [Name in Exclude<keyof Hooks, 'watches'>]-?: true } = {
  afterConnect: true,
  afterDisconnect: true,
  afterSubscribe: true,
  afterUnsubscribe: true,
  afterPublish: true,
};

/** A hook by name only; none takes more than three arguments. */
type AnyHook = (first: unknown, second: unknown, third: unknown) => void;

/** Hooks whose faults stay with them: whoever watches is never in the way of what it watches. */
function guard(hooks: Hooks, logger: Logger): Hooks {
  const guarded: Partial<Record<keyof typeof everyHook, AnyHook>> = {};
  for (const name of Object.keys(everyHook) as (keyof typeof everyHook)[]) {
    const hook = hooks[name] as AnyHook | undefined; // called with what the engine calls it with
    if (hook === undefined) continue;
    guarded[name] = (first, second, third) => {
      try {
        hook.call(hooks, first, second, third);
      } catch (error) {
        if (error instanceof InvariantViolation) throw error;
        logger.log(
          'error',
          `Error: ${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
    };
  }
  // Asked while a route is built; what it throws would be the route's fault.
  return (hooks.watches === undefined ? guarded : { ...guarded, watches: hooks.watches.bind(hooks) }) as Hooks;
}

class CallbackOutlet implements Outlet {
  readonly isCongested = false;
  readonly isFull = false;
  readonly receiveMaximum = 65_535;
  readonly #onMessage: (message: Message, isRetained: boolean) => void;

  constructor(onMessage: (message: Message, isRetained: boolean) => void) {
    this.#onMessage = onMessage;
  }

  sendPublish(message: Message, _qos: 0 | 1 | 2, retain: boolean): boolean {
    this.#onMessage(message, retain);
    return true;
  }

  sendPubrel(): void {}

  disconnect(): void {}
}
