/** A logger whose lines somebody else sees as well. */
import type { Logger, LogType } from '../contracts/logger.ts';

export class TappedLogger implements Logger {
  readonly #inner: Logger;
  readonly #onLine: (type: LogType, line: string) => void;

  constructor(inner: Logger, onLine: (type: LogType, line: string) => void) {
    this.#inner = inner;
    this.#onLine = onLine;
  }

  enabled(type: LogType): boolean {
    return this.#inner.enabled(type);
  }

  log(type: LogType, line: string): void {
    this.#inner.log(type, line);
    if (this.#inner.enabled(type)) this.#onLine(type, line);
  }
}
