/** Topic Name → who gets it, through the cache. */
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { topicNameFault } from '../codec/topic-name-bytes.ts';
import type { Session, Subscription } from '../session/session.ts';
import { hashBytes, Route } from '../topics/route-cache.ts';
import type { Engine } from './engine.ts';

type Needs = Pick<Engine, 'routes' | 'tree' | 'limits' | 'hooks' | 'subscriptionsCount'>;

/**
 * The present route of the Topic Name `bytes[start..end)`.
 *
 * @throws ProtocolError - 0x81 when it is no legal Topic Name; a cached name was legal before
 */
export function findRoute(engine: Needs, bytes: Buffer, start: number, end: number): Route<Subscription> {
  const hash = hashBytes(bytes, start, end);
  const cached = engine.routes.find(bytes, start, end, hash);
  if (cached !== undefined && cached.generation === engine.tree.generation) return cached;
  let name: string;
  let ownBytes: Buffer;
  if (cached !== undefined) {
    name = cached.topic.name;
    ownBytes = cached.topic.bytes;
  } else {
    const fault = topicNameFault(bytes, start, end);
    if (fault !== undefined) throw new ProtocolError(ReasonCode.MalformedPacket, fault.statement, fault.message);
    name = bytes.toString('utf8', start, end);
    ownBytes = Buffer.from(bytes.subarray(start, end));
  }
  const matches: Subscription[] = [];
  engine.tree.match(name, matches);
  const route = new Route<Subscription>(
    name,
    ownBytes,
    hash,
    engine.tree.generation,
    engine.limits.allowDuplicateMessages || matches.length < 2 ? matches : oneCopyPerClient(matches),
  );
  route.isWatched = engine.hooks.some((hooks) => hooks.afterPublish !== undefined && (hooks.watches?.(name) ?? true));
  // Many subscriptions, many topics.
  engine.routes.add(route, engine.subscriptionsCount);
  return route;
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
function oneCopyPerClient(matches: Subscription[]): Subscription[] {
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
  const own = [first, second].map((one) => (one.noLocal ? (one.ofOwn ?? null) : one));
  const [firstOwn = null, secondOwn = null] = own;
  const noLocal = first.noLocal || second.noLocal;
  return {
    ...first,
    qos: second.qos > first.qos ? second.qos : first.qos,
    retainAsPublished: first.retainAsPublished || second.retainAsPublished,
    noLocal,
    ids: first.ids === null || second.ids === null ? (first.ids ?? second.ids) : [...first.ids, ...second.ids],
    ofOwn: !noLocal
      ? null
      : firstOwn !== null && secondOwn !== null
        ? join(firstOwn, secondOwn)
        : (firstOwn ?? secondOwn),
  };
}
