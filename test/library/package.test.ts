import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { type Finished, runToEnd } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { buildLibrary } from './built-library.ts';

const resources = useResources('end of file');
/** A project of somebody who installed the package. */
let project = '';

beforeAll(async () => {
  await buildLibrary();
  project = tempDir(resources);
  const modules = join(project, 'node_modules');
  mkdirSync(modules);
  await unpack(modules);
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(modules, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repositoryRoot, 'node_modules', name), link);
  }
  writeFileSync(join(project, 'package.json'), '{ "name": "somebody", "private": true }');
});

/** Packs what would be published and unpacks it as an installation does. */
async function unpack(modules: string): Promise<void> {
  const npm = process.env['npm_execpath'];
  const command = npm?.endsWith('.js') === true ? [process.execPath, npm] : ['npm'];
  const packed = await runToEnd([...command, 'pack', '--silent', '--ignore-scripts', '--pack-destination', modules], {
    cwd: repositoryRoot,
  });
  const file = readdirSync(modules).find((name) => name.endsWith('.tgz'));
  if (file === undefined) throw new Error(`npm pack: ${packed.stdout}${packed.stderr}`);
  const unpacked = await runToEnd(['tar', '-xzf', file, '--transform', 's/^package/moustique/'], { cwd: modules });
  if (unpacked.status !== 0) throw new Error(`tar: ${unpacked.stderr}`);
}

/** Runs a program of that project. */
async function run(name: string, source: string): Promise<Finished> {
  writeFileSync(join(project, name), source);
  return await runToEnd([process.execPath, name], { cwd: project });
}

const conversation = `
  const broker = createBroker({ listeners: [] });
  broker.subscribe('a', async (message) => {
    console.log(message.text());
    await broker.close();
  });
  broker.listen().then(() => broker.publish('a', 'it works'));
`;

test('an ES module imports the package by its name', async () => {
  const { stdout, stderr, status } = await run('a.mjs', `import { createBroker } from 'moustique';${conversation}`);
  expect([stdout, stderr, status]).toEqual(['it works\n', '', 0]);
});

test('CommonJS requires it', async () => {
  const { stdout, status } = await run('a.cjs', `const { createBroker } = require('moustique');${conversation}`);
  expect([stdout, status]).toEqual(['it works\n', 0]);
});

test('what else is inside cannot be reached', async () => {
  const { stderr } = await run('b.mjs', "import 'moustique/dist/lib/server/running-broker.js';");
  expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

test('the public names', async () => {
  const { stdout } = await run('c.mjs', "console.log(Object.keys(await import('moustique')).sort().join(' '));");
  expect(stdout.trim().split(' ')).toEqual([
    'BrokerStateError',
    'ConfigErrors',
    'ReasonCode',
    'StartError',
    'createBroker',
    'scramCredentials',
    'scramSha256',
  ]);
});

test('the types are whole: they fit strict projects of both kinds and the examples, and stop what is wrong', async () => {
  const folder = join(project, 'types');
  mkdirSync(folder);
  const use = `
    import { createBroker } from 'moustique';
    const broker = createBroker({ listeners: [{ port: 0 }], authenticate: async () => true });
    const count: number = broker.publish('a', 'b', { qos: 1 });
    broker.subscribe('a', ({ payload }) => payload.readInt8(0) + count);
    broker.on('connect', ({ clientId }) => clientId.length);
  `;
  const files = {
    'module.mts': use,
    'common.cts': use,
    'wrong.mts': "import { createBroker } from 'moustique';\ncreateBroker({ prot: 1 });",
  };
  for (const [name, source] of Object.entries(files)) writeFileSync(join(folder, name), source);
  const examples = join(repositoryRoot, 'examples');
  cpSync(examples, folder, { recursive: true });
  const settings = {
    compilerOptions: {
      ...{ target: 'ES2023', module: 'NodeNext', strict: true, exactOptionalPropertyTypes: true, noEmit: true },
      ...{ types: ['node'], typeRoots: [join(repositoryRoot, 'node_modules/@types')] },
      // The examples are JavaScript: parameters of their own functions have no types.
      ...{ checkJs: true, noImplicitAny: false },
    },
    include: ['types'],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(settings));

  const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
  const { stdout } = await runToEnd([process.execPath, tsc, '-p', 'tsconfig.json'], { cwd: project });

  expect(stdout).toMatch(/^types\/wrong\.mts\(2,16\): error TS\d+: .*'prot'.*\n$/);
});

describe('the log', () => {
  test('of a broker that is told nothing: warnings and errors, on standard error', async () => {
    const { stdout, stderr } = await run(
      'quiet.mjs',
      `import { createBroker } from 'moustique';
       const broker = createBroker({ logTimestamp: false, listeners: [{ port: 0, host: '127.0.0.1' }] });
       await broker.listen();
       await broker.close();`,
    );
    expect(stdout).toBe('');
    expect(stderr).toBe(
      'Warning: no client can connect on port 0: give authenticate, a passwordFile, or allowAnonymous: true\n',
    );
  });

  test('whose function throws: the process is told', async () => {
    const { stderr, status } = await run(
      'loud.mjs',
      `import { createBroker } from 'moustique';
       const broker = createBroker({ log: () => { throw new Error('no place for lines'); }, listeners: [{ port: 0 }] });
       await broker.listen();`,
    );
    expect(status).not.toBe(0);
    expect(stderr).toContain('Error: no place for lines');
  });
});

test('the package holds what it says and nothing of its making', () => {
  const root = join(project, 'node_modules/moustique');
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  expect(files).toContain('dist/lib/index.d.ts');
  expect(files).toContain('package.json');
  expect(files.filter((file) => /(^|\/)(test|bench|src|scripts)\/|\.test\.|(^|\/)\.lib-/.test(file))).toEqual([]);
});
