/** Everything that can be measured, as one table. */
import type { ProtocolLevel, Qos } from './generator/packets.ts';
import type { Job, Pattern, TransportKind } from './job.ts';

/** What the command line decides for all scenarios. */
export interface Settings {
  readonly level: ProtocolLevel;
  readonly payloadBytes: number;
  readonly warmupMs: number;
  readonly windowMs: number;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** `core` runs by default, `more` with --all. */
  readonly set: 'core' | 'more';
  readonly transport: TransportKind;
  job(settings: Settings): Job;
}

interface Load {
  readonly pattern: Pattern;
  readonly qos?: Qos;
  /** Exactly this many messages per write, the next after their delivery. Otherwise: pipelined. */
  readonly burst?: number;
  /** Messages not yet acknowledged, per publisher (QoS 1 and 2). */
  readonly ackWindow?: number;
  /** Messages not yet delivered, per publisher, when pipelined. */
  readonly credit?: number;
  readonly level?: ProtocolLevel;
  readonly payloadBytes?: number;
  readonly hasUsers?: boolean;
  readonly isKept?: boolean;
}

/** Messages under way per publisher when pipelined at QoS 0: enough to keep every broker reading, and not more: deep
 * queues cost some brokers dearly (aedes falls to a quarter at 256). */
const PIPELINE_CREDIT = 64;

function flow(load: Load): Scenario['job'] {
  return (settings) => {
    const qos = load.qos ?? 0;
    const ackWindow = load.ackWindow ?? 100;
    // At QoS 1 and 2 the window rules; the credit only keeps a broker that acks early from queueing without end.
    const credit = load.burst ?? load.credit ?? (qos === 0 ? PIPELINE_CREDIT : ackWindow * 4);
    return {
      kind: 'flow',
      pattern: load.pattern,
      level: load.level ?? settings.level,
      qos,
      payloadBytes: load.payloadBytes ?? settings.payloadBytes,
      credit,
      // Half a window at a time: a publisher that answers every ack with one message would be a burst of 1.
      batchMin: load.burst ?? Math.ceil((qos === 0 ? credit : ackWindow) / 2),
      ackWindow,
      hasUsers: load.hasUsers ?? false,
      isKept: load.isKept ?? false,
      warmupMs: settings.warmupMs,
      windowMs: settings.windowMs,
    };
  };
}

function latency(messagesPerSecond: number, qos: Qos = 0): Scenario['job'] {
  return ({ level, payloadBytes, warmupMs, windowMs }) => ({
    kind: 'latency',
    pattern: { shape: 'fan-in', publishers: 100, subscribers: 10 },
    level,
    qos,
    payloadBytes,
    messagesPerSecond,
    warmupMs,
    windowMs,
  });
}

const fanIn: Pattern = { shape: 'fan-in', publishers: 100, subscribers: 10 };
const fanOut = (subscribers: number): Pattern => ({ shape: 'fan-out', subscribers });
const pairs = (count: number): Pattern => ({ shape: 'pairs', pairs: count });
const shared: Pattern = { shape: 'shared', publishers: 100, subscribers: 10 };
const manyFilters: Pattern = {
  shape: 'filters',
  publishers: 100,
  subscribers: 100,
  filters: 100_000,
  wildcardShare: 0.1,
};

const connections = (isSubscribed: boolean): Scenario['job'] => {
  return ({ level, windowMs }) => ({ kind: 'connections', level, connections: 10_000, isSubscribed, windowMs });
};

type Row = readonly [Scenario['set'], string, string, Scenario['job'], TransportKind?];

const rows: readonly Row[] = [
  ['core', 'fan-in-b1', 'fan-in 100→10, QoS 0, burst 1', flow({ pattern: fanIn, burst: 1 })],
  ['core', 'fan-in-b16', 'fan-in 100→10, QoS 0, burst 16', flow({ pattern: fanIn, burst: 16 })],
  ['core', 'fan-in', 'fan-in 100→10, QoS 0, pipelined', flow({ pattern: fanIn })],
  ['core', 'fan-in-q1-w20', 'fan-in, QoS 1, window 20', flow({ pattern: fanIn, qos: 1, ackWindow: 20 })],
  ['core', 'fan-in-q1-w100', 'fan-in, QoS 1, window 100', flow({ pattern: fanIn, qos: 1 })],
  ['core', 'fan-out-100-b1', 'fan-out 1→100, QoS 0, burst 1', flow({ pattern: fanOut(100), burst: 1 })],
  ['core', 'fan-out-100-b16', 'fan-out 1→100, QoS 0, burst 16', flow({ pattern: fanOut(100), burst: 16 })],
  ['core', 'fan-out-100', 'fan-out 1→100, QoS 0, pipelined', flow({ pattern: fanOut(100) })],
  ['core', 'fan-out-100-q1', 'fan-out 1→100, QoS 1, window 100', flow({ pattern: fanOut(100), qos: 1 })],
  ['core', 'pairs-100-b1', '100 pairs, QoS 0, burst 1', flow({ pattern: pairs(100), burst: 1 })],
  ['core', 'pairs-100-b16', '100 pairs, QoS 0, burst 16', flow({ pattern: pairs(100), burst: 16 })],
  ['core', 'pairs-100-q1-b1', '100 pairs, QoS 1, burst 1', flow({ pattern: pairs(100), qos: 1, burst: 1 })],
  ['core', 'pairs-100-q1-b16', '100 pairs, QoS 1, burst 16', flow({ pattern: pairs(100), qos: 1, burst: 16 })],
  ['core', 'latency-1k', 'latency at 1,000 msg/s', latency(1_000)],
  ['core', 'latency-10k', 'latency at 10,000 msg/s', latency(10_000)],
  ['core', 'idle', '10,000 idle connections', connections(false)],

  ['more', 'fan-in-v5', 'fan-in, MQTT 5.0, pipelined', flow({ pattern: fanIn, level: 5 })],
  ['more', 'fan-in-16b', 'fan-in, 16 B, pipelined', flow({ pattern: fanIn, payloadBytes: 16 })],
  ['more', 'fan-in-1k', 'fan-in, 1 KB, pipelined', flow({ pattern: fanIn, payloadBytes: 1024, credit: 64 })],
  ['more', 'fan-in-64k', 'fan-in, 64 KB', flow({ pattern: fanIn, payloadBytes: 65_536, credit: 4 })],
  ['more', 'fan-in-q2', 'fan-in, QoS 2, window 100', flow({ pattern: fanIn, qos: 2 })],
  [
    'more',
    'durable-q1',
    'fan-in, QoS 1, 1,000 under way, Sessions that are kept',
    flow({ pattern: fanIn, qos: 1, ackWindow: 10, isKept: true }),
  ],
  ['more', 'fan-in-acl', 'fan-in, 1,000 users and a 1,000-line ACL file', flow({ pattern: fanIn, hasUsers: true })],
  ['more', 'fan-out-10', 'fan-out 1→10, pipelined', flow({ pattern: fanOut(10) })],
  ['more', 'fan-out-10-q1', 'fan-out 1→10, QoS 1, window 100', flow({ pattern: fanOut(10), qos: 1 })],
  ['more', 'fan-out-1000', 'fan-out 1→1000, pipelined', flow({ pattern: fanOut(1000) })],
  ['more', 'fan-out-1000-q1', 'fan-out 1→1000, QoS 1, window 100', flow({ pattern: fanOut(1000), qos: 1 })],
  ['more', 'pairs-500', '500 pairs, QoS 0, burst 1', flow({ pattern: pairs(500), burst: 1 })],
  ['more', 'pairs-500-q1', '500 pairs, QoS 1, burst 1', flow({ pattern: pairs(500), qos: 1, burst: 1 })],
  ['more', 'pairs-500-q1-w20', '500 pairs, QoS 1, window 20', flow({ pattern: pairs(500), qos: 1, ackWindow: 20 })],
  ['more', 'filters-100k', '100,000 filters, 10 % wildcards', flow({ pattern: manyFilters })],
  ['more', 'shared', 'shared subscription 100→10, pipelined', flow({ pattern: shared })],
  ['more', 'ws-fan-in', 'WebSocket fan-in, pipelined', flow({ pattern: fanIn }), 'websocket'],
  ['more', 'ws-fan-out-100', 'WebSocket fan-out 1→100', flow({ pattern: fanOut(100) }), 'websocket'],
  ['more', 'tls-fan-in', 'TLS fan-in, pipelined', flow({ pattern: fanIn }), 'tls'],
  ['more', 'tls-fan-out-100', 'TLS fan-out 1→100', flow({ pattern: fanOut(100) }), 'tls'],
  ['more', 'tls-fan-out-100-b1', 'TLS fan-out 1→100, burst 1', flow({ pattern: fanOut(100), burst: 1 }), 'tls'],
  ['more', 'latency-50k', 'latency at 50,000 msg/s', latency(50_000)],
  ['more', 'latency-10k-q1', 'latency at 10,000 msg/s, QoS 1', latency(10_000, 1)],
  ['more', 'idle-subscribed', '10,000 idle connections, one subscription each', connections(true)],
  [
    'more',
    'stalled',
    'latency at 1,000 msg/s beside 1,000 stalled subscribers',
    ({ level, payloadBytes, warmupMs, windowMs }) => ({
      ...{ kind: 'stalled', level, stalled: 1000, messagesPerSecond: 1000, payloadBytes, warmupMs, windowMs },
    }),
  ],
  [
    'more',
    'churn',
    'connect and disconnect, 64 at a time',
    ({ level, warmupMs, windowMs }) => ({ kind: 'churn', level, parallel: 64, warmupMs, windowMs }),
  ],
  [
    'more',
    'retained-100k',
    '100,000 retained, read by one wildcard',
    ({ level, payloadBytes }) => ({ kind: 'retained', level, messages: 100_000, payloadBytes }),
  ],
  [
    'more',
    'offline-100k',
    '100,000 QoS 1 queued offline, drained',
    ({ level, payloadBytes }) => ({ kind: 'offline', level, messages: 100_000, payloadBytes }),
  ],
  ['more', 'start', 'start to listening', () => ({ kind: 'start' })],
];

export const scenarios: readonly Scenario[] = rows.map(([set, id, title, job, transport = 'tcp']) => {
  return { id, title, set, transport, job };
});

/** Scenarios of the guard: each kind of path once, in two minutes with two brokers and two rounds. */
const guarded: readonly string[] = [
  ...['fan-in', 'fan-in-b1', 'fan-in-v5', 'fan-in-q1-w100', 'fan-in-q2', 'fan-in-acl', 'fan-out-100', 'fan-out-1000'],
  ...['pairs-100-b16', 'shared', 'ws-fan-in', 'tls-fan-in', 'churn'],
];

/**
 * @param only - ids, or patterns with `*`; empty means the whole set
 * @throws Error - when a pattern matches nothing, with the ids that there are
 */
export function selectScenarios(only: readonly string[], wanted: 'core' | 'guard' | 'all'): Scenario[] {
  if (only.length === 0 && wanted === 'guard') return selectScenarios(guarded, 'all');
  if (only.length === 0) return scenarios.filter(({ set }) => wanted === 'all' || set === 'core');
  const chosen = new Set<Scenario>();
  for (const pattern of only) {
    const expression = new RegExp(`^${pattern.split('*').map(escapeExpression).join('.*')}$`);
    const matches = scenarios.filter(({ id }) => expression.test(id));
    if (matches.length === 0) {
      throw new Error(`--only ${pattern}: no such scenario; there are ${scenarios.map(({ id }) => id).join(', ')}`);
    }
    for (const match of matches) chosen.add(match);
  }
  return scenarios.filter((scenario) => chosen.has(scenario));
}

function escapeExpression(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}
