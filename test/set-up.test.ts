import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from './harness/repository.ts';
import { useResources } from './harness/resources.ts';
import { type Finished, runToEnd } from './harness/running-process.ts';
import { tempDir } from './harness/temp-dir.ts';

const isRoot = process.getuid?.() === 0;

describe('Debian packages for the tests', () => {
  const resources = useResources();

  /** Look for the packages on a machine that has only Node and an apt-get that notes how it was called. */
  async function setUp(ci: 'true' | undefined, index = ''): Promise<Finished & { calls: string[] }> {
    const dir = tempDir(resources);
    const calls = join(dir, 'calls');
    writeFileSync(calls, '');
    symlinkSync(process.execPath, join(dir, 'node'));
    writeFileSync(join(dir, 'apt-get'), `#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> ${calls}\n`);
    chmodSync(join(dir, 'apt-get'), 0o755);
    if (index !== '') {
      writeFileSync(join(dir, 'apt-cache'), `#!/bin/sh\necho "$2:"\necho "  Candidate: ${index}"\n`);
      chmodSync(join(dir, 'apt-cache'), 0o755);
    }
    const script = "await (await import('./scripts/setup.mjs')).ensureDebianPackages();";
    const result = await runToEnd([join(dir, 'node'), '--input-type=module', '-e', script], {
      cwd: repositoryRoot,
      env: { PATH: dir, CI: ci },
    });
    return { ...result, calls: readFileSync(calls, 'utf8').trim().split('\n').filter(Boolean) };
  }

  test('what is missing is named with the line that installs it', async () => {
    const { status, stdout } = await setUp(undefined);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {4}sudo apt-get install (?:mosquitto )?mosquitto-clients chromium openssl$/m);
    expect(stdout).toContain('Tests that need them are skipped.');
  });

  test.each([
    ['1.6.7~rc0-1', /chromium openssl influxdb$/m],
    ['(none)', /chromium openssl$/m],
  ])('what is not in every release is asked for where the index has it: %s', async (index, line) => {
    const { stdout, calls } = await setUp(undefined, index);
    expect(stdout).toMatch(line);
    if (isRoot) expect(calls.at(-1)).toMatch(line);
  });

  test('under CI=true that is an error', async () => {
    const { status, stderr } = await setUp('true');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/missing Debian packages: .*chromium/);
  });

  test(isRoot ? 'root installs it, and says so' : 'who is not root installs nothing', async () => {
    const { calls, stdout } = await setUp(undefined);
    expect(stdout.includes('Installing Debian packages for the tests (apt-get install): ')).toBe(isRoot);
    const install = /^noninteractive .* install -y --no-install-recommends .*mosquitto-clients chromium openssl$/;
    const expected = [expect.stringMatching(/^noninteractive .* update$/), expect.stringMatching(install)];
    expect(calls).toEqual(isRoot ? expected : []);
  });
});
