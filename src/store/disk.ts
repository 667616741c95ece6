/**
 * The few things a store does with files, so that a test can put a simulated disk underneath.
 *
 * What happens before the broker serves (looking, reading, locking) is synchronous; what happens while it serves is not.
 * Errors are Node's, with their `code`.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lockFile } from './lock-file.ts';

/** A file open for reading. */
export interface ReadableFile {
  /** Bytes at the time of opening. */
  readonly size: number;
  /** Fills `target[start..end)` from `position` on; returns how many bytes there were. */
  read(target: Buffer, start: number, end: number, position: number): number;
  close(): void;
}

/** A file open for writing. */
export interface WritableFile {
  /** Writes all of `bytes[start..end)` at `position`; the bytes must not change until then. */
  write(bytes: Buffer, start: number, end: number, position: number): Promise<void>;
  /** Resolves when everything written, and the file's size, survive a power cut (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** Opens a file for reading; null when there is none. */
  openToRead(path: string): ReadableFile | null;
  /** Names in a directory, unsorted; none when there is no such directory. */
  list(directory: string): string[];
  /** Makes a directory (mode 0700) with its parents; harmless when it exists. */
  makeDirectory(path: string): void;
  /** Makes an empty file (mode 0600) for writing; one of that name is removed first, never written through. */
  create(path: string): Promise<WritableFile>;
  /** Opens an existing file for writing without emptying it. */
  openToWrite(path: string): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  renameNow(from: string, to: string): void;
  /** Removes a file; harmless when there is none. */
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in the directory survive a power cut. */
  syncDirectory(path: string): Promise<void>;
  exists(path: string): boolean;
  /** Gives a file a second name; does nothing when that name is taken. */
  linkNow(path: string, second: string): void;
  /** Makes a file of a few bytes, before the broker serves. */
  writeNow(path: string, bytes: Buffer): void;
  /** Makes a file that is there wholly, and survives a power cut, or not at all. */
  writeDurablyNow(path: string, bytes: Buffer): void;
  /**
   * Takes hold of a directory for this process, until it ends in whatever way or calls `release`.
   *
   * @param path - of the lock file
   * @returns null when another process has it; its number is then in the file
   */
  lock(path: string): { release(): void } | null;
}

/** The error's code (`ENOSPC`), or its text when it has none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return String(error);
}

/** The disk of the machine. */
export function systemDisk(): Disk {
  return {
    openToRead(path) {
      let descriptor: number;
      try {
        descriptor = openSync(path, 'r');
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return null;
        throw error;
      }
      return {
        size: fstatSync(descriptor).size,
        read(target, start, end, position) {
          let done = 0;
          while (start + done < end) {
            const count = readSync(descriptor, target, start + done, end - start - done, position + done);
            if (count === 0) break;
            done += count;
          }
          return done;
        },
        close: () => closeSync(descriptor),
      };
    },
    list(directory) {
      try {
        return readdirSync(directory);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return [];
        throw error;
      }
    },
    makeDirectory(path) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    },
    async create(path) {
      await rm(path, { force: true });
      return openWritable(path, 'wx');
    },
    openToWrite: (path) => openWritable(path, 'r+'),
    rename,
    renameNow: renameSync,
    remove: (path) => rm(path, { force: true }),
    async syncDirectory(path) {
      const handle = await open(path, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    exists: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
    linkNow(path, second) {
      try {
        linkSync(path, second);
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
    },
    writeNow: (path, bytes) => writeFileSync(path, bytes, { mode: 0o600 }),
    writeDurablyNow(path, bytes) {
      const aside = `${path}.new`;
      const descriptor = openSync(aside, 'w', 0o600);
      try {
        let done = 0;
        while (done < bytes.length) done += writeSync(descriptor, bytes, done);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(aside, path);
      const directory = openSync(dirname(path), 'r');
      try {
        fsyncSync(directory);
      } finally {
        closeSync(directory);
      }
    },
    lock: lockFile,
  };
}

async function openWritable(path: string, flags: string): Promise<WritableFile> {
  const handle = await open(path, flags, 0o600);
  return {
    async write(bytes, start, end, position) {
      let done = 0;
      while (start + done < end) {
        const { bytesWritten } = await handle.write(bytes, start + done, end - start - done, position + done);
        done += bytesWritten;
      }
    },
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/**
 * The bytes of a file; null when there is none.
 *
 * @param bytesMax - of a longer file only so many from its beginning
 */
export function readWhole(disk: Disk, path: string, bytesMax = Number.POSITIVE_INFINITY): Buffer | null {
  const file = disk.openToRead(path);
  if (file === null) return null;
  try {
    const size = Math.min(file.size, bytesMax);
    const bytes = Buffer.allocUnsafeSlow(size);
    return bytes.subarray(0, file.read(bytes, 0, size, 0));
  } finally {
    file.close();
  }
}
