/**
 * Messages to systemd: ready, alive, stopping.
 *
 * They are datagrams on a Unix socket, which Node does not open, so the program `systemd-notify` sends them. Its unit
 * needs `NotifyAccess=all`, because it is a child that speaks.
 */
import { builtins } from '../base/builtins.ts';
import type { Clock } from '../base/clock.ts';

export interface ServiceManager {
  /** The broker serves. Starts the regular sign of life when the unit has WatchdogSec. */
  ready(): void;
  /** The broker ends; no sign of life follows. */
  stopping(): void;
}

export interface ServiceManagerOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read. */
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly pid: number;
  /** The program; replaced in tests. */
  readonly command?: string;
}

/** Talks to systemd when it started us and wants to be told; else does nothing. */
export function serviceManager(options: ServiceManagerOptions): ServiceManager {
  const { env, clock, pid, command = 'systemd-notify' } = options;
  if (env['NOTIFY_SOCKET'] === undefined) return { ready: () => undefined, stopping: () => undefined };
  const send = (message: string): void => {
    const child = builtins.childProcess.spawn(command, [message], { env, stdio: 'ignore' });
    // Without the program systemd waits in vain and says so itself.
    child.on('error', () => undefined);
    child.unref();
  };
  const periodMs = watchdogPeriodMs(env, pid);
  let watchdog: { cancel(): void } | null = null;
  return {
    ready() {
      send('READY=1');
      // Twice per interval, as sd_watchdog_enabled(3) advises.
      if (periodMs !== null) watchdog = clock.every(periodMs, () => send('WATCHDOG=1'));
    },
    stopping() {
      watchdog?.cancel();
      watchdog = null;
      send('STOPPING=1');
    },
  };
}

/** Half the interval of the watchdog in ms; null when there is none or it means another process. */
function watchdogPeriodMs(env: NodeJS.ProcessEnv, pid: number): number | null {
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '');
  if (!Number.isFinite(microseconds) || microseconds <= 0) return null;
  const watchedPid = env['WATCHDOG_PID'];
  if (watchedPid !== undefined && watchedPid !== String(pid)) return null;
  return Math.max(1, Math.floor(microseconds / 2000));
}
