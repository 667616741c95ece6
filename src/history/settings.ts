/** What the history takes from the configuration; plain data, so that it can be sent to the worker. */
import type { HistoryRule } from './rules.ts';
import type { InfluxSettings } from './sink/influx-sink.ts';

export interface HistorySettings {
  /** Path of the database. */
  readonly file: string;
  readonly rules: readonly HistoryRule[];
  /** Bytes of the database in use, at most. */
  readonly maxBytes: number;
  /** How long messages are gathered before they are written. */
  readonly writeIntervalMs: number;
  readonly sinks: readonly InfluxSettings[];
}
