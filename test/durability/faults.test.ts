import { expect, test } from 'vitest';
import { faults } from './faults.ts';
import { type SweepKind, sweep } from './sweeps.ts';

// A sweep that finds nothing wrong says something only if it would find it. In a store of which one thing is wrong, it does.
const table: readonly (readonly [keyof typeof faults, readonly SweepKind[], RegExp?])[] = [
  ['acknowledges before the write', ['script', 'kill', 'power', 'boundary', 'interval', 'broker-kill', 'broker-power']],
  ['acknowledges before the sync', ['power', 'boundary', 'broker-power']],
  ['never syncs', ['power', 'boundary', 'interval', 'broker-power']],
  ['never syncs a directory', ['power', 'boundary', 'interval', 'broker-power']],
  ['takes a failed write for a write', ['fault']],
  ['takes a failed sync for a sync', ['fault']],
  ['tries a failed sync once more', ['fault']],
  ['forgets a retained message', ['broker-kill', 'broker-power']],
  ['forgets that QoS 2 was received', ['broker-kill', 'broker-power']],
  ['forgets a delivery', ['broker-kill', 'broker-power'], /lost/],
  ['forgets how far a delivery has come', ['broker-kill', 'broker-power'], /came twice/],
];

test.each(table.flatMap(([name, kinds, what]) => kinds.map((kind) => [name, kind, what ?? /seed/] as const)))(
  'a store that %s fails the sweep %s',
  async (name, kind, what) => {
    const { failures } = await sweep(kind, {
      ...{ seed: 1, count: 3000, fault: faults[name], onSeed: (result) => result.failures.length > 0 },
    });
    expect(failures.join('\n')).toMatch(what);
  },
  120_000,
);
