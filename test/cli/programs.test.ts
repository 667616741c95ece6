/** The executables as programs: names, links, bytes of the command line, signals to a broker, a terminal. */
import { spawn } from 'node:child_process';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandNames } from '../../src/cli/commands.ts';
import { main as signal } from '../../src/cli/signal.ts';
import { startBroker } from '../harness/brokers.ts';
import { findProgram } from '../harness/programs.ts';
import { moustiqueCommand, repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { subscribe } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';
import { runInProcess } from './in-process.ts';

const resources = useResources();

describe('names', () => {
  test('a tool answers to the name it is called by', async () => {
    const dir = tempDir(resources);
    for (const tool of ['pub', 'sub', 'rr', 'passwd', 'signal'] as const) {
      const link = join(dir, `mosquitto_${tool}`);
      symlinkSync(join(repositoryRoot, 'bin', `moustique_${tool}.js`), link);
      const { stdout } = await runToEnd([link, '--help']);
      expect(stdout).toMatch(new RegExp(`^mosquitto_${tool} [\\s\\S]*\\nUsage: mosquitto_${tool} `));
    }
  });

  test('moustique pub, sub and so on are the same tools', async () => {
    const run = (...words: string[]) => runToEnd([...moustiqueCommand('moustique'), ...words]);
    for (const command of ['pub', 'sub', 'rr', 'passwd', 'signal']) {
      const { stdout, status } = await run(command, '--help');
      expect(stdout).toContain(`Usage: moustique ${command} `);
      expect(status).toBe(1);
    }
    expect(await run('sub')).toMatchObject({
      stderr:
        "Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).\n\nUse 'moustique sub --help' to see usage.\n",
    });
  });

  test('moustique link makes Mosquitto’s names, and touches no file that is there', async () => {
    const dir = tempDir(resources);
    const run = (...words: string[]) => runToEnd([...moustiqueCommand('moustique'), 'link', ...words]);
    writeFileSync(join(dir, 'mosquitto_sub'), 'mine');
    symlinkSync('/elsewhere', join(dir, 'mosquitto_rr'));
    const first = await run(dir);
    expect(first.status).toBe(1);
    expect(first.stderr).toMatch(
      /^Error: Unable to make \S+mosquitto_sub: it exists already; --force replaces links\.$/m,
    );
    expect(first.stderr).toMatch(/mosquitto_rr: it exists already/);
    expect(readFileSync(join(dir, 'mosquitto_sub'), 'utf8')).toBe('mine');
    expect(lstatSync(join(dir, 'mosquitto')).isSymbolicLink()).toBe(true);
    const version = await runToEnd([join(dir, 'mosquitto_pub'), '--version']);
    expect(version.stdout).toMatch(/^mosquitto_pub version /);
    const forced = await run('--force', dir);
    expect(forced.stdout).toMatch(/^\S+mosquitto_rr -> \S+moustique_rr\.js\n$/);
    expect(readFileSync(join(dir, 'mosquitto_sub'), 'utf8')).toBe('mine');
    expect((await run()).status).toBe(1);
  });

  test('moustique help tells what each command is for, and the options of one', async () => {
    const run = (...words: string[]) => runToEnd([...moustiqueCommand('moustique'), 'help', ...words]);
    const all = await run();
    expect(all.status).toBe(0);
    for (const name of commandNames) expect(all.stdout).toMatch(new RegExp(`^ {2}${name} +\\w`, 'm'));
    expect((await run('sub')).stdout).toContain('Usage: moustique sub ');
    expect(await run('nothing')).toMatchObject({ status: 1, stdout: '' });
  });

  test('moustique completion prints what a shell understands', async () => {
    const script = await runToEnd([...moustiqueCommand('moustique'), 'completion', 'bash']);
    const completed = await runToEnd([
      'bash',
      '-c',
      `${script.stdout}\nCOMP_WORDS=(moustique_pub --rep); COMP_CWORD=1; _moustique_pub; echo "\${COMPREPLY[@]}"`,
    ]);
    expect(completed).toMatchObject({ stdout: '--repeat --repeat-delay\n', stderr: '' });
    const command = await runToEnd([
      'bash',
      '-c',
      `${script.stdout}\nfor words in 'p' 'pub --rep'; do COMP_WORDS=(moustique $words); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _moustique; echo "\${COMPREPLY[@]}"; done`,
    ]);
    expect(command).toMatchObject({ stdout: 'passwd pub\n--repeat --repeat-delay\n', stderr: '' });
    expect((await runToEnd([...moustiqueCommand('moustique'), 'completion', 'tcsh'])).status).toBe(1);
  });
});

test('bytes of the command line that are no UTF-8 are sent as they are', async () => {
  const broker = await startBroker(resources, 'moustique', { config: ['listener {port}', 'allow_anonymous true'] });
  const subscriber = await subscribe(resources, 'moustique', [
    '-p',
    String(broker.port()),
    '-t',
    'a',
    '-F',
    '%x',
    '-C',
    '1',
  ]);
  const command = [...moustiqueCommand('moustique_pub'), '-p', String(broker.port()), '-t', 'a'].join(' ');
  const sent = await runToEnd(['bash', '-c', `${command} -m $'a\\xff\\xc3(b'`]);
  expect(sent).toMatchObject({ status: 0, stderr: '' });
  await subscriber.process.ended;
  expect(subscriber.lines).toEqual(['61ffc32862']);
  const topic = await runToEnd(['bash', '-c', `${command} -t $'x\\xff' -m y`]);
  expect(topic.stderr).toMatch(/^Error: Malformed UTF-8 in -t argument\.\n/);
});

describe('signal', () => {
  const run = (...words: string[]) => runInProcess(signal, words, { name: 'mosquitto_signal' });

  test('reaches a broker', async () => {
    const broker = await startBroker(resources, 'moustique', { config: ['listener {port}', 'log_dest stderr'] });
    expect(await run('-p', String(broker.process.pid), 'config-reload')).toMatchObject({ status: 0, stderr: '' });
    await broker.process.waitForOutput(/[Rr]eload/, 'stderr');
    expect(await run('-p', String(broker.process.pid), 'shutdown')).toMatchObject({ status: 0, stderr: '' });
    expect(await broker.process.ended).toMatchObject({ status: 0 });
  });

  test.each([
    [['shutdown'], 'Error: One of -a or -p must be used.\n'],
    [['-a', '-p', '5', 'shutdown'], 'Error: One of -a or -p must be used.\n'],
    [['-p', '5'], 'Error: No signal given.\n'],
    [['-p', '5', 'explode'], "Error: Unknown signal 'explode'.\n"],
    [['-p', '0', 'shutdown'], 'Error: Process ID must be >0.\n'],
    [['-p', 'x', 'shutdown'], 'Error: Process ID must be >0.\n'],
    [['-p'], 'Error: -p argument given but no process ID specified.\n'],
    [['-x', 'shutdown'], "Error: Unknown option '-x'.\n"],
  ])('%j is refused', async (words, stderr) => {
    expect(await run(...words)).toMatchObject({ status: 1, stderr });
  });

  test('without arguments shows the usage; a process that is gone is a message and status 0', async () => {
    expect((await run()).stdout).toMatch(/^mosquitto_signal .*\n.*\n\nUsage: mosquitto_signal /);
    const gone = await runToEnd(['true']);
    expect(gone.status).toBe(0);
    expect(await run('-p', '4194304', 'shutdown')).toMatchObject({
      status: 0,
      stderr: 'Error: Unable to send the signal to process 4194304: No such process.\n',
    });
  });
});

describe('a terminal', () => {
  test.skipIf(findProgram('script') === undefined)('shows nothing of a password', async () => {
    const file = join(tempDir(resources), 'passwd');
    const command = [...moustiqueCommand('moustique_passwd'), '-c', file, 'alice'].join(' ');
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: 'pipe' });
    resources.add({ close: () => void terminal.kill('SIGKILL') });
    let shown = '';
    terminal.stdout.on('data', (chunk) => {
      shown += chunk;
    });
    const ended = new Promise<number | null>((resolve) => terminal.once('close', resolve));
    await waitFor('the question', () => shown.includes('Password: '));
    // A mistake and its correction (0x7f is backspace); then the second answer is typed ahead.
    terminal.stdin.write('secrex\x7ft\rsecret\r');
    expect(await ended).toBe(0);
    expect(shown).toBe('Password: \r\nReenter password: \r\nAdding password for user alice\r\n');
    expect(readFileSync(file, 'utf8')).toMatch(/^alice:\$7\$/);
  });
});

describe('what a start loads', () => {
  /** A file for `--require` that tells at the end of the process what was loaded. */
  function watcher(): string {
    const watch = join(tempDir(resources), 'watch.cjs');
    writeFileSync(
      watch,
      `const vm = require('node:vm');
      const caches = [];
      vm.Script = class extends vm.Script {
        constructor(...args) {
          super(...args);
          caches.push(this.cachedDataRejected === false);
        }
      };
      process.on('exit', () => {
        const builtins = process.moduleLoadList.map((name) => /^NativeModule (.+)$/.exec(name)?.[1]);
        require('node:fs').writeSync(2, '\\n' + JSON.stringify({ builtins, caches, files: Object.keys(require.cache) }));
      });`,
    );
    return watch;
  }
  const loaded = (stderr: string) =>
    JSON.parse(stderr.split('\n').at(-1) ?? '') as { builtins: string[]; caches: boolean[]; files: string[] };
  const needless = [
    'crypto',
    'dns/promises',
    'fs/promises',
    'http',
    'https',
    'readline',
    'tls',
    'worker_threads',
    'zlib',
  ];

  test('pub, sub and rr: one file, and no parts of Node that only some connections need', async () => {
    const watch = watcher();
    const broker = await startBroker(resources, 'moustique', { config: ['listener {port}', 'allow_anonymous true'] });
    for (const [tool, ...words] of [
      ['moustique_pub', '-m', 'x'],
      ['moustique_sub', '-E'],
      ['moustique_rr', '-m', 'x', '-e', 't'],
    ] as const) {
      const [node = '', ...rest] = moustiqueCommand(tool);
      const place = ['-h', '127.0.0.1', '-p', String(broker.port()), '-t', 't'];
      const { stderr, status } = await runToEnd([node, '-r', watch, ...rest, ...place, ...words]);
      expect(status, stderr).toBe(0);
      const { builtins, files } = loaded(stderr);
      expect(builtins).toContain('net');
      expect(builtins.filter((name) => [...needless, 'dns'].includes(name))).toEqual([]);
      expect(files.map((file) => basename(file))).toEqual(['watch.cjs', `${tool}.js`, `${tool}.cjs`]);
    }
  });

  test('the broker: its core as V8 compiled it, no loader of modules, nothing that only some listeners need', async () => {
    const broker = await startBroker(resources, 'moustique', {
      config: ['listener {port} 127.0.0.1', 'allow_anonymous true'],
      env: { NODE_OPTIONS: `--require ${watcher()}` },
    });
    const { stderr, status } = await broker.stop();
    expect(status, stderr).toBe(0);
    const { builtins, caches, files } = loaded(stderr);
    expect(builtins).toContain('net');
    expect(builtins.filter((name) => [...needless, 'internal/modules/esm/loader'].includes(name))).toEqual([]);
    expect(caches).toEqual([true]);
    const names = files.map((file) => basename(file)).filter((name) => !name.startsWith('moustique-chunk-'));
    expect(names).toEqual(['watch.cjs', 'moustique.js', 'v8-options.js', 'moustique.cjs']);
    expect(files.length - names.length, 'the core is one file').toBe(1);
  });
});
