/**
 * Regular expressions whose time is proportional to the text, whatever the pattern: a pattern becomes a nondeterministic automaton
 * (Thompson), which becomes a deterministic one state by state while texts are read.
 *
 * Understood: characters, `.`, `[…]`, `\d \w \s` and their opposites, `^ $` at the ends, `( )`, `|`, `* + ?`, `{m,n}`. Back-references
 * and look-around have no automaton and are refused.
 */

export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** Automaton states of a pattern; bounds what `{m,n}` may multiply. */
const nodesMax = 2000;
/** Deterministic states kept; above it they are made anew. */
const statesMax = 2000;
const repeatMax = 100;

/** Matches one character code. */
type CharSet = (code: number) => boolean;

type Tree =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'start' | 'end' | 'empty' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly part: Tree; readonly min: number; readonly max: number };

/** A state of the nondeterministic automaton. */
interface Node {
  readonly set: CharSet | null;
  /** Passed only at the beginning or the end of the text. */
  readonly only: 'start' | 'end' | null;
  next: number[];
}

export interface Pattern {
  /** Whether the pattern is found anywhere in the text, or in a part of it that is taken for the whole. */
  test(text: string, start?: number, end?: number): boolean;
}

/** @throws PatternError - saying what is wrong */
export function compilePattern(pattern: string): Pattern {
  const nodes: Node[] = [];
  const add = (set: CharSet | null, only: Node['only'], next: number[]): number => {
    if (nodes.length >= nodesMax) throw new PatternError('the pattern is too large');
    return nodes.push({ set, only, next }) - 1;
  };
  const accept = add(null, null, []);
  /** @returns the node where `tree` begins; `after` follows it */
  const build = (tree: Tree, after: number): number => {
    switch (tree.kind) {
      case 'empty':
        return after;
      case 'start':
      case 'end':
        return add(null, tree.kind, [after]);
      case 'set':
        return add(tree.set, null, [after]);
      case 'sequence':
        return tree.parts.reduceRight((next, part) => build(part, next), after);
      case 'choice':
        return add(
          null,
          null,
          tree.parts.map((part) => build(part, after)),
        );
      case 'repeat': {
        let next = after;
        if (tree.max === Number.POSITIVE_INFINITY) {
          const loop = add(null, null, []);
          (nodes[loop] as Node).next = [build(tree.part, loop), after];
          next = loop;
        } else {
          for (let count = tree.min; count < tree.max; count++) next = add(null, null, [build(tree.part, next), after]);
        }
        for (let count = 0; count < tree.min; count++) next = build(tree.part, next);
        return next;
      }
    }
  };
  const start = build(new PatternReader(pattern).read(), accept);
  return new Automaton(nodes, start, accept);
}

interface State {
  readonly nodes: readonly number[];
  readonly isFound: boolean;
  /** Whether the text may end here. */
  readonly isFoundAtEnd: boolean;
  /** By character code below 128. */
  readonly next: (State | undefined)[];
}

class Automaton implements Pattern {
  readonly #nodes: readonly Node[];
  readonly #start: number;
  readonly #accept: number;
  readonly #states = new Map<string, State>();
  #first: State;

  constructor(nodes: readonly Node[], start: number, accept: number) {
    this.#nodes = nodes;
    this.#start = start;
    this.#accept = accept;
    this.#first = this.#stateOf([start], true);
  }

  test(text: string, start = 0, end = text.length): boolean {
    let state = this.#first;
    for (let index = start; index < end; index++) {
      if (state.isFound) return true;
      const code = text.charCodeAt(index);
      let next = code < 128 ? state.next[code] : undefined;
      if (next === undefined) {
        next = this.#step(state, code);
        if (code < 128) state.next[code] = next;
      }
      state = next;
    }
    return state.isFound || state.isFoundAtEnd;
  }

  #step(state: State, code: number): State {
    const reached: number[] = [];
    for (const index of state.nodes) {
      const { set, next } = this.#nodes[index] as Node;
      if (set?.(code) === true) reached.push(...next);
    }
    // The pattern may begin at every character.
    reached.push(this.#start);
    return this.#stateOf(reached, false);
  }

  #stateOf(reached: readonly number[], isAtStart: boolean): State {
    const nodes = this.#closure(reached, isAtStart, false);
    const key = nodes.join();
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= statesMax) {
      this.#states.clear();
      if (!isAtStart) this.#first = this.#stateOf([this.#start], true);
    }
    const state = {
      nodes,
      isFound: nodes.includes(this.#accept),
      isFoundAtEnd: this.#closure(nodes, isAtStart, true).includes(this.#accept),
      next: new Array<State | undefined>(128).fill(undefined),
    };
    this.#states.set(key, state);
    return state;
  }

  /** Everything that is reached without a character. Nodes that wait for the end stay in the set. */
  #closure(from: readonly number[], isAtStart: boolean, isAtEnd: boolean): number[] {
    const seen = new Set<number>();
    const open = [...from];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (seen.has(index)) continue;
      const { set, only, next } = this.#nodes[index] as Node;
      if (only === 'start' && !isAtStart) continue;
      seen.add(index);
      if (set === null && (only !== 'end' || isAtEnd)) open.push(...next);
    }
    return [...seen].sort((one, other) => one - other);
  }
}

const isDigit: CharSet = (code) => code >= 0x30 && code <= 0x39;
const isWord: CharSet = (code) =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
const isSpace: CharSet = (code) => code === 0x20 || (code >= 9 && code <= 13) || code === 0xa0;
const not =
  (set: CharSet): CharSet =>
  (code) =>
    !set(code);
const classes: Readonly<Record<string, CharSet>> = {
  ...{ d: isDigit, w: isWord, s: isSpace, D: not(isDigit), W: not(isWord), S: not(isSpace) },
};
const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' };

class PatternReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Tree {
    const tree = this.#choice();
    if (this.#at < this.#text.length) throw new PatternError('a ) without its (');
    return tree;
  }

  #choice(): Tree {
    if (++this.#depth > 100) throw new PatternError('too many brackets inside each other');
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? (parts[0] as Tree) : { kind: 'choice', parts };
  }

  #sequence(): Tree {
    const parts: Tree[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at] as string)) parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): Tree {
    let part = this.#atom();
    for (;;) {
      const bounds = this.#bounds();
      if (bounds === null) return part;
      if (part.kind === 'start' || part.kind === 'end') throw new PatternError('nothing to repeat');
      // Lazy or not is the same when only finding counts.
      this.#take('?');
      part = { kind: 'repeat', part, ...bounds };
    }
  }

  #bounds(): { readonly min: number; readonly max: number } | null {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    const counted = /^\{(\d{1,6})(?:(,)(\d{0,6}))?\}/.exec(this.#text.slice(this.#at, this.#at + 20));
    if (counted === null) return null;
    this.#at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === '' ? Number.POSITIVE_INFINITY : Number(counted[3]);
    if (max < min) throw new PatternError(`${counted[0]} ends before it begins`);
    if (min > repeatMax || (Number.isFinite(max) && max > repeatMax)) {
      throw new PatternError(`${counted[0]}: at most ${repeatMax} repetitions`);
    }
    return { min, max };
  }

  #atom(): Tree {
    const char = this.#next();
    switch (char) {
      case '(': {
        if (this.#text.startsWith('?:', this.#at)) this.#at += 2;
        else if (this.#text[this.#at] === '?') throw new PatternError('look-around is not possible here');
        const tree = this.#choice();
        if (!this.#take(')')) throw new PatternError('a ( without its )');
        return tree;
      }
      case '[':
        return { kind: 'set', set: this.#set() };
      case '.':
        return { kind: 'set', set: (code) => code !== 0x0a };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '*':
      case '+':
      case '?':
        throw new PatternError(`nothing to repeat before ${char}`);
      case '\\':
        return { kind: 'set', set: this.#escape() };
      default:
        return { kind: 'set', set: only(char) };
    }
  }

  #escape(): CharSet {
    const char = this.#next();
    const set = classes[char];
    if (set !== undefined) return set;
    if (/[1-9]/.test(char)) throw new PatternError('back-references are not possible here');
    if (/[bBpPkuxc]/.test(char)) throw new PatternError(`\\${char} is not possible here`);
    return only(controls[char] ?? char);
  }

  #set(): CharSet {
    const isOpposite = this.#take('^');
    const sets: CharSet[] = [];
    for (let char = this.#next(); char !== ']'; char = this.#next()) {
      if (char === '\\') {
        sets.push(this.#escape());
        continue;
      }
      if (this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']') {
        this.#at++;
        const from = char.charCodeAt(0);
        const to = this.#next().charCodeAt(0);
        if (to < from) throw new PatternError(`the range ${char}-${String.fromCharCode(to)} ends before it begins`);
        sets.push((code) => code >= from && code <= to);
        continue;
      }
      sets.push(only(char));
    }
    const isIn: CharSet = (code) => sets.some((set) => set(code));
    return isOpposite ? not(isIn) : isIn;
  }

  #next(): string {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new PatternError('the pattern ends too early');
    return char;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}

function only(char: string): CharSet {
  const wanted = char.charCodeAt(0);
  return (code) => code === wanted;
}
