import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFile } from './lock-file.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moustique-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a lock is held once, names its process, and can be had again after its release', () => {
  const path = join(directory, 'lock');
  const lock = lockFile(path);
  expect(lock).not.toBeNull();
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  expect(lockFile(path)).toBeNull();

  lock?.release();
  const again = lockFile(path);
  expect(again).not.toBeNull();
  again?.release();
});

test('another process is kept out, and the end of a process gives the lock free', () => {
  const path = join(directory, 'lock');
  const lock = lockFile(path);
  const tryIt = ['flock', '-n', path, 'true'] as const;
  const isFree = (): boolean => spawnSync(tryIt[0], tryIt.slice(1)).status === 0;
  expect(isFree()).toBe(false);
  lock?.release();
  expect(isFree()).toBe(true);
});
