/**
 * What a Session needs of the Network Connection that serves it: a way to send, and to hear whether sending is wise.
 *
 * The session promises to respect `isCongested` for everything it can delay or drop, and never more exchanges in flight than
 * `receiveMaximum`. The connection promises that what it accepted leaves in order, and that it never calls back from inside.
 */
import type { Message } from './message.ts';

export interface Outlet {
  /** Enough is waiting for the socket: QoS 1 and 2 and retained messages wait in the session instead. */
  readonly isCongested: boolean;
  /** So much is waiting for the socket that a QoS 0 message has to be dropped. */
  readonly isFull: boolean;
  /** Exchanges the receiver takes at a time, 1..65,535. */
  readonly receiveMaximum: number;
  /**
   * Sends a PUBLISH.
   *
   * @param packetId - 0 for QoS 0
   * @param subscriptionIds - Subscription Identifiers of the matching subscriptions, null for none
   * @returns false when the packet is larger than the receiver takes and was dropped [MQTT-3.1.2-24]
   */
  sendPublish(
    message: Message,
    qos: 0 | 1 | 2,
    retain: boolean,
    dup: boolean,
    packetId: number,
    subscriptionIds: readonly number[] | null,
  ): boolean;
  sendPubrel(packetId: number): void;
  /** Ends the Network Connection; MQTT 5.0 clients are told `reasonCode` first. */
  disconnect(reasonCode: number): void;
}
