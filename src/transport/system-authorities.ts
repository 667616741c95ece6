/** Certificates of the authorities to trust: the operating system's, or those of a directory. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tls from 'node:tls';

/** Where Linux and BSD systems keep the authorities in one file. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/usr/local/share/certs/ca-root-nss.crt',
];

/**
 * The authorities that the operating system trusts, PEM; those that came with Node where none are found.
 *
 * @param environment - `SSL_CERT_FILE` and `SSL_CERT_DIR` override the usual places, as they do for OpenSSL
 */
export function systemAuthorities(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  const file = environment['SSL_CERT_FILE'];
  const directory = environment['SSL_CERT_DIR'];
  if (file !== undefined || directory !== undefined) {
    return [
      ...(file === undefined ? [] : certificatesIn(readFileSync(file, 'latin1'))),
      ...(directory === undefined ? [] : authoritiesOfDirectory(directory)),
    ];
  }
  const bundle = BUNDLES.find((path) => existsSync(path));
  return bundle === undefined ? tls.rootCertificates : certificatesIn(readFileSync(bundle, 'latin1'));
}

/**
 * All certificates in the files of a directory. OpenSSL looks for names made of a hash; here every file is read, so the
 * directory need not be prepared.
 *
 * @throws Error - with a `code`, when the directory cannot be read
 */
export function authoritiesOfDirectory(path: string): readonly string[] {
  const found = new Set<string>();
  for (const name of readdirSync(path)) {
    let content: string;
    try {
      content = readFileSync(join(path, name), 'latin1');
    } catch {
      continue; // a directory, or not ours to read
    }
    for (const certificate of certificatesIn(content)) found.add(certificate);
  }
  return [...found];
}

/** The PEM certificates in a text. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
}
