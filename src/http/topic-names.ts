/**
 * Every Topic Name that is retained or was seen, so close together that a million of them are looked through in a moment: UTF-8,
 * one behind the other, in chunks of 64 KiB. A hash table of places finds a name again, so that what comes and goes is marked.
 *
 * Costs about 45 bytes a topic beside the bytes of its name. Names that went stay until half of their chunk did, so the whole is
 * at most about twice of what is needed.
 */
import type { Message } from '../contracts/message.ts';
import type { IndexWatcher, TopicRecord } from '../observe/topic-index.ts';
import type { RetainedWatcher } from '../topics/retained-tree.ts';

/** Holds the longest Topic Name, 65,535 bytes, and its NUL. */
const chunkBytes = 65_536;
/** Bits of a place that tell the name in its chunk: the shortest takes two bytes. */
const indexBits = 15;
const indexMask = (1 << indexBits) - 1;
/** Parts of the hash table, each of which grows alone: none is so large that this takes long. */
const shardCount = 256;
const noSlot = 0;
const goneSlot = 0xffff_ffff;

/** Names that stand together. */
export class NameChunk {
  readonly bytes = Buffer.allocUnsafeSlow(chunkBytes);
  used = 0;
  /** Bytes of names that are neither retained nor seen. */
  goneBytes = 0;
  isAscii = true;
  /** Where each name begins. It ends before the NUL in front of the next, which no Topic Name has. */
  readonly starts: number[] = [];
  /** Of each name: what is retained, and what was seen; null: not. */
  readonly kept: (Message | null)[] = [];
  readonly seen: (TopicRecord | null)[] = [];

  get count(): number {
    return this.starts.length;
  }

  /** Behind the NUL of a name. */
  endOf(index: number): number {
    return this.starts[index + 1] ?? this.used;
  }

  /** All names, each with its NUL; as long as the bytes are when they are ASCII. */
  text(): string {
    return this.bytes.toString(this.isAscii ? 'latin1' : 'utf8', 0, this.used);
  }

  name(index: number): string {
    return this.bytes.toString('utf8', this.starts[index] as number, this.endOf(index) - 1);
  }

  /** Whether a name is still that of a topic. */
  has(index: number): boolean {
    return this.kept[index] !== null || this.seen[index] !== null;
  }
}

interface Shard {
  /** Places plus one, found by the hash of the name or behind it. */
  slots: Uint32Array;
  /** Slots that are not {@link noSlot}. */
  filled: number;
}

export class TopicNames implements RetainedWatcher<Message>, IndexWatcher {
  readonly #seed: number;
  /** By number; null: free. */
  readonly #chunks: (NameChunk | null)[] = [];
  readonly #shards: Shard[] = Array.from({ length: shardCount }, () => ({ slots: new Uint32Array(16), filled: 0 }));
  /** The name that is looked for. */
  readonly #sought = Buffer.allocUnsafeSlow(chunkBytes);
  #tail = -1;
  #count = 0;
  #walkers = 0;
  /** Chunks that are given up when nobody walks. */
  readonly #due = new Set<number>();

  /** @param seed - a secret, so that nobody can choose names with the same hash */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Topics. */
  get count(): number {
    return this.#count;
  }

  /** Memory of chunks and hash table. */
  get bytes(): number {
    let bytes = 0;
    for (const chunk of this.#chunks) if (chunk !== null) bytes += chunkBytes + 24 * chunk.count;
    for (const { slots } of this.#shards) bytes += slots.byteLength;
    return bytes;
  }

  stored(name: string, message: Message): void {
    const place = this.#put(name);
    (this.#chunks[place >>> indexBits] as NameChunk).kept[place & indexMask] = message;
  }

  removed(name: string): void {
    const place = this.#find(name);
    if (place < 0) return;
    const chunk = this.#chunks[place >>> indexBits] as NameChunk;
    if (chunk.kept[place & indexMask] === null) return;
    chunk.kept[place & indexMask] = null;
    this.#afterRemoval(place);
  }

  entered(record: TopicRecord): void {
    const place = this.#put(record.name);
    (this.#chunks[place >>> indexBits] as NameChunk).seen[place & indexMask] = record;
  }

  forgotten({ name }: TopicRecord): void {
    const place = this.#find(name);
    if (place < 0) return;
    const chunk = this.#chunks[place >>> indexBits] as NameChunk;
    if (chunk.seen[place & indexMask] === null) return;
    chunk.seen[place & indexMask] = null;
    this.#afterRemoval(place);
  }

  /** The chunks, for a walk with pauses: no name moves until {@link endWalk}. Names may come and go meanwhile. */
  beginWalk(): NameChunk[] {
    this.#walkers++;
    return this.#chunks.filter((chunk) => chunk !== null);
  }

  /** To be followed by {@link tidy}. */
  endWalk(): void {
    this.#walkers--;
  }

  /** Gives up the chunks that could not be during walks, one for each step; ends where another walk begins. */
  *tidy(): Generator<void> {
    for (const number of this.#due) {
      if (this.#walkers > 0) return;
      this.#due.delete(number);
      this.#giveUp(number);
      yield;
    }
  }

  /** @returns the place of the name, which is that of a topic from now on */
  #put(name: string): number {
    const length = this.#sought.write(name);
    const hash = this.#hash(this.#sought, 0, length);
    const shard = this.#shards[hash & (shardCount - 1)] as Shard;
    const slot = this.#slotOf(shard, hash, length);
    const found = shard.slots[slot] as number;
    this.#count++;
    if (found !== noSlot) {
      const place = found - 1;
      const chunk = this.#chunks[place >>> indexBits] as NameChunk;
      if (chunk.has(place & indexMask)) this.#count--;
      else chunk.goneBytes -= length + 1;
      return place;
    }
    const place = this.#append(length);
    shard.slots[slot] = place + 1;
    shard.filled++;
    if (shard.filled * 4 > shard.slots.length * 3) this.#grow(shard);
    return place;
  }

  /** @returns −1: the name is not there */
  #find(name: string): number {
    const length = this.#sought.write(name);
    const hash = this.#hash(this.#sought, 0, length);
    const shard = this.#shards[hash & (shardCount - 1)] as Shard;
    return (shard.slots[this.#slotOf(shard, hash, length)] as number) - 1;
  }

  /** The slot of the sought name, or the empty one where it belongs. */
  #slotOf({ slots }: Shard, hash: number, length: number): number {
    const mask = slots.length - 1;
    for (let slot = (hash >>> 8) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot] as number;
      if (found === noSlot) return slot;
      if (found === goneSlot) continue;
      const place = found - 1;
      const { bytes, starts, used } = this.#chunks[place >>> indexBits] as NameChunk;
      const index = place & indexMask;
      const start = starts[index] as number;
      const end = (starts[index + 1] ?? used) - 1;
      if (end - start !== length) continue;
      // Names differ at their ends more often than where they begin.
      let left = length - 1;
      while (left >= 0 && bytes[start + left] === this.#sought[left]) left--;
      if (left < 0) return slot;
    }
  }

  /** The hash of a name: FNV-1a, mixed (MurmurHash3's finaliser) so that all bits count. */
  #hash(bytes: Buffer, start: number, end: number): number {
    let hash = this.#seed;
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ (bytes[index] as number), 0x0100_0193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  /** Writes the sought name behind the others. @returns its place */
  #append(length: number): number {
    const before = this.#tail;
    let chunk = this.#chunks[before] ?? null;
    if (chunk === null || chunk.used + length + 1 > chunkBytes) {
      chunk = new NameChunk();
      const free = this.#chunks.indexOf(null);
      this.#tail = free < 0 ? this.#chunks.length : free;
      this.#chunks[this.#tail] = chunk;
    }
    const { used, bytes } = chunk;
    // Names are short: no call takes less than this.
    let bits = 0;
    for (let index = 0; index < length; index++) {
      const byte = this.#sought[index] as number;
      bytes[used + index] = byte;
      bits |= byte;
    }
    bytes[used + length] = 0;
    if (bits >= 0x80) chunk.isAscii = false;
    chunk.used += length + 1;
    chunk.kept.push(null);
    chunk.seen.push(null);
    const place = this.#tail * (indexMask + 1) + chunk.starts.push(used) - 1;
    // Last, because it seeks other names.
    if (before !== this.#tail) this.#clean(before);
    return place;
  }

  #grow(shard: Shard): void {
    const { slots } = shard;
    let names = 0;
    for (const slot of slots) if (slot !== noSlot && slot !== goneSlot) names++;
    let size = slots.length;
    while (names * 2 >= size) size *= 2;
    shard.slots = new Uint32Array(size);
    shard.filled = names;
    for (const slot of slots) {
      if (slot === noSlot || slot === goneSlot) continue;
      const chunk = this.#chunks[(slot - 1) >>> indexBits] as NameChunk;
      const index = (slot - 1) & indexMask;
      let free = (this.#hash(chunk.bytes, chunk.starts[index] as number, chunk.endOf(index) - 1) >>> 8) & (size - 1);
      while (shard.slots[free] !== noSlot) free = (free + 1) & (size - 1);
      shard.slots[free] = slot;
    }
  }

  /** Makes a name of a chunk the sought one. @returns its length */
  #seek(chunk: NameChunk, index: number): number {
    return chunk.bytes.copy(this.#sought, 0, chunk.starts[index] as number, chunk.endOf(index) - 1);
  }

  #afterRemoval(place: number): void {
    const number = place >>> indexBits;
    const index = place & indexMask;
    const chunk = this.#chunks[number] as NameChunk;
    if (chunk.has(index)) return;
    this.#count--;
    chunk.goneBytes += chunk.endOf(index) - (chunk.starts[index] as number);
    this.#clean(number);
  }

  /** Gives a chunk up when half of it is gone, but not the one that is being filled. */
  #clean(number: number): void {
    const chunk = this.#chunks[number];
    if (chunk === null || chunk === undefined || number === this.#tail || chunk.goneBytes * 2 < chunk.used) return;
    if (this.#walkers > 0) this.#due.add(number);
    else this.#giveUp(number);
  }

  /** Moves what is left in a chunk behind the others. */
  #giveUp(number: number): void {
    const chunk = this.#chunks[number];
    if (chunk === null || chunk === undefined || number === this.#tail || chunk.goneBytes * 2 < chunk.used) return;
    for (let index = 0; index < chunk.count; index++) {
      const length = this.#seek(chunk, index);
      const hash = this.#hash(this.#sought, 0, length);
      const shard = this.#shards[hash & (shardCount - 1)] as Shard;
      const slot = this.#slotOf(shard, hash, length);
      if (!chunk.has(index)) {
        shard.slots[slot] = goneSlot;
        continue;
      }
      const moved = this.#append(length);
      shard.slots[slot] = moved + 1;
      const target = this.#chunks[moved >>> indexBits] as NameChunk;
      target.kept[moved & indexMask] = chunk.kept[index] as Message | null;
      target.seen[moved & indexMask] = chunk.seen[index] as TopicRecord | null;
    }
    this.#chunks[number] = null;
  }
}
