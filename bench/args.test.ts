import { describe, expect, test } from 'vitest';
import { parseArgs as parse } from './args.ts';

const parseArgs = (args: readonly string[]) => parse(args, '/repository');

test('without arguments: three rounds of three seconds', () => {
  const options = parseArgs([]);
  expect(options).toMatchObject({ rounds: 3, windowMs: 3000, warmupMs: 1000, payloadBytes: 64, level: 4 });
  expect(options).toMatchObject({ only: [], set: 'core', baseline: 'mosquitto' });
});

test('values may follow or stand behind =', () => {
  expect(parseArgs(['--rounds', '5', '--seconds=0.5', '--mqtt5'])).toMatchObject({
    rounds: 5,
    windowMs: 500,
    level: 5,
  });
});

test('--quick is one short round, and can be adjusted', () => {
  expect(parseArgs(['--quick'])).toMatchObject({ rounds: 1, windowMs: 1000 });
  expect(parseArgs(['--quick', '--rounds', '2'])).toMatchObject({ rounds: 2, windowMs: 1000 });
});

test('--guard is two short rounds against what is recorded', () => {
  const expected = { set: 'guard', rounds: 2, brokers: ['moustique', 'moustique-open', 'mosquitto'] };
  expect(parseArgs(['--guard'])).toMatchObject({ ...expected, checkFile: '/repository/bench/recorded/results.json' });
});

test('lists can be given at once or one by one', () => {
  expect(parseArgs(['--only', 'a,b', '--only', 'c']).only).toEqual(['a', 'b', 'c']);
});

test('--broker keeps the = of its command', () => {
  const expected = [{ name: 'mine', command: '/bin/mine --port={port}' }];
  expect(parseArgs(['--broker', 'mine=/bin/mine --port={port}']).custom).toEqual(expected);
  expect(parseArgs(['--broker=mine=/bin/mine --port={port}']).custom).toEqual(expected);
});

describe('refuses, naming the option', () => {
  test.each([
    [['--fast'], /unknown option --fast/],
    [['--rounds'], /--rounds needs a value/],
    [['--rounds', 'many'], /--rounds many/],
    [['--payload', '8'], /at least 16/],
    [['--broker', 'mine'], /NAME=COMMAND/],
  ])('%j', (args, message) => {
    expect(() => parseArgs(args)).toThrow(message);
  });
});
