import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from './harness/repository.ts';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly cpu?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const read = (file: string): unknown => JSON.parse(readFileSync(join(repositoryRoot, file), 'utf8'));
const lock = read('package-lock.json') as { readonly packages: Readonly<Record<string, LockEntry>> };
const manifest = read('package.json') as Readonly<Record<string, Readonly<Record<string, string>>>>;
const packages = Object.entries(lock.packages).filter(([place]) => place !== '');

/** Places in the lock file of what an install of the package brings: its dependencies and theirs, not their optional peers. */
const usersPackages = new Set<string>();
function install(names: readonly string[], owner: string): void {
  for (const name of names) {
    const own = `${owner}/node_modules/${name}`;
    const place = own in lock.packages ? own : `node_modules/${name}`;
    if (usersPackages.has(place)) continue;
    usersPackages.add(place);
    const entry = lock.packages[place];
    install(Object.keys({ ...entry?.dependencies, ...entry?.optionalDependencies }), place);
  }
}
install(Object.keys(manifest['dependencies'] ?? {}), '');

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
  const installed = packages.filter(([place]) => usersPackages.has(place));
  expect(installed.length).toBeGreaterThan(0);
  expect(installed.filter(([, entry]) => entry.hasInstallScript === true || entry.cpu !== undefined)).toEqual([]);
});

test('npm start and npm test begin before anything is installed: no script imports a package at its top', () => {
  const scripts = readdirSync(join(repositoryRoot, 'scripts')).filter((file) => file.endsWith('.mjs'));
  const imported = scripts.flatMap((file) =>
    [...readFileSync(join(repositoryRoot, 'scripts', file), 'utf8').matchAll(/^(?:import .*|\} )from '([^']+)'/gm)]
      .map((match) => match[1] ?? '')
      .filter((from) => !from.startsWith('node:') && !from.startsWith('./'))
      .map((from) => `${file}: ${from}`),
  );
  expect(scripts.length).toBeGreaterThan(5);
  expect(imported).toEqual([]);
});

test('every executable has its launcher, its entry and its name in package.json', () => {
  const names = readdirSync(join(repositoryRoot, 'src/cli/entry')).map((file) => file.replace(/\.ts$/, ''));
  expect(names).toContain('moustique');
  expect(manifest['bin']).toEqual(Object.fromEntries(names.map((name) => [name, `bin/${name}.js`])));
  const launchers = readdirSync(join(repositoryRoot, 'bin'));
  expect(launchers.toSorted()).toEqual(
    [...names.map((name) => `${name}.js`), 'package.json', 'v8-options.js'].toSorted(),
  );
  for (const name of names) {
    const launcher = `${name}.js`;
    const text = readFileSync(join(repositoryRoot, 'bin', launcher), 'utf8');
    expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
    const [, bundle = ''] = /(?:import|require)\('\.\.\/(dist\/bin\/\w+\.c?js)'\)/.exec(text) ?? [];
    expect(bundle).toMatch(new RegExp(`/${name}\\.`));
    expect(existsSync(join(repositoryRoot, bundle)), `${bundle} of ${launcher}`).toBe(true);
    expect(statSync(join(repositoryRoot, 'bin', launcher)).mode & 0o111).toBe(0o111);
  }
});

test('what package.json points at exists', () => {
  const places = ['LICENSE', 'README.md', 'CHANGELOG.md', 'moustique.conf', 'systemd/moustique.service'];
  const manuals = manifest['man'] as unknown as readonly string[];
  expect([...places, ...manuals].filter((place) => !existsSync(join(repositoryRoot, place)))).toEqual([]);
});
