import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { serviceManager } from './systemd.ts';

let directory = '';
let command = '';
let clock = new VirtualClock();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'systemd-'));
  command = join(directory, 'systemd-notify');
  clock = new VirtualClock();
  writeFileSync(command, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${directory}/sent\n`);
  chmodSync(command, 0o755);
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Messages sent so far, once there are `count`. */
async function sent(count: number): Promise<readonly string[]> {
  const file = join(directory, 'sent');
  for (;;) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    if (lines.length >= count) return lines;
    await setTimeout(5);
  }
}

test('tells that the broker is ready, alive and stopping', async () => {
  const env = { NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '180000000', WATCHDOG_PID: '42', PATH: process.env['PATH'] };
  const manager = serviceManager({ env, clock, pid: 42, command });
  manager.ready();
  expect(await sent(1)).toEqual(['/run/n READY=1']);
  clock.advance(90_000); // half of three minutes
  expect((await sent(2))[1]).toBe('/run/n WATCHDOG=1');
  manager.stopping();
  expect((await sent(3))[2]).toBe('/run/n STOPPING=1');
  clock.advance(900_000);
  manager.stopping(); // the marker: nothing came between
  expect((await sent(4))[3]).toBe('/run/n STOPPING=1');
});

test('a watchdog of another process is not fed', async () => {
  const env = { NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '41', PATH: process.env['PATH'] };
  const manager = serviceManager({ env, clock, pid: 42, command });
  manager.ready();
  await sent(1);
  clock.advance(10_000);
  manager.stopping();
  expect(await sent(2)).toEqual(['/run/n READY=1', '/run/n STOPPING=1']);
});

test('without systemd, or without its program, nothing happens', () => {
  const nobody = serviceManager({ env: {}, clock, pid: 42, command });
  nobody.ready();
  nobody.stopping();
  const missing = serviceManager({ env: { NOTIFY_SOCKET: '/run/n' }, clock, pid: 42, command: join(directory, 'no') });
  missing.ready();
  missing.stopping();
});
