/**
 * The frame around every record of the journal and of the own part of a snapshot.
 *
 * ```
 * u32 length of the body · u8 type · u8 0 · u16 check of these six bytes · u32 CRC-32C of the six bytes and the body · body
 * ```
 *
 * Both checks are seeded with a salt drawn for the file. Nobody who publishes can know it, so a payload that imitates records
 * is never taken for some when a damaged stretch is searched for the next intact record, and neither is what an earlier use
 * of the same file has left behind.
 */
import type { ByteWriter } from './byte-writer.ts';
import { crc32c } from './crc32c.ts';

export const recordHeaderSize = 12;

/** Types of records; a number is never given a second meaning. */
export const RecordType = {
  batch: 1,
  synced: 2,
  message: 3,
  sessionPut: 4,
  sessionRemoved: 5,
  subscriptionPut: 6,
  subscriptionRemoved: 7,
  deliveryPut: 8,
  deliveryReleased: 9,
  deliveryRemoved: 10,
  receivedPut: 11,
  receivedRemoved: 12,
  retainedPut: 13,
  retainedRemoved: 14,
  willPut: 15,
  willRemoved: 16,
  /** Only in a snapshot. */
  identifiers: 17,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];
const highestType = 17;

/** Leaves room for the frame and returns where the record starts; its body is written next. */
export function beginRecord(writer: ByteWriter, type: RecordType): number {
  const start = writer.length;
  writer.reserve(recordHeaderSize);
  writer.bytes[start + 4] = type;
  writer.bytes[start + 5] = 0;
  writer.length = start + recordHeaderSize;
  return start;
}

/** Fills the frame of the record that starts at `start` and ends where the writer is. */
export function endRecord(writer: ByteWriter, start: number, salt: number): void {
  sealRecord(writer.bytes, start, writer.length, salt);
}

/** Fills the frame of the record `bytes[start..end)`, whose type and body are there. */
export function sealRecord(bytes: Buffer, start: number, end: number, salt: number): void {
  const size = end - start - recordHeaderSize;
  bytes[start] = size >>> 24;
  bytes[start + 1] = size >>> 16;
  bytes[start + 2] = size >>> 8;
  bytes[start + 3] = size;
  const head = crc32c(bytes, start, start + 6, salt);
  const check = head ^ (head >>> 16);
  bytes[start + 6] = check >>> 8;
  bytes[start + 7] = check;
  const whole = crc32c(bytes, start + recordHeaderSize, end, head);
  bytes[start + 8] = whole >>> 24;
  bytes[start + 9] = whole >>> 16;
  bytes[start + 10] = whole >>> 8;
  bytes[start + 11] = whole;
}

/** Where the record at `start` ends, judged by its frame alone; 0 when there is no frame or it reaches beyond `limit`. */
export function recordEnd(bytes: Buffer, start: number, limit: number, salt: number): number {
  const bodyStart = start + recordHeaderSize;
  if (bodyStart > limit) return 0;
  const type = bytes[start + 4] as number;
  if (type === 0 || type > highestType || bytes[start + 5] !== 0) return 0;
  const end = bodyStart + bytes.readUInt32BE(start);
  if (end > limit) return 0;
  const head = crc32c(bytes, start, start + 6, salt);
  if (((head ^ (head >>> 16)) & 0xffff) !== bytes.readUInt16BE(start + 6)) return 0;
  return end;
}

/** Whether the checksum of the record `bytes[start..end)` matches. */
export function recordIsIntact(bytes: Buffer, start: number, end: number, salt: number): boolean {
  const head = crc32c(bytes, start, start + 6, salt);
  return crc32c(bytes, start + recordHeaderSize, end, head) === bytes.readUInt32BE(start + 8);
}
