/** Where a text stops being JSON: what `JSON.parse` says depends on the version of Node, and has no line. */

const space = /[ \t\r\n]*/y;
const scalar =
  /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;

/** @returns the offset of the first character that does not belong there; null when the text is JSON */
export function jsonFault(text: string): number | null {
  /** What ends the lists and objects that are open, innermost last. */
  const open: (']' | '}')[] = [];
  let at = skip(space, text, 0);
  /** Whether a value has to come here, and not only may. */
  let needsValue = true;
  for (;;) {
    const inside = open.at(-1);
    if (text[at] === inside && !needsValue) {
      open.pop();
      at = skip(space, text, at + 1);
    } else {
      if (inside === '}') {
        const key = text[at] === '"' ? skip(scalar, text, at) : at;
        if (key === at) return at;
        at = skip(space, text, key);
        if (text[at] !== ':') return at;
        at = skip(space, text, at + 1);
      }
      if (text[at] === '[' || text[at] === '{') {
        open.push(text[at] === '[' ? ']' : '}');
        at = skip(space, text, at + 1);
        needsValue = false;
        continue;
      }
      const end = skip(scalar, text, at);
      if (end === at) return at;
      at = skip(space, text, end);
    }
    // Behind a value: its list goes on or ends, or it was the whole.
    while (open.length > 0 && text[at] === open.at(-1)) {
      open.pop();
      at = skip(space, text, at + 1);
    }
    if (open.length === 0) return at === text.length ? null : at;
    if (text[at] !== ',') return at;
    at = skip(space, text, at + 1);
    needsValue = true;
  }
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
