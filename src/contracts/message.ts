/**
 * An Application Message as every room of the broker sees it.
 *
 * One shape for two lives. A *transient* message points into the read buffer and is valid only during the call; the
 * connection reuses one object for all of its PUBLISH packets. A *kept* message owns its bytes and is shared by
 * everybody who holds it (queues, windows, the retained tree). `keep()` turns the first into the second, once.
 */

import type { Topic } from '../topics/topic.ts';

export type { Topic };

/** Who published: what a store and the retained source check need to know later. */
export interface Publisher {
  readonly clientId: string;
  readonly username: string | null;
  /** Port of the listener; 0 for internal publishers and Unix sockets. */
  readonly listenerPort: number;
}

/** A block of memory in which small messages lie side by side. It stays as long as one of them is held. */
export interface Slab {
  readonly bytes: Buffer;
  /** Messages in it that are held, and their bytes. */
  held: number;
  heldBytes: number;
}

const noBytes = Buffer.alloc(0);

const qosBits = 3;
const retainBit = 1 << 2;
const familyShift = 3;
const packetIdShift = 4;

export class Message {
  topic: Topic;
  publisher: Publisher;
  /** QoS, RETAIN, frame family and Packet Identifier: there may be a million messages, and a field takes eight bytes. */
  #header: number;

  /** Payload = `payloadSource[payloadStart..payloadEnd)`. */
  payloadSource: Buffer;
  payloadStart: number;
  payloadEnd: number;

  /**
   * Encoded properties that travel on (no Topic Alias, no Subscription Identifier), in the order received, without their
   * length: `propertiesSource[propertiesStart..propertiesEnd)`.
   */
  propertiesSource: Buffer;
  propertiesStart: number;
  propertiesEnd: number;
  /** Offset in `propertiesSource` of the four bytes of Message Expiry Interval, −1 when there is none. */
  expiryOffset: number;
  /** Wall clock in ms at which the message expires, 0 = never. */
  expiresAtMs: number;

  /**
   * A transient QoS 0 message as it was received: `payloadSource[frameStart..payloadEnd)` is a whole PUBLISH that receivers of
   * the same protocol family can be given unchanged. −1 when it is not.
   */
  frameStart: number;

  /** Identity in the store; 0 until something durable refers to the message. */
  storeId: number;
  /** How many deliveries, retained entries and wills hold the message; kept by the engine. */
  references: number;
  /** Of a retained message: its place among those that were retained before and later; kept by the tree of them. */
  retainedSince: number;
  /** What its bytes lie in, together with those of others; null: nothing that is counted. Kept by the engine. */
  slab: Slab | null;
  /** Differs between any two messages a connection reads, so that an encoded frame can be recognised as its own. */
  serial: number;
  /** The kept copy of a transient message; a kept message refers to itself. */
  kept: Message | null;

  constructor(topic: Topic, publisher: Publisher) {
    this.topic = topic;
    this.publisher = publisher;
    this.#header = 0;
    this.payloadSource = noBytes;
    this.payloadStart = 0;
    this.payloadEnd = 0;
    this.propertiesSource = noBytes;
    this.propertiesStart = 0;
    this.propertiesEnd = 0;
    this.expiryOffset = -1;
    this.expiresAtMs = 0;
    this.frameStart = -1;
    this.storeId = 0;
    this.references = 0;
    this.slab = null;
    this.retainedSince = 0;
    this.serial = 0;
    this.kept = null;
  }

  /** @param frameFamily - see {@link Message.frameFamily} */
  setHeader(qos: 0 | 1 | 2, retain: boolean, publisherPacketId: number, frameFamily: 0 | 1): void {
    this.#header = (publisherPacketId << packetIdShift) | (frameFamily << familyShift) | (retain ? retainBit : 0) | qos;
  }

  get qos(): 0 | 1 | 2 {
    return (this.#header & qosBits) as 0 | 1 | 2;
  }

  get retain(): boolean {
    return (this.#header & retainBit) !== 0;
  }

  /** Packet Identifier the publisher used, 0 for QoS 0 and internal messages. */
  get publisherPacketId(): number {
    return this.#header >>> packetIdShift;
  }

  /** Of a message with a `frameStart`: 1 when that PUBLISH is one of MQTT 5.0, 0 when it is one of 3.x. */
  get frameFamily(): 0 | 1 {
    return ((this.#header >>> familyShift) & 1) as 0 | 1;
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** A view of the payload; valid as long as the message is. */
  get payload(): Buffer {
    return this.payloadSource.subarray(this.payloadStart, this.payloadEnd);
  }

  /** The message with bytes of its own; the same object every time, whoever asks first. */
  keep(): Message {
    if (this.kept !== null) return this.kept;
    const kept = new Message(this.topic, this.publisher);
    const bytes = this.propertiesEnd - this.propertiesStart + this.payloadEnd - this.payloadStart;
    kept.copyFrom(this, Buffer.allocUnsafe(bytes));
    kept.kept = kept;
    this.kept = kept;
    return kept;
  }

  /**
   * Becomes the same message as another, which nobody holds and no store knows yet.
   *
   * @param bytes - takes a copy of its properties and payload; large enough for them
   */
  copyFrom(other: Message, bytes: Buffer): void {
    const propertiesLength = other.propertiesEnd - other.propertiesStart;
    const payloadLength = other.payloadEnd - other.payloadStart;
    if (propertiesLength > 0) other.propertiesSource.copy(bytes, 0, other.propertiesStart, other.propertiesEnd);
    other.payloadSource.copy(bytes, propertiesLength, other.payloadStart, other.payloadEnd);
    this.topic = other.topic;
    this.publisher = other.publisher;
    this.#header = other.#header;
    this.payloadSource = bytes;
    this.payloadStart = propertiesLength;
    this.payloadEnd = propertiesLength + payloadLength;
    this.propertiesSource = bytes;
    this.propertiesStart = 0;
    this.propertiesEnd = propertiesLength;
    this.expiryOffset = other.expiryOffset < 0 ? -1 : other.expiryOffset - other.propertiesStart;
    this.expiresAtMs = other.expiresAtMs;
    this.frameStart = -1;
    this.storeId = 0;
    this.serial = other.serial;
  }
}

/** What {@link createMessage} needs beside topic and publisher. */
export interface MessageContent {
  readonly payload: Buffer;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  /** Packet Identifier the publisher used; 0 when left out. */
  readonly publisherPacketId?: number;
  /** Encoded properties that travel on, without their length; empty when left out. */
  readonly properties?: Buffer;
  /** Offset of the Message Expiry Interval's four bytes in `properties`, −1 when there is none. */
  readonly expiryOffset?: number;
  /** Wall clock in ms, 0 = never. */
  readonly expiresAtMs?: number;
}

/** A kept message around bytes that the caller gives away. */
export function createMessage(topic: Topic, publisher: Publisher, content: MessageContent): Message {
  const message = new Message(topic, publisher);
  message.setHeader(content.qos ?? 0, content.retain ?? false, content.publisherPacketId ?? 0, 0);
  message.payloadSource = content.payload;
  message.payloadEnd = content.payload.length;
  message.propertiesSource = content.properties ?? noBytes;
  message.propertiesEnd = message.propertiesSource.length;
  message.expiryOffset = content.expiryOffset ?? -1;
  message.expiresAtMs = content.expiresAtMs ?? 0;
  message.kept = message;
  return message;
}
