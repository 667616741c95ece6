import { assert } from 'vitest';
import { decodePacket } from '../../src/codec/decode.ts';
import type { Side } from '../../src/codec/fixed-header.ts';
import type { Packet, ProtocolVersion } from '../../src/codec/packet.ts';
import { ProtocolError } from '../../src/codec/protocol-error.ts';

/**
 * Bytes written by hand: pairs of hex digits, "text" as UTF-8, and `--` comments to the end of the line.
 *
 *     bytes(`
 *       82 06          -- SUBSCRIBE, Remaining Length
 *       00 01          -- Packet Identifier
 *       00 01 "a" 00   -- Topic Filter, QoS 0
 *     `)
 */
export function bytes(source: string): Buffer {
  const parts: Buffer[] = [];
  for (const [token, text] of source.replace(/--.*$/gm, '').matchAll(/"([^"]*)"|[^\s"]+/g)) {
    if (text === undefined) assert.match(token, /^([0-9a-fA-F]{2})+$/, 'hex digits come in pairs');
    parts.push(text === undefined ? Buffer.from(token, 'hex') : Buffer.from(text, 'utf8'));
  }
  return Buffer.concat(parts);
}

/** Reads one packet with a one-byte Remaining Length, which must be right. */
export function decodeBytes(source: string, version: ProtocolVersion, from: Side): Packet {
  const packet = bytes(source);
  assert.equal(packet[1], packet.length - 2, 'Remaining Length as written by hand');
  return decodePacket(packet[0] as number, packet, 2, packet.length, version, from);
}

/** The ProtocolError that an action throws; anything else it does fails the test. */
export function protocolErrorOf(action: () => unknown): ProtocolError {
  try {
    action();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  return assert.fail('no ProtocolError was thrown');
}
