import { describe, expect, test } from 'vitest';
import { findImports, readSource } from './source-text.ts';

describe('readSource', () => {
  test('blanks comments in both forms and literals in the bare one, keeping every line', () => {
    const { code, bare } = readSource("const a = 'x // y'; // setTimeout\n/* Date.now\n*/ f(\"it's\");");
    expect(code).toBe("const a = 'x // y';              \n           \n   f(\"it's\");");
    expect(bare).toBe('const a =         ;              \n           \n   f(      );');
  });

  test('keeps code inside templates and knows where a template ends', () => {
    const { bare } = readSource('const a = `one ${f({ b: `two` })} // three`; setTimeout(a);');
    expect(bare).toMatch(/f\(\{ b:\s+\}\)\s+; setTimeout\(a\);$/);
    expect(bare).not.toMatch(/one|two|three/);
  });

  test('tells a regular expression from a division', () => {
    expect(readSource("const a = /['/]/.test(b); g();").bare).toBe('const a =       .test(b); g();');
    expect(readSource("const a = b / 2; const c = 'd' / 2;").bare).toBe('const a = b / 2; const c =     / 2;');
  });
});

describe('findImports', () => {
  test('finds every form with its line, and knows what is types only', () => {
    const source = [
      "import { a } from './a.ts';",
      "import type { B } from './b.ts';",
      "import { type C, type D } from './c.ts';",
      'import {',
      '  e,',
      '  type F,',
      "} from './e.ts';",
      "export { g } from './g.ts';",
      "import './h.ts';",
      "const i = await import('./i.ts');",
      "type J = typeof import('./j.ts');",
      "// import { k } from './k.ts';",
    ].join('\n');
    const found = findImports(readSource(source).code).map((line) => [line.specifier, line.isTypeOnly, line.line]);
    expect(found).toEqual([
      ['./a.ts', false, 1],
      ['./b.ts', true, 2],
      ['./c.ts', true, 3],
      ['./e.ts', false, 4],
      ['./g.ts', false, 8],
      ['./h.ts', false, 9],
      ['./i.ts', false, 10],
      ['./j.ts', true, 11],
    ]);
  });
});
