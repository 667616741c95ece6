import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { CertificateAuthority } from '../harness/certificates.ts';
import { describeWith } from '../harness/programs.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { type Resources, useResources } from '../harness/resources.ts';
import { type Finished, type RunningProcess, startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { buildLibrary } from './built-library.ts';
import { connect, inboxOf, refusalOf } from './embedding.ts';

const resources = useResources();
beforeAll(buildLibrary);

const examples = join(repositoryRoot, 'examples');

/** Starts an example on ports that are free. */
function start(from: Resources, name: string, args: readonly string[] = []): RunningProcess {
  return startProcess(from, [process.execPath, join(examples, name), ...args], { env: { PORT: '0' } });
}

/** The URLs it listens on, once it says how to stop it. */
async function urlsOf(example: RunningProcess): Promise<readonly string[]> {
  await example.waitForOutput('stop with Ctrl+C');
  return [...example.stdout.matchAll(/listen\w* on ([^\s,]+)/g)].map(([, url = '']) => url);
}

/** Ctrl+C; the example ends by itself, without a word of complaint. */
async function interrupt(example: RunningProcess): Promise<Finished> {
  example.signal('SIGINT');
  const end = await example.ended;
  expect([end.status, end.signal, end.stderr]).toEqual([0, null, '']);
  return end;
}

test('embed.mjs: who comes and goes is printed', async () => {
  const example = start(resources, 'embed.mjs');
  const [url = ''] = await urlsOf(example);
  const client = await connect(resources, url, { clientId: 'anne' });
  await client.subscribeAsync('hello/#');
  await client.endAsync();
  await connect(resources, url, { clientId: 'bob' });

  const { stdout } = await interrupt(example);

  expect(stdout.split('\n').slice(1, -1)).toEqual([
    'anne came from 127.0.0.1',
    'anne wants hello/#',
    'anne went: disconnected',
    'bob came from 127.0.0.1',
    'bob went: server shutting down',
  ]);
});

test('authentication.mjs: the program decides', async () => {
  const example = start(resources, 'authentication.mjs');
  const [url = ''] = await urlsOf(example);
  expect(await refusalOf(url, { username: 'anne', password: 'guess' })).toBe(0x86);
  expect(await refusalOf(url, {})).toBe(0x86);
  const anne = await connect(resources, url, { username: 'anne', password: 'secret' });
  const bob = await connect(resources, url, { username: 'bob', password: 'hush' });
  const inbox = inboxOf(bob);
  await bob.subscribeAsync('users/bob/#');
  await anne.publishAsync('users/bob/note', 'not mine');
  await anne.publishAsync('users/anne/note', 'mine', { qos: 1 });
  await bob.publishAsync('users/bob/note', 'mine', { qos: 1 });

  expect(await inbox.first(1)).toEqual(['users/bob/note mine']);
  const { stdout } = await interrupt(example);
  expect(stdout.split('\n').slice(1, -1)).toEqual([
    'refused anne from 127.0.0.1',
    'refused somebody without a name from 127.0.0.1',
    'denied anne: publish users/bob/note',
  ]);
});

test('publish-subscribe.mjs: the program takes part', async () => {
  const end = await start(resources, 'publish-subscribe.mjs').ended;

  expect([end.status, end.stderr]).toEqual([0, '']);
  expect(end.stdout.split('\n')).toEqual([
    'answer 1: questions/short has 4 bytes',
    'answer 2: questions/long has 1000 bytes',
    'retained: ready',
    '',
  ]);
});

test('several-brokers.mjs: rooms and a hall', async () => {
  const example = start(resources, 'several-brokers.mjs');
  const [hall = '', kitchen = '', bath = ''] = await urlsOf(example);
  const guest = await connect(resources, hall);
  const inbox = inboxOf(guest);
  await guest.subscribeAsync('rooms/#');
  const cook = await connect(resources, kitchen);
  await cook.publishAsync('out/temp', '21', { qos: 1, retain: true });
  await cook.publishAsync('inside', 'stays in the kitchen', { qos: 1 });
  await (await connect(resources, bath)).publishAsync('out/temp', '23', { qos: 1 });

  expect(await inbox.first(2)).toEqual(['rooms/kitchen/temp 21', 'rooms/bath/temp 23']);
  await interrupt(example);
});

test('persistence.mjs: the broker remembers', async () => {
  const data = join(tempDir(resources), 'data');
  const first = start(resources, 'persistence.mjs', [data]);
  const [url = ''] = await urlsOf(first);
  const desk = { clientId: 'desk', clean: false, properties: { sessionExpiryInterval: 3600 } };
  const before = await connect(resources, url, desk);
  await before.subscribeAsync('news', { qos: 1 });
  await before.endAsync();
  await (await connect(resources, url)).publishAsync('news', 'while you were away', { qos: 1 });
  const { stdout } = await interrupt(first);
  expect(stdout).toMatch(/^start 1, 0 sessions were kept\n/);

  const second = start(resources, 'persistence.mjs', [data]);
  const [again = ''] = await urlsOf(second);
  expect(second.stdout).toMatch(/^start 2, 1 sessions were kept\n/);
  const received: string[] = [];
  const after = await connect(resources, again, {
    ...desk,
    customHandleAcks: (_topic, message, _packet, done) => {
      received.push(message.toString());
      done(0);
    },
  });
  await after.publishAsync('marker', '', { qos: 1 });
  expect(received).toEqual(['while you were away']);
  await interrupt(second);
});

test('history.mjs: what was published can be asked for', async () => {
  const example = start(resources, 'history.mjs', [join(tempDir(resources), 'data')]);
  await urlsOf(example);
  expect(example.stdout).toMatch(
    /^maison\/salon temperature: 20\.5 to 24, mean 22\nlast: maison\/salon \{"temperature":24\}\n/,
  );
  await interrupt(example);
});

describeWith(['openssl'], 'websockets-tls.mjs', () => {
  test('listeners of all kinds', async () => {
    const dir = tempDir(resources);
    const authority = await CertificateAuthority.create(dir);
    const { certFile, keyFile } = await authority.issue('server', 'server', 60);
    const example = start(resources, 'websockets-tls.mjs', [certFile, keyFile]);
    const urls = await urlsOf(example);
    expect(urls.map((url) => url.replace(/\d+$/, 'PORT'))).toEqual([
      'mqtts://localhost:PORT',
      'wss://localhost:PORT',
      'mqtt://127.0.0.1:PORT',
      'ws://127.0.0.1:PORT',
    ]);

    const ca = readFileSync(authority.certFile);
    const clients = await Promise.all(urls.map(async (url) => await connect(resources, url, { ca })));
    const inboxes = clients.map(inboxOf);
    await Promise.all(clients.map(async (client) => await client.subscribeAsync('all')));
    await clients[1]?.publishAsync('all', 'hear me', { qos: 1 });

    for (const inbox of inboxes) expect(await inbox.first(1)).toEqual(['all hear me']);
    await interrupt(example);
  });

  test('what is wrong is named, and nothing stays open', async () => {
    const end = await start(resources, 'websockets-tls.mjs', ['none.crt', 'none.key']).ended;
    expect([end.status, end.stdout]).toEqual([1, '']);
    expect(end.stderr).toContain('Unable to load server certificate "none.crt"');
  });
});

test('every example is run here and told of in docs/library.md', () => {
  const files = readdirSync(examples).filter((name) => name.endsWith('.mjs'));
  const tests = readFileSync(import.meta.filename, 'utf8');
  const docs = readFileSync(join(repositoryRoot, 'docs/library.md'), 'utf8');
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    expect(tests).toContain(`start(resources, '${file}'`);
    expect(docs).toContain(`(../examples/${file})`);
  }
});
