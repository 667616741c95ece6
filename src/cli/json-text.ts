/**
 * JSON as `%j` and `%J` print it, byte for byte as the C library behind Mosquitto does.
 *
 * All texts here are "latin1": each character is one byte of UTF-8 (or of whatever the payload holds), so that bytes that are no UTF-8
 * pass unchanged. A payload is not turned into values and back: `JSON.parse` would reorder keys that look like numbers and drop
 * repeated ones.
 */

/** Deepest nesting of arrays and objects that is followed. */
const DEPTH_MAX = 1000;

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A string with its quotes: `/` and everything above 0x7e as they are, other control characters as `\u00XX`. */
export function quoteJson(text: string): string {
  let quoted = '"';
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x20 && code !== 0x22 && code !== 0x5c) continue;
    const one = text[index] ?? '';
    quoted += text.slice(start, index) + (shortEscapes[one] ?? `\\u${code.toString(16).padStart(4, '0')}`);
    start = index + 1;
  }
  return `${quoted}${text.slice(start)}"`;
}

/** UTF-8 text as latin1, for {@link quoteJson}. */
export function latin1Of(text: string): string {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.from(text).toString('latin1');
  }
  return text;
}

/** A member of an object that is built here. */
export interface JsonWriter {
  /** Writes `"key":value`; the value is JSON text already. */
  member(key: string, value: string): void;
  /** The whole object. */
  end(): string;
}

/** Starts an object that stands `depth` levels deep (0 for the outermost). */
export function jsonObject(isPretty: boolean, depth: number): JsonWriter {
  let text = '{';
  let isFirst = true;
  return {
    member(key, value) {
      if (!isFirst) text += ',';
      isFirst = false;
      text += isPretty ? `\n${'\t'.repeat(depth + 1)}"${key}":\t${value}` : `"${key}":${value}`;
    },
    end: () => (isPretty ? `${text}\n${'\t'.repeat(depth)}}` : `${text}}`),
  };
}

/** An array of values that are JSON text already. */
export function jsonArray(values: readonly string[], isPretty: boolean): string {
  return `[${values.join(isPretty ? ', ' : ',')}]`;
}

/**
 * JSON text printed anew.
 *
 * @param text - latin1
 * @param depth - levels around it, for the indentation
 * @returns undefined when the text is no JSON
 */
export function reprintJson(text: string, isPretty: boolean, depth: number): string | undefined {
  const reader = new JsonReader(text, isPretty);
  return reader.whole(depth);
}

/** Reads one value after the other and returns each printed; undefined means "no JSON". */
class JsonReader {
  readonly #text: string;
  readonly #isPretty: boolean;
  #at = 0;

  constructor(text: string, isPretty: boolean) {
    this.#text = text;
    this.#isPretty = isPretty;
  }

  whole(depth: number): string | undefined {
    this.#skipBlanks();
    const value = this.#value(depth, 0);
    this.#skipBlanks();
    return this.#at === this.#text.length ? value : undefined;
  }

  #value(depth: number, nesting: number): string | undefined {
    if (nesting > DEPTH_MAX) return undefined;
    const first = this.#text[this.#at];
    if (first === undefined) return undefined;
    if (first === '{') return this.#object(depth, nesting);
    if (first === '[') return this.#array(depth, nesting);
    if (first === '"') return this.#string();
    if (first === '-' || (first >= '0' && first <= '9')) return this.#number();
    for (const word of ['true', 'false', 'null']) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return word;
    }
    return undefined;
  }

  #object(depth: number, nesting: number): string | undefined {
    const writer = jsonObject(this.#isPretty, depth);
    this.#at++;
    this.#skipBlanks();
    if (this.#take('}')) return writer.end();
    for (;;) {
      if (this.#text[this.#at] !== '"') return undefined;
      const key = this.#string();
      this.#skipBlanks();
      if (key === undefined || !this.#take(':')) return undefined;
      this.#skipBlanks();
      const value = this.#value(depth + 1, nesting + 1);
      if (value === undefined) return undefined;
      writer.member(key.slice(1, -1), value);
      this.#skipBlanks();
      if (this.#take('}')) return writer.end();
      if (!this.#take(',')) return undefined;
      this.#skipBlanks();
    }
  }

  #array(depth: number, nesting: number): string | undefined {
    const values: string[] = [];
    this.#at++;
    this.#skipBlanks();
    if (this.#take(']')) return '[]';
    for (;;) {
      const value = this.#value(depth + 1, nesting + 1);
      if (value === undefined) return undefined;
      values.push(value);
      this.#skipBlanks();
      if (this.#take(']')) return jsonArray(values, this.#isPretty);
      if (!this.#take(',')) return undefined;
      this.#skipBlanks();
    }
  }

  #string(): string | undefined {
    let plain = '';
    this.#at++;
    for (;;) {
      const stop = this.#indexOfQuoteOrBackslash();
      if (stop < 0) return undefined;
      plain += this.#text.slice(this.#at, stop);
      this.#at = stop + 1;
      if (this.#text[stop] === '"') return quoteJson(plain);
      const escape = this.#text[this.#at++];
      if (escape === 'u') {
        const bytes = this.#codePoint();
        if (bytes === undefined) return undefined;
        plain += bytes;
      } else {
        const meant = escape === undefined ? undefined : escapeMeanings[escape];
        if (meant === undefined) return undefined;
        plain += meant;
      }
    }
  }

  #indexOfQuoteOrBackslash(): number {
    for (let index = this.#at; index < this.#text.length; index++) {
      const code = this.#text.charCodeAt(index);
      if (code === 0x22 || code === 0x5c) return index;
    }
    return -1;
  }

  /** After `\u`: the UTF-8 bytes of the character, taking a second escape for the other half of a pair. */
  #codePoint(): string | undefined {
    const high = this.#hex4();
    if (high === undefined || high === 0 || (high >= 0xdc00 && high <= 0xdfff)) return undefined;
    if (high < 0xd800 || high > 0xdbff) return Buffer.from(String.fromCharCode(high)).toString('latin1');
    if (this.#text.slice(this.#at, this.#at + 2) !== '\\u') return undefined;
    this.#at += 2;
    const low = this.#hex4();
    if (low === undefined || low < 0xdc00 || low > 0xdfff) return undefined;
    return Buffer.from(String.fromCharCode(high, low)).toString('latin1');
  }

  #hex4(): number | undefined {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) return undefined;
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  /** Numbers are read as leniently as C's `strtod` does: `01`, `5.` and `1e5` are fine. */
  #number(): string | undefined {
    const match = /^-?\d+\.?\d*(?:[eE][+-]?\d+)?/.exec(this.#text.slice(this.#at, this.#at + 64));
    if (match === null) return undefined;
    this.#at += match[0].length;
    return printNumber(Number(match[0]));
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    while (this.#at < this.#text.length && this.#text.charCodeAt(this.#at) <= 0x20) this.#at++;
  }
}

const escapeMeanings: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function printNumber(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  const short = printG(value, 15);
  const again = Number(short);
  const isClose = Math.abs(again - value) <= Math.max(Math.abs(again), Math.abs(value)) * Number.EPSILON;
  return isClose ? short : printG(value, 17);
}

/** `%.<precision>g` of C. */
export function printG(value: number, precision: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponentText = '0'] = value.toExponential(precision - 1).split('e');
  const exponent = Number(exponentText);
  const trim = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent < -4 || exponent >= precision) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  return trim(value.toFixed(Math.min(100, Math.max(0, precision - 1 - exponent))));
}
