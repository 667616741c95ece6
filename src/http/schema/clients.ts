/** Clients, their sessions, and who gets what. */
import * as v from 'valibot';
import { count, page, payload, qos, shownMessage, timeMs, topicFilter, topicName } from './parts.ts';

export const clientSorts = ['clientId', 'username', 'address', 'queue', 'subscriptions', 'idle'] as const;

/** Every word narrows the list; text is compared without case and may stand anywhere in the field. */
export const clientQuery = v.strictObject({
  ...page,
  /** In Client Identifier, user name or address. */
  search: v.optional(v.string()),
  username: v.optional(v.string()),
  address: v.optional(v.string()),
  version: v.optional(v.picklist(['3', '4', '5'])),
  connected: v.optional(v.picklist(['true', 'false'])),
  /** Silent for at least so many seconds. */
  idleSeconds: v.optional(v.pipe(v.string(), v.regex(/^\d{1,9}$/, 'expected seconds'), v.transform(Number))),
  sort: v.optional(v.picklist(clientSorts)),
  order: v.optional(v.picklist(['ascending', 'descending'])),
});

export const clientRow = v.object({
  clientId: v.string(),
  username: v.nullable(v.string()),
  isConnected: v.boolean(),
  /** Null while it is away. */
  address: v.nullable(v.string()),
  port: v.nullable(count),
  /** 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
  protocolVersion: v.nullable(v.picklist([3, 4, 5])),
  listenerPort: count,
  keepAliveSeconds: v.nullable(count),
  /** Since anything was heard of it; null while it is away. */
  idleSeconds: v.nullable(v.number()),
  subscriptions: count,
  queuedMessages: count,
  queuedBytes: count,
  inFlight: count,
  tls: v.nullable(v.object({ version: v.string(), cipher: v.string() })),
});
export type ClientRow = v.InferOutput<typeof clientRow>;
export const clientList = v.object({ items: v.array(clientRow), total: count, nextCursor: v.nullable(v.string()) });

export const subscriptionRow = v.object({
  filter: v.string(),
  qos,
  noLocal: v.boolean(),
  retainAsPublished: v.boolean(),
  retainHandling: v.picklist([0, 1, 2]),
  identifier: v.nullable(count),
});

export const clientDetail = v.object({
  ...clientRow.entries,
  subscriptionList: v.array(subscriptionRow),
  /** Subscriptions beyond the first 1,000 are counted only. */
  subscriptionsOmitted: count,
  /** 0: ends with the connection; null: never. */
  sessionExpirySeconds: v.nullable(count),
  /** When the session of an absent client ends. */
  expiresMs: v.nullable(timeMs),
  inFlightBytes: count,
  /** Bytes that wait for its socket. */
  socketPendingBytes: count,
  hasDroppedMessages: v.boolean(),
  /** Deliveries to it that were given up since its session began or the broker started; reasons without any are left out. */
  dropsByReason: v.array(v.object({ reason: v.string(), help: v.string(), count })),
  /** Why its last connection that did not end by DISCONNECT ended; null when nothing is known. */
  lastError: v.nullable(v.object({ atMs: timeMs, reason: v.string() })),
  will: v.nullable(v.object({ topic: v.string(), payload, qos, isRetained: v.boolean(), delaySeconds: count })),
  /** Wall clock at which it counts as gone when nothing is heard; null: never. */
  keepAliveDueInSeconds: v.nullable(v.number()),
  hasRules: v.boolean(),
  bannedUntilMs: v.nullable(timeMs),
});
export type ClientDetail = v.InferOutput<typeof clientDetail>;

export const kickRequest = v.optional(
  v.strictObject({
    /** Whether subscriptions and waiting messages go as well. */
    endSession: v.optional(v.boolean()),
    /** Refuses the Client Identifier for so long, 1 s to 30 days; over restarts with `persistence true`. */
    banSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2_592_000))),
  }),
);
export const kickAnswer = v.object({
  wasConnected: v.boolean(),
  sessionEnded: v.boolean(),
  bannedUntilMs: v.nullable(timeMs),
});
export const banRow = v.object({ clientId: v.string(), untilMs: timeMs, by: v.string() });
export const banList = v.object({ items: v.array(banRow), total: count });

export const queueQuery = v.strictObject({ limit: page.limit });
/** What waits for a client, oldest first. */
export const queueAnswer = v.object({
  items: v.array(v.object({ ...shownMessage.entries, state: v.picklist(['queued', 'in-flight']) })),
  queuedMessages: count,
  queuedBytes: count,
  inFlight: count,
});
export const purgeAnswer = v.object({ purgedMessages: count, purgedBytes: count });

export const receiversQuery = v.strictObject({ topic: topicName });
export const receiversAnswer = v.object({
  topic: v.string(),
  /** Deliveries one message would make: clients, and one for each shared group. */
  count,
  clients: v.array(
    v.object({ clientId: v.string(), filter: v.string(), qos, isConnected: v.boolean(), mayReceive: v.boolean() }),
  ),
  groups: v.array(
    v.object({
      name: v.string(),
      filter: v.string(),
      /** "taken": messages that were this member's turn since it joined. */
      members: v.array(v.object({ clientId: v.string(), qos, isConnected: v.boolean(), taken: count })),
      /** Of all members together, those not listed too. */
      taken: count,
    }),
  ),
  /** The lists hold the first 1,000 of each. */
  isComplete: v.boolean(),
});

export const matchesQuery = v.strictObject({ filter: topicFilter });
export const matchesAnswer = v.object({
  filter: v.string(),
  /** Topics the broker has seen or retains, as far as they were looked at. */
  topics: count,
  retained: count,
  /** Messages per second on them together. */
  ratePerSecond: v.number(),
  /** The first 100. */
  first: v.array(v.string()),
  isComplete: v.boolean(),
});

export const accessQuery = v.strictObject({
  clientId: v.optional(v.string()),
  username: v.optional(v.string()),
  topic: v.string(),
  action: v.picklist(['read', 'write', 'subscribe']),
  /** Port of the listener; absent: the first that speaks MQTT. */
  port: v.optional(v.pipe(v.string(), v.regex(/^\d{1,5}$/, 'expected a port'), v.transform(Number))),
});
export const accessAnswer = v.object({
  allowed: v.boolean(),
  decidedBy: v.string(),
  nearest: v.nullable(v.string()),
  /** What an access control file would need to say otherwise; null when it is allowed or no line could. */
  line: v.nullable(v.string()),
});
export const denialRow = v.object({
  atMs: timeMs,
  clientId: v.string(),
  username: v.nullable(v.string()),
  action: v.picklist(['publish', 'subscribe', 'unsubscribe', 'receive']),
  topic: v.string(),
  rule: v.string(),
});
export const denialList = v.object({ items: v.array(denialRow), total: count });
