// Bundles the benchmark (TypeScript) and runs it: node bench/main.mjs [options], see --help.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '.build');
mkdirSync(out, { recursive: true });
await build({
  entryPoints: { run: join(here, 'run.ts'), generator: join(here, 'generator/main.ts') },
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});
// Ending by process.exit lets the exit handlers stop the broker that is running.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
const { main } = await import(pathToFileURL(join(out, 'run.mjs')).href);
process.exitCode = await main(process.argv.slice(2), dirname(here), join(out, 'generator.mjs'));
