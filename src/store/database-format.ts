/**
 * The shape of a `mosquitto.db`, versions 2 to 6, and of the one chunk of our own at its end.
 *
 * A file is a header of 23 bytes and a row of chunks. Mosquitto writes its own structures as they lie in memory, so some
 * fields are big endian and some have the byte order of the writing machine; ours is little endian, like nearly all of them.
 *
 * What Mosquitto's chunks cannot hold (shared subscriptions, wills, more than one Subscription Identifier of a delivery) and what makes damage visible (a checksum per chunk) go
 * into one chunk of a type that Mosquitto does not know: it says so in one line and goes on. Layout of that chunk's body:
 *
 * ```
 * head     u32 version · u32 salt · u32 length of the records · u32 CRC-32C of these twelve bytes
 * records  framed as in the journal (record.ts), seeded with the salt: subscriptionPut, willPut, and identifiers, which is
 *           u64 row of the delivery's chunk in the table · Subscription Identifiers as Variable Byte Integers
 * table    a row of 16 bytes per chunk before this one:
 *           0 u32 length with its header · 4 u32 CRC-32C of it · 8 u48 exact value · 14 u16 check of the row
 *          the exact value is a sequence number for deliveries and clients and milliseconds for messages
 * trailer  72 bytes, the last of the file:
 *           0 'moustiqu' · 8 u32 version · 12 u32 CRC-32C of the file's header · 16 u64 offset of this chunk ·
 *          24 u32 length of the records · 28 u32 rows of the table · 32 u64 lineage ·
 *          40 u64 first batch of the journal that is not in this file · 48 u64 highest store id ·
 *          56 u32 1 after a clean stop · 60 u32 salt · 64 u32 0 · 68 u32 CRC-32C of the 68 bytes before
 * ```
 */
import { crc32c } from './crc32c.ts';

export const databaseMagic = Buffer.from('\x00\xb5\x00mosquitto db', 'latin1');
/** Magic, a checksum that is always 0, version. */
export const databaseHeaderSize = 23;
export const databaseVersion = 6;

export const ChunkType = { config: 1, message: 2, delivery: 3, retained: 4, subscription: 5, client: 6 } as const;
/** 'MQTS'; Mosquitto skips it. */
export const ownChunkType = 0x4d51_5453;
export const ownVersion = 1;
export const ownHeadSize = 16;
export const trailerMagic = Buffer.from('moustiqu', 'latin1');
export const trailerSize = 72;
export const tableRowSize = 16;

/**
 * Store id of the empty message that stands in for one whose PUBREC has come: Mosquitto wants every delivery to name a
 * message, the exchange itself only needs its Packet Identifier.
 */
export const placeholderStoreId = Number.MAX_SAFE_INTEGER;

/** What a snapshot says about itself and the journal beside it. */
export interface SnapshotMark {
  /** Number drawn when the store was first made; the journal of another lineage does not belong to the snapshot. */
  readonly lineage: number;
  /** First batch of the journal that is not in the snapshot. */
  readonly firstBatch: number;
  /** No message has a higher store id. */
  readonly lastStoreId: number;
  /** Written when the broker stopped in order: nothing was sent after it. */
  readonly isClean: boolean;
}

/** The check of a row of the table: over its first 14 bytes. */
export function rowCheck(table: Buffer, start: number): number {
  const crc = crc32c(table, start, start + 14);
  return (crc ^ (crc >>> 16)) & 0xffff;
}
