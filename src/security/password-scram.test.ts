import { pbkdf2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import type { ConnectRequest } from '../contracts/authenticator.ts';
import { CheckQueue } from './check-queue.ts';
import { ListenerAuthenticator, type PasswordChecks } from './listener-authenticator.ts';
import { LoginThrottle } from './login-throttle.ts';
import type { PasswordHash } from './password-hash.ts';
import { passwordScram } from './password-scram.ts';

const clock = new VirtualClock();

function hashOf(password: string, iterations = 4096): PasswordHash {
  const salt = Buffer.alloc(64, 3);
  const hash = pbkdf2Sync(password, salt, iterations, 64, 'sha512');
  return { scheme: 'sha512-pbkdf2', iterations, salt, hash };
}

function checks(): PasswordChecks {
  const throttle = new LoginThrottle(clock, () => {});
  return {
    queue: new CheckQueue(1, 1),
    throttle,
    randomBytes: (count) => clock.randomBytes(count),
    tellBadToken: () => {},
  };
}

test('after a reload, who came in by SCRAM stays while the password is the same, and goes when it is another or gone', () => {
  const shared = checks();
  const under = (password: string | null): ListenerAuthenticator =>
    new ListenerAuthenticator(
      {
        users: new Map(password === null ? [] : [['anne', hashOf(password)]]),
        ...{ dynsec: null, tokens: null, service: null, allowAnonymous: false },
      },
      shared,
    );
  const shown: ConnectRequest = {
    ...{ clientId: 'c', username: 'anne', password: null, hasCertificateIdentity: false },
    ...{ address: '192.0.2.1', listenerPort: 1883, protocolVersion: 5 },
  };
  const before = under('secret');
  expect(under('secret').stillAllows(shown, before)).toBe(true);
  expect(under('other').stillAllows(shown, before)).toBe(false);
  expect(under(null).stillAllows(shown, before)).toBe(false);
});

test('the users of the moment count, and whoever there is not is asked like whoever there is', () => {
  let users = new Map([['anne', hashOf('secret', 5000)]]);
  const { throttle, randomBytes } = checks();
  const method = passwordScram(() => users, throttle, randomBytes);
  const request: ConnectRequest = {
    ...{ clientId: 'c', username: null, password: null, hasCertificateIdentity: false },
    ...{ address: '127.0.0.1', listenerPort: 1883, protocolVersion: 5 },
  };
  const challenge = (name: string): string => {
    const step = method(request).start(Buffer.from(`n,,n=${name},r=abc`));
    return 'kind' in step && step.kind === 'continue' ? String(step.data) : '';
  };
  expect(challenge('anne')).toMatch(new RegExp(`^r=abc[^,]+,s=${Buffer.alloc(64, 3).toString('base64')},i=5000$`));
  expect(challenge('nobody')).toMatch(/^r=abc[^,]+,s=[A-Za-z0-9+/]{86}==,i=5000$/); // 64 bytes of salt
  users = new Map([['bert', hashOf('secret', 6000)]]);
  expect(challenge('anne')).toMatch(/i=6000$/);
  users = new Map();
  expect(challenge('anne')).toMatch(/^r=abc[^,]+,s=[A-Za-z0-9+/]{22}==,i=4096$/);
});

test('over a Unix socket nobody is held back, since all have the same address', () => {
  const { throttle, randomBytes } = checks();
  const method = passwordScram(() => null, throttle, randomBytes);
  const request = { clientId: 'c', username: null, password: null, hasCertificateIdentity: false } as const;
  const guess = (listenerPort: number): unknown =>
    method({ ...request, address: 'here', listenerPort, protocolVersion: 5 }).start(Buffer.from('no SCRAM'));
  for (let count = 0; count < 20; count++) expect(guess(0)).toEqual({ kind: 'refused', reasonCode: 0x87 });
  for (let count = 0; count < 10; count++) expect(guess(1883)).toEqual({ kind: 'refused', reasonCode: 0x87 });
  expect(guess(1883)).toEqual({ kind: 'refused', reasonCode: 0x9f });
});
