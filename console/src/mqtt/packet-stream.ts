/** Cuts what arrives into Control Packets; a WebSocket frame may hold several, or part of one. */

import { remainingLengthMax } from './bytes.ts';

export class PacketStream {
  readonly #bytesMax: number;
  readonly #onPacket: (firstByte: number, body: Uint8Array) => void;
  #kept: Uint8Array = new Uint8Array(0);

  /** @param bytesMax - of one packet; a larger one is an error */
  constructor(bytesMax: number, onPacket: (firstByte: number, body: Uint8Array) => void) {
    this.#bytesMax = Math.min(bytesMax, remainingLengthMax);
    this.#onPacket = onPacket;
  }

  /** @throws RangeError - a packet larger than allowed, or a length that is none */
  push(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#kept.length > 0) {
      bytes = new Uint8Array(this.#kept.length + chunk.length);
      bytes.set(this.#kept);
      bytes.set(chunk, this.#kept.length);
    }
    let at = 0;
    for (;;) {
      const head = lengthAt(bytes, at + 1);
      if (head === undefined) break;
      if (head.value > this.#bytesMax) throw new RangeError(`a packet of ${head.value} bytes`);
      const end = head.end + head.value;
      if (end > bytes.length) break;
      this.#onPacket(bytes[at] ?? 0, bytes.subarray(head.end, end));
      at = end;
    }
    this.#kept = bytes.slice(at);
  }
}

/** A Remaining Length and where it ends, undefined when it is not all there yet. */
function lengthAt(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let index = 0; index < 4; index++) {
    const digit = bytes[start + index];
    if (digit === undefined) return undefined;
    value += (digit & 0x7f) * factor;
    if (digit < 0x80) return { value, end: start + index + 1 };
    factor *= 128;
  }
  throw new RangeError('a Remaining Length of more than four bytes');
}
