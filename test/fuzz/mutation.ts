/** Seeded random numbers and byte mutations for fuzzing; nothing here knows MQTT beyond the Remaining Length. */

/** A small generator (mulberry32): fast, and the same numbers for the same seed everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 2³²−1. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 to `limit` − 1. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.u32() % limit;
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.u32() % n === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** The seed of input `index` in a run, so that one input can be replayed alone. */
export function inputSeed(runSeed: number, index: number): number {
  return (Math.imul(runSeed ^ (index >>> 16), 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
}

const interesting = [0x00, 0x01, 0x02, 0x04, 0x0b, 0x10, 0x1f, 0x23, 0x26, 0x2b, 0x7f, 0x80, 0xc0, 0xed, 0xff];

/** Most bytes of a mutated input; growth beyond that is cut off. */
const SIZE_MAX = 4096;
const scratch = [Buffer.alloc(2 * SIZE_MAX), Buffer.alloc(2 * SIZE_MAX)] as const;

/**
 * One to three samples in a row, each changed in zero to four places; the Remaining Length is mended most times, so that
 * the change is seen by the decoder of the body and not only by that of the header.
 *
 * @returns a view of memory that the next call overwrites
 */
export function mutatedStream(random: Random, samples: readonly Buffer[]): Buffer {
  const [stream, packet] = scratch;
  let length = 0;
  for (let count = 1 + random.below(3); count > 0; count--) {
    const sample = random.pick(samples);
    let size = Math.min(sample.copy(packet), SIZE_MAX);
    for (let changes = random.below(5); changes > 0; changes--) size = change(random, packet, size, samples);
    if (!random.oneIn(4)) size = mendRemainingLength(packet, size);
    if (length + size > SIZE_MAX) break;
    length += packet.copy(stream, length, 0, size);
  }
  return stream.subarray(0, length);
}

function change(random: Random, packet: Buffer, size: number, samples: readonly Buffer[]): number {
  if (size === 0) return 0;
  const at = random.below(size);
  switch (random.below(9)) {
    case 0: // one bit
      packet[at] = (packet[at] as number) ^ (1 << random.below(8));
      return size;
    case 1: // a byte that means something
      packet[at] = random.pick(interesting);
      return size;
    case 2: // any byte
      packet[at] = random.below(256);
      return size;
    case 3: // a two-byte number, such as a length
      packet.writeUInt16BE(random.oneIn(2) ? random.below(size) : random.below(65_536), at);
      return Math.max(size, at + 2);
    case 4: // cut off the end
      return at;
    case 5: {
      // leave bytes out
      const length = Math.min(1 + random.below(8), size - at);
      packet.copyWithin(at, at + length, size);
      return size - length;
    }
    case 6: {
      // put bytes in
      const length = 1 + random.below(8);
      if (size + length > SIZE_MAX) return size;
      packet.copyWithin(at + length, at, size);
      for (let index = 0; index < length; index++) packet[at + index] = random.pick(interesting);
      return size + length;
    }
    case 7: {
      // repeat bytes
      const length = Math.min(1 + random.below(24), size - at);
      if (size + length > SIZE_MAX) return size;
      packet.copyWithin(at + length, at, size);
      return size + length;
    }
    default: {
      // the end of another sample
      const other = random.pick(samples);
      const from = random.below(other.length);
      const length = Math.min(other.length - from, SIZE_MAX - at);
      return at + other.copy(packet, at, from, from + length);
    }
  }
}

/** Makes the Remaining Length say what there is; returns the new size. */
function mendRemainingLength(packet: Buffer, size: number): number {
  if (size < 2) return size;
  let bodyStart = 1;
  while (bodyStart < Math.min(size, 4) && (packet[bodyStart] as number) > 127) bodyStart++;
  bodyStart++;
  const body = Math.max(0, size - bodyStart);
  const headerSize = body < 128 ? 2 : body < 16_384 ? 3 : 4;
  packet.copyWithin(headerSize, bodyStart, bodyStart + body);
  let rest = body;
  let at = 1;
  while (rest > 127) {
    packet[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  packet[at] = rest;
  return headerSize + body;
}
