/**
 * Every number the broker tells about itself: one row each, from which `$SYS` topics, the HTTP view and the
 * documentation are made.
 */

import type { Gauges, Stats } from '../broker/stats.ts';
import { type DropRow, deliveryDrops, messageDrops } from '../contracts/drop-reason.ts';

/** Where the rows read. */
export interface MetricSource {
  readonly stats: Readonly<Stats>;
  readonly gauges: Gauges;
  /** Bytes of heap in use. */
  readonly heapBytes: number;
}

/**
 * A metric.
 *
 * A *counter* only grows, from the start of the broker; a *gauge* goes up and down; a *maximum* is the highest value of
 * a gauge seen when it was looked at.
 */
export interface Metric {
  /** Below `$SYS/broker/`; the first is its name, the others are aliases that older tools read. */
  readonly topics: readonly [string, ...string[]];
  readonly kind: 'counter' | 'gauge' | 'maximum';
  /** Name for metric collectors; in bytes where it ends in `_bytes`. */
  readonly exportName: string;
  /** Labels that tell rows of one `exportName` apart; such rows stand together and share their kind. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly help: string;
  readonly read: (source: MetricSource) => number;
}

/** Deliveries given up, a row for each reason. */
const deliveryDropRows = rowsOf(deliveryDrops).map(
  ([reason, { label, help }]): Metric => ({
    topics: [`deliveries/dropped/${label}`],
    kind: 'counter',
    exportName: 'mqtt_deliveries_dropped_total',
    labels: { reason: label },
    help: `Deliveries given up. ${help}`,
    read: ({ stats }) => stats.deliveriesDropped[reason],
  }),
);

/** PUBLISH packets that were given to nobody, a row for each reason. */
const messageDropRows = rowsOf(messageDrops).map(
  ([reason, { label, help }]): Metric => ({
    topics: [`publish/messages/refused/${label}`],
    kind: 'counter',
    exportName: 'mqtt_publish_refused_total',
    labels: { reason: label },
    help: `PUBLISH packets given to nobody. ${help}`,
    read: ({ stats }) => stats.messagesDropped[reason],
  }),
);

/** What one direction counts by QoS. */
interface QosCounts {
  /** Below `publish/`, in front of `/qos0`. */
  readonly topic: string;
  readonly exportName: string;
  readonly help: string;
  /** Of all, of QoS 1, of QoS 2. */
  readonly read: (stats: Readonly<Stats>) => readonly [all: number, qos1: number, qos2: number];
}

const qosCounts: readonly QosCounts[] = [
  {
    topic: 'messages/received',
    exportName: 'mqtt_publish_received_by_qos_total',
    help: 'PUBLISH packets received.',
    read: (stats) => [stats.publishReceived, stats.publishReceivedQos1, stats.publishReceivedQos2],
  },
  {
    topic: 'messages/sent',
    exportName: 'mqtt_publish_sent_by_qos_total',
    help: 'PUBLISH packets sent.',
    read: (stats) => [stats.publishSent, stats.publishSentQos1, stats.publishSentQos2],
  },
  {
    topic: 'bytes/received',
    exportName: 'mqtt_publish_received_bytes_by_qos_total',
    help: 'Payload bytes of PUBLISH packets received.',
    read: (stats) => [stats.publishBytesReceived, stats.publishBytesReceivedQos1, stats.publishBytesReceivedQos2],
  },
  {
    topic: 'bytes/sent',
    exportName: 'mqtt_publish_sent_bytes_by_qos_total',
    help: 'Payload bytes of PUBLISH packets sent.',
    read: (stats) => [stats.publishBytesSent, stats.publishBytesSentQos1, stats.publishBytesSentQos2],
  },
];

/** A row for each QoS; only 1 and 2 are counted, the rest has QoS 0. */
const qosRows = qosCounts.flatMap(({ topic, exportName, help, read }) =>
  [0, 1, 2].map(
    (qos): Metric => ({
      topics: [`publish/${topic}/qos${qos}`],
      kind: 'counter',
      exportName,
      labels: { qos: String(qos) },
      help: `${help} With QoS ${qos}.`,
      read: ({ stats }) => {
        const [all, qos1, qos2] = read(stats);
        return [all - qos1 - qos2, qos1, qos2][qos] as number;
      },
    }),
  ),
);

function rowsOf<Reason extends string>(rows: Readonly<Record<Reason, DropRow>>): [Reason, DropRow][] {
  return Object.entries(rows) as [Reason, DropRow][]; // every key of the table, and no other
}

/** In the order in which they are published. */
export const metrics: readonly Metric[] = [
  {
    topics: ['clients/total'],
    kind: 'gauge',
    exportName: 'mqtt_sessions',
    help: 'Sessions in memory, connected and disconnected.',
    read: ({ gauges }) => gauges.clientsTotal,
  },
  {
    topics: ['clients/maximum'],
    kind: 'maximum',
    exportName: 'mqtt_sessions_maximum',
    help: 'The most sessions in memory so far.',
    read: ({ gauges }) => gauges.clientsTotal,
  },
  {
    topics: ['clients/disconnected', 'clients/inactive'],
    kind: 'gauge',
    exportName: 'mqtt_sessions_disconnected',
    help: 'Sessions whose client is away.',
    // Sockets that have not sent CONNECT yet count as connected, so the difference can fall below zero for a moment.
    read: ({ gauges }) => Math.max(0, gauges.clientsTotal - gauges.clientsConnected),
  },
  {
    topics: ['clients/connected', 'clients/active'],
    kind: 'gauge',
    exportName: 'mqtt_connections',
    help: 'Open network connections, also those that have not sent CONNECT yet.',
    read: ({ gauges }) => gauges.clientsConnected,
  },
  {
    topics: ['clients/expired'],
    kind: 'counter',
    exportName: 'mqtt_sessions_expired_total',
    help: 'Sessions removed because their time was over.',
    read: ({ stats }) => stats.clientsExpired,
  },
  {
    topics: ['messages/stored', 'store/messages/count'],
    kind: 'gauge',
    exportName: 'mqtt_messages_stored',
    help: 'Messages held: retained, queued and in flight.',
    read: ({ gauges }) => gauges.messagesStored,
  },
  {
    topics: ['store/messages/bytes'],
    kind: 'gauge',
    exportName: 'mqtt_messages_stored_bytes',
    help: 'Payload bytes of the messages held.',
    read: ({ gauges }) => gauges.messagesStoredBytes,
  },
  {
    topics: ['subscriptions/count'],
    kind: 'gauge',
    exportName: 'mqtt_subscriptions',
    help: 'Subscriptions, shared ones not counted.',
    read: ({ gauges }) => gauges.subscriptionsCount,
  },
  {
    topics: ['shared_subscriptions/count'],
    kind: 'gauge',
    exportName: 'mqtt_shared_subscriptions',
    help: 'Shared subscriptions.',
    read: ({ gauges }) => gauges.sharedSubscriptionsCount,
  },
  {
    topics: ['retained messages/count'],
    kind: 'gauge',
    exportName: 'mqtt_retained_messages',
    help: 'Retained messages, those below $SYS included.',
    read: ({ gauges }) => gauges.retainedCount,
  },
  {
    topics: ['retained messages/refused'],
    kind: 'counter',
    exportName: 'mqtt_retained_refused_total',
    help: 'Messages delivered but not retained, because all messages held together had reached their bound.',
    read: ({ stats }) => stats.retainedRefused,
  },
  {
    topics: ['heap/current'],
    kind: 'gauge',
    exportName: 'mqtt_heap_bytes',
    help: 'Heap memory in use.',
    read: ({ heapBytes }) => heapBytes,
  },
  {
    topics: ['heap/maximum'],
    kind: 'maximum',
    exportName: 'mqtt_heap_maximum_bytes',
    help: 'The most heap memory in use so far.',
    read: ({ heapBytes }) => heapBytes,
  },
  {
    topics: ['messages/received'],
    kind: 'counter',
    exportName: 'mqtt_packets_received_total',
    help: 'MQTT packets of any type received.',
    read: ({ stats }) => stats.messagesReceived,
  },
  {
    topics: ['messages/sent'],
    kind: 'counter',
    exportName: 'mqtt_packets_sent_total',
    help: 'MQTT packets of any type sent.',
    read: ({ stats }) => stats.messagesSent,
  },
  {
    topics: ['publish/messages/dropped'],
    kind: 'counter',
    exportName: 'mqtt_publish_dropped_total',
    help: 'Deliveries given up because of a queue, window or buffer limit.',
    read: ({ stats }) => stats.publishDropped,
  },
  {
    topics: ['publish/messages/received'],
    kind: 'counter',
    exportName: 'mqtt_publish_received_total',
    help: 'PUBLISH packets received.',
    read: ({ stats }) => stats.publishReceived,
  },
  {
    topics: ['publish/messages/sent'],
    kind: 'counter',
    exportName: 'mqtt_publish_sent_total',
    help: 'PUBLISH packets sent.',
    read: ({ stats }) => stats.publishSent,
  },
  {
    topics: ['publish/bytes/received'],
    kind: 'counter',
    exportName: 'mqtt_publish_received_bytes_total',
    help: 'Payload bytes of PUBLISH packets received.',
    read: ({ stats }) => stats.publishBytesReceived,
  },
  {
    topics: ['publish/bytes/sent'],
    kind: 'counter',
    exportName: 'mqtt_publish_sent_bytes_total',
    help: 'Payload bytes of PUBLISH packets sent.',
    read: ({ stats }) => stats.publishBytesSent,
  },
  {
    topics: ['bytes/received'],
    kind: 'counter',
    exportName: 'mqtt_received_bytes_total',
    help: 'Network bytes received.',
    read: ({ stats }) => stats.bytesReceived,
  },
  {
    topics: ['bytes/sent'],
    kind: 'counter',
    exportName: 'mqtt_sent_bytes_total',
    help: 'Network bytes sent.',
    read: ({ stats }) => stats.bytesSent,
  },
  {
    topics: ['packet/out/count'],
    kind: 'gauge',
    exportName: 'mqtt_packets_waiting',
    help: 'Packets that wait for slow sockets.',
    read: ({ gauges }) => gauges.packetsOutCount,
  },
  {
    topics: ['packet/out/bytes'],
    kind: 'gauge',
    exportName: 'mqtt_packets_waiting_bytes',
    help: 'Bytes that wait for slow sockets.',
    read: ({ gauges }) => gauges.packetsOutBytes,
  },
  {
    topics: ['connections/socket/count'],
    kind: 'counter',
    exportName: 'mqtt_connections_accepted_total',
    help: 'Connections accepted.',
    read: ({ stats }) => stats.socketsAccepted,
  },
  {
    topics: ['deliveries/count'],
    kind: 'counter',
    exportName: 'mqtt_deliveries_total',
    help: 'Deliveries begun, one for each message and subscription that matched it: those sent, waiting and dropped.',
    read: ({ stats }) => stats.deliveries,
  },
  {
    topics: ['deliveries/sent'],
    kind: 'counter',
    exportName: 'mqtt_deliveries_sent_total',
    help: 'Deliveries sent; a PUBLISH that is sent again does not count again.',
    read: ({ stats }) => stats.deliveriesSent,
  },
  {
    topics: ['deliveries/waiting'],
    kind: 'gauge',
    exportName: 'mqtt_deliveries_waiting',
    help: 'Deliveries that wait in sessions and were not sent yet.',
    read: ({ gauges }) => gauges.deliveriesWaiting,
  },
  ...qosRows,
  ...deliveryDropRows,
  ...messageDropRows,
];

/** What is also shown as events per minute, averaged over 1, 5 and 15 minutes, below `$SYS/broker/load/`. */
export interface LoadMetric {
  /** Below `$SYS/broker/load/`, without the period. */
  readonly topic: string;
  readonly help: string;
  readonly read: (stats: Readonly<Stats>) => number;
}

/** In the order in which they are published. */
export const loadMetrics: readonly LoadMetric[] = [
  { topic: 'messages/received', help: 'MQTT packets received.', read: (stats) => stats.messagesReceived },
  { topic: 'messages/sent', help: 'MQTT packets sent.', read: (stats) => stats.messagesSent },
  { topic: 'publish/dropped', help: 'Deliveries given up.', read: (stats) => stats.publishDropped },
  { topic: 'publish/received', help: 'PUBLISH packets received.', read: (stats) => stats.publishReceived },
  { topic: 'publish/sent', help: 'PUBLISH packets sent.', read: (stats) => stats.publishSent },
  { topic: 'bytes/received', help: 'Network bytes received.', read: (stats) => stats.bytesReceived },
  { topic: 'bytes/sent', help: 'Network bytes sent.', read: (stats) => stats.bytesSent },
  { topic: 'sockets', help: 'Connections accepted.', read: (stats) => stats.socketsAccepted },
  { topic: 'connections', help: 'CONNECT packets received.', read: (stats) => stats.connectsReceived },
];
