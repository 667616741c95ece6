/** Long work in small steps, so that clients do not wait for it. */
import type { Clock } from '../base/clock.ts';

/** Time one step takes before others get their turn. */
const sliceMs = 4;
/** Between looks at the clock. */
const chunk = 128;

/**
 * Does something with each, with pauses in which everything else goes on.
 *
 * @param work - ends it all when it returns false
 */
export async function inBatches<T>(items: Iterable<T>, clock: Clock, work: (item: T) => unknown): Promise<void> {
  let endMs = clock.monotonicMs() + sliceMs;
  let done = 0;
  for (const item of items) {
    if (work(item) === false) return;
    if (++done % chunk !== 0 || clock.monotonicMs() < endMs) continue;
    await new Promise<void>((resolve) => clock.soon(resolve));
    endMs = clock.monotonicMs() + sliceMs;
  }
}
