/**
 * TLS of a listener: from the files of its configuration to what Node's servers take.
 *
 * Everything is read and tried before anything is used, so that a broken file is named at start and keeps nothing half
 * made, and at a reload the old certificates stay.
 */
import { createPrivateKey, constants as cryptoConstants, type KeyObject, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContextOptions, type Server, type TlsOptions } from 'node:tls';

/** The options of a listener that TLS is made of; paths as configured, null when not given. */
export interface TlsListenerSettings {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string | null;
  /** Directory as `openssl rehash` makes it. */
  readonly caPath: string | null;
  readonly requireCertificate: boolean;
  /** `tlsv1.1`, `tlsv1.2` or `tlsv1.3`: the lowest version; null is TLS 1.2. */
  readonly tlsVersion: string | null;
  /** OpenSSL cipher list for TLS 1.2 and older; null is Mosquitto's default. */
  readonly ciphers: string | null;
  /** Cipher suites of TLS 1.3, separated by colons; null is OpenSSL's default. */
  readonly ciphersTls13: string | null;
  readonly crlFile: string | null;
}

/** A certificate of ours and until when it is good. */
export interface OwnCertificate {
  readonly file: string;
  readonly subject: string;
  /** In ms since 1970. */
  readonly notAfterMs: number;
}

/** Everything a server needs, checked. */
export interface TlsMaterial {
  readonly serverOptions: TlsOptions;
  readonly certificates: readonly OwnCertificate[];
  /** Lines for the log about what works and should not be relied on. */
  readonly warnings: readonly string[];
}

/** A listener cannot speak TLS; the process ends with status 1 when this happens at start. */
export class TlsSetupError extends Error {
  override readonly name = 'TlsSetupError';
  readonly exitCode = 1;
  /** Mosquitto's line, then the reason. */
  readonly lines: readonly string[];

  constructor(line: string, reason: string) {
    super(`${line} ${reason}`);
    this.lines = [line, reason];
  }
}

const defaultCiphers = 'DEFAULT:!aNULL:!eNULL:!LOW:!EXPORT:!SSLv2:@STRENGTH';
const defaultSuites = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
/** A peer that does not finish its handshake is cut off; Node waits two minutes. */
const handshakeTimeoutMs = 10_000;
const expiryWarningDays = 30;
const dayMs = 86_400_000;

const minimumVersions: Readonly<Record<string, 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>> = {
  'tlsv1.1': 'TLSv1.1',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.3': 'TLSv1.3',
};

/**
 * Reads and tries everything.
 *
 * @throws TlsSetupError - with the file or option at fault in its lines
 */
export function loadTls(settings: TlsListenerSettings): TlsMaterial {
  const warnings: string[] = [];
  const ca = [...readAuthorityFile(settings), ...readAuthorityDirectory(settings, warnings)];
  const { cert, leaf, certificates } = readCertificates(settings.certFile);
  const key = readKey(settings.keyFile);
  if (!leaf.checkPrivateKey(key.object)) {
    throw new TlsSetupError(
      'Error: Server certificate/key are inconsistent.',
      `Error: The key in "${settings.keyFile}" does not belong to the certificate in "${settings.certFile}".`,
    );
  }
  const crl = readRevocations(settings.crlFile);
  const minVersion = minimumVersion(settings.tlsVersion, warnings);
  const ciphers = cipherList(settings);
  const options: SecureContextOptions = {
    cert,
    key: key.pem,
    // Without a list Node would trust every authority of the Web.
    ca,
    ...(crl === null ? {} : { crl }),
    ciphers,
    minVersion,
    honorCipherOrder: true,
    dhparam: 'auto',
    secureOptions: cryptoConstants.SSL_OP_NO_COMPRESSION | cryptoConstants.SSL_OP_NO_RENEGOTIATION,
  };
  attempt(() => createSecureContext(options), 'Error: Unable to set up TLS.');
  return {
    serverOptions: {
      ...options,
      requestCert: settings.requireCertificate,
      rejectUnauthorized: settings.requireCertificate,
      handshakeTimeout: handshakeTimeoutMs,
    },
    certificates,
    warnings,
  };
}

/** Gives a running server new certificates: connections that exist stay as they are, new ones get the new ones. */
export function replaceTls(server: Server, material: TlsMaterial): void {
  server.setSecureContext(material.serverOptions);
  // Node reads both for every accepted socket; that they may change is not in its types.
  const asked = server as unknown as { requestCert: boolean; rejectUnauthorized: boolean };
  asked.requestCert = material.serverOptions.requestCert === true;
  asked.rejectUnauthorized = material.serverOptions.rejectUnauthorized === true;
}

/** A line for each certificate that has expired or will within 30 days; worth a look at start and daily. */
export function expiryWarnings(material: TlsMaterial, nowMs: number): string[] {
  const lines: string[] = [];
  for (const { file, subject, notAfterMs } of material.certificates) {
    const days = Math.floor((notAfterMs - nowMs) / dayMs);
    if (days >= expiryWarningDays) continue;
    const date = new Date(notAfterMs).toISOString();
    const what = `Warning: The certificate ${subject} in "${file}"`;
    if (notAfterMs <= nowMs) lines.push(`${what} expired on ${date}.`);
    else lines.push(`${what} expires in ${days} ${days === 1 ? 'day' : 'days'}, on ${date}.`);
  }
  return lines;
}

function attempt<T>(action: () => T, line: string): T {
  try {
    return action();
  } catch (error) {
    throw new TlsSetupError(line, `Error: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

interface PemCertificate {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

const pemCertificate =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

const pemRevocations = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/** The certificates in a PEM file, one at least; what stands between them is ignored, as by OpenSSL. */
function certificatesIn(text: string): PemCertificate[] {
  const blocks = text.match(pemCertificate);
  if (blocks === null) throw new Error('no certificate in PEM form in this file');
  return blocks.map((pem) => ({ pem, certificate: new X509Certificate(pem) }));
}

/** Authorities in a PEM file, as text. */
function authoritiesIn(file: string): string[] {
  return certificatesIn(readFileSync(file, 'latin1')).map(({ pem }) => pem);
}

function readAuthorityFile({ caFile }: TlsListenerSettings): string[] {
  if (caFile === null) return [];
  const line = `Error: Unable to load CA certificates. Check cafile "${caFile}".`;
  return attempt(() => authoritiesIn(caFile), line);
}

/** Only files named by hash, as OpenSSL does: anything else in the directory is not trusted by accident. */
function readAuthorityDirectory({ caPath }: TlsListenerSettings, warnings: string[]): string[] {
  if (caPath === null) return [];
  const line = `Error: Unable to load CA certificates. Check capath "${caPath}".`;
  const names = attempt(() => readdirSync(caPath), line).filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name));
  if (names.length === 0) {
    warnings.push(`Warning: No authority in capath "${caPath}": run "openssl rehash ${caPath}".`);
  }
  return names.toSorted().flatMap((name) => attempt(() => authoritiesIn(join(caPath, name)), line));
}

function readCertificates(file: string): {
  readonly cert: string;
  readonly leaf: X509Certificate;
  readonly certificates: readonly OwnCertificate[];
} {
  const line = `Error: Unable to load server certificate "${file}". Check certfile.`;
  return attempt(() => {
    const cert = readFileSync(file, 'latin1');
    const chain = certificatesIn(cert).map(({ certificate }) => certificate);
    // OpenSSL refuses what is too weak here.
    createSecureContext({ cert });
    const certificates = chain.map((certificate) => ({
      file,
      subject: oneLine(certificate.subject),
      notAfterMs: Date.parse(certificate.validTo),
    }));
    return { cert, leaf: chain[0] ?? new X509Certificate(cert), certificates };
  }, line);
}

function oneLine(subject: string | undefined): string {
  return subject === undefined || subject === '' ? '(no subject)' : subject.split('\n').join(', ');
}

function readKey(file: string): { readonly pem: string; readonly object: KeyObject } {
  const line = `Error: Unable to load server key file "${file}". Check keyfile.`;
  return attempt(() => {
    const pem = readFileSync(file, 'latin1');
    if (!pem.includes('PRIVATE KEY-----')) throw new Error('no private key in PEM form in this file');
    if (isEncrypted(pem)) throw new Error('the key is encrypted, and there is nobody to ask for its password');
    return { pem, object: createPrivateKey(pem) };
  }, line);
}

function isEncrypted(pem: string): boolean {
  return pem.includes('BEGIN ENCRYPTED PRIVATE KEY') || pem.includes('Proc-Type: 4,ENCRYPTED');
}

/** Every list in the file, one for each authority; Node would take the first of a text. */
function readRevocations(file: string | null): string[] | null {
  if (file === null) return null;
  const line = `Error: Unable to load certificate revocation file "${file}". Check crlfile.`;
  return attempt(() => {
    const lists = readFileSync(file, 'latin1').match(pemRevocations);
    if (lists === null) throw new Error('no revocation list in PEM form in this file');
    createSecureContext({ crl: lists });
    return lists;
  }, line);
}

function minimumVersion(version: string | null, warnings: string[]): 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' {
  if (version === null) return 'TLSv1.2';
  const minimum = minimumVersions[version];
  if (minimum === undefined) {
    throw new TlsSetupError(
      `Error: Unsupported tls_version "${version}".`,
      'Error: tls_version may be tlsv1.3, tlsv1.2 or tlsv1.1.',
    );
  }
  if (minimum === 'TLSv1.1') {
    warnings.push('Warning: TLS 1.1 is insecure and no longer supported by most programs.');
    warnings.push('Warning: Use tls_version tlsv1.2, or leave tls_version out.');
  }
  return minimum;
}

/** Node takes the list and the suites of TLS 1.3 as one list and tells them apart by `TLS_`. */
function cipherList({ ciphers, ciphersTls13, tlsVersion }: TlsListenerSettings): string {
  const list = (ciphers ?? defaultCiphers).split(':').filter((name) => !name.startsWith('TLS_'));
  const suites = (ciphersTls13 ?? defaultSuites).split(':').filter((name) => name.startsWith('TLS_'));
  tryCiphers(list.join(':'), `Error: Unable to set TLS ciphers. Check cipher list "${ciphers ?? ''}".`);
  tryCiphers(suites.join(':'), `Error: Unable to set TLS 1.3 ciphersuites. Check cipher list "${ciphersTls13 ?? ''}".`);
  // OpenSSL 3 has the signatures of TLS 1.1 at level 0 only.
  const level = tlsVersion === 'tlsv1.1' ? ['@SECLEVEL=0'] : [];
  return [...suites, ...list, ...level].join(':');
}

function tryCiphers(ciphers: string, line: string): void {
  attempt(() => {
    if (ciphers === '') throw new Error('no cipher of this version of TLS is named');
    createSecureContext({ ciphers });
  }, line);
}
