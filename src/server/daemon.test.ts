import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PidFileError, startDaemon, takeDaemonMark, writePidFile } from './daemon.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'daemon-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('the pid file holds the decimal id without a line end, and is gone at the end', () => {
  const file = join(directory, 'pid');
  writeFileSync(file, '99999 of an earlier run');
  const remove = writePidFile(file, 42);
  expect(readFileSync(file, 'utf8')).toBe('42');
  remove();
  expect(existsSync(file)).toBe(false);
  remove(); // twice is harmless
});

test("another process's pid file stays", () => {
  const file = join(directory, 'pid');
  const remove = writePidFile(file, 42);
  writePidFile(file, 43);
  remove();
  expect(readFileSync(file, 'utf8')).toBe('43');
});

test('a pid file that cannot be written ends the start with status 14', () => {
  const file = join(directory, 'no', 'such', 'directory');
  expect(() => writePidFile(file, 42)).toThrow(PidFileError);
  expect(() => writePidFile(file, 42)).toThrow('Error: Unable to write pid file.');
  expect(new PidFileError('').exitCode).toBe(14);
});

test('a daemon is the same command in a session of its own, once', async () => {
  const script = join(directory, 'script.mjs');
  const result = join(directory, 'result');
  // Field 6 of /proc/PID/stat is the session.
  writeFileSync(
    script,
    `import { readFileSync, renameSync, writeFileSync } from 'node:fs';
    const session = readFileSync('/proc/self/stat', 'latin1').split(' ')[5];
    writeFileSync('${result}.new', JSON.stringify([process.pid, Number(session), process.argv.slice(2), process.env]));
    renameSync('${result}.new', '${result}');`,
  );
  const pid = await startDaemon({
    execPath: process.execPath,
    execArgv: ['--no-warnings'],
    argv: [process.execPath, script, '-d', '-p', '1883'],
    env: { KEPT: 'yes' },
  });
  while (!existsSync(result)) await setTimeout(5);
  const [childPid, session, argv, env] = JSON.parse(readFileSync(result, 'utf8')) as [
    number,
    number,
    string[],
    NodeJS.ProcessEnv,
  ];
  expect(childPid).toBe(pid);
  expect(session).toBe(pid);
  expect(argv).toEqual(['-d', '-p', '1883']);
  expect(env['KEPT']).toBe('yes');
  expect(takeDaemonMark(env)).toBe(true);
  expect(takeDaemonMark(env)).toBe(false); // forgotten
});

test('a program that cannot be started is an error', async () => {
  const start = { execPath: join(directory, 'nothing'), execArgv: [], argv: ['x', 'y'], env: {} };
  await expect(startDaemon(start)).rejects.toThrow('ENOENT');
});
