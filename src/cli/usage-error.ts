/** What follows the text of a usage error: Mosquitto ends some with an empty line more than others. */
export type UsageErrorLayout = 'plain' | 'spaced';

/** A command line that cannot be followed; the tool prints the text and points to `--help`. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly layout: UsageErrorLayout;

  /** @param message - a whole line, without its end */
  constructor(message: string, layout: UsageErrorLayout = 'plain') {
    super(message);
    this.layout = layout;
  }

  /** The lines for standard error. */
  report(tool: string): string {
    return `${this.message}\n${this.layout === 'spaced' ? '\n' : ''}\nUse '${tool} --help' to see usage.\n`;
  }
}
