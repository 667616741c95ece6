/**
 * A file on a disk that forgets like a real one: its content as programs read it, and what a power cut would leave of that.
 *
 * Only what differs is kept: per sector that is not safe, what the platter holds. So a sync costs what was written since the
 * last one, and a copy of the whole file shares its bytes until one of both is written to.
 */
import type { Random } from './random.ts';

const sectorSize = 512;

/** A sector of which the platter holds something else than programs read. */
interface UnsafeSector {
  /** What the platter holds; shorter where the file ended. */
  readonly platter: Buffer;
  /** What the sector held after each write since the last sync; none when a sync failed and gave it up. */
  readonly versions: readonly Buffer[];
}

export class SimulatedFile {
  #bytes: Buffer = Buffer.alloc(0);
  #size = 0;
  /** Bytes that the file has for sure after a power cut. */
  #platterSize = 0;
  #isShared = false;
  #unsafe = new Map<number, UnsafeSector>();

  constructor(content?: Buffer) {
    if (content === undefined) return;
    this.#bytes = content;
    this.#size = this.#platterSize = content.length;
    this.#isShared = true;
  }

  get size(): number {
    return this.#size;
  }

  /** What programs read. Changes with the next write. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  read(target: Buffer, start: number, end: number, position: number): number {
    return this.#bytes.copy(target, start, position, Math.min(position + end - start, this.#size));
  }

  write(bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    this.#makeRoom(end);
    const size = Math.max(this.#size, end);
    for (let sector = Math.floor(position / sectorSize); sector * sectorSize < end; sector++) {
      const from = sector * sectorSize;
      const to = Math.min(from + sectorSize, size);
      const before = this.#unsafe.get(sector);
      const platter = before?.platter ?? Buffer.from(this.#bytes.subarray(from, Math.min(to, this.#platterSize)));
      const first = Math.max(from, position);
      bytes.copy(this.#bytes, first, first - position, Math.min(to, end) - position);
      const version = Buffer.from(this.#bytes.subarray(from, to));
      this.#unsafe.set(sector, { platter, versions: before === undefined ? [version] : [...before.versions, version] });
    }
    this.#size = size;
  }

  /** Everything is safe now, but for what an earlier sync gave up. */
  sync(): void {
    for (const [sector, { versions }] of this.#unsafe) if (versions.length > 0) this.#unsafe.delete(sector);
    this.#platterSize = this.#size;
  }

  /** What was written since the last sync is safe or lost by chance; no later sync brings it back, as on Linux. */
  failSync(random: Random): void {
    const settled = this.afterPowerCut(random);
    for (const [sector, { versions }] of this.#unsafe) {
      if (versions.length === 0) continue;
      const start = sector * sectorSize;
      const platter = Buffer.from(settled.content.subarray(start, start + sectorSize));
      this.#unsafe.set(sector, { platter, versions: [] });
    }
    this.#platterSize = settled.size;
  }

  /** Unsafe sectors have by chance reached the platter wholly, in an earlier version, torn, or not at all. */
  afterPowerCut(random: Random): SimulatedFile {
    const grown = this.#size - this.#platterSize;
    const size = this.#platterSize + (grown > 0 ? random.below(grown + 1) : 0);
    if (this.#unsafe.size === 0 && size === this.#size) return this.copy();
    const bytes = Buffer.from(this.#bytes.subarray(0, size));
    for (const [sector, { platter, versions }] of this.#unsafe) {
      const start = sector * sectorSize;
      if (start >= size) continue;
      bytes.fill(0, start, Math.min(start + sectorSize, size));
      platter.copy(bytes, start);
      if (versions.length === 0) continue;
      const version = random.pick(versions);
      switch (random.below(4)) {
        case 0:
          break;
        case 1:
          version.copy(bytes, start, 0, random.below(version.length + 1));
          break;
        default:
          version.copy(bytes, start);
      }
    }
    return new SimulatedFile(bytes);
  }

  /** The same file, independent of this one from now on. */
  copy(): SimulatedFile {
    const copy = new SimulatedFile();
    copy.#bytes = this.#bytes;
    copy.#size = this.#size;
    copy.#platterSize = this.#platterSize;
    copy.#unsafe = new Map(this.#unsafe);
    copy.#isShared = this.#isShared = true;
    return copy;
  }

  #makeRoom(end: number): void {
    if (end <= this.#bytes.length && !this.#isShared) return;
    const bytes = Buffer.alloc(end <= this.#bytes.length ? this.#bytes.length : Math.max(1024, 2 * end));
    this.#bytes.copy(bytes, 0, 0, this.#size);
    this.#bytes = bytes;
    this.#isShared = false;
  }
}
