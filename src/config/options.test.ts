import { describe, expect, test } from 'vitest';
import { ConfigErrors } from './config-error.ts';
import { parseConfigFile } from './load-config.ts';
import { OptionText, type ValueContext, ValueError } from './option.ts';
import { findOption, type OptionName, optionGroups, optionNames, optionTable, suggestOption } from './options.ts';
import { memorySource } from './source.ts';

/** For every option one legal line and the value that it means. A missing option does not compile. */
const legal: Readonly<Record<OptionName, readonly [text: string, value: unknown]>> = {
  accept_protocol_versions: ['3, 5', [3, 5]],
  acl_explain: ['true', true],
  acl_file: ['/etc/acl', '/etc/acl'],
  address: [
    'one:1884 two # three',
    [
      { host: 'one', port: 1884 },
      { host: 'two', port: 1883 },
    ],
  ],
  allow_anonymous: ['true # everybody', true],
  allow_duplicate_messages: ['0', false],
  allow_zero_length_clientid: ['false', false],
  auth_plugin_deny_special_chars: ['false', false],
  auto_id_prefix: ['x'.repeat(50), 'x'.repeat(50)],
  autosave_interval: ['0x10', 16],
  autosave_on_changes: ['1', true],
  bind_address: ['127.0.0.1', '127.0.0.1'],
  bind_interface: ['lo', 'lo'],
  bridge_alpn: ['mqtt', 'mqtt'],
  bridge_attempt_unsubscribe: ['false', false],
  bridge_bind_address: ['127.0.0.1', '127.0.0.1'],
  bridge_cafile: ['ca.pem', 'ca.pem'],
  bridge_capath: ['/etc/ssl/certs', '/etc/ssl/certs'],
  bridge_certfile: ['c.pem', 'c.pem'],
  bridge_ciphers: ['HIGH', 'HIGH'],
  'bridge_ciphers_tls1.3': ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  bridge_identity: ['me', 'me'],
  bridge_insecure: ['true', true],
  bridge_keyfile: ['k.pem', 'k.pem'],
  bridge_max_packet_size: ['-1', 0],
  bridge_max_topic_alias: ['0', 0],
  bridge_outgoing_retain: ['false', false],
  bridge_protocol_version: ['mqttv50', 'mqttv50'],
  bridge_psk: ['deadbeef', 'deadbeef'],
  bridge_receive_maximum: ['100', 100],
  bridge_reload_type: ['immediate # now', 'immediate'],
  bridge_require_ocsp: ['true', true],
  bridge_session_expiry_interval: ['3600', 3600],
  bridge_tcp_keepalive: ['60 10 5', { idleSeconds: 60, intervalSeconds: 10, probes: 5 }],
  bridge_tcp_user_timeout: ['20000', 20_000],
  bridge_tls_use_os_certs: ['true', true],
  bridge_tls_version: ['tlsv1.2', 'tlsv1.2'],
  cafile: ['ca.pem', 'ca.pem'],
  capath: ['/etc/ssl/certs', '/etc/ssl/certs'],
  certfile: ['my server.pem', 'my server.pem'],
  check_retain_source: ['true', true],
  ciphers: ['HIGH', 'HIGH'],
  'ciphers_tls1.3': ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  cleansession: ['true', true],
  clientid_prefixes: ['device-', 'device-'],
  connection: ['office # to the office', 'office'],
  connection_messages: ['false', false],
  crlfile: ['crl.pem', 'crl.pem'],
  dhparamfile: ['whatever', null],
  disable_client_cert_date_checks: ['true', true],
  enable_control_api: ['true', true],
  enable_proxy_protocol: ['2', 2],
  global_max_clients: ['100', 100],
  global_max_connections: ['100', 100],
  global_plugin: ['a.so', 'a.so'],
  history_location: ['/var/lib/history', '/var/lib/history'],
  history_max_size: ['500M # enough', 524_288_000],
  history_sink: [
    'influx http://u:p@localhost:8086 database mqtt measurement m tag site=home max 1M',
    [
      {
        kind: 'influx',
        url: 'http://u:p@localhost:8086',
        database: 'mqtt',
        bucket: null,
        org: null,
        measurement: 'm',
        tokenFile: null,
        tags: { site: 'home' },
        maxBytes: 1_048_576,
      },
    ],
  ],
  history_topic: ['maison/# keep 30 days max 2GB', [{ filter: 'maison/#', keepDays: 30, maxBytes: 2_147_483_648 }]],
  history_write_interval: ['60', 60],
  http_dir: ['/www', '/www/'],
  http_frame_ancestors: ['https://home.example', ['https://home.example']],
  http_index_memory: ['64', 64],
  http_role: ['viewer Ann Other', [{ role: 'viewer', username: 'Ann Other' }]],
  http_state_file: ['/var/lib/c.json', '/var/lib/c.json'],
  idle_timeout: ['0', 1],
  include_dir: ['/conf.d', '/conf.d'],
  keepalive_interval: ['4', 5],
  keyfile: ['k.pem', 'k.pem'],
  listener: ['1884 127.0.0.1 # here', { port: 1884, host: '127.0.0.1', path: null }],
  listener_allow_anonymous: ['true', true],
  listener_auto_id_prefix: ['gate-', 'gate-'],
  local_cleansession: ['true', true],
  local_clientid: ['b', 'b'],
  local_password: ['pass word', 'pass word'],
  local_username: ['b', 'b'],
  log_dest: ['file /var/log/m.log', [{ file: '/var/log/m.log' }]],
  log_facility: ['7', 7],
  log_timestamp: ['false', false],
  log_timestamp_format: ['%F %T', '%F %T'],
  log_type: ['subscribe # and nothing else', ['subscribe']],
  max_connections: ['-5', -1],
  max_inflight_bytes: ['-1', 0],
  max_inflight_messages: ['65535', 0],
  max_keepalive: ['65535', 65_535],
  max_packet_size: ['20', 20],
  max_qos: ['1', 1],
  max_queued_bytes: ['1000', 1000],
  max_queued_messages: ['-1', 0],
  max_topic_alias: ['0', 0],
  max_topic_alias_broker: ['65535', 65_535],
  memory_limit: ['100000000', 100_000_000],
  message_size_limit: ['268435455', 268_435_455],
  mount_point: ['floor 1/', 'floor 1/'],
  moustique_auth_http_cache: ['60', 60],
  moustique_auth_http_cafile: ['ca.pem', 'ca.pem'],
  moustique_auth_http_timeout: ['0x9', 9],
  moustique_auth_http_url: ['https://user:word@auth.example/mqtt?a=b', 'https://user:word@auth.example/mqtt?a=b'],
  moustique_auth_jwt_algorithms: ['RS256 ES256 # both', ['RS256', 'ES256']],
  moustique_auth_jwt_audience: ['my broker', 'my broker'],
  moustique_auth_jwt_issuer: ['https://id.example/', 'https://id.example/'],
  moustique_auth_jwt_key_file: ['/etc/jwks.json', '/etc/jwks.json'],
  moustique_auth_jwt_required_claims: ['exp  aud', ['exp', 'aud']],
  moustique_auth_jwt_username_claim: ['preferred_username', 'preferred_username'],
  notification_topic: ['state', 'state'],
  notifications: ['false', false],
  notifications_local_only: ['true', true],
  packet_buffer_size: ['0', 0],
  password_file: ['/etc/pw', '/etc/pw'],
  per_listener_settings: ['true', true],
  persistence: ['true', true],
  persistence_file: ['m.db', 'm.db'],
  persistence_location: ['/var/lib/m/', '/var/lib/m/'],
  persistence_sync: ['interval 200 ms', { intervalMs: 200 }],
  persistent_client_expiration: ['2m', 2 * 30 * 86_400],
  pid_file: ['/run/m.pid', '/run/m.pid'],
  plugin: ['a.so', 'a.so'],
  plugin_load: ['mine a b.so', { name: 'mine', path: 'a b.so' }],
  plugin_opt_: ['  value ', 'value '],
  plugin_use: ['mine', 'mine'],
  port: ['1884 # mine', 1884],
  protocol: ['websockets # web', 'websockets'],
  proxy_protocol_v2_require_tls: ['true', true],
  psk_file: ['/etc/psk', '/etc/psk'],
  psk_hint: ['hint', 'hint'],
  queue_qos0_messages: ['true', true],
  remote_clientid: ['r', 'r'],
  remote_password: ['p', 'p'],
  remote_username: ['u', 'u'],
  require_certificate: ['true', true],
  restart_timeout: ['10 9000 60', { baseSeconds: 10, capSeconds: 7200, stableSeconds: 60 }],
  response_information: ['answers/%c/', 'answers/%c/'],
  retain_available: ['false', false],
  retain_expiry_interval: ['60', 60],
  reload_strict: ['false', false],
  retry_interval: ['20', null],
  round_robin: ['true', true],
  scram: ['true', true],
  session_owner_check: ['false', false],
  set_tcp_nodelay: ['false', false],
  socket_domain: ['ipv6', 'ipv6'],
  start_type: ['lazy', 'lazy'],
  sys_interval: ['0', 0],
  threshold: ['0', 1],
  tls_engine: ['e', 'e'],
  tls_engine_kpass_sha1: ['00ff', '00ff'],
  tls_keyform: ['engine # of OpenSSL', 'engine'],
  tls_version: ['tlsv1.3', 'tlsv1.3'],
  topic: [
    '"my topic/#" in 1 "" x/',
    [{ pattern: 'my topic/#', direction: 'in', qos: 1, localPrefix: '', remotePrefix: 'x/' }],
  ],
  try_private: ['false', false],
  upgrade_outgoing_qos: ['true', true],
  use_identity_as_username: ['true', true],
  use_subject_as_username: ['true', true],
  use_username_as_clientid: ['true', true],
  user: ['nobody', 'nobody'],
  websockets_log_level: ['255', null],
  websockets_origin: ['https://example.org', ['https://example.org']],
};

/** For options that have more to refuse than their kind of value does: illegal lines and Mosquitto's words. */
const refused: Partial<Record<OptionName, readonly (readonly [text: string, message: string])[]>> = {
  accept_protocol_versions: [['6', "Invalid 'accept_protocol_versions' value (6)."]],
  address: [
    ['one:0', 'Invalid bridge port value (0).'],
    ['one:x', 'Invalid bridge port value (0).'],
    ['one:70000', 'Invalid bridge port value (70000).'],
  ],
  auto_id_prefix: [['x'.repeat(51), 'auto_id_prefix length must be <= 50.']],
  bind_interface: [['eth9', 'Interface eth9 does not exist.']],
  bridge_protocol_version: [['mqttv311 # old', "Invalid 'bridge_protocol_version' value (mqttv311 # old)."]],
  bridge_tcp_keepalive: [['60 10', "Invalid 'bridge_tcp_keepalive' value (60 10)."]],
  bridge_tls_version: [['tlsv9', 'Unsupported tls_version "tlsv9".']],
  enable_proxy_protocol: [['3', 'enable_proxy_protocol must be 1 or 2.']],
  http_dir: [['/nowhere', '']],
  http_index_memory: [['0', "Invalid 'http_index_memory' value (0)."]],
  http_role: [
    ['chief ann', "Invalid 'http_role' value (chief)."],
    ['admin', "Invalid 'http_role' value (admin)."],
  ],
  keepalive_interval: [['65536', 'Bridge keepalive value too high.']],
  listener: [
    ['0', 'A listener with port 0 must provide a Unix socket path.'],
    ['70000', "Invalid 'port' value (70000)."],
    ['-1', "Invalid 'port' value (-1)."],
    ['some.host', "'listener port' value not a number."],
    ['1883\t', "'listener port' value not a number."],
    ['99999999999', "'listener port' value out of range."],
  ],
  log_dest: [
    ['file', 'Empty "log_dest file" value in configuration.'],
    ['file  ', 'Empty "log_dest file" value in configuration.'],
    ['nowhere at all', "Invalid 'log_dest' value (nowhere)."],
  ],
  log_facility: [['8', "Invalid 'log_facility' value (8)."]],
  log_type: [['chatter', "Invalid 'log_type' value (chatter)."]],
  max_inflight_messages: [['65536', "'max_inflight_messages' must be <= 65535."]],
  max_keepalive: [
    ['-1', "Invalid 'max_keepalive' value (-1)."],
    ['65536', "Invalid 'max_keepalive' value (65536)."],
  ],
  max_packet_size: [['19', "'max_packet_size' must be >= 20."]],
  max_qos: [
    ['3', "'max_qos' must be between 0 and 2 inclusive."],
    ['-1', "'max_qos' must be between 0 and 2 inclusive."],
  ],
  max_topic_alias: [['65536', "Invalid 'max_topic_alias' value in configuration."]],
  memory_limit: [['-1', "Invalid 'memory_limit' value (-1)."]],
  message_size_limit: [['268435456', "Invalid 'message_size_limit' value (268435456)."]],
  mount_point: [['a/#', "Invalid 'mount_point' value (a/#). Does it contain a wildcard character?"]],
  moustique_auth_http_cache: [['-1', "Invalid 'moustique_auth_http_cache' value (-1)."]],
  moustique_auth_http_timeout: [['10', "Invalid 'moustique_auth_http_timeout' value (10)."]],
  moustique_auth_http_url: ['auth.example', 'ftp://auth.example', 'http://a b', 'http://auth.example # mine'].map(
    (text) => [text, `Invalid 'moustique_auth_http_url' value (${text}).`],
  ),
  moustique_auth_jwt_algorithms: [['RS256 none', "Invalid 'moustique_auth_jwt_algorithms' value (none)."]],
  packet_buffer_size: [['65536', 'Packet buffer size must be between 0 and 65535 inclusive.']],
  persistence_sync: [
    ['interval', "Invalid 'persistence_sync' value (interval)."],
    ['interval 0 ms', "Invalid 'persistence_sync' value (interval 0 ms)."],
    ['interval 5 s', "Invalid 'persistence_sync' value (interval 5 s)."],
    ['never', "Invalid 'persistence_sync' value (never)."],
  ],
  persistent_client_expiration: ['5', 'd', '-1d', '0d', '5 d', '5dx', '1M'].map((text) => [
    text,
    "Invalid 'persistent_client_expiration' duration in configuration.",
  ]),
  plugin_load: [['mine', "Missing plugin path for plugin name 'mine'."]],
  port: [
    ['0', "Invalid 'port' value (0)."],
    ['65536', "Invalid 'port' value (65536)."],
  ],
  restart_timeout: [
    ['10 5', 'backoff cap is lower than the base in restart_timeout.'],
    ['10 20 -1', 'stable connection period cannot be negative in restart_timeout.'],
  ],
  retain_expiry_interval: [
    ['0', 'retain_expiry_interval must be >= 1.'],
    ['10000001', 'retain_expiry_interval must be <= 10000000.'],
  ],
  socket_domain: [['ipv5', "Invalid 'socket_domain' value 'ipv5' in configuration."]],
  start_type: [['manual', 'Manual start_type not supported.']],
  sys_interval: [['65536', "Invalid 'sys_interval' value (65536)."]],
  tls_version: [['tlsv1.4', 'Unsupported tls_version "tlsv1.4".']],
  topic: [
    ['a sideways', "Invalid bridge topic direction 'sideways'."],
    ['a both 3', "Invalid bridge QoS level '3'."],
    ['a both 0 l/#', "Invalid bridge topic local prefix 'l/#'."],
    ['a both 0 "" r/+', "Invalid bridge topic remote prefix 'r/+'."],
    ['"" both 0', 'Invalid bridge remapping.'],
    ['a/#/b', "Invalid bridge topic local prefix and pattern combination 'a/#/b'."],
    ['# in 0 l', "Invalid bridge topic local prefix and pattern combination 'l#'."],
    ['"a b', 'Missing closing quote in topic value ("a b).'],
  ],
};

const context = (name: string): ValueContext => ({
  name,
  isStrict: false,
  source: memorySource({ '/www/index.html': '', '/conf.d/a.conf': '' }),
  warn: () => undefined,
});

function read(name: OptionName, text: string): unknown {
  return optionTable[name]?.type.parse(new OptionText(text), context(name), undefined);
}

function complaint(name: OptionName, text: string): string | undefined {
  try {
    read(name, text);
    return undefined;
  } catch (error) {
    if (error instanceof ValueError) return error.message;
    throw error;
  }
}

describe.each(optionNames)('%s', (name) => {
  const row = optionTable[name];
  if (row === undefined) throw new Error('every name has a row');
  const { type } = row;
  const isIgnored = row.ignored !== undefined;

  test('takes a legal value', () => {
    const [text, value] = legal[name];
    expect(read(name, text)).toEqual(value);
  });

  if (!isIgnored)
    test('refuses to be empty', () => {
      expect(complaint(name, '')).toBe(`Empty '${name}' value in configuration.`);
      expect(complaint(name, '   ')).toMatch(/^Empty /);
    });

  test.each(refused[name] ?? [])('refuses %j', (text, message) => {
    expect(complaint(name, text)).toBe(message);
  });

  if (type.expects === 'true or false')
    test('is written true, false, 1 or 0 and nothing else', () => {
      expect(['true', 'false', '1', '0', 'true false'].map((text) => read(name, text))).toEqual([
        true,
        false,
        true,
        false,
        true,
      ]);
      for (const word of ['yes', 'True', 'on', 'true\t#']) {
        expect(complaint(name, word)).toBe(`Invalid '${name}' value (${word}).`);
      }
      expect(() => type.accept('true')).toThrow('expected true or false, got "true"');
    });

  if (type.expects.startsWith('integer'))
    test('is a number that fits', () => {
      expect(complaint(name, 'many')).toBe(`'${name}' value not a number.`);
      expect(complaint(name, '5s')).toBe(`'${name}' value not a number.`);
      expect(complaint(name, '2147483648')).toBe(`'${name}' value out of range.`);
      expect(() => type.accept(1.5)).toThrow(/^expected integer .*, got 1\.5$/);
      expect(() => type.accept('1')).toThrow(/^expected integer .*, got "1"$/);
    });

  if (type.reads === 'line' && !isIgnored && type.expects !== 'mqttv31, mqttv311 or mqttv50')
    test('refuses control characters', () => {
      const message = complaint(name, 'a\u0001 b.so');
      expect(['Malformed UTF-8 in configuration.', `Invalid '${name}' value (a\u0001 b.so).`]).toContain(message);
    });

  const hasDefault = row.default !== null && row.opens === undefined && name !== 'address'; // every bridge has one
  if (hasDefault)
    test('has a default that the library takes too', () => {
      expect(type.accept(row.default)).toEqual(row.default);
    });

  test('is described in whole sentences', () => {
    expect(row.doc).toMatch(/^[A-Z`].*\.$/);
    expect(row.unsupported?.why ?? '').not.toMatch(/\.$/);
  });

  const isRefused = row.unsupported !== undefined && name !== 'plugin_use'; // refused as plugin_load
  if (isRefused)
    test('is refused while it cannot be honoured', () => {
      const [text, value] = legal[name];
      const refusedValue = row.unsupported?.values?.[0] ?? text;
      expect(value).not.toEqual(row.default); // a default needs no support
      const written = `${name}${row.isPrefix === true ? 'x' : ''} ${String(refusedValue)}`;
      const errors = loadErrors(inPlace(name, written));
      const only = row.unsupported?.values === undefined ? '' : ` ${String(refusedValue)}`;
      const options = row.scope === 'plugin' ? 'plugin' : name;
      expect(errors.map(({ message }) => message).join('\n')).toMatch(
        only === '' ? `The '${options}` : `'${name}${only}' is not supported: `,
      );
      expect(errors.every(({ exitCode }) => exitCode === 3)).toBe(true);
    });
});

/** A file in which a line of this option is at its place. */
function inPlace(name: OptionName, written: string): string {
  const before: Record<string, string> = {
    listener: 'listener 1883\nlistener_allow_anonymous true\n',
    plugin: 'plugin a.so\n',
    bridge: 'connection other\n',
  };
  const after = name === 'connection' ? '\naddress one\ntopic #\n' : '\n';
  const loads = name === 'plugin_use' ? 'plugin_load mine a.so\n' : '';
  return `${loads}${before[name === 'connection' ? '' : (optionTable[name]?.scope ?? '')] ?? ''}${written}${after}`;
}

function loadErrors(text: string): ConfigErrors['errors'] {
  try {
    parseConfigFile('m.conf', { source: memorySource({ 'm.conf': text, '/www/index.html': '' }) });
    return [];
  } catch (error) {
    if (error instanceof ConfigErrors) return error.errors;
    throw error;
  }
}

test('every option is in one chapter of the documentation', () => {
  const inChapters = optionGroups.flatMap(({ rows }) => Object.keys(rows));
  expect(inChapters.toSorted()).toEqual([...optionNames].toSorted());
});

test('an unknown tls_keyform means pem', () => {
  expect(read('tls_keyform', 'nonsense')).toBe('pem');
});

test.each([
  ['maximum_qos', 'max_qos', ''],
  ['retained_persistence', 'persistence', ''],
  ['addresses', 'address', ''],
  ['clientid', 'remote_clientid', ''],
  ['username', 'remote_username', ''],
  ['password', 'remote_password', ''],
  ['websockets_headers_size', 'packet_buffer_size', ''],
  ['auth_plugin', 'plugin', ''],
  ['auth_opt_db', 'plugin_opt_', 'db'],
  ['plugin_opt_a_b', 'plugin_opt_', 'a_b'],
])('%s is another way to write %s', (written, name, key) => {
  expect(findOption(written)).toMatchObject({ name, key });
});

test.each(['Listener', 'max_qos ', '', '#', 'store_clean_interval', 'constructor'])('%j is no option', (written) => {
  expect(findOption(written)).toBeUndefined();
});

test.each([
  ['max_queued_mesages', 'max_queued_messages'],
  ['keyfle', 'keyfile'],
  ['store_clean_interval', 'autosave_interval'],
])('%s probably means %s', (written, meant) => {
  expect(suggestOption(written)).toBe(meant);
});
