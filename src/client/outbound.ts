/** Messages that we publish: queue, window, the exchanges of QoS 1 and 2, and what happens to them when a connection is lost. */
import type { AckPacket, Packet, ProtocolVersion } from '../codec/packet.ts';
import { NO_PROPERTIES } from '../codec/packet.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode, reasonCodeName } from '../codec/reason-code.ts';
import { ClientError } from './client-error.ts';
import { type Exchange, Exchanges, type PublishOutcome } from './exchanges.ts';
import type { PacketIds } from './packet-ids.ts';
import { publicationFault, type ServerLimits } from './server-limits.ts';
import type { Publication } from './settings.ts';
import { OutboundAliases } from './topic-aliases.ts';

/** Outcome of a message that needs no acknowledgement, and placeholder beside an error. */
export const SENT: PublishOutcome = { reasonCode: ReasonCode.Success };

/** What the outbound side needs from the client. */
export interface OutboundPlan {
  readonly version: ProtocolVersion;
  readonly ids: PacketIds;
  readonly inflightMaximum: number;
  readonly queuedMessagesMaximum: number;
  readonly queuedBytesMaximum: number;
  readonly topicAliases: number;
  /** Sends over the present connection; an error means that nothing was sent. */
  send(packet: Packet, messageId: number): ClientError | undefined;
  /** Whether there is a connection, and not too much waits for it already. */
  mayWrite(): boolean;
  /** Whether bytes wait for the connection. */
  isCongested(): boolean;
  /** Room for more. */
  onRoom(): void;
}

export class Outbound {
  readonly #plan: OutboundPlan;
  readonly #exchanges = new Exchanges();
  readonly #idleWaiters: (() => void)[] = [];
  #aliases = new OutboundAliases(0, 0);
  #limits: ServerLimits | undefined;

  constructor(plan: OutboundPlan) {
    this.#plan = plan;
  }

  get waitingCount(): number {
    return this.#exchanges.waitingCount;
  }

  /** Whether half of the queue is taken. */
  get isHalfFull(): boolean {
    const { waitingCount, waitingBytes } = this.#exchanges;
    const { queuedMessagesMaximum, queuedBytesMaximum } = this.#plan;
    return waitingCount > queuedMessagesMaximum / 2 || waitingBytes > queuedBytesMaximum / 2;
  }

  /** Why no further message can wait, if that is so. */
  get queueFault(): ClientError | undefined {
    const { waitingCount, waitingBytes } = this.#exchanges;
    const { queuedMessagesMaximum, queuedBytesMaximum } = this.#plan;
    if (waitingCount < queuedMessagesMaximum && (waitingCount === 0 || waitingBytes < queuedBytesMaximum)) {
      return undefined;
    }
    return new ClientError('full', `${waitingCount} messages are waiting already`);
  }

  /** Sends at once when it may, in order with what waits. */
  publish(exchange: Exchange): void {
    const mayGo = exchange.publication.qos === 0 || this.#exchanges.hasRoom;
    if (mayGo && this.#exchanges.waitingCount === 0 && this.#plan.mayWrite()) this.#transmit(exchange);
    else this.#exchanges.enqueue(exchange);
  }

  get #isIdle(): boolean {
    return this.#exchanges.isIdle && !this.#plan.isCongested();
  }

  /** Resolves when nothing is under way or waiting. */
  idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** A connection was accepted; `pump` follows when the program has been told. */
  accepted(limits: ServerLimits, isResumed: boolean): void {
    this.#aliases = new OutboundAliases(limits.topicAliasMaximum, this.#plan.topicAliases);
    this.#limits = limits;
    this.#exchanges.window = Math.min(this.#plan.inflightMaximum, limits.receiveMaximum);
    if (isResumed) this.#resend();
    else this.#restart();
  }

  /** Sends what waits, as far as the window allows. */
  pump(): void {
    for (;;) {
      const exchange = this.#exchanges.peek();
      if (exchange === undefined || !this.#plan.mayWrite()) break;
      if (exchange.publication.qos > 0 && !this.#exchanges.hasRoom) break;
      this.#exchanges.shift();
      this.#sendWaiting(exchange);
    }
    this.#plan.onRoom();
    this.#checkIdle();
  }

  /** The connection is about to end as it should: what needs no acknowledgement is written before, however slow the broker is. */
  sendWhatNeedsNoAnswer(): void {
    for (const exchange of this.#exchanges.takeQos0()) this.#sendWaiting(exchange);
  }

  #sendWaiting(exchange: Exchange): void {
    // It may have been taken before this broker said what it can do.
    const fault = this.#limits && publicationFault(exchange.publication, this.#limits);
    if (fault === undefined) this.#transmit(exchange);
    else exchange.settle?.(fault, SENT);
  }

  /** Gives everything up. */
  clear(error: ClientError): void {
    for (const exchange of this.#exchanges.clear()) exchange.settle?.(error, SENT);
    this.#checkIdle();
  }

  /**
   * PUBACK, PUBREC or PUBCOMP.
   *
   * @throws ProtocolError - the acknowledgement of another QoS
   */
  receive(packet: Exclude<AckPacket, { readonly type: 'pubrel' }>): void {
    const { packetId } = packet;
    if (packet.type === 'pubcomp') {
      const exchange = this.#exchanges.released.get(packetId);
      if (exchange === undefined) return; // an answer to a repeated PUBREL
      this.#exchanges.released.delete(packetId);
      this.#settle(exchange, packet);
      return;
    }
    const exchange = this.#exchanges.unacknowledged.get(packetId);
    if (exchange === undefined) {
      // A repeated PUBREC is answered as the first one was. [MQTT-4.3.3-4]
      if (packet.type === 'pubrec' && packet.reasonCode < 0x80) this.#release(packetId);
      return;
    }
    const { qos } = exchange.publication;
    if (packet.type !== (qos === 1 ? 'puback' : 'pubrec')) {
      const message = `${packet.type.toUpperCase()} for a PUBLISH of QoS ${qos}`;
      throw new ProtocolError(ReasonCode.ProtocolError, '§4.3.3', message);
    }
    this.#exchanges.unacknowledged.delete(packetId);
    if (packet.type === 'puback' || packet.reasonCode >= 0x80) {
      this.#settle(exchange, packet);
      return;
    }
    this.#exchanges.released.set(packetId, exchange);
    this.#release(packetId);
  }

  /** The broker knows the session: what it did not acknowledge is repeated, in the old order. [MQTT-4.4.0-1] */
  #resend(): void {
    for (const packetId of this.#exchanges.released.keys()) this.#release(packetId);
    for (const [packetId, exchange] of [...this.#exchanges.unacknowledged]) {
      const fault = this.#write(exchange, true);
      if (fault === undefined) continue;
      // Too large for this connection, and nothing will ever acknowledge it. [MQTT-3.2.2-15]
      this.#exchanges.unacknowledged.delete(packetId);
      this.#plan.ids.free(packetId);
      exchange.settle?.(fault, SENT);
    }
  }

  /** The broker begins a new session, and so do we. [MQTT-3.2.2-4] */
  #restart(): void {
    for (const packetId of this.#exchanges.unacknowledged.keys()) this.#plan.ids.free(packetId);
    for (const exchange of this.#exchanges.restart()) {
      this.#plan.ids.free(exchange.packetId);
      exchange.settle?.(undefined, SENT);
    }
  }

  /** First transmission. [MQTT-4.3.2-2] [MQTT-4.3.3-2] */
  #transmit(exchange: Exchange): void {
    if (exchange.publication.qos === 0) {
      const fault = this.#write(exchange, false);
      exchange.settle?.(fault, SENT);
      return;
    }
    const packetId = this.#plan.ids.take();
    if (packetId === undefined) {
      exchange.settle?.(new ClientError('full', 'all Packet Identifiers are in use'), SENT);
      return;
    }
    exchange.packetId = packetId;
    const fault = this.#write(exchange, false);
    if (fault === undefined) {
      this.#exchanges.unacknowledged.set(packetId, exchange);
      return;
    }
    this.#plan.ids.free(packetId);
    exchange.settle?.(fault, SENT);
  }

  #write(exchange: Exchange, dup: boolean): ClientError | undefined {
    const { publication, packetId } = exchange;
    const { topic, payload, qos, retain, properties } =
      this.#plan.version === 5 ? this.#withAlias(publication) : publication;
    const fault = this.#plan.send(
      // [MQTT-3.3.1-1]
      { type: 'publish', topic, payload, qos, retain, dup, packetId, properties },
      packetId === 0 ? this.#plan.ids.pass() : packetId,
    );
    if (fault !== undefined) this.#aliases.forget({ topic, alias: properties.topicAlias ?? 0 });
    return fault;
  }

  #withAlias(publication: Publication): Publication {
    const { topicAlias = 0 } = publication.properties;
    if (topicAlias === 0 && this.#plan.topicAliases === 0) return publication;
    const { topicAlias: _, ...others } = publication.properties;
    const { topic, alias } = this.#aliases.write(publication.topic, topicAlias);
    return { ...publication, topic, properties: alias === 0 ? others : { ...others, topicAlias: alias } };
  }

  #release(packetId: number): void {
    // Of an identifier that we do not know we say so; 3.x has no way to.
    const isKnown = this.#plan.version < 5 || this.#exchanges.released.has(packetId);
    const reasonCode = isKnown ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound;
    this.#plan.send({ type: 'pubrel', packetId, reasonCode, properties: NO_PROPERTIES }, packetId);
  }

  #settle(exchange: Exchange, packet: AckPacket): void {
    const { reasonCode, properties, packetId } = packet;
    this.#plan.ids.free(packetId);
    const outcome: PublishOutcome = {
      reasonCode,
      ...(properties.reasonString !== undefined && { reasonString: properties.reasonString }),
    };
    const text = `the broker refused the message: ${reasonCodeName(reasonCode)}`;
    exchange.settle?.(reasonCode < 0x80 ? undefined : new ClientError('rejected', text, outcome), outcome);
    this.pump();
  }

  #checkIdle(): void {
    if (this.#isIdle) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}
