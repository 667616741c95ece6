import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from './harness/repository.ts';
import { findImports, readSource } from './harness/source-text.ts';

// Who may import whom (docs/architecture.md, "Rooms"). A folder may import itself and what its row lists:
//   'codec'            anything of that folder
//   'type:codec'       types only; nothing of it is left at run time
//   'transport/dial'   that one file
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  codec: ['base'],
  topics: ['base'],
  config: ['base'],
  contracts: ['type:codec', 'type:topics', 'type:base'],
  session: ['contracts', 'topics', 'type:codec', 'base'],
  broker: ['session', 'contracts', 'topics', 'codec', 'base'],
  transport: ['contracts', 'codec', 'topics', 'base'],
  security: ['contracts', 'codec', 'topics', 'base'],
  store: ['contracts', 'codec', 'topics', 'base'],
  history: ['contracts', 'topics', 'base'],
  cluster: ['contracts', 'codec', 'topics', 'base', 'store/fact-codec'],
  connection: ['broker', 'session', 'contracts', 'codec', 'topics', 'base'],
  client: ['transport/dial', 'transport/dial-error', 'codec', 'topics', 'base'],
  bridge: [
    ...['connection', 'broker', 'session', 'contracts', 'codec', 'topics', 'base', 'client/server-limits'],
    ...['type:transport', 'transport/dial-layers', 'transport/dial-error', 'transport/tcp'],
  ],
  observe: ['broker', 'contracts', 'topics', 'base'],
  http: [
    'broker',
    'session',
    'observe',
    'security',
    'config',
    'contracts',
    'topics',
    'codec',
    'base',
    'transport/message-socket',
  ],
  server: [
    ...['http', 'bridge', 'observe', 'client', 'connection', 'transport', 'security', 'store', 'history', 'cluster'],
    ...['broker', 'session', 'contracts', 'config', 'codec', 'topics', 'base'],
  ],
  cli: ['server', 'client', 'config', 'security', 'store', 'history', 'type:contracts', 'observe/logger', 'base'],
  '.': ['server', 'contracts'],
};

// Exceptions to the table, each reviewed, each with its reason.
const importExceptions: Readonly<Record<string, string>> = {};

// Contracts with code in them.
const contractsWithCode: Readonly<Record<string, string>> = {
  'src/contracts/message.ts': 'every Message has its fields in the same order, which a class guarantees',
  'src/contracts/store.ts': 'the Packet Identifier that follows from a delivery number is part of the promise',
};

// Files with a module-level variable.
const moduleState: Readonly<Record<string, string>> = {
  'src/security/argon2.ts': 'one hashing worker per process, as one thread pool; no state of any broker',
};

// Folders that stay pure: no file, no socket, no process. What they need is passed in.
const pureFolders = ['codec', 'topics', 'contracts', 'session', 'broker', 'connection'];

// npm packages and the one folder that knows each.
const packageOwners: Readonly<Record<string, string>> = {
  ws: 'transport',
  'hash-wasm': 'security',
  jose: 'security',
  hono: 'http',
  '@hono/node-server': 'http',
  valibot: 'http',
  '@valibot/to-json-schema': 'http',
  'prom-client': 'observe',
  'node-sqlite3-wasm': 'history',
};

// Time and chance come from the Clock, so that tests can replace them.
const clockPattern =
  /\b(?:Date\.now|new Date\(\)|Math\.random|performance\.now|process\.hrtime|setTimeout|setInterval)\b/;
const clockPlaces = ['src/base/clock.ts', 'src/server/', 'src/cli/'];

// Files longer than this are two files.
const linesMax = 450;

const vagueNames = /^(?:utils?|helpers?|misc|common|shared|manager)\.ts$/;

interface Source {
  /** From the repository's root, such as src/codec/reader.ts. */
  readonly path: string;
  /** First folder under src, '.' for a file directly in it. */
  readonly folder: string;
  readonly isTest: boolean;
  readonly lines: readonly string[];
  readonly code: string;
  readonly bareLines: readonly string[];
}

const sources = readdirSync(join(repositoryRoot, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry): Source => {
    const path = relative(repositoryRoot, join(entry.parentPath, entry.name));
    const text = readFileSync(join(repositoryRoot, path), 'utf8');
    const { code, bare } = readSource(text);
    const folder = dirname(path) === 'src' ? '.' : (path.split('/')[1] ?? '.');
    const lines = text.split('\n');
    return { path, folder, isTest: path.endsWith('.test.ts'), lines, code, bareLines: bare.split('\n') };
  });
const shipped = sources.filter((source) => !source.isTest);

/** One line per offence, as file:line: text — why. */
const offence = (source: Source, line: number, why: string): string =>
  `${source.path}:${line}: ${source.lines[line - 1]?.trim() ?? ''} — ${why}`;

/** Every line of the sources that matches, comments and literals left out. */
const linesMatching = (among: readonly Source[], pattern: RegExp, why: string): string[] =>
  among.flatMap((source) =>
    source.bareLines.flatMap((line, index) => (pattern.test(line) ? [offence(source, index + 1, why)] : [])),
  );

function importOffences(source: Source): string[] {
  return findImports(source.code).flatMap(({ specifier, isTypeOnly, line }) => {
    const why = refuseImport(source, specifier, isTypeOnly);
    return why === undefined || `${source.path} ${specifier}` in importExceptions ? [] : [offence(source, line, why)];
  });
}

/** Why this import is not allowed, or undefined. */
function refuseImport(source: Source, specifier: string, isTypeOnly: boolean): string | undefined {
  if (specifier.startsWith('node:')) return refuseNodeModule(source, specifier, isTypeOnly);
  if (!specifier.startsWith('.')) {
    const owner = packageOwners[specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')];
    if (owner === undefined) return 'no package is imported before it has its row in packageOwners';
    return owner === source.folder ? undefined : `only ${owner} knows this package`;
  }
  if (!specifier.endsWith('.ts')) return 'relative imports carry the ending .ts';
  const target = relative(join(repositoryRoot, 'src'), join(repositoryRoot, dirname(source.path), specifier));
  const folder = target.includes('/') ? (target.split('/')[0] ?? '') : '.';
  if (folder === '..') return 'outside src';
  if (folder === source.folder) return undefined;
  const allowed = mayImport[source.folder] ?? [];
  if (allowed.includes(folder) || allowed.includes(target.slice(0, -'.ts'.length))) return undefined;
  if (allowed.includes(`type:${folder}`))
    return isTypeOnly ? undefined : `${source.folder} may import only types of ${folder}`;
  return `${source.folder} may not import ${folder === '.' ? 'the public entry' : folder}`;
}

function refuseNodeModule(source: Source, specifier: string, isTypeOnly: boolean): string | undefined {
  if (specifier === 'node:events' && !['client', 'server', 'cli'].includes(source.folder))
    return 'no EventEmitter in the data path';
  const isPure = ['node:buffer', 'node:util'].includes(specifier) || isTypeOnly;
  return pureFolders.includes(source.folder) && !isPure
    ? `${source.folder} is pure: files, sockets and processes are passed in`
    : undefined;
}

// The web console is a program of its own: it talks to the broker over HTTP and takes from it types, nothing else.
const consolePackages = ['preact', '@preact/signals', 'uplot'];

function consoleOffences(file: string): string[] {
  const { code } = readSource(readFileSync(join(repositoryRoot, file), 'utf8'));
  return findImports(code).flatMap(({ specifier, isTypeOnly, line }) => {
    const target = specifier.startsWith('.')
      ? relative(repositoryRoot, join(repositoryRoot, dirname(file), specifier))
      : '';
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    const isAllowed =
      target === ''
        ? consolePackages.includes(name) || (name === 'valibot' && isTypeOnly)
        : target.startsWith('console/') || (target.startsWith('src/http/') && isTypeOnly);
    return isAllowed
      ? []
      : [`${file}:${line}: ${specifier} — the console takes types of src/http and its own packages`];
  });
}

describe('architecture', () => {
  test('every folder under src has a row that says what it may import', () => {
    expect(sources.map((source) => source.folder).filter((folder) => !(folder in mayImport))).toEqual([]);
    expect(sources.length).toBeGreaterThan(0);
  });

  test('imports point downwards', () => {
    expect(shipped.flatMap(importOffences)).toEqual([]);
  });

  test('the console takes types from the broker and nothing at run time; no HTML is put together from text', () => {
    const files = readdirSync(join(repositoryRoot, 'console', 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.includes('.test.'))
      .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name)));
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap(consoleOffences)).toEqual([]);
    const html = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/;
    expect(files.filter((file) => html.test(readFileSync(join(repositoryRoot, file), 'utf8')))).toEqual([]);
    const long = files
      .filter((file) => !file.includes('/languages/'))
      .map((file) => ({ file, lines: readFileSync(join(repositoryRoot, file), 'utf8').split('\n').length }));
    expect(long.filter(({ lines }) => lines > 260)).toEqual([]);
  });

  test('no exception outlives its import', () => {
    const present = shipped.flatMap((source) =>
      findImports(source.code).map(({ specifier }) => `${source.path} ${specifier}`),
    );
    expect(Object.keys(importExceptions).filter((exception) => !present.includes(exception))).toEqual([]);
    const files = [...Object.keys(contractsWithCode), ...Object.keys(moduleState)];
    expect(files.filter((file) => !shipped.some((source) => source.path === file))).toEqual([]);
  });

  test('pure rooms do not touch the process', () => {
    const pure = shipped.filter((source) => pureFolders.includes(source.folder));
    expect(linesMatching(pure, /\bprocess\.|\bbuiltins\b/, 'files, sockets and processes are passed in')).toEqual([]);
  });

  test('contracts are types and promises: no code is left of them but constants', () => {
    const contracts = shipped.filter((source) => source.folder === 'contracts' && !(source.path in contractsWithCode));
    expect(
      linesMatching(contracts, /^(?:export )?(?:async )?(?:function|class|let|var)\b/, 'code in a contract'),
    ).toEqual([]);
  });

  test('time and chance come from the clock that is passed in', () => {
    const others = shipped.filter((source) => !clockPlaces.some((place) => source.path.startsWith(place)));
    expect(linesMatching(others, clockPattern, 'take a Clock')).toEqual([]);
  });

  test('two brokers share nothing: no module-level variable', () => {
    const others = shipped.filter((source) => !(source.path in moduleState));
    expect(linesMatching(others, /^(?:export )?(?:let|var)\b/, 'module-level state')).toEqual([]);
  });

  test('no default exports, enums or namespaces', () => {
    expect(linesMatching(sources, /^export default\b/, 'default export')).toEqual([]);
    expect(linesMatching(sources, /^(?:export )?(?:declare )?(?:const )?(?:enum|namespace)\b/, 'not erasable')).toEqual(
      [],
    );
  });

  test(`files are small: at most ${linesMax} lines`, () => {
    const long = shipped.filter((source) => source.lines.length - 1 > linesMax);
    expect(long.map((source) => `${source.path}: ${source.lines.length - 1} lines`)).toEqual([]);
  });

  test('files are named after what they hold', () => {
    expect(sources.map((source) => source.path).filter((path) => vagueNames.test(basename(path)))).toEqual([]);
  });
});
