/** The kinds of value that many options share. Wording and quirks are Mosquitto 2.1's. */
import { isLegalText, type OptionText, type ValueContext, ValueError, type ValueType } from './option.ts';

/** `true`, `false`, `1` or `0` as the first word. */
export function boolean(): ValueType<boolean> {
  const expects = 'true or false';
  return {
    expects,
    reads: 'word',
    parse: (text, { name }) => {
      const word = firstWord(text, name);
      if (word === 'true' || word === '1') return true;
      if (word === 'false' || word === '0') return false;
      throw new ValueError(`Invalid '${name}' value (${word}).`, tabHint(text) ?? `expected ${expects}`);
    },
    accept: (value) => {
      if (typeof value !== 'boolean') throw unexpected(expects, value);
      return value;
    },
  };
}

/** Bounds and wording of an integer option. */
export interface IntegerRules {
  /** smallest legal value */
  readonly min: number;
  /** largest legal value; 2147483647 when absent */
  readonly max?: number;
  /** Mosquitto's complaint about a value outside, when it is not `Invalid 'NAME' value (N).` */
  readonly outside?: (name: string, value: number) => string;
  /** Applied to a value of a file before the bounds are checked: what Mosquitto silently corrects. */
  readonly correct?: (value: number) => number;
  /** What is said when a value had to be corrected; nothing when absent. */
  readonly corrected?: string;
}

const int32Max = 2_147_483_647;

/** A whole number as the first word, read as C's `strtol` with base 0 does: `16`, `0x10` and `020` are the same. */
export function integer(rules: IntegerRules): ValueType<number> {
  const { min, max = int32Max, correct = (value: number) => value } = rules;
  const outside = rules.outside ?? ((name: string, value: number) => `Invalid '${name}' value (${value}).`);
  const expects = max === int32Max ? `integer from ${min}` : `integer ${min}..${max}`;
  return {
    expects,
    reads: 'word',
    parse: (text, { name, warn }) => {
      const written = parseInteger(text, name);
      const value = correct(written);
      if (value !== written && rules.corrected !== undefined) warn(rules.corrected);
      if (value < min || value > max) throw new ValueError(outside(name, value), `expected ${expects}`);
      return value;
    },
    accept: (value) => {
      if (!isIntegerWithin(value, min, max)) throw unexpected(expects, value);
      return correct(value);
    },
  };
}

/** One of a few words. */
export function keyword<const Word extends string>(
  words: readonly Word[],
  refusal: (name: string, word: string) => string = (name, word) => `Invalid '${name}' value (${word}).`,
): ValueType<Word> {
  const expects = listed(words);
  const isWord = (word: unknown): word is Word => (words as readonly unknown[]).includes(word);
  return {
    expects,
    reads: 'word',
    parse: (text, { name }) => {
      const word = firstWord(text, name);
      if (!isWord(word)) throw new ValueError(refusal(name, word), tabHint(text) ?? `expected ${expects}`);
      return word;
    },
    accept: (value) => {
      if (!isWord(value)) throw unexpected(expects, value);
      return value;
    },
  };
}

/** One of a few words, which must be the whole rest of the line: blanks behind it and comments are errors. */
export function exactKeyword<const Word extends string>(words: readonly Word[]): ValueType<Word> {
  const loose = keyword(words);
  return {
    ...loose,
    reads: 'line',
    parse: (line, { name }) => {
      const word = words.find((one) => one === line.text);
      if (word !== undefined) return word;
      if (line.text.trim() === '') throw new ValueError(`Empty '${name}' value in configuration.`);
      throw new ValueError(`Invalid '${name}' value (${line.text}).`, `expected ${loose.expects} and nothing else`);
    },
  };
}

/** A name without spaces; the rest of the line is ignored. */
export function word(expects: string): ValueType<string> {
  return {
    expects,
    reads: 'word',
    parse: (line, { name }) => {
      const value = firstWord(line, name);
      if (!line.isLegal(value)) throw new ValueError('Malformed UTF-8 in configuration.', tabHint(line));
      return value;
    },
    accept: (value) => {
      if (typeof value !== 'string' || !/^[^ ]+$/.test(value) || !isLegalText(value)) throw unexpected(expects, value);
      return value;
    },
  };
}

/** Bounds and wording of a text option. */
export interface TextRules {
  /** for people, `text` when absent */
  readonly expects?: string;
  /** What is wrong with a text that is otherwise legal: a complaint in Mosquitto's words, or `undefined`. */
  readonly check?: (text: string, name: string) => string | undefined;
  /** Exit status when the check fails; 3 when absent. */
  readonly exitCode?: number;
}

/** The rest of the line. A `# comment` behind it is part of the text; outside strict mode a warning says so. */
export function text(rules: TextRules = {}): ValueType<string> {
  const expects = rules.expects ?? 'text';
  return {
    expects,
    reads: 'line',
    parse: (line, context) => {
      const value = wholeText(line, context.name);
      const complaint = rules.check?.(value, context.name);
      if (complaint !== undefined) throw new ValueError(complaint, commentHint(value), rules.exitCode);
      const hint = commentHint(value);
      if (hint !== undefined) context.warn(hint);
      return value;
    },
    accept: (value) => {
      if (typeof value !== 'string' || value === '' || !isLegalText(value)) throw unexpected(expects, value);
      const complaint = rules.check?.(value, 'value');
      if (complaint !== undefined) throw new ValueError(complaint);
      return value;
    },
  };
}

/**
 * The name of a file or directory: the rest of the line.
 *
 * Mosquitto takes a `# comment` behind it for a part of the name. When nothing of that name exists, the name before the
 * comment is meant, and a warning says so; strict mode keeps Mosquitto's reading.
 */
export function path(expects = 'path'): ValueType<string> {
  return {
    expects,
    reads: 'line',
    parse: (line, context) => meantPath(line.trimmed(), line, context),
    accept: (value) => {
      if (typeof value !== 'string' || value === '' || value.includes('\0')) throw unexpected(expects, value);
      return value;
    },
  };
}

/** A value that Mosquitto reads and forgets. */
export function anything(): ValueType<null> {
  return { expects: 'anything', reads: 'line', parse: () => null, accept: () => null };
}

/**
 * A path as it was meant: without a comment behind it and blanks around it, unless something of the literal name exists
 * or the mode is strict. Says so when the difference matters.
 *
 * @param literal - the name as Mosquitto reads it
 * @throws ValueError when it is empty or no legal text
 */
export function meantPath(literal: string, line: OptionText, context: ValueContext): string {
  const { name, isStrict, source } = context;
  if (literal.trim() === '') throw new ValueError(`Empty '${name}' value in configuration.`);
  const isLiteral = isStrict || source.exists(literal);
  const uncommented = /^(.*?[^ \t])[ \t]+#/.exec(literal)?.[1];
  const meant = isLiteral ? literal : (uncommented ?? literal).trim();
  if (!line.isLegal(meant)) throw new ValueError('Malformed UTF-8 in configuration.', tabHint(line));
  if (meant !== literal) {
    const why =
      uncommented === undefined ? 'without the blanks around it' : 'a comment must stand on a line of its own';
    context.warn(`'${meant}' is taken for the name, ${why}`);
  }
  return meant;
}

/** The first word of a value. @throws ValueError when there is none */
export function firstWord(text: OptionText, name: string): string {
  const [word] = text.words();
  if (word === undefined) throw new ValueError(`Empty '${name}' value in configuration.`);
  return word;
}

/** The whole value, trimmed. @throws ValueError when it is empty or no legal text */
export function wholeText(text: OptionText, name: string): string {
  const value = text.trimmed();
  if (value === '') throw new ValueError(`Empty '${name}' value in configuration.`);
  if (!text.isLegal(value)) throw new ValueError('Malformed UTF-8 in configuration.', tabHint(text));
  return value;
}

/** The first word as a number. @throws ValueError when it is none, or beyond 32 bits */
export function parseInteger(text: OptionText, name: string): number {
  const word = firstWord(text, name);
  const value = strtol(word);
  if (value === undefined) throw new ValueError(`'${name}' value not a number.`, tabHint(text) ?? `got "${word}"`);
  if (value > int32Max || value < -int32Max - 1) throw new ValueError(`'${name}' value out of range.`);
  return value;
}

/** C's `strtol` with base 0 for a whole word: decimal, `0x` hexadecimal, leading `0` octal. */
export function strtol(word: string): number | undefined {
  const match = /^[\t\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))$/.exec(word);
  if (match === null) return undefined;
  const [, sign, hexadecimal, octal, decimal = '0'] = match;
  const digits = hexadecimal ?? octal ?? decimal;
  const value = Number.parseInt(digits, hexadecimal !== undefined ? 16 : octal !== undefined ? 8 : 10);
  return sign === '-' && value !== 0 ? -value : value;
}

/** The error for a value given to the library. */
export function unexpected(expects: string, value: unknown): ValueError {
  return new ValueError(`expected ${expects}, got ${shown(value)}`);
}

/** Whether a value given to the library is a whole number within bounds. */
export function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

/** 'a, b or c' */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** A hint for lines with a TAB, which looks like a separator and is none. */
export function tabHint(text: OptionText): string | undefined {
  return text.text.includes('\t') ? 'a TAB is part of the value here: separate with spaces' : undefined;
}

function commentHint(value: string): string | undefined {
  return /[ \t]#/.test(value) ? `the value is "${value}", including what follows the #` : undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}
