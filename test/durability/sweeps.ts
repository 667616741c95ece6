/**
 * Sweeps: very many ends of a process or of the power, each followed by a start that must find what was called safe.
 *
 * Everything that happens follows from a seed, so that a failing one can be run again by itself, and a sweep be run in parts.
 */
import type { SyncLevel } from '../../src/store/journal-options.ts';
import { brokerPoint } from './broker-lives.ts';
import { endPoint, faultPoint } from './ends.ts';
import type { Fault } from './faults.ts';
import { boundaryPoints, scriptPoints } from './scripts.ts';

export interface SweepResult {
  /** Ends, each followed by a start that was judged. */
  points: number;
  /** The first seed that was not used. */
  nextSeed: number;
  /** One line for each point at which something was wrong. */
  readonly failures: string[];
}

export interface SweepOptions {
  readonly seed: number;
  /** Points; seeds are used up, so that it may become a few more. */
  readonly count: number;
  /** A store that is wrong on purpose. */
  readonly fault?: Fault | null;
  /** Told after each seed; true ends the sweep. */
  onSeed?(result: SweepResult): boolean;
}

/** Plays one seed, calls `onPoint` at each end, returns what was wrong. */
type Play = (seed: number, fault: Fault | null, onPoint: () => void) => Promise<string | null | readonly string[]>;

const ends =
  (kind: 'kill' | 'power', level: SyncLevel): Play =>
  (seed, fault, onPoint) =>
    endPoint(seed, kind, level, fault, onPoint);

const broker =
  (kind: 'kill' | 'power'): Play =>
  (seed, fault, onPoint) => {
    onPoint();
    return brokerPoint(seed, kind, fault);
  };

const plays = {
  script: scriptPoints,
  kill: ends('kill', { kind: 'commit' }),
  power: ends('power', { kind: 'commit' }),
  boundary: boundaryPoints,
  interval: ends('power', { kind: 'interval', milliseconds: 100 }),
  os: ends('power', { kind: 'os' }),
  'interval-kill': ends('kill', { kind: 'interval', milliseconds: 100 }),
  'os-kill': ends('kill', { kind: 'os' }),
  fault: (seed, fault, onPoint) => {
    onPoint();
    return faultPoint(seed, fault);
  },
  'broker-kill': broker('kill'),
  'broker-power': broker('power'),
} satisfies Record<string, Play>;

export type SweepKind = keyof typeof plays;
export const sweepKinds = Object.keys(plays) as readonly SweepKind[];

export async function sweep(kind: SweepKind, options: SweepOptions): Promise<SweepResult> {
  const { seed, count, fault = null, onSeed } = options;
  const result: SweepResult = { points: 0, nextSeed: seed, failures: [] };
  while (result.points < count) {
    const number = result.nextSeed++;
    const wrong = await plays[kind](number, fault, () => result.points++).catch((error) => `does not start: ${error}`);
    const failures = typeof wrong === 'string' ? [wrong] : (wrong ?? []);
    result.failures.push(...failures.map((failure) => `${kind} seed ${number}: ${failure}`));
    if (onSeed?.(result) === true) break;
  }
  return result;
}
