import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSecurityFile, SecurityFileError } from './security-file.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'moustique-security-file-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, mode: number, content = 'content\n'): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const read = (path: string, allowSymlinks = false) =>
  readSecurityFile(path, { cannotOpen: `Error: Unable to open "${path}".`, allowSymlinks });

/** The lines and status of a refusal. */
function refusal(path: string, allowSymlinks = false): readonly [readonly string[], number] {
  try {
    read(path, allowSymlinks);
  } catch (error) {
    if (error instanceof SecurityFileError) return [error.lines, error.exitCode];
    throw error;
  }
  throw new Error(`${path} was read`);
}

test('a file of its own that nobody else may read is read without a word', () => {
  expect(read(file('passwd', 0o600))).toEqual({ content: 'content\n', warnings: [] });
  expect(read(file('group', 0o640)).warnings).toEqual([]);
});

test('a file that everybody may read is read with a warning of Mosquitto', () => {
  const path = file('passwd', 0o644);
  expect(read(path)).toEqual({
    content: 'content\n',
    warnings: [
      `Warning: File ${path} has world readable permissions. Future versions will refuse to load this file.`,
      `To fix this, use \`chmod 0700 ${path}\`.`,
    ],
  });
});

test('a file that everybody may write is refused', () => {
  const path = file('passwd', 0o602);
  expect(refusal(path)).toEqual([
    [
      `Error: Unable to open "${path}".`,
      `Error: ${path}: anyone on this machine may write to it. To fix this, use \`chmod o-w ${path}\`.`,
    ],
    13,
  ]);
});

test('a symbolic link is refused unless it is allowed', () => {
  const link = join(dir, 'link');
  symlinkSync(file('passwd', 0o600), link);
  const [lines, status] = refusal(link);
  expect(lines[0]).toBe(`Error: Unable to open "${link}".`);
  expect(lines[1]).toMatch(/symbolic link.*MOSQUITTO_UNSAFE_ALLOW_SYMLINKS/);
  expect(status).toBe(13);
  expect(read(link, true).content).toBe('content\n');
});

test('what is no file is refused', () => {
  mkdirSync(join(dir, 'folder'));
  expect(refusal(join(dir, 'folder'))[0][1]).toBe(`Error: ${join(dir, 'folder')} is not a file.`);
  expect(refusal('/dev/null')[0][1]).toBe('Error: /dev/null is not a file.');
  expect(refusal(join(dir, 'missing'))[0][1]).toBe(`Error: ${join(dir, 'missing')}: No such file or directory.`);
});
