/** Clients and what waits for them. */

import { inBatches } from '../../base/in-batches.ts';
import type { Engine } from '../../broker/engine.ts';
import { purgeQueue } from '../../broker/purge.ts';
import { topicFilterOf } from '../../broker/subscribe.ts';
import { ReasonCode } from '../../codec/reason-code.ts';
import { deliveryDrops } from '../../contracts/drop-reason.ts';
import { Step } from '../../session/outgoing.ts';
import { neverExpires, type Session } from '../../session/session.ts';
import { Page, type Place } from '../cursor.ts';
import type { HandlersOf } from '../handler.ts';
import { storeBans } from '../kept-bans.ts';
import { notFound } from '../problem.ts';
import type { ClientDetail, ClientRow } from '../schema/clients.ts';
import type { HttpServices } from '../services.ts';
import { shownMessage, shownPayload } from '../shown-message.ts';
import type { ConnectionView } from '../surroundings.ts';

const subscriptionsShown = 1000;
/** Payload bytes shown of each message that waits. */
const queuePayloadBytes = 4096;

interface Found extends Place {
  readonly session: Session;
  readonly connection: ConnectionView | null;
}

export function clientHandlers({
  surroundings,
  lastErrors,
  state,
}: HttpServices): HandlersOf<
  'listClients' | 'getClient' | 'kickClient' | 'listBans' | 'liftBan' | 'peekQueue' | 'purgeQueue'
> {
  const { broker, clock, connectionOf } = surroundings;
  const { engine } = broker;
  const find = (params: Readonly<Record<string, string>>): Session => {
    const session = engine.sessions.get(params['clientId'] ?? '');
    if (session === undefined) throw notFound('such client');
    return session;
  };
  return {
    async listClients({ query }) {
      const wanted = {
        search: query.search?.toLowerCase(),
        username: query.username?.toLowerCase(),
        address: query.address?.toLowerCase(),
      };
      const page = new Page<Found>(query);
      await inBatches(engine.sessions.values(), clock, (session) => {
        const connection = connectionOf(session);
        const { clientId, publisher } = session;
        const username = publisher.username?.toLowerCase() ?? '';
        const address = connection?.peer.address.toLowerCase() ?? '';
        const isFound =
          (wanted.search === undefined ||
            clientId.toLowerCase().includes(wanted.search) ||
            username.includes(wanted.search) ||
            address.includes(wanted.search)) &&
          (wanted.username === undefined || username.includes(wanted.username)) &&
          (wanted.address === undefined || address.includes(wanted.address)) &&
          (query.version === undefined || connection?.client?.protocolVersion === Number(query.version)) &&
          (query.connected === undefined || (connection !== null) === (query.connected === 'true')) &&
          (query.idleSeconds === undefined || (connection !== null && connection.idleSeconds >= query.idleSeconds));
        if (isFound) page.add({ session, connection, name: clientId, key: keyOf(query.sort, session, connection) });
      });
      const items = page.rows.map(({ session, connection }) => row(session, connection));
      return { items, total: page.total, nextCursor: page.nextCursor };
    },
    getClient({ params }) {
      const session = find(params);
      return {
        ...detail(engine, session, connectionOf(session)),
        lastError: lastErrors.of(session.clientId),
        bannedUntilMs: engine.bans.get(session.clientId, clock.nowMs())?.untilMs ?? null,
      };
    },
    kickClient({ params, body, identity, note }) {
      const clientId = params['clientId'] ?? '';
      const { endSession = false, banSeconds } = body ?? {};
      const nowMs = clock.nowMs();
      const bannedUntilMs = banSeconds === undefined ? null : nowMs + banSeconds * 1000;
      const session = engine.sessions.get(clientId);
      // Whoever is away can be kept out all the same.
      if (session === undefined && bannedUntilMs === null) throw notFound('such client');
      if (bannedUntilMs !== null) {
        engine.bans.add(clientId, { untilMs: bannedUntilMs, by: identity?.name ?? '' }, nowMs);
        storeBans(surroundings, state);
      }
      const wasConnected = session !== undefined && session.outlet !== null;
      engine.nowMs = nowMs;
      const hadSession = broker.kick(clientId, ReasonCode.AdministrativeAction, endSession);
      note(
        `client ${clientId}${endSession ? ', session ended' : ''}${banSeconds === undefined ? '' : `, banned for ${banSeconds} s`}`,
      );
      return { wasConnected, sessionEnded: hadSession && !engine.sessions.has(clientId), bannedUntilMs };
    },
    listBans() {
      const items = engine.bans
        .entries(clock.nowMs())
        .map(([clientId, { untilMs, by }]) => ({ clientId, untilMs, by }))
        .sort((one, other) => one.untilMs - other.untilMs);
      return { items: items.slice(0, 1000), total: items.length };
    },
    liftBan({ params, note }) {
      const clientId = params['clientId'] ?? '';
      if (!engine.bans.lift(clientId)) throw notFound('ban of this Client Identifier');
      storeBans(surroundings, state);
      note(`client ${clientId}`);
      return { done: true };
    },
    peekQueue({ params, query }) {
      const session = find(params);
      const { limit = 100 } = query;
      const { outgoing, queuedQos0 } = session;
      const nowMs = clock.nowMs();
      const items: ReturnType<typeof queued>[] = [];
      const queued = (message: Parameters<typeof shownMessage>[0], state: 'queued' | 'in-flight') => ({
        ...shownMessage(message, nowMs, queuePayloadBytes),
        state,
      });
      for (let sequence = outgoing?.first ?? 0; outgoing !== null && sequence < outgoing.end; sequence++) {
        if (items.length >= limit) break;
        const step = outgoing.step(sequence);
        const message = outgoing.message(sequence);
        if (step === Step.none || message === null) continue;
        items.push(queued(message, step === Step.queued ? 'queued' : 'in-flight'));
      }
      for (const { message } of queuedQos0?.slice(0, limit - items.length) ?? []) items.push(queued(message, 'queued'));
      return { items, ...waiting(session) };
    },
    async purgeQueue({ params, note }) {
      const session = find(params);
      engine.nowMs = clock.nowMs();
      const { messages, bytes } = await purgeQueue(engine, session);
      note(`client ${session.clientId}, ${messages} messages`);
      return { purgedMessages: messages, purgedBytes: bytes };
    },
  };
}

function keyOf(sort: string | undefined, session: Session, connection: ConnectionView | null): string | number {
  switch (sort) {
    case 'username':
      return session.publisher.username ?? '';
    case 'address':
      return connection?.peer.address ?? '';
    case 'queue':
      return waiting(session).queuedMessages;
    case 'subscriptions':
      return session.subscriptions.length;
    case 'idle':
      return connection?.idleSeconds ?? -1;
    default:
      return '';
  }
}

function waiting({ outgoing, queuedQos0, queuedQos0Bytes }: Session) {
  return {
    queuedMessages: (outgoing?.queued ?? 0) + (queuedQos0?.length ?? 0),
    queuedBytes: (outgoing?.queuedBytes ?? 0) + queuedQos0Bytes,
    inFlight: outgoing?.inFlight ?? 0,
  };
}

function row(session: Session, connection: ConnectionView | null): ClientRow {
  const client = connection?.client ?? null;
  const tls = connection?.peer.tls ?? null;
  return {
    clientId: session.clientId,
    username: session.publisher.username,
    isConnected: connection !== null,
    address: connection?.peer.address ?? null,
    port: connection?.peer.port ?? null,
    protocolVersion: client?.protocolVersion ?? null,
    listenerPort: session.publisher.listenerPort,
    keepAliveSeconds: client?.keepAliveSeconds ?? null,
    idleSeconds: connection?.idleSeconds ?? null,
    subscriptions: session.subscriptions.length,
    ...waiting(session),
    tls: tls === null ? null : { version: tls.version, cipher: tls.cipher },
  };
}

function detail(
  engine: Pick<Engine, 'tree'>,
  session: Session,
  connection: ConnectionView | null,
): Omit<ClientDetail, 'lastError' | 'bannedUntilMs'> {
  const { will, expiryIntervalSeconds, expiresAtMs, subscriptions } = session;
  const shown = subscriptions.slice(0, subscriptionsShown);
  return {
    ...row(session, connection),
    subscriptionList: shown.map((subscription) => {
      const { qos, noLocal, retainAsPublished, retainHandling, ids } = subscription;
      const filter = topicFilterOf(engine, subscription).text;
      return { filter, qos, noLocal, retainAsPublished, retainHandling, identifier: ids?.[0] ?? null };
    }),
    subscriptionsOmitted: subscriptions.length - shown.length,
    sessionExpirySeconds: expiryIntervalSeconds === neverExpires ? null : expiryIntervalSeconds,
    expiresMs: expiresAtMs === 0 ? null : expiresAtMs,
    inFlightBytes: session.outgoing?.inFlightBytes ?? 0,
    socketPendingBytes: connection?.pendingBytes ?? 0,
    hasDroppedMessages: session.hasReportedDrops,
    dropsByReason: dropsOf(session),
    will:
      will === null
        ? null
        : {
            topic: will.message.topic.name,
            payload: shownPayload(will.message.payload.subarray(0, queuePayloadBytes)),
            qos: will.message.qos,
            isRetained: will.message.retain,
            delaySeconds: will.delaySeconds,
          },
    keepAliveDueInSeconds: connection?.silenceSecondsLeft ?? null,
    hasRules: session.rights !== null,
  };
}

function dropsOf({ drops }: Session): ClientDetail['dropsByReason'] {
  if (drops === null) return [];
  return Object.entries(deliveryDrops).flatMap(([name, { label, help }]) => {
    const count = drops[name as keyof typeof deliveryDrops];
    return count === 0 ? [] : [{ reason: label, help, count }];
  });
}
