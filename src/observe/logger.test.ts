import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import type { LogType } from '../contracts/logger.ts';
import { BrokerLogger, type LogSettings, lineBytesMax } from './logger.ts';
import type { PublishTextOptions } from './publish-text.ts';

const usual: readonly LogType[] = ['error', 'warning', 'notice', 'information'];
const every: readonly LogType[] = [...usual, 'debug', 'subscribe', 'unsubscribe', 'internal', 'websockets'];
const startMs = 1_800_000_000_000;
let directory = '';
let file = '';
let clock = new VirtualClock(startMs);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'logger-'));
  file = join(directory, 'log');
  clock = new VirtualClock(startMs);
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function open(settings: Partial<LogSettings> = {}, allowSymlinks = false): BrokerLogger {
  return new BrokerLogger(
    { types: usual, targets: [{ file }], timestamp: 'epoch', syslogFacility: null, ...settings },
    { clock, pid: 42, ident: 'moustique', allowSymlinks },
  );
}

test('writes seconds since 1970 in front of a line, to a file that only its owner reads', async () => {
  const logger = open();
  logger.log('notice', 'New connection');
  clock.advance(2_500);
  logger.log('information', 'two seconds later');
  logger.log('debug', 'not asked for');
  expect(logger.enabled('debug')).toBe(false);
  expect(logger.enabled('notice')).toBe(true);
  await logger.close();
  expect(readFileSync(file, 'utf8')).toBe('1800000000: New connection\n1800000002: two seconds later\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(logger.enabled('notice')).toBe(false);
});

test('formats the time as asked, or leaves it out', async () => {
  const formatted = open({ timestamp: { format: '%Y/%s' } });
  formatted.log('notice', 'a');
  await formatted.close();
  const empty = open({ timestamp: { format: '' } });
  empty.log('notice', 'b');
  await empty.close();
  const bare = open({ timestamp: 'none' });
  bare.log('notice', 'c');
  await bare.close();
  expect(readFileSync(file, 'utf8')).toBe('2027/1800000000: a\nTime error: b\nc\n');
});

test('a line cannot forge another one, and is at most 999 bytes long', async () => {
  const logger = open();
  logger.log('notice', 'New client connected as a\n1800000000: forged');
  logger.log('notice', '\tindented\t!');
  logger.log('notice', 'é'.repeat(2_000));
  await logger.close();
  const lines = readFileSync(file, 'utf8').split('\n');
  expect(lines.slice(0, 2)).toEqual([
    '1800000000: New client connected as a\\n1800000000: forged',
    '1800000000: \tindented\\t!',
  ]);
  expect(Buffer.byteLength(lines[2] ?? '')).toBe(lineBytesMax - 1); // 12 bytes of time, then whole letters
  expect(lines).toHaveLength(4);
});

test('after the file was moved away, reopening begins a new one', async () => {
  const logger = open();
  logger.log('notice', 'old');
  renameSync(file, `${file}.1`);
  logger.log('notice', 'still old');
  logger.reopen();
  logger.log('notice', 'new');
  await logger.close();
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('1800000000: old\n1800000000: still old\n');
  expect(readFileSync(file, 'utf8')).toBe('1800000000: new\n');
});

test('a symbolic link is refused unless allowed, and the other destinations are told', async () => {
  const link = join(directory, 'link');
  symlinkSync(join(directory, 'target'), link);
  // The refused file is replaced by standard error, so this test prints two lines there.
  const refused = open({ targets: [{ file }, { file: link }] });
  refused.log('notice', 'after');
  await refused.close();
  expect(existsSync(join(directory, 'target'))).toBe(false);
  expect(readFileSync(file, 'utf8')).toBe(
    `1800000000: Error: Unable to open log file ${link} for writing.\n1800000000: after\n`,
  );

  const allowed = open({ targets: [{ file: link }] }, true);
  allowed.log('notice', 'through the link');
  await allowed.close();
  expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('1800000000: through the link\n');
});

test('publishes lines on their topics, those from before the broker ran too', () => {
  const published: [string, string, PublishTextOptions][] = [];
  const logger = open({ types: every, targets: ['topic'], timestamp: 'none' });
  logger.log('information', 'starting');
  logger.attachTopics((topicName, payload, options) => {
    published.push([topicName, payload, options]);
    logger.log('notice', 'about the publishing itself'); // must not go round
  });
  logger.log('error', 'e');
  logger.log('warning', 'w');
  logger.log('debug', 'never published');
  logger.log('subscribe', 'c 1 a/#');
  logger.log('unsubscribe', 'c a/#');
  expect(published).toEqual([]); // not in the middle of the caller's work
  clock.advance(1);
  const options = { qos: 2, retain: false, expirySeconds: 20 };
  expect(published).toEqual([
    ['$SYS/broker/log/I', 'starting', options],
    ['$SYS/broker/log/E', 'e', options],
    ['$SYS/broker/log/W', 'w', options],
    ['$SYS/broker/log/M/subscribe', 'c 1 a/#', options],
    ['$SYS/broker/log/M/unsubscribe', 'c a/#', options],
  ]);
  expect(logger.enabled('debug')).toBe(false);
  expect(logger.enabled('notice')).toBe(true);
});

test('a topic destination that a reload brings is attached too', () => {
  const published: string[] = [];
  const settings: LogSettings = { types: usual, targets: [], timestamp: 'none', syslogFacility: null };
  const logger = open(settings);
  expect(logger.enabled('error')).toBe(false); // log_dest none
  logger.attachTopics((_topicName, payload) => published.push(payload));
  logger.reopen({ ...settings, targets: ['topic'] });
  logger.log('error', 'now');
  clock.advance(1);
  expect(published).toEqual(['now']);
});
