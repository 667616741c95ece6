/**
 * SCRAM-SHA-512 with the passwords of a password file.
 *
 * What a password file stores in the scheme `sha512-pbkdf2` is what SCRAM calls SaltedPassword, so that the same line serves
 * both kinds of login. Passwords of other schemes cannot be used this way; their users are treated as unknown.
 */
import type { AuthenticationMethod, AuthenticationStep, ConnectRequest } from '../contracts/authenticator.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { PasswordHash } from './password-hash.ts';
import { scramCredentials, scramMethod } from './scram.ts';

export const passwordScramName = 'SCRAM-SHA-512';

/** Connection rate exceeded. */
const heldBack: AuthenticationStep = { kind: 'refused', reasonCode: 0x9f };

/**
 * @param users - user name → password, asked at every login; null: nobody
 * @param throttle - holds back addresses that keep giving wrong proofs
 */
export function passwordScram(
  users: () => ReadonlyMap<string, PasswordHash> | null,
  throttle: LoginThrottle,
  randomBytes: (count: number) => Buffer,
): AuthenticationMethod {
  const method = scramMethod({
    hash: 'sha512',
    randomBytes,
    credentialsOf: (username) => {
      const stored = users()?.get(username);
      return stored?.scheme === 'sha512-pbkdf2'
        ? scramCredentials('sha512', stored.hash, stored.salt, stored.iterations)
        : null;
    },
    likeKnown: () => firstUsable(users()),
  });
  return (request) => {
    const exchange = method(request);
    const settle = (step: AuthenticationStep): AuthenticationStep => {
      // All clients of a Unix socket have the same address, so it says nothing about who they are.
      if (request.listenerPort === 0) return step;
      if (step.kind === 'refused') throttle.bad(request.address);
      if (step.kind === 'accepted') throttle.good(request.address);
      return step;
    };
    const run = (
      step: AuthenticationStep | Promise<AuthenticationStep>,
    ): AuthenticationStep | Promise<AuthenticationStep> => (step instanceof Promise ? step.then(settle) : settle(step));
    return {
      start: (data) => (isHeld(throttle, request) ? heldBack : run(exchange.start(data))),
      continue: (data) => (isHeld(throttle, request) ? heldBack : run(exchange.continue(data))),
    };
  };
}

function isHeld(throttle: LoginThrottle, { listenerPort, address }: ConnectRequest): boolean {
  return listenerPort !== 0 && throttle.isHeld(address);
}

/** What the challenge of a user that there is looks like, so that others look the same. */
function firstUsable(
  users: ReadonlyMap<string, PasswordHash> | null,
): { readonly saltBytes: number; readonly iterations: number } | null {
  for (const stored of users?.values() ?? []) {
    if (stored.scheme === 'sha512-pbkdf2') return { saltBytes: stored.salt.length, iterations: stored.iterations };
  }
  return null;
}
