import { expect, test } from 'vitest';
import { VirtualClock } from './clock.ts';
import { Turns } from './turns.ts';

/** A clock whose turns come when the test says so, and whose time goes on by `sliceMs` with every look at it. */
class TurnClock extends VirtualClock {
  sliceMs = 0;
  readonly #turns: (() => void)[] = [];

  override soon(callback: () => void): void {
    this.#turns.push(callback);
  }

  override monotonicMs(): number {
    this.advance(this.sliceMs);
    return super.monotonicMs();
  }

  /** @returns whether there was one to come */
  turn(): boolean {
    const turns = this.#turns.splice(0);
    for (const callback of turns) callback();
    return turns.length > 0;
  }
}

function world() {
  const clock = new TurnClock();
  const told: string[] = [];
  const turns = new Turns(clock, () => told.push('|'));
  /** Somebody with so many slices to do. */
  const worker = (name: string, slices: number) => ({
    takeTurn() {
      told.push(name);
      return --slices > 0;
    },
  });
  return { clock, turns, told, worker };
}

test('everybody does a slice in turn until all is done, and then nothing is called any more', () => {
  const { clock, turns, told, worker } = world();
  turns.add(worker('a', 3));
  turns.add(worker('b', 1));
  turns.add(worker('c', 2));
  expect(told).toEqual([]);
  expect(turns.waiting).toBe(3);
  while (clock.turn());
  expect(told.join('')).toBe('|abcaca');
  expect(turns.waiting).toBe(0);
});

test('a turn is over after a millisecond, whatever a slice takes; who is next begins the next one', () => {
  const { clock, turns, told, worker } = world();
  clock.sliceMs = 0.4;
  for (const name of ['a', 'b', 'c']) turns.add(worker(name, 3));
  while (clock.turn());
  expect(told.join('')).toBe('|abc|abc|abc');
  clock.sliceMs = 5;
  told.length = 0;
  for (const name of ['a', 'b']) turns.add(worker(name, 2));
  while (clock.turn());
  expect(told.join('')).toBe('|a|b|a|b');
});

test('a turn has so many slices, also when no time goes by', () => {
  const { clock, turns, told, worker } = world();
  turns.add(worker('a', 100));
  while (clock.turn());
  const slices = told
    .join('')
    .split('|')
    .slice(1)
    .map((turn) => turn.length);
  expect(slices).toEqual([32, 32, 32, 4]);
});

test('who comes while a turn goes on stands at the end of the line', () => {
  const { clock, turns, told, worker } = world();
  turns.add({
    takeTurn() {
      told.push('a');
      turns.add(worker('c', 1));
      return false;
    },
  });
  turns.add(worker('b', 2));
  while (clock.turn());
  expect(told.join('')).toBe('|abcb');
  turns.add(worker('d', 1));
  while (clock.turn());
  expect(told.join('')).toBe('|abcb|d');
});
