/** The broker as a whole. */
import * as v from 'valibot';
import { count, timeMs } from './parts.ts';

/** Per second, averaged over the last seconds and the last minute. */
const rate = v.object({ now: v.number(), minute: v.number() });

export const listenerRow = v.object({
  port: count,
  host: v.nullable(v.string()),
  /** Of a Unix socket. */
  path: v.nullable(v.string()),
  protocol: v.picklist(['mqtt', 'websockets', 'http_api']),
  tls: v.boolean(),
  requiresCertificate: v.boolean(),
  allowsAnonymous: v.boolean(),
  connections: count,
  mountPoint: v.nullable(v.string()),
  certificate: v.nullable(v.object({ file: v.string(), notAfterMs: v.nullable(timeMs) })),
});
export type ListenerRow = v.InferOutput<typeof listenerRow>;

/** Ten minutes of rates, one point every five seconds, oldest first. */
export const rateSeries = v.object({
  stepMs: count,
  /** Of the last point. */
  endMs: timeMs,
  messagesIn: v.array(v.number()),
  messagesOut: v.array(v.number()),
  bytesIn: v.array(v.number()),
  bytesOut: v.array(v.number()),
  dropped: v.array(v.number()),
  clients: v.array(v.number()),
});

export const brokerAnswer = v.object({
  version: v.string(),
  uptimeSeconds: v.number(),
  nowMs: timeMs,
  clients: v.object({ connected: count, total: count, maximum: count }),
  subscriptions: v.object({ ordinary: count, shared: count }),
  retained: v.object({ count }),
  /** Messages held: retained, queued and in flight. */
  stored: v.object({ count, bytes: count }),
  /** Packets that wait for slow sockets. */
  waiting: v.object({ packets: count, bytes: count }),
  rates: v.object({ messagesIn: rate, messagesOut: rate, bytesIn: rate, bytesOut: rate, dropped: rate }),
  totals: v.object({ messagesIn: count, messagesOut: count, bytesIn: count, bytesOut: count, dropped: count }),
  /** Deliveries given up since the start. */
  dropsByReason: v.array(v.object({ reason: v.string(), help: v.string(), count })),
  store: v.object({
    /** `memory`: nothing survives; `fast`: the last moments may be lost; `durable`: acknowledged means on disk. */
    durability: v.picklist(['memory', 'fast', 'durable']),
    /** Why nothing can be made safe at present, null while all is well. */
    trouble: v.nullable(v.string()),
    freeDiskBytes: v.nullable(count),
    /** Since the start; null when nothing is stored. */
    commits: v.nullable(v.object({ count, meanMs: v.number() })),
  }),
  eventLoopDelayMs: v.object({ mean: v.number(), p99: v.number(), maximum: v.number() }),
  memory: v.object({ rssBytes: count, heapBytes: count, heapMaximumBytes: count, heapLimitBytes: count }),
  topicIndex: v.object({ topics: count, bytes: count, maxBytes: count, evicted: count }),
  history: v.nullable(v.object({ bytes: count, maxBytes: v.nullable(count) })),
  listeners: v.array(listenerRow),
  series: rateSeries,
});
export type BrokerAnswer = v.InferOutput<typeof brokerAnswer>;

/** One option in force, with where it was written. */
export const configRow = v.object({
  option: v.string(),
  /** As it would be written; secrets are shown as `***`. */
  value: v.string(),
  isDefault: v.boolean(),
  file: v.nullable(v.string()),
  line: v.nullable(count),
  /** `global`, `listener 1883`, `bridge NAME` … */
  section: v.string(),
  doc: v.string(),
  reload: v.picklist(['live', 'new-connections', 'restart']),
});
export const configAnswer = v.object({ file: v.nullable(v.string()), items: v.array(configRow) });
export type ConfigAnswer = v.InferOutput<typeof configAnswer>;

export const userRow = v.object({
  name: v.string(),
  role: v.nullable(v.picklist(['viewer', 'operator', 'admin'])),
  /** `password_file` path, or `console` for accounts of the console alone. */
  source: v.string(),
  connections: count,
});
export const userList = v.object({ items: v.array(userRow), total: count });

export const auditRow = v.object({
  atMs: timeMs,
  user: v.string(),
  role: v.string(),
  address: v.string(),
  method: v.string(),
  path: v.string(),
  /** HTTP status of the answer. */
  status: count,
  /** What it did, in words; '' when there is nothing to add. */
  detail: v.string(),
});
export const auditList = v.object({ items: v.array(auditRow), total: count });
export type AuditRow = v.InferOutput<typeof auditRow>;

/** Lines after this one; absent: all that are kept. */
export const logQuery = v.strictObject({
  after: v.optional(v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'expected a number'), v.transform(Number))),
});
export const logRow = v.object({ atMs: timeMs, type: v.string(), line: v.string(), seq: count });
export const logList = v.object({ items: v.array(logRow), lastSeq: count });
