/** Reading and writing the data types of MQTT (5.0 §1.5) on `Uint8Array`. */

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Largest Remaining Length. */
export const remainingLengthMax = 268_435_455;

export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  byte(value: number): this {
    this.#room(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  uint16(value: number): this {
    return this.byte(value >> 8).byte(value & 0xff);
  }

  uint32(value: number): this {
    return this.uint16(Math.floor(value / 65_536)).uint16(value % 65_536);
  }

  /** Variable Byte Integer. */
  varint(value: number): this {
    let rest = value;
    do {
      const digit = rest % 128;
      rest = Math.floor(rest / 128);
      this.byte(rest > 0 ? digit | 0x80 : digit);
    } while (rest > 0);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** Two bytes of length, then the bytes. @throws RangeError - more than 65,535 bytes */
  binary(value: Uint8Array): this {
    if (value.length > 65_535) throw new RangeError('more than 65,535 bytes');
    return this.uint16(value.length).bytes(value);
  }

  text(value: string): this {
    return this.binary(utf8.encode(value));
  }

  content(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** The content as a Control Packet: first byte and Remaining Length before it. */
  packet(firstByte: number): Uint8Array<ArrayBuffer> {
    const head = new Writer().byte(firstByte).varint(this.#length).content();
    const whole = new Uint8Array(head.length + this.#length);
    whole.set(head);
    whole.set(this.#bytes.subarray(0, this.#length), head.length);
    return whole;
  }
}

export class Reader {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.offset;
  }

  #take(count: number): Uint8Array {
    if (count > this.left) throw new RangeError('the packet ends too early');
    this.offset += count;
    return this.#bytes.subarray(this.offset - count, this.offset);
  }

  byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  uint16(): number {
    return this.byte() * 256 + this.byte();
  }

  uint32(): number {
    return this.uint16() * 65_536 + this.uint16();
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2_097_152; factor *= 128) {
      const digit = this.byte();
      value += (digit & 0x7f) * factor;
      if (digit < 0x80) return value;
    }
    throw new RangeError('a Variable Byte Integer of more than four bytes');
  }

  skip(count: number): void {
    this.#take(count);
  }

  binary(): Uint8Array {
    return this.#take(this.uint16());
  }

  text(): string {
    return text.decode(this.binary());
  }

  rest(): Uint8Array {
    return this.#take(this.left);
  }
}
