/**
 * Acknowledgements in the order of their packets, each sent once the store has what it promises. [I9]
 *
 * Without a durable store, or when it has caught up, an acknowledgement goes straight into the arena. Else it waits here, at most
 * {@link acksWaitingMax} of them: then the connection reads no further until the store has caught up.
 */
import { ACK_SIZE_MAX, type AckType, writeAck } from '../codec/acks.ts';
import type { ProtocolVersion } from '../codec/packet.ts';
import type { Connection } from './connection.ts';

/** Acknowledgements that may wait for the store before the connection stops reading. */
export const acksWaitingMax = 4096;

interface Waiting {
  /** Log position that must be committed. */
  readonly position: number;
  readonly type: AckType;
  readonly packetId: number;
  readonly reasonCode: number;
  /** A whole packet (SUBACK, UNSUBACK, a refusal that says why) instead of the fields above. */
  readonly packet: Buffer | null;
}

/** Of a queue in which nothing waits; nothing is ever put into it. */
const nothing: Waiting[] = [];

export class AckQueue {
  readonly #connection: Connection;
  #waiting = nothing;
  /** Who waits for the queue to be empty: at most the connection itself and its SUBSCRIBE packets. */
  #onEmpty: (() => void)[] | null = null;
  /**
   * PUBLISH packets with QoS above 0 that came on this connection and have no final answer yet: PUBACK, PUBCOMP, or a PUBREC
   * that refuses. What an earlier connection left open is not among them. (MQTT 5.0 §4.9)
   */
  unanswered = 0;

  /** @param connection - is among those that await a commit while something waits */
  constructor(connection: Connection) {
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
    const { store } = this.#connection.hub.engine;
    const position = isStored ? store.position : 0;
    if (this.#waiting.length === 0 && store.committed >= position) {
      this.#send(type, packetId, reasonCode, version);
      return;
    }
    this.#wait({ position, type, packetId, reasonCode, packet: null });
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

  /**
   * The same for a packet that is already encoded.
   *
   * @param refusal - its Reason Code when it refuses a PUBLISH
   */
  pushPacket(packet: Buffer, refusal = 0): void {
    const { position, committed } = this.#connection.hub.engine.store;
    if (this.#waiting.length === 0 && committed >= position) this.#sendPacket(packet, refusal);
    else this.#wait({ position, type: 'puback', packetId: 0, reasonCode: refusal, packet });
  }

  /** The store has committed up to `committed`. */
  release(committed: number): void {
    const { version } = this.#connection;
    let count = 0;
    for (const ack of this.#waiting) {
      if (ack.position > committed) break;
      if (ack.packet !== null) this.#sendPacket(ack.packet, ack.reasonCode);
      else this.#send(ack.type, ack.packetId, ack.reasonCode, version);
      count++;
    }
    if (count === 0) return;
    this.#waiting = count === this.#waiting.length ? nothing : this.#waiting.slice(count);
    if (this.#waiting.length === 0) this.#emptied();
  }

  /** The connection is gone: what waits will never be sent. */
  clear(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = nothing;
    this.#emptied();
  }

  #emptied(): void {
    this.#connection.hub.awaitingCommit.delete(this.#connection);
    const waiting = this.#onEmpty;
    this.#onEmpty = null;
    for (const resolve of waiting ?? []) resolve();
  }

  #wait(ack: Waiting): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(ack);
      return;
    }
    this.#connection.hub.awaitingCommit.add(this.#connection);
    this.#waiting = [ack];
  }

  #sendPacket(packet: Buffer, refusal: number): void {
    this.#connection.outbox.addBytes(packet, 1);
    if (refusal !== 0 && this.unanswered > 0) this.unanswered--;
  }

  #send(type: AckType, packetId: number, reasonCode: number, version: ProtocolVersion): void {
    const { outbox } = this.#connection;
    const { outbound } = this.#connection.hub;
    const start = outbound.reserve(ACK_SIZE_MAX);
    const end = writeAck(outbound.arena, start, type, packetId, reasonCode, version);
    outbound.position = end;
    outbox.add(start, end, 1);
    if (type === 'pubrel') return;
    outbox.markAnswer();
    if (this.unanswered > 0 && (type !== 'pubrec' || reasonCode >= 0x80)) this.unanswered--;
  }
}
