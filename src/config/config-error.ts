/** What is wrong with a configuration, and how it is told. */
import type { Origin } from './config.ts';

/** One thing that is wrong. */
export interface ConfigError {
  /** path of the file, `options` for the library, or '' when it is about no file */
  readonly file: string;
  /** from 1; 0 when it is about no line */
  readonly line: number;
  /** as written, `listeners[0].port` for the library, '' when it is about no option */
  readonly option: string;
  /** Mosquitto's words without the leading `Error: `; '' where it gives none */
  readonly message: string;
  /** what would have been right, or which option was probably meant */
  readonly hint: string | null;
  /** where the file was included, for a file of an `include_dir` */
  readonly includedAt: Origin | null;
  /** exit status of a broker that does not start because of it */
  readonly exitCode: number;
}

/** A configuration that cannot be used. Nothing of it has taken effect. */
export class ConfigErrors extends Error {
  /** in the order found; never empty */
  readonly errors: readonly ConfigError[];
  /** what to print: for each error Mosquitto's lines, then one of ours with file, line, option and hint */
  readonly lines: readonly string[];
  /** of the first error */
  readonly exitCode: number;

  constructor(errors: readonly [ConfigError, ...ConfigError[]]) {
    const lines = errors.flatMap(errorLines);
    super(lines.join('\n'));
    this.name = 'ConfigErrors';
    this.errors = errors;
    this.lines = lines;
    this.exitCode = errors[0].exitCode;
  }
}

function errorLines(error: ConfigError): readonly string[] {
  const lines: string[] = [];
  if (error.message !== '') lines.push(`Error: ${printable(error.message)}`);
  const place = error.line > 0 ? `${error.file}:${error.line}` : error.file;
  if (error.includedAt !== null) {
    lines.push(`Error found at '${place}'.`);
    lines.push(`Error found at ${error.includedAt.file}:${error.includedAt.line}.`);
  } else if (error.line > 0) {
    lines.push(`Error found at ${place}.`);
  }
  if (error.hint !== null) {
    const parts = [place, printable(error.option), printable(error.hint)];
    lines.push(parts.filter((part) => part !== '').join(': '));
  }
  return lines;
}

/** Control characters of a damaged file must not reach a terminal or a log. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character === '\t' ? character : `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}
