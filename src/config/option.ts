/**
 * One row describes one option of mosquitto.conf; parsing, scope rules, errors, defaults, the library's camelCase types
 * and the documentation are all derived from it. Nothing about an option is written anywhere else.
 */
import type { ConfigSource } from './source.ts';

/**
 * Where an option is legal and which section receives it.
 *
 * `security` options belong to the whole broker, or to one listener when `per_listener_settings` is true.
 */
export type Scope = 'global' | 'listener' | 'security' | 'bridge' | 'plugin';

/**
 * When a changed value takes effect on reload: at once, for connections made afterwards, or at the next start.
 */
export type ReloadClass = 'live' | 'new-connections' | 'restart';

/** What happens when an option is written again for the same object. */
export type Repeat = 'replace' | 'refuse' | 'collect';

/** What follows the name of an option on its line: everything after the one space that ends the name. */
export class OptionText {
  readonly text: string;
  readonly #isUtf8: boolean;

  /**
   * @param text - without the line end
   * @param isUtf8 - false when the bytes of the line were no UTF-8, and `text` is only what could be read of them
   */
  constructor(text: string, isUtf8 = true) {
    this.text = text;
    this.#isUtf8 = isUtf8;
  }

  /** The words between spaces. A TAB separates nothing (Mosquitto: only the space does). */
  words(): readonly string[] {
    return this.text.split(' ').filter((word) => word !== '');
  }

  /** Everything, without spaces, TABs and carriage returns at both ends. */
  trimmed(): string {
    return this.text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  }

  /**
   * Whether a part of this line may be used as a string: UTF-8 of at most 65,535 bytes without control characters and
   * non-characters, which Mosquitto refuses as "Malformed UTF-8".
   */
  isLegal(part: string): boolean {
    return this.#isUtf8 && Buffer.byteLength(part) <= 65_535 && isLegalText(part);
  }
}

/** Whether a string holds no control character (U+0000..001F, U+007F..009F), surrogate or non-character. */
export function isLegalText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}

/** What a value type may ask while it reads one line. */
export interface ValueContext {
  /** the option as written, which may be an alias */
  readonly name: string;
  /** refuse whatever Mosquitto refuses, even when the meaning is beyond doubt */
  readonly isStrict: boolean;
  readonly source: ConfigSource;
  /** Something to tell the operator about this line; the value is used all the same. */
  warn(text: string): void;
}

/** How a value is written in a file and in the library, and what becomes of it. */
export interface ValueType<T> {
  /** for people: 'true or false', 'integer 0..65535' */
  readonly expects: string;
  /** `word`: the first word counts and the rest of the line is ignored; `line`: the whole rest of the line counts */
  readonly reads: 'word' | 'line';
  /**
   * The value of one line.
   *
   * @param soFar - the value of the earlier lines, for options that collect
   * @throws ValueError - with Mosquitto's words for what is wrong
   */
  parse(text: OptionText, context: ValueContext, soFar: T | undefined): T;
  /**
   * The value given to the library.
   *
   * @throws ValueError - saying what was expected
   */
  accept(value: unknown): T;
}

/** A line of the table. Columns that are absent have the meaning given here. */
export interface OptionRow<T = unknown> {
  readonly scope: Scope;
  readonly type: ValueType<T>;
  /** The value when the option is not given; `null` for none. */
  readonly default: T | null;
  /** for people: 's', 'bytes', 'minutes' */
  readonly unit?: string;
  readonly reload: ReloadClass;
  /** One or two plain sentences. */
  readonly doc: string;
  /** Other names with the same meaning. */
  readonly aliases?: readonly string[];
  /** Listener options before any `listener` line: `creates` opens the default listener on 1883, absent is an error. */
  readonly beforeListener?: 'creates';
  /** Absent: `replace` for values of one word, `refuse` for values of a whole line. */
  readonly repeat?: Repeat;
  /** Lines with an effect on the structure and no value of their own; the parser knows each of these words. */
  readonly opens?: Structure;
  /** The name is a prefix: `plugin_opt_KEY`. */
  readonly isPrefix?: true;
  /** The version of Mosquitto that brought it, where that is after 2.0.0. */
  readonly since?: string;
  /** Ours, not Mosquitto's. */
  readonly isExtension?: true;
  /** Said at every start, with what to write instead where there is something. */
  readonly deprecated?: { readonly instead: string };
  /** Accepted without effect, as in Mosquitto: why, and the warning that it gives, if any. */
  readonly ignored?: { readonly why: string; readonly warning?: string };
  /**
   * Understood and checked, but the start is refused: why. With `values` only these values are refused, otherwise every
   * one that differs from the default.
   */
  readonly unsupported?: { readonly why: string; readonly values?: readonly unknown[] };
}

/** The lines that build the structure of a configuration. */
export type Structure =
  | 'listener'
  | 'default-port'
  | 'default-host'
  | 'connection'
  | 'plugin'
  | 'global-plugin'
  | 'loaded-plugin'
  | 'plugin-option'
  | 'plugin-use'
  | 'include';

/** Rows by option name. */
export type OptionTable = Readonly<Record<string, OptionRow>>;

/** A row, checked against {@link OptionRow} while keeping its exact types for the types derived from the table. */
export function option<const Row extends OptionRow>(row: Row): Row {
  return row;
}

/** `max_qos` → `maxQos`, `ciphers_tls1.3` → `ciphersTls13`. */
export type CamelCase<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? CamelCase<`${Head}${Tail}`>
  : Name extends `${infer Head}_${infer Tail}`
    ? `${Head}${Capitalize<CamelCase<Tail>>}`
    : Name;

/** The camelCase name of an option, as {@link CamelCase} does for types. */
export function camelCase(name: string): string {
  return name.replaceAll('.', '').replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** A value that cannot be used, in Mosquitto's words; the parser adds where it stands. */
export class ValueError extends Error {
  /** For people: what would have been right. */
  readonly hint: string | undefined;
  /** Exit status of a broker that refuses to start because of it. */
  readonly exitCode: number;

  constructor(message: string, hint?: string, exitCode = 3) {
    super(message);
    this.name = 'ValueError';
    this.hint = hint;
    this.exitCode = exitCode;
  }
}
