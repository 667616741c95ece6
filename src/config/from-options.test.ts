import { describe, expect, expectTypeOf, test } from 'vitest';
import type { GlobalConfig, ListenerConfig } from './config.ts';
import { ConfigErrors } from './config-error.ts';
import { type BrokerOptions, configFromOptions, loadOptions } from './from-options.ts';
import { defaultConfig } from './load-config.ts';
import { type CamelCase, camelCase } from './option.ts';

/** What is wrong with options that the compiler would not let pass. */
function complaints(options: unknown): readonly string[] {
  try {
    configFromOptions(options as BrokerOptions);
    return [];
  } catch (error) {
    if (error instanceof ConfigErrors) return error.errors.map(({ message }) => message);
    throw error;
  }
}

test('no options are the default configuration', () => {
  expect(configFromOptions({})).toEqual(defaultConfig());
});

test('options of all kinds find their place', () => {
  const config = configFromOptions({
    allowAnonymous: true,
    maxInflightMessages: 100,
    logDest: ['stdout', { file: 'm.log' }],
    logType: ['debug', 'error'],
    persistentClientExpiration: 3600,
    listeners: [
      { port: 1883, host: '127.0.0.1', protocol: 'websockets' },
      { path: '/run/m.sock', maxQos: 1, allowAnonymous: false, passwordFile: 'pw' },
      {},
    ],
  });
  expect(config.global).toMatchObject({
    maxInflightMessages: 100,
    logDest: ['stdout', { file: 'm.log' }],
    logType: ['error', 'debug'],
    persistentClientExpiration: 3600,
  });
  expect(config.listeners).toMatchObject([
    { kind: 'configured', port: 1883, host: '127.0.0.1', path: null, protocol: 'websockets', allowAnonymous: true },
    { port: 0, host: null, path: '/run/m.sock', maxQos: 1, allowAnonymous: false, passwordFile: 'pw' },
    { port: 1883, host: null, path: null, allowAnonymous: true, passwordFile: null },
  ]);
  expect(config.localOnly).toBe(false);
});

test('an empty array of listeners is none; port 0 is any free port', () => {
  expect(configFromOptions({ listeners: [] })).toMatchObject({ listeners: [], localOnly: false });
  expect(configFromOptions({ listeners: [{ port: 0 }] }).listeners[0]).toMatchObject({ port: 0, path: null });
});

test('undefined and null mean the default', () => {
  expect(configFromOptions({ maxKeepalive: undefined, passwordFile: null })).toEqual(defaultConfig());
});

test('what the operator should know is told in the names of the library', () => {
  const advice = 'give authenticate, a passwordFile, or allowAnonymous: true';
  expect(loadOptions({ listeners: [{ port: 1884 }] }).warnings.map(({ text }) => text)).toEqual([
    `Warning: no client can connect on port 1884: ${advice}`,
  ]);
  expect(loadOptions({ allowAnonymous: true, listeners: [{ port: 1884 }] }).notices).toEqual([]);
});

describe('wrong options', () => {
  test.each([
    [{ alowAnonymous: true }, ['alowAnonymous: unknown option']],
    [{ allow_anonymous: true }, ['allow_anonymous: unknown option']],
    [{ perListenerSettings: true }, ['perListenerSettings: unknown option']],
    [{ includeDir: 'd' }, ['includeDir: unknown option']],
    [{ allowAnonymous: 'true' }, ['allowAnonymous: expected true or false, got "true"']],
    [{ maxKeepalive: 65_536 }, ['maxKeepalive: expected integer 0..65535, got 65536']],
    [{ maxKeepalive: Number.NaN }, ['maxKeepalive: expected integer 0..65535, got NaN']],
    [{ logType: 'all' }, [expect.stringMatching(/^logType: expected array of error, .*, got "all"$/)]],
    [{ listeners: {} }, ['listeners: expected an array, got an object']],
    [{ listeners: [7] }, ['listeners[0]: expected an object, got 7']],
    [{ listeners: [{}, { port: -1 }] }, ['listeners[1].port: expected integer 0..65535, got -1']],
    [
      { listeners: [{ maxQos: 3, mountPoint: 'a/#' }] },
      ['listeners[0].maxQos: expected integer 0..2, got 3', expect.stringContaining('wildcard')],
    ],
    [{ listeners: [{ path: '/s', port: 1 }] }, ['listeners[0].path: stands instead of port and host']],
    [
      { bridges: [{ address: [{ host: 'h', port: 0 }], topic: [{ pattern: '#' }] }] },
      ['bridges[0].address: expected array of { host, port }, got an array', 'bridges[0].name: is missing'],
    ],
    [{ plugins: [{ path: 'a', options: { x: 1 } }] }, ['plugins[0].options.x: expected text, got 1']],
    [null, ['expected an object, got null']],
    ['m.conf', ['expected an object, got "m.conf"']],
  ])('%j', (options, messages) => {
    expect(complaints(options)).toEqual(messages);
  });

  test('the nearest name is told', () => {
    expect(() => configFromOptions({ maxKeepAlive: 5 } as BrokerOptions)).toThrow(
      "Error: maxKeepAlive: unknown option\noptions: maxKeepAlive: did you mean 'maxKeepalive'?",
    );
  });

  test('members that every object has are no options', () => {
    expect(complaints(JSON.parse('{"__proto__": 1, "constructor": 2}'))).toEqual([
      '__proto__: unknown option',
      'constructor: unknown option',
    ]);
  });

  test('what cannot be honoured is refused, and rules between options hold', () => {
    expect(complaints({ listeners: [{ tlsEngine: 'e' }] })[0]).toMatch(
      /^The 'listeners\[0\].tlsEngine' option is not supported: /,
    );
    expect(complaints({ listeners: [{ certfile: 'c' }] })).toEqual([
      'Both certfile and keyfile must be provided to enable a TLS listener.',
    ]);
  });
});

describe('types', () => {
  test('follow from the table', () => {
    expectTypeOf<GlobalConfig['maxInflightMessages']>().toEqualTypeOf<number>();
    expectTypeOf<GlobalConfig['pidFile']>().toEqualTypeOf<string | null>();
    expectTypeOf<ListenerConfig['protocol']>().toEqualTypeOf<'mqtt' | 'websockets' | 'http_api'>();
    expectTypeOf<ListenerConfig['maxQos']>().toEqualTypeOf<0 | 1 | 2>();
    expectTypeOf<ListenerConfig['allowAnonymous']>().toEqualTypeOf<boolean>();
    expectTypeOf<ListenerConfig['acceptProtocolVersions']>().toEqualTypeOf<readonly (3 | 4 | 5)[]>();
    expectTypeOf<CamelCase<'ciphers_tls1.3'>>().toEqualTypeOf<'ciphersTls13'>();
    expect(camelCase('ciphers_tls1.3')).toBe('ciphersTls13');
  });

  test('reject wrong names and values', () => {
    // @ts-expect-error no such option
    expect(() => configFromOptions({ alowAnonymous: true })).toThrow(ConfigErrors);
    // @ts-expect-error a number is wanted
    expect(() => configFromOptions({ maxKeepalive: '60' })).toThrow(ConfigErrors);
    // @ts-expect-error no such protocol
    expect(() => configFromOptions({ listeners: [{ protocol: 'ws' }] })).toThrow(ConfigErrors);
    // @ts-expect-error a listener option, not one of the broker
    expect(() => configFromOptions({ maxQos: 1 })).toThrow(ConfigErrors);
  });
});
