/**
 * A segment of the journal: one file of a row of numbered files.
 *
 * ```
 *    0  header   8 'moustiqj' · u32 version · u64 lineage · u64 number of the segment · u64 number of its first batch ·
 *                u32 salt of its records · u32 CRC-32C of the 40 bytes before; the rest of the sector is 0
 *  512  the header once more
 * 1024  records  batches, one after the other, and marks of what is known to be safe; then zeros
 * ```
 *
 * A batch is what was told between two writes: a record `batch` (u64 number · u64 last batch known to be on disk · u32 bytes of
 * its records · u32 how many) and its records. It counts as a whole or not at all, so an operation that tells several facts is
 * never half done. A record `synced` (u64 last batch known to be on disk) may stand between two batches.
 */
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc32c } from './crc32c.ts';
import { RecordType, recordHeaderSize, sealRecord } from './record.ts';

export const segmentVersion = 1;
export const segmentDataStart = 1024;
/** The record `batch` with its frame. */
export const batchHeadSize = recordHeaderSize + 24;
const sectorSize = 512;
const headerSize = 44;
export const segmentMagic = Buffer.from('moustiqj', 'latin1');
const namePattern = /^(\d{10})\.log$/;

export interface SegmentHeader {
  readonly lineage: number;
  /** From 1, never given twice in a lineage. */
  readonly number: number;
  readonly firstBatch: number;
  readonly salt: number;
}

/** The file name of a segment; names sort like numbers. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.log`;
}

/** The number in a segment's file name, 0 for other names. */
export function segmentNumber(name: string): number {
  const match = namePattern.exec(name);
  return match === null ? 0 : Number(match[1]);
}

/** Both copies of the header. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const writer = new ByteWriter(segmentDataStart);
  writer.raw(segmentMagic, 0, segmentMagic.length);
  writer.u32(segmentVersion);
  writer.u64(header.lineage);
  writer.u64(header.number);
  writer.u64(header.firstBatch);
  writer.u32(header.salt);
  writer.u32(crc32c(writer.bytes, 0, writer.length));
  const bytes = Buffer.alloc(segmentDataStart);
  writer.bytes.copy(bytes, 0, 0, headerSize);
  writer.bytes.copy(bytes, sectorSize, 0, headerSize);
  return bytes;
}

/** What a segment says about itself: `newer` when another version wrote it, `damaged` when one copy was unreadable. */
export interface ReadHeader {
  readonly header: SegmentHeader | null;
  readonly newerVersion: number;
  readonly isDamaged: boolean;
}

/** Reads a segment's header; null when neither copy can be read, as in a segment that was only prepared. */
export function readSegmentHeader(bytes: Buffer): ReadHeader {
  const copies = [readCopy(bytes, 0), readCopy(bytes, sectorSize)];
  const [first = null, second = null] = copies;
  const newerVersion = Math.max(first?.version ?? 0, second?.version ?? 0);
  return {
    header: first?.header ?? second?.header ?? null,
    newerVersion: newerVersion > segmentVersion ? newerVersion : 0,
    isDamaged: (first === null) !== (second === null),
  };
}

function readCopy(bytes: Buffer, start: number): { version: number; header: SegmentHeader } | null {
  if (bytes.length < start + headerSize) return null;
  if (crc32c(bytes, start, start + headerSize - 4) !== bytes.readUInt32BE(start + headerSize - 4)) return null;
  if (!bytes.subarray(start, start + segmentMagic.length).equals(segmentMagic)) return null;
  const reader = new ByteReader(bytes, start + segmentMagic.length, start + headerSize);
  const version = reader.u32('version');
  const lineage = reader.u64('lineage');
  const number = reader.u64('number');
  const firstBatch = reader.u64('first batch');
  return { version, header: { lineage, number, firstBatch, salt: reader.u32('salt') } };
}

/** Leaves room for the record that a batch begins with; the records follow. */
export function beginBatch(writer: ByteWriter): void {
  writer.reserve(batchHeadSize);
  writer.length = batchHeadSize;
}

/** A buffer with that room; it grows. */
export function newBatch(): ByteWriter {
  const writer = new ByteWriter(1 << 16);
  beginBatch(writer);
  return writer;
}

/** Fills the first record of a batch that has all its records. */
export function sealBatch(writer: ByteWriter, number: number, syncedBatch: number, count: number, salt: number): void {
  const { bytes, length } = writer;
  bytes[4] = RecordType.batch;
  bytes[5] = 0;
  writeU64(bytes, recordHeaderSize, number);
  writeU64(bytes, recordHeaderSize + 8, syncedBatch);
  bytes.writeUInt32BE(length - batchHeadSize, recordHeaderSize + 16);
  bytes.writeUInt32BE(count, recordHeaderSize + 20);
  sealRecord(bytes, 0, batchHeadSize, salt);
}

/** The record that says what is on disk. */
export function encodeSyncedMark(syncedBatch: number, salt: number): Buffer {
  const bytes = Buffer.alloc(recordHeaderSize + 8);
  bytes[4] = RecordType.synced;
  writeU64(bytes, recordHeaderSize, syncedBatch);
  sealRecord(bytes, 0, bytes.length, salt);
  return bytes;
}

function writeU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}
