import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, VirtualClock } from '../base/clock.ts';
import { LineWriter, pendingBytesMax } from './line-writer.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'line-writer-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function unexpected(error: Error): void {
  throw error;
}

test('writes lines in order and closes the descriptor', async () => {
  const path = join(directory, 'log');
  const writer = new LineWriter(openSync(path, 'a'), {
    clock: systemClock(),
    ownsDescriptor: true,
    lossNotice: () => 'lost',
    onFailure: unexpected,
  });
  const expected: string[] = [];
  for (let index = 0; index < 5_000; index++) {
    writer.write(`line ${index}`);
    expected.push(`line ${index}\n`);
    if (index % 1_000 === 0) await setImmediate();
  }
  await writer.close();
  writer.write('too late');
  expect(readFileSync(path, 'utf8')).toBe(expected.join(''));
});

test('writes at once when the process is about to end', () => {
  const path = join(directory, 'log');
  const fd = openSync(path, 'a');
  const writer = new LineWriter(fd, {
    clock: systemClock(),
    ownsDescriptor: true,
    lossNotice: () => 'lost',
    onFailure: unexpected,
  });
  writer.write('first'); // under way in the thread pool
  writer.write('second');
  writer.flushNow();
  expect(readFileSync(path, 'utf8')).toContain('second\n');
});

test('loses lines, and says how many, when nobody reads', async () => {
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const clock = systemClock();
  let failures = 0;
  const writer = new LineWriter(fd, {
    clock,
    ownsDescriptor: false,
    lossNotice: (count) => `${count} lost`,
    onFailure: () => failures++,
  });
  const line = 'x'.repeat(1023); // 1 KiB with its end; the pipe holds 64 of them
  const lines = pendingBytesMax / 1024 + 1_000;
  for (let index = 0; index < lines; index++) writer.write(line);

  const buffer = Buffer.alloc(65_536);
  let text = '';
  while (!/^\d+ lost$/m.test(text)) {
    let count = 0;
    try {
      count = readSync(fd, buffer);
    } catch {
      await setImmediate(); // the pipe is empty for the moment
    }
    text += buffer.toString('latin1', 0, count);
    // A line written after the loss brings the notice with it.
    if (text.length > pendingBytesMax / 2) writer.write('after');
  }
  const lost = Number(/^(\d+) lost$/m.exec(text)?.[1]);
  const arrived = text.split('\n').filter((entry) => entry === line).length;
  expect(arrived + lost).toBe(lines);
  expect(failures).toBe(0);
  await writer.close();
  closeSync(fd);
});

test('tells once that a descriptor refuses', async () => {
  const fd = openSync('/dev/full', 'w');
  const failed: string[] = [];
  const writer = new LineWriter(fd, {
    clock: new VirtualClock(),
    ownsDescriptor: true,
    lossNotice: () => 'lost',
    onFailure: (error) => failed.push(error.code ?? ''),
  });
  writer.write('one');
  while (failed.length === 0) await setImmediate();
  writer.write('two');
  await writer.close();
  expect(failed).toEqual(['ENOSPC']);
});
