// Child processes of the scripts: output goes straight to the terminal, signals reach the child, nothing outlives us.

import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Run a program in the repository's root and wait for its end.
 *
 * @param {string} command - program or path
 * @param {string[]} args
 * @param {{ env?: Record<string, string> }} [options] - env is added to our own
 * @returns {Promise<number>} exit status; 127 if it could not be started, 128 + n if signal n ended it
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const stop = (signal) => {
      child.once('exit', () => process.exit(signal === 'SIGINT' ? 130 : 143));
      child.kill(signal);
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    const done = (status) => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve(status);
    };
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      done(127);
    });
    child.once('exit', (status, signal) => done(status ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** Run a JavaScript program with the Node that runs us. */
export const runNode = (args, options) => run(process.execPath, args, options);

/**
 * Announce a step, do it, say how it went.
 *
 * @param {string} title
 * @param {() => Promise<number | undefined>} work - resolves to an exit status; undefined means 0
 * @returns {Promise<boolean>} whether it succeeded
 */
export async function step(title, work) {
  console.log(`\n── ${title}`);
  const start = performance.now();
  let status;
  try {
    status = (await work()) ?? 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    status = 1;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(status === 0 ? `   ${title}: ok (${seconds} s)` : `   ${title}: FAILED, status ${status} (${seconds} s)`);
  return status === 0;
}
