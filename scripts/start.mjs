// npm start, npm run dev, npm run bench: what runs a broker.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildAll, buildConsole, buildExecutables } from './build.mjs';
import { root, runNode } from './children.mjs';
import { ensureNodeModules } from './setup.mjs';

const defaultConfig = 'moustique.conf';

/**
 * Install, build, and become the broker. It runs in this very process: signals reach it and its exit status is ours.
 *
 * @param {string[]} args - options of `moustique`
 */
export async function start(args) {
  await ensureNodeModules();
  if ((await buildExecutables()) !== 0 || (await buildConsole()) !== 0) return 1;
  const launcher = join(root, 'bin', 'moustique.js');
  process.argv = [process.execPath, launcher, ...withDefaultConfig(args)];
  await import(launcher);
  return undefined;
}

/** Run the broker from the sources and start it again when one of them changes. */
export async function dev(args) {
  await ensureNodeModules();
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  return runNode([tsx, 'watch', join('src', 'cli', 'entry', 'moustique.ts'), ...withDefaultConfig(args)]);
}

/** The benchmarks; see bench/README.md. */
export async function bench(args) {
  const status = await buildAll();
  return status === 0 ? runNode([join('bench', 'main.mjs'), ...args]) : status;
}

function withDefaultConfig(args) {
  if (args.length > 0) return args;
  // The paths in moustique.conf are relative to the repository.
  process.chdir(root);
  mkdirSync(join(root, 'data'), { recursive: true });
  console.log(`Moustique with ${defaultConfig}: ${listeners().join(', ')}; data and log in ./data. Ctrl-C stops it.`);
  return ['-c', defaultConfig];
}

function listeners() {
  const file = join(root, defaultConfig);
  if (!existsSync(file)) return [];
  const found = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [key, value = '', address = 'every address'] = line.trim().split(/ +/);
    if (key === 'listener') found.push(`mqtt on ${address} port ${value}`);
    const shown = { websockets: 'websockets', http_api: 'web console' }[key === 'protocol' ? value : ''];
    if (shown !== undefined) found.push(found.pop()?.replace('mqtt', shown) ?? shown);
  }
  return found;
}
