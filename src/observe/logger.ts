/** The broker's logger: which lines, how they look, where they go. */
import type { Clock } from '../base/clock.ts';
import { compileStrftime } from '../base/strftime.ts';
import type { Logger, LogType } from '../contracts/logger.ts';
import {
  type DestinationContext,
  fileDestination,
  type LogDestination,
  LogFileError,
  standardStreamDestination,
  TopicDestination,
} from './log-destinations.ts';
import type { PublishText } from './publish-text.ts';
import { SyslogDestination } from './syslog-destination.ts';
import { cutToBytes, visibleText } from './visible-text.ts';

/** Longest line in bytes, timestamp included, line end not; that of Mosquitto. */
export const lineBytesMax = 999;

/** A value of `log_dest`; `none` has none, an empty list is silence. */
export type LogTarget = 'stdout' | 'stderr' | 'topic' | 'syslog' | { readonly file: string };

export interface LogSettings {
  readonly types: readonly LogType[];
  readonly targets: readonly LogTarget[];
  /** `log_timestamp false` is 'none'; without `log_timestamp_format` it is 'epoch', seconds since 1970. */
  readonly timestamp: 'none' | 'epoch' | { readonly format: string };
  /** `log_facility`: 0..7 for local0..local7; null for daemon. */
  readonly syslogFacility: number | null;
}

/** What the logger takes from its process. */
export interface LogEnvironment {
  readonly clock: Clock;
  /** Process id and program name for syslog. */
  readonly pid: number;
  readonly ident: string;
  /** MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set. */
  readonly allowSymlinks: boolean;
}

export class BrokerLogger implements Logger {
  readonly #environment: LogEnvironment;
  #settings: LogSettings;
  #destinations: readonly LogDestination[] = [];
  #enabled: ReadonlySet<LogType> = new Set();
  #publish: PublishText | null = null;
  /** Standard error for trouble of the log, opened when there is some. */
  #fallback: LogDestination | null = null;
  #stamp: (unixMs: number) => string = () => '';
  #stampSecond = Number.NaN;
  #stampText = '';
  /** Of destinations that reconfiguring left behind. */
  #closing: Promise<unknown> = Promise.resolve();

  /** Opens the destinations; trouble with one is logged to the others. */
  constructor(settings: LogSettings, environment: LogEnvironment) {
    this.#settings = settings;
    this.#environment = environment;
    this.#open(settings);
  }

  enabled(type: LogType): boolean {
    return this.#enabled.has(type);
  }

  log(type: LogType, line: string): void {
    if (!this.#enabled.has(type)) return;
    const text = this.#format(line);
    for (const destination of this.#destinations) if (destination.accepts(type)) destination.write(type, text);
  }

  /** Gives `log_dest topic` its way into the broker; lines from before are published then. */
  attachTopics(publish: PublishText): void {
    this.#publish = publish;
    for (const destination of this.#destinations) {
      if (destination instanceof TopicDestination) destination.attach(publish);
    }
  }

  /**
   * Takes new settings, or opens everything anew with the same: after the log file was moved away, lines go to a new
   * one. Lines logged before are still written to where they belonged.
   */
  reopen(settings: LogSettings = this.#settings): void {
    const left = this.#destinations;
    this.#settings = settings;
    this.#open(settings);
    this.#closing = Promise.all([this.#closing, ...left.map((destination) => destination.close())]);
  }

  /** Writes at once what waits, blocking; for a process that is about to end by a fault. */
  flushNow(): void {
    for (const destination of this.#destinations) destination.flushNow();
    this.#fallback?.flushNow();
  }

  /** Writes what waits and closes the destinations; lines logged later are lost. Takes about a second at most. */
  async close(): Promise<void> {
    const destinations = this.#destinations;
    this.#destinations = [];
    this.#enabled = new Set();
    await Promise.all([this.#closing, ...destinations.map((destination) => destination.close())]);
    await this.#fallback?.close();
  }

  #open(settings: LogSettings): void {
    this.#stamp = stampOf(settings.timestamp);
    this.#stampSecond = Number.NaN;
    const troubles: string[] = [];
    const context = this.#context();
    const destinations: LogDestination[] = [];
    for (const target of settings.targets) {
      try {
        destinations.push(this.#destination(target, context));
      } catch (error) {
        if (!(error instanceof LogFileError)) throw error;
        troubles.push(error.message);
        // The lines of a file that cannot be opened are not lost: they go to standard error.
        if (!settings.targets.includes('stderr')) {
          destinations.push(standardStreamDestination('stderr', context));
        }
      }
    }
    this.#destinations = destinations;
    this.#enabled = new Set(
      settings.types.filter((type) => destinations.some((destination) => destination.accepts(type))),
    );
    // Whatever log_type says: silence would hide that there is no log.
    for (const line of troubles) for (const destination of destinations) destination.write('error', this.#format(line));
  }

  #context(): DestinationContext {
    return {
      clock: this.#environment.clock,
      stamp: (line) => this.#format(line),
      report: (line) => this.#report(line),
    };
  }

  #destination(target: LogTarget, context: DestinationContext): LogDestination {
    const { clock, pid, ident, allowSymlinks } = this.#environment;
    switch (target) {
      case 'stdout':
      case 'stderr':
        return standardStreamDestination(target, context);
      case 'syslog':
        return new SyslogDestination({ ident, pid, facility: this.#settings.syslogFacility }, context);
      case 'topic': {
        const destination = new TopicDestination(clock);
        if (this.#publish !== null) destination.attach(this.#publish);
        return destination;
      }
      default:
        return fileDestination(target.file, allowSymlinks, context);
    }
  }

  /** Trouble of the log itself: told wherever lines go, and always on standard error. */
  #report(line: string): void {
    this.log('error', line);
    if (this.#settings.targets.includes('stderr') && this.#enabled.has('error')) return;
    this.#fallback ??= standardStreamDestination('stderr', this.#context());
    this.#fallback.write('error', this.#format(line));
  }

  #format(line: string): string {
    // A tab in front indents the lines that belong to the one before; it cannot forge anything.
    const text = line.startsWith('\t') ? `\t${visibleText(line.slice(1))}` : visibleText(line);
    return cutToBytes(this.#stampNow() + text, lineBytesMax);
  }

  #stampNow(): string {
    const nowMs = this.#environment.clock.nowMs();
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#stampSecond) {
      this.#stampSecond = second;
      this.#stampText = this.#stamp(nowMs);
    }
    return this.#stampText;
  }
}

/** What stands in front of a line, by its time. */
function stampOf(timestamp: LogSettings['timestamp']): (unixMs: number) => string {
  if (timestamp === 'none') return () => '';
  if (timestamp === 'epoch') return (unixMs) => `${Math.floor(unixMs / 1000)}: `;
  const format = compileStrftime(timestamp.format);
  // Mosquitto: what strftime makes nothing of is shown as "Time error".
  return (unixMs) => `${format(unixMs) || 'Time error'}: `;
}
