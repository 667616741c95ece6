/** Where log lines end up: standard streams, a file, `$SYS` topics. Syslog has a file of its own. */
import { constants, fstatSync, openSync, type Stats } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { LogType } from '../contracts/logger.ts';
import { LineWriter } from './line-writer.ts';
import type { PublishText } from './publish-text.ts';

/** One place for lines. Nothing here may throw into the broker, block it, or keep more than a stated number of bytes. */
export interface LogDestination {
  /** Whether lines of this type are of use here. */
  accepts(type: LogType): boolean;
  /** @param line - with timestamp, escaped, without a line end, at most 999 bytes */
  write(type: LogType, line: string): void;
  /** Blocking; for a process that ends at once. */
  flushNow(): void;
  /** Writes what waits and lets go; takes at most a second or so. */
  close(): Promise<void>;
}

/** What a destination needs to tell of its own trouble. */
export interface DestinationContext {
  readonly clock: Clock;
  /** Puts the timestamp before a line. */
  readonly stamp: (line: string) => string;
  /** Tells the other destinations, or standard error when there is none. */
  readonly report: (line: string) => void;
}

/** A log file that cannot be opened; `message` is Mosquitto's line. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

function lossNotice(context: DestinationContext): (count: number) => string {
  return (count) =>
    context.stamp(`Warning: ${count} log ${count === 1 ? 'line was' : 'lines were'} lost here, writing was too slow.`);
}

class WriterDestination implements LogDestination {
  readonly #writer: LineWriter;

  constructor(writer: LineWriter) {
    this.#writer = writer;
  }

  accepts(): boolean {
    return true;
  }

  write(_type: LogType, line: string): void {
    this.#writer.write(line);
  }

  flushNow(): void {
    this.#writer.flushNow();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

/**
 * A descriptor for a standard stream on which a write never waits.
 *
 * A reader that stops reading (a pager, a stuck pipeline) must not stop the broker, nor its end. The stream is opened
 * anew, because the inherited one is shared with the process that started us and must stay as it is.
 */
function openWithoutWaiting(fd: 1 | 2): { readonly fd: number; readonly isOurs: boolean } {
  try {
    const status: Stats = fstatSync(fd);
    if (status.isFIFO() || status.isCharacterDevice()) {
      const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
      return { fd: openSync(`/proc/self/fd/${fd}`, flags), isOurs: true };
    }
    // A socket (systemd, a parent in Node) cannot be opened anew, and is shared with nobody who writes. Node makes it one
    // that does not wait when its stream object is made.
    if (status.isSocket()) void (fd === 1 ? process.stdout : process.stderr);
  } catch {
    // No /proc, or a terminal that belongs to someone else: the inherited descriptor will do.
  }
  return { fd, isOurs: false };
}

/** `log_dest stdout` and `log_dest stderr`. */
export function standardStreamDestination(name: 'stdout' | 'stderr', context: DestinationContext): LogDestination {
  const { fd, isOurs } = openWithoutWaiting(name === 'stdout' ? 1 : 2);
  return new WriterDestination(
    new LineWriter(fd, {
      clock: context.clock,
      ownsDescriptor: isOurs,
      lossNotice: lossNotice(context),
      // Whoever closed our standard streams does not want to be told on them.
      onFailure: () => undefined,
    }),
  );
}

/**
 * `log_dest file PATH`: appended to, created for its owner alone.
 *
 * Mosquitto 2.1 refuses a symbolic link in the last component; `/dev/stdout` and `/dev/stderr`, which are links and
 * common in containers, mean the standard streams.
 *
 * @param allowSymlinks - the environment has MOSQUITTO_UNSAFE_ALLOW_SYMLINKS
 * @throws LogFileError - the file cannot be opened
 */
export function fileDestination(path: string, allowSymlinks: boolean, context: DestinationContext): LogDestination {
  if (path === '/dev/stdout') return standardStreamDestination('stdout', context);
  if (path === '/dev/stderr') return standardStreamDestination('stderr', context);
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOCTTY;
  let fd: number;
  try {
    fd = openSync(path, allowSymlinks ? flags : flags | constants.O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw new LogFileError(`Error: Unable to open log file ${path} for writing.`, { cause });
  }
  return new WriterDestination(
    new LineWriter(fd, {
      clock: context.clock,
      ownsDescriptor: true,
      lossNotice: lossNotice(context),
      onFailure: (error) => context.report(`Error: Unable to write to log file ${path}: ${error.message}.`),
    }),
  );
}

/** Lines that wait for the broker to publish them. */
export const topicLinesMax = 1_000;

/** Debug and internal lines are never published, as in Mosquitto: publishing one would log the next. */
const topicByType: ReadonlyMap<LogType, string> = new Map([
  ['error', '$SYS/broker/log/E'],
  ['warning', '$SYS/broker/log/W'],
  ['notice', '$SYS/broker/log/N'],
  ['information', '$SYS/broker/log/I'],
  ['subscribe', '$SYS/broker/log/M/subscribe'],
  ['unsubscribe', '$SYS/broker/log/M/unsubscribe'],
  ['websockets', '$SYS/broker/log/WS'],
]);

/**
 * `log_dest topic`.
 *
 * Lines are published a moment later, from the event loop, because a line may be logged in the middle of the broker's
 * own work. Until {@link TopicDestination.attach} they wait; beyond {@link topicLinesMax} they are lost.
 */
export class TopicDestination implements LogDestination {
  readonly #clock: Clock;
  #publish: PublishText | null = null;
  #waiting: { readonly topicName: string; readonly line: string }[] = [];
  #isScheduled = false;
  #isPublishing = false;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  accepts(type: LogType): boolean {
    return topicByType.has(type);
  }

  /** Gives the way into the broker, once it runs. */
  attach(publish: PublishText): void {
    this.#publish = publish;
    this.#schedule();
  }

  write(type: LogType, line: string): void {
    const topicName = topicByType.get(type);
    // A line about publishing a line would go round for ever.
    if (topicName === undefined || this.#isPublishing || this.#isClosed) return;
    if (this.#waiting.length >= topicLinesMax) return;
    this.#waiting.push({ topicName, line });
    this.#schedule();
  }

  flushNow(): void {
    // A process that dies has nobody left to publish to.
  }

  close(): Promise<void> {
    this.#publishWaiting();
    this.#isClosed = true;
    return Promise.resolve();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#publish === null || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    this.#clock.after(0, () => {
      this.#isScheduled = false;
      this.#publishWaiting();
    });
  }

  #publishWaiting(): void {
    const publish = this.#publish;
    if (publish === null || this.#isClosed) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#isPublishing = true;
    try {
      // Mosquitto: QoS 2, not retained, gone after 20 seconds.
      for (const { topicName, line } of lines) publish(topicName, line, { qos: 2, retain: false, expirySeconds: 20 });
    } finally {
      this.#isPublishing = false;
    }
  }
}
