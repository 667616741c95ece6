/**
 * Who may come in at one listener: proven by a certificate, by a password, or anonymous.
 *
 * As in Mosquitto: with a password file every user name has to be in it; without one any user name is as good as none; a client
 * without a user name is anonymous.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { AuthenticationResult, Authenticator, ConnectRequest } from '../contracts/authenticator.ts';
import { type PasswordHash, verifyPassword } from './password-hash.ts';

const notAuthorised: AuthenticationResult = { reasonCode: 0x87 };

export class ListenerAuthenticator implements Authenticator {
  readonly #users: ReadonlyMap<string, PasswordHash> | null;
  readonly #allowAnonymous: boolean;

  /** @param users - user name → password, null when there is no password file */
  constructor(users: ReadonlyMap<string, PasswordHash> | null, allowAnonymous: boolean) {
    this.#users = users;
    this.#allowAnonymous = allowAnonymous;
  }

  authenticate(request: ConnectRequest): MaybePromise<AuthenticationResult> {
    if (request.hasCertificateIdentity) return 'accepted';
    if (request.username === null || this.#users === null) return this.#allowAnonymous ? 'accepted' : notAuthorised;
    const stored = this.#users.get(request.username);
    if (stored === undefined || request.password === null) return notAuthorised;
    return verifyPassword(stored, request.password).then((isRight) => (isRight ? 'accepted' : notAuthorised));
  }

  /** Whether a client that was let in before would still be, as far as that can be told without its password. */
  stillAllows(username: string | null, hasCertificateIdentity: boolean): boolean {
    if (hasCertificateIdentity) return true;
    if (username === null || this.#users === null) return this.#allowAnonymous;
    return this.#users.has(username);
  }
}
