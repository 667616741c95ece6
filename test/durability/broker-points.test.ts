import { expect, test } from 'vitest';
import { sweepOf } from './sweep-settings.ts';
import { sweep } from './sweeps.ts';

// A whole broker with publishers and subscribers, ended at calls of store and disk; judged by what the clients wrote down.
test.each(['broker-kill', 'broker-power'] as const)(
  'acknowledged messages are lost never, QoS 2 comes once, sessions and order stay: %s',
  async (kind) => {
    const { failures } = await sweep(kind, sweepOf(1000));
    expect(failures).toEqual([]);
  },
  600_000,
);
