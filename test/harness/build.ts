import { repositoryRoot } from './repository.ts';
import { runToEnd } from './running-process.ts';

/** Vitest's global set-up of the integration tests: the executables are up to date, however vitest was started. */
export async function setup(): Promise<void> {
  const script =
    "const { buildExecutables, buildConsole } = await import('./scripts/build.mjs');" +
    'process.exit((await buildExecutables()) + (await buildConsole()));';
  const build = await runToEnd([process.execPath, '--input-type=module', '-e', script], { cwd: repositoryRoot });
  if (build.status !== 0) {
    console.error(
      `The executables could not be built; tests use older ones if there are any.\n${build.stdout}${build.stderr}`,
    );
  }
}
