/** The broker as a service: who it is, where it says its number, what signals mean, what systemd is told. */
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Client } from '../../src/client/index.ts';
import { prepareBroker, startBroker, type TestBroker } from '../harness/brokers.ts';
import { freePort, isListening } from '../harness/ports.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { type RunningProcess, startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';

const resources = useResources();
const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';

/** The line of /proc/PID/status: real, effective, saved and file system id. */
const idOf = (pid: number, line: 'Uid' | 'Gid'): string =>
  new RegExp(`^${line}:\\t(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';

/** The executables where everybody may read them: a checkout may lie in a folder of root's. */
function publicBroker(): string {
  const dir = tempDir(resources);
  chmodSync(dir, 0o755);
  for (const part of ['bin', 'dist/bin', 'package.json']) {
    cpSync(join(repositoryRoot, part), join(dir, part), { recursive: true });
  }
  return join(dir, 'bin', 'moustique.js');
}

interface Started {
  readonly dir: string;
  readonly port: number;
  readonly process: RunningProcess;
}

/** Starts the broker in a folder that belongs to the user it will be. */
async function startAs(
  lines: readonly string[],
  uid: number,
  gid: number,
  env = {},
  args: string[] = [],
): Promise<Started> {
  const dir = tempDir(resources);
  chmodSync(dir, 0o755);
  const data = join(dir, 'data');
  mkdirSync(data);
  chownSync(data, uid, gid);
  const port = await freePort();
  const config = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...lines].join('\n').replaceAll('{data}', data);
  const file = join(dir, 'moustique.conf');
  writeFileSync(file, `${config}\n`);
  const command = [process.execPath, publicBroker(), '-c', file, ...args];
  const running = startProcess(resources, command, { cwd: '/', env });
  return { dir: data, port, process: running };
}

describe.runIf(isRoot && isLinux)('started as root', () => {
  const nobody = 65_534;

  test('it becomes the user of the configuration before it opens anything', async () => {
    const {
      dir,
      port,
      process: running,
    } = await startAs(
      [
        'user nobody',
        'log_dest file {data}/log',
        'pid_file {data}/pid',
        'persistence true',
        'persistence_location {data}',
      ],
      nobody,
      nobody,
    );
    await waitFor(
      () => `the broker; ${running.stderr}`,
      () => isListening(port),
    );
    expect(idOf(running.pid, 'Uid')).toBe(String(nobody));
    for (const name of ['log', 'pid']) expect(statSync(join(dir, name)).uid).toBe(nobody);
    expect(statSync(join(dir, 'log')).mode & 0o777).toBe(0o600);
    await waitFor('the log', () =>
      /Info: running moustique as user: nobody\./.test(readFileSync(join(dir, 'log'), 'utf8')),
    );
    await running.stop();
    expect(statSync(join(dir, 'mosquitto.db'))).toMatchObject({ uid: nobody });
    expect(statSync(join(dir, 'mosquitto.db')).mode & 0o777).toBe(0o600);
  });

  test('PUID and PGID go before it, and UMASK_SET holds', async () => {
    const env = { PUID: '12345', PGID: '23456', UMASK_SET: '027' };
    const { dir, port, process: running } = await startAs(['user nobody', 'pid_file {data}/pid'], 12_345, 23_456, env);
    await waitFor(
      () => `the broker; ${running.stderr}`,
      () => isListening(port),
    );
    expect([idOf(running.pid, 'Uid'), idOf(running.pid, 'Gid')]).toEqual(['12345', '23456']);
    expect(statSync(join(dir, 'pid')).mode & 0o777).toBe(0o640);
  });

  test('a user that there is not ends the start with status 3', async () => {
    const broker = await prepareBroker(resources, 'moustique', { config: ['listener {port}'] });
    broker.write('moustique.conf', 'listener {port}\nuser no-such-user\n');
    const { status, stderr } = await broker.launch().ended;
    expect(stderr).toMatch(
      /^\d+: Error: Unable to drop privileges to 'no-such-user' because this user does not exist\.$/m,
    );
    expect(status).toBe(3);
  });
});

test('a pid file that cannot be written ends the start with status 14', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'pid_file {dir}/nowhere/pid'],
  });
  const { status, stderr } = await broker.launch().ended;
  expect(stderr).toMatch(/^\d+: Error: Unable to write pid file\.$/m);
  expect(status).toBe(14);
});

test('-d goes to the background: status 0 at once, the number in the pid file, an end in order', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', 'allow_anonymous true', 'pid_file {dir}/pid', 'log_dest file {dir}/log'],
      ...['persistence true', 'persistence_location {dir}'],
    ],
    args: ['-d'],
  });
  const { status } = await broker.launch().ended;
  expect(status).toBe(0);
  await waitFor('the broker in the background', () => isListening(broker.port()));
  const pid = Number(broker.read('pid'));
  resources.add({ close: () => kill(pid, 'SIGKILL') });
  expect(pid).not.toBe(broker.process.pid);
  kill(pid, 'SIGTERM');
  await waitFor('its end', () => !existsSync(join(broker.dir, 'pid')));
  expect(existsSync(join(broker.dir, 'mosquitto.db'))).toBe(true);
  expect(broker.read('log')).toMatch(/moustique version .* terminating\n/);
});

function kill(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

async function client(broker: TestBroker, options: object = {}): Promise<Client> {
  const made = new Client({ target: { address: { host: '127.0.0.1', port: broker.port() } }, ...options });
  resources.add({ close: () => made.destroy() });
  await made.start();
  return made;
}

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s: wills go out, data is saved, status 0', async (signal) => {
    const broker = await startBroker(resources, 'moustique', {
      config: ['listener {port} 127.0.0.1', 'allow_anonymous true', 'persistence true', 'persistence_location {dir}'],
    });
    const will = { topic: 'will', payload: Buffer.from('the last word'), qos: 1, retain: true, properties: {} };
    await client(broker, { clientId: 'dies', will });
    broker.process.signal(signal);
    expect(await broker.process.ended).toMatchObject({ status: 0, signal: null });
    expect(readFileSync(join(broker.dir, 'mosquitto.db')).includes('the last word')).toBe(true);
  });

  test('SIGUSR1 writes the database, SIGUSR2 prints the subscriptions, SIGPIPE does nothing', async () => {
    const broker = await startBroker(resources, 'moustique', {
      config: ['listener {port} 127.0.0.1', 'allow_anonymous true', 'persistence true', 'persistence_location {dir}'],
    });
    const one = await client(broker, { clientId: 'one' });
    await one.subscribe([{ filter: 'a/+/c', qos: 1 }]);
    await one.publish('kept', 'in the database', { qos: 1, retain: true });
    broker.process.signal('SIGPIPE');
    broker.process.signal('SIGUSR1');
    const file = join(broker.dir, 'mosquitto.db');
    await waitFor('the database', () => existsSync(file) && readFileSync(file).includes('in the database'));
    broker.process.signal('SIGUSR2');
    await broker.process.waitForOutput('a/+/c\n  (one, 1)\n', 'stdout');
    await one.publish('kept', 'still here', { qos: 1 });
  });

  test.runIf(isLinux).each([
    ['SIGHUP', 1],
    ['SIGRTMIN', 34],
  ])('%s begins a new log file when the old one was moved away', async (_name, signal) => {
    const broker = await startBroker(resources, 'moustique', {
      config: ['listener {port} 127.0.0.1', 'allow_anonymous true', 'log_dest file {dir}/log', 'log_type all'],
    });
    await client(broker, { clientId: 'before' });
    await waitFor('the old file', () => broker.read('log').includes('as before'));
    renameSync(join(broker.dir, 'log'), join(broker.dir, 'log.1'));
    kill(broker.process.pid, signal);
    await waitFor('the new file', () => existsSync(join(broker.dir, 'log')));
    await client(broker, { clientId: 'after' });
    await waitFor('its line', () => broker.read('log').includes('as after'));
    expect(broker.read('log.1')).not.toContain('as after');
    expect(broker.read('log')).not.toContain('as before');
  });
});

test('systemd is told when the broker serves, that it lives, and when it ends', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'allow_anonymous true'],
    env: { NOTIFY_SOCKET: '{dir}/socket', WATCHDOG_USEC: '200000', PATH: `{dir}/bin:${process.env['PATH'] ?? ''}` },
  });
  // What systemd-notify would send, into a file.
  broker.write('bin/systemd-notify', '#!/bin/sh\necho "$@" >> {dir}/told\n');
  chmodSync(join(broker.dir, 'bin/systemd-notify'), 0o755);
  await broker.start();
  const told = (): string[] => (existsSync(join(broker.dir, 'told')) ? broker.read('told').trim().split('\n') : []);
  await waitFor('signs of life', () => told().filter((line) => line === 'WATCHDOG=1').length > 2);
  await broker.stop();
  await waitFor('the end', () => told().includes('STOPPING=1'));
  expect(told()[0]).toBe('READY=1');
  expect(told().filter((line) => line === 'READY=1')).toHaveLength(1);
});

describe('log_dest', () => {
  test('stdout, stderr, file and topic take the same lines at once', async () => {
    const broker = await startBroker(resources, 'moustique', {
      config: [
        ...['listener {port} 127.0.0.1', 'allow_anonymous true', 'log_timestamp false'],
        ...['log_dest stdout', 'log_dest stderr', 'log_dest file {dir}/log', 'log_dest topic'],
      ],
    });
    const heard: string[] = [];
    const listener = await client(broker, {
      clientId: 'listener',
      onMessage: ({ topic, payload }: { topic: string; payload: Buffer }) =>
        heard.push(`${topic} ${payload.toString()}`),
    });
    await listener.subscribe([{ filter: '$SYS/broker/log/#', qos: 0 }]);
    await client(broker, { clientId: 'new' });
    const line = /New client connected from 127\.0\.0\.1:\d+ as new \(p5, c1, k60\)\./;
    await broker.process.waitForOutput(line, 'stdout');
    await broker.process.waitForOutput(line, 'stderr');
    await waitFor('the file', () => line.test(broker.read('log')));
    await waitFor('the topic', () => heard.some((one) => line.test(one) && one.startsWith('$SYS/broker/log/N ')));
  });

  test('none is silent, dlt is refused with a reason', async () => {
    const silent = await startBroker(resources, 'moustique', {
      config: ['log_dest none', 'listener {port} 127.0.0.1', 'allow_anonymous true'],
    });
    await client(silent);
    const { stdout, stderr } = await silent.stop();
    expect(stdout + stderr).toBe('');
    const refused = await prepareBroker(resources, 'moustique', { config: ['log_dest dlt', 'listener {port}'] });
    const ended = await refused.launch().ended;
    expect(ended.stderr).toMatch(/Error: 'log_dest dlt' is not supported: .+\./);
    expect(ended.status).toBe(3);
  });

  test('a file that cannot be opened leaves the broker running, errors go to standard error', async () => {
    const broker = await startBroker(resources, 'moustique', {
      config: ['log_dest file {dir}/nowhere/log', 'listener {port} 127.0.0.1', 'allow_anonymous true'],
    });
    await broker.process.waitForOutput(/Error: Unable to open log file .*nowhere\/log for writing\./, 'stderr');
    await client(broker);
  });
});

test.each([
  [
    'bind_address no-such-host.invalid',
    3,
    ['Error: Error resolving bind_address: Name or service not known.', 'Error found at {dir}/moustique.conf:1.'],
  ],
  ['listener 1 no-such-host.invalid', 1, ['Error creating listener: Name or service not known.']],
  ['listener 0 {dir}/nowhere/socket', 1, ['Error: No such file or directory']],
])('%s ends the start with status %i', async (line, status, messages) => {
  const broker = await prepareBroker(resources, 'moustique', { config: [line, 'allow_anonymous true'] });
  const ended = await broker.launch().ended;
  const lines = ended.stderr.split('\n').map((text) => text.replace(/^\d+: /, ''));
  expect(lines).toEqual(expect.arrayContaining(messages.map((message) => broker.fill(message))));
  expect(ended.status).toBe(status);
});

test('everything in the configuration that listens is closed at the end', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'listener 0 {dir}/socket', 'allow_anonymous true'],
  });
  await new Promise<void>((resolve) => {
    const socket = dial(join(broker.dir, 'socket'), () => {
      socket.destroy();
      resolve();
    });
  });
  // Owner and group, as Mosquitto has it.
  expect(statSync(join(broker.dir, 'socket')).mode & 0o777).toBe(0o770);
  expect((await broker.stop()).status).toBe(0);
  expect(existsSync(join(broker.dir, 'socket'))).toBe(false);
});
