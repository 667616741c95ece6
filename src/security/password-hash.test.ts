import { describe, expect, test } from 'vitest';
import {
  formatPasswordHash,
  hashPassword,
  type PasswordHash,
  parsePasswordHash,
  verifyPassword,
} from './password-hash.ts';

/** Written by `mosquitto_passwd -H sha512`: the password is `d`. */
const SHA512_D =
  '$6$w2xSKop3LGNllyUb$4O70eH4UE3DQGsoPk0QKEm4KBpX03zsit62NFOphPidBh0PMrEKlrb63j/ODmN+ir57MPgCTwKunY8Y/+fn4ow==';

function parsed(text: string): PasswordHash {
  const result = parsePasswordHash(text);
  if (!result.ok) throw new Error(`fault: ${result.fault}`);
  return result.value;
}

function fault(text: string): string {
  const result = parsePasswordHash(text);
  return result.ok ? 'none' : result.fault;
}

describe('reading', () => {
  test('verifies a sha512 entry written by mosquitto_passwd', async () => {
    const stored = parsed(SHA512_D);
    expect(await verifyPassword(stored, Buffer.from('d'))).toBe(true);
    expect(await verifyPassword(stored, Buffer.from('e'))).toBe(false);
    expect(await verifyPassword(stored, Buffer.alloc(0))).toBe(false);
  });

  test('takes salts of 12 and 64 bytes and refuses any other', () => {
    const hash = Buffer.alloc(64).toString('base64');
    for (const bytes of [12, 64]) {
      expect(fault(`$7$1000$${Buffer.alloc(bytes).toString('base64')}$${hash}`)).toBe('none');
    }
    for (const bytes of [11, 13, 63, 65]) {
      expect(fault(`$7$1000$${Buffer.alloc(bytes).toString('base64')}$${hash}`)).toBe('bad-salt');
    }
  });

  test('names what is wrong', () => {
    const salt = Buffer.alloc(12).toString('base64');
    const hash = Buffer.alloc(64).toString('base64');
    expect(fault('')).toBe('empty');
    expect(fault('secret')).toBe('unknown-scheme');
    expect(fault('$5$a$b')).toBe('unknown-scheme');
    expect(fault(`$6$${salt}$${Buffer.alloc(63).toString('base64')}`)).toBe('bad-hash');
    expect(fault(`$6$${salt}`)).toBe('bad-hash');
    expect(fault(`$6$!${salt}$${hash}`)).toBe('bad-salt');
    expect(fault(`$7$0$${salt}$${hash}`)).toBe('bad-parameters');
    expect(fault(`$7$1e3$${salt}$${hash}`)).toBe('bad-parameters');
    expect(fault(`$argon2id$v=16$m=47104,t=1,p=1$${salt}$${hash}`)).toBe('bad-parameters');
  });
});

describe('writing', () => {
  test.each(['sha512', 'sha512-pbkdf2', 'argon2id'] as const)('%s is read back and verified', async (scheme) => {
    const password = Buffer.from([0x70, 0xc3, 0xa9, 0x00, 0xff]);
    const text = formatPasswordHash(await hashPassword(password, { scheme }));
    const stored = parsed(text);
    expect(stored.scheme).toBe(scheme);
    expect(await verifyPassword(stored, password)).toBe(true);
    expect(await verifyPassword(stored, Buffer.from('other'))).toBe(false);
  });

  test('writes the forms of Mosquitto 2.1, with salts that 2.0 reads too', async () => {
    const password = Buffer.from('x');
    // 12 bytes are 16 characters of base64; 64 are 88 with the padding and 86 without.
    expect(formatPasswordHash(await hashPassword(password))).toMatch(/^\$7\$1000\$[\w+/]{16}\$[\w+/]{86}==$/);
    expect(formatPasswordHash(await hashPassword(password, { scheme: 'sha512' }))).toMatch(
      /^\$6\$[\w+/]{16}\$[\w+/]{86}==$/,
    );
    expect(formatPasswordHash(await hashPassword(password, { scheme: 'argon2id' }))).toMatch(
      /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[\w+/]{86}\$[\w+/]{86}$/,
    );
  });

  test('writes long salts when asked to', async () => {
    const text = formatPasswordHash(await hashPassword(Buffer.from('x'), { iterations: 101, saltBytes: 64 }));
    expect(text).toMatch(/^\$7\$101\$[\w+/]{86}==\$[\w+/]{86}==$/);
  });
});
