import { expect, test } from 'vitest';
import { VirtualClock } from '../../base/clock.ts';
import { InvariantViolation } from '../../base/invariant.ts';
import { CallQueue, type Receiver } from './call-queue.ts';

function newQueue() {
  const clock = new VirtualClock();
  const errors: string[] = [];
  const queue = new CallQueue(clock, ({ name }, error) => errors.push(`${name}: ${String(error)}`));
  const receiver = (name: string): Receiver => ({ name, isActive: true });
  return { queue, errors, receiver, turn: () => clock.advance(0) };
}

test('calls are made later, in order', () => {
  const { queue, receiver, turn } = newQueue();
  const calls: string[] = [];
  queue.push(receiver('first'), () => calls.push('first'));
  queue.push(receiver('second'), () => calls.push('second'));
  expect(calls).toEqual([]);

  turn();
  expect(calls).toEqual(['first', 'second']);
  turn();
  expect(calls).toEqual(['first', 'second']);
});

test('what comes up meanwhile waits for the next turn', () => {
  const waiting: (() => void)[] = [];
  const queue = new CallQueue({ soon: (callback) => waiting.push(callback) }, () => {});
  const receiver: Receiver = { name: 'again', isActive: true };
  let calls = 0;
  const again = (): void => {
    calls++;
    queue.push(receiver, again);
  };
  queue.push(receiver, again);

  waiting.shift()?.();
  expect([calls, waiting.length]).toEqual([1, 1]);
  waiting.shift()?.();
  expect([calls, waiting.length]).toEqual([2, 1]);
});

test('who does not want it any more is not called', () => {
  const { queue, receiver, turn } = newQueue();
  const calls: string[] = [];
  const [first, second] = [receiver('first'), receiver('second')];
  queue.push(first, () => {
    calls.push('first');
    second.isActive = false;
  });
  queue.push(second, () => calls.push('second'));
  queue.push(first, () => calls.push('first again'));

  turn();

  expect(calls).toEqual(['first', 'first again']);
});

test('faults are told and keep nobody from being called', async () => {
  const { queue, errors, receiver, turn } = newQueue();
  const calls: string[] = [];
  queue.push(receiver('throws'), () => {
    throw new Error('at once');
  });
  queue.push(receiver('rejects'), () => Promise.reject(new Error('later')));
  class ForeignPromise {
    // oxlint-disable-next-line unicorn/no-thenable -- promises of other makes are promises
    then(_resolve: unknown, reject: (error: unknown) => void): void {
      reject('foreign');
    }
  }
  queue.push(receiver('foreign'), () => new ForeignPromise());
  queue.push(receiver('fine'), () => calls.push('fine'));

  turn();
  await new Promise(setImmediate);

  expect(calls).toEqual(['fine']);
  expect(errors).toEqual(['throws: Error: at once', 'rejects: Error: later', 'foreign: foreign']);
});

test('a mistake of ours is not hidden', () => {
  const { queue, errors, receiver, turn } = newQueue();
  queue.push(receiver('broken'), () => {
    throw new InvariantViolation('ours');
  });

  expect(turn).toThrow(InvariantViolation);
  expect(errors).toEqual([]);
});
