// dist/lib: the library, by tsc (JavaScript and declarations, one file per source file).
// dist/bin: the executables, by esbuild; see build-executables.mjs.
//
// dist/console: the web console's static files, by esbuild; see build-console.mjs.
//
// Each part is built beside its place and moved in when complete, so that a failed build leaves the last good one, and
// carries a digest of what it was made from, so that an up-to-date part is not built again.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { consoleSources, writeConsole } from './build-console.mjs';
import { writeExecutables } from './build-executables.mjs';
import { root, runNode } from './children.mjs';
import { ensureNodeModules } from './setup.mjs';

const dist = join(root, 'dist');

/** Build what is out of date. @returns {Promise<number>} exit status */
export async function buildAll() {
  await ensureNodeModules();
  const library = await buildLibrary();
  const executables = await buildExecutables();
  const pages = await buildConsole();
  return library === 0 && executables === 0 && pages === 0 ? 0 : 1;
}

/** @returns {Promise<number>} exit status of tsc, 0 if nothing had to be done */
export function buildLibrary() {
  return replaceWhenStale('lib', async (folder) => {
    console.log('Building the library (tsc) …');
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    return runNode([tsc, '-p', 'tsconfig.build.json', '--outDir', folder]);
  });
}

/** @returns {Promise<number>} 0, or 1 after esbuild has said what is wrong */
export function buildExecutables() {
  // What V8 compiled belongs to one Node.
  return replaceWhenStale('bin', writeExecutables, ['src'], process.version);
}

/** @returns {Promise<number>} 0, or 1 after it has been said what is wrong */
export function buildConsole() {
  return replaceWhenStale(
    'console',
    async (folder) => {
      console.log('Building the console (esbuild) …');
      return writeConsole(folder);
    },
    consoleSources,
  );
}

async function replaceWhenStale(name, build, folders = ['src'], builder = '') {
  const place = join(dist, name);
  const stamp = join(dist, `.${name}.digest`);
  const digest = digestOfSources(folders, builder);
  if (existsSync(place) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return 0;
  const fresh = join(dist, `.${name}-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  try {
    const status = await build(fresh);
    if (status !== 0) return status;
    rmSync(place, { recursive: true, force: true });
    renameSync(fresh, place);
    writeFileSync(stamp, digest);
    return 0;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Digest over names and contents of everything a build reads. Contents, not times: a checkout changes times. */
function digestOfSources(places, builder) {
  const hash = createHash('sha256').update(builder);
  const files = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
    'scripts/build-executables.mjs',
    'scripts/write-code-cache.cjs',
    'bin/v8-options.js',
    'scripts/build-console.mjs',
    'scripts/console-guide.mjs',
  ].map((f) => join(root, f));
  for (const place of places) {
    if (place.endsWith('.md')) files.push(join(root, place));
    else
      for (const entry of readdirSync(join(root, place), { recursive: true, withFileTypes: true })) {
        if (entry.isFile() && !entry.name.endsWith('.test.ts'))
          files.push(join(entry.parentPath ?? entry.path, entry.name));
      }
  }
  for (const file of files.sort())
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}
