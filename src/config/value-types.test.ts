import { describe, expect, test } from 'vitest';
import { bridgeAddresses, bridgeTopics, restartTimeout, tcpKeepalive } from './bridge-types.ts';
import { persistenceSync, sessionDuration } from './duration-types.ts';
import { protocolVersions, textList } from './listener-types.ts';
import { logDestinations } from './logging-types.ts';
import { isLegalText, OptionText } from './option.ts';
import { listenerName } from './reload-diff.ts';
import { listed, strtol } from './value-types.ts';

test.each([
  ['0', 0],
  ['10', 10],
  ['+5', 5],
  ['-1', -1],
  ['-0', 0],
  ['0x1F', 31],
  ['0X0', 0],
  ['010', 8],
  ['-017', -15],
  ['\t7', 7], // strtol skips blanks in front
  ['08', undefined], // the octal number ends before the 8
  ['0x', undefined],
  ['5s', undefined],
  ['1.5', undefined],
  ['1e3', undefined],
  ['7\t', undefined],
  ['', undefined],
  ['--1', undefined],
])('strtol reads %j as %j', (word, value) => {
  expect(strtol(word)).toBe(value);
});

test.each([
  ['plain', true],
  ['é 漢 😀', true],
  ['', true],
  ['a\tb', false],
  ['a\u007f', false],
  ['a\u0085', false],
  ['\ud800', false], // half of a pair
  ['\ufdd0', false],
  ['\uffff', false],
  ['\u{1fffe}', false],
])('%j is legal text: %j', (text, isLegal) => {
  expect(isLegalText(text)).toBe(isLegal);
});

test('words are separated by spaces and nothing else', () => {
  expect(new OptionText('  a\tb   c ').words()).toEqual(['a\tb', 'c']);
});

test('words for people', () => {
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a or b',
    'a, b or c',
  ]);
  expect([
    listenerName({ path: null, host: null, port: 1 }),
    listenerName({ path: null, host: '::1', port: 1 }),
    listenerName({ path: '/s', host: null, port: 0 }),
  ]).toEqual(['port 1', 'port 1 on ::1', '/s']);
});

describe('values of the library', () => {
  test.each([
    ['addresses', bridgeAddresses(), [{ host: 'h', port: 1 }], [{ host: 'h', port: 1 }]],
    [
      'topics',
      bridgeTopics(),
      [{ pattern: '#' }],
      [{ pattern: '#', direction: 'out', qos: 0, localPrefix: '', remotePrefix: '' }],
    ],
    ['a restart time', restartTimeout(), { baseSeconds: 3 }, { baseSeconds: 3, capSeconds: null, stableSeconds: 0 }],
    [
      'TCP keep alive',
      tcpKeepalive(),
      { idleSeconds: 1, intervalSeconds: 2, probes: 3 },
      { idleSeconds: 1, intervalSeconds: 2, probes: 3 },
    ],
    ['a duration', sessionDuration(), 60, 60],
    ['a level of durability', persistenceSync(), { intervalMs: 5 }, { intervalMs: 5 }],
    ['log destinations', logDestinations(), ['topic', { file: 'f' }], ['topic', { file: 'f' }]],
    ['protocol versions', protocolVersions(), [5, 3], [3, 5]],
    ['texts', textList('origin'), ['a', 'b'], ['a', 'b']],
  ])('%s', (_, type, given, value) => {
    expect(type.accept(given)).toEqual(value);
  });

  test.each([
    [bridgeAddresses(), [], 'expected array of { host, port }, got an array'],
    [bridgeTopics(), {}, 'expected array of { pattern, direction?, qos?, … }, got an object'],
    [bridgeTopics(), [7], 'expected { pattern, direction?, qos?, … }, got 7'],
    [bridgeTopics(), [{}], 'expected pattern as text, got undefined'],
    [bridgeTopics(), [{ pattern: 'a', direction: 'up' }], `expected direction 'out', 'in' or 'both', got "up"`],
    [bridgeTopics(), [{ pattern: 'a', qos: 3 }], 'expected qos 0, 1 or 2, got 3'],
    [bridgeTopics(), [{ pattern: 'a', localPrefix: 1 }], 'expected localPrefix as text, got 1'],
    [bridgeTopics(), [{ pattern: 'a', remotePrefix: [] }], 'expected remotePrefix as text, got an array'],
    [bridgeTopics(), [{ pattern: 'a#' }], "Invalid bridge topic local prefix and pattern combination 'a#'."],
    [restartTimeout(), 5, 'expected { baseSeconds, capSeconds, … }, got 5'],
    [restartTimeout(), { baseSeconds: 0 }, 'expected baseSeconds 1..3600, got 0'],
    [restartTimeout(), { baseSeconds: 9, capSeconds: 8 }, 'backoff cap is lower than the base in restart_timeout.'],
    [restartTimeout(), { baseSeconds: 9, capSeconds: 9000 }, 'expected capSeconds 1..7200, got 9000'],
    [restartTimeout(), { baseSeconds: 9, stableSeconds: -1 }, 'expected stableSeconds from 0, got -1'],
    [tcpKeepalive(), null, 'expected { idleSeconds, intervalSeconds, probes }, got null'],
    [tcpKeepalive(), { idleSeconds: 1 }, 'expected integer from 1, got undefined'],
    [sessionDuration(), '1d', 'expected positive number of seconds, got "1d"'],
    [persistenceSync(), { intervalMs: 0 }, "expected 'commit', 'os' or { intervalMs: 1..60000 }, got an object"],
    [logDestinations(), 'stdout', 'expected array of stdout, stderr, syslog, topic, dlt or { file }, got "stdout"'],
    [logDestinations(), [{}], "expected stdout, stderr, syslog, topic, dlt or { file: 'PATH' }, got an object"],
    [protocolVersions(), [], 'expected list of 3, 4 and 5, got an array'],
    [protocolVersions(), [4, 6], 'expected list of 3, 4 and 5, got "4, 6"'],
    [textList('origin'), ['a', ''], 'expected array of origin, got an array'],
  ])('%# wrong ones', (type, given, message) => {
    expect(() => type.accept(given)).toThrow(message);
  });
});
