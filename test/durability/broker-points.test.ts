import { expect, test } from 'vitest';
import { brokerPoint } from './broker-lives.ts';
import { sweepOf } from './sweep-settings.ts';

// A whole broker with publishers and subscribers, ended at calls of store and disk; judged by what the clients wrote down.
test.each(['kill', 'power'] as const)(
  'acknowledged messages are lost never, QoS 2 comes once, sessions and order stay: %s',
  async (kind) => {
    const { seed, count } = sweepOf(1000);
    const failures: string[] = [];
    for (let number = seed; number < seed + count; number++) {
      const failure = await brokerPoint(number, kind);
      if (failure !== null) failures.push(`seed ${number}: ${failure}`);
    }
    expect(failures).toEqual([]);
  },
  600_000,
);
