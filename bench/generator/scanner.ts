/**
 * Finds the packets in a stream of bytes without copying them.
 *
 * Whole packets are reported in place; only a packet that is split over two chunks is gathered in a carry buffer. The
 * cost of a PUBLISH is a handful of byte reads, so that counting is never what limits a measurement.
 */

/** Largest packet that the generator accepts, in bytes. */
const PACKET_BYTES_MAX = 16 * 1024 * 1024;

/** What a scanner calls, synchronously; `bytes` is only valid during the call. */
export interface PacketHandler {
  /** @param payload - offset of the first payload byte · @param end - offset behind the last */
  onPublish(bytes: Uint8Array, firstByte: number, packetId: number, payload: number, end: number): void;
  /** PUBACK, PUBREC, PUBREL, PUBCOMP. @param reasonCode - 0 when the packet has none */
  onAck(firstByte: number, packetId: number, reasonCode: number): void;
  /** Every other packet; `start` is the offset of its first byte, `body` the offset behind its Remaining Length. */
  onOther(bytes: Uint8Array, start: number, body: number, end: number): void;
}

/** The bytes were not MQTT: the measurement must stop, not guess. */
export class MalformedStream extends Error {}

export class PacketScanner {
  readonly #handler: PacketHandler;
  /** 1 when PUBLISH carries properties (MQTT 5.0), else 0. */
  readonly #isV5: boolean;
  #carry: Uint8Array = new Uint8Array(0);
  #carried = 0;

  constructor(handler: PacketHandler, isV5: boolean) {
    this.#handler = handler;
    this.#isV5 = isV5;
  }

  /** @throws MalformedStream - when a length or a first byte cannot be MQTT */
  feed(bytes: Uint8Array, start: number, end: number): void {
    let position = start;
    if (this.#carried > 0) {
      position = this.#finishCarried(bytes, start, end);
      if (position < 0) return;
    }
    position = this.#scan(bytes, position, end);
    if (position < end) this.#keep(bytes, position, end);
  }

  /** Adds bytes to the carried packet until it is whole; returns where the next packet starts, or -1. */
  #finishCarried(bytes: Uint8Array, start: number, end: number): number {
    let position = start;
    // The length is unknown until the fixed header is whole: add it byte by byte, at most five bytes.
    let total = packetLength(this.#carry, 0, this.#carried);
    while (total < 0 && position < end) {
      this.#keep(bytes, position, position + 1);
      position++;
      total = packetLength(this.#carry, 0, this.#carried);
    }
    if (total < 0) return -1;
    const wanted = Math.min(total - this.#carried, end - position);
    this.#keep(bytes, position, position + wanted);
    position += wanted;
    if (this.#carried < total) return -1;
    this.#carried = 0;
    this.#scan(this.#carry, 0, total);
    return position;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#carried + (end - start);
    if (needed > this.#carry.length) {
      const known = packetLength(bytes, start, end);
      const grown = new Uint8Array(Math.max(needed * 2, this.#carried === 0 ? known : 0, 256));
      grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(bytes.subarray(start, end), this.#carried);
    this.#carried = needed;
  }

  /** Reports every whole packet; returns the offset of the first byte that belongs to an unfinished one. */
  #scan(bytes: Uint8Array, start: number, end: number): number {
    let position = start;
    while (end - position >= 2) {
      let body = position + 1;
      let digit = bytes[body++] as number;
      let remaining = digit & 0x7f;
      let shift = 7;
      while (digit >= 0x80) {
        if (shift > 21) throw new MalformedStream('Remaining Length has more than four bytes');
        if (body === end) return position;
        digit = bytes[body++] as number;
        remaining |= (digit & 0x7f) << shift;
        shift += 7;
      }
      if (remaining > PACKET_BYTES_MAX) throw new MalformedStream(`a packet of ${remaining} bytes`);
      const next = body + remaining;
      if (next > end) return position;
      this.#report(bytes, position, body, next);
      position = next;
    }
    return position;
  }

  #report(bytes: Uint8Array, start: number, body: number, end: number): void {
    const firstByte = bytes[start] as number;
    const type = firstByte & 0xf0;
    if (type === 0x30) {
      let at = body + 2 + (((bytes[body] as number) << 8) | (bytes[body + 1] as number));
      let packetId = 0;
      if ((firstByte & 0x06) !== 0) {
        packetId = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
        at += 2;
      }
      if (this.#isV5) {
        let properties = bytes[at] as number;
        at++;
        if (properties >= 0x80) {
          properties = (properties & 0x7f) | ((bytes[at] as number) << 7);
          at++;
        }
        at += properties;
      }
      if (at > end) throw new MalformedStream('a PUBLISH that ends inside its topic');
      this.#handler.onPublish(bytes, firstByte, packetId, at, end);
    } else if (type >= 0x40 && type <= 0x70) {
      const packetId = ((bytes[body] as number) << 8) | (bytes[body + 1] as number);
      this.#handler.onAck(firstByte, packetId, end - body > 2 ? (bytes[body + 2] as number) : 0);
    } else if (type === 0 || type === 0xf0) {
      throw new MalformedStream(`first byte 0x${firstByte.toString(16)}`);
    } else {
      this.#handler.onOther(bytes, start, body, end);
    }
  }
}

/** Length of the packet at `start` with its fixed header, or -1 when the fixed header is not whole yet. */
function packetLength(bytes: Uint8Array, start: number, end: number): number {
  let remaining = 0;
  for (let at = start + 1, shift = 0; at < end; at++, shift += 7) {
    if (shift > 21) throw new MalformedStream('Remaining Length has more than four bytes');
    const digit = bytes[at] as number;
    remaining |= (digit & 0x7f) << shift;
    if (digit < 0x80) return at + 1 - start + remaining;
  }
  return -1;
}
