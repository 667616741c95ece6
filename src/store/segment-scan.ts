/** Finds the batches of a segment, and the stretches where one should be and cannot be read. */
import { RecordType, recordEnd, recordHeaderSize, recordIsIntact } from './record.ts';
import { segmentDataStart } from './segment-format.ts';

/** A piece of a segment, in the order of the file. */
export interface Stretch {
  /** Number of the batch, 0 when its first record cannot be read. */
  readonly number: number;
  /** The records of a batch: `[start, end)` in the file. */
  readonly start: number;
  readonly end: number;
  /** Every record of the batch is there and intact. */
  readonly isWhole: boolean;
}

export interface ScannedSegment {
  readonly stretches: readonly Stretch[];
  /** Last batch known to have been on disk, 0 = none. */
  readonly syncedBatch: number;
}

/** Looks through the whole segment; damaged records do not stop it. */
export function scanSegment(bytes: Buffer, salt: number): ScannedSegment {
  const stretches: Stretch[] = [];
  const limit = bytes.length;
  const zerosFrom = startOfZeros(bytes);
  let syncedBatch = 0;
  let at = segmentDataStart;
  /** Where the unreadable stretch began that we are in, −1 when in none. */
  let lostFrom = -1;
  const endLost = (end: number): void => {
    if (lostFrom >= 0) stretches.push({ number: 0, start: lostFrom, end, isWhole: false });
    lostFrom = -1;
  };
  // A record may end in zeros, but none begins with them.
  while (at < zerosFrom) {
    const end = recordEnd(bytes, at, limit, salt);
    const type = end > 0 && recordIsIntact(bytes, at, end, salt) ? (bytes[at + 4] as number) : 0;
    if (type === RecordType.synced) {
      endLost(at);
      syncedBatch = Math.max(syncedBatch, readNumber(bytes, at + recordHeaderSize));
      at = end;
    } else if (type === RecordType.batch) {
      endLost(at);
      const number = readNumber(bytes, at + recordHeaderSize);
      syncedBatch = Math.max(syncedBatch, readNumber(bytes, at + recordHeaderSize + 8));
      const batchEnd = end + bytes.readUInt32BE(at + recordHeaderSize + 16);
      const count = bytes.readUInt32BE(at + recordHeaderSize + 20);
      const isWhole = batchEnd <= limit && countIntact(bytes, end, batchEnd, salt) === count;
      at = Math.min(batchEnd, limit);
      stretches.push({ number, start: end, end: at, isWhole });
    } else {
      if (lostFrom < 0) lostFrom = at;
      at = end > 0 ? end : nextFrame(bytes, at + 1, zerosFrom, limit, salt);
    }
  }
  endLost(Math.max(at, zerosFrom));
  return { stretches, syncedBatch };
}

/** The next place before `end` at which a record seems to begin that lies within `limit`; `end` when there is none. */
export function nextFrame(bytes: Buffer, start: number, end: number, limit: number, salt: number): number {
  let at = start;
  while (at < end && recordEnd(bytes, at, limit, salt) === 0) at++;
  return at;
}

/** Where the zeros at the end begin. */
function startOfZeros(bytes: Buffer): number {
  let length = bytes.length;
  // The last byte tells 0 from −0.
  while (length >= 8 && bytes.readDoubleLE(length - 8) === 0 && bytes[length - 1] === 0) length -= 8;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return length;
}

function countIntact(bytes: Buffer, start: number, end: number, salt: number): number {
  let count = 0;
  for (let at = start; at < end; count++) {
    const next = recordEnd(bytes, at, end, salt);
    if (next === 0 || !recordIsIntact(bytes, at, next, salt)) return -1;
    at = next;
  }
  return count;
}

function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}
