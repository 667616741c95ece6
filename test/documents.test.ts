import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from './harness/repository.ts';
import { runToEnd } from './harness/running-process.ts';

const documents = ['.', 'docs', 'docs/fr', 'docs/adr', 'bench', 'examples']
  .filter((folder) => existsSync(join(repositoryRoot, folder)))
  .flatMap((folder) => readdirSync(join(repositoryRoot, folder)).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }));

test('links between documents lead somewhere', () => {
  const links = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => ({ path, target })),
  );
  expect(links.length).toBeGreaterThan(20);
  const broken = links.filter(({ path, target }) => !existsSync(join(repositoryRoot, dirname(path), target)));
  expect(broken).toEqual([]);
});

// They import the package by its name, as users do, so the library has to be built.
test('examples in documents compile', async () => {
  const folder = join(repositoryRoot, 'dist', `.documents-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    let count = 0;
    for (const { path, text } of documents) {
      for (const [, code = ''] of text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
        count += 1;
        writeFileSync(join(folder, `${path.replaceAll('/', '_')}-${count}.ts`), `${code}\nexport {};\n`);
      }
    }
    expect(count).toBeGreaterThan(5);
    const settings = { extends: relative(folder, join(repositoryRoot, 'tsconfig.json')), include: ['*.ts'] };
    // An example shows a name without using it.
    const compilerOptions = {
      noUnusedLocals: false,
      noUnusedParameters: false,
      rewriteRelativeImportExtensions: false,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...settings, compilerOptions }));
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const result = await runToEnd([process.execPath, tsc, '-p', folder]);
    expect(result.stdout + result.stderr).toBe('');
    expect(result.status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
