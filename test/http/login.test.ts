import { readFileSync, statSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { ConsoleClient, linkToken, loggedIn, startWithUsers } from './console-client.ts';

const resources = useResources();

const open = ['listener {port} 127.0.0.1', 'listener {http} 127.0.0.1', 'protocol http_api', 'allow_anonymous true'];

test('the link in the log makes the first account, once', async () => {
  const broker = await startBroker(resources, 'moustique', { config: [...open, 'persistence_location {dir}/kept/'] });
  const token = await linkToken(broker);
  const client = new ConsoleClient(broker.port('http'));
  expect(await client.get('/session')).toMatchObject({ isFirstRun: true, user: null });

  const guess = await client.ask('POST', '/api/v1/first-run', {
    token: 'x'.repeat(32),
    username: 'eve',
    password: 'long enough',
  });
  expect(guess.status).toBe(403);
  const short = await client.ask('POST', '/api/v1/first-run', { token, username: 'ann', password: 'short' });
  expect(short.json()).toMatchObject({ error: { code: 'invalid-field', field: 'password' } });
  const answer = await client.ask('POST', '/api/v1/first-run', { token, username: 'ann', password: 'correct horse' });
  expect(answer.json()).toMatchObject({ isFirstRun: false, user: { name: 'ann', role: 'admin' } });
  expect(answer.headers.get('set-cookie')).toMatch(/^moustique_\d+=[\w-]{40,}; Path=\/; HttpOnly; SameSite=Strict$/);
  const again = await client.ask('POST', '/api/v1/first-run', { token, username: 'eve', password: 'correct horse' });
  expect(again.status).toBe(403);

  // The account is on the disk, for the broker alone, and not in clear.
  const file = join(broker.dir, 'kept', 'moustique-console.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(broker.read('kept/moustique-console.json')).toMatch(/"\$argon2id\$/);
  expect(broker.read('kept/moustique-console.json')).not.toContain('correct horse');

  await broker.restart();
  expect(broker.process.stderr).not.toContain('token=');
  const later = new ConsoleClient(broker.port('http'));
  expect((await later.logIn('ann', 'wrong horse')).status).toBe(401);
  expect((await later.logIn('ann', 'correct horse')).status).toBe(200);
  // What was done before the restart is still told, what was refused to somebody unknown is not.
  const { items } = await later.get<{ items: { path: string; status: number; user: string }[] }>('/audit');
  expect(items.map(({ path, status, user }) => `${path} ${status} ${user}`)).toEqual([
    '/api/v1/session 200 ann',
    '/api/v1/session 401 ',
    '/api/v1/first-run 200 ann',
  ]);
  expect(await later.get('/users')).toMatchObject({ items: [{ name: 'ann', role: 'admin', source: 'console' }] });
});

test('users of the broker log in by their role; the cookie and its token are needed for changes', async () => {
  const broker = await startWithUsers(resources);
  expect(broker.process.stderr).not.toContain('token=');
  const stranger = new ConsoleClient(broker.port('http'));
  expect((await stranger.logIn('nora', 'nora-secret')).json()).toMatchObject({ error: { code: 'no-role' } });
  expect((await stranger.logIn('otto', 'ada-secret')).status).toBe(401);

  const otto = await loggedIn(broker, 'otto');
  const message = { topic: 'a', payload: { text: 'x' } };
  expect((await otto.ask('POST', '/api/v1/publish', message)).status).toBe(200);
  const { csrf } = otto;
  otto.csrf = '';
  expect((await otto.ask('POST', '/api/v1/publish', message)).json()).toMatchObject({
    error: { code: 'bad-csrf-token' },
  });
  otto.csrf = csrf;
  for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null']) {
    const answer = await otto.ask('POST', '/api/v1/publish', message, { Origin: origin });
    expect(answer.json()).toMatchObject({ error: { code: 'foreign-origin' } });
  }
  expect((await otto.ask('POST', '/api/v1/publish', message, { Origin: otto.base })).status).toBe(200);

  // HTTP Basic is for programs; a page of another site cannot use it either.
  const basic = { Authorization: `Basic ${Buffer.from('otto:otto-secret').toString('base64')}` };
  const program = new ConsoleClient(broker.port('http'));
  expect((await program.ask('POST', '/api/v1/publish', message, basic)).status).toBe(200);
  expect(
    (await program.ask('POST', '/api/v1/publish', message, { ...basic, Origin: 'https://evil.example' })).status,
  ).toBe(403);

  await otto.ask('DELETE', '/api/v1/session');
  expect((await otto.ask('GET', '/api/v1/clients')).status).toBe(401);
  // A role taken away ends what the session may do.
  const vera = await loggedIn(broker, 'vera');
  expect((await vera.ask('GET', '/api/v1/clients')).status).toBe(200);
  broker.write('moustique.conf', broker.read('moustique.conf').replace('http_role viewer vera\n', ''));
  broker.process.signal('SIGHUP');
  await waitFor('the reload', async () => (await vera.ask('GET', '/api/v1/clients')).status === 401);
});

test('where nobody is asked for a password, a name alone opens nothing', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [...open, 'http_role admin *', 'http_role admin ann'],
  });
  const client = new ConsoleClient(broker.port('http'));
  expect((await client.logIn('ann', 'anything')).status).toBe(401);
  const basic = { Authorization: `Basic ${Buffer.from('ann:').toString('base64')}` };
  expect((await client.ask('GET', '/api/v1/users', undefined, basic)).status).toBe(401);
});

test('bad passwords make an address wait, without harm to those who are in', async () => {
  const broker = await startWithUsers(resources);
  const vera = await loggedIn(broker, 'vera');
  const client = new ConsoleClient(broker.port('http'));
  for (let attempt = 0; attempt < 10; attempt++) expect((await client.logIn('ada', 'guess')).status).toBe(401);
  const answers = await Promise.all(Array.from({ length: 40 }, () => client.logIn('ada', 'guess')));
  expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(20);
  expect((await vera.ask('GET', '/api/v1/clients')).status).toBe(200);
});

test('a token reads and nothing else, and ends', async () => {
  const broker = await startWithUsers(resources);
  const ada = await loggedIn(broker, 'ada');
  const made = await ada.post<{ id: string; token: string }>('/tokens', { name: 'hall display' });
  const display = new ConsoleClient(broker.port('http'));
  const bearer = { Authorization: `Bearer ${made.token}` };
  expect((await display.ask('GET', '/api/v1/broker', undefined, bearer)).status).toBe(200);
  const attempt = await display.ask('POST', '/api/v1/publish', { topic: 'a', payload: { text: 'x' } }, bearer);
  expect(attempt.status).toBe(403);
  expect((await display.ask('GET', '/metrics', undefined, bearer)).status).toBe(200);
  expect((await display.ask('GET', '/metrics')).status).toBe(401);
  const listed = await ada.ask('GET', '/api/v1/tokens');
  expect(listed.text).toContain('hall display');
  expect(listed.text).not.toContain(made.token);

  const ended = await ada.ask('DELETE', `/api/v1/tokens/${made.id}`);
  expect(ended.status, ended.text).toBe(200);
  expect((await display.ask('GET', '/api/v1/broker', undefined, bearer)).status).toBe(401);
});

test('with TLS the cookie never leaves it', async () => {
  const authority = await CertificateAuthority.create(tempDir(resources));
  const { certFile, keyFile } = await authority.issue('server', 'localhost');
  const broker = await startBroker(resources, 'moustique', {
    config: [...open, `certfile ${certFile}`, `keyfile ${keyFile}`],
  });
  const token = await linkToken(broker);
  expect(broker.process.stderr).toContain(`https://localhost:${broker.port('http')}/#/welcome`);
  const body = JSON.stringify({ token, username: 'ann', password: 'correct horse' });
  const cookies = await new Promise<string[]>((resolve, reject) => {
    const options = {
      ...{ host: '127.0.0.1', port: broker.port('http'), method: 'POST', path: '/api/v1/first-run' },
      ...{ headers: { 'Content-Type': 'application/json' }, ca: readFileSync(authority.certFile) },
    };
    const request = httpsRequest(options, (response) => {
      response.resume();
      resolve(response.headers['set-cookie'] ?? []);
    });
    request.once('error', reject);
    request.end(body);
  });
  expect(cookies).toEqual([
    expect.stringMatching(/^__Host-moustique_\d+=[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Secure$/),
  ]);
});
