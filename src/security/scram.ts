/**
 * SCRAM (RFC 5802, RFC 7677) as an Authentication Method of MQTT 5.0: client and broker prove to each other that they know the
 * password, which is never sent, and what the broker stores does not suffice to log in.
 *
 * ```
 * client                                   broker
 * CONNECT  n,,n=anne,r=CLIENT        →
 *                                    ←     AUTH 0x18  r=CLIENTBROKER,s=SALT,i=4096
 * AUTH 0x18  c=biws,r=…,p=PROOF      →
 *                                    ←     CONNACK 0x00  v=SIGNATURE
 * ```
 *
 * Channel binding is not offered. A name that nobody has is asked for its password like any other, with a salt that is always
 * the same for that name, so that nobody learns which names there are. The broker's part costs four hashes of a few hundred
 * bytes; the costly one is made by the client.
 */
import { builtins } from '../base/builtins.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { AuthenticationExchange, AuthenticationMethod, AuthenticationStep } from '../contracts/authenticator.ts';

/** The hash in the name of the method: `SCRAM-SHA-256`, `SCRAM-SHA-512`. */
export type ScramHash = 'sha256' | 'sha512';

/** What is stored of one password. */
export interface ScramCredentials {
  readonly salt: Buffer;
  readonly iterations: number;
  /** H(HMAC(SaltedPassword, "Client Key")) */
  readonly storedKey: Buffer;
  /** HMAC(SaltedPassword, "Server Key") */
  readonly serverKey: Buffer;
}

export interface ScramOptions {
  readonly hash: ScramHash;
  /** What is stored for a user name; null when there is no such user. */
  readonly credentialsOf: (username: string) => MaybePromise<ScramCredentials | null>;
  readonly randomBytes: (count: number) => Buffer;
  /** What those are told who name a user that does not exist; absent or null: 16 bytes and {@link defaultIterations}. */
  readonly likeKnown?: () => { readonly saltBytes: number; readonly iterations: number } | null;
}

/** RFC 7677 §4: at least 4096. */
export const defaultIterations = 4096;

/** RFC 5802 asks for printable ASCII without a comma. */
const legalNonce = /^[\x21-\x2b\x2d-\x7e]{1,1024}$/;
const nonceBytes = 18;

/** @param saltedPassword - PBKDF2 with HMAC of `hash` over the password, as long as the hash */
export function scramCredentials(
  hash: ScramHash,
  saltedPassword: Buffer,
  salt: Buffer,
  iterations: number,
): ScramCredentials {
  const clientKey = hmac(hash, saltedPassword, 'Client Key');
  const storedKey = builtins.crypto.createHash(hash).update(clientKey).digest();
  return { salt, iterations, storedKey, serverKey: hmac(hash, saltedPassword, 'Server Key') };
}

/**
 * Makes credentials of a password, off the event loop.
 *
 * @param salt - at least 16 random bytes
 * @param iterations - at least {@link defaultIterations}, or clients may refuse them
 */
export async function deriveScramCredentials(
  hash: ScramHash,
  password: string,
  salt: Buffer,
  iterations = defaultIterations,
): Promise<ScramCredentials> {
  const { crypto } = builtins;
  // SASLprep, as far as everyday passwords need it: compatible forms of a character are one character.
  const bytes = Buffer.from(password.normalize('NFKC'));
  const saltedPassword = await new Promise<Buffer>((resolve, reject) => {
    crypto.pbkdf2(bytes, salt, iterations, hash === 'sha256' ? 32 : 64, hash, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
  return scramCredentials(hash, saltedPassword, salt, iterations);
}

/** The method for `authenticationMethods`, under the name that belongs to its hash. */
export function scramMethod(options: ScramOptions): AuthenticationMethod {
  const secret = options.randomBytes(32);
  return () => new ScramExchange(options, secret);
}

type Stage = 'client-first' | 'client-final' | 'over';

class ScramExchange implements AuthenticationExchange {
  readonly #options: ScramOptions;
  readonly #secret: Buffer;
  #stage: Stage = 'client-first';
  #first: ClientFirst | null = null;
  #nonce = '';
  #serverFirst = '';
  #credentials: ScramCredentials | null = null;
  #isKnown = false;

  constructor(options: ScramOptions, secret: Buffer) {
    this.#options = options;
    this.#secret = secret;
  }

  start(data: Buffer | null): MaybePromise<AuthenticationStep> {
    // A client need not send its first message with the CONNECT; it is asked for it then. (RFC 4422 §3)
    return data === null ? { kind: 'continue', data: null } : this.continue(data);
  }

  continue(data: Buffer | null): MaybePromise<AuthenticationStep> {
    const stage = this.#stage;
    this.#stage = 'over';
    const message = data === null ? '' : data.toString();
    if (stage === 'client-first') return this.#takeFirst(message);
    return stage === 'client-final' ? this.#takeFinal(message) : refused;
  }

  #takeFirst(message: string): MaybePromise<AuthenticationStep> {
    const first = readClientFirst(message);
    if (first === null) return refused;
    this.#first = first;
    const stored = this.#options.credentialsOf(first.username);
    return stored instanceof Promise
      ? stored.then((known) => this.#challenge(first, known))
      : this.#challenge(first, stored);
  }

  #challenge(first: ClientFirst, stored: ScramCredentials | null): AuthenticationStep {
    const credentials = stored ?? this.#unknown(first.username);
    this.#isKnown = stored !== null;
    this.#credentials = credentials;
    this.#nonce = first.nonce + this.#options.randomBytes(nonceBytes).toString('base64');
    this.#serverFirst = `r=${this.#nonce},s=${credentials.salt.toString('base64')},i=${credentials.iterations}`;
    this.#stage = 'client-final';
    return { kind: 'continue', data: Buffer.from(this.#serverFirst) };
  }

  #takeFinal(message: string): AuthenticationStep {
    const first = this.#first;
    const credentials = this.#credentials;
    const end = message.lastIndexOf(',p=');
    if (first === null || credentials === null || end < 0) return refused;
    const { hash } = this.#options;
    const [binding, nonce] = message.slice(0, end).split(',');
    if (binding !== `c=${Buffer.from(first.header).toString('base64')}` || nonce !== `r=${this.#nonce}`) return refused;
    const proof = Buffer.from(message.slice(end + 3), 'base64');
    const authMessage = `${first.bare},${this.#serverFirst},${message.slice(0, end)}`;
    const signature = hmac(hash, credentials.storedKey, authMessage);
    if (proof.length !== signature.length) return refused;
    for (const [index, byte] of signature.entries()) proof[index] = (proof[index] as number) ^ byte;
    const { crypto } = builtins;
    const isRight = crypto.timingSafeEqual(crypto.createHash(hash).update(proof).digest(), credentials.storedKey);
    if (!isRight || !this.#isKnown) return refused;
    const serverSignature = hmac(hash, credentials.serverKey, authMessage).toString('base64');
    return { kind: 'accepted', username: first.username, data: Buffer.from(`v=${serverSignature}`) };
  }

  /** Credentials that nobody fulfils, always the same for a name. */
  #unknown(username: string): ScramCredentials {
    const { hash, likeKnown } = this.#options;
    const { saltBytes, iterations } = likeKnown?.() ?? { saltBytes: 16, iterations: defaultIterations };
    const storedKey = hmac(hash, this.#secret, `key of ${username}`);
    const salt = hmac('sha512', this.#secret, `salt of ${username}`).subarray(0, saltBytes);
    return { salt, iterations, storedKey, serverKey: storedKey };
  }
}

const refused: AuthenticationStep = { kind: 'refused', reasonCode: 0x87 };

interface ClientFirst {
  /** `n,,`: what the last message has to repeat. */
  readonly header: string;
  /** Everything behind the header. */
  readonly bare: string;
  readonly username: string;
  readonly nonce: string;
}

/** null when it is no client-first-message, or asks for what there is not: channel binding, acting for somebody else. */
function readClientFirst(message: string): ClientFirst | null {
  const match = /^([ny],(?:a=([^,]+))?,)(n=([^,]+),r=([^,]+)(?:,.*)?)$/s.exec(message);
  if (match === null) return null;
  const [, header = '', actingFor, bare = '', name = '', nonce = ''] = match;
  const username = readName(name);
  if (username === null || !legalNonce.test(nonce)) return null;
  if (actingFor !== undefined && readName(actingFor) !== username) return null;
  return { header, bare, username, nonce };
}

/** A name, in which `=2C` is a comma and `=3D` an equals sign. */
function readName(text: string): string | null {
  if (/=(?!2C|3D)/.test(text)) return null;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return builtins.crypto.createHmac(hash, key).update(text).digest();
}
