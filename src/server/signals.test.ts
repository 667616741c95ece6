import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { handleSignals, type SignalActions } from './signals.ts';

function recorder(): { readonly actions: SignalActions; readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    actions: {
      stop: (signal) => calls.push(`stop ${signal}`),
      stopNow: () => calls.push('stop now'),
      reload: () => calls.push('reload'),
      save: () => calls.push('save'),
      printTree: () => calls.push('print tree'),
      reopenLog: () => calls.push('reopen log'),
    },
  };
}

test('each signal has its action', () => {
  const { actions, calls } = recorder();
  const source = new EventEmitter();
  const forget = handleSignals(actions, new VirtualClock(), source);
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT']) source.emit(signal);
  expect(calls).toEqual(['reload', 'save', 'print tree', 'stop SIGINT']);
  forget();
  expect(source.eventNames()).toEqual([]);
});

test('a second wish to stop is impatience, unless it is the same Ctrl-C passed on', () => {
  const { actions, calls } = recorder();
  const clock = new VirtualClock();
  const source = new EventEmitter();
  handleSignals(actions, clock, source);
  source.emit('SIGINT');
  clock.advance(50);
  source.emit('SIGINT');
  clock.advance(1_000);
  expect(calls).toEqual(['stop SIGINT']);
  source.emit('SIGTERM');
  expect(calls).toEqual(['stop SIGINT', 'stop now']);
});

test.runIf(process.platform === 'linux')('SIGRTMIN, which Node does not know, reopens the log', async () => {
  const { actions, calls } = recorder();
  const forget = handleSignals(actions, new VirtualClock());
  process.kill(process.pid, 34); // unwatched it would end this process
  while (calls.length === 0) await setTimeout(5);
  forget();
  expect(calls).toEqual(['reopen log']);
});
