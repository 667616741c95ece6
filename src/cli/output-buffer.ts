/**
 * Bytes on their way to standard output: gathered while a chunk from the broker is worked off, written once per turn.
 *
 * Text is appended either as UTF-8 or as latin1, where each character stands for one byte.
 */
export class OutputBuffer {
  #bytes: Buffer;
  #length = 0;

  /** @param capacity - bytes at the start; it doubles when needed and is given up again when emptied */
  constructor(capacity = 65_536) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Appends `source[start..end)`. */
  bytes(source: Buffer, start = 0, end = source.length): void {
    const count = end - start;
    this.#reserve(count);
    if (count <= 24) {
      let at = this.#length;
      for (let index = start; index < end; index++) this.#bytes[at++] = source[index] as number;
    } else {
      source.copy(this.#bytes, this.#length, start, end);
    }
    this.#length += count;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  utf8(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  latin1(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  /** Appends a byte `count` times. */
  fill(value: number, count: number): void {
    if (count <= 0) return;
    this.#reserve(count);
    this.#bytes.fill(value, this.#length, this.#length + count);
    this.#length += count;
  }

  /** Hands out what was gathered and starts anew; the bytes belong to the caller from now on. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafeSlow(65_536);
    this.#length = 0;
    return taken;
  }

  /** What was gathered, for a caller that writes it at once and then calls {@link clear}. */
  peek(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > 1_048_576) this.#bytes = Buffer.allocUnsafeSlow(65_536);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
