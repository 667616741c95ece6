// Run after every change of package-lock.json: adds the entries that npm leaves out.
//
// A package with a binary per platform lists all of them as optional dependencies. Where a registry mirror does not
// carry the ones for other platforms, npm writes a lock file without them, and `npm ci` then refuses that lock file
// everywhere. An entry says what npm needs to know: version and platform. It has no integrity, because the file could
// not be seen; npm takes it from the registry on the machine that installs it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './children.mjs';

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/**
 * Optional dependencies that have no entry.
 *
 * @param {{ packages: Record<string, { optionalDependencies?: Record<string, string> }> }} lock
 * @returns {{ place: string, owner: string, name: string, version: string }[]}
 */
export function missingEntries(lock) {
  return Object.entries(lock.packages).flatMap(([owner, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .map(([name, version]) => ({ place: `node_modules/${name}`, owner, name, version }))
      .filter(({ place }) => !(place in lock.packages) && !(`${owner}/${place}` in lock.packages)),
  );
}

function entryFor(lock, { owner, name, version }) {
  const words = name.split(/[/-]/);
  const os = words.filter((word) => systems.includes(word));
  const cpu = words.filter((word) => processors.includes(word));
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`${name} ${version}: cannot tell its platform`);
  }
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : ['glibc'];
  const { dev, license, engines } = lock.packages[owner];
  return {
    version,
    cpu,
    ...(dev ? { dev } : {}),
    ...(os[0] === 'linux' && /musl|gnu/.test(name) ? { libc } : {}),
    license,
    optional: true,
    os,
    ...(engines ? { engines } : {}),
  };
}

if (process.argv[1] === import.meta.filename) {
  const file = join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingEntries(lock);
  for (const entry of missing) lock.packages[entry.place] = entryFor(lock, entry);
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} entries added`);
}
