import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../harness/repository.ts';
import { runToEnd } from '../harness/running-process.ts';
import { waitFor } from '../harness/wait.ts';

const lock = join(repositoryRoot, 'node_modules', '.moustique-library-tests.lock');

/**
 * Brings dist/lib up to date; does nothing when it is. Test files run side by side, so one builds and the others wait.
 *
 * @throws Error with what the compiler says
 */
export async function buildLibrary(): Promise<void> {
  await waitFor('another test file to build the library', takeLock, 120_000);
  try {
    const script = "const { buildLibrary } = await import('./scripts/build.mjs'); process.exit(await buildLibrary());";
    const build = await runToEnd([process.execPath, '--input-type=module', '-e', script], { cwd: repositoryRoot });
    if (build.status !== 0) throw new Error(`the library could not be built:\n${build.stdout}${build.stderr}`);
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (isLeftBehind()) rmSync(lock, { force: true });
    return false;
  }
}

/** Whether whoever took the lock has ended without giving it back. */
function isLeftBehind(): boolean {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
