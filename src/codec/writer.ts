import { invariant } from '../base/invariant.ts';
import {
  VARIABLE_BYTE_INTEGER_MAX,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from './variable-byte-integer.ts';

/**
 * Writes into a buffer of exactly the size asked for; `finish` asserts that it was met.
 *
 * Values are ours, so one that does not fit its field is an InvariantViolation; callers validate what users give them.
 */
export class Writer {
  readonly #buf: Buffer;
  #offset = 0;

  /** @param size - bytes that will be written, all of them */
  constructor(size: number) {
    this.#buf = Buffer.allocUnsafe(size);
  }

  u8(value: number): void {
    invariant(value >= 0 && value <= 0xff, `${value} does not fit a byte`);
    this.#buf[this.#offset++] = value;
  }

  u16(value: number): void {
    invariant(Number.isInteger(value) && value >= 0 && value <= 0xffff, `${value} does not fit two bytes`);
    this.#offset = this.#buf.writeUInt16BE(value, this.#offset);
  }

  u32(value: number): void {
    invariant(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, `${value} does not fit four bytes`);
    this.#offset = this.#buf.writeUInt32BE(value, this.#offset);
  }

  varint(value: number): void {
    invariant(
      Number.isInteger(value) && value >= 0 && value <= VARIABLE_BYTE_INTEGER_MAX,
      `${value} does not fit a Variable Byte Integer`,
    );
    this.#offset = writeVariableByteInteger(this.#buf, this.#offset, value);
  }

  /** A UTF-8 string with its length in front. */
  string(text: string): void {
    const length = this.#buf.write(text, this.#offset + 2, 'utf8');
    invariant(length <= 0xffff, `a string of ${length} bytes does not fit`);
    this.#buf.writeUInt16BE(length, this.#offset);
    this.#offset += 2 + length;
  }

  /** Binary Data with its length in front. */
  binary(bytes: Buffer): void {
    this.u16(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Buffer): void {
    this.#offset += bytes.copy(this.#buf, this.#offset);
  }

  /** The bytes. */
  finish(): Buffer {
    invariant(this.#offset === this.#buf.length, 'a packet was not as long as it announced');
    return this.#buf;
  }
}

/** A packet that has no encoding: its Remaining Length would be above 268,435,455 (§1.5.5). Only the size of what it holds is at fault. */
export class PacketTooLong extends Error {
  override readonly name = 'PacketTooLong';

  constructor(remainingLength: number) {
    super(`a packet cannot be longer than ${VARIABLE_BYTE_INTEGER_MAX} bytes, this one has ${remainingLength}`);
  }
}

/**
 * A writer for one packet, with the fixed header written already.
 *
 * @param firstByte - packet type and flags
 * @param remainingLength - bytes of variable header and payload
 * @throws PacketTooLong - above 268,435,455
 */
export function packetWriter(firstByte: number, remainingLength: number): Writer {
  if (remainingLength > VARIABLE_BYTE_INTEGER_MAX) throw new PacketTooLong(remainingLength);
  const writer = new Writer(1 + variableByteIntegerSize(remainingLength) + remainingLength);
  writer.u8(firstByte);
  writer.varint(remainingLength);
  return writer;
}

/** Bytes of a UTF-8 string with its length in front. */
export function stringSize(text: string): number {
  return 2 + Buffer.byteLength(text, 'utf8');
}

/** Bytes of Binary Data with its length in front. */
export function binarySize(bytes: Buffer): number {
  return 2 + bytes.length;
}
