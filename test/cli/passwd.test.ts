import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/passwd.ts';
import { parsePasswordHash, verifyPassword } from '../../src/security/password-hash.ts';
import { startBroker } from '../harness/brokers.ts';
import { describeWith, programPath } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { runTool } from '../harness/tools.ts';
import { runInProcess } from './in-process.ts';

const resources = useResources();
let dir: string;
let file: string;

beforeEach(() => {
  dir = tempDir(resources);
  file = join(dir, 'passwd');
});

const run = (words: readonly string[], input?: string) =>
  runInProcess(main, words, { name: 'mosquitto_passwd', ...(input !== undefined && { input }) });

const users = () =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(0, line.indexOf(':')));

async function hasPassword(user: string, password: string): Promise<boolean> {
  const line =
    readFileSync(file, 'utf8')
      .split('\n')
      .find((candidate) => candidate.startsWith(`${user}:`)) ?? '';
  const parsed = parsePasswordHash(line.slice(user.length + 1));
  return parsed.ok && verifyPassword(parsed.value, Buffer.from(password));
}

describe('users', () => {
  test('are added and changed at their place, and the tool says so', async () => {
    expect(await run(['-c', '-b', file, 'alice', 'one'])).toMatchObject({
      status: 0,
      stdout: 'Adding password for user alice\n',
    });
    expect(await run(['-b', file, 'bob', 'two'])).toMatchObject({
      status: 0,
      stdout: 'Adding password for user bob\n',
    });
    expect(await run(['-b', file, 'alice', 'three'])).toMatchObject({ stdout: 'Updating password for user alice\n' });
    expect(users()).toEqual(['alice', 'bob']);
    expect(await hasPassword('alice', 'three')).toBe(true);
    expect(await hasPassword('alice', 'one')).toBe(false);
  });

  test('are removed; one that is not there is a warning and status 1', async () => {
    await run(['-c', '-b', file, 'alice', 'x']);
    await run(['-b', file, 'bob', 'x']);
    expect(await run(['-D', file, 'alice'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(users()).toEqual(['bob']);
    expect(await run(['-D', file, 'carol'])).toMatchObject({
      status: 1,
      stderr: 'Warning: User carol not found in password file.\n',
    });
  });

  test('may have blanks and letters of any language in their names', async () => {
    await run(['-c', '-b', file, 'Zoë Müller', 'x']);
    await run(['-b', file, 'Zoë Müller', 'y']);
    expect(users()).toEqual(['Zoë Müller']);
  });

  test.each([
    ['a:b', "Error: Username must not contain the ':' character.\n"],
    ['a\u0001b', 'Error: Username must not contain control characters.\n'],
    ['', 'Error: Empty username.\n'],
  ])('%j is no name', async (name, stderr) => {
    writeFileSync(file, '');
    expect(await run(['-b', file, name, 'x'])).toMatchObject({ status: 1, stderr });
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});

describe('passwords', () => {
  test('are asked for twice', async () => {
    expect(await run(['-c', file, 'alice'], 'secret\nsecret\n')).toMatchObject({
      status: 0,
      stdout: 'Password: \nReenter password: \nAdding password for user alice\n',
    });
    expect(await hasPassword('alice', 'secret')).toBe(true);
  });

  test('that differ: status 2, and nothing is made', async () => {
    expect(await run(['-c', file, 'alice'], 'secret\nsecres\n')).toMatchObject({
      status: 2,
      stderr: 'Error: Passwords do not match.\n',
    });
    expect(existsSync(file)).toBe(false);
  });

  test('that are empty: status 1', async () => {
    for (const input of ['', '\n', 'x\n', 'x\n\n']) {
      expect(await run(['-c', file, 'alice'], input)).toMatchObject({ status: 1, stderr: 'Error: Empty password.\n' });
    }
  });

  test.each([
    [[], /^alice:\$7\$1000\$/],
    [['-I', '77'], /^alice:\$7\$77\$/],
    [['-H', 'sha512'], /^alice:\$6\$/],
    [['-H', 'argon2id'], /^alice:\$argon2id\$v=19\$m=47104,t=1,p=1\$/],
  ])('%j writes %s', async (options, pattern) => {
    await run([...options, '-c', '-b', file, 'alice', 'x']);
    expect(readFileSync(file, 'utf8')).toMatch(pattern);
    expect(await hasPassword('alice', 'x')).toBe(true);
  });

  test('of a whole file are hashed, those that are hashed stay', async () => {
    await run(['-c', '-b', file, 'done', 'x']);
    const line = readFileSync(file, 'utf8');
    writeFileSync(file, `# users\n${line}alice:plain text\n\nbob:é\n`);
    expect(await run(['-U', file])).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(file, 'utf8')).toMatch(/^# users\ndone:.+\nalice:\$7\$.+\n\nbob:\$7\$.+\n$/);
    expect(readFileSync(file, 'utf8')).toContain(line);
    expect(await hasPassword('alice', 'plain text')).toBe(true);
    expect(await hasPassword('bob', 'é')).toBe(true);
  });
});

describe('the file', () => {
  test('is made for its owner alone', async () => {
    await run(['-c', '-b', file, 'alice', 'x']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('that is there is not made again', async () => {
    writeFileSync(file, 'alice:x\n');
    expect(await run(['-c', '-b', file, 'bob', 'x'])).toMatchObject({
      status: 1,
      stderr: `Error: Unable to open file ${file} for writing. File exists.\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe('alice:x\n');
  });

  test('keeps its mode, stays a link, and nothing is left beside it', async () => {
    const real = join(dir, 'real');
    writeFileSync(real, 'alice:x\n');
    chmodSync(real, 0o640);
    symlinkSync(real, file);
    await run(['-b', file, 'bob', 'x']);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(users()).toEqual(['alice', 'bob']);
    expect(readdirSync(dir).sort()).toEqual(['passwd', 'real']);
  });

  test('without a line end at its end gets one', async () => {
    writeFileSync(file, 'alice:x');
    await run(['-b', file, 'bob', 'y']);
    expect(users()).toEqual(['alice', 'bob']);
  });

  test('that is missing or corrupt: status 1, and where', async () => {
    expect(await run(['-b', file, 'alice', 'x'])).toMatchObject({
      status: 1,
      stderr: `Error: Unable to open password file ${file}. No such file or directory.\n`,
    });
    writeFileSync(file, 'alice:x\nbroken\n');
    expect(await run(['-b', file, 'alice', 'x'])).toMatchObject({
      status: 1,
      stderr: 'Error: Corrupt password file at line 2.\n',
    });
    expect(readFileSync(file, 'utf8')).toBe('alice:x\nbroken\n');
  });

  test('- prints the line', async () => {
    const outcome = await run(['-b', '-', 'alice', 'x']);
    expect(outcome.status).toBe(0);
    expect(outcome.stdout).toMatch(/^alice:\$7\$1000\$[^\n]+\n$/);
  });
});

describe('options', () => {
  test.each([
    [['-c', '-D', 'f', 'u'], 'Error: -c and -D cannot be used together.\n'],
    [['-c', '-U', 'f'], 'Error: -c and -U cannot be used together.\n'],
    [['-D', '-U', 'f'], 'Error: -D and -U cannot be used together.\n'],
    [['-b', '-D', 'f', 'u'], 'Error: -b and -D cannot be used together.\n'],
    [['-H', 'md5', '-b', 'f', 'u', 'p'], "Error: Unknown hash type 'md5'\n"],
    [['-H'], 'Error: -H argument given but not enough other arguments.\n'],
    [['-I'], 'Error: -I argument given but not enough other arguments.\n'],
    [['-I', '0', '-b', 'f', 'u', 'p'], 'Error: Number of iterations must be > 0.\n'],
    [['-c'], 'Error: -c argument given but password file or username missing.\n'],
    [['-D', 'f'], 'Error: -D argument given but password file or username missing.\n'],
    [['-U'], 'Error: -U argument given but password file missing.\n'],
  ])('%j is refused', async (words, stderr) => {
    expect(await run(words)).toMatchObject({ status: 1, stderr, stdout: '' });
  });

  test.each([[[]], [['f']], [['-b', 'f', 'u']], [['f', 'u', 'p']], [['-x']], [['--help']], [['-cb', 'f', 'u', 'p']]])(
    '%j shows the usage',
    async (words) => {
      const outcome = await run(words);
      expect(outcome).toMatchObject({ status: 1, stderr: '' });
      expect(outcome.stdout).toMatch(/^mosquitto_passwd .*\n.*\n\nUsage: mosquitto_passwd /);
    },
  );
});

describeWith(['mosquitto', 'mosquitto_pub'], "with Debian's", () => {
  const login = (port: number, name: string, password: string) =>
    runTool('mosquitto', 'pub', ['-p', String(port), '-t', 'a', '-m', 'x', '-u', name, '-P', password]);

  test('broker: it reads what we write', async () => {
    await run(['-c', '-b', file, 'default', 'p ä ss']);
    await run(['-H', 'sha512', '-b', file, 'old', 'secret']);
    await run(['-I', '5', '-b', file, 'few', 'secret']);
    chmodSync(file, 0o644);
    const broker = await startBroker(resources, 'mosquitto', {
      config: ['listener {port}', 'allow_anonymous false', `password_file ${file}`],
    });
    expect((await login(broker.port(), 'default', 'p ä ss')).status).toBe(0);
    expect((await login(broker.port(), 'old', 'secret')).status).toBe(0);
    expect((await login(broker.port(), 'few', 'secret')).status).toBe(0);
    expect((await login(broker.port(), 'few', 'wrong')).status).toBe(5);
  });

  test('mosquitto_passwd: we read what it writes, and both edit one file', async () => {
    const theirs = (...words: string[]) => runToEnd([programPath('mosquitto_passwd'), ...words]);
    await theirs('-c', '-b', file, 'alice', 'one');
    await theirs('-H', 'sha512', '-b', file, 'bob', 'two');
    expect(await hasPassword('alice', 'one')).toBe(true);
    expect(await hasPassword('bob', 'two')).toBe(true);
    await run(['-b', file, 'carol', 'three']);
    await theirs('-b', file, 'alice', 'four');
    await run(['-D', file, 'bob']);
    expect(users()).toEqual(['alice', 'carol']);
    expect(await hasPassword('alice', 'four')).toBe(true);
  });
});
