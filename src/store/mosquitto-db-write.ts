/**
 * Writes facts as a `mosquitto.db` of version 6, which Mosquitto 2.0 and later load, with one chunk of our own at the end.
 *
 * The facts are collected first, because the file has its own order; then the bytes are made a block at a time, so that a
 * large state neither needs its whole file in memory nor holds up the loop.
 */
import type { Message } from '../contracts/message.ts';
import type { DeliveryFact, Fact, RetainedFact, SessionFact, SubscriptionFact, WillFact } from '../contracts/store.ts';
import { DeliveryState, packetIdOf } from '../contracts/store.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc32c } from './crc32c.ts';
import type { SnapshotMark } from './database-format.ts';
import {
  ChunkType,
  databaseHeaderSize,
  databaseMagic,
  databaseVersion,
  ownChunkType,
  ownHeadSize,
  ownVersion,
  placeholderStoreId,
  rowCheck,
  tableRowSize,
  trailerMagic,
  trailerSize,
} from './database-format.ts';
import { subscriptionOptions, writeSubscription, writeWill } from './fact-codec.ts';
import { storedPropertiesLength, writeStoredProperties } from './message-properties.ts';
import { beginRecord, endRecord, RecordType } from './record.ts';

/** Blocks are about this long. */
const blockSize = 1 << 18;

/** The whole durable state, sorted by what the file has a chunk for. */
export class CollectedFacts {
  readonly messages: Message[] = [];
  readonly sessions: SessionFact[] = [];
  readonly deliveries: DeliveryFact[] = [];
  readonly subscriptions: SubscriptionFact[] = [];
  readonly sharedSubscriptions: SubscriptionFact[] = [];
  readonly retained: RetainedFact[] = [];
  readonly wills: WillFact[] = [];

  constructor(facts: Iterable<Fact>) {
    /** Store ids of messages under `$SYS/`, which are kept only for those they are queued for. */
    const ownTopics = new Map<number, Message>();
    const wanted = new Set<number>();
    for (const fact of facts) {
      switch (fact.kind) {
        case 'message':
          if (fact.message.topic.name.startsWith('$SYS/')) ownTopics.set(fact.message.storeId, fact.message);
          else this.messages.push(fact.message);
          break;
        case 'session':
          this.sessions.push(fact);
          break;
        case 'delivery':
          if (ownTopics.size > 0 && ownTopics.has(fact.storeId)) wanted.add(fact.storeId);
          this.deliveries.push(fact);
          break;
        case 'subscription':
          if (fact.filter.startsWith('$share/')) this.sharedSubscriptions.push(fact);
          else this.subscriptions.push(fact);
          break;
        case 'retained':
          if (!ownTopics.has(fact.storeId)) this.retained.push(fact);
          break;
        case 'will':
          this.wills.push(fact);
          break;
      }
    }
    for (const storeId of wanted) this.messages.push(ownTopics.get(storeId) as Message);
  }
}

/**
 * The bytes of the file, in blocks; a block is valid until the next one is asked for.
 *
 * @param salt - drawn for this file, 32 bits
 */
export function* encodeDatabase(facts: CollectedFacts, mark: SnapshotMark, salt: number): Generator<Buffer> {
  const writer = new ByteWriter(blockSize * 2);
  const table = new ByteWriter(1 << 16);
  let offset = 0;
  const headerChecksum = writeHeader(writer);
  const records = encodeOwnRecords(facts, salt);

  writeConfig(writer, mark, table);
  if (facts.deliveries.some((delivery) => delivery.storeId === 0)) writePlaceholder(writer, table);
  const rows: readonly (() => Generator<void>)[] = [
    () => each(facts.messages, (message) => writeMessageChunk(writer, message, table)),
    () => each(facts.sessions, (session) => writeClient(writer, session, table)),
    () =>
      each(facts.deliveries, (delivery) => {
        if (delivery.subscriptionIds.length > 1) {
          writeIdentifiers(records, table.length / tableRowSize, delivery.subscriptionIds, salt);
        }
        writeDeliveryChunk(writer, delivery, table);
      }),
    () => each(facts.subscriptions, (subscription) => writeSubscriptionChunk(writer, subscription, table)),
    () => each(facts.retained, (retained) => writeRetained(writer, retained, table)),
  ];
  for (const row of rows) {
    for (const _ of row()) {
      if (writer.length < blockSize) continue;
      yield writer.bytes.subarray(0, writer.length);
      offset += writer.length;
      writer.length = 0;
    }
  }

  const ownOffset = offset + writer.length;
  writer.u32(ownChunkType);
  writer.u32(ownHeadSize + records.length + table.length + trailerSize);
  const head = writer.length;
  writer.u32(ownVersion);
  writer.u32(salt);
  writer.u32(records.length);
  writer.u32(crc32c(writer.bytes, head, writer.length));
  yield writer.bytes.subarray(0, writer.length);
  yield records.bytes.subarray(0, records.length);
  yield table.bytes.subarray(0, table.length);

  writer.length = 0;
  writer.raw(trailerMagic, 0, trailerMagic.length);
  writer.u32(ownVersion);
  writer.u32(headerChecksum);
  writer.u64(ownOffset);
  writer.u32(records.length);
  writer.u32(table.length / tableRowSize);
  writer.u64(mark.lineage);
  writer.u64(mark.firstBatch);
  writer.u64(mark.lastStoreId);
  writer.u32(mark.isClean ? 1 : 0);
  writer.u32(salt);
  writer.u32(0);
  writer.u32(crc32c(writer.bytes, 0, writer.length));
  yield writer.bytes.subarray(0, writer.length);
}

function* each<Item>(items: readonly Item[], write: (item: Item) => void): Generator<void> {
  for (const item of items) {
    write(item);
    yield;
  }
}

function writeHeader(writer: ByteWriter): number {
  writer.raw(databaseMagic, 0, databaseMagic.length);
  writer.u32(0);
  writer.u32(databaseVersion);
  return crc32c(writer.bytes, 0, databaseHeaderSize);
}

function beginChunk(writer: ByteWriter, type: number): number {
  const start = writer.length;
  writer.u32(type);
  writer.u32(0);
  return start;
}

/** @param exact - what the chunk has no room for, 0..2^48−1 */
function endChunk(writer: ByteWriter, start: number, table: ByteWriter, exact: number): void {
  const length = writer.length - start;
  writer.bytes.writeUInt32BE(length - 8, start + 4);
  const row = table.length;
  table.u32(length);
  table.u32(crc32c(writer.bytes, start, writer.length));
  table.u16(Math.floor(exact / 0x1_0000_0000));
  table.u32(exact >>> 0);
  table.u16(0);
  table.bytes.writeUInt16BE(rowCheck(table.bytes, row), row + 14);
}

function writeConfig(writer: ByteWriter, mark: SnapshotMark, table: ByteWriter): void {
  const start = beginChunk(writer, ChunkType.config);
  writer.u64LE(mark.lastStoreId);
  writer.u8(mark.isClean ? 1 : 0);
  writer.u8(8); // bytes of a store id
  writer.u32(0);
  writer.u16(0);
  endChunk(writer, start, table, 0);
}

function writeMessageChunk(writer: ByteWriter, message: Message, table: ByteWriter): void {
  const { publisher, topic } = message;
  const start = beginChunk(writer, ChunkType.message);
  writer.u64LE(message.storeId);
  // Mosquitto counts in seconds; a message must not end before its time.
  writer.u64LE(Math.ceil(message.expiresAtMs / 1000));
  writer.u32(message.payloadEnd - message.payloadStart);
  writer.u16(message.publisherPacketId);
  const lengths = writer.length;
  writer.u32(0); // lengths of Client Identifier and user name, below
  writer.u16(topic.bytes.length);
  writer.u16(publisher.listenerPort);
  writer.u8(message.qos);
  writer.u8(message.retain && !topic.name.startsWith('$SYS/') ? 1 : 0);
  const clientId = writer.length;
  writer.text(publisher.clientId);
  const username = writer.length;
  if (publisher.username !== null) writer.text(publisher.username);
  writer.bytes.writeUInt16BE(username - clientId, lengths);
  writer.bytes.writeUInt16BE(writer.length - username, lengths + 2);
  writer.raw(topic.bytes, 0, topic.bytes.length);
  writer.raw(message.payloadSource, message.payloadStart, message.payloadEnd);
  const propertiesLength = storedPropertiesLength(message);
  if (propertiesLength > 0) {
    writer.variableByteInteger(propertiesLength);
    writeStoredProperties(writer, message);
  }
  endChunk(writer, start, table, message.expiresAtMs);
}

/** An empty QoS 2 message for the deliveries that have none left. */
function writePlaceholder(writer: ByteWriter, table: ByteWriter): void {
  const start = beginChunk(writer, ChunkType.message);
  writer.u64LE(placeholderStoreId);
  writer.u64LE(0); // never expires
  writer.u32(0); // payload
  writer.u16(0); // Packet Identifier
  writer.u32(0); // lengths of Client Identifier and user name
  writer.u16(1); // length of the Topic Name
  writer.u16(0); // port
  writer.u8(2); // QoS
  writer.u8(0); // retain
  writer.text('-');
  endChunk(writer, start, table, 0);
}

function writeClient(writer: ByteWriter, session: SessionFact, table: ByteWriter): void {
  const start = beginChunk(writer, ChunkType.client);
  writer.u64LE(Math.ceil(session.expiresAtMs / 1000));
  writer.u32(session.expiryIntervalSeconds);
  writer.u16(session.lastSequence === 0 ? 0 : packetIdOf(session.lastSequence));
  const lengths = writer.length;
  writer.u16(0);
  writer.u16(session.listenerPort);
  writer.u16(0);
  writer.u32(0);
  const clientId = writer.length;
  writer.text(session.clientId);
  const username = writer.length;
  if (session.username !== null) writer.text(session.username);
  writer.bytes.writeUInt16BE(username - clientId, lengths);
  writer.bytes.writeUInt16BE(writer.length - username, lengths + 4);
  endChunk(writer, start, table, session.lastSequence);
}

function writeDeliveryChunk(writer: ByteWriter, delivery: DeliveryFact, table: ByteWriter): void {
  const start = beginChunk(writer, ChunkType.delivery);
  writer.u64LE(delivery.storeId === 0 ? placeholderStoreId : delivery.storeId);
  const isNumbered = delivery.direction === 'out' && delivery.sequence > 0;
  writer.u16(isNumbered ? packetIdOf(delivery.sequence) : delivery.sequence);
  const length = writer.length;
  writer.u16(0);
  writer.u8(delivery.qos);
  // A QoS 0 message can only have been queued.
  writer.u8(delivery.qos === 0 ? DeliveryState.queued : delivery.state);
  writer.u8((delivery.retain ? 0x10 : 0) | (delivery.dup ? 1 : 0));
  writer.u8(delivery.direction === 'out' ? 1 : 0);
  const clientId = writer.length;
  writer.text(delivery.clientId);
  writer.bytes.writeUInt16BE(writer.length - clientId, length);
  const identifier = delivery.subscriptionIds[0];
  if (identifier !== undefined) {
    // Mosquitto takes one at most; all of them are in our own chunk.
    const properties = new ByteWriter(5);
    properties.u8(0x0b);
    properties.variableByteInteger(identifier);
    writer.variableByteInteger(properties.length);
    writer.raw(properties.bytes, 0, properties.length);
  }
  endChunk(writer, start, table, delivery.sequence);
}

function writeSubscriptionChunk(writer: ByteWriter, subscription: SubscriptionFact, table: ByteWriter): void {
  const start = beginChunk(writer, ChunkType.subscription);
  writer.u32(subscription.identifier);
  const lengths = writer.length;
  writer.u32(0);
  writer.u8(subscription.qos);
  writer.u8(subscriptionOptions(subscription) & 0xfc);
  writer.u16(0);
  const clientId = writer.length;
  writer.text(subscription.clientId);
  const filter = writer.length;
  writer.text(subscription.filter);
  writer.bytes.writeUInt16BE(filter - clientId, lengths);
  writer.bytes.writeUInt16BE(writer.length - filter, lengths + 2);
  endChunk(writer, start, table, 0);
}

function writeRetained(writer: ByteWriter, retained: RetainedFact, table: ByteWriter): void {
  const start = beginChunk(writer, ChunkType.retained);
  writer.u64LE(retained.storeId);
  endChunk(writer, start, table, 0);
}

function encodeOwnRecords(facts: CollectedFacts, salt: number): ByteWriter {
  const records = new ByteWriter(1024);
  for (const subscription of facts.sharedSubscriptions) {
    const start = beginRecord(records, RecordType.subscriptionPut);
    writeSubscription(records, subscription);
    endRecord(records, start, salt);
  }
  for (const will of facts.wills) {
    const start = beginRecord(records, RecordType.willPut);
    writeWill(records, will.clientId, will.message, will.delaySeconds, will.dueAtMs);
    endRecord(records, start, salt);
  }
  return records;
}

function writeIdentifiers(records: ByteWriter, row: number, identifiers: readonly number[], salt: number): void {
  const start = beginRecord(records, RecordType.identifiers);
  records.u64(row);
  for (const identifier of identifiers) records.variableByteInteger(identifier);
  endRecord(records, start, salt);
}
