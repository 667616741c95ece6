import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigErrors } from '../../src/config/config-error.ts';
import { parseConfigFile } from '../../src/config/load-config.ts';
import { describeWith, programPath } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';

// Every configuration here ends with an option that nobody knows. A broker that finds nothing wrong before it stops
// there, so each run ends at once, and a line that is accepted is told from one that is refused.
const marker = 'the_end_of_the_file';

const directory = tempDir(useResources('end of file'));

function fileOf(text: string): string {
  const path = join(directory, 'm.conf');
  writeFileSync(path, `${text}\n${marker}\n`);
  return path;
}

/** The first error and its place, without quotes: version 2.1 puts them elsewhere than 2.0. */
function firstError(lines: readonly string[]): string {
  const error = lines.findIndex((line) => line.startsWith('Error'));
  const told = lines.slice(error, error + 2).filter((line) => line.startsWith('Error'));
  return told.join(' ').replaceAll(/['"]/g, '').replaceAll(`${directory}/`, '');
}

function debian(text: string): string {
  const { stderr, status } = spawnSync(programPath('mosquitto'), ['-c', fileOf(text)], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(status).toBe(3);
  return firstError(stderr.split('\n').map((line) => line.replace(/^\d+: /, '')));
}

function ours(text: string): string {
  try {
    parseConfigFile(fileOf(text), { strict: true });
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    expect(error.exitCode).toBe(3);
    return firstError(error.lines);
  }
}

const listener = 'listener 1883\n';
const bridge = 'connection b\naddress 127.0.0.1:1\n';

/** Texts on which 2.0 and 2.1 say the same. */
const same = [
  'max_keepalive 70000\nsys_interval 70000 \0',
  '',
  '# comment\n\n   \nallow_anonymous true # comment',
  '   allow_anonymous    true',
  'allow_anonymous true\r',
  'allow_anonymous yes',
  'allow_anonymous True',
  'allow_anonymous true\t# c',
  'allow_anonymous',
  '  # indented',
  '\tallow_anonymous true',
  'listener\t1883',
  'Listener 1883',
  'store_clean_interval 10',
  'listener',
  'listener 1883 # comment',
  'listener 1883 127.0.0.1 # comment',
  'listener 0',
  'listener 0 /run/m.sock',
  'listener 70000',
  'listener -1',
  'port 0',
  'port 70000',
  `${listener}max_qos 3`,
  `${listener}maximum_qos 3`,
  `${listener}maximum_qos`,
  `${listener}mount_point a\tb`,
  `${listener}mount_point a/b/`,
  `${listener}protocol mqqt`,
  `${listener}socket_domain ipv5`,
  `${listener}socket_domain`,
  `${listener}max_connections -5`,
  'pid_file a\npid_file b',
  'log_timestamp_format a\nlog_timestamp_format b',
  'log_dest nowhere',
  'log_dest file',
  'log_dest file a\nlog_dest file b',
  'log_dest',
  'log_type chatter',
  'log_type error warning',
  'log_facility 8',
  'sys_interval 65536',
  'sys_interval -1',
  'sys_interval',
  'max_keepalive 65536',
  'max_keepalive -1',
  'max_inflight_messages 65536',
  'max_inflight_messages 65535',
  'max_queued_messages -1',
  'message_size_limit 268435456',
  'memory_limit -1',
  'persistent_client_expiration 5',
  'persistent_client_expiration 5 d',
  'persistent_client_expiration -1d',
  'persistent_client_expiration 0d',
  'persistent_client_expiration 2w # two weeks',
  'retry_interval not-used',
  'websockets_log_level x',
  'allow_anonymous true\nper_listener_settings true',
  'per_listener_settings true\nper_listener_settings false',
  'include_dir /nowhere',
  'include_dir',
  `${bridge}topic # sideways`,
  `${bridge}topic # both 3`,
  `${bridge}topic # both 1 a/#`,
  `${bridge}topic # both 1 "" b/+`,
  `${bridge}topic "" both 1`,
  `${bridge}topic "" both 1 a b`,
  `${bridge}topic # both 1 # all`,
  `${bridge}topic a OUT`,
  `${bridge}topic`,
  `${bridge}keepalive_interval 4`,
  `${bridge}keepalive_interval 70000`,
  `${bridge}idle_timeout 0`,
  `${bridge}threshold 0`,
  `${bridge}restart_timeout 0`,
  `${bridge}restart_timeout 10 5`,
  `${bridge}restart_timeout 10 9000`,
  `${bridge}start_type manual`,
  `${bridge}bridge_protocol_version mqttv311 # old`,
  `${bridge}bridge_insecure maybe`,
  'connection a\nconnection a',
  'connection a b # c',
  'connection',
];

/** What version 2.1 says where 2.0, which runs here, says something else. */
const changed: readonly (readonly [text: string, was: string, is: string])[] = [
  ['sys_interval 5s', 'accepted', 'Error: sys_interval value not a number. Error found at m.conf:1.'],
  [
    'cafile x',
    'accepted',
    'Error: The cafile option requires a listener to be defined first. Error found at m.conf:1.',
  ],
  [
    'listener localhost',
    'Error: A listener with port 0 must provide a Unix socket path. Error found at m.conf:1.',
    'Error: listener port value not a number. Error found at m.conf:1.',
  ],
  ['listener 1883\t', 'accepted', 'Error: listener port value not a number. Error found at m.conf:1.'],
  [
    `${listener}max_packet_size 19`,
    'Error: Invalid max_packet_size value (19). Error found at m.conf:2.',
    'Error: max_packet_size must be >= 20. Error found at m.conf:2.',
  ],
  [
    'plugin_opt_a b',
    'Error: An auth_opt_ option exists in the config file without an auth_plugin. Error found at m.conf:1.',
    'Error: The plugin_opt_a option requires plugin/global_plugin/plugin_load to be defined first. Error found at m.conf:1.',
  ],
  [
    'address 127.0.0.1',
    'Error: Invalid bridge configuration. Error found at m.conf:1.',
    'Error: The address option requires a bridge to be defined first. Error found at m.conf:1.',
  ],
  [
    'password_file a\npassword_file b',
    'Error: Duplicate password_file value in configuration. Error found at m.conf:2.',
    'accepted',
  ],
];

const accepted = (text: string) => {
  const line = text.split('\n').length + 1;
  return `Error: Unknown configuration variable ${marker}. Error found at m.conf:${line}.`;
};

describeWith(['mosquitto'], "files that Debian's mosquitto reads", () => {
  test.each(same)('%j gets the same answer', (text) => {
    expect(ours(text)).toBe(debian(text));
  });

  test.each(changed)('%j got %j before 2.1 and gets %j since', (text, was, is) => {
    expect(debian(text)).toBe(was === 'accepted' ? accepted(text) : was);
    expect(ours(text)).toBe(is === 'accepted' ? accepted(text) : is);
  });
});
