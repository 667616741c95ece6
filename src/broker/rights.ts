/**
 * What the rules of the listeners allow, asked where messages come in and where they go out.
 *
 * A verdict is found once per client and route: for deliveries it is kept beside the route's matches, for publishing on the
 * route (and on the connection). A change of the rules makes every route stale, and the verdicts go with them. Without rules
 * anywhere the path sees one false flag.
 */
import type { ListenerAccess, Rights } from '../contracts/authorizer.ts';
import type { Publisher } from '../contracts/message.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import type { Engine } from './engine.ts';
import { topicFilterOf, unsubscribe } from './subscribe.ts';

type Needs = Pick<Engine, 'denials'>;

const bridgeState = /^\$SYS\/broker\/connection\/[^/]+\/state$/;

/** What of `$SYS`, `$share` and `$CONTROL` clients may publish to: only the state of a bridge connection. Mosquitto. */
export function isOpenToClients(route: Route<Subscription>): boolean {
  return route.kind === 'ordinary' || (route.kind === 'sys' && bridgeState.test(route.topic.name));
}

/** Whether the session's client may publish to the route's topic now; a denial is logged. */
export function mayPublish(engine: Needs, session: Session, route: Route<Subscription>): boolean {
  const { rights } = session;
  if (rights === null || route.writer === rights) return true;
  const { name } = route.topic;
  const verdict = rights.decide('publish', name);
  if (verdict > 0) {
    route.writer = rights;
    return true;
  }
  engine.denials.report(session, rights, 'publish', name, verdict);
  return false;
}

/** Whether the session's client may subscribe, `$share/group/` included; a denial is logged. */
export function maySubscribe(engine: Needs, session: Session, filter: string): boolean {
  const { rights } = session;
  if (rights === null) return true;
  const verdict = rights.decide('subscribe', filter);
  if (verdict < 0) engine.denials.report(session, rights, 'subscribe', filter, verdict);
  return verdict > 0;
}

/** The same for the end of a subscription. */
export function mayUnsubscribe(engine: Needs, session: Session, filter: string): boolean {
  const { rights } = session;
  if (rights === null) return true;
  const verdict = rights.decide('unsubscribe', filter);
  if (verdict < 0) engine.denials.report(session, rights, 'unsubscribe', filter, verdict);
  return verdict > 0;
}

/** Whether the session's client may be given a message of this topic now; a denial is logged. */
export function mayReceive(engine: Needs, session: Session, topicName: string): boolean {
  const { rights } = session;
  if (rights === null) return true;
  const verdict = rights.decide('receive', topicName);
  if (verdict > 0) return true;
  engine.denials.report(session, rights, 'receive', topicName, verdict);
  return false;
}

/** The same for the route's match number `index`, whose verdict is remembered. */
export function mayReceiveMatch(engine: Needs, session: Session, route: Route<Subscription>, index: number): boolean {
  const { rights } = session;
  if (rights === null) return true;
  const verdicts = (route.verdicts ??= new Array<number>(route.count).fill(0));
  let verdict = verdicts[index] as number;
  if (verdict === 0) {
    verdict = rights.decide('receive', route.topic.name);
    verdicts[index] = verdict;
  }
  if (verdict > 0) return true;
  engine.denials.report(session, rights, 'receive', route.topic.name, verdict);
  return false;
}

/** Gives a session the rights of its client at the listener it uses now. */
export function grantRights(engine: Pick<Engine, 'tree'>, session: Session, access: ListenerAccess | null): void {
  const before = session.rights;
  session.access = access;
  session.rights = access?.rules?.rightsOf(session.publisher) ?? null;
  // Verdicts of the one it was before may stand beside its subscriptions, and its queue was filled under them.
  if (session.subscriptions.length > 0 && (before !== null || session.rights !== null)) engine.tree.invalidate();
  session.mustRecheck = session.rights !== null;
}

/**
 * Takes rules that were replaced: every message from now on is judged by the new ones, at every place.
 *
 * @param listeners - every listener of the broker
 */
export function takeRules(
  engine: Pick<Engine, 'tree' | 'sessions' | 'hasRules'>,
  listeners: Iterable<ListenerAccess>,
): void {
  engine.hasRules = [...listeners].some(({ rules }) => rules !== null);
  for (const session of engine.sessions.values()) {
    session.rights = session.access?.rules?.rightsOf(session.publisher) ?? null;
    session.mustRecheck = session.rights !== null;
  }
  engine.tree.invalidate();
}

/**
 * Takes rules that changed for some clients, as {@link takeRules} does for all. What they may not subscribe to any more they
 * are not subscribed to any more, connected or not.
 *
 * @param users - by user name; null: clients without one
 */
export function takeRulesOf(
  engine: Parameters<typeof unsubscribe>[0] & Pick<Engine, 'sessions'>,
  users: ReadonlySet<string | null>,
): void {
  for (const session of engine.sessions.values()) {
    const { access, publisher } = session;
    if (access === null || !users.has(publisher.username)) continue;
    const rights = access.rules?.rightsOf(publisher) ?? null;
    session.rights = rights;
    session.mustRecheck = rights !== null;
    // Its verdicts may stand beside routes to it and from it.
    engine.tree.invalidate();
    if (rights === null) continue;
    for (const subscription of [...session.subscriptions]) {
      const { text } = topicFilterOf(engine, subscription);
      if (rights.decide('subscribe', text) < 0) unsubscribe(engine, session, text);
    }
  }
}

/**
 * The rules for somebody whom only the store knows, by the port of the listener used last. A port that is not listened on any
 * more is judged as the first listener: having moved gives nobody more rights.
 */
export function accessOfPort(engine: Pick<Engine, 'accessByPort'>, port: number): ListenerAccess | null {
  const { accessByPort } = engine;
  return accessByPort.get(port) ?? accessByPort.values().next().value ?? null;
}

/** What somebody who need not be connected may do now; null: everything. */
export function rightsOfPublisher(engine: Pick<Engine, 'accessByPort'>, publisher: Publisher): Rights | null {
  return accessOfPort(engine, publisher.listenerPort)?.rules?.rightsOf(publisher) ?? null;
}
