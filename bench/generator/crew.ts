/** Opens and closes many clients at once, and reads the meters of broker and generator together. */
import { cpuSeconds, processTree, residentBytes } from '../proc-stat.ts';
import { type ClientEvents, type ClientOptions, GeneratorClient } from './client.ts';
import type { Dialer } from './dialer.ts';

/** Handshakes under way at the same time. */
export const PARALLEL_CONNECTS = 64;

export async function connectAll(
  dialer: Dialer,
  count: number,
  options: (index: number) => ClientOptions,
  events: ClientEvents,
): Promise<GeneratorClient[]> {
  const clients: GeneratorClient[] = new Array<GeneratorClient>(count);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      clients[index] = await GeneratorClient.connect(dialer, { ...options(index), index }, events);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_CONNECTS, count) }, worker));
  return clients;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Resolves true when the condition holds, false when `progress` has not changed for `patienceMs`. */
export async function waitFor(condition: () => boolean, progress: () => number, patienceMs: number): Promise<boolean> {
  let last = progress();
  let changedAt = performance.now();
  while (!condition()) {
    await sleep(5);
    const now = progress();
    if (now !== last) {
      last = now;
      changedAt = performance.now();
    } else if (performance.now() - changedAt > patienceMs) {
      return false;
    }
  }
  return true;
}

/** One reading of all meters at the same instant. */
export interface Reading {
  readonly atMs: number;
  readonly brokerSeconds: number;
  readonly generatorSeconds: number;
}

/** The meters of one broker and of this process. */
export class Meters {
  readonly #pids: readonly number[];

  constructor(pid: number) {
    this.#pids = processTree(pid);
  }

  read(): Reading {
    const own = process.cpuUsage();
    return {
      atMs: performance.now(),
      brokerSeconds: cpuSeconds(this.#pids),
      generatorSeconds: (own.user + own.system) / 1e6,
    };
  }

  residentBytes(): number {
    return residentBytes(this.#pids);
  }
}

export interface Elapsed {
  readonly seconds: number;
  readonly brokerSeconds: number;
  readonly generatorBusy: number;
  readonly brokerBusy: number;
}

export function between(start: Reading, end: Reading): Elapsed {
  const seconds = (end.atMs - start.atMs) / 1000;
  const brokerSeconds = end.brokerSeconds - start.brokerSeconds;
  return {
    seconds,
    brokerSeconds,
    brokerBusy: brokerSeconds / seconds,
    generatorBusy: (end.generatorSeconds - start.generatorSeconds) / seconds,
  };
}
