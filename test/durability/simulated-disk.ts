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
import { SimulatedFile } from './simulated-file.ts';

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

type DirectoryChange = { readonly path: string; readonly file: SimulatedFile | null };

export class SimulatedDisk implements Disk {
  /** Path → file, as the program sees it. */
  #cached = new Map<string, SimulatedFile>();
  /** Path → file, as of the last directory sync. */
  #platter = new Map<string, SimulatedFile>();
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
    for (const file of this.#cached.values()) size += file.size;
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
    return this.ifPowerWent(this.#random);
  }

  /** What {@link afterKill} would return; this process goes on, and neither sees what the other writes. */
  ifKilled(random: Random): SimulatedDisk {
    const next = new SimulatedDisk(random);
    const copies = new Map<SimulatedFile, SimulatedFile>();
    const copyOf = (file: SimulatedFile): SimulatedFile => {
      const copy = copies.get(file) ?? file.copy();
      copies.set(file, copy);
      return copy;
    };
    for (const [path, file] of this.#cached) next.#cached.set(path, copyOf(file));
    for (const [path, file] of this.#platter) next.#platter.set(path, copyOf(file));
    for (const [directory, list] of this.#changes) {
      const copied = list.map((changes) =>
        changes.map(({ path, file }) => ({ path, file: file === null ? null : copyOf(file) })),
      );
      next.#changes.set(directory, copied);
    }
    return next;
  }

  /** What {@link afterPowerCut} might return; this process goes on, and neither sees what the other writes. */
  ifPowerWent(random: Random): SimulatedDisk {
    const next = new SimulatedDisk(random);
    const platter = new Map(this.#platter);
    for (const changes of this.#changes.values()) {
      for (const change of changes.slice(0, random.below(changes.length + 1))) apply(platter, change);
    }
    for (const [path, file] of platter) {
      const after = file.afterPowerCut(random);
      next.#cached.set(path, after);
      next.#platter.set(path, after);
    }
    return next;
  }

  /** A file's content, to look at or to damage. */
  content(path: string): Buffer | undefined {
    return this.#cached.get(path)?.content;
  }

  /** Puts a file there, durable. */
  put(path: string, content: Buffer): void {
    const file = new SimulatedFile(content);
    this.#cached.set(path, file);
    this.#platter.set(path, file);
  }

  get paths(): string[] {
    return [...this.#cached.keys()].sort();
  }

  openToRead(path: string): ReadableFile | null {
    const file = this.#cached.get(path);
    if (file === undefined) return null;
    return {
      size: file.size,
      read: (target, start, end, position) => file.read(target, start, end, position),
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
    const file = this.#cached.get(path);
    if (file !== undefined && !this.#cached.has(second)) this.#change(second, [{ path: second, file }]);
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
    const file = new SimulatedFile();
    this.#change(path, [{ path, file }]);
    return this.#writable(path, file);
  }

  async openToWrite(path: string): Promise<WritableFile> {
    await this.#step('open', path);
    const file = this.#cached.get(path);
    if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return this.#writable(path, file);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step('rename', to);
    this.renameNow(from, to);
  }

  renameNow(from: string, to: string): void {
    const file = this.#cached.get(from);
    if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    this.#change(to, [
      { path: from, file: null },
      { path: to, file },
    ]);
  }

  async remove(path: string): Promise<void> {
    await this.#step('remove', path);
    if (this.#cached.has(path)) this.#change(path, [{ path, file: null }]);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#step('syncDirectory', path);
    for (const changes of this.#changes.get(path) ?? []) apply(this.#platter, changes);
    this.#changes.delete(path);
  }

  #writable(path: string, file: SimulatedFile): WritableFile {
    return {
      write: async (bytes, start, end, position) => {
        const isTorn = await this.#step('write', path);
        file.write(bytes.subarray(start, isTorn ? start + this.#random.below(end - start) : end), position);
        if (isTorn) throw new ProcessEnd('the process has ended');
      },
      sync: async () => {
        try {
          await this.#step('sync', path);
        } catch (error) {
          if (!(error instanceof ProcessEnd)) file.failSync(this.#random);
          throw error;
        }
        file.sync();
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
    apply(this.#cached, changes);
    const directory = dirname(path);
    const list = this.#changes.get(directory) ?? [];
    list.push(changes);
    this.#changes.set(directory, list);
  }
}

function apply(files: Map<string, SimulatedFile>, changes: readonly DirectoryChange[]): void {
  for (const { path, file } of changes) {
    if (file === null) files.delete(path);
    else files.set(path, file);
  }
}
