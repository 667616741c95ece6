/** Why a broker did not start. Nothing is left half started. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** Log lines, Mosquitto's words first. */
  readonly lines: readonly string[];
  /** Exit status of the process, as Mosquitto's. */
  readonly exitCode: number;

  constructor(lines: readonly string[], exitCode: number, options?: ErrorOptions) {
    super(lines.join('\n'), options);
    this.lines = lines;
    this.exitCode = exitCode;
  }
}
