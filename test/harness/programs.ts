import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';
import { repositoryRoot } from './repository.ts';

/** Programs of Debian packages that some tests need; `npm test` installs them when it may. */
export type Program = 'mosquitto' | 'mosquitto_pub' | 'chromium' | 'openssl' | 'influxd';

const packages = JSON.parse(readFileSync(join(repositoryRoot, 'scripts/debian-packages.json'), 'utf8')) as readonly {
  readonly program: Program;
  readonly package: string;
  /** some releases of Debian do not have it */
  readonly isNotEverywhere?: boolean;
}[];

/**
 * Where a program is, or undefined. Looks into the sbin folders too, which are not on an ordinary user's PATH.
 */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error that names the package to install */
export function programPath(name: string): string {
  const path = findProgram(name);
  if (path === undefined) {
    const packageName = packages.find((entry) => entry.program === name)?.package;
    throw new Error(
      `${name} is not installed${packageName === undefined ? '' : `; sudo apt-get install ${packageName}`}`,
    );
  }
  return path;
}

/**
 * A `describe` whose tests need programs of Debian packages.
 *
 * Where one is missing the tests are skipped and the title says what to install; under CI=true they run and fail. What the
 * package index of this machine does not have cannot be asked for: the title says that, under CI=true too.
 */
export function describeWith(needed: readonly Program[], title: string, body: () => void): void {
  const missing = packages.filter(
    (entry) => needed.includes(entry.program) && findProgram(entry.program) === undefined,
  );
  const absent = missing.find((entry) => entry.isNotEverywhere === true && !isOffered(entry.package));
  if (absent !== undefined) {
    describe.skip(`${title} [skipped: apt-cache policy knows no package ${absent.package}]`, body);
    return;
  }
  if (missing.length === 0 || process.env['CI'] === 'true') {
    describe(title, body);
    return;
  }
  const line = `sudo apt-get install ${missing.map((entry) => entry.package).join(' ')}`;
  describe.skip(`${title} [skipped: ${line}]`, body);
}

function isOffered(name: string): boolean {
  const env = { ...process.env, LC_ALL: 'C' };
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8', env });
  return /^ *Candidate: (?!\(none\))\S/m.test(stdout ?? '');
}
