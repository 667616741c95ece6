/** Long work in small steps, so that clients do not wait for it. */
import type { Clock } from './clock.ts';

/** Time one step takes before others get their turn. */
const sliceMs = 1;
/** Between looks at the clock, for items that take about a microsecond each. */
const itemsMax = 128;

export interface Steps {
  /** Items between looks at the clock. */
  readonly items?: number;
  /** Waits until the next step; absent: until all that waits now had its turn. */
  readonly rest?: () => Promise<void>;
}

/**
 * Does something with each, with pauses in which everything else goes on.
 *
 * @param work - ends it all when it returns false
 */
export async function inBatches<T>(
  items: Iterable<T>,
  clock: Clock,
  work: (item: T) => unknown,
  { items: chunk = itemsMax, rest = () => othersFirst(clock) }: Steps = {},
): Promise<void> {
  let endMs = clock.monotonicMs() + sliceMs;
  let done = 0;
  for (const item of items) {
    if (work(item) === false) return;
    if (++done % chunk !== 0 || clock.monotonicMs() < endMs) continue;
    await rest();
    endMs = clock.monotonicMs() + sliceMs;
  }
}

/** Lets everything that waits now have its turn. */
export function othersFirst(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve));
}
