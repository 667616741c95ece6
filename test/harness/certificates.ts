import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programPath } from './programs.ts';
import { runToEnd } from './running-process.ts';

/** A certificate with its key, as PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority made by openssl for one test: elliptic-curve keys, valid for a day or as told. */
export class CertificateAuthority {
  readonly #dir: string;
  readonly #name: string;

  private constructor(dir: string, name: string) {
    this.#dir = dir;
    this.#name = name;
  }

  /** @param dir - where its files and those of its certificates go */
  static async create(dir: string, name = 'ca'): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(dir, name);
    await openssl([
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '2'],
      ...['-subj', `/O=Moustique tests/CN=${name}`, '-keyout', authority.keyFile, '-out', authority.certFile],
      ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ]);
    return authority;
  }

  get certFile(): string {
    return join(this.#dir, `${this.#name}.crt`);
  }

  get keyFile(): string {
    return join(this.#dir, `${this.#name}.key`);
  }

  /** Where `revoke` writes the revocation list. */
  get crlFile(): string {
    return join(this.#dir, `${this.#name}.crl`);
  }

  /**
   * A certificate for a server on this machine (localhost, 127.0.0.1, ::1) or for a client.
   *
   * @param commonName - also the name of the files
   * @param days - validity; a negative number makes a certificate that has expired
   */
  async issue(use: 'server' | 'client', commonName: string, days = 1): Promise<CertificateFiles> {
    const file = (ending: string): string => join(this.#dir, `${commonName}.${ending}`);
    const extensions = [
      `extendedKeyUsage=${use}Auth`,
      ...(use === 'server' ? ['subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'] : []),
    ];
    writeFileSync(file('ext'), extensions.join('\n'));
    await openssl([
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'],
      ...['-subj', `/O=Moustique tests/CN=${commonName}`, '-keyout', file('key'), '-out', file('csr')],
    ]);
    await openssl([
      ...['x509', '-req', '-in', file('csr'), '-CA', this.certFile, '-CAkey', this.keyFile, '-CAcreateserial'],
      ...['-days', String(days), '-extfile', file('ext'), '-out', file('crt')],
    ]);
    return { certFile: file('crt'), keyFile: file('key') };
  }

  /** Write a revocation list that names these certificates. */
  async revoke(certificates: readonly CertificateFiles[]): Promise<void> {
    const settings = join(this.#dir, `${this.#name}.cnf`);
    const database = join(this.#dir, `${this.#name}.index`);
    writeFileSync(database, '');
    writeFileSync(settings, `[ca]\ndefault_ca=d\n[d]\ndatabase=${database}\ndefault_md=sha256\ndefault_crl_days=1\n`);
    const common = ['ca', '-config', settings, '-cert', this.certFile, '-keyfile', this.keyFile];
    for (const { certFile } of certificates) await openssl([...common, '-revoke', certFile]);
    await openssl([...common, '-gencrl', '-out', this.crlFile]);
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  const result = await runToEnd([programPath('openssl'), ...args]);
  if (result.status !== 0) throw new Error(`openssl ${args.join(' ')}:\n${result.stderr}`);
}
