/** Topic Name → who gets it, through the cache. */
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { topicNameFault } from '../codec/topic-name-bytes.ts';
import type { Session } from '../session/session.ts';
import { JoinedSubscription, type Subscription } from '../session/subscription.ts';
import { Route } from '../topics/route-cache.ts';
import type { Topic } from '../topics/topic.ts';
import type { Engine } from './engine.ts';

type Needs = Pick<Engine, 'routes' | 'tree' | 'limits' | 'hooks'>;

/**
 * The present route of the Topic Name `bytes[start..end)`.
 *
 * @throws ProtocolError - 0x81 when it is no legal Topic Name; a cached name was legal before
 */
export function findRoute(engine: Needs, bytes: Buffer, start: number, end: number): Route<Subscription> {
  const { tree, routes } = engine;
  const hash = tree.hash(bytes, start, end);
  const cached = routes.find(bytes, start, end, hash);
  if (cached !== undefined && cached.generation === tree.generation) return cached;
  let topic = cached?.topic;
  if (topic === undefined) {
    const fault = topicNameFault(bytes, start, end);
    if (fault !== undefined) throw new ProtocolError(ReasonCode.MalformedPacket, fault.statement, fault.message);
    topic = routes.newTopic(bytes, start, end);
  }
  const found = tree.match(bytes, start, end, hash);
  const matches = engine.limits.allowDuplicateMessages || found.length < 2 ? found : oneCopyPerClient(found);
  const route = new Route<Subscription>(topic, hash, tree.generation, matches);
  if (engine.hooks.length > 0) route.isWatched = isWatched(engine, topic.name);
  routes.add(route);
  return route;
}

function isWatched({ hooks }: Needs, topicName: string): boolean {
  return hooks.some((hook) => hook.afterPublish !== undefined && (hook.watches?.(topicName) ?? true));
}

/** The route of a topic. */
export function routeOfTopic(engine: Needs, { source, start, length }: Topic): Route<Subscription> {
  return findRoute(engine, source, start, start + length);
}

/** The route of a Topic Name that is known to be legal. */
export function routeOf(engine: Needs, topicName: string): Route<Subscription> {
  const bytes = Buffer.from(topicName);
  return findRoute(engine, bytes, 0, bytes.length);
}

/**
 * Joins the subscriptions of one client: highest QoS, all Subscription Identifiers (`allow_duplicate_messages false`).
 *
 * What the client itself publishes is for those without No Local alone. [MQTT-3.8.3-3]
 */
function oneCopyPerClient(matches: readonly Subscription[]): Subscription[] {
  const joined: Subscription[] = [];
  /** session → index of its first match in `joined` */
  const places = new Map<Session, number>();
  for (const match of matches) {
    const place = match.session === null ? undefined : places.get(match.session);
    if (place !== undefined) {
      joined[place] = join(joined[place] as Subscription, match);
      continue;
    }
    if (match.session !== null) places.set(match.session, joined.length);
    joined.push(match);
  }
  return joined;
}

function join(first: Subscription, second: Subscription): Subscription {
  const noLocal = first.noLocal || second.noLocal;
  const joined = new JoinedSubscription(first, noLocal ? joinOwn(first, second) : null);
  joined.setOptions(
    second.qos > first.qos ? second.qos : first.qos,
    noLocal,
    first.retainAsPublished || second.retainAsPublished,
    first.retainHandling,
  );
  joined.ids = first.ids === null || second.ids === null ? (first.ids ?? second.ids) : [...first.ids, ...second.ids];
  return joined;
}

/** What is left of both for what the client publishes itself. */
function joinOwn(first: Subscription, second: Subscription): Subscription | null {
  const firstOwn = first.noLocal ? first.ofOwn : first;
  const secondOwn = second.noLocal ? second.ofOwn : second;
  return firstOwn !== null && secondOwn !== null ? join(firstOwn, secondOwn) : (firstOwn ?? secondOwn);
}
