/** TLS of a bridge: who is trusted, who the bridge is, and what is negotiated. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { CertificateAuthority } from '../harness/certificates.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { logged, startBridged, startRemote, untilConnected } from './places.ts';

const resources = useResources();
const quiet = ['topic # both 1', 'restart_timeout 1', 'notifications false'];

async function authorityIn(dir: string, name = 'ca'): Promise<CertificateAuthority> {
  return CertificateAuthority.create(dir, name);
}

/** A TLS server that tells what was negotiated, and answers nothing. */
async function listenTls(
  options: TlsOptions,
): Promise<{ readonly port: number; readonly accepted: Promise<TLSSocket> }> {
  let accept: (socket: TLSSocket) => void = () => {};
  let opened: TLSSocket | undefined;
  const accepted = new Promise<TLSSocket>((resolve) => {
    accept = (socket) => {
      opened = socket;
      resolve(socket);
    };
  });
  const server = createServer(options, (socket) => accept(socket));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resources.add({
    close: () => {
      server.close();
      opened?.destroy();
    },
  });
  return { port: (server.address() as AddressInfo).port, accepted };
}

describe.each(['moustique', 'mosquitto'] as const)('to a listener of %s', (name) => {
  const here =
    name === 'moustique' ? describe : (title: string, body: () => void) => describeWith(['mosquitto'], title, body);
  here('with certificates', () => {
    test('bridge_cafile, bridge_certfile and bridge_keyfile: both sides prove who they are', async () => {
      const dir = tempDir(resources);
      const authority = await authorityIn(dir);
      const [server, client] = [await authority.issue('server', 'server'), await authority.issue('client', 'branch')];
      const there = await startRemote(resources, name, [
        ...['listener {tls} 127.0.0.1', `cafile ${authority.certFile}`, `certfile ${server.certFile}`],
        ...[`keyfile ${server.keyFile}`, 'require_certificate true', 'use_identity_as_username true'],
      ]);
      const place = await startBridged(resources, `localhost:${there.broker.port('tls')}`, [
        ...[`bridge_cafile ${authority.certFile}`, `bridge_certfile ${client.certFile}`],
        ...[`bridge_keyfile ${client.keyFile}`, ...quiet],
      ]);
      await untilConnected(place);
      await logged(there, /New bridge connected from .* as .*\.one \(.*u'branch'\)/);
      const far = await there.connect();
      await far.subscribe({ filter: 'a', qos: 1 });
      const near = await place.connect();
      await near.publish({ topic: 'a', payload: 'x'.repeat(100_000), qos: 1 });
      await far.expectPublish({ topic: 'a', payload: 'x'.repeat(100_000) });
    });

    test('bridge_identity and bridge_psk', async () => {
      const there = await startRemote(
        resources,
        name,
        [...['listener {tls} 127.0.0.1', 'psk_hint hint', 'psk_file {dir}/keys', 'use_identity_as_username true']].map(
          (line) => line.replace('{dir}', tempWithKeys()),
        ),
      );
      const place = await startBridged(resources, there.broker.port('tls'), [
        ...['bridge_identity branch', 'bridge_psk deadbeef', ...quiet],
      ]);
      await untilConnected(place);
      await logged(there, /New bridge connected from .* as .*\.one \(.*u'branch'\)/);
    });
  });
});

function tempWithKeys(): string {
  const dir = tempDir(resources);
  writeFileSync(join(dir, 'keys'), 'branch:deadbeef\n', { mode: 0o600 });
  return dir;
}

describe('who is trusted', () => {
  test.each([
    ['a stranger is not', 'bridge_cafile {stranger}', false],
    ['one in a directory is: bridge_capath', 'bridge_capath {directory}', true],
    ['not under another name', 'bridge_cafile {ca}\nremote_clientid 127', false],
    ['under another name with bridge_insecure', 'bridge_insecure true\nbridge_cafile {ca}\nremote_clientid 127', true],
    ['those of the system are others: bridge_tls_use_os_certs', 'bridge_tls_use_os_certs true', false],
    ['both: bridge_tls_use_os_certs', 'bridge_cafile {ca}\nbridge_tls_use_os_certs true', true],
  ])('%s', async (_, lines, isTrusted) => {
    const dir = tempDir(resources);
    const [authority, stranger] = [await authorityIn(dir), await authorityIn(dir, 'stranger')];
    const server = await authority.issue('server', 'server');
    const directory = join(dir, 'authorities');
    mkdirSync(directory);
    writeFileSync(join(directory, 'ca.pem'), readFileSync(authority.certFile));
    // The certificate is for localhost, 127.0.0.1 and ::1.
    const host = lines.includes('127') ? '127.0.0.2' : 'localhost';
    const there = await startRemote(resources, 'moustique', [
      ...['listener {tls}', `certfile ${server.certFile}`, `keyfile ${server.keyFile}`],
    ]);
    const filled = lines
      .replace('{ca}', authority.certFile)
      .replace('{stranger}', stranger.certFile)
      .replace('{directory}', directory);
    const place = await startBridged(resources, `${host}:${there.broker.port('tls')}`, [
      ...filled.split('\n'),
      ...quiet,
    ]);
    if (isTrusted) await untilConnected(place);
    else await logged(place, /Error creating bridge: .*(certificate|cert)/i);
    expect(place.log.includes('Bridge one connected')).toBe(isTrusted);
    expect(place.log.includes("Bridge 'one' using insecure mode.")).toBe(lines.includes('insecure'));
  });

  test('a file that is not there is named', async () => {
    const place = await startBridged(resources, 1, ['bridge_cafile /nowhere/ca.pem', ...quiet]);
    const words = 'Error creating bridge: Unable to load CA certificates, check bridge_cafile "/nowhere/ca.pem".';
    await logged(place, words);
  });

  test('bridge_require_ocsp true: rather no connection than one that was not checked', async () => {
    const dir = tempDir(resources);
    const authority = await authorityIn(dir);
    const place = await startBridged(resources, 1, [
      ...[`bridge_cafile ${authority.certFile}`, 'bridge_require_ocsp true', ...quiet],
    ]);
    await logged(place, 'Error creating bridge: bridge_require_ocsp: ');
  });
});

describe('what is negotiated', () => {
  test.each([
    ['bridge_alpn mqtt', { ALPNProtocols: ['other', 'mqtt'] }, { alpnProtocol: 'mqtt' }],
    ['bridge_tls_version tlsv1.3', {}, { protocol: 'TLSv1.3' }],
    [
      'bridge_ciphers ECDHE-ECDSA-AES256-GCM-SHA384',
      { maxVersion: 'TLSv1.2' } as const,
      { cipher: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' },
    ],
    ['bridge_ciphers_tls1.3 TLS_CHACHA20_POLY1305_SHA256', {}, { cipher: 'TLS_CHACHA20_POLY1305_SHA256' }],
  ])('%s', async (line, options, wanted) => {
    const dir = tempDir(resources);
    const authority = await authorityIn(dir);
    const { certFile, keyFile } = await authority.issue('server', 'server');
    const server = await listenTls({ cert: readFileSync(certFile), key: readFileSync(keyFile), ...options });
    await startBridged(resources, `localhost:${server.port}`, [`bridge_cafile ${authority.certFile}`, line, ...quiet]);
    const socket = await server.accepted;
    const found = {
      alpnProtocol: socket.alpnProtocol,
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().standardName,
    };
    expect(found).toMatchObject(wanted);
  });

  test('bridge_tls_version tlsv1.3 does not speak with a server of 1.2', async () => {
    const dir = tempDir(resources);
    const authority = await authorityIn(dir);
    const { certFile, keyFile } = await authority.issue('server', 'server');
    const server = await listenTls({ cert: readFileSync(certFile), key: readFileSync(keyFile), maxVersion: 'TLSv1.2' });
    const place = await startBridged(resources, `localhost:${server.port}`, [
      ...[`bridge_cafile ${authority.certFile}`, 'bridge_tls_version tlsv1.3', ...quiet],
    ]);
    await logged(place, /Error creating bridge: .*(version|alert)/i);
  });
});
