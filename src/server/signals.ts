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
  const forgetRealTime = handleRealTimeSignal(source, () => actions.reopenLog());
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
    forgetRealTime();
  };
}

/**
 * SIGRTMIN with the C libraries glibc and musl, where the number of the other is not for programs. Node knows neither name; the
 * executable adds them to its table before anything else (bin/moustique.js).
 */
const realTimeSignals = ['SIGRTMIN', 'SIGRTMIN+1'] as unknown as readonly NodeJS.Signals[];

function handleRealTimeSignal(source: SignalSource, handler: () => void): () => void {
  for (const signal of realTimeSignals) {
    try {
      source.on(signal, handler);
      return () => source.off(signal, handler);
    } catch {
      // Not with this C library.
    }
  }
  return () => undefined;
}
