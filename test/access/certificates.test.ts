import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as dialTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/base/clock.ts';
import { Client, ClientError, type TlsTarget } from '../../src/client/index.ts';
import type { ListenerConfig } from '../../src/config/config.ts';
import { parseConfigFile } from '../../src/config/load-config.ts';
import { loadListenerTls } from '../../src/server/listener-tls.ts';
import { TlsKeeper } from '../../src/server/tls-keeper.ts';
import { prepareBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority, type CertificateFiles } from '../harness/certificates.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';

const resources = useResources();

interface World {
  readonly running: TestBroker;
  readonly authority: CertificateAuthority;
  readonly client: CertificateFiles;
}

/** A broker on a TLS and a secure WebSocket listener, whose clients need a certificate. */
async function world(more: readonly string[] = []): Promise<World> {
  const tls = [
    ...['certfile {dir}/live.crt', 'keyfile {dir}/live.key', 'cafile {dir}/live-ca.crt'],
    ...['require_certificate true', 'use_identity_as_username true', ...more],
  ];
  const running = await prepareBroker(resources, 'moustique', {
    config: ['listener {port}', ...tls, 'listener {wsport}', 'protocol websockets', ...tls],
  });
  const authority = await CertificateAuthority.create(running.dir);
  const client = await authority.issue('client', 'anne');
  put(running, 'live-ca.crt', authority.certFile);
  const { certFile, keyFile } = await authority.issue('server', 'first');
  put(running, 'live.crt', certFile);
  put(running, 'live.key', keyFile);
  await authority.revoke([]);
  put(running, 'live.crl', authority.crlFile);
  await running.start();
  return { running, authority, client };
}

/** Puts a file into place as programs that renew certificates do: beside it, then renamed. */
function put({ dir }: TestBroker, name: string, from: string): void {
  writeFileSync(join(dir, `${name}.new`), readFileSync(from));
  renameSync(join(dir, `${name}.new`), join(dir, name));
}

const target = (authority: CertificateAuthority, files: CertificateFiles): TlsTarget => ({
  authorities: [readFileSync(authority.certFile)],
  verify: 'full',
  certificate: readFileSync(files.certFile),
  key: readFileSync(files.keyFile),
});

async function attempt(running: TestBroker, tls: TlsTarget, transport: 'tcp' | 'ws' = 'tcp'): Promise<Client | null> {
  const port = running.port(transport === 'ws' ? 'wsport' : 'port');
  const websocket = transport === 'ws' ? { websocket: { path: '/mqtt', subprotocol: 'mqtt' } } : {};
  const client = new Client({ target: { address: { host: 'localhost', port }, tls, ...websocket } });
  resources.add({ close: () => client.destroy() });
  try {
    await client.start();
    return client;
  } catch (error) {
    if (error instanceof ClientError) return null;
    throw error;
  }
}

/** Common name of the certificate that the broker shows. */
function shown(running: TestBroker, placeholder: 'port' | 'wsport'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = dialTls({ port: running.port(placeholder), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

const news = (port: number): string => `The listener on port ${port} has new certificate files and uses them.`;

test('new certificate and key are taken without a word from anybody, and no connection is lost', async () => {
  const { running, authority, client } = await world();
  const stays = await attempt(running, target(authority, client));
  const staysToo = await attempt(running, target(authority, client), 'ws');
  expect(await shown(running, 'port')).toBe('first');
  const { certFile, keyFile } = await authority.issue('server', 'second');
  // For a moment certificate and key do not fit together.
  put(running, 'live.crt', certFile);
  put(running, 'live.key', keyFile);
  for (const name of ['port', 'wsport'] as const) {
    await running.process.waitForOutput(news(running.port(name)), 'stderr');
    expect(await shown(running, name)).toBe('second');
  }
  for (const one of [stays, staysToo]) {
    expect((await one?.publish('marker', 'still here', { qos: 1 }))?.reasonCode).toBeDefined();
  }
  expect(running.process.stderr).not.toContain('goes on with the certificates it has');
});

test('files behind symbolic links, as containers have them', async () => {
  const { running, authority } = await world();
  const { certFile, keyFile } = await authority.issue('server', 'second');
  for (const [name, file] of [
    ['live.crt', certFile],
    ['live.key', keyFile],
  ] as const) {
    rmSync(join(running.dir, name));
    symlinkSync(file, join(running.dir, name));
  }
  await running.process.waitForOutput(news(running.port()), 'stderr');
  expect(await shown(running, 'port')).toBe('second');
});

test('a new list of authorities, and a new list of revoked certificates', async () => {
  const { running, authority, client } = await world(['crlfile {dir}/live.crl']);
  const other = await CertificateAuthority.create(running.dir, 'other');
  const bob = await other.issue('client', 'bob');
  const carl = await authority.issue('client', 'carl');
  const known = (files: CertificateFiles): TlsTarget => target(authority, files);
  const stays = await attempt(running, known(carl));
  expect(stays).not.toBeNull();
  expect(await attempt(running, known(bob))).toBeNull();

  await authority.revoke([carl]);
  put(running, 'live.crl', authority.crlFile);
  await running.process.waitForOutput(news(running.port()), 'stderr');
  expect(await attempt(running, known(carl))).toBeNull();
  expect(await attempt(running, known(client))).not.toBeNull();
  expect(stays?.isConnected).toBe(true);

  await other.revoke([]);
  writeFileSync(
    join(running.dir, 'both.crt'),
    readFileSync(authority.certFile, 'utf8') + readFileSync(other.certFile, 'utf8'),
  );
  writeFileSync(
    join(running.dir, 'both.crl'),
    readFileSync(authority.crlFile, 'utf8') + readFileSync(other.crlFile, 'utf8'),
  );
  put(running, 'live-ca.crt', join(running.dir, 'both.crt'));
  put(running, 'live.crl', join(running.dir, 'both.crl'));
  await waitFor('the new authority', async () => (await attempt(running, known(bob))) ?? undefined);
});

describe('what cannot be used leaves the old in force, and it is told which file is at fault', () => {
  test.each([
    ['certfile', 'live.crt', 'no certificate', /Unable to load server certificate ".*live\.crt"\. Check certfile\./],
    ['keyfile', 'live.key', 'no key', /Unable to load server key file ".*live\.key"\. Check keyfile\./],
    ['cafile', 'live-ca.crt', '', /Unable to load CA certificates\. Check cafile ".*live-ca\.crt"\./],
    ['crlfile', 'live.crl', 'no list', /Unable to load certificate revocation file ".*live\.crl"\. Check crlfile\./],
  ])('%s', async (_option, name, content, message) => {
    const { running, authority, client } = await world(['crlfile {dir}/live.crl']);
    const stays = await attempt(running, target(authority, client));
    const old = running.read(name);
    running.write(name, content);
    await running.process.waitForOutput('goes on with the certificates it has.', 'stderr');
    expect(running.process.stderr).toMatch(message);
    expect(await attempt(running, target(authority, client))).not.toBeNull();
    // At a reload too.
    running.process.signal('SIGHUP');
    await waitFor('it to be told again', () => running.process.stderr.split('goes on with').length > 3 || undefined);
    expect(await attempt(running, target(authority, client))).not.toBeNull();
    expect(stays?.isConnected).toBe(true);
    running.write(name, old);
    await running.process.waitForOutput(news(running.port()), 'stderr');
  });

  test('a key that does not belong to the certificate', async () => {
    const { running, authority, client } = await world();
    const { keyFile } = await authority.issue('server', 'second');
    put(running, 'live.key', keyFile);
    await running.process.waitForOutput('Error: Server certificate/key are inconsistent.', 'stderr');
    expect(await shown(running, 'port')).toBe('first');
    expect(await attempt(running, target(authority, client))).not.toBeNull();
  });
});

test('SIGHUP takes new files at once', async () => {
  const { running, authority, client } = await world();
  const stays = await attempt(running, target(authority, client));
  const { certFile, keyFile } = await authority.issue('server', 'second');
  put(running, 'live.crt', certFile);
  put(running, 'live.key', keyFile);
  running.process.signal('SIGHUP');
  await waitFor('the new certificate', async () => ((await shown(running, 'port')) === 'second' ? true : undefined));
  expect(stays?.isConnected).toBe(true);
});

test('a certificate that ends within 30 days is told at the start and once a day', async () => {
  const dir = tempDir(resources);
  const authority = await CertificateAuthority.create(dir);
  const { certFile, keyFile } = await authority.issue('server', 'server', 33);
  const file = join(dir, 'moustique.conf');
  writeFileSync(file, `listener 8883\ncertfile ${certFile}\nkeyfile ${keyFile}\nallow_anonymous true\n`);
  const [config] = parseConfigFile(file).config.listeners as [ListenerConfig];
  const lines: string[] = [];
  const clock = new VirtualClock(Date.now());
  const logger = { enabled: () => true, log: (_type: string, text: string) => void lines.push(text) };
  const psk = { keys: new Map() };
  const tls = await loadListenerTls(config, psk, logger, clock.nowMs());
  const keeper = new TlsKeeper({ clock, logger }, [{ config, port: 8883, tls, changeTls: async () => {} }], () => psk);
  await keeper.start();
  expect(lines).toEqual([]);
  const days: number[] = [];
  for (let day = 1; day <= 35; day++) {
    clock.advance(86_400_000);
    // The look at the dates is over when what was due at once is.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    days.push(...lines.splice(0).map(() => day));
  }
  keeper.stop();
  clock.advance(5 * 86_400_000);
  expect(lines).toEqual([]);
  // 33 days and a moment less: fewer than 30 full days are left from the third day on, and it goes on after its end.
  expect(days).toEqual(Array.from({ length: 33 }, (_, index) => index + 3));
});
