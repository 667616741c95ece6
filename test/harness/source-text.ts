/** A source file in the two forms that checks on source text need. Both keep every line where it was. */
export interface SourceText {
  /** Without comments. */
  readonly code: string;
  /** Without comments and without what stands in strings, templates and regular expressions. */
  readonly bare: string;
}

// A slash after one of these begins a regular expression, after anything else it divides.
const beforeRegExp = /(?:^|[([{,;:=!&|?+\-*%<>~^}]|\b(?:return|typeof|case|in|of|void|await|yield))\s*$/;

/**
 * Blank out comments (and, in `bare`, literals) of a TypeScript source.
 *
 * A scanner, not a parser: it knows comments, strings, templates and regular expressions. Code inside `${…}` stays
 * visible in both forms.
 */
export function readSource(source: string): SourceText {
  let code = '';
  let bare = '';
  let at = 0;
  /** Depth of braces for each template literal we are inside of; the top one belongs to the innermost. */
  const templates: number[] = [];
  const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');
  const literal = (text: string): void => {
    code += text;
    bare += blank(text);
    at += text.length;
  };
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0] ?? source.slice(at);
  };
  while (at < source.length) {
    const char = source.charAt(at);
    const two = source.slice(at, at + 2);
    const depth = templates.at(-1);
    if (two === '//' || two === '/*') {
      const comment = match(two === '//' ? /[^\n]*/y : /\/\*[\s\S]*?\*\//y);
      code += blank(comment);
      bare += blank(comment);
      at += comment.length;
    } else if (char === "'" || char === '"') {
      literal(match(char === "'" ? /'(?:\\[\s\S]|[^'\\])*'/y : /"(?:\\[\s\S]|[^"\\])*"/y));
    } else if (char === '`' || (char === '}' && depth === 0)) {
      if (char === '}') templates.pop();
      const text = match(/[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y);
      if (text.endsWith('${')) templates.push(0);
      literal(text);
    } else if (char === '/' && beforeRegExp.test(code.slice(-20))) {
      literal(match(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y));
    } else {
      if (depth !== undefined && char === '{') templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && char === '}') templates[templates.length - 1] = depth - 1;
      code += char;
      bare += char;
      at += 1;
    }
  }
  return { code, bare };
}

/** An import, re-export or `import()` in a source file. */
export interface ImportLine {
  readonly specifier: string;
  /** Whether nothing of it is left when the file runs. */
  readonly isTypeOnly: boolean;
  /** Line number, from 1. */
  readonly line: number;
}

const staticImport = /^(?:import|export)\b(?:([^'";]*?)\bfrom\s*)?\s*(['"])([^'"\n]+)\2/gm;
const dynamicImport = /(\btypeof\s+)?\bimport\(\s*(['"])([^'"\n]+)\2/g;

/** Every import of a source, from `SourceText.code`. */
export function findImports(code: string): ImportLine[] {
  const lineAt = (index: number): number => code.slice(0, index).split('\n').length;
  const statics = [...code.matchAll(staticImport)].map((found) => {
    const clause = (found[1] ?? '').trim();
    const names = /^\{([^}]*)\}$/
      .exec(clause)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const isTypeOnly =
      clause.startsWith('type ') ||
      (names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type ')));
    return { specifier: found[3] ?? '', isTypeOnly, line: lineAt(found.index) };
  });
  const dynamics = [...code.matchAll(dynamicImport)].map((found) => ({
    specifier: found[3] ?? '',
    isTypeOnly: found[1] !== undefined,
    line: lineAt(found.index),
  }));
  return [...statics, ...dynamics];
}
