import { option, type ValueType } from '../option.ts';
import { anything, boolean, firstWord, keyword, path, text } from '../value-types.ts';

/** The versions of TLS that a listener or bridge may ask for. */
export const tlsVersions: readonly string[] = ['tlsv1.3', 'tlsv1.2', 'tlsv1.1'];

/** Mosquitto's complaint about a TLS version it does not know. */
export function unknownTlsVersion(value: string): string | undefined {
  return tlsVersions.includes(value) ? undefined : `Unsupported tls_version "${value}".`;
}

/** Encryption of a listener, and clients known by their certificate. */
export const tlsOptions = {
  certfile: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: "The listener's certificate in PEM form, with the chain behind it. Together with `keyfile` it switches TLS on.",
  }),
  keyfile: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: 'The private key of `certfile` in PEM form.',
  }),
  cafile: option({
    scope: 'listener',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: 'Certificates of the authorities that may have signed the certificates of clients, in PEM form.',
  }),
  capath: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: path('directory'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: 'Directory with certificates of authorities, one per file, as prepared by `openssl rehash`.',
  }),
  require_certificate: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: boolean(),
    default: false,
    reload: 'live',
    doc: 'Refuses clients without a certificate that one of the authorities signed.',
  }),
  use_identity_as_username: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: boolean(),
    default: false,
    reload: 'new-connections',
    doc: 'Takes the common name of the client certificate for the user name; no password is asked.',
  }),
  use_subject_as_username: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: boolean(),
    default: false,
    reload: 'new-connections',
    doc: 'Takes the whole subject of the client certificate for the user name, written as in RFC 2253.',
  }),
  crlfile: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: 'List of revoked certificates in PEM form; clients with one of them are refused.',
  }),
  tls_version: option({
    scope: 'listener',
    type: text({ expects: 'tlsv1.3, tlsv1.2 or tlsv1.1', check: unknownTlsVersion, exitCode: 1 }),
    default: null,
    reload: 'restart',
    doc: 'The lowest version of TLS that is accepted; TLS 1.2 when not given.',
  }),
  ciphers: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: text({ expects: 'OpenSSL cipher list' }),
    default: 'DEFAULT:!aNULL:!eNULL:!LOW:!EXPORT:!SSLv2:@STRENGTH',
    repeat: 'replace',
    reload: 'live',
    doc: 'Ciphers for TLS 1.2 and older, as an OpenSSL cipher list.',
  }),
  'ciphers_tls1.3': option({
    scope: 'listener',
    beforeListener: 'creates',
    type: text({ expects: 'OpenSSL cipher suites' }),
    default: null,
    repeat: 'replace',
    reload: 'live',
    doc: 'Cipher suites for TLS 1.3, separated by colons.',
  }),
  disable_client_cert_date_checks: option({
    scope: 'listener',
    type: boolean(),
    default: false,
    reload: 'new-connections',
    since: '2.1',
    doc: 'Accepts client certificates that have expired or are not valid yet, for devices without a clock.',
  }),
  psk_hint: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: text({ expects: 'hint' }),
    default: null,
    reload: 'restart',
    doc: 'Switches TLS with pre-shared keys on and is sent to clients as a hint which key to use.',
  }),
  tls_engine: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: text({ expects: 'name of an OpenSSL engine' }),
    default: null,
    reload: 'restart',
    unsupported: { why: 'OpenSSL 3 has no engines any more' },
    doc: 'OpenSSL engine that holds the key.',
  }),
  tls_engine_kpass_sha1: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: text({ expects: 'SHA-1 in hexadecimal' }),
    default: null,
    reload: 'restart',
    unsupported: { why: 'OpenSSL 3 has no engines any more' },
    doc: 'SHA-1 of the password of the key in an OpenSSL engine.',
  }),
  tls_keyform: option({
    scope: 'listener',
    beforeListener: 'creates',
    type: tlsKeyform(),
    default: 'pem',
    reload: 'restart',
    unsupported: { why: 'OpenSSL 3 has no engines any more' },
    doc: 'Where the key is: `pem` in a file, `engine` in an OpenSSL engine. Anything else means `pem`.',
  }),
  dhparamfile: option({
    scope: 'global',
    type: anything(),
    default: null,
    repeat: 'replace',
    reload: 'live',
    ignored: {
      why: 'parameters for the key exchange are chosen automatically',
      warning: 'Warning: dhparamfile is no longer required.',
    },
    doc: 'Once a file of Diffie-Hellman parameters. Has no effect any more.',
  }),
};

/** Anything but `engine` means `pem`, without a word about it. */
function tlsKeyform(): ValueType<'pem' | 'engine'> {
  return {
    ...keyword(['pem', 'engine']),
    parse: (line, { name }) => (firstWord(line, name) === 'engine' ? 'engine' : 'pem'),
  };
}
