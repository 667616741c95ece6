/** Opens and closes many clients at once, and reads the meters of broker and generator together. */
import { cpuSeconds, machineSeconds, processTree, residentBytes } from '../proc-stat.ts';
import { type ClientEvents, type ClientOptions, GeneratorClient } from './client.ts';
import type { Dialer } from './dialer.ts';
import type { Pacer } from './pacer.ts';

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
  /** Part of generatorSeconds that was waiting, not work. */
  readonly waitedSeconds: number;
  /** All processes, broker and generator among them. */
  readonly machineSeconds: number;
}

/** The meters of one broker and of this process. */
export class Meters {
  readonly #pids: readonly number[];
  readonly #pacer: Pacer | undefined;

  /** @param pacer - what it waits away is not counted as work of the generator */
  constructor(pid: number, pacer?: Pacer) {
    this.#pids = processTree(pid);
    this.#pacer = pacer;
  }

  read(): Reading {
    const own = process.cpuUsage();
    return {
      atMs: performance.now(),
      brokerSeconds: cpuSeconds(this.#pids),
      generatorSeconds: (own.user + own.system) / 1e6,
      waitedSeconds: (this.#pacer?.waitedMs ?? 0) / 1000,
      machineSeconds: machineSeconds(),
    };
  }

  residentBytes(): number {
    return residentBytes(this.#pids);
  }
}

/** Shares are of one core, 0..n. */
export interface Busy {
  readonly generatorBusy: number;
  readonly brokerBusy: number;
  /** Everything else that ran on the machine: what disturbs a measurement. */
  readonly othersBusy: number;
}

export interface Elapsed {
  readonly seconds: number;
  readonly brokerSeconds: number;
  readonly busy: Busy;
}

export function between(start: Reading, end: Reading): Elapsed {
  const seconds = (end.atMs - start.atMs) / 1000;
  const brokerSeconds = end.brokerSeconds - start.brokerSeconds;
  const generatorSeconds = end.generatorSeconds - start.generatorSeconds;
  const others = end.machineSeconds - start.machineSeconds - brokerSeconds - generatorSeconds;
  return {
    seconds,
    brokerSeconds,
    busy: {
      brokerBusy: brokerSeconds / seconds,
      generatorBusy: (generatorSeconds - (end.waitedSeconds - start.waitedSeconds)) / seconds,
      // The machine counts in ticks: the difference can fall below nothing.
      othersBusy: Math.max(0, others / seconds),
    },
  };
}
