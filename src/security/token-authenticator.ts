/**
 * Clients that give a JSON Web Token (RFC 7519) for a password: its signature, its times and its claims say who they are.
 *
 * Checks run on the thread pool, a bounded number at a time with the other checks of passwords.
 */
import { builtins } from '../base/builtins.ts';
import type { Admission } from '../contracts/authenticator.ts';
import type { TokenKeys } from './token-keys.ts';

export interface TokenSettings {
  readonly keys: TokenKeys;
  /** Those that are taken, all of which fit the keys; never empty. */
  readonly algorithms: readonly string[];
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly requiredClaims: readonly string[];
  readonly usernameClaim: string;
}

/** A token that lets nobody in, and why in a few words that hold no part of it. */
export interface BadToken {
  readonly problem: string;
}

/** Whether a password has the form of a signed token: three words in base64url between dots. */
export function looksLikeToken(password: Buffer): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(password.toString('latin1'));
}

export class TokenAuthenticator {
  /** The same for settings that let the same tokens in. */
  readonly fingerprint: string;
  readonly #settings: TokenSettings;
  readonly #nowMs: () => number;

  constructor(settings: TokenSettings, nowMs: () => number) {
    const { keys, ...rest } = settings;
    const material = JSON.stringify([rest, keys.kind === 'set' ? keys.jwks : keys.key.export({ format: 'jwk' })]);
    this.fingerprint = builtins.crypto.createHash('sha256').update(material).digest('hex');
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  /** Whose token it is and until when it is good; never rejected. */
  async check(token: string): Promise<Admission | BadToken> {
    const { requiredClaims, issuer, audience, usernameClaim } = this.#settings;
    try {
      const payload = await this.#verified(token, {
        algorithms: [...this.#settings.algorithms],
        currentDate: new Date(this.#nowMs()),
        requiredClaims: [...requiredClaims],
        ...(issuer === null ? {} : { issuer }),
        ...(audience === null ? {} : { audience }),
      });
      const username = payload[usernameClaim];
      if (typeof username !== 'string' || !isUserName(username)) {
        return { problem: `its claim "${usernameClaim}" is no user name` };
      }
      return { username, endsAtMs: payload.exp === undefined ? null : payload.exp * 1000 };
    } catch (error) {
      return { problem: await problemOf(error) };
    }
  }

  async #verified(token: string, options: import('jose').JWTVerifyOptions): Promise<import('jose').JWTPayload> {
    const { createLocalJWKSet, errors, jwtVerify } = await import('jose');
    const { keys } = this.#settings;
    if (keys.kind !== 'set') return (await jwtVerify(token, keys.key, options)).payload;
    // parseTokenKeys() has looked at every key.
    const set = createLocalJWKSet(keys.jwks as unknown as import('jose').JSONWebKeySet);
    try {
      return (await jwtVerify(token, set, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // A token that does not say which key signed it.
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (wrong) {
          if (!(wrong instanceof errors.JWSSignatureVerificationFailed)) throw wrong;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }
}

/** What MQTT can carry as a User Name. */
function isUserName(name: string): boolean {
  return name !== '' && !/[\p{Cs}\0]/u.test(name) && Buffer.byteLength(name) <= 65_535;
}

async function problemOf(error: unknown): Promise<string> {
  const { errors } = await import('jose');
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.reason === 'missing'
      ? `it has no claim "${error.claim}"`
      : error.claim === 'nbf'
        ? 'it is not valid yet'
        : `its claim "${error.claim}" is not what is asked for`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its signature is of a kind that is not taken';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  if (error instanceof errors.JWKSNoMatchingKey) return 'nobody who may sign tokens has signed it';
  return 'it is no token that can be checked';
}
