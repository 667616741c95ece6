import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { SyslogDestination } from './syslog-destination.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'syslog-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function destination(command: string, facility: number | null, reports: string[] = []): SyslogDestination {
  return new SyslogDestination(
    { ident: 'moustique', facility, pid: 42, command },
    { clock: systemClock(), stamp: (line) => line, report: (line) => reports.push(line) },
  );
}

test('feeds logger with facility and level in front of each line', async () => {
  const command = join(directory, 'logger');
  writeFileSync(command, `#!/bin/sh\necho "$@" > ${directory}/arguments\ncat > ${directory}/input\n`);
  chmodSync(command, 0o755);
  const daemon = destination(command, null);
  daemon.write('error', 'an error');
  daemon.write('information', 'a fact');
  await daemon.close();
  expect(readFileSync(join(directory, 'arguments'), 'utf8')).toBe('--prio-prefix --tag=moustique --id=42\n');
  expect(readFileSync(join(directory, 'input'), 'utf8')).toBe('<27>an error\n<30>a fact\n'); // daemon is 3 * 8

  const local = destination(command, 7);
  local.write('debug', 'd');
  await local.close();
  expect(readFileSync(join(directory, 'input'), 'utf8')).toBe('<191>d\n'); // local7 is 23 * 8
});

test('tells once when the program is not there', async () => {
  const reports: string[] = [];
  const missing = destination(join(directory, 'nothing'), null, reports);
  missing.write('error', 'lost');
  while (reports.length === 0) await setImmediate();
  missing.write('error', 'lost too');
  await missing.close();
  expect(reports).toEqual(['Error: Unable to write to syslog: the program logger ended (ENOENT).']);
});
