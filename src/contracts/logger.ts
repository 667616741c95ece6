/**
 * Where the broker's lines go.
 *
 * The types are those of Mosquitto's `log_type`; `information` is the one most start-up lines have.
 */
export type LogType =
  | 'error'
  | 'warning'
  | 'notice'
  | 'information'
  | 'debug'
  | 'subscribe'
  | 'unsubscribe'
  | 'internal'
  | 'websockets';

export interface Logger {
  /** Whether a line of this type would go anywhere; ask before building an expensive line. */
  enabled(type: LogType): boolean;
  /** Writes one line without a timestamp and without a line end. Control characters are made visible by the logger. */
  log(type: LogType, line: string): void;
}
