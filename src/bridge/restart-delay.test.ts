import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { RestartDelay } from './restart-delay.ts';

const usual = { baseSeconds: 5, capSeconds: 30, stableSeconds: 0 };

test('without a cap every wait is the base', () => {
  const delay = new RestartDelay({ ...usual, capSeconds: null }, new VirtualClock());
  expect([delay.nextMs(), delay.nextMs(), delay.nextMs()]).toEqual([5000, 5000, 5000]);
  expect(delay.isConstant).toBe(true);
});

test('with one, first the base, then a random time between the base and three times the wait before', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const delay = new RestartDelay(usual, new VirtualClock(0, seed));
    let before = delay.nextMs();
    expect(before).toBe(5000);
    for (let attempt = 0; attempt < 20; attempt++) {
      const next = delay.nextMs();
      expect(next).toBeGreaterThanOrEqual(5000);
      expect(next).toBeLessThanOrEqual(Math.min(30_000, before * 3));
      before = next;
    }
  }
});

test('two bridges do not wait alike', () => {
  const waits = [1, 2].map((seed) => {
    const delay = new RestartDelay(usual, new VirtualClock(0, seed * 77_777));
    return [delay.nextMs(), delay.nextMs(), delay.nextMs()];
  });
  expect(waits[0]).not.toEqual(waits[1]);
});

test('a connection that lasted long enough makes the next wait the base again', () => {
  const delay = new RestartDelay({ ...usual, stableSeconds: 10 }, new VirtualClock());
  expect(delay.ended(60_000)).toBe(false); // nothing to reset
  delay.nextMs();
  const second = delay.nextMs();
  expect(second).toBeGreaterThan(5000);
  expect(delay.ended(9999)).toBe(false);
  expect(delay.ended(10_000)).toBe(true);
  expect(delay.nextMs()).toBe(5000);
});
