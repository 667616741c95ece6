import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything may take before a test gives up, in ms. Far above what the slowest board needs. */
export const patienceMs = 30_000;

/**
 * Wait until a condition holds, looking every few milliseconds.
 *
 * @param what - completes the sentence "timed out waiting for …"
 * @param check - the awaited value, or undefined or false as long as it is not there
 * @throws Error after `timeoutMs`
 */
export async function waitFor<T>(
  what: string | (() => string),
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = patienceMs,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`timed out waiting for ${typeof what === 'string' ? what : what()}`);
    await sleep(10);
  }
}
