/**
 * Byte strings → small numbers, without an object for any of them.
 *
 * A string belongs to a *scope*: the levels below one node of a tree, or 0 where there is only one. The table is one array of hashes
 * and numbers with open addressing, at most three quarters full; the bytes lie one behind another in blocks of 128 KiB, each after its
 * length. So a million strings are some hundred blocks of memory for the garbage collector, a look-up touches two places of it, and
 * nothing is decoded. The bytes are most of it all: they do not move when the table grows, which would leave as much behind.
 *
 * Numbers are given out from 0 on and again when theirs was removed; they stay while the table grows.
 */
const smallestSlots = 16;
const smallestBytes = 256;
/** A place is the number of a block and an offset in it. */
const offsetBits = 17;
const blockBytes = 1 << offsetBits;
const offsetMask = blockBytes - 1;
/** Places are below 2³¹: 2 GiB. */
const blocksMax = 1 << (31 - offsetBits);

/**
 * A hash of `bytes[start..end)`, −2³¹ to 2³¹ − 1, for table slots and nothing else.
 *
 * Four bytes at a time, multiplied twice: after one multiplication two strings that differ in a highest bit alone would still differ
 * by something anybody can foresee, whatever the seed.
 *
 * @param seed - unknown to those who choose the bytes, where they could fill one place of a table on purpose
 */
export function hashBytes(bytes: Buffer, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const four =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash = Math.imul(hash ^ four, 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x0100_0193);
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

export class ByteTable {
  readonly #seed: number;
  /** By slot: hash, and 1 + number; 0 there means that the slot is empty. */
  #slots = new Int32Array(2 * smallestSlots);
  /** By number: its scope, and where its length and bytes are; of a free number: −1 − the next free one. */
  #entries = new Int32Array(2 * smallestSlots);
  /** All but a single one have 128 KiB; at most half of that is what was removed. */
  #blocks: Buffer[] = [Buffer.allocUnsafeSlow(smallestBytes)];
  /** Where the last block is free. */
  #end = 0;
  /** Bytes of what was removed. */
  #left = 0;
  #count = 0;
  /** Numbers below this one were given out at some time. */
  #limit = 0;
  /** The number given back last; −1: none is free. */
  #free = -1;

  /** @param seed - see {@link hashBytes} */
  constructor(seed = 0) {
    this.#seed = seed;
  }

  /** Strings held. */
  get count(): number {
    return this.#count;
  }

  /** Numbers are below this. */
  get limit(): number {
    return this.#limit;
  }

  /** The hash that `bytes[start..end)` has in a scope. */
  hash(scope: number, bytes: Buffer, start: number, end: number): number {
    return hashBytes(bytes, start, end, this.#seed ^ Math.imul(scope, 0x9e37_79b1));
  }

  /** The number of `bytes[start..end)`, −1 when it is not there. */
  find(scope: number, bytes: Buffer, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const last = slots.length - 2;
    for (let slot = (2 * hash) & last; ; slot = (slot + 2) & last) {
      const number = (slots[slot + 1] as number) - 1;
      if (number < 0) return -1;
      if (slots[slot] === hash && this.#isAt(number, scope, bytes, start, end)) return number;
    }
  }

  /** Gives `bytes[start..end)`, at most 65,535 of them and not there yet, a number. */
  add(scope: number, bytes: Buffer, start: number, end: number, hash: number): number {
    if (8 * (this.#count + 1) > 3 * this.#slots.length) this.#resize(2 * this.#slots.length);
    const place = this.#keep(bytes, start, end);
    let number = this.#free;
    if (number >= 0) {
      this.#free = -2 - (this.#entries[2 * number + 1] as number);
    } else {
      number = this.#limit++;
      if (2 * number === this.#entries.length) {
        const entries = new Int32Array(2 * this.#entries.length);
        entries.set(this.#entries);
        this.#entries = entries;
      }
    }
    this.#entries[2 * number] = scope;
    this.#entries[2 * number + 1] = place;
    put(this.#slots, hash, number + 1);
    this.#count++;
    return number;
  }

  /** Takes out what has this number. */
  remove(number: number): void {
    const place = this.#entries[2 * number + 1] as number;
    const bytes = this.#blocks[place >>> offsetBits] as Buffer;
    const start = (place & offsetMask) + 2;
    const length = lengthAt(bytes, start - 2);
    const hash = this.hash(this.scope(number), bytes, start, start + length);
    this.#left += 2 + length;
    const slots = this.#slots;
    const last = slots.length - 2;
    let hole = (2 * hash) & last;
    while (slots[hole + 1] !== number + 1) hole = (hole + 2) & last;
    // What follows without a gap moves up, unless it would leave its own place behind.
    for (let slot = (hole + 2) & last; slots[slot + 1] !== 0; slot = (slot + 2) & last) {
      const home = (2 * (slots[slot] as number)) & last;
      if (((slot - home) & last) < ((slot - hole) & last)) continue;
      slots[hole] = slots[slot] as number;
      slots[hole + 1] = slots[slot + 1] as number;
      hole = slot;
    }
    slots[hole + 1] = 0;
    this.#entries[2 * number + 1] = -2 - this.#free;
    this.#free = number;
    this.#count--;
    if (this.#count === 0) this.#clear();
    else if (32 * this.#count < slots.length && slots.length > 2 * smallestSlots) this.#resize(slots.length / 2);
  }

  scope(number: number): number {
    return this.#entries[2 * number] as number;
  }

  /** Whether something has this number. */
  has(number: number): boolean {
    return (this.#entries[2 * number + 1] as number) >= 0;
  }

  /** The bytes of a number as text. */
  text(number: number): string {
    const place = this.#entries[2 * number + 1] as number;
    const bytes = this.#blocks[place >>> offsetBits] as Buffer;
    const start = (place & offsetMask) + 2;
    return bytes.toString('utf8', start, start + lengthAt(bytes, start - 2));
  }

  #isAt(number: number, scope: number, bytes: Buffer, start: number, end: number): boolean {
    const entries = this.#entries;
    if (entries[2 * number] !== scope) return false;
    const place = entries[2 * number + 1] as number;
    const own = this.#blocks[place >>> offsetBits] as Buffer;
    const at = place & offsetMask;
    const length = end - start;
    if (lengthAt(own, at) !== length) return false;
    for (let index = 0; index < length; index++) {
      if (own[at + 2 + index] !== bytes[start + index]) return false;
    }
    return true;
  }

  /** Where the bytes are kept from now on. */
  #keep(bytes: Buffer, start: number, end: number): number {
    const length = end - start;
    if (this.#end + 2 + length > (this.#blocks.at(-1) as Buffer).length) this.#makeRoom(2 + length);
    const block = this.#blocks.at(-1) as Buffer;
    const at = this.#end;
    block[at] = length;
    block[at + 1] = length >>> 8;
    bytes.copy(block, at + 2, start, end);
    this.#end = at + 2 + length;
    return ((this.#blocks.length - 1) << offsetBits) | at;
  }

  /** Another block; or, when the only one is small or half of all was removed, everything in new ones. */
  #makeRoom(more: number): void {
    const last = this.#blocks.length - 1;
    const used = last * blockBytes + this.#end;
    const isSmall = last === 0 && (this.#blocks[0] as Buffer).length < blockBytes;
    if (isSmall || 2 * this.#left > used) {
      const size = Math.max(smallestBytes, 2 * (used - this.#left + more));
      this.#move(Math.min(blockBytes, size));
      if (this.#end + more <= (this.#blocks.at(-1) as Buffer).length) return;
    }
    this.#begin(blockBytes);
  }

  #begin(size: number): void {
    if (this.#blocks.length === blocksMax) throw new RangeError('more than 2 GiB of strings');
    this.#blocks.push(Buffer.allocUnsafeSlow(size));
    this.#end = 0;
  }

  /** Leaves the bytes of what was removed behind. */
  #move(size: number): void {
    const old = this.#blocks;
    this.#blocks = [];
    this.#begin(size);
    this.#left = 0;
    for (let at = 1; at < 2 * this.#limit; at += 2) {
      const place = this.#entries[at] as number;
      if (place < 0) continue;
      const from = old[place >>> offsetBits] as Buffer;
      const start = place & offsetMask;
      const length = 2 + lengthAt(from, start);
      if (this.#end + length > size) this.#begin(size);
      from.copy(this.#blocks.at(-1) as Buffer, this.#end, start, start + length);
      this.#entries[at] = ((this.#blocks.length - 1) << offsetBits) | this.#end;
      this.#end += length;
    }
  }

  #resize(length: number): void {
    const old = this.#slots;
    this.#slots = new Int32Array(length);
    for (let slot = 0; slot < old.length; slot += 2) {
      if (old[slot + 1] !== 0) put(this.#slots, old[slot] as number, old[slot + 1] as number);
    }
  }

  #clear(): void {
    this.#slots = new Int32Array(2 * smallestSlots);
    this.#entries = new Int32Array(2 * smallestSlots);
    this.#blocks = [];
    this.#begin(smallestBytes);
    this.#left = 0;
    this.#limit = 0;
    this.#free = -1;
  }
}

function put(slots: Int32Array, hash: number, entry: number): void {
  const last = slots.length - 2;
  let slot = (2 * hash) & last;
  while (slots[slot + 1] !== 0) slot = (slot + 2) & last;
  slots[slot] = hash;
  slots[slot + 1] = entry;
}

function lengthAt(bytes: Buffer, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}
