/** The record of parts that a broker consists of. Each operation names the parts it touches; nothing else is shared. */
import type { Clock } from '../base/clock.ts';
import { TimerWheel } from '../base/timer-wheel.ts';
import { Turns } from '../base/turns.ts';
import type { Authorizer, ListenerAccess } from '../contracts/authorizer.ts';
import type { ControlHandler } from '../contracts/control.ts';
import type { Hooks } from '../contracts/hooks.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Message } from '../contracts/message.ts';
import type { Store } from '../contracts/store.ts';
import { type Holdings, newHoldings } from '../session/holding.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import { RetainedTree } from '../topics/retained-tree.ts';
import { RouteCache } from '../topics/route-cache.ts';
import type { SharedGroup } from '../topics/shared-group.ts';
import { SubscriptionTree } from '../topics/subscription-tree.ts';
import { Bans } from './bans.ts';
import { Denials } from './denials.ts';
import type { Limits } from './limits.ts';
import { logLines } from './log-lines.ts';
import { Stats } from './stats.ts';

/** Milliseconds per tick of the timing wheel: Keep Alive × 1.5 is a multiple of it. */
export const tickMs = 500;

/** A shared group, its entry in the tree, and the number that the filter has there. */
export interface SharedEntry {
  readonly group: SharedGroup<Subscription>;
  readonly entry: Subscription;
  readonly number: number;
}

export class Engine {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  /** Replaced as a whole by a reload. */
  limits: Limits;
  authorizer: Authorizer | null = null;
  /** Whether any listener has rules about what its clients may do. */
  hasRules = false;
  /** Port of a listener → its rules, for sessions that come from the store; of several with one port the first. */
  readonly accessByPort = new Map<number, ListenerAccess>();
  readonly denials: Denials;
  /** Client Identifiers that an operator keeps out for a time. */
  readonly bans = new Bans();
  /** Client Identifiers of the broker's own bridges, which no client may take. */
  readonly ownClientIds = new Set<string>();
  /** Topic Name below `$CONTROL` → who answers there; replaced by a reload. */
  readonly controls = new Map<string, ControlHandler>();
  readonly hooks: Hooks[] = [];
  readonly stats = new Stats();
  readonly holdings: Holdings = newHoldings();
  readonly routes = new RouteCache<Subscription>();
  readonly tree: SubscriptionTree<Subscription>;
  /** `$share/NAME/FILTER` → its group. */
  readonly groups = new Map<string, SharedEntry>();
  readonly retained = new RetainedTree<Message>();
  /** Client Identifier → session. */
  readonly sessions = new Map<string, Session>();
  readonly wheel: TimerWheel;
  /** Sessions with QoS 2 deliveries that the store has not made safe yet. */
  readonly awaitingCommit = new Set<Session>();
  /** Ordinary and shared subscriptions over all sessions. */
  subscriptionsCount = 0;
  sharedSubscriptionsCount = 0;
  /** Whoever has more to do than others can wait for. */
  readonly turns: Turns;
  /** Wills whose right to be sent is being asked about; at most one per session that ended meanwhile. */
  readonly judgedWills = new Set<Promise<void>>();
  /** Open Network Connections, also those that have not sent CONNECT yet; kept by `connection/`. */
  connectionsCount = 0;
  /** Packets and bytes that wait for slow sockets; kept by `connection/`. */
  packetsOutCount = 0;
  packetsOutBytes = 0;
  /** The tick that the broker's timer saw last; cheap to read where being half a second behind does not matter. */
  currentTick = 1;
  /** Wall clock in ms, read once per turn. */
  nowMs: number;
  /** A session is due when the wheel comes round; returns the tick for the next look, 0 for none. Set by the broker. */
  onSessionDue: (session: Session) => number = () => 0;
  /** Lets a session go on sending in the next turns. Set by the broker. */
  takeTurns: (session: Session) => void = () => {};
  /** Tells the operator that deliveries to a session are being dropped. */
  readonly reportDrops: (session: Session) => void;
  readonly #startMs: number;

  constructor(clock: Clock, logger: Logger, store: Store, limits: Limits) {
    this.clock = clock;
    this.logger = logger;
    this.store = store;
    this.limits = limits;
    this.tree = new SubscriptionTree(
      (topicName, hash) => this.routes.invalidate(topicName, 0, topicName.length, hash),
      clock.seed(),
    );
    this.nowMs = clock.nowMs();
    this.#startMs = clock.monotonicMs();
    this.wheel = new TimerWheel(this.tick());
    this.turns = new Turns(clock, () => {
      this.nowMs = clock.nowMs();
    });
    this.denials = new Denials(logger, () => this.currentTick, 1000 / tickMs);
    this.reportDrops = (session) => logger.log('notice', logLines.messagesDropped(session.clientId));
  }

  /** The present tick of the timing wheel; begins at 1 and never goes back. */
  tick(): number {
    return Math.floor((this.clock.monotonicMs() - this.#startMs) / tickMs) + 1;
  }

  /** The first tick at which `milliseconds` from now are over. */
  tickAfter(milliseconds: number): number {
    return Math.floor((this.clock.monotonicMs() - this.#startMs + milliseconds) / tickMs) + 2;
  }
}
