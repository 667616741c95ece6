/**
 * `log_dest syslog`, by one `logger(1)` process that is fed line by line.
 *
 * /dev/log is a datagram socket and Node opens none of those, so the program that every Linux and BSD has does it. Each
 * line carries its facility and level in front (`<29>`), which `logger --prio-prefix` understands.
 */
import type { ChildProcessByStdio } from 'node:child_process';
import type { Writable } from 'node:stream';
import { builtins } from '../base/builtins.ts';
import type { LogType } from '../contracts/logger.ts';
import type { DestinationContext, LogDestination } from './log-destinations.ts';

/** Bytes that wait for a slow `logger`; above them lines are lost. */
export const syslogPendingBytesMax = 262_144;
const restartAfterMs = 5_000;
const closeWaitMs = 1_000;

const facilityDaemon = 3;
const facilityLocal0 = 16;

const levels: Readonly<Record<LogType, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  information: 6,
  debug: 7,
  subscribe: 5,
  unsubscribe: 5,
  internal: 7,
  websockets: 7,
};

export interface SyslogOptions {
  /** Name in front of each entry: the program's. */
  readonly ident: string;
  /** `log_facility`: 0..7 for local0..local7; null for daemon. */
  readonly facility: number | null;
  /** Process id shown in each entry. */
  readonly pid: number;
  /** The program; replaced in tests. */
  readonly command?: string;
}

type LoggerProcess = ChildProcessByStdio<Writable, null, null>;

export class SyslogDestination implements LogDestination {
  readonly #options: SyslogOptions;
  readonly #context: DestinationContext;
  readonly #facility: number;
  #process: LoggerProcess | null = null;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #isReported = false;
  #lost = 0;
  #isClosed = false;

  constructor(options: SyslogOptions, context: DestinationContext) {
    this.#options = options;
    this.#context = context;
    this.#facility = options.facility === null ? facilityDaemon : facilityLocal0 + options.facility;
  }

  accepts(): boolean {
    return true;
  }

  write(type: LogType, line: string): void {
    if (this.#isClosed) return;
    const input = this.#input();
    if (input === null || input.writableLength > syslogPendingBytesMax) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) {
      input.write(`<${this.#facility * 8 + levels.warning}>${this.#lost} log lines were lost.\n`);
      this.#lost = 0;
    }
    input.write(`<${this.#facility * 8 + levels[type]}>${line}\n`);
  }

  flushNow(): void {
    // What was handed to the pipe is in the pipe; the rest cannot be hurried without the event loop.
  }

  close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#process;
    if (child === null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#context.clock.after(closeWaitMs, () => {
        child.kill('SIGKILL');
        resolve();
      });
      child.ref();
      child.once('exit', () => {
        timer.cancel();
        resolve();
      });
      child.stdin.end();
    });
  }

  /** The pipe to `logger`, started when there is none and the last one did not fail just now. */
  #input(): Writable | null {
    if (this.#process !== null) return this.#process.stdin;
    if (this.#context.clock.monotonicMs() - this.#failedAtMs < restartAfterMs) return null;
    const { ident, pid, command = 'logger' } = this.#options;
    const child = builtins.childProcess.spawn(command, ['--prio-prefix', `--tag=${ident}`, `--id=${pid}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.unref();
    child.on('error', (error: NodeJS.ErrnoException) => this.#ended(child, error.code ?? error.message));
    child.on('exit', (status) => this.#ended(child, `status ${status ?? 'unknown'}`));
    child.stdin.on('error', () => undefined);
    this.#process = child;
    return child.stdin;
  }

  #ended(child: LoggerProcess, why: string): void {
    if (this.#process !== child || this.#isClosed) return;
    this.#process = null;
    this.#failedAtMs = this.#context.clock.monotonicMs();
    if (this.#isReported) return;
    this.#isReported = true;
    this.#context.report(`Error: Unable to write to syslog: the program logger ended (${why}).`);
  }
}
