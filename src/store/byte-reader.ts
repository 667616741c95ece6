import { isUtf8 } from 'node:buffer';

/** A file or a record is not what it claims to be; `message` says what and where, without the file's name. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

const empty = Buffer.alloc(0);

/** Reads what {@link ByteWriter} wrote, never past the end. Every method throws FormatError when bytes are missing. */
export class ByteReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** Moves on by `count` bytes and returns where they begin. */
  skip(count: number, what: string): number {
    const start = this.at;
    if (count > this.end - start) throw new FormatError(`${what} is cut off`);
    this.at = start + count;
    return start;
  }

  u8(what: string): number {
    return this.bytes[this.skip(1, what)] as number;
  }

  u16(what: string): number {
    const start = this.skip(2, what);
    return ((this.bytes[start] as number) << 8) | (this.bytes[start + 1] as number);
  }

  u32(what: string): number {
    return uint32(this.bytes, this.skip(4, what));
  }

  /** @throws FormatError - also above 2^53−1 */
  u64(what: string): number {
    const start = this.skip(8, what);
    const value = uint32(this.bytes, start) * 0x1_0000_0000 + uint32(this.bytes, start + 4);
    if (value > Number.MAX_SAFE_INTEGER) throw new FormatError(`${what} is out of range`);
    return value;
  }

  /** A signed time, least significant byte first; beyond ±2^53 it is rounded. */
  i64LE(what: string): number {
    const start = this.skip(8, what);
    return this.bytes.readInt32LE(start + 4) * 0x1_0000_0000 + this.bytes.readUInt32LE(start);
  }

  variableByteInteger(what: string): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8(what);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new FormatError(`${what} is longer than four bytes`);
  }

  /** A copy of the next `count` bytes. */
  copy(count: number, what: string): Buffer {
    const start = this.skip(count, what);
    if (count === 0) return empty;
    const copy = Buffer.allocUnsafe(count);
    this.bytes.copy(copy, 0, start, start + count);
    return copy;
  }

  /** @throws FormatError - also when the bytes are not UTF-8 */
  text(count: number, what: string): string {
    const start = this.skip(count, what);
    const { bytes } = this;
    if (count <= 40) {
      let index = start;
      while (index < start + count && (bytes[index] as number) < 0x80) index++;
      if (index === start + count) return bytes.toString('latin1', start, start + count);
    }
    if (!isUtf8(bytes.subarray(start, start + count))) throw new FormatError(`${what} is not UTF-8`);
    return bytes.toString('utf8', start, start + count);
  }

  text16(what: string): string {
    return this.text(this.u16(what), what);
  }

  /** The same where the text is likely one that was read before: then it is that very string. */
  text16Like(likely: string, what: string): string {
    const count = this.u16(what);
    if (count === likely.length && count <= this.end - this.at) {
      const { bytes, at } = this;
      let index = 0;
      // Only ASCII has as many bytes as characters.
      while (index < count && (bytes[at + index] as number) < 0x80 && bytes[at + index] === likely.charCodeAt(index))
        index++;
      if (index === count) {
        this.at = at + count;
        return likely;
      }
    }
    return this.text(count, what);
  }
}

function uint32(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) * 0x100_0000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  );
}
