import { expect, test } from 'vitest';
import { Stopwatch } from './stopwatch.ts';

test('measures from sending to arriving, and nothing that was sent before it began', () => {
  const watch = new Stopwatch(0);
  watch.look(0.1);
  watch.begin(0.2, 10);
  watch.note(0.15, 0.3);
  watch.note(0.25, 0.35);
  watch.note(0.2, 0.45);
  expect([...watch.sorted()].map((ms) => Number(ms.toFixed(3)))).toEqual([0.1, 0.25]);
  expect([watch.disturbed, watch.stoppedMs]).toEqual([0, 0]);
});

test('a message on its way while the generator did not run is not counted, but told', () => {
  const watch = new Stopwatch(0);
  watch.begin(0, 10);
  watch.note(0, 0.1);
  expect(watch.look(5.1)).toBe(5);
  watch.note(0.1, 5.15);
  watch.note(5.1, 5.2);
  expect([watch.counted, watch.disturbed, watch.stoppedMs]).toEqual([2, 1, 5]);
});

test('a broker that stops is not taken for a generator that stops', () => {
  const watch = new Stopwatch(0);
  watch.begin(0, 100);
  // The generator looks at its clock all the time; the answer comes after 8 ms.
  for (let nowMs = 0; nowMs < 8; nowMs += 0.1) expect(watch.look(nowMs)).toBe(0);
  watch.note(0, 8);
  expect([...watch.sorted()]).toEqual([8]);
});
