// The rooms that decide what the standard says are tested branch by branch: what their unit tests reach is measured with
// every `npm test`, printed, and may not fall below the floor.

import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './children.mjs';

/** Folders that are measured. */
export const measuredFolders = ['src/codec', 'src/topics', 'src/session'];

/** Branches of each folder that its tests must reach, in percent. */
const floor = 98;

/**
 * Print one line for each measured folder.
 *
 * @param {string} reportFolder - where vitest wrote `coverage-summary.json`
 * @returns {boolean[]} for each folder whether it is above the floor
 */
export function checkCoverage(reportFolder) {
  const file = join(reportFolder, 'coverage-summary.json');
  if (!existsSync(file)) {
    console.log('\nBranch coverage: not measured, there is no report');
    return [false];
  }
  const summary = JSON.parse(readFileSync(file, 'utf8'));
  console.log(`\nBranch coverage by unit tests (at least ${floor} %)`);
  return measuredFolders.map((folder) => {
    const { covered, total } = branchesOf(summary, folder);
    const percent = total === 0 ? 0 : (covered / total) * 100;
    const isEnough = percent >= floor;
    const verdict = isEnough ? 'ok' : 'FAILED';
    console.log(`${percent.toFixed(2).padStart(8)} %  ${folder.padEnd(11)}  ${covered} of ${total}: ${verdict}`);
    return isEnough;
  });
}

/** Sum over the files of a folder. */
function branchesOf(summary, folder) {
  const sum = { covered: 0, total: 0 };
  for (const [name, { branches }] of Object.entries(summary)) {
    if (!relative(root, name).startsWith(`${folder}/`)) continue;
    sum.covered += branches.covered;
    sum.total += branches.total;
  }
  return sum;
}
