import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { moustiqueCommand } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd } from '../harness/running-process.ts';
import { runTool } from '../harness/tools.ts';
import { anonymousListener, installedBroker } from '../tutorial/walks.ts';

const resources = useResources();

interface Report {
  readonly status: number;
  readonly findings: readonly {
    readonly severity: string;
    readonly code: string;
    readonly place: string;
    readonly text: string;
    readonly instead: string;
  }[];
}

/** What the doctor says about a configuration that is not started; places without the folder. */
async function examine({ configFile, dir }: TestBroker): Promise<Report> {
  const { stdout, stderr, status } = await runToEnd(
    [...moustiqueCommand('moustique'), 'doctor', '-c', configFile, '--json'],
    {
      cwd: dir,
    },
  );
  expect(stderr).toBe('');
  const report = JSON.parse(stdout.replaceAll(`${dir}/`, '')) as Report;
  expect(report.status).toBe(status);
  return report;
}

/** The errors and warnings: `severity place code`. */
const graver = ({ findings }: Report): string[] =>
  findings
    .filter(({ severity }) => severity === 'error' || severity === 'warning')
    .map(({ severity, place, code }) => `${severity} ${place} ${code}`);

test('the tutorial’s first broker: everybody may connect from everywhere', async () => {
  const broker = await prepareBroker(
    resources,
    'moustique',
    installedBroker({ 'conf.d/mon_mosquitto.conf': anonymousListener }),
  );
  const report = await examine(broker);
  expect(graver(report)).toEqual(['error conf.d/mon_mosquitto.conf:1 anonymous-public']);
  expect(report.status).toBe(2);
});

test('the tutorial’s passwords: unencrypted, in a file that everybody may read', async () => {
  const files = {
    'conf.d/auth.conf': 'password_file {dir}/passwd\nallow_anonymous false # no\n',
    'conf.d/mon_mosquitto.conf': 'listener {port}\n',
  };
  const broker = await prepareBroker(resources, 'moustique', installedBroker(files));
  await runTool('moustique', 'passwd', ['-b', '-c', join(broker.dir, 'passwd'), 'sondes', 'mot2passe']);
  chmodSync(join(broker.dir, 'passwd'), 0o644);
  const report = await examine(broker);
  expect(graver(report)).toEqual([
    'warning conf.d/mon_mosquitto.conf:1 password-in-clear',
    'warning conf.d/auth.conf:1 file-permissions',
  ]);
  expect(report.status).toBe(1);
});

test('a small office: old hashes, rights that do not fit, a certificate near its end, a bridge', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: [
      'per_listener_settings false',
      'listener {port}',
      'listener {tlsport}',
      'certfile {dir}/localhost.crt',
      'keyfile {dir}/localhost.key',
      'tls_version tlsv1.1',
      'password_file {dir}/passwd',
      'acl_file {dir}/acl',
      'connection cloud',
      'address example.org',
      'topic # out',
    ],
    files: {
      // Users as Mosquitto 1.6 and 2.0.11 wrote them.
      passwd: [
        'c:$6$w2xSKop3LGNllyUb$4O70eH4UE3DQGsoPk0QKEm4KBpX03zsit62NFOphPidBh0PMrEKlrb63j/ODmN+ir57MPgCTwKunY8Y/+fn4ow==',
        `d:$7$101$w2xSKop3LGNllyUb$${'A'.repeat(86)}==`,
        '',
      ].join('\n'),
      acl: 'user c\ntopic read #\nuser nobody\ntopic #\npattern read all/#\n',
    },
  });
  await (await CertificateAuthority.create(broker.dir)).issue('server', 'localhost', 10);
  chmodSync(join(broker.dir, 'passwd'), 0o600);
  chmodSync(join(broker.dir, 'acl'), 0o600);
  chmodSync(join(broker.dir, 'localhost.key'), 0o644);

  const report = await examine(broker);

  expect(graver(report)).toEqual([
    'error moustique.conf:5 key-readable',
    'warning moustique.conf:2 password-in-clear',
    'warning passwd weak-hash',
    'warning passwd weak-hash',
    'warning acl:5 acl-pattern',
    'warning acl:4 acl-unknown-user',
    'warning moustique.conf:4 certificate-expiry',
    // What Mosquitto says about TLS 1.1, in two lines.
    'warning moustique.conf:4 tls',
    'warning moustique.conf:4 tls',
  ]);
  expect(report.findings.filter(({ code }) => code === 'weak-hash').map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Passwords are stored as one round of SHA-512: c\./),
    expect.stringMatching(/^Passwords are stored with 101 rounds of PBKDF2: d\./),
  ]);
  expect(report.findings.find(({ code }) => code === 'certificate-expiry')?.text).toMatch(/expires in 9 days/);
  expect(report.status).toBe(2);
});

test('a container: everything it names is missing or open to everybody', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: [
      'listener {port} 0.0.0.0',
      'allow_anonymous false',
      'persistence true',
      'persistence_location /nowhere/data/',
      'log_dest file /nowhere/log/mosquitto.log',
      'password_file {dir}/passwd',
      'acl_file {dir}/missing',
    ],
    files: { passwd: '' },
  });
  chmodSync(join(broker.dir, 'passwd'), 0o666);
  chmodSync(broker.configFile, 0o666);
  const report = await examine(broker);
  expect(graver(report)).toEqual([
    'error moustique.conf:6 file-unusable',
    'error moustique.conf:6 file-unusable',
    'error moustique.conf:4 folder',
    'error moustique.conf:5 folder',
    'error moustique.conf world-writable',
    'warning moustique.conf:1 password-in-clear',
  ]);
  expect(report.findings.filter(({ code }) => code === 'file-unusable').map(({ text }) => text)).toEqual([
    'passwd: anyone on this machine may write to it. To fix this, use `chmod o-w passwd`.',
    'missing: No such file or directory.',
  ]);
});

test('a careful one: nothing to look at', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: [
      'listener {port} 127.0.0.1',
      'listener {tlsport}',
      'certfile {dir}/localhost.crt',
      'keyfile {dir}/localhost.key',
      'password_file {dir}/passwd',
      'acl_file {dir}/acl',
    ],
    files: { acl: 'user anne\ntopic #\n' },
  });
  await (await CertificateAuthority.create(broker.dir)).issue('server', 'localhost', 365);
  await runTool('moustique', 'passwd', ['-b', '-c', join(broker.dir, 'passwd'), 'anne', 'mot2passe']);
  chmodSync(join(broker.dir, 'acl'), 0o600);
  chmodSync(join(broker.dir, 'localhost.key'), 0o600);
  const report = await examine(broker);
  expect(graver(report)).toEqual([]);
  expect(report.status).toBe(0);
});

test('others say who may come in: an unencrypted service elsewhere, a key that is too short, keys that are not there', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: [
      'listener 8883',
      'moustique_auth_http_url http://auth.example/mqtt',
      'moustique_auth_jwt_key_file {dir}/key',
      'moustique_auth_http_timeout 2',
      'acl_file {dir}/acl',
      'psk_file {dir}/psk',
      'set_tcp_nodelay true',
    ],
    files: { key: 'secret', acl: 'user anne\ntopic #\n' },
  });
  chmodSync(join(broker.dir, 'acl'), 0o600);
  expect(graver(await examine(broker))).toEqual([
    'error moustique.conf:6 file-unusable',
    'error moustique.conf:3 file-unusable',
    'warning moustique.conf:1 password-in-clear',
    'warning moustique.conf:2 auth-service-in-clear',
  ]);
});

test('a file that cannot be read as a configuration is told line by line', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: ['listener {port}', 'max_queued_mesages 5', 'allow_anonymous yes'],
  });
  const report = await examine(broker);
  expect(graver(report)).toEqual(['error moustique.conf:2 config-error', 'error moustique.conf:3 config-error']);
  expect(report.findings[0]).toMatchObject({
    text: "Unknown configuration variable 'max_queued_mesages'.",
    instead: expect.stringContaining('max_queued_messages') as string,
  });
});

test('for people it prints what to do, and the status says whether there is anything', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: ['listener {port}', 'allow_anonymous true'],
  });
  const doctor = [...moustiqueCommand('moustique'), 'doctor'];
  const { stdout, status } = await runToEnd([...doctor, '-c', broker.configFile], { cwd: broker.dir });
  expect(status).toBe(2);
  expect(stdout).toContain(`${broker.configFile}: 1 to look at\n\nTo be put right\n  * ${broker.configFile}:2: Anyone`);
  expect(stdout).toContain('→ allow_anonymous false and a password_file, or listen on 127.0.0.1');

  expect(await runToEnd(doctor)).toMatchObject({ status: 3, stdout: '' });
  expect((await runToEnd([...doctor, '--help'])).status).toBe(0);
});
