/** Bodies of records ↔ facts. Layouts are written down by the pairs of functions below; the frame is that of record.ts. */
import type { Message, Publisher, Topic } from '../contracts/message.ts';
import { createMessage } from '../contracts/message.ts';
import type { SessionFact, SubscriptionFact, WillFact } from '../contracts/store.ts';
import { TopicBlocks } from '../topics/topic.ts';
import type { ByteReader } from './byte-reader.ts';
import { FormatError } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { PayloadSlab } from './payload-slab.ts';
import { RecordType } from './record.ts';

/** Whom records are told to, in the order in which they were written. */
export interface RecordSink {
  message(message: Message): void;
  sessionPut(session: SessionFact): void;
  sessionRemoved(clientId: string): void;
  subscriptionPut(subscription: SubscriptionFact): void;
  subscriptionRemoved(clientId: string, filter: string): void;
  deliveryPut(
    clientId: string,
    sequence: number,
    storeId: number,
    qos: 0 | 1 | 2,
    retain: boolean,
    subscriptionIds: readonly number[],
  ): void;
  deliveryReleased(clientId: string, sequence: number): void;
  deliveryRemoved(clientId: string, sequence: number): void;
  receivedPut(clientId: string, packetId: number, storeId: number): void;
  receivedRemoved(clientId: string, packetId: number): void;
  retainedPut(storeId: number): void;
  retainedRemoved(topicName: string): void;
  willPut(will: WillFact): void;
  willRemoved(clientId: string): void;
}

const noBytes = Buffer.alloc(0);

/** Topic Names, publishers and blocks of payloads read from one store, so that messages share them. */
export class Interner {
  readonly slab = new PayloadSlab();
  readonly #topicBlocks = new TopicBlocks();
  /** Topic Name → topic. */
  readonly #topics = new Map<string, Topic>();
  #publisher: Publisher = { clientId: '', username: null, listenerPort: 0 };
  /** Whose delivery was read last; those of one client usually come in a row. */
  receiver = '';

  get lastPublisher(): Publisher {
    return this.#publisher;
  }

  topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = this.#topicBlocks.of(name);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  /** Messages of one publisher usually come in a row. */
  publisher(clientId: string, username: string | null, listenerPort: number): Publisher {
    const last = this.#publisher;
    if (last.clientId === clientId && last.username === username && last.listenerPort === listenerPort) return last;
    this.#publisher = { clientId, username, listenerPort };
    return this.#publisher;
  }
}

/** @throws FormatError - for 3 */
export function checkedQos(value: number): 0 | 1 | 2 {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new FormatError(`QoS ${value} does not exist`);
}

export function writeMessage(writer: ByteWriter, message: Message): void {
  const { publisher, topic } = message;
  const propertiesLength = message.propertiesEnd - message.propertiesStart;
  writer.u64(message.storeId);
  writer.u64(message.expiresAtMs);
  writer.u8(message.qos | (message.retain ? 4 : 0) | (publisher.username === null ? 0 : 8));
  writer.u16(message.publisherPacketId);
  writer.u16(publisher.listenerPort);
  writer.text16(publisher.clientId);
  if (publisher.username !== null) writer.text16(publisher.username);
  writer.u16(topic.length);
  writer.raw(topic.source, topic.start, topic.start + topic.length);
  writer.variableByteInteger(message.expiryOffset < 0 ? 0 : message.expiryOffset - message.propertiesStart + 1);
  writer.variableByteInteger(propertiesLength);
  writer.raw(message.propertiesSource, message.propertiesStart, message.propertiesEnd);
  writer.u32(message.payloadEnd - message.payloadStart);
  writer.raw(message.payloadSource, message.payloadStart, message.payloadEnd);
}

export function readMessage(reader: ByteReader, interner: Interner): Message {
  const storeId = reader.u64('store id');
  const expiresAtMs = reader.u64('expiry');
  const flags = reader.u8('flags');
  const publisherPacketId = reader.u16('Packet Identifier');
  const listenerPort = reader.u16('port');
  const last = interner.lastPublisher;
  const clientId = reader.text16Like(last.clientId, 'Client Identifier');
  const username = flags & 8 ? reader.text16Like(last.username ?? '', 'user name') : null;
  const topicName = reader.text16('Topic Name');
  const expiryOffset = reader.variableByteInteger('properties') - 1;
  const propertiesLength = reader.variableByteInteger('properties');
  if (expiryOffset >= 0 && expiryOffset + 4 > propertiesLength) throw new FormatError('properties are too short');
  const properties = reader.copy(propertiesLength, 'properties');
  const payloadLength = reader.u32('payload');
  const payloadStart = reader.skip(payloadLength, 'payload');
  const message = createMessage(interner.topic(topicName), interner.publisher(clientId, username, listenerPort), {
    payload: noBytes,
    qos: checkedQos(flags & 3),
    retain: (flags & 4) !== 0,
    publisherPacketId,
    properties,
    expiryOffset,
    expiresAtMs,
  });
  interner.slab.fill(message, reader.bytes, payloadStart, payloadStart + payloadLength);
  message.storeId = storeId;
  return message;
}

export function writeSession(writer: ByteWriter, session: Omit<SessionFact, 'kind'>): void {
  writer.text16(session.clientId);
  writer.u8(session.username === null ? 0 : 1);
  if (session.username !== null) writer.text16(session.username);
  writer.u16(session.listenerPort);
  writer.u32(session.expiryIntervalSeconds);
  writer.u64(session.expiresAtMs);
  writer.u64(session.lastSequence);
}

function readSession(reader: ByteReader): SessionFact {
  const clientId = reader.text16('Client Identifier');
  const username = reader.u8('flags') & 1 ? reader.text16('user name') : null;
  return {
    kind: 'session',
    clientId,
    username,
    listenerPort: reader.u16('port'),
    expiryIntervalSeconds: reader.u32('Session Expiry Interval'),
    expiresAtMs: reader.u64('expiry'),
    lastSequence: reader.u64('sequence number'),
  };
}

export function writeSubscription(writer: ByteWriter, subscription: Omit<SubscriptionFact, 'kind'>): void {
  writer.text16(subscription.clientId);
  writer.text16(subscription.filter);
  writer.u8(subscriptionOptions(subscription));
  writer.variableByteInteger(subscription.identifier);
}

/** @throws FormatError */
export function readSubscription(reader: ByteReader): SubscriptionFact {
  const clientId = reader.text16('Client Identifier');
  const filter = reader.text16('Topic Filter');
  const options = reader.u8('options');
  return subscriptionFact(clientId, filter, options, reader.variableByteInteger('Subscription Identifier'));
}

/** The Subscription Options byte of MQTT 5.0 §3.8.3.1. */
export function subscriptionOptions(subscription: Omit<SubscriptionFact, 'kind'>): number {
  const { qos, noLocal, retainAsPublished, retainHandling } = subscription;
  return qos | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4);
}

/** @throws FormatError - for options that do not exist */
export function subscriptionFact(
  clientId: string,
  filter: string,
  options: number,
  identifier: number,
): SubscriptionFact {
  const retainHandling = (options >> 4) & 3;
  if (retainHandling === 3) throw new FormatError('Retain Handling 3 does not exist');
  return {
    kind: 'subscription',
    clientId,
    filter,
    qos: checkedQos(options & 3),
    noLocal: (options & 0x04) !== 0,
    retainAsPublished: (options & 0x08) !== 0,
    // 3 was refused above.
    retainHandling: retainHandling as 0 | 1 | 2,
    identifier,
  };
}

export function writeDelivery(
  writer: ByteWriter,
  clientId: string,
  sequence: number,
  storeId: number,
  qos: 0 | 1 | 2,
  retain: boolean,
  subscriptionIds: readonly number[] | null,
): void {
  writer.u64(storeId);
  writer.u64(sequence);
  writer.u8(qos | (retain ? 4 : 0));
  writer.text16(clientId);
  if (subscriptionIds !== null) for (const identifier of subscriptionIds) writer.variableByteInteger(identifier);
}

/** Client and sequence number or Packet Identifier: what most removals consist of. */
export function writeExchange(writer: ByteWriter, clientId: string, number: number): void {
  writer.u64(number);
  writer.text16(clientId);
}

export function writeReceived(writer: ByteWriter, clientId: string, packetId: number, storeId: number): void {
  writer.u64(packetId);
  writer.text16(clientId);
  writer.u64(storeId);
}

export function writeWill(
  writer: ByteWriter,
  clientId: string,
  message: Message,
  delaySeconds: number,
  dueAtMs: number,
): void {
  writer.text16(clientId);
  writer.u32(delaySeconds);
  writer.u64(dueAtMs);
  writeMessage(writer, message);
}

/**
 * The message gets no store id: it is not one that anything else refers to.
 *
 * @throws FormatError
 */
export function readWill(reader: ByteReader, interner: Interner): WillFact {
  const clientId = reader.text16('Client Identifier');
  const delaySeconds = reader.u32('delay');
  const dueAtMs = reader.u64('time');
  const message = readMessage(reader, interner);
  message.storeId = 0;
  return { kind: 'will', clientId, message, delaySeconds, dueAtMs };
}

/** Subscription Identifiers up to the end of the record. @throws FormatError */
export function readIdentifiers(reader: ByteReader): number[] {
  const identifiers: number[] = [];
  while (reader.remaining > 0) identifiers.push(reader.variableByteInteger('Subscription Identifier'));
  return identifiers;
}

const noIdentifiers: readonly number[] = [];

/**
 * Tells the sink what one record says.
 *
 * @param reader - at the body of the record, ending with it
 * @throws FormatError - for a type that carries no fact and for a body that does not fit its type
 */
export function readRecord(type: number, reader: ByteReader, interner: Interner, sink: RecordSink): void {
  switch (type) {
    case RecordType.message:
      sink.message(readMessage(reader, interner));
      break;
    case RecordType.sessionPut:
      sink.sessionPut(readSession(reader));
      break;
    case RecordType.sessionRemoved:
      sink.sessionRemoved(reader.text16('Client Identifier'));
      break;
    case RecordType.subscriptionPut:
      sink.subscriptionPut(readSubscription(reader));
      break;
    case RecordType.subscriptionRemoved:
      sink.subscriptionRemoved(reader.text16('Client Identifier'), reader.text16('Topic Filter'));
      break;
    case RecordType.deliveryPut: {
      const storeId = reader.u64('store id');
      const sequence = reader.u64('sequence number');
      const flags = reader.u8('flags');
      const clientId = reader.text16Like(interner.receiver, 'Client Identifier');
      interner.receiver = clientId;
      let identifiers = noIdentifiers;
      if (reader.remaining > 0) identifiers = readIdentifiers(reader);
      sink.deliveryPut(clientId, sequence, storeId, checkedQos(flags & 3), (flags & 4) !== 0, identifiers);
      break;
    }
    case RecordType.deliveryReleased:
    case RecordType.deliveryRemoved:
    case RecordType.receivedRemoved: {
      const number = reader.u64('sequence number');
      const clientId = reader.text16Like(interner.receiver, 'Client Identifier');
      interner.receiver = clientId;
      if (type === RecordType.deliveryReleased) sink.deliveryReleased(clientId, number);
      else if (type === RecordType.deliveryRemoved) sink.deliveryRemoved(clientId, number);
      else sink.receivedRemoved(clientId, number);
      break;
    }
    case RecordType.receivedPut: {
      const packetId = reader.u64('Packet Identifier');
      sink.receivedPut(reader.text16('Client Identifier'), packetId, reader.u64('store id'));
      break;
    }
    case RecordType.retainedPut:
      sink.retainedPut(reader.u64('store id'));
      break;
    case RecordType.retainedRemoved:
      sink.retainedRemoved(reader.text16('Topic Name'));
      break;
    case RecordType.willPut:
      sink.willPut(readWill(reader, interner));
      break;
    case RecordType.willRemoved:
      sink.willRemoved(reader.text16('Client Identifier'));
      break;
    default:
      throw new FormatError(`record type ${type} is unknown`);
  }
  if (reader.remaining > 0) throw new FormatError('a record is longer than its content');
}
