/** Which core runs what: the broker alone on one, generator and runner on another. */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export interface Pinning {
  /** Core lists as taskset writes them (`0`, `2-3`); undefined means: nothing is pinned. */
  readonly brokerCores: string | undefined;
  readonly generatorCores: string | undefined;
}

/** @returns cores 0 and 1, or no pinning when there is one core or no taskset */
export function choosePinning(wanted: Pinning): Pinning {
  if (availableParallelism() < 2 || !hasTaskset()) return { brokerCores: undefined, generatorCores: undefined };
  return { brokerCores: wanted.brokerCores ?? '0', generatorCores: wanted.generatorCores ?? '1' };
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['-p', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The command that runs another one on these cores. taskset replaces itself, so the process id stays. */
export function pinned(
  cores: string | undefined,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return cores === undefined ? { command, args } : { command: 'taskset', args: ['-c', cores, command, ...args] };
}

/** Moves this process away from the broker's core. */
export function pinSelf(cores: string | undefined): void {
  if (cores !== undefined) execFileSync('taskset', ['-a', '-p', '-c', cores, String(process.pid)], { stdio: 'ignore' });
}
