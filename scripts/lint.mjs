// Style and types: what can be said about the sources without running them.

import { join } from 'node:path';
import { root, runNode, step } from './children.mjs';
import { ensureNodeModules } from './setup.mjs';

const tool = (path, ...args) => runNode([join(root, 'node_modules', path), ...args]);

/** Each check with its title; `npm test` counts one test per check. */
export const checks = [
  ['lint: oxlint', () => tool('oxlint/bin/oxlint', '--type-aware', '--deny-warnings')],
  ['lint: format (biome)', () => tool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings')],
  ['lint: types of sources and tests (tsc)', () => tool('typescript/bin/tsc', '-p', 'tsconfig.json')],
  ['lint: types of the console (tsc)', () => tool('typescript/bin/tsc', '-p', 'console/tsconfig.json')],
  ['lint: types of its service worker (tsc)', () => tool('typescript/bin/tsc', '-p', 'console/tsconfig.worker.json')],
];

/** @returns {Promise<number>} exit status */
export async function lint() {
  await ensureNodeModules();
  let failed = 0;
  for (const [title, check] of checks) if (!(await step(title, check))) failed += 1;
  return failed === 0 ? 0 : 1;
}
