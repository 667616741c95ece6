/** The store cannot be used, so the broker must not start. `lines` are for the log, in Mosquitto's words where it has some. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options?: ErrorOptions) {
    super(lines.join(' '), options);
    this.lines = lines;
  }
}
