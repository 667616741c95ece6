import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientOptions } from './client-options.ts';
import { parseOptionsFile } from './options-file.ts';
import { parseOptions } from './parse-options.ts';
import type { Tool, ToolOptions } from './tool-options.ts';
import { UsageError } from './usage-error.ts';

const bytesOf = (value: string) => Buffer.from(value);

function parse(tool: Tool, words: readonly string[], environment: Readonly<Record<string, string>> = {}): ToolOptions {
  const request = parseOptions(tool, words, { environment, bytesOf });
  if (request.wants !== 'run') throw new Error(`it wants ${request.wants}`);
  return request.options;
}

describe('the command line', () => {
  test('later options override', () => {
    expect(parse('pub', ['-q', '1', '-q', '2', '-h', 'a', '-h', 'b'])).toMatchObject({ qos: 2, host: 'b' });
  });

  test('the word behind an option is its argument, whatever it looks like', () => {
    expect(parse('pub', ['-m', '-5']).source).toEqual({ from: 'argument', payload: Buffer.from('-5') });
    expect(parse('pub', ['-t', '--help']).topics).toEqual(['--help']);
  });

  test('an option and its argument are two words, and switches do not combine', () => {
    expect(() => parse('pub', ['-p1883'])).toThrow("Error: Unknown option '-p1883'.");
    expect(() => parse('sub', ['-dv'])).toThrow("Error: Unknown option '-dv'.");
  });

  test('--help and --version end the reading', () => {
    expect(parseOptions('pub', ['--help', '--bogus'], { environment: {}, bytesOf })).toEqual({ wants: 'help' });
    expect(() => parseOptions('pub', ['--bogus', '--help'], { environment: {}, bytesOf })).toThrow(UsageError);
  });

  test('-x and -D ask for MQTT 5.0, and -V after them for another version', () => {
    expect(parse('pub', ['-x', '10']).protocolVersion).toBe(5);
    expect(parse('pub', ['-D', 'publish', 'content-type', 'a']).protocolVersion).toBe(5);
    expect(parse('pub', ['-D', 'publish', 'content-type', 'a', '-V', '311']).protocolVersion).toBe(4);
  });

  test('-D takes as many words as the property needs', () => {
    const { properties, qos } = parse('pub', [
      ...['-D', 'publish', 'user-property', 'a', 'b', '-D', 'publish', 'content-type', 'c'],
      ...['-D', 'publish', 'user-property', '-q', '1', '-q', '2'],
    ]);
    expect(properties.publish.collection.values).toEqual({
      userProperties: [
        ['a', 'b'],
        ['-q', '1'],
      ],
      contentType: 'c',
    });
    expect(qos).toBe(2);
  });

  test('port 8883 alone turns TLS on, other trust wins', () => {
    expect(parse('pub', ['-p', '8883']).tls.useOsCertificates).toBe(true);
    expect(parse('pub', ['-p', '8883', '--cafile', 'f']).tls.useOsCertificates).toBe(false);
    expect(parse('pub', ['-p', '8884']).tls.useOsCertificates).toBe(false);
  });

  test('every flag belongs to one row per tool', () => {
    for (const tool of ['pub', 'sub', 'rr', 'ctrl'] as const) {
      const flags = clientOptions.filter((row) => row.tools.includes(tool)).flatMap((row) => row.flags);
      expect(new Set(flags).size).toBe(flags.length);
    }
  });

  test('every option that takes an argument says what is missing', () => {
    for (const row of clientOptions) {
      if (row.argument !== undefined && !row.isProperty) expect(row.missing, row.flags[0]).toBeDefined();
    }
  });
});

describe('options files', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'moustique-options-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('a line is an option and the rest of the line', () => {
    expect(parseOptionsFile('# comment\n\n-p 1883\r\n-d\n-m  two  blanks \n #x y')).toEqual([
      ['-p', '1883'],
      ['-d'],
      ['-m', ' two  blanks '],
      ['', '#x y'],
    ]);
  });

  test('are found by XDG_CONFIG_HOME or HOME, ours before Mosquitto’s, and come before the command line', () => {
    writeFileSync(join(dir, 'mosquitto_pub'), '-h theirs\n-q 1\n');
    expect(parse('pub', ['-q', '2'], { XDG_CONFIG_HOME: dir })).toMatchObject({ host: 'theirs', qos: 2 });
    writeFileSync(join(dir, 'moustique_pub'), '-h ours\n');
    expect(parse('pub', [], { XDG_CONFIG_HOME: dir })).toMatchObject({ host: 'ours', qos: 0 });
    expect(parse('pub', [], { HOME: dir }).host).toBeUndefined();
  });

  test('-o names another one; a missing one is none', () => {
    writeFileSync(join(dir, 'mosquitto_pub'), '-h usual\n');
    writeFileSync(join(dir, 'other'), '-h other\n');
    const environment = { XDG_CONFIG_HOME: dir };
    expect(parse('pub', ['-o', join(dir, 'other')], environment).host).toBe('other');
    expect(parse('pub', ['-m', '-o', '-o', join(dir, 'other')], environment).host).toBe('other');
    expect(parse('pub', ['-o', join(dir, 'none')], environment).host).toBeUndefined();
  });

  test('may hold properties', () => {
    writeFileSync(
      join(dir, 'o'),
      '-D publish content-type text/plain; charset=x\n--property publish user-property k a value\n',
    );
    const { properties } = parse('pub', ['-o', join(dir, 'o')]);
    expect(properties.publish.collection.values).toEqual({
      contentType: 'text/plain; charset=x',
      userProperties: [['k', 'a value']],
    });
  });
});

describe('-L', () => {
  test.each([
    ['mqtt://h/t', { carrier: 'tcp', host: 'h', port: 1883, topics: ['t'] }],
    ['mqtts://h/t', { carrier: 'tcp', host: 'h', port: 8883, topics: ['t'] }],
    ['ws://h/t', { carrier: 'websocket', host: 'h', port: 1883, topics: ['t'] }],
    ['wss://h:443/t', { carrier: 'websocket', host: 'h', port: 443, topics: ['t'] }],
    ['mqtt://u:p@h:1/a/b', { host: 'h', port: 1, username: 'u', password: Buffer.from('p'), topics: ['a/b'] }],
    ['mqtt://u@h/t', { username: 'u', host: 'h' }],
    ['mqtt://[::1]:5/t', { host: '::1', port: 5 }],
    ['mqtt://[fe80::1%25eth0]/t', { host: 'fe80::1%eth0', port: 1883 }],
    ['mqtt://u%40x:p%3Aq%2F@h/a%20b%', { username: 'u@x', password: Buffer.from('p:q/'), topics: ['a b%'] }],
  ])('%s', (url, expected) => {
    expect(parse('pub', ['-L', url])).toMatchObject(expected);
  });

  test('mqtts and wss use the authorities of the system', () => {
    expect(parse('pub', ['-L', 'mqtts://h/t']).tls.useOsCertificates).toBe(true);
    expect(parse('pub', ['-L', 'mqtt://h/t']).tls.useOsCertificates).toBe(false);
  });
});
