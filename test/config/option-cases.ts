/** One case for each row of the option table: what a legal value does, seen from outside. */
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { OptionName } from '../../src/config/options.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property, valueOf } from '../conformance/wire/properties.ts';
import { isListening } from '../harness/ports.ts';
import { waitFor } from '../harness/wait.ts';
import {
  answerTo,
  assignedPrefix,
  canReach,
  handshake,
  isInDatabase,
  logOf,
  type Observed,
  probe,
  refusalOf,
  saved,
  savedByItself,
  secured,
  tlsListener,
  userOf,
} from './option-world.ts';

const v5 = packetsOf(5);

export type Case =
  | Observed
  /** A test of its own that sets the option and looks at what the broker does. */
  | { readonly shownBy: string }
  /** Understood, and refused with this line. */
  | { readonly refused: string; readonly lines: readonly string[] }
  /** Without effect in Mosquitto too; the warning, or null where there is none. */
  | { readonly ignored: string | null; readonly lines: readonly string[] };

const [limits, queues] = ['test/behaviour/limits.test.ts', 'test/behaviour/queues.test.ts'];
const [rights, passwords, tls] = ['rights', 'passwords', 'tls'].map((name) => `test/access/${name}.test.ts`) as [
  string,
  string,
  string,
];
const [tokens, service] = ['test/access/tokens.test.ts', 'test/access/http-auth.test.ts'];
const proxy = 'test/access/proxy.test.ts';
const dynsec = 'test/access/dynsec-config.test.ts';
const certificates = 'test/access/certificates.test.ts';

const noEngines = (name: string): string => `The '${name}' option is not supported: OpenSSL 3 has no engines any more`;
const [bridgeWire, bridgeBrokers, bridgeTls] = ['wire', 'brokers', 'tls'].map((name) => ({
  shownBy: `test/bridge/${name}.test.ts`,
})) as [Case, Case, Case];

export const cases: Readonly<Record<OptionName, Case>> = {
  // Listeners
  listener: {
    lines: ['listener {second} 127.0.0.2'],
    observe: async ({ broker }) => [
      await canReach(broker.port('second'), '127.0.0.2'),
      await canReach(broker.port('second'), '127.0.0.1'),
    ],
    common: ['# {second}'],
    is: [true, false],
    otherwise: [false, false],
  },
  port: {
    lines: ['port {second}'],
    common: ['# {second}'],
    observe: ({ broker }) => isListening(broker.port('second')),
    is: true,
    otherwise: false,
  },
  bind_address: {
    lines: ['bind_address 127.0.0.2'],
    common: ['port {second}'],
    observe: async ({ broker }) => [
      await canReach(broker.port('second'), '127.0.0.2'),
      await canReach(broker.port('second'), '127.0.0.1'),
    ],
    is: [true, false],
    otherwise: [true, true],
  },
  bind_interface: { shownBy: 'test/access/limits.test.ts' },
  protocol: {
    lines: ['protocol websockets'],
    isBelow: true,
    observe: ({ broker }) => answerTo(broker.port(), 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 12),
    is: 'HTTP/1.1 426',
    otherwise: '',
  },
  socket_domain: {
    lines: ['socket_domain ipv4'],
    common: ['listener {second}'],
    isBelow: true,
    observe: async ({ log }) => [log.includes('Opening ipv4 listen'), log.includes('Opening ipv6 listen')],
    is: [true, false],
    otherwise: [true, true],
  },
  max_connections: { shownBy: limits },
  max_qos: { shownBy: limits },
  max_topic_alias: {
    lines: ['max_topic_alias 3'],
    isBelow: true,
    observe: async (place) => valueOf((await place.connect({ version: 5 })).connack, 'topicAliasMaximum'),
    is: 3,
    otherwise: 10,
  },
  max_topic_alias_broker: {
    lines: ['max_topic_alias_broker 1'],
    isBelow: true,
    observe: async (place) => {
      const client = await place.connect({ version: 5, properties: [property.topicAliasMaximum(5)] });
      await client.subscribe('+');
      const aliases = new Set<unknown>();
      for (const topic of ['a', 'a', 'b', 'b', 'c', 'c']) {
        await client.publish({ topic, payload: 'x' });
        aliases.add(valueOf(await client.expectPublish({}), 'topicAlias'));
      }
      return [...aliases].filter((alias) => alias !== undefined).length;
    },
    is: 1,
    otherwise: 3,
  },
  mount_point: { shownBy: limits },
  accept_protocol_versions: { shownBy: limits },
  listener_allow_anonymous: {
    lines: ['listener_allow_anonymous false'],
    isBelow: true,
    observe: (place) => refusalOf(place, {}),
    is: 0x87,
    otherwise: 0,
  },
  listener_auto_id_prefix: {
    lines: ['listener_auto_id_prefix gate-'],
    isBelow: true,
    observe: (place) => assignedPrefix(place),
    is: 'gate-',
    otherwise: 'auto-',
  },
  use_username_as_clientid: { shownBy: limits },
  enable_proxy_protocol: { shownBy: proxy },
  proxy_protocol_v2_require_tls: { shownBy: proxy },
  set_tcp_nodelay: {
    lines: ['set_tcp_nodelay false'],
    env: { NODE_OPTIONS: '--require {dir}/probe.cjs' },
    prepare: probe(`const net = require('node:net'); const make = net.createServer;
      net.createServer = (...args) => { tell('noDelay ' + args[0].noDelay); return make(...args); };`),
    observe: async ({ broker }) => broker.read('probe').trim(),
    is: 'noDelay false',
    otherwise: 'noDelay true',
  },
  packet_buffer_size: {
    lines: ['packet_buffer_size 500'],
    common: ['listener {ws} 127.0.0.1', 'protocol websockets'],
    observe: ({ broker }) =>
      answerTo(
        broker.port('ws'),
        [
          'GET / HTTP/1.1',
          'Host: localhost',
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Protocol: mqtt',
          `Cookie: ${'x'.repeat(1000)}`,
          '\r\n',
        ].join('\r\n'),
        12,
      ),
    is: 'HTTP/1.1 431',
    otherwise: 'HTTP/1.1 101',
  },
  http_dir: {
    lines: ['http_dir {dir}/www'],
    common: ['listener {http} 127.0.0.1', 'protocol http_api'],
    prepare: async (broker) => broker.write('www/index.html', 'from the folder'),
    observe: async ({ broker }) =>
      (await (await fetch(`http://127.0.0.1:${broker.port('http')}/`)).text()).slice(0, 15),
    is: 'from the folder',
    otherwise: expect.not.stringMatching('from the folder'),
  },
  http_role: { shownBy: 'test/http/console-client.ts' },
  http_frame_ancestors: {
    lines: ['http_frame_ancestors https://home.example'],
    common: ['listener {http} 127.0.0.1', 'protocol http_api'],
    observe: async ({ broker }) => {
      const { headers } = await fetch(`http://127.0.0.1:${broker.port('http')}/`);
      return /frame-ancestors ([^;]*)/.exec(headers.get('content-security-policy') ?? '')?.[1];
    },
    is: 'https://home.example',
    otherwise: "'none'",
  },
  http_state_file: {
    lines: ['http_state_file {dir}/accounts.json'],
    common: ['listener {http} 127.0.0.1', 'protocol http_api', 'persistence_location {dir}'],
    prepare: async (broker) => broker.write('accounts.json', 'no JSON'),
    observe: async ({ broker: { process } }) => {
      await waitFor('the start or its end', () => process.hasEnded || process.stderr.includes(' running'));
      return process.stderr.includes('accounts.json');
    },
    is: true,
    otherwise: false,
  },
  http_index_memory: { shownBy: 'test/http/options.test.ts' },

  // Security
  allow_anonymous: {
    lines: ['allow_anonymous true'],
    common: ['per_listener_settings true', 'listener {second} 127.0.0.1'],
    observe: (place) => refusalOf(place, {}, 'second'),
    is: 0,
    otherwise: 0x87,
  },
  password_file: { shownBy: passwords },
  acl_file: { shownBy: rights },
  psk_file: { shownBy: tls },
  acl_explain: { shownBy: rights },
  scram: {
    lines: ['scram true'],
    common: ['password_file {dir}/passwd'],
    prepare: async (broker) => broker.write('passwd', `anne:$7$4096$AAAAAAAAAAAAAAAA$${'A'.repeat(86)}==\n`),
    observe: async (place) => {
      const client = await place.open(5);
      const first = Buffer.from('n,,n=anne,r=abc');
      const properties = [property.authenticationMethod('SCRAM-SHA-512'), property.authenticationData(first)];
      client.send(v5.connect({ properties }));
      const { type, reasonCode } = (await client.next()) as { type: string; reasonCode: number };
      return [type, reasonCode];
    },
    is: ['auth', 0x18],
    otherwise: ['connack', 0x8c],
  },
  session_owner_check: { shownBy: rights },
  reload_strict: { shownBy: rights },
  allow_zero_length_clientid: { shownBy: limits },
  auto_id_prefix: { shownBy: limits },
  moustique_auth_http_url: { shownBy: service },
  moustique_auth_http_timeout: { shownBy: service },
  moustique_auth_http_cache: { shownBy: service },
  moustique_auth_http_cafile: { shownBy: service },
  moustique_auth_jwt_key_file: { shownBy: tokens },
  moustique_auth_jwt_algorithms: { shownBy: tokens },
  moustique_auth_jwt_issuer: { shownBy: tokens },
  moustique_auth_jwt_audience: { shownBy: tokens },
  moustique_auth_jwt_required_claims: { shownBy: tokens },
  moustique_auth_jwt_username_claim: { shownBy: tokens },

  // TLS
  certfile: { shownBy: certificates },
  keyfile: { shownBy: certificates },
  cafile: { shownBy: certificates },
  capath: {
    ...secured(['capath {dir}/authorities', 'use_identity_as_username true']),
    common: tlsListener(['require_certificate true']),
    observe: async (place) => (await userOf(place)) === 'anne',
    is: true,
    otherwise: false,
  },
  require_certificate: { shownBy: tls },
  use_identity_as_username: { shownBy: tls },
  use_subject_as_username: {
    ...secured(['use_subject_as_username true']),
    common: tlsListener(['require_certificate true', 'cafile {dir}/ca.crt']),
    observe: userOf,
    is: 'CN=anne,O=Moustique tests',
    otherwise: undefined,
  },
  crlfile: { shownBy: certificates },
  tls_version: {
    ...secured(['tls_version tlsv1.3']),
    common: tlsListener(),
    observe: (place) => handshake(place, { maxVersion: 'TLSv1.2' }),
    is: 'refused',
    otherwise: 'TLSv1.2',
  },
  ciphers: {
    ...secured(['ciphers ECDHE-ECDSA-AES128-GCM-SHA256']),
    common: tlsListener(),
    observe: (place) => handshake(place, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }),
    is: 'refused',
    otherwise: 'TLSv1.2',
  },
  'ciphers_tls1.3': {
    ...secured(['ciphers_tls1.3 TLS_AES_128_GCM_SHA256']),
    common: tlsListener(),
    observe: (place) => handshake(place, { ciphers: 'TLS_CHACHA20_POLY1305_SHA256', minVersion: 'TLSv1.3' }),
    is: 'refused',
    otherwise: 'TLSv1.3',
  },
  disable_client_cert_date_checks: { shownBy: tls },
  psk_hint: { shownBy: tls },
  tls_engine: { refused: noEngines('tls_engine'), lines: ['listener 1883', 'tls_engine pkcs11'] },
  tls_engine_kpass_sha1: {
    refused: noEngines('tls_engine_kpass_sha1'),
    lines: ['listener 1883', 'tls_engine_kpass_sha1 00ff'],
  },
  tls_keyform: { refused: noEngines('tls_keyform'), lines: ['listener 1883', 'tls_keyform engine'] },
  dhparamfile: { ignored: 'Warning: dhparamfile is no longer required.', lines: ['dhparamfile /nowhere'] },
  websockets_origin: { shownBy: limits },
  websockets_log_level: { ignored: null, lines: ['websockets_log_level 255'] },

  // Messages and sessions
  allow_duplicate_messages: {
    lines: ['allow_duplicate_messages false'],
    observe: async (place) => {
      const client = await place.connect();
      await client.subscribe('a/#', 'a/+');
      await client.publish({ topic: 'a/b', payload: 'x' });
      await client.publish({ topic: 'a/b', payload: 'end' });
      const texts = [(await client.expectPublish({})).text, (await client.expectPublish({})).text];
      return texts.join(' ');
    },
    is: 'x end',
    otherwise: 'x x',
  },
  check_retain_source: { shownBy: 'test/access/limits.test.ts' },
  clientid_prefixes: { shownBy: limits },
  response_information: {
    lines: ['response_information answers/%c/'],
    observe: async (place) => {
      const properties = [property.requestResponseInformation(1)];
      const { connack } = await place.connect({ version: 5, clientId: 'c', properties });
      return valueOf(connack, 'responseInformation');
    },
    is: 'answers/c/',
    otherwise: undefined,
  },
  global_max_clients: { shownBy: 'test/access/limits.test.ts' },
  global_max_connections: { shownBy: 'test/access/limits.test.ts' },
  max_inflight_bytes: { shownBy: queues },
  max_inflight_messages: { shownBy: queues },
  max_keepalive: { shownBy: limits },
  max_packet_size: { shownBy: limits },
  max_queued_bytes: { shownBy: queues },
  max_queued_messages: { shownBy: queues },
  message_size_limit: { shownBy: limits },
  persistent_client_expiration: {
    lines: ['persistent_client_expiration 2h'],
    observe: async (place) => {
      const properties = [property.sessionExpiryInterval(86_400)];
      return valueOf((await place.connect({ version: 5, clientId: 'c', properties })).connack, 'sessionExpiryInterval');
    },
    is: 7200,
    otherwise: undefined,
  },
  queue_qos0_messages: { shownBy: queues },
  retain_available: { shownBy: limits },
  retain_expiry_interval: { shownBy: 'test/access/limits.test.ts' },
  upgrade_outgoing_qos: { shownBy: queues },

  // Data on disk
  persistence: {
    lines: ['persistence true'],
    observe: (place) => saved(place, 'mosquitto.db'),
    is: true,
    otherwise: false,
  },
  persistence_file: {
    lines: ['persistence_file other.db'],
    common: ['persistence true'],
    observe: (place) => saved(place, 'other.db'),
    is: true,
    otherwise: false,
  },
  persistence_location: {
    lines: ['persistence_location {dir}/data/'],
    common: ['persistence true'],
    prepare: async (broker) => broker.write('data/here', ''),
    observe: (place) => saved(place, 'data/mosquitto.db'),
    is: true,
    otherwise: false,
  },
  autosave_interval: {
    lines: ['autosave_interval 1'],
    common: ['persistence true'],
    observe: savedByItself,
    is: true,
    otherwise: false,
  },
  autosave_on_changes: {
    lines: ['autosave_on_changes true'],
    common: ['persistence true', 'autosave_interval 5'],
    observe: async (place) => {
      const client = await place.connect({ clientId: 'c', cleanStart: false });
      for (let n = 1; n <= 5; n++) await client.publish({ topic: `saved/${n}`, payload: 'x', retain: true, qos: 1 });
      return isInDatabase(place, 'saved/1');
    },
    is: true,
    otherwise: false,
  },
  persistence_sync: {
    lines: ['persistence_sync os'],
    common: ['persistence true'],
    env: { NODE_OPTIONS: '--require {dir}/probe.cjs' },
    prepare: probe(`const { open } = require('node:fs').promises;
      open(__filename).then((handle) => {
        const files = Object.getPrototypeOf(handle); const real = files.datasync;
        files.datasync = function () { if (isReady()) tell('sync'); return real.call(this); };
        return handle.close();
      });`),
    observe: async (place) => {
      place.broker.write('ready', '');
      const client = await place.connect();
      for (let n = 0; n < 20; n++) await client.publish({ topic: 't', payload: 'x', retain: true, qos: 1 });
      // One for each message that is acknowledged; a few come from files that are made ready.
      const probed = join(place.broker.dir, 'probe');
      return existsSync(probed) && readFileSync(probed, 'utf8').split('\n').length > 20;
    },
    is: false,
    otherwise: true,
  },

  // Logging
  log_dest: {
    lines: ['log_dest file {dir}/log'],
    observe: async ({ broker }) => [existsSync(join(broker.dir, 'log')), broker.process.stderr.includes('running')],
    is: [true, false],
    otherwise: [false, true],
  },
  log_type: {
    lines: ['log_type error'],
    observe: async (place) => logOf(place, () => place.connect(), /New client connected/),
    is: false,
    otherwise: true,
  },
  log_timestamp: {
    lines: ['log_timestamp false'],
    observe: async ({ log }) => /^moustique version .* running$/m.test(log),
    is: true,
    otherwise: false,
  },
  log_timestamp_format: {
    lines: ['log_timestamp_format %Y!%m'],
    observe: async ({ log }) => /^20\d\d!\d\d: moustique version .* running$/m.test(log),
    is: true,
    otherwise: false,
  },
  log_facility: {
    lines: ['log_facility 3'],
    common: ['log_dest syslog'],
    env: { PATH: `{dir}/bin:${process.env['PATH'] ?? ''}` },
    // `logger --prio-prefix` as the broker calls it, writing into a file of the test's.
    prepare: async (broker) => {
      broker.write('bin/logger', '#!/bin/sh\nexec cat > {dir}/syslog\n');
      chmodSync(join(broker.dir, 'bin/logger'), 0o755);
    },
    observe: async ({ broker }) => {
      const read = (): string => (existsSync(join(broker.dir, 'syslog')) ? broker.read('syslog') : '');
      await waitFor('the line', () => read().includes('running'));
      // facility × 8 + level: local3 is 19, daemon is 3
      return Number(/<(\d+)>[^\n]* running/.exec(read())?.[1]) >> 3;
    },
    is: 19,
    otherwise: 3,
  },
  connection_messages: {
    lines: ['connection_messages false'],
    observe: async (place) => logOf(place, () => place.connect(), /New client connected/),
    is: false,
    otherwise: true,
  },

  // General
  include_dir: {
    lines: ['include_dir {dir}/conf.d'],
    prepare: async (broker) => broker.write('conf.d/a.conf', 'max_keepalive 7\n'),
    observe: async (place) => valueOf((await place.connect({ version: 5 })).connack, 'serverKeepAlive'),
    is: 7,
    otherwise: undefined,
  },
  per_listener_settings: { shownBy: rights },
  pid_file: {
    lines: ['pid_file {dir}/pid'],
    observe: async ({ broker }) => {
      const file = join(broker.dir, 'pid');
      const isIt = existsSync(file) && readFileSync(file, 'utf8') === String(broker.process.pid);
      await broker.stop();
      return [isIt, existsSync(file)];
    },
    is: [true, false],
    otherwise: [false, false],
  },
  user: { shownBy: 'test/access/service.test.ts' },
  sys_interval: {
    lines: ['sys_interval 0'],
    observe: async (place) => {
      const client = await place.connect();
      await client.subscribe('$SYS/broker/version', 'marker');
      await client.publish({ topic: 'marker', payload: 'x' });
      return (await client.expectPublish({})).topic;
    },
    is: 'marker',
    otherwise: '$SYS/broker/version',
  },
  memory_limit: {
    // Two thirds are for what is held: each message of 600 bytes counts 400 more and its topic.
    lines: ['memory_limit 3000'],
    common: ['sys_interval 0'],
    observe: async (place) => {
      const client = await place.connect();
      for (const topic of ['r/1', 'r/2', 'r/3', 'r/4']) {
        await client.publish({ topic, payload: 'x'.repeat(600), retain: true, qos: 1 });
      }
      await client.subscribe('r/#');
      await client.publish({ topic: 'r/end', payload: 'x' });
      const found: string[] = [];
      for (;;) {
        const { topic } = await client.expectPublish({});
        if (topic === 'r/end') return found.length;
        found.push(topic);
      }
    },
    is: 2,
    otherwise: 4,
  },
  enable_control_api: { shownBy: 'test/access/control.test.ts' },
  retry_interval: {
    ignored: "Warning: The 'retry_interval' option is no longer available.",
    lines: ['retry_interval 20'],
  },

  // History
  history_location: { shownBy: 'test/history/record.test.ts' },
  history_max_size: { shownBy: 'test/history/record.test.ts' },
  history_sink: { shownBy: 'test/history/sink.test.ts' },
  history_topic: { shownBy: 'test/history/record.test.ts' },
  history_write_interval: { shownBy: 'test/history/record.test.ts' },

  // Plugins
  plugin: { shownBy: dynsec },
  global_plugin: { shownBy: dynsec },
  plugin_load: { shownBy: dynsec },
  plugin_use: { shownBy: dynsec },
  plugin_opt_: { shownBy: dynsec },
  auth_plugin_deny_special_chars: { shownBy: dynsec },

  // Bridges
  connection: { shownBy: 'test/bridge/places.ts' },
  address: { shownBy: 'test/bridge/places.ts' },
  topic: bridgeBrokers,
  bridge_alpn: bridgeTls,
  bridge_attempt_unsubscribe: bridgeWire,
  bridge_bind_address: bridgeBrokers,
  bridge_cafile: bridgeTls,
  bridge_capath: bridgeTls,
  bridge_certfile: bridgeTls,
  bridge_ciphers: bridgeTls,
  'bridge_ciphers_tls1.3': bridgeTls,
  bridge_identity: bridgeTls,
  bridge_insecure: bridgeTls,
  bridge_keyfile: bridgeTls,
  bridge_max_packet_size: bridgeWire,
  bridge_max_topic_alias: bridgeWire,
  bridge_outgoing_retain: bridgeWire,
  bridge_protocol_version: bridgeWire,
  bridge_psk: bridgeTls,
  bridge_receive_maximum: bridgeWire,
  bridge_reload_type: bridgeBrokers,
  bridge_require_ocsp: bridgeTls,
  bridge_session_expiry_interval: bridgeWire,
  bridge_tcp_keepalive: bridgeBrokers,
  bridge_tcp_user_timeout: {
    refused: "The 'bridge_tcp_user_timeout' option is not supported: ",
    lines: ['connection b', 'address h', 'topic #', 'bridge_tcp_user_timeout 10'],
  },
  bridge_tls_use_os_certs: bridgeTls,
  bridge_tls_version: bridgeTls,
  cleansession: bridgeWire,
  idle_timeout: bridgeBrokers,
  keepalive_interval: bridgeWire,
  local_cleansession: bridgeBrokers,
  local_clientid: bridgeBrokers,
  local_password: bridgeBrokers,
  local_username: bridgeBrokers,
  notification_topic: bridgeWire,
  notifications: bridgeWire,
  notifications_local_only: bridgeWire,
  remote_clientid: bridgeWire,
  remote_password: bridgeWire,
  remote_username: bridgeWire,
  restart_timeout: { shownBy: 'test/bridge/backoff.test.ts' },
  round_robin: bridgeBrokers,
  start_type: bridgeBrokers,
  threshold: bridgeBrokers,
  try_private: bridgeWire,
};
