/**
 * The three ways a password file stores a password, byte for byte as Mosquitto writes them.
 *
 * | scheme          | text                                                                |
 * |-----------------|---------------------------------------------------------------------|
 * | `sha512`        | `$6$<salt>$<hash>`, hash = SHA-512(password ‖ salt)                 |
 * | `sha512-pbkdf2` | `$7$<iterations>$<salt>$<hash>`, PBKDF2-HMAC-SHA512 with 64 bytes    |
 * | `argon2id`      | `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>`          |
 *
 * The first two use base64 with padding, the last one without (the PHC string format).
 */
import { builtins } from '../base/builtins.ts';
import { argon2id } from './argon2.ts';

/** Names of the schemes as `moustique_passwd -H` takes them. */
export const PASSWORD_SCHEMES = ['sha512', 'sha512-pbkdf2', 'argon2id'] as const;

export type PasswordScheme = (typeof PASSWORD_SCHEMES)[number];

/** One stored password, taken apart. */
export type PasswordHash =
  | { readonly scheme: 'sha512'; readonly salt: Buffer; readonly hash: Buffer }
  | { readonly scheme: 'sha512-pbkdf2'; readonly iterations: number; readonly salt: Buffer; readonly hash: Buffer }
  | {
      readonly scheme: 'argon2id';
      readonly memoryKib: number;
      readonly passes: number;
      readonly lanes: number;
      readonly salt: Buffer;
      readonly hash: Buffer;
    };

/** Why a stored password cannot be used. */
export type PasswordHashFault = 'empty' | 'unknown-scheme' | 'bad-parameters' | 'bad-salt' | 'bad-hash';

/** Result of {@link parsePasswordHash}. */
export type ParsedPasswordHash =
  | { readonly ok: true; readonly value: PasswordHash }
  | { readonly ok: false; readonly fault: PasswordHashFault };

const HASH_BYTES = 64;
/** Mosquitto 2.0 writes salts of 12 bytes, 2.1 of 64, and nothing else is accepted. */
const SALT_BYTES_ALLOWED = [12, 64] as const;
const PBKDF2_ITERATIONS_MAX = 2 ** 31 - 1;

/** Iterations that Mosquitto 2.1 writes when none are asked for. */
export const DEFAULT_PBKDF2_ITERATIONS = 1000;

const ARGON2_SALT_BYTES = 64;

const ARGON2_DEFAULTS = { memoryKib: 47_104, passes: 1, lanes: 1 } as const;

/**
 * Reads the text after `user:` of a password file.
 *
 * @param text - trimmed, without the user name
 */
export function parsePasswordHash(text: string): ParsedPasswordHash {
  if (text === '') return { ok: false, fault: 'empty' };
  const parts = text.split('$');
  if (parts[0] !== '') return { ok: false, fault: 'unknown-scheme' };
  switch (parts[1]) {
    case '6':
      return parts.length === 4 ? sha512(parts[2], parts[3]) : { ok: false, fault: 'bad-hash' };
    case '7':
      return parts.length === 5 ? sha512Pbkdf2(parts[2], parts[3], parts[4]) : { ok: false, fault: 'bad-hash' };
    case 'argon2id':
      return parts.length === 6
        ? argon2(parts[2], parts[3], parts[4], parts[5])
        : { ok: false, fault: 'bad-parameters' };
    default:
      return { ok: false, fault: 'unknown-scheme' };
  }
}

function sha512(saltText: string | undefined, hashText: string | undefined): ParsedPasswordHash {
  const salt = paddedBase64(saltText);
  if (salt === undefined || !isAllowedSalt(salt)) return { ok: false, fault: 'bad-salt' };
  const hash = paddedBase64(hashText);
  if (hash === undefined || hash.length !== HASH_BYTES) return { ok: false, fault: 'bad-hash' };
  return { ok: true, value: { scheme: 'sha512', salt, hash } };
}

function sha512Pbkdf2(
  iterationsText: string | undefined,
  saltText: string | undefined,
  hashText: string | undefined,
): ParsedPasswordHash {
  const iterations = decimal(iterationsText, 1, PBKDF2_ITERATIONS_MAX);
  if (iterations === undefined) return { ok: false, fault: 'bad-parameters' };
  const rest = sha512(saltText, hashText);
  if (!rest.ok) return rest;
  return { ok: true, value: { scheme: 'sha512-pbkdf2', iterations, salt: rest.value.salt, hash: rest.value.hash } };
}

function argon2(
  version: string | undefined,
  parameters: string | undefined,
  saltText: string | undefined,
  hashText: string | undefined,
): ParsedPasswordHash {
  if (version !== 'v=19') return { ok: false, fault: 'bad-parameters' };
  const match = /^m=(\d+),t=(\d+),p=(\d+)$/.exec(parameters ?? '');
  const lanes = decimal(match?.[3], 1, 255);
  const passes = decimal(match?.[2], 1, 2 ** 31 - 1);
  // Argon2 needs 8 blocks of 1 KiB per lane; 4 GiB is what a 32-bit memory can hold.
  const memoryKib = decimal(match?.[1], 8 * (lanes ?? 1), 4 * 1024 * 1024);
  if (lanes === undefined || passes === undefined || memoryKib === undefined) {
    return { ok: false, fault: 'bad-parameters' };
  }
  const salt = unpaddedBase64(saltText);
  if (salt === undefined || salt.length < 8) return { ok: false, fault: 'bad-salt' };
  const hash = unpaddedBase64(hashText);
  if (hash === undefined || hash.length < 4) return { ok: false, fault: 'bad-hash' };
  return { ok: true, value: { scheme: 'argon2id', memoryKib, passes, lanes, salt, hash } };
}

/** The text that stands after `user:` in a password file. */
export function formatPasswordHash(stored: PasswordHash): string {
  switch (stored.scheme) {
    case 'sha512':
      return `$6$${stored.salt.toString('base64')}$${stored.hash.toString('base64')}`;
    case 'sha512-pbkdf2':
      return `$7$${stored.iterations}$${stored.salt.toString('base64')}$${stored.hash.toString('base64')}`;
    case 'argon2id':
      return (
        `$argon2id$v=19$m=${stored.memoryKib},t=${stored.passes},p=${stored.lanes}` +
        `$${withoutPadding(stored.salt)}$${withoutPadding(stored.hash)}`
      );
  }
}

/** What {@link hashPassword} may be told. */
export interface HashChoices {
  /** Default `sha512-pbkdf2`. */
  readonly scheme?: PasswordScheme;
  /** PBKDF2 rounds, 1..2³¹−1, default 1000; ignored by the other schemes. */
  readonly iterations?: number;
  /** Random bytes of salt of the SHA-512 schemes: 12 (default), which every Mosquitto reads, or 64, which 2.0 does not. */
  readonly saltBytes?: (typeof SALT_BYTES_ALLOWED)[number];
}

/** Hashes a password with a new random salt. */
export async function hashPassword(password: Buffer, choices: HashChoices = {}): Promise<PasswordHash> {
  const scheme = choices.scheme ?? 'sha512-pbkdf2';
  const salt = builtins.crypto.randomBytes(scheme === 'argon2id' ? ARGON2_SALT_BYTES : (choices.saltBytes ?? 12));
  switch (scheme) {
    case 'sha512':
      return { scheme, salt, hash: saltedSha512(password, salt) };
    case 'sha512-pbkdf2': {
      const iterations = choices.iterations ?? DEFAULT_PBKDF2_ITERATIONS;
      return { scheme, iterations, salt, hash: await derive(password, salt, iterations) };
    }
    case 'argon2id': {
      const hash = await argon2id(password, { ...ARGON2_DEFAULTS, salt, hashBytes: HASH_BYTES });
      return { scheme, ...ARGON2_DEFAULTS, salt, hash };
    }
  }
}

/**
 * Whether the password is the stored one; the comparison takes the same time wherever they differ.
 *
 * PBKDF2 and Argon2 run off the event loop.
 *
 * @throws Argon2Busy - when too many Argon2 checks are waiting already
 */
export async function verifyPassword(stored: PasswordHash, password: Buffer): Promise<boolean> {
  switch (stored.scheme) {
    case 'sha512':
      return builtins.crypto.timingSafeEqual(saltedSha512(password, stored.salt), stored.hash);
    case 'sha512-pbkdf2':
      return builtins.crypto.timingSafeEqual(await derive(password, stored.salt, stored.iterations), stored.hash);
    case 'argon2id': {
      const { memoryKib, passes, lanes, salt, hash } = stored;
      const found = await argon2id(password, { memoryKib, passes, lanes, salt, hashBytes: hash.length });
      return builtins.crypto.timingSafeEqual(found, hash);
    }
  }
}

function saltedSha512(password: Buffer, salt: Buffer): Buffer {
  return builtins.crypto.createHash('sha512').update(password).update(salt).digest();
}

function derive(password: Buffer, salt: Buffer, iterations: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    builtins.crypto.pbkdf2(password, salt, iterations, HASH_BYTES, 'sha512', (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function isAllowedSalt(salt: Buffer): boolean {
  return salt.length === SALT_BYTES_ALLOWED[0] || salt.length === SALT_BYTES_ALLOWED[1];
}

function decimal(text: string | undefined, minimum: number, maximum: number): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= minimum && value <= maximum ? value : undefined;
}

/** Buffer.from() skips what it does not know, so the alphabet is checked first. */
function paddedBase64(text: string | undefined): Buffer | undefined {
  if (text === undefined || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

function unpaddedBase64(text: string | undefined): Buffer | undefined {
  if (text === undefined || text.length % 4 === 1 || !/^[A-Za-z0-9+/]+$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

function withoutPadding(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
