/**
 * A disk in memory that forgets like a real one.
 *
 * What a program reads is the cache. What a power cut leaves is the platter: every file as of its last sync, plus, for each
 * sector written since, by chance the old bytes, the new ones, those of a write in between, or a sector torn in the middle;
 * plus a beginning of the directory changes since the directory's last sync. A sync that fails loses by chance what it should
 * have written, and later syncs do not bring it back, as Linux does it.
 */
import { basename, dirname } from 'node:path';
import type { Disk, ReadableFile, WritableFile } from '../../src/store/disk.ts';
import type { Random } from './random.ts';

const sectorSize = 512;

/** A step of the disk at which something can go wrong. */
export interface DiskCall {
  readonly kind: 'create' | 'open' | 'write' | 'sync' | 'rename' | 'remove' | 'syncDirectory';
  readonly path: string;
  /** Counted from 0. */
  readonly index: number;
}

/** The process is gone, nothing it still does reaches the disk. */
export class ProcessEnd extends Error {
  override readonly name = 'ProcessEnd';
}

class Inode {
  cached: Buffer = Buffer.alloc(0);
  platter: Buffer = Buffer.alloc(0);
  /** Sectors written since the last sync → what they held after each of those writes. */
  readonly dirty = new Map<number, Buffer[]>();

  write(bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    if (end > this.cached.length) {
      const grown = Buffer.alloc(end);
      this.cached.copy(grown);
      this.cached = grown;
    }
    bytes.copy(this.cached, position);
    for (let sector = Math.floor(position / sectorSize); sector * sectorSize < end; sector++) {
      const versions = this.dirty.get(sector) ?? [];
      versions.push(Buffer.from(this.cached.subarray(sector * sectorSize, (sector + 1) * sectorSize)));
      this.dirty.set(sector, versions);
    }
  }

  /** Sectors reach the platter by chance, wholly, in an earlier version, or torn. */
  settle(random: Random): void {
    let size = this.platter.length;
    if (this.cached.length > size) size += random.below(this.cached.length - size + 1);
    const platter = Buffer.alloc(Math.max(size, this.platter.length));
    this.platter.copy(platter);
    for (const [sector, versions] of this.dirty) {
      const start = sector * sectorSize;
      if (start >= platter.length) continue;
      const version = random.pick(versions);
      switch (random.below(4)) {
        case 0:
          break;
        case 1:
          version.copy(platter, start, 0, random.below(version.length + 1));
          break;
        default:
          version.copy(platter, start);
      }
    }
    this.platter = platter;
    this.dirty.clear();
  }

  persist(): void {
    this.platter = Buffer.from(this.cached);
    this.dirty.clear();
  }
}

type DirectoryChange = { readonly path: string; readonly inode: Inode | null };

export class SimulatedDisk implements Disk {
  /** Path → file, as the program sees it. */
  #cached = new Map<string, Inode>();
  /** Path → file, as of the last directory sync. */
  #platter = new Map<string, Inode>();
  /** Directory → changes since its last sync, each all or nothing. */
  readonly #changes = new Map<string, DirectoryChange[][]>();
  readonly #random: Random;
  #calls = 0;
  #isGone = false;

  /**
   * Asked before every call that changes something; may throw an error of the disk. `ends` ends the process before the call,
   * `tears` in the middle of it.
   */
  onCall: ((call: DiskCall) => 'ends' | 'tears' | undefined) | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Calls so far. */
  get calls(): number {
    return this.#calls;
  }

  /** The process is over at once: no call under way or to come does anything. */
  end(): void {
    this.#isGone = true;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Bytes in all files, as the program sees them. */
  get size(): number {
    let size = 0;
    for (const inode of this.#cached.values()) size += inode.cached.length;
    return size;
  }

  /** The process ends: everything it gave to the system stays. Returns the disk for the next process. */
  afterKill(): SimulatedDisk {
    const next = new SimulatedDisk(this.#random);
    this.#isGone = true;
    next.#cached = this.#cached;
    next.#platter = this.#platter;
    for (const [directory, changes] of this.#changes) next.#changes.set(directory, changes);
    return next;
  }

  /** The power goes. Returns the disk as it is when it comes back. */
  afterPowerCut(): SimulatedDisk {
    this.#isGone = true;
    const next = new SimulatedDisk(this.#random);
    for (const changes of this.#changes.values()) {
      for (const change of changes.slice(0, this.#random.below(changes.length + 1))) this.#apply(change);
    }
    for (const [path, inode] of this.#platter) {
      inode.settle(this.#random);
      const after = new Inode();
      after.cached = Buffer.from(inode.platter);
      after.persist();
      next.#cached.set(path, after);
      next.#platter.set(path, after);
    }
    return next;
  }

  /** A file's content, to look at or to damage. */
  content(path: string): Buffer | undefined {
    return this.#cached.get(path)?.cached;
  }

  /** Puts a file there, durable. */
  put(path: string, content: Buffer): void {
    const inode = new Inode();
    inode.cached = content;
    inode.persist();
    this.#cached.set(path, inode);
    this.#platter.set(path, inode);
  }

  get paths(): string[] {
    return [...this.#cached.keys()].sort();
  }

  openToRead(path: string): ReadableFile | null {
    const content = this.#cached.get(path)?.cached;
    if (content === undefined) return null;
    return {
      size: content.length,
      read: (target, start, end, position) => content.copy(target, start, position, position + end - start),
      close: () => {},
    };
  }

  list(directory: string): string[] {
    return [...this.#cached.keys()].filter((path) => dirname(path) === directory).map((path) => basename(path));
  }

  exists(path: string): boolean {
    return this.#cached.has(path);
  }

  makeDirectory(): void {}

  linkNow(path: string, second: string): void {
    const inode = this.#cached.get(path);
    if (inode !== undefined && !this.#cached.has(second)) this.#change(second, [{ path: second, inode }]);
  }

  writeNow(path: string, bytes: Buffer): void {
    this.put(path, Buffer.from(bytes));
  }

  writeDurablyNow(path: string, bytes: Buffer): void {
    const verdict = this.onCall?.({ kind: 'create', path, index: this.#calls++ });
    if (verdict !== undefined) {
      this.#isGone = true;
      throw new ProcessEnd('the process has ended');
    }
    this.put(path, Buffer.from(bytes));
  }

  lock(): { release(): void } | null {
    return { release: () => {} };
  }

  async create(path: string): Promise<WritableFile> {
    await this.#step('create', path);
    const inode = new Inode();
    this.#change(path, [{ path, inode }]);
    return this.#writable(path, inode);
  }

  async openToWrite(path: string): Promise<WritableFile> {
    await this.#step('open', path);
    const inode = this.#cached.get(path);
    if (inode === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return this.#writable(path, inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step('rename', to);
    this.renameNow(from, to);
  }

  renameNow(from: string, to: string): void {
    const inode = this.#cached.get(from);
    if (inode === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    this.#change(to, [
      { path: from, inode: null },
      { path: to, inode },
    ]);
  }

  async remove(path: string): Promise<void> {
    await this.#step('remove', path);
    if (this.#cached.has(path)) this.#change(path, [{ path, inode: null }]);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#step('syncDirectory', path);
    for (const change of this.#changes.get(path) ?? []) this.#apply(change);
    this.#changes.delete(path);
  }

  #writable(path: string, inode: Inode): WritableFile {
    return {
      write: async (bytes, start, end, position) => {
        const isTorn = await this.#step('write', path);
        inode.write(bytes.subarray(start, isTorn ? start + this.#random.below(end - start) : end), position);
        if (isTorn) throw new ProcessEnd('the process has ended');
      },
      sync: async () => {
        try {
          await this.#step('sync', path);
        } catch (error) {
          if (!(error instanceof ProcessEnd)) inode.settle(this.#random);
          throw error;
        }
        inode.persist();
      },
      close: async () => {},
    };
  }

  /** Lets other work go on first, as a real call does. Returns whether the process ends in the middle of the call. */
  async #step(kind: DiskCall['kind'], path: string): Promise<boolean> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (this.#isGone) throw new ProcessEnd('the process has ended');
    const index = this.#calls++;
    const verdict = this.onCall?.({ kind, path, index });
    if (verdict === undefined) return false;
    this.#isGone = true;
    if (verdict === 'tears' && kind === 'write') return true;
    throw new ProcessEnd('the process has ended');
  }

  #change(path: string, changes: DirectoryChange[]): void {
    for (const change of changes) {
      if (change.inode === null) this.#cached.delete(change.path);
      else this.#cached.set(change.path, change.inode);
    }
    const directory = dirname(path);
    const list = this.#changes.get(directory) ?? [];
    list.push(changes);
    this.#changes.set(directory, list);
  }

  #apply(changes: DirectoryChange[]): void {
    for (const change of changes) {
      if (change.inode === null) this.#platter.delete(change.path);
      else this.#platter.set(change.path, change.inode);
    }
  }
}
