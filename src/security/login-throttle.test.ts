import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { LoginThrottle } from './login-throttle.ts';

function world() {
  const clock = new VirtualClock();
  const delays: string[] = [];
  const throttle = new LoginThrottle(clock, (address, seconds) => delays.push(`${address} ${seconds}`));
  const bad = (address: string, count: number): void => {
    for (let n = 0; n < count; n++) throttle.bad(address);
  };
  /** Waits at the throttle; the returned object tells whether it was let go. */
  const wait = (address: string) => {
    const state = { isRefused: false, isFree: false };
    const allowed = throttle.wait(address);
    state.isRefused = allowed === undefined;
    void allowed?.then(() => {
      state.isFree = true;
    });
    return state;
  };
  return { clock, throttle, delays, bad, wait };
}

test('nine bad passwords hold nobody, the tenth does, for a second', async () => {
  const { clock, throttle, delays, bad } = world();
  bad('10.0.0.1', 9);
  expect(throttle.isHeld('10.0.0.1')).toBe(false);

  bad('10.0.0.1', 1);

  expect(throttle.isHeld('10.0.0.1')).toBe(true);
  expect(throttle.isHeld('10.0.0.2')).toBe(false);
  expect(delays).toEqual(['10.0.0.1 1']);
  clock.advance(999);
  expect(throttle.isHeld('10.0.0.1')).toBe(true);
  clock.advance(1);
  expect(throttle.isHeld('10.0.0.1')).toBe(false);
});

test('every further ten are followed by twice the time, up to eight seconds', () => {
  const { clock, delays, bad } = world();
  for (let round = 0; round < 6; round++) {
    bad('a', 10);
    clock.advance(8000);
  }
  expect(delays).toEqual(['a 1', 'a 2', 'a 4', 'a 8', 'a 8', 'a 8']);
});

test('a good password ends it and lets go of those who wait', async () => {
  const { throttle, bad, wait } = world();
  bad('a', 10);
  const waiting = wait('a');
  await Promise.resolve();
  expect(waiting.isFree).toBe(false);

  throttle.good('a');
  await Promise.resolve();

  expect(waiting.isFree).toBe(true);
  expect(throttle.isHeld('a')).toBe(false);
  // And the count begins again.
  bad('a', 9);
  expect(throttle.isHeld('a')).toBe(false);
});

test('at most ten wait, and are let go at the end of the delay', async () => {
  const { clock, bad, wait } = world();
  bad('a', 10);
  const waiting = Array.from({ length: 11 }, () => wait('a'));
  expect(waiting.map(({ isRefused }) => isRefused).indexOf(true)).toBe(10);

  clock.advance(1000);
  await Promise.resolve();
  expect(waiting.filter(({ isFree }) => isFree)).toHaveLength(10);
});

test('an address that is not held does not wait', async () => {
  const { wait } = world();
  const free = wait('a');
  await Promise.resolve();
  expect(free).toEqual({ isRefused: false, isFree: true });
});

test('ten thousand addresses are remembered, those with the latest bad password', () => {
  const { throttle, bad } = world();
  bad('first', 10);
  for (let n = 0; n < 9_999; n++) bad(`a${n}`, 1);
  expect(throttle.isHeld('first')).toBe(true);

  bad('one more', 1);

  expect(throttle.isHeld('first')).toBe(false);
});
