/**
 * Lines as tutorials have them, through the executable: Moustique takes them as meant and warns with file and line; with
 * `--strict` and `--test-config --strict` it answers as Mosquitto 2.1 does.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { moustiqueCommand } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';

const resources = useResources();

const notNumber = "Error: 'listener port' value not a number.";
const invalid = (name: string, value: string): string => `Error: Invalid '${name}' value (${value}).`;

/** The text of the file; the warning without `--strict`, null for none; Mosquitto's refusal, null for none. */
const lines: readonly (readonly [text: string, warning: string | null, refusal: string | null])[] = [
  ['allow_anonymous true # comment', null, null],
  ['listener 1883 # comment\nallow_anonymous true', null, null],
  ['listener 1883 0\nallow_anonymous true', null, null],
  ['log_type all # c\nlog_dest stdout # c\nmax_queued_messages 5 # c', null, null],
  ['autosave_interval 1800 1900', null, null],
  ['retry_interval 20', "Warning: The 'retry_interval' option is no longer available.", null],
  [
    'listener localhost\nallow_anonymous true',
    "m.conf:1: listener: taken for 'listener 1883 localhost': the port comes first",
    notNumber,
  ],
  [
    'listener localhost 1883\nallow_anonymous true',
    "m.conf:1: listener: taken for 'listener 1883 localhost': the port comes first",
    notNumber,
  ],
  [
    'listener 192.168.1.20\nallow_anonymous true',
    "m.conf:1: listener: taken for 'listener 1883 192.168.1.20': the port comes first",
    notNumber,
  ],
  [
    'include_dir {dir}/conf.d # where my files are',
    "m.conf:1: include_dir: '{dir}/conf.d' is taken for the name, a comment must stand on a line of its own",
    "Error: Unable to open include_dir '{dir}/conf.d # where my files are'.",
  ],
  ['password_file {dir}/p # c', "m.conf:1: password_file: '{dir}/p' is taken for the name", null],
];

/** Lines that both refuse. */
const refused: readonly (readonly [text: string, refusal: string])[] = [
  ['allow_anonymous true\t# c', invalid('allow_anonymous', 'true\t#')],
  ['allow_anonymous yes', invalid('allow_anonymous', 'yes')],
  ['allow_anonymous True', invalid('allow_anonymous', 'True')],
  ['allow_anonymous', "Error: Empty 'allow_anonymous' value in configuration."],
  ['listener 1883\t', notNumber],
  ['listener 0', 'Error: A listener with port 0 must provide a Unix socket path.'],
  ['listener 70000', "Error: Invalid 'port' value (70000)."],
  ['sys_interval 5s', "Error: 'sys_interval' value not a number."],
  ['store_clean_interval 10', "Error: Unknown configuration variable 'store_clean_interval'."],
  ['cafile x', "Error: The 'cafile' option requires a listener to be defined first."],
  ['   # indented', "Error: Unknown configuration variable '#'."],
];

async function check(dir: string, text: string, ...args: string[]) {
  writeFileSync(join(dir, 'm.conf'), `${text.replaceAll('{dir}', dir)}\n`);
  return runToEnd([...moustiqueCommand('moustique'), '-c', 'm.conf', '--test-config', ...args], { cwd: dir });
}

describe.each(lines)('%j', (text, warning, refusal) => {
  const fill = (line: string, dir: string): string => line.replaceAll('{dir}', dir);

  test('is taken as meant', async () => {
    const dir = tempDir(resources);
    mkdirSync(join(dir, 'conf.d'));
    const { status, stdout, stderr } = await check(dir, text);
    expect([status, stdout]).toEqual([0, expect.stringContaining('Configuration file is OK.\n')]);
    if (warning === null) expect(stdout + stderr).not.toContain('Warning');
    else expect(stdout + stderr).toContain(fill(warning, dir));
  });

  test('with --strict it is what Mosquitto 2.1 says', async () => {
    const dir = tempDir(resources);
    mkdirSync(join(dir, 'conf.d'));
    const { status, stdout, stderr } = await check(dir, text, '--strict');
    if (refusal === null) {
      expect([status, stdout]).toEqual([0, expect.stringContaining('Configuration file is OK.\n')]);
      return;
    }
    expect(status).toBe(3);
    expect(stderr.split('\n').map((line) => line.replace(/^\d+: /, ''))).toEqual(
      expect.arrayContaining([fill(refusal, dir), 'Error found at m.conf:1.']),
    );
  });
});

test.each(refused)('%j is refused', async (text, refusal) => {
  const { status, stderr } = await check(tempDir(resources), text);
  expect(status).toBe(3);
  expect(stderr.split('\n').map((line) => line.replace(/^\d+: /, ''))).toEqual(
    expect.arrayContaining([refusal, 'Error found at m.conf:1.']),
  );
});

test.each([
  ['password_file {dir}/nothing # c', 13, 'password-file: Error: Unable to open pwfile "{dir}/nothing # c".'],
  ['acl_file {dir}/nothing', 13, 'Error: Unable to open acl_file "{dir}/nothing".'],
  ['user nobody # c', 3, "Error: Unable to drop privileges to 'nobody # c' because this user does not exist."],
])('started with --strict: %j ends with status %i', async (line, status, message) => {
  const dir = tempDir(resources);
  const user = line.startsWith('user') || process.getuid?.() !== 0 ? '' : '\nuser root';
  // Port 1 of an address that is nobody's here: what is wrong is found before anything is opened.
  writeFileSync(join(dir, 'm.conf'), `${line.replaceAll('{dir}', dir)}${user}\nlistener 1 192.0.2.1\n`);
  const ended = await runToEnd([...moustiqueCommand('moustique'), '-c', 'm.conf', '--strict'], { cwd: dir });
  if (line.startsWith('user') && process.getuid?.() !== 0) return;
  expect(ended.stderr.split('\n').map((text) => text.replace(/^\d+: /, ''))).toContain(
    message.replaceAll('{dir}', dir),
  );
  expect(ended.status).toBe(status);
});
