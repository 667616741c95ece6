import { expect, test } from 'vitest';
import { CheckQueue } from './check-queue.ts';

/** A check that is answered from outside. */
function check(started: string[], name: string) {
  let answer = (_value: string): void => {};
  const run = (): Promise<string> => {
    started.push(name);
    return new Promise((resolve) => (answer = resolve));
  };
  return { run, answer: (value: string) => answer(value) };
}

test('runs so many at a time, the others in their order', async () => {
  const queue = new CheckQueue(2, 10);
  const started: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => check(started, name)) as [
    ReturnType<typeof check>,
    ReturnType<typeof check>,
    ReturnType<typeof check>,
    ReturnType<typeof check>,
  ];
  const answers = [a, b, c, d].map(({ run }) => queue.run(run));
  expect(started).toEqual(['a', 'b']);
  expect(queue.waiting).toBe(2);

  b.answer('of b');
  expect(await answers[1]).toBe('of b');
  await Promise.resolve();
  expect(started).toEqual(['a', 'b', 'c']);
  a.answer('of a');
  expect(await answers[0]).toBe('of a');
  c.answer('of c');
  expect(await answers[2]).toBe('of c');
  await new Promise(setImmediate);
  d.answer('of d');
  expect(await answers[3]).toBe('of d');
  expect(started).toEqual(['a', 'b', 'c', 'd']);
});

test('takes no more than may wait', () => {
  const queue = new CheckQueue(1, 2);
  const never = (): Promise<void> => new Promise(() => {});
  expect([queue.run(never), queue.run(never), queue.run(never)].every((answer) => answer !== undefined)).toBe(true);
  expect(queue.run(never)).toBeUndefined();
});

test('a check that fails fails alone', async () => {
  const queue = new CheckQueue(1, 2);
  const failing = queue.run(() => Promise.reject(new Error('broken')));
  const next = queue.run(() => 'fine');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('fine');
});

test('keeps its order over thousands', async () => {
  const queue = new CheckQueue(1, 10_000);
  const done: number[] = [];
  const all = Array.from({ length: 5000 }, (_, n) => queue.run(async () => void done.push(n)));
  for (const one of all) await one;
  expect(done).toEqual(Array.from({ length: 5000 }, (_, n) => n));
  expect(queue.waiting).toBe(0);
});
