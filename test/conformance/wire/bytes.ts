/**
 * Bytes written by hand. Nothing in `wire/` knows the codec of the broker: what is tested here must not be its own measure.
 */
import { assert } from 'vitest';

/** The protocol level: 3 is MQTT 3.1, 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type Version = 3 | 4 | 5;

/** Bytes, or the language of {@link bytes}. */
export type Bytes = Buffer | string;

/**
 * Pairs of hex digits, "text" as UTF-8, and `--` comments to the end of the line.
 *
 *     bytes(`
 *       82 06          -- SUBSCRIBE, Remaining Length
 *       00 01          -- Packet Identifier
 *       00 01 "a" 00   -- Topic Filter, QoS 0
 *     `)
 */
export function bytes(source: Bytes): Buffer {
  if (typeof source !== 'string') return source;
  const parts: Buffer[] = [];
  for (const [token, text] of source.replaceAll(/--.*$/gm, '').matchAll(/"([^"]*)"|[^\s"]+/g)) {
    if (text === undefined) assert.match(token, /^([0-9a-fA-F]{2})+$/, 'hex digits come in pairs');
    parts.push(text === undefined ? Buffer.from(token, 'hex') : Buffer.from(text, 'utf8'));
  }
  return Buffer.concat(parts);
}

/** Pairs of hex digits with blanks between, for messages. */
export function hexOf(buffer: Buffer): string {
  return buffer.toString('hex').replaceAll(/(..)(?!$)/g, '$1 ');
}

export function u8(value: number): Buffer {
  return Buffer.from([value]);
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

/** A Variable Byte Integer in its shortest form, or in `size` bytes when that many are asked for. */
export function varint(value: number, size = 0): Buffer {
  const out: number[] = [];
  let rest = value;
  do {
    out.push(rest % 128);
    rest = Math.floor(rest / 128);
  } while (rest > 0 || out.length < size);
  return Buffer.from(out.map((digit, index) => (index === out.length - 1 ? digit : digit | 0x80)));
}

/** A string or Binary Data: two bytes of length, then the bytes. A Buffer is taken as it is, so it need not be UTF-8. */
export function field(value: string | Buffer): Buffer {
  const content = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([u16(content.length), content]);
}

/** A Control Packet: first byte, the right Remaining Length, then the parts. */
export function packet(firstByte: number, ...parts: readonly Bytes[]): Buffer {
  const body = Buffer.concat(parts.map(bytes));
  return Buffer.concat([u8(firstByte), varint(body.length), body]);
}
