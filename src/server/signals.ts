/**
 * What signals mean to the broker; the same as to Mosquitto.
 *
 * A broken pipe is not one of them: Node ignores SIGPIPE from its start.
 */
import type { Clock } from '../base/clock.ts';

export interface SignalActions {
  /** TERM and INT: end in order — wills, save, status 0. */
  stop(signal: 'SIGTERM' | 'SIGINT'): void;
  /** A second TERM or INT, from somebody who does not want to wait. */
  stopNow(): void;
  /** HUP: read configuration, certificates and security files again, reopen the log. */
  reload(): void;
  /** USR1: write the database. */
  save(): void;
  /** USR2: print the subscription tree on standard output. */
  printTree(): void;
  /** RTMIN: reopen the log. */
  reopenLog(): void;
}

/** The part of `process` that is used. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * A terminal and a wrapper such as npm both pass on the same Ctrl-C, a moment apart; that is not impatience.
 */
const repeatMs = 1_000;

/** @returns takes the handlers away again */
export function handleSignals(
  actions: SignalActions,
  clock: Pick<Clock, 'monotonicMs'>,
  source: SignalSource = process,
): () => void {
  let stopAskedMs: number | null = null;
  const stop = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (stopAskedMs === null) {
      stopAskedMs = clock.monotonicMs();
      actions.stop(signal);
    } else if (clock.monotonicMs() - stopAskedMs >= repeatMs) actions.stopNow();
  };
  const handlers: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGTERM', () => stop('SIGTERM')],
    ['SIGINT', () => stop('SIGINT')],
    ['SIGHUP', () => actions.reload()],
    // Takes the signal away from Node's debugger, which would open a port on it.
    ['SIGUSR1', () => actions.save()],
    ['SIGUSR2', () => actions.printTree()],
  ];
  for (const [signal, handler] of handlers) source.on(signal, handler);
  const forgetRealTime = source === process ? handleRealTimeSignal(() => actions.reopenLog()) : () => undefined;
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
    forgetRealTime();
  };
}

/** Node's wrapper of a signal, below `process.on`. */
interface SignalWrap {
  onsignal: (() => void) | null;
  unref(): void;
  /** @returns 0, or an error number */
  start(signal: number): number;
  close(): void;
}

interface UntypedProcess {
  noDeprecation: boolean | undefined;
  binding(name: 'signal_wrap'): { readonly Signal: new () => SignalWrap };
}

/** SIGRTMIN with the C libraries glibc and musl. */
const realTimeSignals = [34, 35] as const;

/**
 * Watches SIGRTMIN.
 *
 * Node has no name for real-time signals, and one that nobody watches ends the process. So Node's own signal wrapper is
 * used, by a deprecated door; where that is closed one day, nothing is watched.
 */
function handleRealTimeSignal(callback: () => void): () => void {
  if (process.platform !== 'linux') return () => undefined;
  // Neither is in Node's types.
  const node = process as unknown as UntypedProcess;
  const { noDeprecation } = node;
  try {
    // The door complains on standard error, where users' scripts read.
    node.noDeprecation = true;
    const { Signal } = node.binding('signal_wrap');
    for (const signal of realTimeSignals) {
      const watcher = new Signal();
      watcher.unref();
      watcher.onsignal = callback;
      if (watcher.start(signal) === 0) return () => watcher.close();
      watcher.close();
    }
  } catch {
    // Closed: SIGHUP reopens the log too.
  } finally {
    node.noDeprecation = noDeprecation;
  }
  return () => undefined;
}
