import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prepareBroker, startBroker, type TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, listeners, refusalOf, type Way, ways } from './clients.ts';

const resources = useResources();
const [, tcp5] = ways[1] as readonly [string, Way];
const notAuthorized = 0x87;

const ours = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const old = generateKeyPairSync('ed25519');
const foreign = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const now = (): number => Math.floor(Date.now() / 1000);

type Claims = Readonly<Record<string, unknown>>;

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token made by hand: header, claims and signature as RFC 7515 §3.1 has them. */
function token(claims: Claims, { key = ours.privateKey, alg = 'ES256', header = {} as Claims } = {}): string {
  const signed = `${base64url({ alg, typ: 'JWT', ...header })}.${base64url(claims)}`;
  const signature =
    alg === 'none'
      ? Buffer.alloc(0)
      : key.asymmetricKeyType === 'ed25519'
        ? sign(null, Buffer.from(signed), key)
        : sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

const good = (more: Claims = {}): Claims => ({ sub: 'anne', exp: now() + 3600, ...more });

async function broker(more: readonly string[] = [], files: Readonly<Record<string, string>> = {}): Promise<TestBroker> {
  return startBroker(resources, 'moustique', {
    config: ['moustique_auth_jwt_key_file {dir}/keys', ...more, ...listeners],
    files: { keys: pemOf(ours.publicKey), ...files },
  });
}

async function reload(running: TestBroker): Promise<void> {
  const before = running.process.stderr.split('Reloading config.').length;
  running.process.signal('SIGHUP');
  await waitFor('the reload', () => running.process.stderr.split('Reloading config.').length > before);
}

describe.each(ways)('%s', (_name, way) => {
  test('a good token comes in, whatever the user name is, and every other password does not', async () => {
    const running = await broker();
    expect(await refusalOf(resources, running, way, { user: 'x', password: token(good()) })).toBe(0);
    for (const password of [
      token(good(), { key: foreign.privateKey }),
      token(good({ exp: now() - 1 })),
      token(good({ nbf: now() + 60 })),
      token({ sub: 'anne' }),
      token({ exp: now() + 3600 }),
      token(good({ sub: '' })),
      token(good({ sub: 7 })),
      token(good(), { alg: 'none' }),
      token(good(), { alg: 'HS256' }),
      token(good()).replace(/\.[^.]*\./, `.${base64url(good({ sub: 'root' }))}.`),
      'a.b.c',
    ]) {
      expect(await refusalOf(resources, running, way, { user: 'anne', password })).toBe(notAuthorized);
      // Ten bad ones in a row would make the address wait.
      expect(await refusalOf(resources, running, way, { user: 'x', password: token(good()) })).toBe(0);
    }
    expect(await refusalOf(resources, running, way, { user: 'anne' })).toBe(notAuthorized);
    expect(await refusalOf(resources, running, way, {})).toBe(notAuthorized);
  });

  test('the claim says who it is, for access files and as owner of the session', async () => {
    const running = await broker(['acl_file {dir}/acl', 'log_type all', 'log_dest stderr'], {
      acl: 'user anne\ntopic a\nuser root\ntopic #\n',
    });
    const anne = await connect(resources, running, way, { id: 'c', user: 'root', password: token(good()) });
    await anne.subscribe('#');
    await anne.publish('b', 'not hers');
    await anne.publish('a', 'hers');
    await anne.publish('a', 'end');
    expect(await anne.until('end')).toEqual(['a hers']);
    await running.process.waitForOutput(/New client connected from .* as c \(.*u'anne'/, 'stderr');
    const other = { id: 'c', user: 'anne', password: token(good({ sub: 'carl' })) };
    expect(await refusalOf(resources, running, way, other)).toBe(notAuthorized);
  });

  test('the connection ends when the token does', async () => {
    const running = await broker();
    const stays = await connect(resources, running, way, { user: 'x', password: token(good()) });
    const client = await connect(resources, running, way, { user: 'x', password: token(good({ exp: now() + 2 })) });
    const ending = await waitFor('the end of the token', () => client.ending);
    if (way.version === 5) expect(ending).toMatchObject({ kind: 'disconnected', reasonCode: 0xa0 });
    await running.process.waitForOutput('maximum connect time', 'stderr');
    await stays.publish('marker', 'still here');
    expect(stays.ending).toBeUndefined();
  });
});

test('MQTT 5.0 needs no user name for a token; who has neither is anonymous', async () => {
  const running = await broker(['allow_anonymous true']);
  expect(await refusalOf(resources, running, tcp5, { password: token(good()) })).toBe(0);
  expect(await refusalOf(resources, running, tcp5, {})).toBe(0);
  expect(await refusalOf(resources, running, tcp5, { password: 'no token' })).toBe(notAuthorized);
  expect(await refusalOf(resources, running, tcp5, { user: 'anne' })).toBe(notAuthorized);
});

test('issuer, audience, claims that must be there and the claim of the user name', async () => {
  const running = await broker([
    'moustique_auth_jwt_issuer https://id.example/',
    'moustique_auth_jwt_audience broker',
    'moustique_auth_jwt_required_claims jti',
    'moustique_auth_jwt_username_claim name',
  ]);
  const full = { iss: 'https://id.example/', aud: ['other', 'broker'], jti: '1', name: 'anne' };
  const attempt = (claims: Claims): Promise<number> =>
    refusalOf(resources, running, tcp5, { user: 'x', password: token(claims) });
  expect(await attempt(full)).toBe(0);
  expect(await attempt({ ...full, iss: 'https://id.example' })).toBe(notAuthorized);
  expect(await attempt({ ...full, aud: 'other' })).toBe(notAuthorized);
  expect(await attempt({ ...full, jti: undefined })).toBe(notAuthorized);
  await running.process.waitForOutput('lets nobody in: its claim "iss" is not what is asked for.', 'stderr');
});

test('a set of keys, with and without a name for the key; a key taken out of it ends its connections', async () => {
  const jwk = (key: KeyObject, kid: string): object => ({ ...key.export({ format: 'jwk' }), kid });
  const set = (...keys: object[]): string => JSON.stringify({ keys });
  const running = await broker([], { keys: set(jwk(ours.publicKey, 'new'), jwk(old.publicKey, 'old')) });
  const byNew = { user: 'x', password: token(good(), { header: { kid: 'new' } }) };
  const byOld = { user: 'x', password: token(good({ sub: 'bob' }), { key: old.privateKey, alg: 'EdDSA' }) };
  const [anne, bob] = [await connect(resources, running, tcp5, byNew), await connect(resources, running, tcp5, byOld)];
  expect(await refusalOf(resources, running, tcp5, { user: 'x', password: token(good()) })).toBe(0);

  running.write('keys', set(jwk(ours.publicKey, 'new')));
  await reload(running);
  expect(await waitFor('the end of the old key', () => bob.ending)).toMatchObject({ reasonCode: notAuthorized });
  await anne.publish('marker', 'still here');
  expect(anne.ending).toBeUndefined();
  expect(await refusalOf(resources, running, tcp5, byOld)).toBe(notAuthorized);
});

test('a certificate in the file is its public key; two keys of one kind are both tried', async () => {
  const jwk = (key: KeyObject): object => key.export({ format: 'jwk' });
  const running = await broker([], { keys: JSON.stringify({ keys: [jwk(foreign.publicKey), jwk(ours.publicKey)] }) });
  expect(await refusalOf(resources, running, tcp5, { user: 'x', password: token(good()) })).toBe(0);
  const wrong = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  expect(await refusalOf(resources, running, tcp5, { user: 'x', password: token(good(), { key: wrong }) })).toBe(
    notAuthorized,
  );
});

test('tokens stand beside the password file', async () => {
  // "secret" with twelve zero bytes of salt and one round of PBKDF2-HMAC-SHA512
  const secret =
    '$7$1$AAAAAAAAAAAAAAAA$ngMlAIpWjm3phrxkG1xGT8fJUIJBShWrEYm7pbBnkGIKxx9SQ8I+9+JzFQNfgJNOsliwQFwo10K4oTe/LI6elw==';
  const running = await broker(['password_file {dir}/passwd'], { passwd: `bob:${secret}\n` });
  expect(await refusalOf(resources, running, tcp5, { user: 'bob', password: 'secret' })).toBe(0);
  expect(await refusalOf(resources, running, tcp5, { user: 'bob', password: token(good()) })).toBe(0);
  expect(await refusalOf(resources, running, tcp5, { user: 'bob', password: 'wrong' })).toBe(notAuthorized);
});

describe('ends the start:', () => {
  test.each([
    [
      'a file that is not there',
      {},
      ['moustique_auth_jwt_key_file {dir}/nothing'],
      13,
      /Unable to use .*No such file/s,
    ],
    [
      'a private key',
      { keys: ours.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
      [],
      3,
      /holds a private key/,
    ],
    ['a short secret', { keys: 'secret' }, [], 3, /too short: 6 bytes/],
    [
      'algorithms that do not fit the key',
      {},
      ['moustique_auth_jwt_algorithms HS256 RS256'],
      3,
      /None of moustique_auth_jwt_algorithms fits the key in ".*keys", with which tokens are signed by ES256\./,
    ],
  ])('%s', async (_what, files, more, status, message) => {
    const prepared = await prepareBroker(resources, 'moustique', {
      config: ['moustique_auth_jwt_key_file {dir}/keys', ...more, 'listener {port} 127.0.0.1'],
      files: { keys: pemOf(createPublicKey(ours.privateKey)), ...files },
    });
    const ended = await prepared.launch().ended;
    expect(ended.stderr).toMatch(message);
    expect(ended.status).toBe(status);
  });

  test('a file that anyone may write', async () => {
    const running = await broker();
    chmodSync(join(running.dir, 'keys'), 0o666);
    running.process.signal('SIGHUP');
    const { status, stderr } = await running.process.ended;
    expect(stderr).toContain('anyone on this machine may write to it');
    expect(status).toBe(13);
  });
});
