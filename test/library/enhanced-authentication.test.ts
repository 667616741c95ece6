import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type CreateBrokerOptions,
  type EnhancedMethod,
  type EnhancedStep,
  ReasonCode,
  type ScramCredentials,
  scramCredentials,
  scramSha256,
} from '../../src/index.ts';
import { RawClient } from '../conformance/wire/client.ts';
import { v5 } from '../conformance/wire/packets.ts';
import { property, valueOf } from '../conformance/wire/properties.ts';
import type { ReceivedConnack } from '../conformance/wire/received.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { Inbox, type Started, startBroker } from './embedding.ts';

const resources = useResources();

/** A Network Connection whose CONNECT names a method and carries data. */
async function begin({ broker }: Started, name: string, data: string): Promise<RawClient> {
  const client = resources.add(await RawClient.open(broker.listeners[0]?.port ?? 0));
  const properties = [property.authenticationMethod(name), property.authenticationData(data)];
  client.send(v5.connect({ clientId: 'c', properties }));
  return client;
}

function answer(client: RawClient, reasonCode: number, name: string, data: string): void {
  const properties = [property.authenticationMethod(name), property.authenticationData(data)];
  client.send(v5.auth({ reasonCode, properties }));
}

/** The client's part of SCRAM, by RFC 5802 §3 and nothing else. */
class ScramClient {
  readonly first: string;
  readonly #hash: 'sha256' | 'sha512';
  readonly #password: string;
  #saltedPassword = Buffer.alloc(0);
  #authMessage = '';

  constructor(hash: 'sha256' | 'sha512', username: string, password: string) {
    this.#hash = hash;
    this.#password = password;
    this.first = `n,,n=${username},r=fyko+d2lbbFgONRv9qkxdawL`;
  }

  final(serverFirst: string): string {
    const [, nonce = '', salt = '', iterations = ''] = /^r=(.*),s=(.*),i=(\d+)$/.exec(serverFirst) ?? [];
    const length = this.#hash === 'sha256' ? 32 : 64;
    const rounds = Number(iterations);
    this.#saltedPassword = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), rounds, length, this.#hash);
    const withoutProof = `c=biws,r=${nonce}`;
    this.#authMessage = `${this.first.slice(3)},${serverFirst},${withoutProof}`;
    const clientKey = this.#hmac(this.#saltedPassword, 'Client Key');
    const signature = this.#hmac(createHash(this.#hash).update(clientKey).digest(), this.#authMessage);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** What a server must say that knows the password too. */
  get serverFinal(): string {
    const serverKey = this.#hmac(this.#saltedPassword, 'Server Key');
    return `v=${this.#hmac(serverKey, this.#authMessage).toString('base64')}`;
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }
}

/** Logs in by SCRAM; the broker must prove itself as well. */
async function logIn(started: Started, name: string, scram: ScramClient): Promise<[RawClient, ReceivedConnack]> {
  const client = await begin(started, name, scram.first);
  const challenge = await client.expectPacket('auth');
  answer(client, 0x18, name, scram.final(String(valueOf(challenge, 'authenticationData'))));
  const connack = await client.expectPacket('connack');
  if (connack.reasonCode === 0) expect(String(valueOf(connack, 'authenticationData'))).toBe(scram.serverFinal);
  return [client, connack];
}

describe('SCRAM-SHA-256', () => {
  test('lets in who knows the password, and nobody else', async () => {
    const users = new Map([['anne', await scramCredentials('secret')]]);
    const find = (username: string): ScramCredentials | null => users.get(username) ?? null;
    for (const credentialsOf of [find, async (username: string) => find(username)]) {
      const started = await startBroker(resources, {
        authenticate: () => false, // who names no method
        authenticationMethods: { 'SCRAM-SHA-256': scramSha256(credentialsOf) },
      });
      const [client] = await logIn(started, 'SCRAM-SHA-256', new ScramClient('sha256', 'anne', 'secret'));
      expect(started.broker.clients).toMatchObject([{ clientId: 'c', username: 'anne' }]);

      const again = new ScramClient('sha256', 'anne', 'secret');
      answer(client, 0x19, 'SCRAM-SHA-256', again.first);
      const challenge = await client.expectPacket('auth');
      answer(client, 0x18, 'SCRAM-SHA-256', again.final(String(valueOf(challenge, 'authenticationData'))));
      const done = await client.expectPacket('auth');
      expect([done.reasonCode, String(valueOf(done, 'authenticationData'))]).toEqual([0, again.serverFinal]);

      for (const [username, password] of [
        ['anne', 'guess'],
        ['bert', 'secret'],
      ] as const) {
        const [, connack] = await logIn(started, 'SCRAM-SHA-256', new ScramClient('sha256', username, password));
        expect(connack.reasonCode).toBe(0x87);
      }
      await client.expectNothing();
    }
  });

  test('scramCredentials: the password in every form of its characters, more iterations, always another salt', async () => {
    const first = await scramCredentials('\u00e9', 5000);
    const second = await scramCredentials('\u00e9', 5000);
    expect(first.salt).not.toEqual(second.salt);
    const started = await startBroker(resources, {
      authenticationMethods: { 'SCRAM-SHA-256': scramSha256(() => first) },
    });
    const [, connack] = await logIn(started, 'SCRAM-SHA-256', new ScramClient('sha256', 'anne', '\u00e9'));
    expect(connack.reasonCode).toBe(0);
  });
});

describe('scram: the passwords of a password file', () => {
  /** anne has a hash that can be used, bert one of another scheme; both have the password "secret". */
  function passwordFile(): string {
    const salt = Buffer.alloc(12, 7);
    const pbkdf2 = pbkdf2Sync('secret', salt, 4096, 64, 'sha512').toString('base64');
    const sha512 = createHash('sha512').update('secret').update(salt).digest('base64');
    const path = join(tempDir(resources), 'passwords');
    const base64 = salt.toString('base64');
    writeFileSync(path, `anne:$7$4096$${base64}$${pbkdf2}\nbert:$6$${base64}$${sha512}\n`, { mode: 0o600 });
    return path;
  }

  const options = (): CreateBrokerOptions => ({ allowAnonymous: false, passwordFile: passwordFile(), scram: true });

  test('the same line serves a login by password and one by SCRAM-SHA-512', async () => {
    const started = await startBroker(resources, options());
    const [, connack] = await logIn(started, 'SCRAM-SHA-512', new ScramClient('sha512', 'anne', 'secret'));
    expect(connack.reasonCode).toBe(0);
    const plain = resources.add(await RawClient.open(started.broker.listeners[0]?.port ?? 0));
    plain.send(v5.connect({ clientId: 'plain', username: 'anne', password: 'secret' }));
    expect((await plain.expectPacket('connack')).reasonCode).toBe(0);
    expect(started.broker.clients.map(({ username }) => username)).toEqual(['anne', 'anne']);
  });

  test('a wrong password, an unknown user and one whose hash is of no use are refused alike', async () => {
    const started = await startBroker(resources, options());
    const challenges = new Set<string>();
    for (const [username, password] of [
      ['anne', 'guess'],
      ['nobody', 'secret'],
      ['bert', 'secret'],
    ] as const) {
      const scram = new ScramClient('sha512', username, password);
      const client = await begin(started, 'SCRAM-SHA-512', scram.first);
      const challenge = String(valueOf(await client.expectPacket('auth'), 'authenticationData'));
      challenges.add(challenge.replaceAll(/[rs]=[^,]*,/g, (part) => `${part.slice(0, 2)}${part.length},`));
      answer(client, 0x18, 'SCRAM-SHA-512', scram.final(challenge));
      await client.expectRefused(0x87);
    }
    expect(challenges.size).toBe(1); // lengths and iterations tell nothing
  });

  test('who keeps guessing has to wait: CONNACK 0x9F', async () => {
    const started = await startBroker(resources, options());
    const codes: number[] = [];
    // On a machine so slow that a wait is over before the next attempt, later and longer ones are met.
    for (let count = 0; count < 50 && !codes.includes(0x9f); count++) {
      const scram = new ScramClient('sha512', 'anne', `guess ${count}`);
      const client = await begin(started, 'SCRAM-SHA-512', scram.first);
      const next = await client.next();
      if (next.type === 'connack') codes.push(next.reasonCode);
      if (next.type !== 'auth') continue;
      answer(client, 0x18, 'SCRAM-SHA-512', scram.final(String(valueOf(next, 'authenticationData'))));
      codes.push((await client.expectPacket('connack')).reasonCode);
    }
    expect(codes.slice(0, 10)).toEqual(Array(10).fill(0x87));
    expect(codes.at(-1)).toBe(0x9f);
  });

  test('without the option, and without a password file, there is no such method', async () => {
    for (const off of [{ ...options(), scram: false }, { scram: true }]) {
      const client = await begin(await startBroker(resources, off), 'SCRAM-SHA-512', 'n,,n=anne,r=x');
      await client.expectRefused(0x8c);
    }
  });
});

describe("methods of the program's own", () => {
  const token = (step: () => EnhancedStep | PromiseLike<EnhancedStep>): Record<string, EnhancedMethod> => ({
    token: () => ({ start: step, continue: step }),
  });

  test('may accept with text, bytes or nothing, at once or later', async () => {
    for (const [given, seen] of [
      ['hello', 'hello'],
      [Uint8Array.of(0x68, 0x69), 'hi'],
      [null, undefined],
    ] as const) {
      for (const step of [() => ({ accept: given }), async () => ({ accept: given, username: 'anne' })]) {
        const started = await startBroker(resources, { authenticationMethods: token(step) });
        const connack = await (await begin(started, 'token', 'x')).expectPacket('connack');
        expect(valueOf(connack, 'authenticationData')?.toString()).toBe(seen);
      }
    }
  });

  test('may refuse with a Reason Code and a Reason String', async () => {
    const step = (): EnhancedStep => ({ reasonCode: ReasonCode.Banned, reason: 'not you' });
    const started = await startBroker(resources, { authenticationMethods: token(step) });
    const connack = await (await begin(started, 'token', 'x')).expectPacket('connack');
    expect([connack.reasonCode, valueOf(connack, 'reasonString')]).toEqual([0x8a, 'not you']);
  });

  test.each([
    ['throws', () => Promise.reject(new Error('no database')), 'no database'],
    ['gives nothing', () => undefined as unknown as EnhancedStep, 'expected a step'],
    ['gives true', () => true as unknown as EnhancedStep, 'expected a step'],
    ['refuses with Success', () => ({ reasonCode: 0 }) as unknown as EnhancedStep, '128 or above'],
    ['gives too much', () => ({ accept: Buffer.alloc(65_536) }), 'at most 65535 bytes'],
    ['gives no bytes', () => ({ continue: 1 as unknown as string }), 'expected text, bytes or null'],
  ] as const)('a method that %s refuses with Server unavailable, and the log tells why', async (_what, step, why) => {
    const log = new Inbox<string>();
    const authenticationMethods = token(step);
    const started = await startBroker(resources, { authenticationMethods, log: (_type, line) => log.add(line) });
    await (await begin(started, 'token', 'x')).expectRefused(0x88);
    await log.until((line) => line.includes('authentication method token failed') && line.includes(why));
  });

  test('are a way in: nobody is warned that no client can connect, as without them', async () => {
    for (const [authenticationMethods, warnings] of [
      [token(() => ({ accept: null })), 0],
      [{}, 1],
    ] as const) {
      const log = new Inbox<string>();
      const options = {
        allowAnonymous: undefined,
        authenticationMethods,
        log: (_type: string, line: string) => log.add(line),
      };
      await startBroker(resources, options);
      await log.until((line) => line.startsWith('Opening')); // comes behind the warnings
      expect(log.all.filter((line) => line.includes('no client can connect'))).toHaveLength(warnings);
    }
  });

  test('options that are no methods are refused by name', async () => {
    const wrong = { authenticationMethods: { token: 'x' } } as unknown as CreateBrokerOptions;
    await expect(startBroker(resources, wrong)).rejects.toThrow('authenticationMethods["token"]');
    const noObject = { authenticationMethods: 'x' } as unknown as CreateBrokerOptions;
    await expect(startBroker(resources, noObject)).rejects.toThrow('authenticationMethods');
  });
});
