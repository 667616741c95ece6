import { pbkdf2Sync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AuthenticationStep, ConnectRequest } from '../contracts/authenticator.ts';
import {
  defaultIterations,
  deriveScramCredentials,
  type ScramCredentials,
  scramCredentials,
  scramMethod,
} from './scram.ts';

const request: ConnectRequest = {
  clientId: 'c',
  username: null,
  password: null,
  hasCertificateIdentity: false,
  address: '127.0.0.1',
  listenerPort: 1883,
  protocolVersion: 5,
};

/** The example of RFC 7677 §3: user, pencil. */
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const clientNonce = 'rOprNGfwEbeRWgbNEkqO';
const serverNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const clientFirst = `n,,n=user,r=${clientNonce}`;
const serverFirst = `r=${clientNonce}${serverNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const clientFinal = `c=biws,r=${clientNonce}${serverNonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const serverFinal = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

/** Random bytes that read as the server's nonce of the example. */
function exampleNonce(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  bytes.toString = () => serverNonce;
  return bytes;
}

async function begin(
  credentialsOf: (username: string) => ScramCredentials | null | Promise<ScramCredentials | null>,
): Promise<{
  start(text: string | null): Promise<AuthenticationStep>;
  continue(text: string): Promise<AuthenticationStep>;
}> {
  let calls = 0;
  const method = scramMethod({
    hash: 'sha256',
    credentialsOf,
    randomBytes: (count) => (calls++ === 0 ? Buffer.alloc(count, 1) : exampleNonce(count)),
  });
  const exchange = method(request);
  return {
    start: async (text) => await exchange.start(text === null ? null : Buffer.from(text)),
    continue: async (text) => await exchange.continue(Buffer.from(text)),
  };
}

const pencil = await deriveScramCredentials('sha256', 'pencil', salt);
const users = (username: string): ScramCredentials | null => (username === 'user' ? pencil : null);
const refused = { kind: 'refused', reasonCode: 0x87 };

describe('SCRAM-SHA-256', () => {
  test('goes as in the example of RFC 7677, byte for byte', async () => {
    for (const credentialsOf of [users, async (name: string) => users(name)]) {
      const exchange = await begin(credentialsOf);
      expect(await exchange.start(clientFirst)).toEqual({ kind: 'continue', data: Buffer.from(serverFirst) });
      expect(await exchange.continue(clientFinal)).toEqual({
        kind: 'accepted',
        username: 'user',
        data: Buffer.from(serverFinal),
      });
    }
  });

  test('asks for the first message when the CONNECT has none', async () => {
    const exchange = await begin(users);
    expect(await exchange.start(null)).toEqual({ kind: 'continue', data: null });
    expect(await exchange.continue(clientFirst)).toMatchObject({ kind: 'continue' });
    expect(await exchange.continue(clientFinal)).toMatchObject({ kind: 'accepted' });
  });

  test('refuses a proof made with another password, and does not go on', async () => {
    const wrong = await deriveScramCredentials('sha256', 'pen', salt);
    const exchange = await begin((name) => (name === 'user' ? wrong : null));
    await exchange.start(clientFirst);
    expect(await exchange.continue(clientFinal)).toEqual(refused);
    expect(await exchange.continue(clientFinal)).toEqual(refused);
  });

  test('asks an unknown user like a known one, always with the same salt, and refuses', async () => {
    const challenges: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const exchange = await begin(() => null);
      challenges.push(await exchange.start(clientFirst));
      expect(await exchange.continue(clientFinal)).toEqual(refused);
    }
    expect(challenges[0]).toMatchObject({ kind: 'continue' });
    expect(challenges[1]).toEqual(challenges[0]);
    const { data } = challenges[0] as { data: Buffer };
    expect(data.toString()).toMatch(/^r=[^,]+,s=[A-Za-z0-9+/]{22}==,i=4096$/); // 16 bytes of salt, like those of `pencil`
  });

  const wrongFirst = [
    ['channel binding, which is not offered', 'p=tls-unique,,n=user,r=abc'],
    ['acting for somebody else', 'n,a=root,n=user,r=abc'],
    ['no name', 'n,,r=abc'],
    ['an empty name', 'n,,n=,r=abc'],
    ['no nonce', 'n,,n=user'],
    ['a nonce that is not printable', 'n,,n=user,r=a\u0000b'],
    ['an extension that must be understood', 'n,,m=x,n=user,r=abc'],
    ['an equals sign that is not escaped', 'n,,n=us=er,r=abc'],
    ['something else', 'hello'],
    ['nothing', ''],
  ] as const;
  test.each(wrongFirst)('refuses a first message with %s', async (_what, message) => {
    const exchange = await begin(users);
    expect(await exchange.start(message)).toEqual(refused);
  });

  const wrongFinal = [
    ['another nonce', clientFinal.replace('r=rOpr', 'r=sOpr')],
    ['another header', clientFinal.replace('c=biws', 'c=eSws')],
    ['no proof', `c=biws,r=${clientNonce}${serverNonce}`],
    ['half a proof', clientFinal.slice(0, -20)],
    ['another proof', clientFinal.replace('p=dHz', 'p=eHz')],
  ] as const;
  test.each(wrongFinal)('refuses a last message with %s', async (_what, message) => {
    const exchange = await begin(users);
    await exchange.start(clientFirst);
    expect(await exchange.continue(message)).toEqual(refused);
  });

  test('takes names with commas and equals signs, and a header that names the user again', async () => {
    const names: string[] = [];
    for (const message of ['n,,n=a=2Cb=3Dc,r=abc', 'y,,n=anne,r=abc', 'n,a=anne,n=anne,r=abc,x=extension']) {
      const exchange = await begin((name) => {
        names.push(name);
        return null;
      });
      expect(await exchange.start(message)).toMatchObject({ kind: 'continue' });
    }
    expect(names).toEqual(['a,b=c', 'anne', 'anne']);
  });
});

test('the SaltedPassword of SCRAM is what PBKDF2 gives, so that stored hashes can be used', async () => {
  const derived = pbkdf2Sync('secret', salt, defaultIterations, 64, 'sha512');
  expect(scramCredentials('sha512', derived, salt, defaultIterations)).toEqual(
    await deriveScramCredentials('sha512', 'secret', salt),
  );
});
