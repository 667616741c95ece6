import { type DeliveryDrop, deliveryDrops, type MessageDrop, messageDrops } from '../contracts/drop-reason.ts';
import { dropCounters } from '../session/drop-counters.ts';

/** Counters since the broker started; plain numbers, incremented in the path and read by `observe/`. */
export class Stats {
  /** Network bytes, all packet types. */
  bytesReceived = 0;
  bytesSent = 0;
  /** Control Packets of any type. */
  messagesReceived = 0;
  messagesSent = 0;
  /** PUBLISH packets and the payload bytes in them. */
  publishReceived = 0;
  publishSent = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  /** Of the PUBLISH packets, those with QoS 1 and 2; the others have QoS 0. */
  publishReceivedQos1 = 0;
  publishReceivedQos2 = 0;
  publishSentQos1 = 0;
  publishSentQos2 = 0;
  /** Of the payload bytes, likewise. */
  publishBytesReceivedQos1 = 0;
  publishBytesReceivedQos2 = 0;
  publishBytesSentQos1 = 0;
  publishBytesSentQos2 = 0;
  /** Deliveries given up because of a queue, window or buffer limit: Mosquitto's one number. */
  publishDropped = 0;
  /** Deliveries begun, one for each message and subscription that matched it, and those that the store brought back waiting. */
  deliveries = 0;
  /** Of those, how many were sent; a PUBLISH that is sent again does not count again. */
  deliveriesSent = 0;
  /** Of those, how many were given up, by reason. */
  readonly deliveriesDropped: Record<DeliveryDrop, number> = dropCounters(deliveryDrops);
  /** PUBLISH packets of clients that were given to nobody, by reason. */
  readonly messagesDropped: Record<MessageDrop, number> = dropCounters(messageDrops);
  /** Messages with RETAIN 1 that were delivered and not retained, because all that is held had reached its bound. */
  retainedRefused = 0;
  /** Connections accepted, before any byte. */
  socketsAccepted = 0;
  /** CONNECT packets received. */
  connectsReceived = 0;
  /** Sessions removed because their time was over. */
  clientsExpired = 0;
}

/** Values that go up and down; read on demand. */
export interface Gauges {
  /** Sessions in memory, connected and not. */
  readonly clientsTotal: number;
  /** Open Network Connections, also those that have not sent CONNECT yet. */
  readonly clientsConnected: number;
  /** Messages held: retained, queued, in flight. */
  readonly messagesStored: number;
  /** Payload bytes of those. */
  readonly messagesStoredBytes: number;
  /** Deliveries that wait in sessions and were not sent yet. */
  readonly deliveriesWaiting: number;
  readonly retainedCount: number;
  readonly subscriptionsCount: number;
  readonly sharedSubscriptionsCount: number;
  /** Packets and bytes that wait for a slow socket. */
  readonly packetsOutCount: number;
  readonly packetsOutBytes: number;
}
