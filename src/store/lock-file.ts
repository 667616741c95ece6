/**
 * A lock on a directory that no crash leaves behind.
 *
 * Node cannot lock files itself, so `flock` of util-linux does it once: it locks the open file it inherits, and the lock stays
 * with that file, which only we keep open, until we close it or end. Where there is no `flock` the number of the process in the
 * file has to do; it is compared with the running processes.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

/** @returns null when another process has the lock; its number is then in the file */
export function lockFile(path: string): { release(): void } | null {
  const descriptor = openSync(path, 'a+', 0o600);
  const { status, error } = spawnSync('flock', ['-n', '-x', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  const isTaken = error === undefined ? status !== 0 : isRunning(readFileSync(path, 'utf8'));
  if (isTaken) {
    closeSync(descriptor);
    return null;
  }
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`);
  return {
    release() {
      ftruncateSync(descriptor);
      closeSync(descriptor);
    },
  };
}

function isRunning(text: string): boolean {
  const pid = Number.parseInt(text, 10);
  if (!Number.isInteger(pid) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
