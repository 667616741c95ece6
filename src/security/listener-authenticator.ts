/**
 * Who may come in at one listener: proven by a certificate, by a password, or anonymous.
 *
 * As in Mosquitto: with a password file every user name has to be in it; without one any user name is as good as none; a client
 * without a user name is anonymous. Passwords are checked off the event loop, a bounded number at a time, and an address that
 * keeps giving bad ones has to wait.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { AuthenticationResult, Authenticator, ConnectRequest } from '../contracts/authenticator.ts';
import type { HashQueue } from './hash-queue.ts';
import type { LoginThrottle } from './login-throttle.ts';
import { formatPasswordHash, type PasswordHash, verifyPassword } from './password-hash.ts';

const notAuthorised: AuthenticationResult = { reasonCode: 0x87 };
/** Connection rate exceeded: the address has to wait and enough of it waits already. MQTT 3.x is told "unavailable". */
const tooManyAttempts: AuthenticationResult = { reasonCode: 0x9f };
/** Server busy. */
const busy: AuthenticationResult = { reasonCode: 0x89 };

/** What the authenticators of all listeners share, and what outlives a reload. */
export interface PasswordChecks {
  readonly queue: HashQueue;
  readonly throttle: LoginThrottle;
  readonly randomBytes: (count: number) => Buffer;
}

/**
 * The authenticator in force at a listener: connections keep this one, a reload changes the one behind it.
 *
 * An answer that was looked for under rules that are gone by then is looked for again.
 */
export class CurrentAuthenticator implements Authenticator {
  current: ListenerAuthenticator;

  constructor(current: ListenerAuthenticator) {
    this.current = current;
  }

  authenticate(request: ConnectRequest): MaybePromise<AuthenticationResult> {
    const asked = this.current;
    const result = asked.authenticate(request);
    if (!(result instanceof Promise)) return result;
    return result.then((answer) =>
      answer === 'accepted' && this.current !== asked ? this.authenticate(request) : answer,
    );
  }
}

/** What a client showed when it was let in. */
export interface Shown {
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly hasCertificateIdentity: boolean;
}

export class ListenerAuthenticator implements Authenticator {
  readonly #users: ReadonlyMap<string, PasswordHash> | null;
  readonly #allowAnonymous: boolean;
  readonly #checks: PasswordChecks;

  /** @param users - user name → password, null when there is no password file */
  constructor(users: ReadonlyMap<string, PasswordHash> | null, allowAnonymous: boolean, checks: PasswordChecks) {
    this.#users = users;
    this.#allowAnonymous = allowAnonymous;
    this.#checks = checks;
  }

  /** User name → password; null when there is no password file. */
  get users(): ReadonlyMap<string, PasswordHash> | null {
    return this.#users;
  }

  authenticate(request: ConnectRequest): MaybePromise<AuthenticationResult> {
    const { username, password } = request;
    if (request.hasCertificateIdentity) return 'accepted';
    if (username === null || this.#users === null) return this.#allowAnonymous ? 'accepted' : notAuthorised;
    if (password === null) return notAuthorised;
    const { throttle } = this.#checks;
    const { address } = request;
    // All clients of a Unix socket have the same address, so it says nothing about who they are.
    if (request.listenerPort === 0) return this.#check(username, password, null, request);
    if (!throttle.isHeld(address)) return this.#check(username, password, address, request);
    const allowed = throttle.wait(address);
    if (allowed === undefined) return tooManyAttempts;
    return allowed.then(() => this.#check(username, password, address, request));
  }

  /**
   * Whether a client that was let in under other rules would be let in under these.
   *
   * @param before - the rules it was let in under: what is the same there need not be checked again
   * @returns a function where the password has to be checked; its promise is never rejected
   */
  stillAllows(shown: Shown, before: ListenerAuthenticator): boolean | (() => Promise<boolean>) {
    const { username, password } = shown;
    if (shown.hasCertificateIdentity) return true;
    if (username === null || this.#users === null) return this.#allowAnonymous;
    const stored = this.#users.get(username);
    if (stored === undefined) return false;
    const known = before.#users?.get(username);
    if (known !== undefined && formatPasswordHash(known) === formatPasswordHash(stored)) return true;
    // Without a password there is nothing to check: it proved itself by SCRAM.
    if (password === null) return false;
    return async () => {
      try {
        // More waiting than the queue takes: they come one at a time, so this one may go beside it.
        return await (this.#checks.queue.run(() => verifyPassword(stored, password)) ??
          verifyPassword(stored, password));
      } catch {
        return false;
      }
    };
  }

  /** @param address - null where it says nothing */
  #check(
    username: string,
    password: Buffer,
    address: string | null,
    { isAbandoned }: ConnectRequest,
  ): MaybePromise<AuthenticationResult> {
    const { queue, throttle } = this.#checks;
    const stored = this.#users?.get(username);
    if (stored === undefined) {
      if (address !== null) throttle.bad(address);
      return notAuthorised;
    }
    const answer = queue.run<AuthenticationResult>(async () => {
      if (isAbandoned?.() === true) return busy;
      if (address !== null && throttle.isHeld(address)) return tooManyAttempts;
      const isRight = await verifyPassword(stored, password);
      if (address !== null) {
        if (isRight) throttle.good(address);
        else throttle.bad(address);
      }
      return isRight ? 'accepted' : notAuthorised;
    });
    return answer ?? busy;
  }
}
