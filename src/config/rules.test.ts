import { describe, expect, test } from 'vitest';
import { ConfigErrors } from './config-error.ts';
import { parseConfigFile } from './load-config.ts';
import { memorySource } from './source.ts';

function refusal(text: string, acceptUnsupported = true): readonly string[] {
  try {
    parseConfigFile('m.conf', { acceptUnsupported, source: memorySource({ 'm.conf': text }) });
    return [];
  } catch (error) {
    if (error instanceof ConfigErrors) return error.lines;
    throw error;
  }
}

function warnings(text: string): readonly string[] {
  const source = memorySource({ 'm.conf': `allow_anonymous true\n${text}` });
  return parseConfigFile('m.conf', { acceptUnsupported: true, source }).warnings.map((notice) => notice.text);
}

describe('bridges', () => {
  const bridge = (more: string) => `connection b\naddress h\ntopic #\n${more}`;

  test.each([
    ['connection b\ntopic #', 'Invalid bridge configuration: no remote addresses defined.'],
    ['connection b\naddress h', 'Invalid bridge configuration: no topics defined.'],
    [bridge('bridge_psk ab'), 'Invalid bridge configuration: missing bridge_identity.'],
    [bridge('bridge_identity me'), 'Invalid bridge configuration: missing bridge_psk.'],
    [
      bridge('bridge_psk ab\nbridge_identity me\nbridge_cafile ca'),
      "'b': Cannot use both certificate and psk encryption in a single bridge.",
    ],
    [
      bridge('local_clientid x\nconnection c\naddress h\ntopic #\nlocal_clientid x'),
      "Bridge local_clientid 'x' is not unique. Try changing or setting the local_clientid value for one of the bridges.",
    ],
    [
      bridge('remote_clientid x\nconnection c\naddress h\ntopic #\nclientid x'),
      "Bridge local_clientid 'local.x' is not unique. Try changing or setting the local_clientid value for one of the bridges.",
    ],
  ])('%j', (text, message) => {
    expect(refusal(text)[0]).toBe(`Error: ${message}`);
  });

  test.each(['', 'bridge_psk ab\nbridge_identity me', 'connection c\naddress h\ntopic #'])('%j is in order', (more) => {
    expect(refusal(bridge(more))).toEqual([]);
  });
});

describe('listeners', () => {
  test.each([
    ['certfile c', 'Both certfile and keyfile must be provided to enable a TLS listener.'],
    ['keyfile k', 'Both certfile and keyfile must be provided to enable a TLS listener.'],
    ['cafile ca', 'cafile specified without certfile and keyfile.'],
    ['capath ca', 'capath specified without certfile and keyfile.'],
    ['certfile c\nkeyfile k\npsk_hint h', 'Cannot use both certificate and psk encryption in a single listener.'],
    ['enable_proxy_protocol 2\ncertfile c\nkeyfile k', 'certfile cannot be used with `enable_proxy_protocol 2`.'],
    [
      'enable_proxy_protocol 2\nuse_subject_as_username true',
      'use_subject_as_username cannot be used with `enable_proxy_protocol 2`.',
    ],
  ])('%j', (text, message) => {
    const [first, second] = refusal(`listener 1\n${text}`);
    expect(first).toBe(`Error: ${message}`);
    expect(second).toMatch(/^Error found at m\.conf:\d\.$/);
  });

  test.each([
    'certfile c\nkeyfile k\ncafile ca\nrequire_certificate true',
    'psk_hint h',
    'enable_proxy_protocol 1\ncertfile c\nkeyfile k',
    'enable_proxy_protocol 2\nuse_subject_as_username false',
  ])('%j is in order', (text) => {
    expect(refusal(`listener 1\n${text}`)).toEqual([]);
    expect(warnings(`listener 1\n${text}`)).toEqual([]);
  });

  test.each([
    ['require_certificate true', "'require_certificate' has no effect: the listener has no certfile and keyfile"],
    [
      'use_identity_as_username true',
      "'use_identity_as_username' has no effect: the listener has no certfile and keyfile",
    ],
    [
      'certfile c\nkeyfile k\nrequire_certificate true',
      "'require_certificate' refuses every client: there is no cafile to check certificates with",
    ],
  ])('%j is warned of', (text, warning) => {
    const line = 2 + text.split('\n').length;
    expect(warnings(`listener 1\n${text}`)).toEqual([`Warning: m.conf:${line}: ${warning}`]);
  });
});

describe('options that cannot be honoured', () => {
  test('are refused, each with its line and reason, in the order of the file', () => {
    const lines = refusal('listener 1\ntls_engine e\ntls_keyform engine\nlog_dest dlt\n', false);
    expect(lines.filter((line) => line.startsWith('Error found'))).toEqual(
      [2, 3, 4].map((n) => `Error found at m.conf:${n}.`),
    );
    expect(lines[0]).toMatch(/^Error: The 'tls_engine' option is not supported: .*\.$/);
    expect(lines[2]).toMatch(/^Error: The 'tls_keyform' option is not supported: .*\.$/);
  });

  test('are accepted with their default, which changes nothing', () => {
    expect(refusal('check_retain_source false\ntls_keyform pem\n', false)).toEqual([]);
  });

  test('are told only when every line is in order', () => {
    expect(refusal('listener 1\ntls_engine e\nmax_qos 7\n', false)[0]).toBe(
      "Error: 'max_qos' must be between 0 and 2 inclusive.",
    );
  });
});
