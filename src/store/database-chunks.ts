/** Walks the chunks of a database file, by its own checksummed table where it has one and by chunk headers otherwise. */
import { ByteReader, FormatError } from './byte-reader.ts';
import { crc32c } from './crc32c.ts';
import type { SnapshotMark } from './database-format.ts';
import {
  databaseHeaderSize,
  databaseMagic,
  databaseVersion,
  ownChunkType,
  ownHeadSize,
  ownVersion,
  rowCheck,
  tableRowSize,
  trailerMagic,
  trailerSize,
} from './database-format.ts';
import type { ReadableFile } from './disk.ts';

/** A chunk's body is `bytes[start..end)`; valid until the next one is asked for. */
export interface Chunk {
  readonly type: number;
  /** Where its header begins in the file. */
  readonly offset: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** How many chunks come before it. */
  readonly row: number;
  /** Sequence number or milliseconds that the body has no room for, −1 when unknown. */
  readonly exact: number;
}

/** Told of a stretch of the file that could not be used. */
export type ReportDamage = (offset: number, length: number, what: string) => void;

interface Trailer extends SnapshotMark {
  readonly headerChecksum: number;
  readonly ownOffset: number;
  readonly recordsLength: number;
  readonly salt: number;
}

/** What our own chunk holds. */
export interface OwnPart {
  /** Records: `bytes[start..end)`, beginning at `offset` in the file. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly salt: number;
  readonly table: Buffer;
}

const windowSize = 1 << 20;
const newer = (version: number): FormatError =>
  new FormatError(`Written by a newer version of Moustique (snapshot format ${version}, need ${ownVersion}).`);

export class DatabaseChunks {
  readonly #file: ReadableFile;
  readonly #report: ReportDamage;
  readonly #trailer: Trailer | null;
  readonly #window: Buffer;
  #windowStart = 0;
  #windowEnd = 0;
  /** The buffer that {@link #load} filled last. */
  #bytes: Buffer = Buffer.alloc(0);

  /** Format version, 2..6. */
  readonly version: number;
  /** Whether the file has our chunk at its end. */
  readonly isOwn: boolean;
  readonly #ownOffset: number;

  /**
   * @throws FormatError - with Mosquitto's words: not such a file, or a newer version
   */
  constructor(file: ReadableFile, report: ReportDamage) {
    this.#file = file;
    this.#report = report;
    this.#window = Buffer.allocUnsafeSlow(Math.min(windowSize, Math.max(file.size, trailerSize)));
    this.#trailer = this.#readTrailer();
    this.version = this.#readVersion();
    this.#ownOffset = this.#trailer?.ownOffset ?? this.#findOwn();
    this.isOwn = this.#ownOffset > 0;
    if (this.isOwn && this.#trailer === null) {
      report(file.size - trailerSize, trailerSize, 'the trailer is damaged');
    }
  }

  /** What the file says about its journal; null for a file that Mosquitto wrote, or when it cannot be read. */
  get mark(): SnapshotMark | null {
    return this.#trailer;
  }

  /** Our own chunk, null when there is none or nothing of it can be used. */
  own(): OwnPart | null {
    if (!this.isOwn) return null;
    const headOffset = this.#ownOffset + 8;
    const end = this.#file.size - trailerSize;
    const at = this.#load(headOffset, end - headOffset);
    if (at < 0 || end - headOffset < ownHeadSize) return null;
    const bytes = this.#bytes;
    let salt = bytes.readUInt32BE(at + 4);
    let recordsLength = bytes.readUInt32BE(at + 8);
    if (crc32c(bytes, at, at + 12) !== bytes.readUInt32BE(at + 12)) {
      this.#report(headOffset, ownHeadSize, 'the head of the last chunk is damaged');
      if (this.#trailer === null) return null;
      ({ salt, recordsLength } = this.#trailer);
    } else if (bytes.readUInt32BE(at) > ownVersion) {
      throw newer(bytes.readUInt32BE(at));
    }
    const start = at + ownHeadSize;
    const tableStart = start + recordsLength;
    const tableEnd = at + end - headOffset;
    if (tableStart > tableEnd) return null;
    const table = Buffer.from(bytes.subarray(tableStart, tableEnd));
    return { bytes, start, end: tableStart, offset: headOffset + ownHeadSize, salt, table };
  }

  /**
   * Every chunk but our own.
   *
   * @param table - rows of the own chunk's table, null when there is none
   */
  *chunks(table: Buffer | null): Generator<Chunk> {
    if (table === null) {
      yield* this.#walk();
      return;
    }
    let offset = databaseHeaderSize;
    for (let row = 0; row < table.length; row += tableRowSize) {
      const isRow = rowCheck(table, row) === table.readUInt16BE(row + 14);
      let length = table.readUInt32BE(row);
      if (!isRow) {
        // The chunk says itself how long it is.
        const header = this.#load(offset, 8);
        length = header < 0 ? 0 : this.#bytes.readUInt32BE(header + 4) + 8;
        this.#report(this.#file.size - trailerSize - table.length + row, tableRowSize, 'a row of checksums is damaged');
      }
      const start = this.#load(offset, length);
      const bytes = this.#bytes;
      if (start < 0 || length < 8) {
        this.#report(offset, length, 'a chunk is cut off');
        return;
      }
      if (isRow && crc32c(bytes, start, start + length) !== table.readUInt32BE(row + 4)) {
        this.#report(offset, length, 'the checksum of a chunk does not match');
      } else {
        const exact = isRow ? table.readUInt16BE(row + 8) * 0x1_0000_0000 + table.readUInt32BE(row + 10) : -1;
        const type = bytes.readUInt32BE(start);
        yield { type, offset, row: row / tableRowSize, bytes, start: start + 8, end: start + length, exact };
      }
      offset += length;
    }
  }

  #readTrailer(): Trailer | null {
    const { size } = this.#file;
    if (size < databaseHeaderSize + 8 + ownHeadSize + trailerSize) return null;
    const start = this.#load(size - trailerSize, trailerSize);
    if (start < 0) return null;
    const bytes = this.#bytes;
    const checked = trailerSize - 4;
    if (crc32c(bytes, start, start + checked) !== bytes.readUInt32BE(start + checked)) return null;
    const reader = new ByteReader(bytes, start, start + checked);
    if (!bytes.subarray(start, reader.skip(8, 'trailer') + 8).equals(trailerMagic)) return null;
    const version = reader.u32('version');
    if (version > ownVersion) throw newer(version);
    const headerChecksum = reader.u32('trailer');
    const ownOffset = reader.u64('trailer');
    const recordsLength = reader.u32('trailer');
    reader.skip(4, 'trailer');
    return {
      headerChecksum,
      ownOffset,
      recordsLength,
      lineage: reader.u64('trailer'),
      firstBatch: reader.u64('trailer'),
      lastStoreId: reader.u64('trailer'),
      isClean: reader.u32('trailer') === 1,
      salt: reader.u32('trailer'),
    };
  }

  #readVersion(): number {
    const start = this.#load(0, databaseHeaderSize);
    const bytes = this.#bytes;
    if (this.#trailer !== null) {
      if (start < 0 || crc32c(bytes, start, start + databaseHeaderSize) !== this.#trailer.headerChecksum) {
        this.#report(0, databaseHeaderSize, 'the header is damaged');
      }
      return databaseVersion;
    }
    if (start < 0 || !bytes.subarray(start, start + databaseMagic.length).equals(databaseMagic)) {
      throw new FormatError('Unrecognised file format.');
    }
    const version = bytes.readUInt32BE(start + databaseHeaderSize - 4);
    if (version < 2 || version > databaseVersion) {
      throw new FormatError(
        `Unsupported persistent database format version ${version} (need version ${databaseVersion}).`,
      );
    }
    return version;
  }

  /** Where our chunk begins in a file whose trailer cannot be read; 0 when there is none. */
  #findOwn(): number {
    if (this.version < 6) return 0;
    for (const { type, offset, end, start } of this.#headers(false)) {
      if (type === ownChunkType && offset + 8 + end - start === this.#file.size) return offset;
    }
    return 0;
  }

  *#walk(): Generator<Chunk> {
    let row = 0;
    for (const { type, offset, start: bodyOffset, end: bodyEnd } of this.#headers(true)) {
      if (type === ownChunkType) continue;
      const start = this.#load(bodyOffset, bodyEnd - bodyOffset);
      yield { type, offset, row: row++, bytes: this.#bytes, start, end: start + bodyEnd - bodyOffset, exact: -1 };
    }
  }

  /** Chunk headers; `start` and `end` are offsets in the file. */
  *#headers(isReporting: boolean): Generator<{ type: number; offset: number; start: number; end: number }> {
    const { size } = this.#file;
    // Versions 2 to 4 have a type of two bytes.
    const headerSize = this.version >= 5 ? 8 : 6;
    let offset = databaseHeaderSize;
    while (offset < size) {
      const at = this.#load(offset, headerSize);
      if (at < 0) {
        if (isReporting) this.#report(offset, size - offset, 'a chunk is cut off');
        return;
      }
      const type = headerSize === 8 ? this.#bytes.readUInt32BE(at) : this.#bytes.readUInt16BE(at);
      const start = offset + headerSize;
      const end = start + this.#bytes.readUInt32BE(at + headerSize - 4);
      if (end > size) {
        const what = `a chunk of type ${type} claims ${end - start} bytes and is cut off`;
        if (isReporting) this.#report(offset, size - offset, what);
        return;
      }
      yield { type, offset, start, end };
      offset = end;
    }
  }

  /** Makes `length` bytes from `offset` on readable in `#bytes` and returns where; −1 when the file is too short. */
  #load(offset: number, length: number): number {
    const file = this.#file;
    if (offset < 0 || length < 0 || offset + length > file.size) return -1;
    if (length > this.#window.length) {
      this.#bytes = Buffer.allocUnsafeSlow(length);
      return file.read(this.#bytes, 0, length, offset) === length ? 0 : -1;
    }
    if (offset < this.#windowStart || offset + length > this.#windowEnd) {
      this.#windowStart = offset;
      this.#windowEnd = offset + file.read(this.#window, 0, this.#window.length, offset);
      if (offset + length > this.#windowEnd) return -1;
    }
    this.#bytes = this.#window;
    return offset - this.#windowStart;
  }
}
