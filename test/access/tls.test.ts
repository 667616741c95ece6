import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Client, ClientError, type TlsTarget } from '../../src/client/index.ts';
import { prepareBroker, startBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority, type CertificateFiles } from '../harness/certificates.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { runTool } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';

const resources = useResources();

let clients = 0;

/** Connects with these TLS settings. @returns the user name or the like by which the broker knows it; else why not */
async function attempt(running: TestBroker, tls: TlsTarget, settings: object = {}): Promise<Client | ClientError> {
  const client = new Client({
    target: { address: { host: 'localhost', port: running.port() }, tls },
    clientId: `c${clients++}`,
    ...settings,
  });
  resources.add({ close: () => client.destroy() });
  try {
    await client.start();
    // With TLS 1.3 a client learns that its certificate was refused with the first bytes from the broker.
    return client;
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
}

describe('pre-shared keys', () => {
  const config = ['listener {port} 127.0.0.1', 'psk_hint hint', 'psk_file {dir}/psk'];
  const psk = 'anne:0badc0de\nbob:ff\n';
  const key = (identity: string, hex: string): TlsTarget => ({
    psk: { identity, key: Buffer.from(hex, 'hex') },
    verify: 'full',
  });

  test('who has the key of an identity comes in, and is that user with use_identity_as_username', async () => {
    const running = await startBroker(resources, 'moustique', {
      config: [...config, 'use_identity_as_username true'],
      files: { psk },
    });
    expect(await attempt(running, key('anne', '0badc0de'))).toBeInstanceOf(Client);
    await running.process.waitForOutput("(p5, c1, k60, u'anne').", 'stderr');
    expect(await attempt(running, key('anne', 'ff'))).toMatchObject({ kind: 'dial' });
    expect(await attempt(running, key('carl', 'ff'))).toMatchObject({ kind: 'dial' });
  });

  test('without it the key is the way in and the user name is another matter', async () => {
    const running = await startBroker(resources, 'moustique', {
      config: [...config, 'allow_anonymous true'],
      files: { psk },
    });
    expect(await attempt(running, key('anne', '0badc0de'))).toBeInstanceOf(Client);
    await running.process.waitForOutput('(p5, c1, k60).', 'stderr');
  });

  test('a reload takes new keys and disconnects those whose key is another one', async () => {
    const running = await startBroker(resources, 'moustique', {
      config: [...config, 'use_identity_as_username true'],
      files: { psk },
    });
    const anne = (await attempt(running, key('anne', '0badc0de'), { clientId: 'a' })) as Client;
    const bob = (await attempt(running, key('bob', 'ff'), { clientId: 'b' })) as Client;
    running.write('psk', 'anne:0badc0de\nbob:fe\ncarl:01\n');
    running.process.signal('SIGHUP');
    await waitFor('Bob to be disconnected', () => !bob.isConnected);
    expect(anne.isConnected).toBe(true);
    expect(await attempt(running, key('carl', '01'))).toBeInstanceOf(Client);
    expect(await attempt(running, key('bob', 'ff'))).toMatchObject({ kind: 'dial' });
  });

  test.each([
    ['anne:xyz\n', 'Error: psk for identity "anne" contains non-hexadecimal characters.'],
    ['anne:\n', 'Error: Empty psk for identity "anne".'],
    ['', 'is empty.'],
  ])('a file with %j ends the start', async (content, line) => {
    const running = await prepareBroker(resources, 'moustique', { config, files: { psk: content } });
    const { status, stderr } = await running.launch().ended;
    expect(status).toBe(3);
    expect(stderr).toContain(line);
    expect(stderr).toContain(`Error opening psk file "${running.dir}/psk".`);
  });

  describeWith(['mosquitto_pub'], 'Mosquitto’s client', () => {
    test('comes in', async () => {
      const running = await startBroker(resources, 'moustique', {
        config: [...config, 'use_identity_as_username true'],
        files: { psk },
      });
      const common = ['-h', 'localhost', '-p', String(running.port()), '-t', 'a', '-m', 'x', '-q', '1'];
      expect(
        await runTool('mosquitto', 'pub', [...common, '--psk', '0badc0de', '--psk-identity', 'anne']),
      ).toMatchObject({ status: 0, stderr: '' });
      expect((await runTool('mosquitto', 'pub', [...common, '--psk', 'aa', '--psk-identity', 'anne'])).status).not.toBe(
        0,
      );
    });
  });
});

describe('disable_client_cert_date_checks', () => {
  interface World {
    readonly running: TestBroker;
    readonly authority: CertificateAuthority;
    readonly tls: (files: CertificateFiles | null) => TlsTarget;
  }

  async function world(lines: readonly string[]): Promise<World> {
    const running = await prepareBroker(resources, 'moustique', {
      config: [
        'listener {port}',
        'certfile {dir}/localhost.crt',
        'keyfile {dir}/localhost.key',
        'cafile {dir}/ca.crt',
        'require_certificate true',
        'use_identity_as_username true',
        ...lines,
      ],
    });
    const authority = await CertificateAuthority.create(running.dir);
    await authority.issue('server', 'localhost');
    const tls = (files: CertificateFiles | null): TlsTarget => ({
      authorities: [readFileSync(authority.certFile)],
      verify: 'full',
      ...(files === null ? {} : { certificate: readFileSync(files.certFile), key: readFileSync(files.keyFile) }),
    });
    return { running, authority, tls };
  }

  const isIn = async (running: TestBroker, tls: TlsTarget): Promise<boolean> =>
    (await attempt(running, tls)) instanceof Client;

  test('lets expired certificates in, and nothing else that is wrong with one', async () => {
    const { running, authority, tls } = await world(['disable_client_cert_date_checks true', 'crlfile {dir}/ca.crl']);
    const good = await authority.issue('client', 'good');
    const expired = await authority.issue('client', 'expired', -1);
    const revoked = await authority.issue('client', 'revoked');
    const expiredAndRevoked = await authority.issue('client', 'both', -1);
    const stranger = await CertificateAuthority.create(running.dir, 'other');
    const foreign = await stranger.issue('client', 'foreign');
    const foreignAndExpired = await stranger.issue('client', 'old-foreign', -1);
    const forServers = await authority.issue('server', 'old-server', -1);
    await authority.revoke([revoked, expiredAndRevoked]);
    await running.start();

    expect(await isIn(running, tls(good))).toBe(true);
    expect(await isIn(running, tls(expired))).toBe(true);
    await running.process.waitForOutput("u'expired').", 'stderr');
    for (const bad of [revoked, expiredAndRevoked, foreign, foreignAndExpired, forServers, null]) {
      expect(await isIn(running, tls(bad))).toBe(false);
    }
  });

  test('without it an expired certificate is refused', async () => {
    const { running, authority, tls } = await world([]);
    const good = await authority.issue('client', 'good');
    const expired = await authority.issue('client', 'expired', -1);
    await running.start();
    expect(await isIn(running, tls(expired))).toBe(false);
    expect(await isIn(running, tls(good))).toBe(true);
  });
});

describe('--tls-keylog', () => {
  async function start(keyLog: string, prepare: (dir: string) => void = () => {}): Promise<TestBroker> {
    const running = await prepareBroker(resources, 'moustique', {
      config: [
        'listener {port}',
        'certfile {dir}/localhost.crt',
        'keyfile {dir}/localhost.key',
        'allow_anonymous true',
      ],
      args: ['--tls-keylog', keyLog],
    });
    await (await CertificateAuthority.create(running.dir)).issue('server', 'localhost');
    prepare(running.dir);
    await running.start();
    expect(
      await attempt(running, { authorities: [readFileSync(join(running.dir, 'ca.crt'))], verify: 'full' }),
    ).toBeInstanceOf(Client);
    return running;
  }

  test('writes a file that nobody else may read', async () => {
    const running = await start('{dir}/keys');
    expect(running.read('keys')).toMatch(/^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+$/m);
    expect(statSync(join(running.dir, 'keys')).mode & 0o777).toBe(0o600);
    await running.process.waitForOutput('TLS key logging is on', 'stderr');
  });

  test.each([
    [
      'a file that others may read',
      (dir: string) => {
        writeFileSync(join(dir, 'keys'), '');
        chmodSync(join(dir, 'keys'), 0o640);
      },
    ],
    [
      'a symbolic link',
      (dir: string) => {
        writeFileSync(join(dir, 'other'), '');
        symlinkSync(join(dir, 'other'), join(dir, 'keys'));
      },
    ],
  ])('does not write to %s', async (_name, prepare) => {
    const running = await start('{dir}/keys', prepare);
    expect(running.read('keys')).toBe('');
    await running.process.waitForOutput('Warning: The keys of TLS connections are not logged: ', 'stderr');
  });
});
