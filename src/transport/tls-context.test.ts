import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CertificateAuthority, type CertificateFiles } from '../../test/harness/certificates.ts';
import { expiryWarnings, loadTls, replaceTls, type TlsListenerSettings, TlsSetupError } from './tls-context.ts';
import { watchHandshakes } from './tls-handshake.ts';

let directory = '';
let ca: CertificateAuthority;
let other: CertificateAuthority;
let server: CertificateFiles;
let client: CertificateFiles;
let stranger: CertificateFiles;
let expired: CertificateFiles;
let settings: TlsListenerSettings;
const running: Server[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tls-'));
  ca = await CertificateAuthority.create(directory);
  other = await CertificateAuthority.create(directory, 'other');
  server = await ca.issue('server', 'server');
  client = await ca.issue('client', 'client');
  stranger = await other.issue('client', 'stranger');
  expired = await ca.issue('client', 'expired', -1);
  settings = {
    certFile: server.certFile,
    keyFile: server.keyFile,
    caFile: ca.certFile,
    caPath: null,
    requireCertificate: false,
    tlsVersion: null,
    ciphers: null,
    ciphersTls13: null,
    crlFile: null,
  };
});

afterEach(() => {
  for (const one of running.splice(0)) one.close();
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Listening {
  readonly server: Server;
  readonly port: number;
  readonly failures: string[];
}

async function listen(over: Partial<TlsListenerSettings> = {}): Promise<Listening> {
  const failures: string[] = [];
  const tlsServer = createServer(loadTls({ ...settings, ...over }).serverOptions, (socket) => {
    socket.on('error', () => undefined);
    socket.end('hello');
  });
  watchHandshakes(tlsServer, (address, port, reason) => failures.push(`${address} ${port > 0} ${reason}`));
  running.push(tlsServer);
  await new Promise<void>((resolve) => tlsServer.listen(0, '127.0.0.1', resolve));
  return { server: tlsServer, port: (tlsServer.address() as AddressInfo).port, failures };
}

/** What a client gets: `hello`, or the code of its error, or nothing. */
function talk(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket: TLSSocket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      rejectUnauthorized: false,
      ...options,
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      text += error.code ?? '';
    });
    socket.on('close', () => resolve(text));
  });
}

function identity({ certFile, keyFile }: CertificateFiles): ConnectionOptions {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

function failure(over: Partial<TlsListenerSettings>): readonly string[] {
  try {
    loadTls({ ...settings, ...over });
  } catch (error) {
    if (error instanceof TlsSetupError) return error.lines;
    throw error;
  }
  return [];
}

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

test('a client that knows the authority is served; no certificate is asked of it', async () => {
  const { port } = await listen();
  expect(await talk(port, { ca: readFileSync(ca.certFile), rejectUnauthorized: true })).toBe('hello');
});

test('with require_certificate only clients with a certificate of the authority come in', async () => {
  const { port, failures } = await listen({ requireCertificate: true });
  expect(await talk(port, identity(client))).toBe('hello');
  expect(await talk(port)).not.toContain('hello');
  expect(await talk(port, identity(stranger))).not.toContain('hello');
  expect(await talk(port, identity(expired))).not.toContain('hello');
  expect(failures).toEqual([
    '127.0.0.1 true peer did not return a certificate',
    '127.0.0.1 true client certificate refused (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    '127.0.0.1 true client certificate refused (CERT_HAS_EXPIRED)',
  ]);
  expect(await talk(port, identity(client))).toBe('hello');
});

test('require_certificate without any authority lets nobody in', async () => {
  const { port } = await listen({ requireCertificate: true, caFile: null });
  expect(await talk(port, identity(client))).not.toContain('hello');
});

test('authorities may lie in a directory, by hash', async () => {
  const caPath = mkdtempSync(join(directory, 'capath-'));
  writeFileSync(join(caPath, 'stranger.pem'), readFileSync(other.certFile)); // not by hash: not trusted
  const hash = execFileSync('openssl', ['x509', '-hash', '-noout', '-in', ca.certFile]).toString().trim();
  writeFileSync(join(caPath, `${hash}.0`), readFileSync(ca.certFile));
  const { port } = await listen({ requireCertificate: true, caFile: null, caPath });
  expect(await talk(port, identity(client))).toBe('hello');
  expect(await talk(port, identity(stranger))).not.toContain('hello');

  const empty = mkdtempSync(join(directory, 'empty-'));
  expect(loadTls({ ...settings, caPath: empty }).warnings).toEqual([
    `Warning: No authority in capath "${empty}": run "openssl rehash ${empty}".`,
  ]);
});

test('a revoked certificate is refused', async () => {
  const revoked = await ca.issue('client', 'revoked');
  const before = await listen({ requireCertificate: true });
  expect(await talk(before.port, identity(revoked))).toBe('hello');
  await ca.revoke([revoked]);
  const after = await listen({ requireCertificate: true, crlFile: ca.crlFile });
  expect(await talk(after.port, identity(client))).toBe('hello');
  expect(await talk(after.port, identity(revoked))).not.toContain('hello');
  expect(after.failures).toEqual(['127.0.0.1 true client certificate refused (CERT_REVOKED)']);
});

test('tls_version is the lowest version spoken', async () => {
  const usual = await listen();
  expect(await talk(usual.port, { maxVersion: 'TLSv1.2' })).toBe('hello');
  const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
  expect(await talk(usual.port, old)).not.toContain('hello');

  const strict = await listen({ tlsVersion: 'tlsv1.3' });
  expect(await talk(strict.port)).toBe('hello');
  expect(await talk(strict.port, { maxVersion: 'TLSv1.2' })).not.toContain('hello');

  const lax = await listen({ tlsVersion: 'tlsv1.1' });
  expect(await talk(lax.port, old)).toBe('hello');
  expect(await talk(lax.port)).toBe('hello');
  expect(loadTls({ ...settings, tlsVersion: 'tlsv1.1' }).warnings).toHaveLength(2);
});

test('ciphers and suites are those asked for', async () => {
  const { port } = await listen({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', ciphersTls13: 'TLS_AES_128_GCM_SHA256' });
  expect(await talk(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe('hello');
  expect(await talk(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })).not.toContain('hello');
  expect(await talk(port, { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' })).toBe('hello');
  expect(await talk(port, { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' })).not.toContain('hello');
});

test('what cannot be used is named, with the reason', () => {
  const missing = join(directory, 'missing');
  const nonsense = write('nonsense', 'not PEM\n');
  expect(failure({})).toEqual([]);

  expect(failure({ caFile: missing })[0]).toBe(`Error: Unable to load CA certificates. Check cafile "${missing}".`);
  expect(failure({ caFile: missing })[1]).toContain('ENOENT');
  expect(failure({ caFile: nonsense })[1]).toContain('no certificate in PEM form');
  expect(failure({ caPath: missing })[0]).toBe(`Error: Unable to load CA certificates. Check capath "${missing}".`);
  expect(failure({ certFile: missing })[0]).toBe(
    `Error: Unable to load server certificate "${missing}". Check certfile.`,
  );
  expect(failure({ certFile: nonsense })[1]).toContain('no certificate in PEM form');
  expect(failure({ keyFile: missing })[0]).toBe(`Error: Unable to load server key file "${missing}". Check keyfile.`);
  expect(failure({ keyFile: server.certFile })[1]).toContain('no private key in PEM form');
  expect(failure({ keyFile: client.keyFile })[0]).toBe('Error: Server certificate/key are inconsistent.');
  expect(failure({ crlFile: nonsense })[0]).toBe(
    `Error: Unable to load certificate revocation file "${nonsense}". Check crlfile.`,
  );
  expect(failure({ ciphers: 'NOPE' })[0]).toBe('Error: Unable to set TLS ciphers. Check cipher list "NOPE".');
  expect(failure({ ciphersTls13: 'AES128-SHA' })[0]).toBe(
    'Error: Unable to set TLS 1.3 ciphersuites. Check cipher list "AES128-SHA".',
  );
  expect(failure({ ciphersTls13: 'TLS_NOPE' })).toHaveLength(2);
  expect(failure({ tlsVersion: 'tlsv1' })[0]).toBe('Error: Unsupported tls_version "tlsv1".');
});

test('a damaged certificate and an encrypted key are named too', () => {
  const pem = readFileSync(server.certFile, 'latin1');
  expect(failure({ certFile: write('cut', pem.slice(0, 200)) })[1]).toContain('no certificate in PEM form');
  const damaged = write('damaged', pem.replace('-----\nMII', '-----\nAAA'));
  expect(failure({ certFile: damaged })[0]).toBe(
    `Error: Unable to load server certificate "${damaged}". Check certfile.`,
  );
  const key = execFileSync('openssl', ['pkcs8', '-topk8', '-passout', 'pass:x', '-in', server.keyFile]).toString();
  expect(failure({ keyFile: write('encrypted', key) })[1]).toContain('the key is encrypted');
});

test('new certificates are for new connections; those that exist stay', async () => {
  const { server: tlsServer, port } = await listen();
  tlsServer.removeAllListeners('secureConnection');
  tlsServer.on('secureConnection', (socket) => socket.pipe(socket));
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(ca.certFile) });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const old = socket.getPeerCertificate().fingerprint256;

  const renewed = await ca.issue('server', 'renewed');
  replaceTls(tlsServer, loadTls({ ...settings, ...renewed, requireCertificate: true }));

  socket.write('still here');
  expect(String(await new Promise((resolve) => socket.once('data', resolve)))).toBe('still here');
  expect(await talk(port)).not.toContain('hello'); // a certificate is asked for now
  const next = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(ca.certFile),
    ...identity(client),
  });
  await new Promise((resolve) => next.once('secureConnect', resolve));
  expect(next.getPeerCertificate().fingerprint256).not.toBe(old);
  socket.destroy();
  next.destroy();
});

test('warns of certificates near their end', () => {
  const material = loadTls(settings);
  const end = material.certificates[0]?.notAfterMs ?? 0;
  const day = 86_400_000;
  expect(expiryWarnings(material, end - 30 * day)).toEqual([]);
  expect(expiryWarnings(material, end - 30 * day + 1)).toEqual([
    `Warning: The certificate O=Moustique tests, CN=server in "${server.certFile}" expires in 29 days, on ${new Date(end).toISOString()}.`,
  ]);
  expect(expiryWarnings(material, end - day)[0]).toContain('expires in 1 day, on');
  expect(expiryWarnings(material, end)[0]).toContain('expired on');
});
