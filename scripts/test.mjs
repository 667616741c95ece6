// npm test: everything there is to check, in order, ending with one line `N passed, N failed[, N skipped]`.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { buildConsole, buildExecutables, buildLibrary } from './build.mjs';
import { root, runNode, step } from './children.mjs';
import { checkCoverage, measuredFolders } from './coverage.mjs';
import { checks } from './lint.mjs';
import { ensureDebianPackages, ensureNodeModules } from './setup.mjs';

const parts = ['lint', 'build', 'docs', 'unit', 'integration'];

/**
 * @param {string[]} args - `--coverage`; `--only=` with a list of parts; anything else goes to vitest as a file filter
 * @returns {Promise<number>} exit status
 */
export async function test(args) {
  const only =
    args
      .find((arg) => arg.startsWith('--only='))
      ?.slice('--only='.length)
      .split(',') ?? parts;
  const unknown = only.find((part) => !parts.includes(part));
  if (unknown !== undefined) throw new Error(`--only=${unknown}: expected some of ${parts.join(',')}`);
  const coverage = args.includes('--coverage');
  const filters = args.filter((arg) => !arg.startsWith('--'));

  await ensureNodeModules();
  await ensureDebianPackages();

  const total = { passed: 0, failed: 0, skipped: 0 };
  const files = [];
  const count = (ok) => {
    total[ok ? 'passed' : 'failed'] += 1;
    return ok;
  };

  if (only.includes('lint')) for (const [title, check] of checks) count(await step(title, check));
  let built = true;
  if (only.includes('build') || only.includes('integration')) {
    count(await step('build: library (tsc)', buildLibrary));
    built = count(await step('build: executables (esbuild)', buildExecutables));
    built = count(await step('build: console (esbuild)', buildConsole)) && built;
  }
  if (only.includes('docs')) {
    const generator = ['node_modules/tsx/dist/cli.mjs', 'scripts/generate-docs.ts', '--check'];
    count(await step('docs: generated pages are up to date', () => runNode(generator)));
  }
  for (const [project, ...others] of [['unit'], ['integration', 'websocket', 'tls']]) {
    if (!only.includes(project)) continue;
    if (project === 'integration' && !built) {
      console.log('\nIntegration tests not run: they use the executables, which were not built.');
      count(false);
      continue;
    }
    const report = await vitest([project, ...others], filters, coverage);
    for (const isEnough of report.coverage) count(isEnough);
    for (const key of ['passed', 'failed', 'skipped']) total[key] += report[key];
    files.push(...report.files);
  }

  printSlowest(files);
  console.log(
    `\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
  );
  return total.failed === 0 ? 0 : 1;
}

async function vitest([project, ...others], filters, coverage) {
  const folder = mkdtempSync(join(tmpdir(), 'moustique-test-'));
  const output = join(folder, 'report.json');
  const args = [
    'run',
    ...[project, ...others].flatMap((name) => ['--project', name]),
    '--allowOnly=false',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${output}`,
  ];
  // What a part of the tests reaches says nothing.
  const isMeasured = project === 'unit' && filters.length === 0;
  const reportFolder = coverage ? join(root, 'coverage', project) : folder;
  if (coverage || isMeasured) {
    args.push('--coverage', '--coverage.reportOnFailure', `--coverage.reportsDirectory=${reportFolder}`);
  }
  if (!coverage && isMeasured) {
    args.push('--coverage.reporter=json-summary');
    args.push(...measuredFolders.map((name) => `--coverage.include=${name}/**/*.ts`));
  }
  try {
    const cli = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    let status = 0;
    await step(`test: ${project}`, async () => (status = await runNode([cli, ...args, ...filters])));
    return { ...summarise(status, output), coverage: isMeasured ? checkCoverage(reportFolder) : [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts of one vitest run. A file that does not load, and a failure outside any test, count as one failed test. */
function summarise(status, output) {
  let report;
  try {
    report = JSON.parse(readFileSync(output, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, files: [] };
  }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((result) => result.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
    files: report.testResults.map((file) => ({ name: relative(root, file.name), ms: file.endTime - file.startTime })),
  };
}

function printSlowest(files) {
  if (files.length === 0) return;
  console.log('\nSlowest test files');
  for (const file of files.toSorted((a, b) => b.ms - a.ms).slice(0, 10)) {
    console.log(`${(file.ms / 1000).toFixed(1).padStart(8)} s  ${file.name}`);
  }
}
