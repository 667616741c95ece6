import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseTokenKeys, TokenKeyError } from './token-keys.ts';

const pem = (pair: { publicKey: import('node:crypto').KeyObject }): string =>
  pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const jwk = (pair: { publicKey: import('node:crypto').KeyObject }, more: object = {}): object => ({
  ...pair.publicKey.export({ format: 'jwk' }),
  ...more,
});

test.each([
  ['an RSA key', pem(rsa), 'public', ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ['a P-256 key', pem(ec), 'public', ['ES256']],
  ['an Ed25519 key', pem(ed), 'public', ['EdDSA', 'Ed25519']],
  ['a set of two', JSON.stringify({ keys: [jwk(ec, { kid: 'a' }), jwk(ed)] }), 'set', ['ES256', 'EdDSA', 'Ed25519']],
  ['a secret of 32 bytes', 's'.repeat(32), 'secret', ['HS256']],
  ['a secret of 64 bytes and a line end', `${'s'.repeat(64)}\r\n`, 'secret', ['HS256', 'HS384', 'HS512']],
])('%s checks what it can', (_what, content, kind, algorithms) => {
  expect(parseTokenKeys(content)).toMatchObject({ kind, algorithms });
});

test('a secret is what stands in the file, byte by byte, without the line end', () => {
  const keys = parseTokenKeys(`  ${'s'.repeat(32)} \n`);
  expect(keys.kind === 'secret' && keys.key.export().toString()).toBe(`  ${'s'.repeat(32)} `);
});

describe('is refused:', () => {
  test.each([
    ['a short secret', 'secret\n', 'as a secret it is too short: 6 bytes, 32 are the least'],
    ['nothing', '', 'as a secret it is too short: 0 bytes, 32 are the least'],
    [
      'a private key',
      rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'it holds a private key; the broker needs the public one and nobody else should have this one',
    ],
    ['two keys', pem(rsa) + pem(ec), 'it holds more than one key; write several as a JSON Web Key Set'],
    [
      'a PEM file of something else',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'it holds no public key or certificate in PEM form that can be read',
    ],
    ['a key nobody signs with', pem(generateKeyPairSync('x25519')), 'tokens are not signed with keys of its kind'],
    ['broken JSON', '{"keys":', 'it is no JSON'],
    ['another object', '{"key":[]}', 'it is no JSON Web Key Set: it has no "keys"'],
    ['an empty set', '{"keys":[]}', 'it has no key'],
    [
      'a secret in a set',
      JSON.stringify({ keys: [jwk(ec), { kty: 'oct', k: 'c2VjcmV0' }] }),
      'key 2 of it is not public; the broker needs public keys, or one secret alone in a file',
    ],
    ['a set with no key in it', '{"keys":[{"kty":"RSA"}]}', 'key 1 of it is no public key that can be read'],
  ])('%s', (_what, content, message) => {
    expect(() => parseTokenKeys(content)).toThrow(new TokenKeyError(message));
  });
});
