/**
 * Bytes appended to a buffer that grows.
 *
 * Growth doubles the buffer; `bytes` changes then, so it is read again after every append. Numbers are big endian unless the
 * name ends in `LE`.
 */
export class ByteWriter {
  bytes: Buffer;
  /** Bytes written so far. */
  length = 0;

  /** @param capacity - first size of the buffer in bytes */
  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes sure that `count` more bytes fit. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length = length + 4;
  }

  /** A whole number 0..2^53−1 in eight bytes. */
  u64(value: number): void {
    this.u32(Math.floor(value / 0x1_0000_0000));
    this.u32(value >>> 0);
  }

  /** The same, least significant byte first. */
  u64LE(value: number): void {
    this.reserve(8);
    this.bytes.writeUInt32LE(value >>> 0, this.length);
    this.bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), this.length + 4);
    this.length += 8;
  }

  /** An MQTT Variable Byte Integer, 0..268,435,455. */
  variableByteInteger(value: number): void {
    let rest = value;
    do {
      const low = rest & 0x7f;
      rest >>>= 7;
      this.u8(rest > 0 ? low | 0x80 : low);
    } while (rest > 0);
  }

  /** `source[start..end)` as it is. */
  raw(source: Buffer, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    const { bytes, length } = this;
    if (count <= 32) {
      for (let index = 0; index < count; index++) bytes[length + index] = source[start + index] as number;
    } else {
      source.copy(bytes, length, start, end);
    }
    this.length = length + count;
  }

  /** The UTF-8 bytes of a text, without their length. */
  text(text: string): void {
    const { length } = text;
    // Every UTF-16 code unit needs at most three bytes.
    this.reserve(length * 3);
    const { bytes } = this;
    const start = this.length;
    if (length <= 40) {
      let index = 0;
      for (; index < length; index++) {
        const unit = text.charCodeAt(index);
        if (unit > 0x7f) break;
        bytes[start + index] = unit;
      }
      if (index === length) {
        this.length = start + length;
        return;
      }
    }
    this.length = start + bytes.write(text, start, 'utf8');
  }

  /** The same after its length in two bytes; 0..65,535 bytes. */
  text16(text: string): void {
    this.u16(0);
    const start = this.length;
    this.text(text);
    const size = this.length - start;
    this.bytes[start - 2] = size >>> 8;
    this.bytes[start - 1] = size;
  }
}
