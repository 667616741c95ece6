/** Where the lines of an embedded broker go: to a function of the program, to `logDest`, or to both. */
import type { Logger, LogType } from '../../contracts/logger.ts';
import type { BrokerLogger } from '../../observe/logger.ts';
import { visibleText } from '../../observe/visible-text.ts';
import type { CallQueue, Receiver } from './call-queue.ts';

/**
 * Takes one line of the log, without timestamp and line end, control characters made visible.
 *
 * Called from the event loop, in order, as handlers are. What it throws ends up as an uncaught exception.
 */
export type LogLine = (type: LogType, line: string) => unknown;

export class LibraryLogger implements Logger {
  readonly #types: ReadonlySet<LogType>;
  readonly #onLine: LogLine | null;
  readonly #calls: CallQueue;
  readonly #destinations: BrokerLogger | null;

  /** @param types - the lines that `onLine` gets */
  constructor(types: readonly LogType[], onLine: LogLine | null, calls: CallQueue, destinations: BrokerLogger | null) {
    this.#types = new Set(onLine === null ? [] : types);
    this.#onLine = onLine;
    this.#calls = calls;
    this.#destinations = destinations;
  }

  enabled(type: LogType): boolean {
    return this.#types.has(type) || (this.#destinations?.enabled(type) ?? false);
  }

  log(type: LogType, line: string): void {
    this.#destinations?.log(type, line);
    const onLine = this.#onLine;
    if (onLine === null || !this.#types.has(type)) return;
    const text = visibleText(line);
    this.#calls.push(logReceiver, () => onLine(type, text));
  }
}

/** The function that gets log lines. */
export const logReceiver: Receiver = { name: 'log', isActive: true };
