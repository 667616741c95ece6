import { expect, test } from 'vitest';
import { sweepOf } from './sweep-settings.ts';
import { type SweepKind, sweep } from './sweeps.ts';

// Longer runs: sweep.ts.
const table: readonly (readonly [SweepKind, number, string])[] = [
  [
    'script',
    2000,
    'nothing called safe is lost, and nothing comes back, when the process ends at any call of a script',
  ],
  // At a call of the store, at a call of the disk or in the middle of a write.
  ['kill', 2000, 'nothing called safe is lost, and nothing comes back, when the process ends anywhere'],
  [
    'fault',
    500,
    'nothing called safe is lost while the disk fails, and it goes on by itself when the disk works again',
  ],
];

test.each(table)(
  '%s, %i points: %s',
  async (kind, inTests) => {
    const { points, failures } = await sweep(kind, sweepOf(inTests));
    expect(failures).toEqual([]);
    expect(points).toBeGreaterThanOrEqual(inTests);
  },
  600_000,
);
