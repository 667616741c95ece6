// dist/console: the web console's static files. JavaScript and CSS carry a hash of their content in their names, so that
// a browser keeps them for ever; index.html, the manifest and the service worker have fixed names and are asked for again.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './children.mjs';
import { guideOf, writeGuides } from './console-guide.mjs';

const source = join(root, 'console');

/** Bytes, compressed, that a browser loads before the first screen stands; more is a fault of the build. */
export const firstLoadBytesMax = 250 * 1024;

/** What the console is built from, beside package.json and the scripts. */
export const consoleSources = [...['console', 'src/contracts', 'src/topics', 'src/base'], ...languages().map(guideOf)];

/**
 * @param {string} folder - empty, gets the files
 * @returns {Promise<number>} 0, or 1 after it has been said what is wrong
 */
export async function writeConsole(folder) {
  const { build } = await import('esbuild');
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const shared = {
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome110', 'firefox115', 'safari16.4'],
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    define: { MOUSTIQUE_VERSION: JSON.stringify(version), LANGUAGES: JSON.stringify(languages()) },
    jsx: 'automatic',
    jsxImportSource: 'preact',
  };
  const page = await build({
    ...shared,
    entryPoints: { console: join(source, 'src', 'main.tsx'), style: join(source, 'styles', 'console.css') },
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    splitting: true,
  });
  const outputs = Object.entries(page.metafile.outputs).map(([path, output]) => ({
    name: relative(folder, join(process.cwd(), path)),
    entry: output.entryPoint === undefined ? '' : basename(output.entryPoint),
    imports: output.imports.filter((link) => link.kind === 'import-statement').map((link) => basename(link.path)),
  }));
  const [script, style] = ['main.tsx', 'console.css'].map((entry) => outputs.find((one) => one.entry === entry).name);
  const html = readFileSync(join(source, 'index.html'), 'utf8')
    .replace('{{script}}', script)
    .replace('{{style}}', style);
  writeFileSync(join(folder, 'index.html'), html);
  for (const file of readdirSync(join(source, 'static'))) {
    writeFileSync(join(folder, file), readFileSync(join(source, 'static', file)));
  }
  await writeGuides(folder, languages(), style);
  await build({
    ...shared,
    entryPoints: [join(source, 'src', 'sw.ts')],
    entryNames: '[name]',
    define: {
      SHELL: JSON.stringify(shellFiles(folder)),
      SHELL_VERSION: JSON.stringify(`${version}-${basename(script)}`),
    },
  });
  compress(folder);
  return firstLoadFits(folder, script, style, outputs) ? 0 : 1;
}

/** One file per language in console/src/languages; its name is the language's code. */
function languages() {
  return readdirSync(join(source, 'src', 'languages'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => basename(file, '.ts'))
    .sort();
}

/** Everything the service worker keeps for a start without network. */
function shellFiles(folder) {
  return allFiles(folder).filter((file) => file !== 'index.html');
}

function allFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** A `.gz` beside every text file, so that the broker compresses nothing while it serves. */
function compress(folder) {
  for (const file of allFiles(folder)) {
    if (!/\.(?:js|css|html|svg|webmanifest)$/.test(file)) continue;
    writeFileSync(join(folder, `${file}.gz`), gzipSync(readFileSync(join(folder, file)), { level: 9 }));
  }
}

function firstLoadFits(folder, script, style, outputs) {
  const files = new Set([script, style, 'index.html']);
  for (const name of files) {
    for (const link of outputs.find((one) => one.name === name)?.imports ?? []) {
      files.add(outputs.find((one) => basename(one.name) === link).name);
    }
  }
  let bytes = 0;
  for (const file of files) bytes += readFileSync(join(folder, `${file}.gz`)).length;
  const text = `first load ${(bytes / 1024).toFixed(1)} KiB compressed of ${firstLoadBytesMax / 1024} KiB allowed`;
  if (bytes > firstLoadBytesMax) console.error(`The console is too large: ${text}`);
  else console.log(`  ${text}`);
  return bytes <= firstLoadBytesMax;
}
