/** The last lines of the log. */
import type { LogType } from '../contracts/logger.ts';

const linesMax = 1000;

export interface LogLine {
  readonly seq: number;
  readonly atMs: number;
  readonly type: LogType;
  readonly line: string;
}

export class RecentLog {
  readonly #lines: LogLine[] = [];
  #seq = 0;

  add(atMs: number, type: LogType, line: string): void {
    this.#lines.push({ seq: ++this.#seq, atMs, type, line: line.slice(0, 1000) });
    if (this.#lines.length > linesMax) this.#lines.shift();
  }

  get lastSeq(): number {
    return this.#seq;
  }

  /** Those after a line, oldest first. */
  after(seq: number): LogLine[] {
    return this.#lines.filter((line) => line.seq > seq);
  }
}
