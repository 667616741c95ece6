/** A file system of a few megabytes that can be filled: a tmpfs, which only root may mount, and not in every container. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programPath } from '../harness/programs.ts';
import type { Resources } from '../harness/resources.ts';

const chunk = Buffer.alloc(4096, 'x');

export class SmallDisk {
  readonly path: string;

  /** @throws Error when nothing can be mounted here */
  constructor(megabytes: number) {
    this.path = mkdtempSync(join(tmpdir(), 'moustique-disk-'));
    try {
      const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'moustique-test', this.path];
      execFileSync(programPath('mount'), options, { stdio: 'pipe' });
    } catch (error) {
      rmdirSync(this.path);
      throw error;
    }
  }

  /** Takes all the room that is left. */
  fill(): void {
    const descriptor = openSync(join(this.path, 'ballast'), 'a');
    try {
      for (;;) writeSync(descriptor, chunk);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Gives back what {@link fill} took. */
  makeRoom(): void {
    rmSync(join(this.path, 'ballast'), { force: true });
  }

  /** How many files of this size are there, also in folders. */
  filesOf(bytes: number): number {
    const names = readdirSync(this.path, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => statSync(join(this.path, name)).size === bytes).length;
  }

  close(): void {
    execFileSync(programPath('umount'), [this.path], { stdio: 'pipe' });
    rmdirSync(this.path);
  }
}

export function smallDisk(resources: Resources, megabytes: number): SmallDisk {
  return resources.add(new SmallDisk(megabytes));
}

/**
 * Why no such disk can be had here, null when it can.
 *
 * @throws Error that names the program that is missing, under CI=true
 */
export function noSmallDisk(): string | null {
  try {
    programPath('mount');
    programPath('umount');
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return String(error);
  }
  try {
    new SmallDisk(1).close();
    return null;
  } catch (error) {
    const what = process.getuid?.() === 0 ? 'this machine does not let root mount a tmpfs' : 'needs root';
    return `${what}: ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
}
