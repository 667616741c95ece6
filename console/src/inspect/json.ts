/**
 * JSON as it was sent: numbers keep their digits, keys their order and their repetitions, and nothing becomes an object of
 * JavaScript, so that `__proto__` is a key like any other.
 */

export type JsonNode =
  | { readonly kind: 'object'; readonly members: readonly { readonly key: string; readonly value: JsonNode }[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly text: string }
  /** Number, true, false or null, as written. */
  | { readonly kind: 'literal'; readonly text: string };

/** Levels of nesting; deeper text is shown as text. */
const depthMax = 500;

const literal = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const space = /[ \t\n\r]*/y;
// Every code unit but controls, the quotation mark and the backslash.
const plainString = /"[ !#-[\]-\uffff]*"/y;
const anyString = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode | undefined {
    const value = this.#value(0);
    if (value === undefined) return undefined;
    this.#space();
    return this.#at === this.#text.length ? value : undefined;
  }

  #space(): void {
    space.lastIndex = this.#at;
    space.exec(this.#text);
    this.#at = space.lastIndex;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #string(): string | undefined {
    this.#space();
    const plain = this.#match(plainString);
    if (plain !== undefined) return plain.slice(1, -1);
    const text = this.#match(anyString);
    return text === undefined ? undefined : (JSON.parse(text) as string);
  }

  #value(depth: number): JsonNode | undefined {
    if (depth > depthMax) return undefined;
    this.#space();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') {
      const text = this.#string();
      return text === undefined ? undefined : { kind: 'string', text };
    }
    const text = this.#match(literal);
    return text === undefined ? undefined : { kind: 'literal', text };
  }

  #object(depth: number): JsonNode | undefined {
    this.#at += 1;
    const members: { key: string; value: JsonNode }[] = [];
    if (this.#take('}')) return { kind: 'object', members };
    do {
      const key = this.#string();
      if (key === undefined || !this.#take(':')) return undefined;
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      members.push({ key, value });
    } while (this.#take(','));
    return this.#take('}') ? { kind: 'object', members } : undefined;
  }

  #array(depth: number): JsonNode | undefined {
    this.#at += 1;
    const items: JsonNode[] = [];
    if (this.#take(']')) return { kind: 'array', items };
    do {
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      items.push(value);
    } while (this.#take(','));
    return this.#take(']') ? { kind: 'array', items } : undefined;
  }
}

/** The text as JSON, or undefined when it is none (or nested deeper than 500 levels). */
export const parseJson = (text: string): JsonNode | undefined => new Parser(text).document();

const plainKey = /^[A-Za-z_$][\w$]*$/;

/** The path of a member, as JSON path writes it: `$.a.b`, `$["a b"]`. */
export const memberPath = (parent: string, key: string): string =>
  plainKey.test(key) ? `${parent}.${key}` : `${parent}[${JSON.stringify(key)}]`;

export const itemPath = (parent: string, index: number): string => `${parent}[${index}]`;

/** Writes a node as JSON again. */
export function formatJson(node: JsonNode, indent = ''): string {
  const inner = `${indent}  `;
  switch (node.kind) {
    case 'literal':
      return node.text;
    case 'string':
      return JSON.stringify(node.text);
    case 'array':
      return node.items.length === 0
        ? '[]'
        : `[\n${node.items.map((item) => inner + formatJson(item, inner)).join(',\n')}\n${indent}]`;
    case 'object':
      return node.members.length === 0
        ? '{}'
        : `{\n${node.members
            .map(({ key, value }) => `${inner}${JSON.stringify(key)}: ${formatJson(value, inner)}`)
            .join(',\n')}\n${indent}}`;
    default:
      return node satisfies never;
  }
}
