/** What the signatures of tokens are checked with: a public key, a set of them, or a shared secret, told apart by the file. */
import type { KeyObject } from 'node:crypto';
import { builtins } from '../base/builtins.ts';

/** Checks signatures of tokens; `algorithms` are those that fit the key, never of a secret and a public key together. */
export type TokenKeys =
  | { readonly kind: 'secret'; readonly key: KeyObject; readonly algorithms: readonly string[] }
  | { readonly kind: 'public'; readonly key: KeyObject; readonly algorithms: readonly string[] }
  | {
      readonly kind: 'set';
      readonly jwks: { readonly keys: readonly object[] };
      readonly algorithms: readonly string[];
    };

/** A file that no token can be checked with. */
export class TokenKeyError extends Error {
  override readonly name = 'TokenKeyError';
}

/** A secret as short as HS256 allows (RFC 7518 §3.2). */
const secretBytesMin = 32;

const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const byCurve: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

/**
 * @param content - a public key or certificate in PEM form, a JSON Web Key Set, or a secret; a line end behind it is not part of it
 * @throws TokenKeyError
 */
export function parseTokenKeys(content: string): TokenKeys {
  if (content.includes('-----BEGIN ')) return publicKey(content);
  if (content.trimStart().startsWith('{')) return keySet(content);
  return secret(content.replace(/\r?\n$/, ''));
}

function publicKey(pem: string): TokenKeys {
  if (pem.includes('PRIVATE KEY-----')) {
    throw new TokenKeyError(
      'it holds a private key; the broker needs the public one and nobody else should have this one',
    );
  }
  if (pem.split('-----BEGIN ').length > 2) {
    throw new TokenKeyError('it holds more than one key; write several as a JSON Web Key Set');
  }
  const key = attempt(
    () => builtins.crypto.createPublicKey(pem),
    'it holds no public key or certificate in PEM form that can be read',
  );
  const algorithms = algorithmsOf(key);
  if (algorithms.length === 0) throw new TokenKeyError('tokens are not signed with keys of its kind');
  return { kind: 'public', key, algorithms };
}

function keySet(text: string): TokenKeys {
  const jwks: unknown = attempt(() => JSON.parse(text), 'it is no JSON');
  if (typeof jwks !== 'object' || jwks === null || !('keys' in jwks) || !Array.isArray(jwks.keys)) {
    throw new TokenKeyError('it is no JSON Web Key Set: it has no "keys"');
  }
  const keys: readonly unknown[] = jwks.keys;
  if (keys.length === 0) throw new TokenKeyError('it has no key');
  const algorithms = keys.flatMap((key, index) => {
    const which = `key ${index + 1} of it`;
    if (typeof key !== 'object' || key === null) throw new TokenKeyError(`${which} is no JSON Web Key`);
    if ('d' in key || 'k' in key) {
      throw new TokenKeyError(`${which} is not public; the broker needs public keys, or one secret alone in a file`);
    }
    const object = attempt(
      () => builtins.crypto.createPublicKey({ key: { ...key }, format: 'jwk' }),
      `${which} is no public key that can be read`,
    );
    return algorithmsOf(object);
  });
  if (algorithms.length === 0) throw new TokenKeyError('tokens are not signed with keys of its kinds');
  return { kind: 'set', jwks: { keys: keys as readonly object[] }, algorithms: [...new Set(algorithms)] };
}

function secret(text: string): TokenKeys {
  const bytes = Buffer.from(text);
  if (bytes.length < secretBytesMin) {
    throw new TokenKeyError(`as a secret it is too short: ${bytes.length} bytes, ${secretBytesMin} are the least`);
  }
  // A secret as long as the hash at least (RFC 7518 §3.2).
  const algorithms = ['HS256', ...(bytes.length >= 48 ? ['HS384'] : []), ...(bytes.length >= 64 ? ['HS512'] : [])];
  return { kind: 'secret', key: builtins.crypto.createSecretKey(bytes), algorithms };
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  switch (asymmetricKeyType) {
    case 'rsa':
      return rsa;
    case 'ec': {
      const algorithm = byCurve[asymmetricKeyDetails?.namedCurve ?? ''];
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    default:
      return [];
  }
}

function attempt<T>(action: () => T, otherwise: string): T {
  try {
    return action();
  } catch (error) {
    throw new TokenKeyError(otherwise, { cause: error });
  }
}
