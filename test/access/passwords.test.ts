import { chmodSync, cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client } from '../../src/client/index.ts';
import { prepareBroker, startBroker, type TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { freePort, isListening } from '../harness/ports.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd, startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, listeners, refusalOf, type TestClient, type Way, ways } from './clients.ts';

const resources = useResources();
const [, tcp5] = ways[1] as readonly [string, Way];

const notAuthorized = 0x87;
const connectionRateExceeded = 0x9f;
const closed = -1;

// PBKDF2-HMAC-SHA512, made with Python's hashlib: "secret" with twelve zero bytes of salt and one round, and again with twelve
// bytes 01 and two rounds; "other" with twelve zero bytes and one round.
const secret =
  '$7$1$AAAAAAAAAAAAAAAA$ngMlAIpWjm3phrxkG1xGT8fJUIJBShWrEYm7pbBnkGIKxx9SQ8I+9+JzFQNfgJNOsliwQFwo10K4oTe/LI6elw==';
const secretAgain =
  '$7$2$AQEBAQEBAQEBAQEB$/2wBBQjXxqY8PLe5Sqfe/GZY5T1ryrS0iM13dcAyn/K2UJMXgvIbhr2WrCPX8LyBcqxfJ9O0IjVfAypgJZ8VpA==';
const other =
  '$7$1$AAAAAAAAAAAAAAAA$1hCYM7WpRh0emIa2SoJt3AFF1OtBVj7HY3WyxTRHzqwFVzrZG+oXuL2KwEllpb55gC+C6CMnAztlAsj2Cg8Wrg==';

const passwd = (users: Readonly<Record<string, string>>): string =>
  Object.entries(users)
    .map(([name, hash]) => `${name}:${hash}\n`)
    .join('');

async function broker(users: Readonly<Record<string, string>>, more: readonly string[] = []): Promise<TestBroker> {
  return startBroker(resources, 'moustique', {
    config: ['password_file {dir}/passwd', ...more, ...listeners],
    files: { passwd: passwd(users), acl: '' },
  });
}

async function reload(running: TestBroker): Promise<void> {
  const before = running.process.stderr.split('Reloading config.').length;
  running.process.signal('SIGHUP');
  await waitFor('the reload', () => running.process.stderr.split('Reloading config.').length > before);
}

/** A round trip: whatever was sent to this client before has arrived. */
async function roundTrip(client: TestClient, text: string): Promise<void> {
  await client.publish('marker', text);
}

test.each(ways)('%s: the right password comes in, everything else does not', async (_name, way) => {
  const running = await broker({ anne: secret });
  expect(await refusalOf(resources, running, way, { user: 'anne', password: 'secret' })).toBe(0);
  for (const options of [
    { user: 'anne', password: 'wrong' },
    { user: 'anne', password: '' },
    { user: 'anne' },
    { user: 'bob', password: 'secret' },
    { user: 'Anne', password: 'secret' },
    {},
  ]) {
    expect(await refusalOf(resources, running, way, options)).toBe(notAuthorized);
  }
});

test('a reload disconnects those whose password has changed and nobody else', async () => {
  const running = await broker({ anne: secret, bob: secret, carl: secret, dora: secret });
  const [anne, bob, carl, dora] = await Promise.all(
    ['anne', 'bob', 'carl', 'dora'].map((user) => connect(resources, running, tcp5, { user, password: 'secret' })),
  );

  // Anne's line is the same, Bob's is made again from the same password, Carl has another password, Dora is gone.
  running.write('passwd', passwd({ anne: secret, bob: secretAgain, carl: other }));
  await reload(running);

  for (const client of [carl, dora]) {
    const ending = await waitFor('the client to be disconnected', () => client?.ending);
    expect(ending).toMatchObject({ kind: 'disconnected', reasonCode: notAuthorized });
  }
  for (const client of [anne, bob]) {
    if (client !== undefined) await roundTrip(client, 'still here');
    expect(client?.ending).toBeUndefined();
  }
  expect(await refusalOf(resources, running, tcp5, { user: 'carl', password: 'secret' })).toBe(notAuthorized);
  expect(await refusalOf(resources, running, tcp5, { user: 'carl', password: 'other' })).toBe(0);
});

test('a reload that forbids anonymous clients disconnects them', async () => {
  const running = await broker({ anne: secret }, ['allow_anonymous true']);
  const nobody = await connect(resources, running, tcp5);
  const anne = await connect(resources, running, tcp5, { user: 'anne', password: 'secret' });
  running.write('moustique.conf', running.read('moustique.conf').replace('allow_anonymous true', ''));
  await reload(running);
  await waitFor('the anonymous client to be disconnected', () => nobody.ending);
  await roundTrip(anne, 'still here');
  expect(anne.ending).toBeUndefined();
});

test('after ten bad passwords in a row the next attempt of that address waits, those of others do not', async () => {
  const running = await broker({ anne: secret });
  const wrong = { user: 'anne', password: 'wrong' };
  const right = { user: 'anne', password: 'secret' };
  for (let n = 0; n < 9; n++) expect(await refusalOf(resources, running, tcp5, wrong)).toBe(notAuthorized);
  // The tenth would be one too many: a right one makes the count begin again.
  expect(await refusalOf(resources, running, tcp5, right)).toBe(0);
  for (let n = 0; n < 10; n++) expect(await refusalOf(resources, running, tcp5, wrong)).toBe(notAuthorized);
  await running.process.waitForOutput(
    'Warning: Too many bad passwords from 127.0.0.1: its next attempts wait 1 s.',
    'stderr',
  );

  let isIn = false;
  const waiting = refusalOf(resources, running, tcp5, right).then((reasonCode) => {
    isIn = true;
    return reasonCode;
  });
  expect(await reasonCode(running, '127.0.0.2', 'anne', 'secret')).toBe(0);
  expect(isIn).toBe(false);
  expect(await waiting).toBe(0);
});

test('a storm of bad passwords is turned away without a look at them, and nobody else notices', async () => {
  const running = await broker({ anne: secret });
  const canary = await connect(resources, running, tcp5, { user: 'anne', password: 'secret' });
  await canary.subscribe('marker');

  const codes: number[] = [];
  let started = 0;
  const attacker = async (): Promise<void> => {
    while (started++ < 2000) codes.push(await reasonCode(running, '127.0.0.1', 'anne', 'wrong'));
  };
  const storm = Array.from({ length: 100 }, attacker);
  for (let n = 0; n < 100; n++) await roundTrip(canary, String(n));
  expect(await reasonCode(running, '127.0.0.2', 'anne', 'secret')).toBe(0);
  await Promise.all(storm);

  // Ten were looked at, then ten after each delay, which ten may wait for.
  const looked = codes.filter((code) => code === notAuthorized).length;
  const refused = codes.filter((code) => code === connectionRateExceeded).length;
  expect(looked).toBeGreaterThanOrEqual(10);
  expect(refused).toBeGreaterThan(1000);
  expect(looked + refused).toBe(2000);
  await roundTrip(canary, 'end');
  expect(await canary.until('end')).toHaveLength(100);
});

test('a password that takes long to check keeps nobody waiting who is in already', async () => {
  const slow = `$7$2000000$AAAAAAAAAAAAAAAA$${'A'.repeat(86)}==`;
  const running = await broker({ anne: secret, slow });
  const canary = await connect(resources, running, tcp5, { user: 'anne', password: 'secret' });
  let isAnswered = false;
  const attempt = reasonCode(running, '127.0.0.1', 'slow', 'wrong').then((code) => {
    isAnswered = true;
    return code;
  });
  for (let n = 0; n < 20; n++) await roundTrip(canary, String(n));
  // Twenty round trips are over before two million rounds are.
  expect(isAnswered).toBe(false);
  expect([notAuthorized, closed]).toContain(await attempt);
});

test('a thousand reloads under load disconnect nobody, and no message is judged by old and new rules together', async () => {
  // Under either set of rules nothing that may be written may be read. Only a mixture would deliver something.
  const sets = [
    'user w\ntopic write a\ntopic end\nuser r\ntopic read b\ntopic read end\n',
    'user w\ntopic write b\ntopic end\nuser r\ntopic read a\ntopic read end\n',
  ];
  const users = [passwd({ w: secret, r: secret }), passwd({ w: secretAgain, r: secretAgain })];
  const running = await prepareBroker(resources, 'moustique', {
    config: [
      ...['password_file {dir}/passwd', 'acl_file {dir}/acl', 'log_type information', 'log_dest stderr', ...listeners],
      ...['listener {tls} 127.0.0.1', 'certfile {dir}/live.crt', 'keyfile {dir}/live.key'],
    ],
    files: { passwd: users[0] ?? '', acl: sets[0] ?? '' },
  });
  const authority = await CertificateAuthority.create(running.dir);
  const certificates = [await authority.issue('server', 'first'), await authority.issue('server', 'second')];
  // Into place as a whole: the reload before may still be reading.
  const put = (name: string, text: string): void => {
    running.write(`${name}.new`, text);
    renameSync(join(running.dir, `${name}.new`), join(running.dir, name));
  };
  const certify = (index: number): void => {
    const { certFile = '', keyFile = '' } = certificates[index] ?? {};
    put('live.crt', readFileSync(certFile, 'utf8'));
    put('live.key', readFileSync(keyFile, 'utf8'));
  };
  certify(0);
  await running.start();
  const reader = await connect(resources, running, tcp5, { user: 'r', password: 'secret' });
  await reader.subscribe('#');
  const writer = await connect(resources, running, tcp5, { user: 'w', password: 'secret' });
  const ca = readFileSync(authority.certFile);
  const secure = new Client({
    target: { address: { host: 'localhost', port: running.port('tls') }, tls: { authorities: [ca], verify: 'full' } },
    ...{ username: 'w', password: Buffer.from('secret') },
  });
  resources.add({ close: () => secure.destroy() });
  await secure.start();

  let isOver = false;
  let published = 0;
  const load = (async () => {
    while (!isOver) {
      const round = Array.from({ length: 20 }, (_, n) =>
        (n % 4 < 2 ? writer.client : secure).publish(n % 2 === 0 ? 'a' : 'b', 'mixed', { qos: 0 }),
      );
      await Promise.all(round);
      await writer.publish('a', 'mixed');
      published += 21;
    }
  })();
  for (let n = 1; n <= 1000; n++) {
    put('acl', sets[n % 2] ?? '');
    if (n % 10 === 0) put('passwd', users[(n / 10) % 2] ?? '');
    if (n % 20 === 0) certify((n / 20) % 2);
    await reload(running);
  }
  isOver = true;
  await load;
  await writer.publish('end', 'end');

  expect(await reader.until('end')).toEqual([]);
  expect([writer.ending, reader.ending, secure.isConnected]).toEqual([undefined, undefined, true]);
  expect(published).toBeGreaterThan(1000);
});

/** The Reason Code in the CONNACK of one CONNECT, `closed` when there is none. */
function reasonCode(running: TestBroker, localAddress: string, user: string, password: string): Promise<number> {
  const field = (text: string): Buffer => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);
  // "MQTT", level 5, flags user name + password + Clean Start, Keep Alive 0, no properties, empty Client Identifier
  const head = Buffer.from('00044d5154540 5c2 0000 00 0000'.replaceAll(' ', ''), 'hex');
  const body = Buffer.concat([head, field(user), field(password)]);
  return new Promise((resolve, reject) => {
    const socket = dial({ host: '127.0.0.1', port: running.port(), localAddress });
    socket.on('error', reject);
    socket.on('connect', () => socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body])));
    // CONNACK: type, Remaining Length, flags, Reason Code
    socket.once('data', (bytes) => {
      resolve(bytes[3] ?? -1);
      socket.destroy();
    });
    socket.on('close', () => resolve(closed));
  });
}

test('argon2id is computed without the package beside the executables', async () => {
  const dir = tempDir(resources);
  for (const part of ['bin', 'dist/bin', 'package.json']) {
    cpSync(join(repositoryRoot, part), join(dir, part), { recursive: true });
  }
  const file = join(dir, 'passwd');
  const port = await freePort();
  writeFileSync(join(dir, 'moustique.conf'), `listener ${port} 127.0.0.1\npassword_file ${file}\n`);
  const made = await runToEnd([
    process.execPath,
    join(dir, 'bin', 'moustique_passwd.js'),
    ...['-H', 'argon2id', '-c', '-b', file, 'u', 'secret'],
  ]);
  expect(made.status, made.stderr).toBe(0);
  chmodSync(dir, 0o755);
  chmodSync(file, 0o644);
  const launcher = join(dir, 'bin', 'moustique.js');
  const running = startProcess(resources, [process.execPath, launcher, '-c', join(dir, 'moustique.conf')]);
  await waitFor(
    () => `the broker; ${running.stderr}`,
    () => isListening(port),
  );
  const publish = (password: string) =>
    runToEnd([
      process.execPath,
      join(dir, 'bin', 'moustique_pub.js'),
      ...['-h', '127.0.0.1', '-p', String(port), '-u', 'u', '-P', password, '-t', 't', '-m', 'x'],
    ]);
  expect(await publish('secret')).toMatchObject({ status: 0 });
  expect((await publish('other')).status).toBe(5);
});
