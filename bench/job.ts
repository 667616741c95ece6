/** What the runner asks of the generator, and what it gets back. Plain data: it crosses a process boundary as JSON. */
import type { ProtocolLevel, Qos } from './generator/packets.ts';

export type TransportKind = 'tcp' | 'tls' | 'websocket';

/** Where the broker is. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly transport: TransportKind;
  /** The broker's process; its children count with it. */
  readonly pid: number;
}

/** Who publishes what to whom. */
export type Pattern =
  /** Each publisher has one Topic Name; the publishers are divided evenly among the subscribers. */
  | { readonly shape: 'fan-in'; readonly publishers: number; readonly subscribers: number }
  /** One publisher, one Topic Name; every subscriber gets every message. */
  | { readonly shape: 'fan-out'; readonly subscribers: number }
  /** As many publishers as subscribers, one Topic Name each. */
  | { readonly shape: 'pairs'; readonly pairs: number }
  /** Many Topic Filters, of which `wildcardShare` (0..1) have a wildcard; every message matches exactly one. */
  | {
      readonly shape: 'filters';
      readonly publishers: number;
      readonly subscribers: number;
      readonly filters: number;
      readonly wildcardShare: number;
    }
  /** A Shared Subscription: each message goes to one of the subscribers. */
  | { readonly shape: 'shared'; readonly publishers: number; readonly subscribers: number };

interface Traffic {
  readonly level: ProtocolLevel;
  readonly qos: Qos;
  /** At least 16, see frame-ring.ts. */
  readonly payloadBytes: number;
}

/** Closed loop: as fast as the broker delivers. */
export interface FlowJob extends Traffic {
  readonly kind: 'flow';
  readonly pattern: Pattern;
  /** Messages of one publisher that may be sent and not yet delivered to everyone. */
  readonly credit: number;
  /** A publisher writes when it may send at least this many messages. credit = batchMin: bursts of exactly that size. */
  readonly batchMin: number;
  /** Messages of one publisher that may be sent and not yet acknowledged; used at QoS 1 and 2. */
  readonly ackWindow: number;
  /** Clients log in as users of access-files.ts. */
  readonly hasUsers: boolean;
  /** The subscribers' Sessions outlive their connections, so that a store keeps what is under way. */
  readonly isKept: boolean;
  readonly warmupMs: number;
  readonly windowMs: number;
}

/** Open loop: messages leave at fixed times, whether or not earlier ones have arrived. */
export interface LatencyJob extends Traffic {
  readonly kind: 'latency';
  readonly pattern: Pattern;
  readonly messagesPerSecond: number;
  readonly warmupMs: number;
  readonly windowMs: number;
}

/** An even load beside subscribers that never read. */
export interface StalledJob {
  readonly kind: 'stalled';
  readonly level: ProtocolLevel;
  readonly stalled: number;
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly warmupMs: number;
  readonly windowMs: number;
}

/** Connections that do nothing. */
export interface ConnectionsJob {
  readonly kind: 'connections';
  readonly level: ProtocolLevel;
  readonly connections: number;
  readonly isSubscribed: boolean;
  /** How long the idle CPU is observed, in ms. */
  readonly windowMs: number;
}

/** CONNECT, CONNACK, DISCONNECT, close, again. */
export interface ChurnJob {
  readonly kind: 'churn';
  readonly level: ProtocolLevel;
  /** Connections that do so at the same time. */
  readonly parallel: number;
  readonly warmupMs: number;
  readonly windowMs: number;
}

/** Retained messages on that many topics are stored, then read by one wildcard subscription. */
export interface RetainedJob {
  readonly kind: 'retained';
  readonly level: ProtocolLevel;
  readonly messages: number;
  readonly payloadBytes: number;
}

/** QoS 1 messages are queued for a Session that is not connected, which then comes back. */
export interface OfflineJob {
  readonly kind: 'offline';
  readonly level: ProtocolLevel;
  readonly messages: number;
  readonly payloadBytes: number;
}

export type GeneratorJob = FlowJob | LatencyJob | StalledJob | ConnectionsJob | ChurnJob | RetainedJob | OfflineJob;

/** From starting the process to the first accepted connection; done by the runner itself. */
export interface StartJob {
  readonly kind: 'start';
}

export type Job = GeneratorJob | StartJob;

export interface Counts {
  readonly sent: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Acks refused, for an unknown identifier or out of order. */
  readonly ackFaults: number;
}

export interface JobResult {
  /** Named as in figures.ts. */
  readonly figures: Readonly<Record<string, number>>;
  readonly counts?: Counts;
  /** Shares of one core while measuring, 0..n. */
  readonly busy?: {
    /** Absent where the generator spins on purpose. */
    readonly generatorBusy?: number;
    readonly brokerBusy: number;
    /** Every other process of the machine. */
    readonly othersBusy: number;
  };
}

export type GeneratorRequest = { readonly target: Target; readonly job: GeneratorJob };
export type GeneratorReply = { readonly result: JobResult } | { readonly error: string };
