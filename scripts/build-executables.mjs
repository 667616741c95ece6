// dist/bin: the executables, by esbuild, in CommonJS: Node loads it 10 ms sooner than modules and with 3 MB less memory.
//
// A tool that scripts start for every message is one file. The others have parts that are loaded on demand; what two of them share
// is in both.
//
// esbuild can split only modules, and splits by who imports what: the broker's own code would be in thirty files, for each part
// wants some of it. So every part of the broker imports all of what the broker starts with, which makes that one file, and each file
// becomes CommonJS afterwards.
//
// Beside that one file lies what V8 makes of it (its code cache), for the Node that built it: 10 ms and 2 MB less at every start. Another
// Node, or one with other options for V8, compiles the file as always.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { root, runNode } from './children.mjs';

const entries = join(root, 'src', 'cli', 'entry');
// Worker threads have files of their own, named by folder and file: history-worker.cjs.
const threads = [join(root, 'src', 'history', 'worker.ts')];
// The tools as commands of `moustique`.
const commands = join(root, 'src', 'cli', 'commands.ts');
/** Scripts start these for every message. */
const isQuick = (source) => ['moustique_pub.ts', 'moustique_sub.ts', 'moustique_rr.ts'].includes(basename(source));
/** An executable → the module whose imports are one file. */
const cores = { moustique: join(root, 'src', 'cli', 'broker.ts') };

const target = 'node20.19';

/**
 * @param {string} folder - gets the files
 * @returns {Promise<number>} 0, or 1 after esbuild has said what is wrong
 */
export async function writeExecutables(folder) {
  const { build, transform } = await import('esbuild');
  const files = readdirSync(entries).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  console.log(`Building the executables (esbuild): ${files.map((file) => basename(file, '.ts')).join(', ')} …`);
  const sources = [...files.map((file) => join(entries, file)), commands, ...threads];
  const results = await Promise.allSettled(
    sources.map(async (source) => {
      const { outputFiles, metafile } = await build(bundle(source, folder));
      await Promise.all(
        outputFiles.map(async ({ path, text }) => {
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, isQuick(source) ? text : await asCommonJs(text, transform));
        }),
      );
      const core = cores[basename(source, '.ts')];
      if (core !== undefined) await cacheCode(fileWith(core, metafile));
    }),
  );
  for (const { reason } of results) if (reason !== undefined && reason.errors === undefined) throw reason;
  return results.every((result) => result.status === 'fulfilled') ? 0 : 1;
}

/** The output that has the code of a module. */
function fileWith(module, { outputs }) {
  const isIt = (path) => resolve(path) === module;
  return resolve(Object.keys(outputs).find((path) => Object.keys(outputs[path].inputs).some(isIt)));
}

/** The file becomes one that takes its code from beside it, as text or as V8 has compiled it. */
async function cacheCode(file) {
  const text = `(function (exports, require, module, __filename, __dirname) { ${readFileSync(file, 'utf8')}\n})`;
  writeFileSync(file.replace(/\.cjs$/, '.code.js'), text);
  writeFileSync(file, runsCodeBeside);
  const status = await runNode([join(root, 'scripts', 'write-code-cache.cjs'), file], { env: { NODE_OPTIONS: '' } });
  if (status !== 0) throw new Error('V8 gave no code cache');
}

const runsCodeBeside = `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const filename = __filename.replace(/\\.cjs$/, '.code.js');
let cachedData;
try {
  cachedData = readFileSync(__filename.replace(/\\.cjs$/, \`.\${process.version}-\${process.arch}.cache\`));
} catch {
  // Built by another Node.
}
const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData });
script.runInThisContext().call(exports, exports, require, module, filename, __dirname);
`;

/** @returns {import('esbuild').BuildOptions} */
function bundle(source, folder) {
  const file = basename(source, '.ts');
  const name = threads.includes(source) ? `${basename(dirname(source))}-${file}` : file;
  return {
    entryPoints: [source],
    outdir: folder,
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    target,
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    logLevel: 'warning',
    outExtension: { '.js': '.cjs' },
    entryNames: name,
    ...(isQuick(source)
      ? { format: 'cjs' }
      : { format: 'esm', splitting: true, chunkNames: `parts/${name}-[name]-[hash]` }),
    plugins: cores[name] === undefined ? [] : [partsImport(cores[name])],
  };
}

/**
 * Every module that is loaded on demand, of ours or of a package, imports `core` as well. Of a package in CommonJS nothing would be
 * exported: a module of ours has to name what is used.
 */
function partsImport(core) {
  return {
    name: 'parts-import-core',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import' || path.startsWith('node:')) return undefined;
        const isOurs = path.startsWith('.');
        return { path: isOurs ? resolve(resolveDir, path) : path, namespace: 'part', pluginData: resolveDir };
      });
      onLoad({ filter: /./, namespace: 'part' }, ({ path, pluginData: resolveDir }) => ({
        contents: `import ${JSON.stringify(core)}; export * from ${JSON.stringify(path)};`,
        resolveDir,
      }));
    },
  };
}

/** A module whose imports are relative or of Node, as CommonJS: strict, as every module is, and knowing its place. */
async function asCommonJs(text, transform) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target,
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'ownPlace.url' },
    banner: `'use strict';\n${text.includes('import.meta.url') ? ownPlace : ''}`,
  });
  // Beyond ASCII are only comments, which esbuild keeps inside of classes; V8 would hold a text with one such letter in twice the bytes.
  return code.replace(/^ *(?:\/\*|\*|\/\/).*$/gm, (comment) => comment.replace(/[^\0-\x7f]/g, '?'));
}

const ownPlace = "const ownPlace = { get url() { return require('node:url').pathToFileURL(__filename).href; } };";
