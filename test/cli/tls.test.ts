import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { main as pub } from '../../src/cli/pub.ts';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { type Outcome, runInProcess } from './in-process.ts';

const TLS_ERROR = 'Error: A TLS error occurred\n';

describeWith(['mosquitto', 'openssl'], 'pub over TLS', () => {
  const resources = useResources('end of file');
  let dir: string;
  let authority: CertificateAuthority;
  let stranger: CertificateAuthority;
  let broker: TestBroker;

  beforeAll(async () => {
    dir = tempDir(resources);
    authority = await CertificateAuthority.create(dir);
    stranger = await CertificateAuthority.create(dir, 'stranger');
    const good = await authority.issue('server', 'localhost');
    const expired = await authority.issue('server', 'expired', -1);
    await authority.issue('client', 'alice');
    await stranger.issue('client', 'mallory');
    const nameless = await authority.issue('client', 'nameless');
    const files = (pair: { readonly certFile: string; readonly keyFile: string }) => [
      `certfile ${pair.certFile}`,
      `keyfile ${pair.keyFile}`,
    ];
    broker = await startBroker(resources, 'mosquitto', {
      config: [
        ...['per_listener_settings true', 'listener {plain}', 'allow_anonymous true'],
        ...['listener {tls}', 'allow_anonymous true', ...files(good)],
        ...['listener {expired}', 'allow_anonymous true', ...files(expired)],
        ...['listener {nameless}', 'allow_anonymous true', ...files(nameless)],
        ...['listener {mutual}', 'allow_anonymous true', ...files(good), `cafile ${authority.certFile}`],
        ...['require_certificate true', 'use_identity_as_username true'],
        ...[
          'listener {psk}',
          'allow_anonymous true',
          'psk_hint test',
          'psk_file {dir}/psk',
          'use_identity_as_username true',
        ],
      ],
      files: { psk: 'device:0123456789abcdef\n' },
    });
  });

  function run(listener: string, ...more: string[]): Promise<Outcome> {
    return runInProcess(pub, ['-p', String(broker.port(listener)), '-t', 'a', '-m', 'x', '-q', '1', ...more]);
  }

  const worked = { status: 0, stderr: '', stdout: '' };

  describe('with authorities', () => {
    test('of a file', async () => {
      expect(await run('tls', '--cafile', authority.certFile)).toMatchObject(worked);
    });

    test('of a directory, without hashed names', async () => {
      const folder = join(dir, 'authorities');
      mkdirSync(folder);
      symlinkSync(authority.certFile, join(folder, 'any-name.pem'));
      expect(await run('tls', '--capath', folder)).toMatchObject(worked);
    });

    test('one of several in a file', async () => {
      const both = join(dir, 'both.pem');
      writeFileSync(both, `${readFileSync(stranger.certFile, 'utf8')}${readFileSync(authority.certFile, 'utf8')}`);
      expect(await run('tls', '--cafile', both)).toMatchObject(worked);
    });

    test('that are not the right ones: status 8 and what to do', async () => {
      const outcome = await run('tls', '--cafile', stranger.certFile);
      expect(outcome.status).toBe(8);
      expect(outcome.stderr).toMatch(
        new RegExp(`^${TLS_ERROR} {7}\\(the broker's certificate comes from an authority that is not trusted`),
      );
    });

    test('of the operating system, which do not know ours: status 8', async () => {
      const outcome = await run('tls', '--tls-use-os-certs');
      expect(outcome.status).toBe(8);
      expect(outcome.stderr).toContain('an authority that is not trusted');
    });

    test('not looked at with --insecure', async () => {
      expect(await run('tls', '--cafile', stranger.certFile, '--insecure')).toMatchObject(worked);
      expect(await run('nameless', '--cafile', authority.certFile, '--insecure')).toMatchObject(worked);
    });
  });

  describe('says what is wrong:', () => {
    test('an expired certificate', async () => {
      const outcome = await run('expired', '--cafile', authority.certFile);
      expect(outcome).toMatchObject({
        status: 8,
        stderr: `${TLS_ERROR}       (the broker's certificate has expired)\n`,
      });
    });

    test('a certificate for another name', async () => {
      // It is made out to localhost, 127.0.0.1 and ::1.
      const outcome = await run('tls', '--cafile', authority.certFile, '-h', '127.0.0.2');
      expect(outcome.status).toBe(8);
      expect(outcome.stderr).toMatch(new RegExp(`^${TLS_ERROR} {7}\\(.*127\\.0\\.0\\.2.*\\)\n$`));
    });

    test('a certificate that is not for servers', async () => {
      const outcome = await run('nameless', '--cafile', authority.certFile);
      expect(outcome).toMatchObject({ status: 8, stderr: `${TLS_ERROR}       (unsuitable certificate purpose)\n` });
    });

    test('a broker without TLS', async () => {
      const outcome = await run('plain', '--cafile', authority.certFile);
      expect(outcome.status).toBe(8);
      expect(outcome.stderr).toMatch(new RegExp(`^${TLS_ERROR}`));
    });

    test('a file that is missing', async () => {
      for (const option of ['--cafile', '--cert', '--key']) {
        const others = [
          '--cafile',
          authority.certFile,
          '--cert',
          join(dir, 'alice.crt'),
          '--key',
          join(dir, 'alice.key'),
        ];
        const outcome = await run('tls', ...others, option, '/nonexistent');
        expect(outcome).toMatchObject({
          status: 1,
          stderr: 'Error: Problem setting TLS options: File not found: /nonexistent.\n',
        });
      }
    });

    test('a file without a certificate', async () => {
      const outcome = await run('tls', '--cafile', '/etc/hostname');
      expect(outcome).toMatchObject({
        status: 1,
        stderr: 'Unable to connect (A TLS error occurred).\n       (the file of authorities holds no certificate)\n',
      });
    });

    test('ciphers that do not exist', async () => {
      const outcome = await run('tls', '--cafile', authority.certFile, '--ciphers', 'no-such-cipher');
      expect(outcome.status).toBe(1);
      expect(outcome.stderr).toMatch(/^Unable to connect \(A TLS error occurred\)\.\n {7}\(.*no cipher match/);
    });
  });

  describe('with a client certificate', () => {
    const certificate = (name: string) => ['--cert', join(dir, `${name}.crt`), '--key', join(dir, `${name}.key`)];

    test('the right one', async () => {
      expect(await run('mutual', '--cafile', authority.certFile, ...certificate('alice'))).toMatchObject(worked);
    });

    test('none, or one of a stranger: status 8', async () => {
      for (const given of [[], certificate('mallory')]) {
        const outcome = await run('mutual', '--cafile', authority.certFile, ...given);
        expect(outcome.stderr).toMatch(/^Error: (?:A TLS error occurred|The connection was lost)\n/);
        expect([7, 8]).toContain(outcome.status);
      }
    });
  });

  describe('with a shared key', () => {
    test('the right one', async () => {
      const key = ['--psk', '0123456789abcdef', '--psk-identity', 'device'];
      expect(await run('psk', ...key)).toMatchObject(worked);
      expect(await run('psk', ...key, '--ciphers', 'PSK-AES256-GCM-SHA384')).toMatchObject(worked);
    });

    test('a wrong key, or an unknown name: status 8', async () => {
      for (const [key, name] of [
        ['ffff', 'device'],
        ['0123456789abcdef', 'nobody'],
      ] as const) {
        const outcome = await run('psk', '--psk', key, '--psk-identity', name);
        expect(outcome.stderr).toMatch(new RegExp(`^${TLS_ERROR}`));
        expect(outcome.status).toBe(8);
      }
    });
  });

  test('a key log is written', async () => {
    const file = join(dir, 'keys.log');
    expect(await run('tls', '--cafile', authority.certFile, '--tls-keylog', file)).toMatchObject(worked);
    expect(readFileSync(file, 'utf8')).toMatch(/^(?:CLIENT_|SERVER_|EXPORTER_)\w+ [0-9a-f]{64} [0-9a-f]+$/m);
  });

  test('the version is kept', async () => {
    expect(await run('tls', '--cafile', authority.certFile, '--tls-version', 'tlsv1.2')).toMatchObject(worked);
    expect(await run('tls', '--cafile', authority.certFile, '--tls-version', 'tlsv1.3')).toMatchObject(worked);
  });

  test('ALPN and the name of the host are announced', async () => {
    const seen: unknown[] = [];
    const server = createTlsServer(
      {
        cert: readFileSync(join(dir, 'localhost.crt')),
        key: readFileSync(join(dir, 'localhost.key')),
        ALPNProtocols: ['mqtt'],
      },
      (socket) => {
        seen.push(socket.alpnProtocol, 'servername' in socket ? socket.servername : undefined);
        socket.end();
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    resources.add({ close: () => void server.close() });
    const { port } = server.address() as AddressInfo;
    const outcome = await runInProcess(pub, [
      ...['-p', String(port), '-t', 'a', '-m', 'x', '--cafile', authority.certFile, '--tls-alpn', 'mqtt'],
    ]);
    expect(seen).toEqual(['mqtt', 'localhost']);
    expect(outcome).toMatchObject({ status: 7, stderr: 'Error: The connection was lost\n' });
  });

  test('--no-tls turns it off again', async () => {
    expect(await run('plain', '--cafile', authority.certFile, '--no-tls')).toMatchObject(worked);
  });
});
