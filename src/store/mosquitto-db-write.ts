/**
 * Writes facts as a `mosquitto.db` of version 6, which Mosquitto 2.0 and later load, with one chunk of our own at the end.
 *
 * The bytes are made a block at a time, so that a large state neither needs its whole file in memory nor holds up the loop.
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

/** Blocks are about this long: a millisecond's work. */
export const usualBlockBytes = 1 << 17;
/** A whole number of rows. */
const tableBlockSize = 1 << 16;

/**
 * The bytes of the file, in blocks; a block is valid until the next one is asked for.
 *
 * The facts are asked for as the blocks are: while one is on its way to the disk the state may change. What such a file holds
 * is then of no one moment, and the journal from the file's `firstBatch` on makes it whole.
 *
 * @param facts - messages before what refers to them, sessions before what belongs to them
 * @param mark - `lastStoreId` as of now
 * @param salt - drawn for this file, 32 bits
 */
export function* encodeDatabase(
  facts: Iterable<Fact>,
  mark: SnapshotMark,
  salt: number,
  blockBytes = usualBlockBytes,
): Generator<Buffer> {
  const writer = new ByteWriter(blockBytes * 2);
  const table = new Table();
  const records = new ByteWriter(1024);
  let offset = 0;
  let hasPlaceholder = false;
  let { lastStoreId } = mark;
  const headerChecksum = writeHeader(writer);
  writeConfig(writer, mark, table);
  for (const fact of facts) {
    switch (fact.kind) {
      case 'message':
        lastStoreId = Math.max(lastStoreId, fact.message.storeId);
        writeMessageChunk(writer, fact.message, table);
        break;
      case 'session':
        writeClient(writer, fact, table);
        break;
      case 'delivery':
        if (fact.storeId === 0 && !hasPlaceholder) {
          writePlaceholder(writer, table);
          hasPlaceholder = true;
        }
        if (fact.subscriptionIds.length > 1) writeIdentifiers(records, table.rows, fact.subscriptionIds, salt);
        writeDeliveryChunk(writer, fact, table);
        break;
      case 'subscription':
        if (fact.filter.startsWith('$share/')) writeSharedSubscription(records, fact, salt);
        else writeSubscriptionChunk(writer, fact, table);
        break;
      case 'retained':
        writeRetained(writer, fact, table);
        break;
      case 'will':
        writeWillRecord(records, fact, salt);
        break;
    }
    if (writer.length < blockBytes) continue;
    yield writer.bytes.subarray(0, writer.length);
    offset += writer.length;
    writer.length = 0;
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
  yield* table.blocks();

  writer.length = 0;
  writer.raw(trailerMagic, 0, trailerMagic.length);
  writer.u32(ownVersion);
  writer.u32(headerChecksum);
  writer.u64(ownOffset);
  writer.u32(records.length);
  writer.u32(table.rows);
  writer.u64(mark.lineage);
  writer.u64(mark.firstBatch);
  writer.u64(lastStoreId);
  writer.u32(mark.isClean ? 1 : 0);
  writer.u32(salt);
  writer.u32(0);
  writer.u32(crc32c(writer.bytes, 0, writer.length));
  yield writer.bytes.subarray(0, writer.length);
}

/** The table of checksums, in blocks, so that it never has to be copied as a whole. */
class Table {
  readonly #full: Buffer[] = [];
  #block = new ByteWriter(tableBlockSize);
  rows = 0;

  get length(): number {
    return this.rows * tableRowSize;
  }

  /** @param exact - what the chunk has no room for, 0..2^48−1 */
  add(length: number, checksum: number, exact: number): void {
    if (this.#block.length === tableBlockSize) {
      this.#full.push(this.#block.bytes);
      this.#block = new ByteWriter(tableBlockSize);
    }
    const block = this.#block;
    const row = block.length;
    block.u32(length);
    block.u32(checksum);
    block.u16(Math.floor(exact / 0x1_0000_0000));
    block.u32(exact >>> 0);
    block.u16(0);
    block.bytes.writeUInt16BE(rowCheck(block.bytes, row), row + 14);
    this.rows++;
  }

  *blocks(): Generator<Buffer> {
    yield* this.#full;
    yield this.#block.bytes.subarray(0, this.#block.length);
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
function endChunk(writer: ByteWriter, start: number, table: Table, exact: number): void {
  const length = writer.length - start;
  writer.bytes.writeUInt32BE(length - 8, start + 4);
  table.add(length, crc32c(writer.bytes, start, writer.length), exact);
}

function writeConfig(writer: ByteWriter, mark: SnapshotMark, table: Table): void {
  const start = beginChunk(writer, ChunkType.config);
  writer.u64LE(mark.lastStoreId);
  writer.u8(mark.isClean ? 1 : 0);
  writer.u8(8); // bytes of a store id
  writer.u32(0);
  writer.u16(0);
  endChunk(writer, start, table, 0);
}

function writeMessageChunk(writer: ByteWriter, message: Message, table: Table): void {
  const { publisher, topic } = message;
  const start = beginChunk(writer, ChunkType.message);
  writer.u64LE(message.storeId);
  // Mosquitto counts in seconds; a message must not end before its time.
  writer.u64LE(Math.ceil(message.expiresAtMs / 1000));
  writer.u32(message.payloadEnd - message.payloadStart);
  writer.u16(message.publisherPacketId);
  const lengths = writer.length;
  writer.u32(0); // lengths of Client Identifier and user name, below
  writer.u16(topic.length);
  writer.u16(publisher.listenerPort);
  writer.u8(message.qos);
  writer.u8(message.retain && !topic.name.startsWith('$SYS/') ? 1 : 0);
  const clientId = writer.length;
  writer.text(publisher.clientId);
  const username = writer.length;
  if (publisher.username !== null) writer.text(publisher.username);
  writer.bytes.writeUInt16BE(username - clientId, lengths);
  writer.bytes.writeUInt16BE(writer.length - username, lengths + 2);
  writer.raw(topic.source, topic.start, topic.start + topic.length);
  writer.raw(message.payloadSource, message.payloadStart, message.payloadEnd);
  const propertiesLength = storedPropertiesLength(message);
  if (propertiesLength > 0) {
    writer.variableByteInteger(propertiesLength);
    writeStoredProperties(writer, message);
  }
  endChunk(writer, start, table, message.expiresAtMs);
}

/** An empty QoS 2 message for the deliveries that have none left. */
function writePlaceholder(writer: ByteWriter, table: Table): void {
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

function writeClient(writer: ByteWriter, session: SessionFact, table: Table): void {
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

function writeDeliveryChunk(writer: ByteWriter, delivery: DeliveryFact, table: Table): void {
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

function writeSubscriptionChunk(writer: ByteWriter, subscription: SubscriptionFact, table: Table): void {
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

function writeRetained(writer: ByteWriter, retained: RetainedFact, table: Table): void {
  const start = beginChunk(writer, ChunkType.retained);
  writer.u64LE(retained.storeId);
  endChunk(writer, start, table, 0);
}

function writeSharedSubscription(records: ByteWriter, subscription: SubscriptionFact, salt: number): void {
  const start = beginRecord(records, RecordType.subscriptionPut);
  writeSubscription(records, subscription);
  endRecord(records, start, salt);
}

function writeWillRecord(records: ByteWriter, will: WillFact, salt: number): void {
  const start = beginRecord(records, RecordType.willPut);
  writeWill(records, will.clientId, will.message, will.delaySeconds, will.dueAtMs);
  endRecord(records, start, salt);
}

function writeIdentifiers(records: ByteWriter, row: number, identifiers: readonly number[], salt: number): void {
  const start = beginRecord(records, RecordType.identifiers);
  records.u64(row);
  for (const identifier of identifiers) records.variableByteInteger(identifier);
  endRecord(records, start, salt);
}
