/** SUBSCRIBE and UNSUBSCRIBE: rights, options, SUBACK, then what is retained. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { logLines } from '../broker/log-lines.ts';
import { sendRetained } from '../broker/retain.ts';
import { maySubscribe, mayUnsubscribe } from '../broker/rights.ts';
import { subscribe, unsubscribe } from '../broker/subscribe.ts';
import { encodePacket } from '../codec/encode.ts';
import {
  NO_PROPERTIES,
  type SubscribePacket,
  type Subscription as SubscriptionRequest,
  type UnsubscribePacket,
} from '../codec/packet.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { variableByteIntegerSize } from '../codec/variable-byte-integer.ts';
import { sendWaiting } from '../session/send-waiting.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import { parseTopicFilter, type TopicFilter } from '../topics/topic-filter.ts';
import type { Connection } from './connection.ts';

/** A filter that passed the checks, with its mount point in front. */
interface Wanted {
  readonly request: SubscriptionRequest;
  readonly topicFilter: TopicFilter;
}

/** @returns a promise when somebody has to be asked first; the connection reads on when it is settled */
export function receiveSubscribe(connection: Connection, packet: SubscribePacket): MaybePromise<void> {
  const { engine } = connection.hub;
  // Everything is checked before anything is done: a packet in error makes no subscription.
  checkAnswerFits(connection, packet.subscriptions.length);
  const wanted = packet.subscriptions.map((request) => check(connection, request));
  if (connection.hub.isTracing) engine.logger.log('debug', logLines.receivedSubscribe(connection.clientId));
  const session = connection.session as Session;
  const allowed =
    session.rights === null ? null : wanted.map(({ topicFilter }) => maySubscribe(engine, session, topicFilter.text));
  if (engine.authorizer === null) {
    finish(connection, packet, wanted, allowed);
    return;
  }
  return authorizeAll(connection, packet, wanted, allowed);
}

/** SUBACK or UNSUBACK, with a Reason Code for each of `count` filters, may not be above what the client takes. [MQTT-3.1.2-24] */
function checkAnswerFits(connection: Connection, count: number): void {
  // Packet Identifier and Property Length in front of the Reason Codes; only MQTT 5.0 clients state a maximum.
  const remainingLength = 3 + count;
  if (1 + variableByteIntegerSize(remainingLength) + remainingLength <= connection.maximumPacketSize) return;
  throw new ProtocolError(
    ReasonCode.PacketTooLarge,
    'MQTT-3.1.2-24',
    `the answer for ${count} filters is above the Maximum Packet Size ${connection.maximumPacketSize} of the client`,
  );
}

function check(connection: Connection, request: SubscriptionRequest): Wanted {
  const parsed = parseTopicFilter(request.filter);
  if (typeof parsed === 'string') {
    const reasonCode = parsed === 'share' ? ReasonCode.ProtocolError : ReasonCode.MalformedPacket;
    throw new ProtocolError(reasonCode, 'MQTT-4.7.1-1', `SUBSCRIBE: "${request.filter}" is not a Topic Filter`);
  }
  if (parsed.shareName !== null && request.noLocal) {
    throw new ProtocolError(ReasonCode.ProtocolError, 'MQTT-3.8.3-4', 'SUBSCRIBE: No Local on a shared subscription');
  }
  return { request, topicFilter: mounted(connection, parsed) };
}

/** @param byRules - what the rules said, null when there are none */
async function authorizeAll(
  connection: Connection,
  packet: SubscribePacket,
  wanted: Wanted[],
  byRules: boolean[] | null,
): Promise<void> {
  const { engine } = connection.hub;
  const session = connection.session as Session;
  const allowed: boolean[] = [];
  for (const [index, { topicFilter }] of wanted.entries()) {
    if (byRules?.[index] === false) {
      allowed.push(false);
      continue;
    }
    const verdict = engine.authorizer?.authorize(session.publisher, 'subscribe', topicFilter.text) ?? true;
    allowed.push(typeof verdict === 'boolean' ? verdict : await verdict.catch(() => false));
  }
  if (connection.session === session) finish(connection, packet, wanted, allowed);
}

function finish(connection: Connection, packet: SubscribePacket, wanted: Wanted[], allowed: boolean[] | null): void {
  const { engine, isTracing } = connection.hub;
  const { logger } = engine;
  const session = connection.session as Session;
  const identifier = packet.properties.subscriptionIdentifiers?.[0] ?? 0;
  const reasonCodes: (0 | 1 | 2 | 0x80 | 0x87)[] = [];
  const replays: Subscription[] = [];
  for (const [index, { request, topicFilter }] of wanted.entries()) {
    const { maxQos } = connection.policy;
    const qos = request.qos > maxQos ? maxQos : request.qos;
    if (allowed !== null && allowed[index] === false) {
      if (isTracing) logger.log('debug', logLines.subscribeFilter(request.filter, null));
      // MQTT 3.1 has no code for no: it is granted and never delivers.
      reasonCodes.push(connection.version === 5 ? 0x87 : connection.version === 4 ? 0x80 : qos);
      continue;
    }
    if (isTracing) logger.log('debug', logLines.subscribeFilter(request.filter, qos));
    if (logger.enabled('subscribe')) {
      logger.log('subscribe', logLines.subscribed(connection.clientId, qos, topicFilter.text));
    }
    const { noLocal, retainAsPublished, retainHandling } = request;
    const { subscription, isNew } = subscribe(engine, session, topicFilter, {
      qos,
      // A bridge of Mosquitto's (protocol level with bit 7) gets neither its own messages back nor the RETAIN flag cleared.
      noLocal: noLocal || connection.isBridge,
      retainAsPublished: retainAsPublished || connection.isBridge,
      retainHandling,
      identifier,
    });
    reasonCodes.push(qos);
    for (const hook of engine.hooks) hook.afterSubscribe?.(session.publisher, topicFilter.text, qos);
    // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]; shared subscriptions never get retained messages (§4.8.2).
    if (topicFilter.shareName === null && (retainHandling === 0 || (retainHandling === 1 && isNew))) {
      replays.push(subscription);
    }
  }
  const { packetId } = packet;
  if (isTracing) logger.log('debug', logLines.sendingSuback(connection.clientId));
  const suback = { type: 'suback', packetId, properties: NO_PROPERTIES, reasonCodes } as const;
  connection.sendAfterCommit(encodePacket(suback, connection.version));
  if (replays.length === 0) return;
  const replay = (): void => {
    for (const subscription of replays) sendRetained(engine, session, subscription);
    sendWaiting(engine, session);
  };
  // Mosquitto: what is retained follows the SUBACK, also when that waits for the disk.
  if (connection.acks.waiting === 0) replay();
  else void connection.acks.untilEmpty().then(() => connection.session === session && replay());
}

/** UNSUBSCRIBE: every filter is answered in its place. [MQTT-3.11.3-1] */
export function receiveUnsubscribe(connection: Connection, packet: UnsubscribePacket): void {
  const { engine, isTracing } = connection.hub;
  const { logger } = engine;
  const session = connection.session as Session;
  checkAnswerFits(connection, packet.filters.length);
  const filters = packet.filters.map((filter) => {
    const parsed = parseTopicFilter(filter);
    if (typeof parsed === 'string') {
      const reasonCode = parsed === 'share' ? ReasonCode.ProtocolError : ReasonCode.MalformedPacket;
      throw new ProtocolError(reasonCode, 'MQTT-4.7.1-1', `UNSUBSCRIBE: "${filter}" is not a Topic Filter`);
    }
    return mounted(connection, parsed).text;
  });
  if (isTracing) logger.log('debug', logLines.receivedUnsubscribe(connection.clientId));
  const reasonCodes = filters.map((filter) => {
    if (isTracing) logger.log('debug', logLines.unsubscribeFilter(filter));
    // MQTT 3.x is told nothing: its UNSUBACK has no codes.
    if (!mayUnsubscribe(engine, session, filter)) return ReasonCode.NotAuthorized;
    if (logger.enabled('unsubscribe')) logger.log('unsubscribe', logLines.unsubscribed(connection.clientId, filter));
    const existed = unsubscribe(engine, session, filter);
    if (existed) for (const hook of engine.hooks) hook.afterUnsubscribe?.(session.publisher, filter);
    return existed ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted;
  });
  if (isTracing) logger.log('debug', logLines.sendingUnsuback(connection.clientId));
  const unsuback = { type: 'unsuback', packetId: packet.packetId, properties: NO_PROPERTIES, reasonCodes } as const;
  connection.sendAfterCommit(encodePacket(unsuback, connection.version));
}

/** The filter behind the listener's mount point. */
function mounted(connection: Connection, parsed: TopicFilter): TopicFilter {
  const prefix = connection.policy.mountPoint;
  if (prefix.length === 0) return parsed;
  const filter = prefix.toString() + parsed.filter;
  return {
    filter,
    shareName: parsed.shareName,
    text: parsed.shareName === null ? filter : `$share/${parsed.shareName}/${filter}`,
  };
}
