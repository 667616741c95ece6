/**
 * Room 3: a PUBLISH from a client → an accepted Application Message, or a refusal in the acknowledgement that belongs to it.
 *
 * The order of the checks is the admission column of docs/architecture.md. From the alias on no alias exists any more, from the
 * mount point on only the full internal topic.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { logLines } from '../broker/log-lines.ts';
import { publish } from '../broker/publish.ts';
import { isOpenToClients, mayPublish } from '../broker/rights.ts';
import { findRoute, routeOfTopic } from '../broker/route.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { type PublishView, readPublish } from '../codec/publish.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { variableByteIntegerSize } from '../codec/variable-byte-integer.ts';
import type { Rights } from '../contracts/authorizer.ts';
import { hold } from '../session/holding.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import type { Connection } from './connection.ts';
import { receiveControl } from './receive-control.ts';

/** @returns a promise when somebody has to be asked first; the connection reads on when it is settled */
export function receivePublish(
  connection: Connection,
  firstByte: number,
  bytes: Buffer,
  start: number,
  end: number,
): MaybePromise<void> {
  const { hub, policy } = connection;
  const { engine, view } = hub;
  readPublish(firstByte, bytes, start, end, connection.version, view);
  engine.stats.publishReceived++;
  engine.stats.publishBytesReceived += view.payloadEnd - view.payloadStart;
  if (hub.isTracing) trace(connection, bytes);
  if (view.qos > policy.maxQos) throw qosNotSupported();
  if (view.retain !== 0 && !engine.limits.retainAvailable) {
    // Another broker need not know what ours keeps.
    if (connection.outward === null) throw retainNotSupported();
    view.retain = 0;
  }
  if (view.qos !== 0) {
    const { stats } = engine;
    if (view.qos === 1) {
      stats.publishReceivedQos1++;
      stats.publishBytesReceivedQos1 += view.payloadEnd - view.payloadStart;
    } else {
      stats.publishReceivedQos2++;
      stats.publishBytesReceivedQos2 += view.payloadEnd - view.payloadStart;
    }
    checkReceiveMaximum(connection, view);
  }
  const route = resolveRoute(connection, bytes, view);

  const session = connection.session as Session;
  // A repeat of a message that is already owned, whatever would be said of it now. [MQTT-4.3.3-10]
  if (view.qos === 2 && session.received?.has(view.packetId)) {
    connection.acknowledge('pubrec', view.packetId, 0);
    return;
  }
  const sizeLimit = engine.limits.messageSizeLimit;
  if (sizeLimit > 0 && view.payloadEnd - view.payloadStart > sizeLimit) {
    if (hub.isTracing) engine.logger.log('debug', logLines.tooLargePublish(connection.clientId, line(route, view)));
    engine.stats.messagesDropped.tooLarge++;
    // Mosquitto says 0x95, which PUBACK and PUBREC may not carry. [MQTT-3.4.2-1] [MQTT-3.5.2-1]
    refuse(connection, view.qos, view.packetId, ReasonCode.QuotaExceeded);
    return;
  }
  let isControl = false;
  if (route.kind !== 'ordinary') {
    // Requests to the broker are answered by it; an embedding program that decides about rights has no such endpoints.
    isControl = route.kind === 'control' && engine.authorizer === null;
    if (!isControl && !isOpenToClients(route)) {
      deny(connection, route, view);
      return;
    }
  }
  if (session.rights !== null && route !== connection.allowedRoute) {
    if (!mayPublish(engine, session, route)) {
      deny(connection, route, view, session.rights);
      return;
    }
    connection.allowedRoute = route;
  }
  if (isControl) return receiveControl(connection, bytes, route, view);
  const frameStart = wholeFrame(connection, firstByte, bytes, start, end);
  if (engine.authorizer !== null && connection.outward === null) return authorize(connection, bytes, route, frameStart);
  accept(connection, bytes, route, frameStart);
}

/**
 * Where the PUBLISH begins when it can be sent on as it is: QoS 0, nothing in it that belongs to this connection or changes
 * with time, and a Remaining Length in its shortest form; else −1.
 */
function wholeFrame(connection: Connection, firstByte: number, bytes: Buffer, start: number, end: number): number {
  const { view } = connection.hub;
  if (view.qos !== 0 || view.topicAlias !== 0 || view.expiryOffset >= 0 || connection.otherNames !== null) return -1;
  const frameStart = start - 1 - variableByteIntegerSize(end - start);
  // In a longer form this byte would belong to the Remaining Length and have bit 7 set, which a first byte of QoS 0 has not.
  return bytes[frameStart] === firstByte ? frameStart : -1;
}

/**
 * The message is ours from here on.
 *
 * @param frameStart - see `Message.frameStart`
 */
function accept(connection: Connection, bytes: Buffer, route: Route<Subscription>, frameStart: number): void {
  const { hub } = connection;
  const { engine, view, message } = hub;
  const session = connection.session as Session;
  message.topic = route.topic;
  message.setHeader(view.qos as 0 | 1 | 2, view.retain !== 0, view.packetId, connection.version === 5 ? 1 : 0);
  message.publisher = session.publisher;
  message.payloadSource = bytes;
  message.payloadStart = view.payloadStart;
  message.payloadEnd = view.payloadEnd;
  message.propertiesSource = bytes;
  message.propertiesStart = view.propertiesStart;
  message.propertiesEnd = view.propertiesEnd;
  message.expiryOffset = view.expiryOffset;
  message.expiresAtMs = view.expiryOffset < 0 ? 0 : engine.nowMs + view.messageExpiryInterval * 1000;
  message.frameStart = frameStart;
  message.serial = ++hub.lastSerial;
  message.kept = null;
  if (view.qos === 2) {
    acceptQos2(connection, session, view.packetId);
    return;
  }
  const { packetId } = view;
  const positionBefore = engine.store.position;
  const matched = publish(engine, message, route, session);
  if (matched === 0) engine.stats.messagesDropped.noSubscribers++;
  if (packetId === 0) return;
  // Nobody was there to get it: MQTT 5.0 clients are told, as Mosquitto does.
  const reasonCode = matched === 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
  connection.acknowledge('puback', packetId, reasonCode, null, engine.store.position !== positionBefore);
}

/** Method A of the standard: stored and acknowledged now, distributed when PUBREL comes. (docs/adr/0005) */
function acceptQos2(connection: Connection, session: Session, packetId: number): void {
  const { engine, message } = connection.hub;
  const received = session.receivedMessages();
  const { maxInflightMessages, maxQueuedMessages } = engine.limits;
  const bound = maxInflightMessages > 0 && maxQueuedMessages > 0 ? maxInflightMessages + maxQueuedMessages : 65_535;
  if (received.size >= bound) {
    engine.stats.publishDropped++;
    engine.stats.messagesDropped.quota++;
    if (connection.version !== 5) received.set(packetId, null);
    connection.acknowledge('pubrec', packetId, ReasonCode.QuotaExceeded);
    return;
  }
  // A message that only its publisher holds is used again; a store may hold one for longer.
  const kept = session.isPersistent ? message.keep() : engine.holdings.pool.take(message);
  hold(engine.holdings, kept);
  received.set(packetId, kept);
  if (session.isPersistent) engine.store.receivedPut(session.clientId, packetId, kept);
  connection.acknowledge('pubrec', packetId, 0, null, session.isPersistent);
}

/** Topic Alias → Topic Name → route; the route the connection used last is tried first. */
function resolveRoute(connection: Connection, bytes: Buffer, view: PublishView): Route<Subscription> {
  if (view.topicAlias !== 0) return resolveAlias(connection, bytes, view);
  const { otherNames, lastRoute: last } = connection;
  if (otherNames !== null) return otherNames.routeIn(bytes, view.topicStart, view.topicEnd);
  const { engine } = connection.hub;
  if (
    last !== null &&
    last.generation === engine.tree.generation &&
    last.topic.is(bytes, view.topicStart, view.topicEnd)
  ) {
    return last;
  }
  const route = findRoute(engine, bytes, view.topicStart, view.topicEnd);
  connection.lastRoute = route;
  return route;
}

function resolveAlias(connection: Connection, bytes: Buffer, view: PublishView): Route<Subscription> {
  const aliases = connection.inboundAliases;
  aliases.check(view.topicAlias);
  const { engine } = connection.hub;
  if (view.topicStart === view.topicEnd) {
    connection.outward?.heardAlias();
    return routeOfTopic(engine, aliases.get(view.topicAlias));
  }
  const route =
    connection.otherNames?.routeIn(bytes, view.topicStart, view.topicEnd) ??
    findRoute(engine, bytes, view.topicStart, view.topicEnd);
  // The mapping holds even when the message itself is refused (MQTT 5.0 §3.3.2.3.4).
  aliases.set(view.topicAlias, route.topic);
  return route;
}

/** Exchanges that the client began on this connection and we have not finished, against what CONNACK allowed. [MQTT-3.3.4-7] */
function checkReceiveMaximum(connection: Connection, view: PublishView): void {
  if (connection.version !== 5) return;
  const maximum = connection.outward?.receiveMaximum ?? connection.hub.engine.limits.maxInflightMessages;
  if (maximum === 0) return;
  // A repeat is not another message.
  if (view.qos === 2 && connection.session?.received?.has(view.packetId)) return;
  if (connection.acks.unanswered < maximum) {
    connection.acks.unanswered++;
    return;
  }
  throw new ProtocolError(
    ReasonCode.ReceiveMaximumExceeded,
    'MQTT-3.3.4-7',
    `PUBLISH: more than Receive Maximum ${maximum} messages are not acknowledged yet`,
  );
}

/** Asks whether the client may; a promise only when the answer comes later. */
function authorize(
  connection: Connection,
  bytes: Buffer,
  route: Route<Subscription>,
  frameStart: number,
): MaybePromise<void> {
  const { hub } = connection;
  const session = connection.session as Session;
  const verdict = hub.engine.authorizer?.authorize(session.publisher, 'publish', route.topic.name) ?? true;
  if (typeof verdict !== 'boolean') return authorizeLater(connection, bytes, route, verdict);
  // Whoever decides may have ended the connection, or changed who subscribes.
  if (connection.session !== session) return;
  if (!verdict) deny(connection, route, hub.view);
  else if (route.generation === hub.engine.tree.generation) accept(connection, bytes, route, frameStart);
  else accept(connection, bytes, routeAgain(connection, route), frameStart);
}

/** Of a view, without that of the expiry, which may be −1. */
const offsets = ['topicStart', 'topicEnd', 'propertiesStart', 'propertiesEnd', 'payloadStart', 'payloadEnd'] as const;

async function authorizeLater(
  connection: Connection,
  bytes: Buffer,
  route: Route<Subscription>,
  verdict: Promise<boolean>,
): Promise<void> {
  const { hub, session } = connection;
  // The packet must survive the wait: the read buffer and the view belong to others meanwhile.
  const view = { ...hub.view };
  const from = view.topicStart;
  const copy = Buffer.from(bytes.subarray(from, view.payloadEnd));
  for (const offset of offsets) view[offset] = Math.max(0, view[offset] - from);
  if (view.expiryOffset >= 0) view.expiryOffset -= from;
  const isAllowed = await verdict.catch(() => false);
  if (connection.session !== session) return;
  hub.engine.nowMs = hub.engine.clock.nowMs();
  Object.assign(hub.view, view);
  if (isAllowed) accept(connection, copy, routeAgain(connection, route), -1);
  else deny(connection, route, hub.view);
}

function routeAgain(connection: Connection, { topic }: Route<Subscription>): Route<Subscription> {
  return routeOfTopic(connection.hub.engine, topic);
}

/** @param rights - the rules that denied it; absent where it was not them */
function deny(connection: Connection, route: Route<Subscription>, view: PublishView, rights?: Rights): void {
  const { hub } = connection;
  hub.engine.stats.messagesDropped.notAuthorized++;
  if (hub.isTracing) {
    hub.engine.logger.log('debug', logLines.deniedPublish(connection.clientId, line(route, view)));
  }
  const why =
    rights !== undefined && hub.engine.limits.explainDenials
      ? rights.describe(rights.decide('publish', route.topic.name))
      : null;
  refuse(connection, view.qos, view.packetId, ReasonCode.NotAuthorized, why);
}

/** MQTT 5.0 is told in the acknowledgement; 3.x gets the usual one and the message is gone. Mosquitto. (docs/adr/0013) */
function refuse(
  connection: Connection,
  qos: number,
  packetId: number,
  reasonCode: number,
  why: string | null = null,
): void {
  if (qos === 0) return;
  if (qos === 2 && connection.version !== 5) {
    const session = connection.session as Session;
    session.receivedMessages().set(packetId, null);
  }
  connection.acknowledge(qos === 1 ? 'puback' : 'pubrec', packetId, reasonCode, why);
}

function qosNotSupported(): ProtocolError {
  return new ProtocolError(ReasonCode.QosNotSupported, 'MQTT-3.2.2-11', 'PUBLISH: QoS above Maximum QoS');
}

function retainNotSupported(): ProtocolError {
  return new ProtocolError(ReasonCode.RetainNotSupported, 'MQTT-3.2.2-14', 'PUBLISH: RETAIN is not available');
}

function trace(connection: Connection, bytes: Buffer): void {
  const { view, engine } = connection.hub;
  const topicName = bytes.toString('utf8', view.topicStart, view.topicEnd);
  engine.logger.log('debug', logLines.receivedPublish(connection.clientId, { ...lineOf(view), topicName }));
}

function line(route: Route<Subscription>, view: PublishView) {
  return { ...lineOf(view), topicName: route.topic.name };
}

function lineOf(view: PublishView) {
  return {
    isDuplicate: view.dup !== 0,
    qos: view.qos,
    isRetained: view.retain !== 0,
    packetId: view.packetId,
    payloadBytes: view.payloadEnd - view.payloadStart,
  };
}
