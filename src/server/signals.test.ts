import { EventEmitter } from 'node:events';
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
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGRTMIN', 'SIGINT']) source.emit(signal);
  expect(calls).toEqual(['reload', 'save', 'print tree', 'reopen log', 'stop SIGINT']);
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

test('SIGRTMIN reopens the log; with a C library that keeps its number for itself, the next one does', () => {
  const { actions, calls } = recorder();
  const source = new EventEmitter();
  const on = (signal: NodeJS.Signals, listener: () => void): void => {
    if ((signal as string) === 'SIGRTMIN') throw new Error('uv_signal_start EINVAL');
    source.on(signal, listener);
  };
  const forget = handleSignals(actions, new VirtualClock(), { on, off: (...given) => source.off(...given) });
  source.emit('SIGRTMIN+1');
  expect(calls).toEqual(['reopen log']);
  forget();
  expect(source.eventNames()).toEqual([]);
});
