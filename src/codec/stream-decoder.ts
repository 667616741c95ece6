/**
 * Chunks of a byte stream → whole packets, parsed where they lie.
 *
 * A packet that lies in one chunk is handed on as a range of that chunk; nothing is allocated or copied for it. Only a
 * packet that is split between chunks is gathered in a carry buffer, which grows with the bytes that have arrived (twice
 * as large each time), never with the length that a peer announces, and is given back as soon as the packet is whole.
 * Memory: at most three times the bytes of a split packet that have arrived (old and new buffer while it grows), nothing
 * between packets.
 */
import { firstByteOf } from './fixed-header.ts';
import { NO_BYTES } from './packet.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-code.ts';
import { VARIABLE_BYTE_INTEGER_MAX } from './variable-byte-integer.ts';

/** Who takes the packets. */
export interface PacketSink {
  /**
   * One whole packet. `buf[bodyStart..bodyEnd)` is its variable header and payload, valid only during the call.
   *
   * @returns false to stop: what follows stays unread until `resume`
   */
  onPacket(firstByte: number, buf: Buffer, bodyStart: number, bodyEnd: number): boolean;
}

/** First byte and four bytes of Remaining Length. */
const HEADER_SIZE_MAX = 5;

/** Least size of a carry buffer, so that a trickle of single bytes does not make a new one for each. */
const CARRY_SIZE_MIN = 64;

/** Bytes of the largest packet there can be. */
export const PACKET_SIZE_MAX = HEADER_SIZE_MAX + VARIABLE_BYTE_INTEGER_MAX;

export class StreamDecoder {
  /**
   * Largest packet taken, in bytes of the whole packet, fixed header included. A larger one is refused as soon as its
   * length is known, before its body arrives.
   */
  maximumPacketSize: number;

  /**
   * In MQTT 5.0 the Remaining Length must have its shortest form [MQTT-1.5.5-1], in 3.x it need not: the connection sets
   * this when CONNECT told the version.
   */
  requireShortestLength = false;

  /** High nibble that the very first byte must have; 0 once it was seen. [MQTT-3.1.0-1] */
  #opening: number;
  /** Whether no packet was handed on yet, so that the version is unknown and errors have no form of answer. */
  #isUnopened = true;

  /** A packet whose end has not arrived: `#carry[0..#carried)`. */
  #carry: Buffer = NO_BYTES;
  #carried = 0;
  /** Size of that packet and start of its body, known (not 0) when its fixed header is whole. */
  #carriedSize = 0;
  #carriedBody = 0;

  /** What a sink stopped in front of, in a buffer of our own: `#rest[#restStart..)`. */
  #rest: Buffer = NO_BYTES;
  #restStart = 0;
  /** The buffer that `resume` is giving back, so that stopping again does not copy it. */
  #resumed: Buffer = NO_BYTES;

  #isClosed = false;

  /**
   * @param maximumPacketSize - bytes, see the field
   * @param opening - the packet type that the other side must open with
   */
  constructor(maximumPacketSize: number, opening: 'connect' | 'connack' | 'any') {
    this.maximumPacketSize = maximumPacketSize;
    this.#opening = opening === 'any' ? 0 : firstByteOf(opening);
  }

  /** Bytes held for later: a packet that is not whole yet, and what a sink stopped in front of. */
  get heldBytes(): number {
    return this.#carried + this.#rest.length - this.#restStart;
  }

  /** Whether a sink stopped and bytes wait for `resume`. */
  get isStopped(): boolean {
    return this.#restStart < this.#rest.length;
  }

  /**
   * Takes `chunk[start..end)` and hands on every packet that is whole with it. The chunk is not referred to afterwards.
   *
   * While stopped, the bytes are only stored: the caller stops reading from its socket, so that is one chunk at most.
   *
   * @returns packets handed on
   * @throws ProtocolError - 0x95 for a packet above the maximum; silent for a first packet that cannot be one and for a
   *   Remaining Length of five bytes. The decoder is closed then.
   */
  push(chunk: Buffer, start: number, end: number, sink: PacketSink): number {
    if (this.#isClosed) return 0;
    if (this.isStopped) {
      this.#rest = Buffer.concat([this.#rest.subarray(this.#restStart), chunk.subarray(start, end)]);
      this.#restStart = 0;
      return 0;
    }
    let at = start;
    let count = 0;
    if (this.#opening !== 0 && at < end) this.#checkOpening(chunk[at] as number);
    if (this.#carried > 0) {
      at = this.#gather(chunk, at, end);
      if (this.#carriedSize === 0 || this.#carried < this.#carriedSize) return 0;
      count = 1;
      if (!this.#handOnCarried(sink)) {
        this.#stop(chunk, at, end);
        return count;
      }
    }
    return count + this.#parse(chunk, at, end, sink);
  }

  /** Goes on behind the packet at which a sink stopped. Returns and throws as `push` does. */
  resume(sink: PacketSink): number {
    const rest = this.#rest;
    const start = this.#restStart;
    this.#rest = NO_BYTES;
    this.#resumed = rest;
    this.#restStart = 0;
    const count = this.push(rest, start, rest.length, sink);
    this.#resumed = NO_BYTES;
    return count;
  }

  /** Gives up all bytes held; from now on nothing is handed on. */
  close(): void {
    this.#isClosed = true;
    this.#carry = NO_BYTES;
    this.#carried = 0;
    this.#rest = NO_BYTES;
    this.#restStart = 0;
  }

  /** The packets of a chunk; what is left of it at the end is the start of a split one. */
  #parse(chunk: Buffer, start: number, end: number, sink: PacketSink): number {
    let at = start;
    let count = 0;
    while (at + 1 < end) {
      let length = chunk[at + 1] as number;
      let body = at + 2;
      if (length > 127) {
        body = this.#lengthEnd(chunk, at, end);
        if (body === 0) break;
        length = longLength(chunk, at + 1, body);
      }
      const next = body + length;
      if (next - at > this.maximumPacketSize) throw this.#tooLarge(next - at);
      if (next > end) break;
      const firstByte = chunk[at] as number;
      at = next;
      count++;
      this.#isUnopened = false;
      if (!sink.onPacket(firstByte, chunk, body, next) || this.#isClosed) {
        this.#stop(chunk, at, end);
        return count;
      }
    }
    if (at < end) this.#gather(chunk, at, end);
    return count;
  }

  /**
   * Offset behind the Remaining Length of a fixed header at `at`, 0 when it has not all arrived.
   *
   * @throws ProtocolError - silent, as Mosquitto, for a fifth byte; 0x81 for padding where that is forbidden
   */
  #lengthEnd(buf: Buffer, at: number, end: number): number {
    let offset = at + 1;
    while (offset < end) {
      const byte = buf[offset++] as number;
      if (byte < 128) {
        if (byte === 0 && offset > at + 2 && this.requireShortestLength) {
          throw this.#fail(ReasonCode.MalformedPacket, 'MQTT-1.5.5-1', 'Remaining Length is longer than needed', false);
        }
        return offset;
      }
      if (offset === at + HEADER_SIZE_MAX) {
        throw this.#fail(ReasonCode.MalformedPacket, '§2.1.4', 'Remaining Length has more than four bytes', true);
      }
    }
    return 0;
  }

  /** Adds to the carried packet what of `chunk[start..end)` belongs to it; returns the offset behind that. */
  #gather(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (this.#carriedSize === 0) {
      if (at === end) return at;
      this.#grow(HEADER_SIZE_MAX);
      this.#carry[this.#carried++] = chunk[at++] as number;
      if (this.#carried === 1) continue;
      const body = this.#lengthEnd(this.#carry, 0, this.#carried);
      if (body === 0) continue;
      const size = body + longLength(this.#carry, 1, body);
      if (size > this.maximumPacketSize) throw this.#tooLarge(size);
      this.#carriedBody = body;
      this.#carriedSize = size;
    }
    const length = Math.min(this.#carriedSize - this.#carried, end - at);
    this.#grow(this.#carried + length);
    chunk.copy(this.#carry, this.#carried, at, at + length);
    this.#carried += length;
    return at + length;
  }

  /** Makes room for `needed` bytes in the carry buffer, at most doubling it beyond need. */
  #grow(needed: number): void {
    if (needed <= this.#carry.length) return;
    const doubled = Math.max(CARRY_SIZE_MIN, 2 * this.#carry.length);
    const enough = this.#carriedSize === 0 ? doubled : Math.min(doubled, this.#carriedSize);
    const larger = Buffer.allocUnsafe(Math.max(needed, enough));
    this.#carry.copy(larger, 0, 0, this.#carried);
    this.#carry = larger;
  }

  #handOnCarried(sink: PacketSink): boolean {
    const packet = this.#carry;
    const size = this.#carriedSize;
    this.#carry = NO_BYTES;
    this.#carried = 0;
    this.#carriedSize = 0;
    this.#isUnopened = false;
    return sink.onPacket(packet[0] as number, packet, this.#carriedBody, size) && !this.#isClosed;
  }

  #stop(chunk: Buffer, at: number, end: number): void {
    if (this.#isClosed || at === end) return;
    const isOurs = chunk === this.#resumed;
    this.#rest = isOurs ? chunk : Buffer.from(chunk.subarray(at, end));
    this.#restStart = isOurs ? at : 0;
  }

  /** The low nibble is left to the decoder of CONNECT: MQTT 3.1 does not use it. */
  #checkOpening(firstByte: number): void {
    if ((firstByte & 0xf0) !== this.#opening) {
      const message = `first byte 0x${firstByte.toString(16).padStart(2, '0')} does not begin what must come first`;
      throw this.#fail(ReasonCode.ProtocolError, 'MQTT-3.1.0-1', message, true);
    }
    this.#opening = 0;
  }

  #tooLarge(size: number): ProtocolError {
    const message = `a packet of ${size} bytes is above the maximum of ${this.maximumPacketSize}`;
    return this.#fail(ReasonCode.PacketTooLarge, 'MQTT-3.2.2-15', message, this.#isUnopened);
  }

  #fail(reasonCode: ReasonCode, statement: string, message: string, silent: boolean): ProtocolError {
    this.close();
    return new ProtocolError(reasonCode, statement, message, { silent });
  }
}

/** The Remaining Length at `offset`, whose last byte is in front of `end`. */
function longLength(buf: Buffer, offset: number, end: number): number {
  let length = 0;
  for (let at = end - 1; at >= offset; at--) length = (length << 7) | ((buf[at] as number) & 127);
  return length;
}
