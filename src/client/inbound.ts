/** Messages that the broker sends us: Topic Aliases, exactly-once, acknowledgements in order. */
import type { AckPacket, ProtocolVersion, PublishPacket } from '../codec/packet.ts';
import { NO_PROPERTIES } from '../codec/packet.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { PendingAcks } from './pending-acks.ts';
import { InboundAliases } from './topic-aliases.ts';

/** What the inbound side needs from the client. */
export interface InboundPlan {
  readonly version: ProtocolVersion;
  /** Topic Alias Maximum and Receive Maximum of our CONNECT. */
  readonly topicAliasMaximum: number;
  readonly receiveMaximum: number;
  /** The program acknowledges. */
  readonly isManual: boolean;
  send(packet: AckPacket): void;
  /** Hands a message to the program; false pauses reading. */
  deliver(message: PublishPacket): boolean;
}

export class Inbound {
  readonly #plan: InboundPlan;
  readonly #pendingAcks = new PendingAcks();
  /** QoS 2 messages received and not released yet: Packet Identifier → message. */
  readonly #held = new Map<number, PublishPacket>();
  #aliases = new InboundAliases(0);

  constructor(plan: InboundPlan) {
    this.#plan = plan;
  }

  /** A new connection: aliases begin anew, and so does the session if the broker has forgotten it. [MQTT-3.3.2-7] [MQTT-3.2.2-4] */
  accepted(isResumed: boolean): void {
    this.#aliases = new InboundAliases(this.#plan.topicAliasMaximum);
    if (!isResumed) this.#held.clear();
  }

  /** The connection is lost. */
  lost(): void {
    this.#pendingAcks.clear();
  }

  /**
   * A PUBLISH.
   *
   * @returns false when reading should pause
   * @throws ProtocolError - a bad alias, too many messages at once
   */
  receivePublish(received: PublishPacket): boolean {
    const { topicAlias } = received.properties;
    const packet =
      topicAlias === undefined ? received : { ...received, topic: this.#aliases.resolve(received.topic, topicAlias) };
    switch (packet.qos) {
      case 0:
        return this.#plan.deliver(packet);
      case 1:
        return this.#handOver('puback', packet); // [MQTT-4.3.2-4]
      case 2:
        this.#hold(packet);
        this.#send('pubrec', packet.packetId);
        return true;
    }
  }

  /** Mosquitto: a QoS 2 message is handed on at PUBREL, so that its exchange is over when the program acts on it. */
  receivePubrel(packetId: number): boolean {
    const packet = this.#held.get(packetId);
    this.#held.delete(packetId);
    if (packet !== undefined) return this.#handOver('pubcomp', packet);
    this.#send('pubcomp', packetId, ReasonCode.PacketIdentifierNotFound);
    return true;
  }

  /** The program has what it received. */
  acknowledge(message: PublishPacket): void {
    for (const { qos, packetId } of this.#pendingAcks.give(message)) {
      this.#send(qos === 1 ? 'puback' : 'pubcomp', packetId);
    }
  }

  /** A repeated PUBLISH is not a second message. [MQTT-4.3.3-10] */
  #hold(packet: PublishPacket): void {
    if (this.#held.has(packet.packetId)) return;
    if (this.#held.size >= this.#plan.receiveMaximum) {
      throw new ProtocolError(ReasonCode.ReceiveMaximumExceeded, 'MQTT-3.3.4-9', 'Receive Maximum exceeded');
    }
    this.#held.set(packet.packetId, packet);
  }

  /**
   * The acknowledgement is put into the outbox first, which is written when this turn is over: so a program that disconnects as
   * soon as it has its message still acknowledges it.
   */
  #handOver(type: 'puback' | 'pubcomp', packet: PublishPacket): boolean {
    if (this.#plan.isManual) this.#pendingAcks.add(packet);
    else this.#send(type, packet.packetId);
    return this.#plan.deliver(packet);
  }

  #send(type: 'puback' | 'pubrec' | 'pubcomp', packetId: number, reasonCode: 0x00 | 0x92 = ReasonCode.Success): void {
    const code = this.#plan.version === 5 ? reasonCode : ReasonCode.Success;
    // Only PUBCOMP is sent with 0x92, which it may carry.
    this.#plan.send({ type, packetId, reasonCode: code, properties: NO_PROPERTIES } as AckPacket);
  }
}
