import type { Logger, LogType } from '../../src/contracts/logger.ts';

/** A logger that remembers its lines, each after its type. */
export class LineLog implements Logger {
  readonly lines: string[] = [];

  enabled(): boolean {
    return true;
  }

  log(type: LogType, line: string): void {
    this.lines.push(`${type}: ${line}`);
  }
}
