import { describe, expect, test } from 'vitest';
import { ConfigErrors } from './config-error.ts';
import { defaultConfig, type LoadedConfig, type LoadOptions, parseConfigFile } from './load-config.ts';
import { memorySource } from './source.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

function load(main: string | Uint8Array, files: Files = {}, options: LoadOptions = {}): LoadedConfig {
  return parseConfigFile('m.conf', { source: memorySource({ ...files, 'm.conf': main }), ...options });
}

/** The lines that a broker prints before it ends, or [] when it starts. */
function refusal(main: string | Uint8Array, files: Files = {}, options: LoadOptions = {}): readonly string[] {
  try {
    load(main, files, options);
    return [];
  } catch (error) {
    if (error instanceof ConfigErrors) return error.lines;
    throw error;
  }
}

/** Listeners in short: port or path, address, protocol. */
function listeners(loaded: LoadedConfig): readonly string[] {
  return loaded.config.listeners.map(({ port, host, path, protocol }) => `${path ?? port} ${host ?? '*'} ${protocol}`);
}

const warnings = (loaded: LoadedConfig) => loaded.warnings.map(({ text }) => text);

describe('grammar', () => {
  test.each([
    ['a comment', '# port 1\nmax_qos 1\n'],
    ['empty lines and lines of spaces', '\n   \n\r\nmax_qos 1\n'],
    ['spaces before and between', '   max_qos    1\n'],
    ['a missing newline at the end', 'max_qos 1'],
    ['CR LF', '# comment\r\nmax_qos 1\r\n'],
    ['several CR', 'max_qos 1\r\r\n'],
    ['words behind a number', 'max_qos 1 # one\n'],
    ['a hexadecimal number', 'max_qos 0x1\n'],
    ['an octal number', 'max_qos 01\n'],
  ])('takes %s', (_, text) => {
    const { config } = load(`listener 1884\n${text}`);
    expect(config.listeners[0]?.maxQos).toBe(1);
    expect(config.listeners[0]?.origin['max_qos']?.file).toBe('m.conf');
  });

  test.each([
    ['an indented comment', '  # note', "Unknown configuration variable '#'."],
    ['a TAB before the name', '\tmax_qos 1', "Unknown configuration variable '\tmax_qos'."],
    ['a TAB for a separator', 'max_qos\t1', "Unknown configuration variable 'max_qos\t1'."],
    ['capitals', 'Max_qos 1', "Unknown configuration variable 'Max_qos'."],
    ['a control character in an address', 'listener 1885 local\u0001host', 'Malformed UTF-8 in configuration.'],
    ['a form feed', '\fmax_qos 1', "Unknown configuration variable '\\x0cmax_qos'."],
  ])('refuses %s', (_, line, message) => {
    expect(refusal(`listener 1884\n${line}\n`).slice(0, 2)).toEqual([`Error: ${message}`, 'Error found at m.conf:2.']);
  });

  test('texts keep inner spaces, quotes and comments; ends are trimmed', () => {
    const { config } = load('pid_file \t "my file"\t \r\n');
    expect(config.global.pidFile).toBe('"my file"');
  });

  test('bytes that are no UTF-8 are refused in texts, and harmless behind a number', () => {
    const bad = Buffer.from([0x61, 0xff]); // "a", then a byte that UTF-8 never has
    expect(refusal(Buffer.concat([Buffer.from('pid_file '), bad]))[0]).toBe('Error: Malformed UTF-8 in configuration.');
    expect(load(Buffer.concat([Buffer.from('max_queued_messages 5 # '), bad])).config.global.maxQueuedMessages).toBe(5);
  });

  test('a text has at most 65,535 bytes', () => {
    expect(load(`pid_file ${'x'.repeat(65_535)}`).config.global.pidFile).toHaveLength(65_535);
    expect(refusal(`pid_file ${'x'.repeat(65_536)}`)[0]).toBe('Error: Malformed UTF-8 in configuration.');
  });

  test('a NUL byte ends the file, with a warning', () => {
    const loaded = load('max_keepalive 60\nnonsense\0\nnonsense\n');
    expect(loaded.config.global.maxKeepalive).toBe(60);
    expect(warnings(loaded)).toEqual([
      'Warning: m.conf:2: a NUL byte ends the file: this line and those below are not read',
    ]);
  });

  test('a byte order mark is ignored with a warning, and in strict mode part of the first name', () => {
    const text = '\uFEFFmax_keepalive 60\n';
    expect(load(text).config.global.maxKeepalive).toBe(60);
    expect(warnings(load(text))[0]).toContain('m.conf:1: the file begins with a byte order mark');
    expect(refusal(text, {}, { strict: true })[0]).toContain('Unknown configuration variable');
  });
});

describe('repetition', () => {
  test.each([
    ['max_keepalive 1\nmax_keepalive 2', 'maxKeepalive', 2],
    ['persistence true\nretained_persistence false', 'persistence', false],
    ['user a\nuser b', 'user', 'b'],
    ['log_type debug\nlog_type error', 'logType', ['error', 'debug']],
    ['log_type all\nlog_type none\nlog_type error', 'logType', ['error']],
    ['log_dest stdout\nlog_dest stderr\nlog_dest stdout', 'logDest', ['stderr', 'stdout']],
    ['log_dest stdout\nlog_dest none', 'logDest', []],
  ] as const)('%j', (text, key, value) => {
    expect(load(text).config.global[key]).toEqual(value);
  });

  test.each(['pid_file', 'persistence_location', 'log_timestamp_format'])('a second %s is an error', (name) => {
    expect(refusal(`${name} a\n${name} b`)).toEqual([
      `Error: Duplicate '${name}' value in configuration.`,
      'Error found at m.conf:2.',
      `m.conf:2: ${name}: first given at m.conf:1`,
    ]);
  });

  test('a second log file is an error', () => {
    expect(refusal('log_dest file a\nlog_dest file b')[0]).toBe('Error: Duplicate "log_dest file" value.');
  });

  test('a text may be given once to each listener', () => {
    const { config } = load('listener 1\npsk_hint a\nlistener 2\npsk_hint b', {}, { acceptUnsupported: true });
    expect(config.listeners.map(({ pskHint }) => pskHint)).toEqual(['a', 'b']);
  });
});

describe('tutorial-style lines read as Mosquitto 2.1 reads them', () => {
  test.each([
    ['listener 1883 # all', ['1883 * mqtt']],
    ['listener 1883 127.0.0.1 # loopback', ['1883 127.0.0.1 mqtt']],
    ['listener 1883 0.0.0.0', ['1883 0.0.0.0 mqtt']],
    ['listener 1883 0', ['1883 0 mqtt']],
    ['listener 0 /run/m.sock', ['/run/m.sock * mqtt']],
    ['port 1883      # comment', ['1883 * mqtt']],
    ['protocol websockets\nport 1884', ['1884 * websockets']],
    ['protocol websockets\nlistener 9001', ['1883 * websockets', '9001 * mqtt']],
    ['max_connections 3\nlistener 9001', ['1883 * mqtt', '9001 * mqtt']],
    ['protocol websockets\nport 1883\nlistener 9001', ['1883 * websockets', '9001 * mqtt']],
    ['listener 1\nport 2\nprotocol websockets', ['1 * mqtt', '2 * websockets']],
    ['bind_address 127.0.0.1\nlistener 1\nport 2', ['2 127.0.0.1 mqtt', '1 * mqtt']],
    ['listener 1\nlistener 1', ['1 * mqtt', '1 * mqtt']],
  ])('%j opens %j', (text, opened) => {
    expect(listeners(load(text))).toEqual(opened);
  });

  test.each(['protocol websockets', 'allow_anonymous true', 'max_connections 3 # three', ''])(
    '%j alone is local-only mode',
    (text) => {
      const loaded = load(text);
      expect(loaded.config.localOnly).toBe(true);
      expect(listeners(loaded)).toEqual(['1883 127.0.0.1 mqtt', '1883 ::1 mqtt']);
    },
  );

  test.each([
    ['allow_anonymous true\t# c', "Error: Invalid 'allow_anonymous' value (true\t#)."],
    ['listener localhost', "Error: 'listener port' value not a number."],
    ['listener localhost 1883', "Error: 'listener port' value not a number."],
    ['listener 192.168.1.20', "Error: 'listener port' value not a number."],
    ['cafile x', "Error: The 'cafile' option requires a listener to be defined first."],
    ['store_clean_interval 10', "Error: Unknown configuration variable 'store_clean_interval'."],
    ['sys_interval 5s', "Error: 'sys_interval' value not a number."],
    ['include_dir /etc/conf.d # mine', "Error: Unable to open include_dir '/etc/conf.d # mine'."],
    ['include_dir /etc/conf.d ', "Error: Unable to open include_dir '/etc/conf.d '."],
    ['include_dir  /etc/conf.d', "Error: Unable to open include_dir ' /etc/conf.d'."],
  ])('strict: %j is refused', (text, message) => {
    const lines = refusal(text, { '/etc/conf.d/a.conf': '' }, { strict: true });
    expect(lines.slice(0, 2)).toEqual([message, 'Error found at m.conf:1.']);
  });

  test.each([
    ['password_file /p # c', 'passwordFile', '/p # c'],
    ['allow_anonymous false # c', 'allowAnonymous', false],
  ] as const)('strict: %j', (text, key, value) => {
    expect(load(text, {}, { strict: true }).config.security[key]).toBe(value);
  });

  test('strict: a file name takes the comment with it', () => {
    const { global } = load('log_dest file /l.log # c\npersistence_location /d/ # c', {}, { strict: true }).config;
    expect(global.logDest).toEqual([{ file: '/l.log # c' }]);
    expect(global.persistenceLocation).toBe('/d/ # c');
  });

  test('retry_interval and dhparamfile are warned of and change nothing', () => {
    const loaded = load('retry_interval\ndhparamfile\nwebsockets_log_level x\n');
    expect(warnings(loaded)).toEqual([
      "Warning: The 'retry_interval' option is no longer available.",
      'Warning: dhparamfile is no longer required.',
    ]);
    expect(loaded.config).toEqual({ ...defaultConfig(), file: 'm.conf', origin: loaded.config.origin });
  });
});

describe('lines whose meaning is beyond doubt', () => {
  test.each([
    [
      'include_dir /etc/conf.d # where my files are',
      'max_keepalive 7',
      (c: LoadedConfig) => c.config.global.maxKeepalive,
      7,
    ],
    ['include_dir /etc/conf.d  ', 'max_keepalive 7', (c: LoadedConfig) => c.config.global.maxKeepalive, 7],
    ['include_dir  /etc/conf.d', 'max_keepalive 7', (c: LoadedConfig) => c.config.global.maxKeepalive, 7],
    ['password_file /p # c', '', (c: LoadedConfig) => c.config.security.passwordFile, '/p'],
    ['pid_file /p\t# c', '', (c: LoadedConfig) => c.config.global.pidFile, '/p'],
    ['log_dest file /l.log # c', '', (c: LoadedConfig) => c.config.global.logDest, [{ file: '/l.log' }]],
    ['log_dest file /l.log  ', '', (c: LoadedConfig) => c.config.global.logDest, [{ file: '/l.log' }]],
    ['listener localhost # here', '', listeners, ['1883 localhost mqtt']],
    ['listener 192.168.1.20', '', listeners, ['1883 192.168.1.20 mqtt']],
    ['listener ::1', '', listeners, ['1883 ::1 mqtt']],
    ['listener localhost 9001 # web', '', listeners, ['9001 localhost mqtt']],
  ] as const)('%j', (line, included, of, value) => {
    const loaded = load(`${line}\nallow_anonymous true\n`, { '/etc/conf.d/a.conf': included });
    expect(of(loaded)).toEqual(value);
    expect(loaded.warnings.map(({ origin }) => origin)).toEqual([{ file: 'm.conf', line: 1 }]);
  });

  test('a name with # in it is taken as written when such a file exists', () => {
    const loaded = load('password_file /p # c\nallow_anonymous true', { '/p # c': '' });
    expect(loaded.config.security.passwordFile).toBe('/p # c');
    expect(loaded.warnings).toEqual([]);
  });

  test('a # within a word is no comment', () => {
    expect(load('password_file /p#c').config.security.passwordFile).toBe('/p#c');
  });

  test('a text that takes a comment with it is warned of', () => {
    const loaded = load('user root # c');
    expect(loaded.config.global.user).toBe('root # c');
    expect(warnings(loaded)).toEqual([
      'Warning: m.conf:1: user: the value is "root # c", including what follows the #',
    ]);
  });

  test.each(['listener @IP1', 'listener my.host 1883', 'listener 1883\t# c', 'listener localhost web'])(
    'not %j',
    (line) => {
      expect(refusal(line)[0]).toBe("Error: 'listener port' value not a number.");
    },
  );
});

describe('listeners', () => {
  test('options belong to the listener above them', () => {
    const { config } = load('listener 1\nmax_qos 0\nlistener 2\nmax_connections 5\n');
    const brief = config.listeners.map(({ port, maxQos, maxConnections }) => [port, maxQos, maxConnections]);
    expect(brief).toEqual([
      [1, 0, -1],
      [2, 2, 5],
    ]);
  });

  test('options before any listener make the default one and say so', () => {
    const loaded = load('allow_anonymous true\nmax_qos 1\nlistener 2\n');
    expect(loaded.notices.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      "information: Creating default listener due to 'max_qos' option.",
      "information: It is best practice to define a 'listener' first.",
    ]);
    expect(loaded.config.listeners.map(({ kind, maxQos }) => [kind, maxQos])).toEqual([
      ['default', 1],
      ['configured', 2],
    ]);
  });

  test('port and bind_address are told to be deprecated; a second port is warned of', () => {
    const loaded = load('allow_anonymous true\nport 1\nport 2\n');
    expect(listeners(loaded)).toEqual(['2 * mqtt']);
    expect(loaded.notices.map(({ text }) => text)).toContain(
      "The 'port' option is now deprecated and will be removed in version 3.0. Please use 'listener' instead.",
    );
    expect(warnings(loaded)).toEqual([
      'Warning: Default listener port specified multiple times. Only the latest will be used.',
    ]);
  });

  test('a second bind_address is an error', () => {
    expect(refusal('bind_address a\nbind_address b')[0]).toBe(
      "Error: Duplicate 'default listener bind_address' value in configuration.",
    );
  });

  test('options that local-only mode drops are warned of', () => {
    expect(warnings(load('protocol websockets'))).toEqual([
      "Warning: m.conf:1: 'protocol' has no effect in local only mode, write it below a listener",
    ]);
  });

  test('-p chooses the loopback ports, unless there is a listener', () => {
    expect(listeners(load('', {}, { ports: [2000, 2001] }))).toEqual([
      '2000 127.0.0.1 mqtt',
      '2000 ::1 mqtt',
      '2001 127.0.0.1 mqtt',
      '2001 ::1 mqtt',
    ]);
    expect(listeners(load('listener 1', {}, { ports: [2000] }))).toEqual(['1 * mqtt']);
    expect(defaultConfig({ ports: [2000] }).listeners.map(({ port }) => port)).toEqual([2000, 2000]);
  });

  test('a listener without any way in is warned of', () => {
    expect(warnings(load('listener 1883'))).toEqual([
      'Warning: m.conf:1: no client can connect on port 1883: give a password_file, or allow_anonymous true',
    ]);
    expect(load('listener 1883\npassword_file p').warnings).toEqual([]);
  });
});

describe('allow_anonymous', () => {
  test.each([
    ['', [true, true]],
    ['allow_anonymous false', [false, false]],
    ['listener 1', [false]],
    ['listener 1\nallow_anonymous true', [true]],
    ['allow_anonymous true\nlistener 1\nlistener 2\nlistener_allow_anonymous false', [true, false]],
    ['listener 1\nlistener_allow_anonymous true\nlistener 2', [true, false]],
  ])('%j', (text, anonymous) => {
    expect(load(text).config.listeners.map(({ allowAnonymous }) => allowAnonymous)).toEqual(anonymous);
  });
});

describe('per_listener_settings', () => {
  test('false: a security option below a listener holds for all', () => {
    const { config } = load('listener 1\npassword_file p\nlistener 2\nallow_anonymous true');
    expect(config.listeners.map(({ passwordFile, allowAnonymous }) => [passwordFile, allowAnonymous])).toEqual([
      ['p', true],
      ['p', true],
    ]);
    expect(config.security.passwordFile).toBe('p');
  });

  test('true: it holds for the listener above', () => {
    const { config } = load(
      'per_listener_settings true\nlistener 1\npassword_file p\nlistener 2\nallow_anonymous true',
    );
    expect(config.listeners.map(({ passwordFile, allowAnonymous }) => [passwordFile, allowAnonymous])).toEqual([
      ['p', false],
      [null, true],
    ]);
    expect(config.global.perListenerSettings).toBe(true);
  });

  test('true: a security option needs a listener', () => {
    expect(refusal('per_listener_settings true\npassword_file p')[0]).toBe(
      "Error: The 'password_file' option requires a listener to be defined first.",
    );
  });

  test('must stand before the security options, and stays true', () => {
    expect(refusal('allow_anonymous true\nper_listener_settings true')[0]).toBe(
      'Error: per_listener_settings must be set before any other security settings.',
    );
    expect(load('allow_anonymous true\nper_listener_settings false').config.global.perListenerSettings).toBe(false);
    expect(load('per_listener_settings true\nper_listener_settings 0').config.global.perListenerSettings).toBe(true);
  });
});

describe('include_dir', () => {
  test('files are read at its place, in order; the notices name them', () => {
    const loaded = load('max_keepalive 1\ninclude_dir d\n', {
      'd/b.conf': 'max_keepalive 3',
      'd/B.conf': 'max_keepalive 2',
      'd/a.conf': 'max_keepalive 9\nlog_type none',
      'd/c.txt': 'nonsense',
      'd/sub/x.conf/y': 'nonsense',
      'd/.conf': 'nonsense',
    });
    expect(loaded.config.global.maxKeepalive).toBe(3);
    expect(loaded.notices.map(({ text }) => text)).toEqual([
      "Loading config file 'd/a.conf'",
      "Loading config file 'd/B.conf'",
      "Loading config file 'd/b.conf'",
    ]);
    expect(loaded.config.origin['max_keepalive']).toMatchObject({ file: 'd/b.conf', line: 1 });
  });

  test('the tutorial: listener and allow_anonymous in conf.d', () => {
    const loaded = load('pid_file /run/m.pid\ninclude_dir /etc/conf.d # Position du fichier\n', {
      '/etc/conf.d/mine.conf': 'allow_anonymous true # A modifier : false -> true  \nlistener 1883\n',
    });
    expect(loaded.config.listeners).toMatchObject([{ port: 1883, host: null, allowAnonymous: true }]);
  });

  test('each file begins without a listener, and the main file keeps its own', () => {
    const loaded = load('listener 1\ninclude_dir d\nprotocol websockets\n', { 'd/a.conf': 'max_qos 1\n' });
    expect(loaded.config.listeners.map(({ port, maxQos, protocol }) => [port, maxQos, protocol])).toEqual([
      [1, 2, 'websockets'],
      [1883, 1, 'mqtt'],
    ]);
  });

  test('each file begins without a bridge and a plugin', () => {
    expect(refusal('connection b\ninclude_dir d\n', { 'd/a.conf': 'address h\n' })[0]).toBe(
      "Error: The 'address' option requires a bridge to be defined first.",
    );
    expect(refusal('plugin p.so\ninclude_dir d\n', { 'd/a.conf': 'plugin_opt_x 1\n' })[0]).toBe(
      "Error: The 'plugin_opt_x' option requires plugin/global_plugin/plugin_load to be defined first.",
    );
  });

  test('an error in an included file names both places', () => {
    expect(refusal('\ninclude_dir d', { 'd/a.conf': 'max_qos 1\nmax_keep_alive 5\n' })).toEqual([
      "Error: Unknown configuration variable 'max_keep_alive'.",
      "Error found at 'd/a.conf:2'.",
      'Error found at m.conf:2.',
      "d/a.conf:2: max_keep_alive: unknown option. Did you mean 'max_keepalive'?",
    ]);
  });

  test.each([
    ['none/', {}, "Unable to open include_dir 'none/'."],
    ['d', { 'd/a.conf': 'include_dir d' }, 'The include_dir option is only valid in the main configuration file.'],
    ['d', { 'd/a.conf/b': '' }, "Config file 'd/a.conf' is a directory."],
  ])('include_dir %s is refused: %j', (directory, files, message) => {
    expect(refusal(`include_dir ${directory}`, files)[0]).toBe(`Error: ${message}`);
  });
});

describe('errors', () => {
  test('a missing file and a directory', () => {
    const source = memorySource({ 'd/a.conf': '' });
    expect(() => parseConfigFile('nope', { source })).toThrow("Error: Unable to open config file 'nope'.");
    expect(() => parseConfigFile('d', { source })).toThrow("Error: Config file 'd' is a directory.");
  });

  test('all of them are told, the first one first, and none follows from another', () => {
    const lines = refusal(
      'listener x\nmax_qos 1\ncafile c\nconnection\naddress h\nmax_qos 9\nplugin\nplugin_opt_a b\n',
    );
    expect(lines.filter((line) => line.startsWith('Error: '))).toEqual([
      "Error: 'listener port' value not a number.",
      "Error: Empty 'connection' value in configuration.",
      "Error: 'max_qos' must be between 0 and 2 inclusive.",
      "Error: Empty 'plugin' value in configuration.",
    ]);
  });

  test('carry the exit status and the parts', () => {
    try {
      load('listener 1\ntls_version tlsv0.9\nfoo\n');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigErrors);
      const { exitCode, errors } = error as ConfigErrors;
      expect(exitCode).toBe(1);
      expect(errors.map(({ file, line, option }) => [file, line, option])).toEqual([
        ['m.conf', 2, 'tls_version'],
        ['m.conf', 3, 'foo'],
      ]);
    }
  });

  test.each([
    ['max_qos=1', "unknown option. Did you mean 'max_qos'? Separate its value with a space."],
    ['Listener 1883', "unknown option. Did you mean 'listener'?"],
    ['password-file x', "unknown option. Did you mean 'password_file'?"],
    ['listener\t1883', "unknown option. Separate with spaces: the TAB makes it another word than 'listener'."],
    ['   # x', 'unknown option. A comment must begin in the first column.'],
    ['quite_something_else', 'unknown option.'],
  ])('%j: %s', (line, hint) => {
    expect(refusal(line)[2]?.split(': ').slice(2).join(': ')).toBe(hint);
  });
});

describe('plugins and bridges', () => {
  const lenient = { acceptUnsupported: true };

  test('options belong to the plugin above', () => {
    const { config } = load(
      'plugin a.so\nplugin_opt_x 1\nauth_opt_y  two \nglobal_plugin b.so\nauth_plugin_deny_special_chars false\n',
      {},
      lenient,
    );
    expect(config.plugins).toMatchObject([
      {
        path: 'a.so',
        authPluginDenySpecialChars: true,
        options: [
          ['x', '1'],
          ['y', 'two '],
        ],
      },
      { path: 'b.so', authPluginDenySpecialChars: false, options: [] },
    ]);
  });

  test('per listener: plugin belongs to the listener, plugin_use to any', () => {
    const text = 'per_listener_settings true\nplugin_load n a.so\nlistener 1\nplugin b.so\nlistener 2\nplugin_use n\n';
    const { config } = load(text, {}, lenient);
    expect(config.listeners.map(({ plugins }) => plugins.map(({ path }) => path))).toEqual([['b.so'], ['a.so']]);
    expect(config.plugins).toEqual([]);
  });

  test.each([
    ['plugin_load n a\nplugin_load n b', "Duplicate plugin name 'n'."],
    ['listener 1\nplugin_use n', "Plugin 'n' not previously loaded."],
    ['plugin a\nplugin_opt_ b', "Invalid 'plugin_opt_' config option."],
    ['plugin_opt_a b', "The 'plugin_opt_a' option requires plugin/global_plugin/plugin_load to be defined first."],
    ['connection a\nconnection a', "Duplicate bridge name 'a'."],
    ['bridge_require_ocsp true', "The 'bridge_require_ocsp' option requires a bridge to be defined first."],
    ['connection a\naddress h\naddress i', "Invalid bridge configuration, 'address' only allowed once."],
  ])('%j is refused', (text, message) => {
    expect(refusal(text, {}, lenient)[0]).toBe(`Error: ${message}`);
  });

  test('a bridge with its defaults', () => {
    const { config } = load('connection a b\naddress h # c\ntopic # both 1 # all\ntopic #  both 1\n', {}, lenient);
    expect(config.bridges).toMatchObject([
      {
        name: 'a',
        address: [{ host: 'h', port: 1883 }],
        topic: [{ pattern: '#', direction: 'both', qos: 1, localPrefix: '', remotePrefix: '' }],
        keepaliveInterval: 60,
        restartTimeout: { baseSeconds: 5, capSeconds: 30 },
      },
    ]);
  });
});

test('defaults are those of Mosquitto 2.1, but for set_tcp_nodelay', () => {
  const { global, listeners: opened, security } = defaultConfig();
  expect(global).toMatchObject({
    allowDuplicateMessages: true,
    maxInflightMessages: 20,
    maxQueuedMessages: 1000,
    maxPacketSize: 2_000_000,
    persistence: false,
    autosaveInterval: 1800,
    sysInterval: 10,
    logDest: ['stderr'],
    logType: ['error', 'warning', 'notice', 'information'],
    setTcpNodelay: true,
    user: 'mosquitto',
  });
  expect(opened[0]).toMatchObject({ maxQos: 2, maxTopicAlias: 10, maxConnections: -1, autoIdPrefix: 'auto-' });
  expect(security).toMatchObject({ allowAnonymous: true, passwordFile: null, allowZeroLengthClientid: true });
});
