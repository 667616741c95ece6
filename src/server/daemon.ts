/** What makes a program a daemon: going to the background and leaving its process id in a file. */

import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { builtins } from '../base/builtins.ts';

/** The pid file cannot be written. */
export class PidFileError extends Error {
  override readonly name = 'PidFileError';
  readonly exitCode = 14;
}

/**
 * Writes `pid_file`: the decimal process id without a line end, as Mosquitto does.
 *
 * @returns removes the file again, unless another process has put its own id there
 * @throws PidFileError - with Mosquitto's line as its message
 */
export function writePidFile(path: string, pid: number): () => void {
  try {
    writeFileSync(path, String(pid));
  } catch (cause) {
    throw new PidFileError('Error: Unable to write pid file.', { cause });
  }
  return () => {
    try {
      if (readFileSync(path, 'latin1') === String(pid)) unlinkSync(path);
    } catch {
      // Somebody removed it already, or the directory is no longer ours to write.
    }
  };
}

/** In the environment of a process that {@link startDaemon} started. */
const daemonMark = 'MOUSTIQUE_IN_BACKGROUND';

/** The process to start again in the background; fields as in `process`. */
export interface DaemonStart {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** With the program and its script in front, as `process.argv`. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Whether this process already is the one in the background, so that `-d` has been obeyed. Forgets it at the same time:
 * programs started from here are not concerned.
 */
export function takeDaemonMark(env: NodeJS.ProcessEnv): boolean {
  const isMarked = env[daemonMark] !== undefined;
  delete env[daemonMark];
  return isMarked;
}

/**
 * `-d`: starts the same command again in a session of its own, without standard streams.
 *
 * Node cannot fork, so the process that was called checks the configuration, starts the one that stays, and ends with
 * status 0. As in Mosquitto, what fails after that is told by the log only.
 *
 * @returns the process id of the daemon
 */
export function startDaemon(start: DaemonStart): Promise<number> {
  const child = builtins.childProcess.spawn(start.execPath, [...start.execArgv, ...start.argv.slice(1)], {
    detached: true,
    stdio: 'ignore',
    env: { ...start.env, [daemonMark]: '1' },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}
