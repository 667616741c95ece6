import { expect, test } from 'vitest';
import { TimerWheel, type WheelEntry } from './timer-wheel.ts';

/** Entries that write down when they are asked. */
function world(slotCount = 8) {
  const wheel = new TimerWheel(0, slotCount);
  const asked: string[] = [];
  const entry = (name: string, answer: (tick: number) => number = () => 0): WheelEntry => ({
    wheelSlot: -1,
    wheelIndex: -1,
    onWheel: (tick) => {
      asked.push(`${name} ${tick}`);
      return answer(tick);
    },
  });
  return { wheel, asked, entry };
}

test('asks an entry at its tick, and again when it says so', () => {
  const { wheel, asked, entry } = world();
  wheel.schedule(
    entry('a', (tick) => (tick < 5 ? tick + 3 : 0)),
    2,
  );
  wheel.advance(1);
  expect(asked).toEqual([]);
  wheel.advance(20);
  expect(asked).toEqual(['a 2', 'a 5']);
});

test('looks once per turn at what is further away than a turn', () => {
  const { wheel, asked, entry } = world(4);
  wheel.schedule(
    entry('a', (tick) => (tick < 10 ? 10 : 0)),
    10,
  );
  wheel.advance(12);
  expect(asked).toEqual(['a 3', 'a 6', 'a 9', 'a 10']);
});

test('moves an entry that is scheduled again, and forgets one that is removed', () => {
  const { wheel, asked, entry } = world();
  const [moved, removed, last] = [entry('moved'), entry('removed'), entry('last')];
  for (const one of [moved, removed, last]) wheel.schedule(one, 2);
  wheel.schedule(moved, 4);
  wheel.remove(removed);
  wheel.remove(removed);
  wheel.advance(8);
  expect(asked).toEqual(['last 2', 'moved 4']);
});

test('does not ask what was taken out, or put off, by another that was due at the same tick', () => {
  const { wheel, asked, entry } = world();
  const [gone, later, stays] = [entry('gone'), entry('later'), entry('stays')];
  const first = entry('first', () => {
    wheel.remove(gone);
    wheel.schedule(later, 5);
    return 0;
  });
  for (const one of [first, gone, later, stays]) wheel.schedule(one, 2);
  wheel.advance(6);
  expect(asked).toEqual(['first 2', 'stays 2', 'later 5']);
});
