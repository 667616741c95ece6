/** The rows of the table of client options that are about TLS. */
import { EVERY_TOOL, type OptionRow } from './option-row.ts';

export const tlsOptionRows: readonly OptionRow[] = [
  {
    flags: ['--cafile'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'FILE',
    missing: 'no file specified',
    help: 'Certificates of the authorities to trust (PEM); turns TLS on.',
    completes: 'file',
    apply: (options, value) => {
      options.tls.caFile = value;
    },
  },
  {
    flags: ['--capath'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'DIRECTORY',
    missing: 'no directory specified',
    help: 'Directory with such certificates, one per file; turns TLS on.',
    completes: 'directory',
    apply: (options, value) => {
      options.tls.caPath = value;
    },
  },
  {
    flags: ['--tls-use-os-certs'],
    tools: EVERY_TOOL,
    group: 'TLS',
    help: 'Trust the authorities of the operating system; turns TLS on.',
    apply: (options) => {
      options.tls.useOsCertificates = true;
    },
  },
  {
    flags: ['--cert'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'FILE',
    missing: 'no file specified',
    help: 'Certificate of this client (PEM). Needs --key.',
    completes: 'file',
    apply: (options, value) => {
      options.tls.certFile = value;
    },
  },
  {
    flags: ['--key'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'FILE',
    missing: 'no file specified',
    help: 'Private key of this client (PEM). Needs --cert.',
    completes: 'file',
    apply: (options, value) => {
      options.tls.keyFile = value;
    },
  },
  {
    flags: ['--keyform'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'FORM',
    missing: 'no keyform specified',
    help: 'Form of the key: pem. (engine is refused: there are no TLS engines here.)',
    completes: ['pem'],
    apply: (options, value) => {
      options.tls.keyForm = value;
    },
  },
  {
    flags: ['--ciphers'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'LIST',
    missing: 'no ciphers specified',
    help: 'Ciphers to offer, as OpenSSL writes them.',
    apply: (options, value) => {
      options.tls.ciphers = value;
    },
  },
  {
    flags: ['--tls-version'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'VERSION',
    missing: 'no version specified',
    help: 'TLS version: tlsv1.2 or tlsv1.3.',
    completes: ['tlsv1.2', 'tlsv1.3'],
    apply: (options, value) => {
      options.tls.version = value;
    },
  },
  {
    flags: ['--insecure'],
    tools: EVERY_TOOL,
    group: 'TLS',
    help: 'Check nothing about the certificate of the broker. For tests only: anybody could answer.',
    apply: (options) => {
      options.tls.isInsecure = true;
    },
  },
  {
    flags: ['--tls-alpn'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'PROTOCOL',
    missing: 'no protocol specified',
    help: 'Protocol name to announce (ALPN).',
    apply: (options, value) => {
      options.tls.alpn = value;
    },
  },
  {
    flags: ['--tls-keylog'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'FILE',
    missing: 'no file specified',
    help: 'Write the keys of the connection to a file, for a network analyser.',
    completes: 'file',
    apply: (options, value) => {
      options.tls.keyLogFile = value;
    },
  },
  {
    flags: ['--psk'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'KEY',
    missing: 'no key specified',
    help: 'Shared key in hexadecimal; turns TLS with a pre-shared key on. Needs --psk-identity.',
    apply: (options, value) => {
      options.tls.psk = value;
    },
  },
  {
    flags: ['--psk-identity'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'NAME',
    missing: 'no identity specified',
    help: 'Name under which the broker knows the shared key.',
    apply: (options, value) => {
      options.tls.pskIdentity = value;
    },
  },
  {
    flags: ['--tls-engine'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'ENGINE',
    missing: 'no engine_id specified',
    help: 'Refused: there are no TLS engines here.',
    apply: (options, value) => {
      options.tls.engine = value;
    },
  },
  {
    flags: ['--tls-engine-kpass-sha1'],
    tools: EVERY_TOOL,
    group: 'TLS',
    argument: 'SHA1',
    missing: 'no kpass sha1 specified',
    help: 'Refused: there are no TLS engines here.',
    apply: (options, value) => {
      options.tls.engineKeyPassSha1 = value;
    },
  },
  {
    flags: ['--no-tls'],
    tools: EVERY_TOOL,
    group: 'TLS',
    help: 'No TLS, also on port 8883.',
    apply: (options) => {
      options.tls.isForbidden = true;
    },
  },
];
