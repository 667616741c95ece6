/**
 * Acknowledgements in the order of their packets, each sent once the store has what it promises. [I9]
 *
 * Without a durable store, or when it has caught up, an acknowledgement goes straight into the arena. Else it waits here, at most
 * {@link acksWaitingMax} of them: then the connection reads no further until the store has caught up.
 */
import { ACK_SIZE_MAX, type AckType, writeAck } from '../codec/acks.ts';
import type { ProtocolVersion } from '../codec/packet.ts';
import type { Connection } from './connection.ts';
import type { Outbound, Outbox } from './outbound.ts';

/** Acknowledgements that may wait for the store before the connection stops reading. */
export const acksWaitingMax = 4096;

interface Waiting {
  /** Log position that must be committed. */
  readonly position: number;
  readonly type: AckType;
  readonly packetId: number;
  readonly reasonCode: number;
  /** A whole packet (SUBACK, UNSUBACK) instead of the fields above. */
  readonly packet: Buffer | null;
}

export class AckQueue {
  readonly #outbound: Outbound;
  readonly #outbox: Outbox;
  readonly #store: { readonly position: number; readonly committed: number };
  /** Connections whose queue waits. */
  readonly #awaiting: Set<Connection>;
  readonly #connection: Connection;
  #waiting: Waiting[] = [];
  #version: ProtocolVersion = 4;
  /** Who waits for the queue to be empty: at most the connection itself and its SUBSCRIBE packets. */
  #onEmpty: (() => void)[] | null = null;
  /**
   * PUBLISH packets with QoS above 0 that came on this connection and have no final answer yet: PUBACK, PUBCOMP, or a PUBREC
   * that refuses. What an earlier connection left open is not among them. (MQTT 5.0 §4.9)
   */
  unanswered = 0;

  /** @param awaiting - `connection` is in it while something waits */
  constructor(
    outbound: Outbound,
    outbox: Outbox,
    store: { readonly position: number; readonly committed: number },
    awaiting: Set<Connection>,
    connection: Connection,
  ) {
    this.#outbound = outbound;
    this.#outbox = outbox;
    this.#store = store;
    this.#awaiting = awaiting;
    this.#connection = connection;
  }

  /** Settled when nothing waits any more, or the connection is gone. */
  untilEmpty(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty ??= [];
      this.#onEmpty.push(resolve);
    });
  }

  /** Acknowledgements that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Sends the acknowledgement behind those that wait, as soon as what it promises is safe.
   *
   * @param isStored - whether the store was told anything because of the packet; else there is nothing to wait for
   */
  push(type: AckType, packetId: number, reasonCode: number, version: ProtocolVersion, isStored: boolean): void {
    const position = isStored ? this.#store.position : 0;
    if (this.#waiting.length === 0 && this.#store.committed >= position) {
      this.#send(type, packetId, reasonCode, version);
      return;
    }
    this.#wait({ position, type, packetId, reasonCode, packet: null });
    this.#version = version;
  }

  /**
   * The store cannot make anything safe: PUBACK and PUBREC that wait are taken out and given to `refuse`. The others go on
   * waiting for better times.
   */
  giveUp(refuse: (type: AckType, packetId: number) => void): void {
    const given: Waiting[] = [];
    this.#waiting = this.#waiting.filter((ack) => {
      const isPromise =
        ack.packet === null && (ack.type === 'puback' || ack.type === 'pubrec') && ack.reasonCode < 0x80;
      if (isPromise) given.push(ack);
      return !isPromise;
    });
    if (given.length > 0 && this.#waiting.length === 0) this.#emptied();
    for (const { type, packetId } of given) refuse(type, packetId);
  }

  /** Sends a refusal at once, past those that wait. */
  refuse(type: AckType, packetId: number, reasonCode: number, version: ProtocolVersion): void {
    this.#send(type, packetId, reasonCode, version);
  }

  /** The same for a packet that is already encoded. */
  pushPacket(packet: Buffer): void {
    if (this.#waiting.length === 0 && this.#store.committed >= this.#store.position) {
      this.#outbox.addBytes(packet, 1);
      return;
    }
    this.#wait({ position: this.#store.position, type: 'puback', packetId: 0, reasonCode: 0, packet });
  }

  /** The store has committed up to `committed`. */
  release(committed: number): void {
    let count = 0;
    for (const ack of this.#waiting) {
      if (ack.position > committed) break;
      if (ack.packet !== null) this.#outbox.addBytes(ack.packet, 1);
      else this.#send(ack.type, ack.packetId, ack.reasonCode, this.#version);
      count++;
    }
    if (count === 0) return;
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    if (this.#waiting.length === 0) this.#emptied();
  }

  /** The connection is gone: what waits will never be sent. */
  clear(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = [];
    this.#emptied();
  }

  #emptied(): void {
    this.#awaiting.delete(this.#connection);
    const waiting = this.#onEmpty;
    this.#onEmpty = null;
    for (const resolve of waiting ?? []) resolve();
  }

  #wait(ack: Waiting): void {
    if (this.#waiting.length === 0) this.#awaiting.add(this.#connection);
    this.#waiting.push(ack);
  }

  #send(type: AckType, packetId: number, reasonCode: number, version: ProtocolVersion): void {
    const start = this.#outbound.reserve(ACK_SIZE_MAX);
    const end = writeAck(this.#outbound.arena, start, type, packetId, reasonCode, version);
    this.#outbound.position = end;
    this.#outbox.add(start, end, 1);
    if (type === 'pubrel') return;
    this.#outbox.markAnswer();
    if (this.unanswered > 0 && (type !== 'pubrec' || reasonCode >= 0x80)) this.unanswered--;
  }
}
