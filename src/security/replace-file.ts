/** Writing a file so that a reader, or a crash, sees either the old content or the new one. */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { builtins } from '../base/builtins.ts';

/** Errors that mean "not by a new file here": a read-only directory, a file mounted into a container. */
const NOT_BY_RENAME = new Set(['EACCES', 'EPERM', 'EBUSY', 'EXDEV', 'EROFS']);

/** Whether the file may still be written in place. */
export function notByRename(error: unknown): boolean {
  return NOT_BY_RENAME.has(codeOf(error));
}

/**
 * Replaces the content of an existing file, keeping owner, group and mode; a symbolic link stays one.
 *
 * The new content is written and synced beside the file and takes its place by a rename. Where that is not possible the file is
 * written in place.
 *
 * @throws Error - of the system call that failed, with its `code`
 */
export function replaceFile(path: string, content: Buffer): void {
  const real = realpathSync(path);
  const { mode, uid, gid } = statSync(real);
  const fresh = `${real}.new.${builtins.crypto.randomBytes(6).toString('hex')}`;
  try {
    writeSynced(fresh, content, (fd) => {
      fchownSync(fd, uid, gid);
      fchmodSync(fd, mode & 0o7777);
    });
    renameSync(fresh, real);
  } catch (error) {
    rmSync(fresh, { force: true });
    if (!notByRename(error)) throw error;
    writeFileSync(real, content);
  }
}

/**
 * Makes a file that must not exist yet, readable by its owner alone.
 *
 * @throws Error - `EEXIST` and the like
 */
export function createPrivateFile(path: string, content: Buffer): void {
  writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
  chmodSync(path, 0o600);
}

function writeSynced(path: string, content: Buffer, prepare: (fd: number) => void): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    prepare(fd);
    writeFileSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
