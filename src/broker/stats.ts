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
  /** Deliveries given up because of a queue, window or buffer limit. */
  publishDropped = 0;
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
  readonly retainedCount: number;
  readonly subscriptionsCount: number;
  readonly sharedSubscriptionsCount: number;
  /** Packets and bytes that wait for a slow socket. */
  readonly packetsOutCount: number;
  readonly packetsOutBytes: number;
}
