import { readFileSync } from 'node:fs';

/** A piece of a tutorial in Markdown that a test can do something with. */
export type Step =
  /** Commands; `mode` is what stands behind `sh`: nothing, `stays`, `fails` or `answers=TEXT`. */
  | { readonly kind: 'commands'; readonly mode: string; readonly text: string; readonly line: number }
  /** What the last commands show, line by line; … stands for anything. */
  | { readonly kind: 'shown'; readonly text: string; readonly line: number }
  /** Contents of a file. */
  | { readonly kind: 'file'; readonly path: string; readonly text: string; readonly line: number };

/** The blocks of code of a document, in order. @throws Error - for a block that nothing can be done with */
export function stepsOf(path: string): readonly Step[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/^```([a-z]*) ?([^\n]*)\n([\s\S]*?)^```$/gm)].map((match): Step => {
    const [, language = '', rest = '', body = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    switch (language) {
      case 'sh':
        return { kind: 'commands', mode: rest, text: body, line };
      case 'text':
        return { kind: 'shown', text: body, line };
      case 'conf':
        return { kind: 'file', path: rest, text: body, line };
      default:
        throw new Error(`${path}:${line}: nobody can do anything with a block of '${language}'`);
    }
  });
}
