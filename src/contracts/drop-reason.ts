/**
 * Why a message, or one delivery of it, was given up: one row each, from which counters, `$SYS` topics and metrics are made.
 *
 * The books balance: deliveries = deliveries sent + waiting + Σ of {@link deliveryDrops}. A PUBLISH that came in is refused for
 * one of {@link messageDrops}, repeats one that is here already (QoS 2), waits for its PUBREL, or is given to at least one session.
 */
export interface DropRow {
  /** Last level of the `$SYS` topic and label of the metric. */
  readonly label: string;
  readonly help: string;
}

/** Why one delivery, to one session, was given up before it was sent. */
export const deliveryDrops = {
  queueFull: { label: 'queue_full', help: 'max_queued_messages or max_queued_bytes of the session was reached.' },
  socketFull: { label: 'socket_full', help: 'QoS 0, and the client did not take what was sent to it before.' },
  memoryFull: { label: 'memory_full', help: 'What waits for all clients together reached its bound.' },
  clientAway: { label: 'client_away', help: 'QoS 0, and the client is not connected.' },
  tooLarge: { label: 'too_large', help: 'The packet is larger than the Maximum Packet Size of the client.' },
  expired: { label: 'expired', help: 'The Message Expiry Interval was over before the client could take it.' },
  notAuthorized: { label: 'not_authorized', help: 'The rules do not let the client read the topic.' },
  sessionEnded: { label: 'session_ended', help: 'It waited in a session that ended.' },
  purged: { label: 'purged', help: 'An operator dropped what waited for the client.' },
  fault: { label: 'fault', help: 'The client could not be served because of a fault.' },
} as const satisfies Readonly<Record<string, DropRow>>;

/** Why a PUBLISH of a client was given to nobody. */
export const messageDrops = {
  notAuthorized: { label: 'not_authorized', help: 'The rules do not let the client publish to the topic.' },
  tooLarge: { label: 'too_large', help: 'The payload is larger than message_size_limit.' },
  quota: { label: 'quota', help: 'QoS 2, and too many messages of the client await their PUBREL.' },
  noSubscribers: { label: 'no_subscribers', help: 'Nobody subscribes to the topic.' },
  expired: { label: 'expired', help: 'QoS 2, and the Message Expiry Interval was over before PUBREL.' },
  sessionEnded: { label: 'session_ended', help: 'QoS 2, and the session ended before PUBREL.' },
} as const satisfies Readonly<Record<string, DropRow>>;

export type DeliveryDrop = keyof typeof deliveryDrops;
export type MessageDrop = keyof typeof messageDrops;
