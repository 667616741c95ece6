import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from './harness/repository.ts';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const read = (file: string): unknown => JSON.parse(readFileSync(join(repositoryRoot, file), 'utf8'));
const lock = read('package-lock.json') as { readonly packages: Readonly<Record<string, LockEntry>> };
const manifest = read('package.json') as Readonly<Record<string, Readonly<Record<string, string>>>>;
const packages = Object.entries(lock.packages).filter(([place]) => place !== '');

test('every dependency is pinned to one version', () => {
  const wanted = { ...manifest['dependencies'], ...manifest['devDependencies'] };
  expect(Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  expect(packages.filter(([, entry]) => entry.version === undefined)).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(packages.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
});

test('the lock file has an entry for every platform, or npm ci refuses it (scripts/complete-lock.mjs)', () => {
  const missing = packages.flatMap(([owner, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in lock.packages) && !(`${owner}/node_modules/${name}` in lock.packages),
    ),
  );
  expect(missing).toEqual([]);
});

test('only binaries of other platforms have no integrity', () => {
  expect(packages.filter(([, entry]) => entry.integrity === undefined && entry.cpu === undefined)).toEqual([]);
});

test('what users install is JavaScript: no install script, no binary for one kind of processor', () => {
  const installed = packages.filter(([, entry]) => entry.dev !== true);
  expect(installed.length).toBeGreaterThan(0);
  expect(installed.filter(([, entry]) => entry.hasInstallScript === true || entry.cpu !== undefined)).toEqual([]);
});
