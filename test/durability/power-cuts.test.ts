import { expect, test } from 'vitest';
import { sweepOf } from './sweep-settings.ts';
import { type SweepKind, sweep } from './sweeps.ts';

// The disk keeps what was synced and by chance some of the rest, torn and out of order. Longer runs: sweep.ts.
const table: readonly (readonly [SweepKind, number, string])[] = [
  ['power', 5000, 'commit: nothing called safe is lost when the power goes'],
  ['boundary', 5000, 'commit: nor before or after any call of the disk'],
  ['interval', 200, 'no more than the window is lost'],
  ['os', 200, 'what is found is a state that once was'],
];

test.each(table)(
  '%s, %i points: %s',
  async (kind, inTests) => {
    const { points, failures } = await sweep(kind, sweepOf(inTests));
    expect(failures).toEqual([]);
    expect(points).toBeGreaterThanOrEqual(inTests);
  },
  1_200_000,
);
