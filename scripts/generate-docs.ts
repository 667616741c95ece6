/**
 * Writes the documentation that is made from tables. With `--check` it writes nothing and fails when a file is stale.
 *
 * Run with `npx tsx scripts/generate-docs.ts`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { performancePage, readResults } from '../bench/report/results.ts';
import { toolManPages, toolsMarkdown } from '../src/cli/tool-docs.ts';
import { configurationManPage, configurationMarkdown } from '../src/config/describe.ts';
import { httpApiMarkdown } from '../src/http/describe.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** path below the root → what it must hold */
const documents: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationMarkdown,
  'docs/man/moustique.conf.5': configurationManPage,
  'docs/tools.md': toolsMarkdown,
  'docs/http-api.md': httpApiMarkdown,
  'docs/performance.md': () => performancePage(readResults(recorded('results.json')), recorded('remarks.md')),
  ...Object.fromEntries(Object.entries(toolManPages()).map(([name, make]) => [`docs/man/${name}`, make])),
};

const isCheck = process.argv.includes('--check');

for (const [path, make] of Object.entries(documents)) {
  const file = join(root, path);
  const text = make();
  if (read(file) === text) continue;
  if (isCheck) {
    console.error(`${path} is stale: run npx tsx scripts/generate-docs.ts`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`${path} written`);
  }
}

function recorded(name: string): string {
  return readFileSync(join(root, 'bench', 'recorded', name), 'utf8');
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
