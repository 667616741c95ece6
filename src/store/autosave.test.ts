import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { Autosave } from './autosave.ts';

test('saves every so many seconds', () => {
  const clock = new VirtualClock();
  let saves = 0;
  const autosave = new Autosave(clock, 30, false, () => saves++);
  autosave.changed();
  clock.advance(29_999);
  expect(saves).toBe(0);
  clock.advance(30_001);
  expect(saves).toBe(2);
  autosave.stop();
  clock.advance(60_000);
  expect(saves).toBe(2);
});

test('saves after so many changes, whatever the time', () => {
  const clock = new VirtualClock();
  let saves = 0;
  const autosave = new Autosave(clock, 3, true, () => saves++);
  clock.advance(1e6);
  for (let change = 0; change < 7; change++) autosave.changed();
  expect(saves).toBe(2);
  autosave.changed();
  autosave.changed();
  expect(saves).toBe(3);
});

test('0 means never', () => {
  const clock = new VirtualClock();
  let saves = 0;
  new Autosave(clock, 0, false, () => saves++).changed();
  new Autosave(clock, 0, true, () => saves++).changed();
  clock.advance(1e9);
  expect(saves).toBe(0);
});
