/**
 * Who may come in at one listener: proven by a certificate, by a password, by a token, by a Web service, or anonymous.
 *
 * As in Mosquitto: with a password file every user name has to be in it; without one any user name is as good as none; a client
 * without a user name is anonymous. Tokens and the Web service stand beside the password file: the first that knows a client
 * lets it in. All of them work off the event loop, a bounded number at a time, and an address that keeps giving bad passwords
 * has to wait.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { AuthenticationResult, Authenticator, ConnectRequest } from '../contracts/authenticator.ts';
import type { CheckQueue } from './check-queue.ts';
import type { DynamicSecurity } from './dynsec/dynamic-security.ts';
import type { HttpAuthenticator } from './http-authenticator.ts';
import type { LoginThrottle } from './login-throttle.ts';
import { formatPasswordHash, type PasswordHash, verifyPassword } from './password-hash.ts';
import { looksLikeToken, type TokenAuthenticator } from './token-authenticator.ts';

const notAuthorised: AuthenticationResult = { reasonCode: 0x87 };
/** Server unavailable: whoever has to be asked does not answer. */
const unavailable: AuthenticationResult = { reasonCode: 0x88 };
/** Server busy. */
const busy: AuthenticationResult = { reasonCode: 0x89 };
/** Connection rate exceeded: the address has to wait and enough of it waits already. MQTT 3.x is told "unavailable". */
const tooManyAttempts: AuthenticationResult = { reasonCode: 0x9f };

/** What the authenticators of all listeners share, and what outlives a reload. */
export interface PasswordChecks {
  readonly queue: CheckQueue;
  readonly throttle: LoginThrottle;
  readonly randomBytes: (count: number) => Buffer;
  /** Tells the operator why a token lets nobody in. */
  readonly tellBadToken: (request: ConnectRequest, problem: string) => void;
}

/** Who lets clients in; null for those that are not configured. */
export interface WaysIn {
  /** Asked first: what it says about a user name that it knows is not asked of others. */
  readonly dynsec: DynamicSecurity | null;
  /** User name → password. */
  readonly users: ReadonlyMap<string, PasswordHash> | null;
  readonly tokens: TokenAuthenticator | null;
  readonly service: HttpAuthenticator | null;
  readonly allowAnonymous: boolean;
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
      isAccepted(answer) && this.current !== asked ? this.authenticate(request) : answer,
    );
  }
}

export class ListenerAuthenticator implements Authenticator {
  readonly #ways: WaysIn;
  readonly #checks: PasswordChecks;

  constructor(ways: WaysIn, checks: PasswordChecks) {
    this.#ways = ways;
    this.#checks = checks;
  }

  /** User name → password; null when there is no password file. */
  get users(): ReadonlyMap<string, PasswordHash> | null {
    return this.#ways.users;
  }

  /** Whether whoever gives a user name has to prove it. */
  get provesPasswords(): boolean {
    const { dynsec, users, tokens, service } = this.#ways;
    return dynsec !== null || users !== null || tokens !== null || service !== null;
  }

  authenticate(request: ConnectRequest): MaybePromise<AuthenticationResult> {
    // Whoever proves a name otherwise is still refused when dynamic security has disabled it, or binds it to another client id.
    if (request.hasCertificateIdentity)
      return this.#isBarred(request.username, request.clientId) ? notAuthorised : 'accepted';
    if (this.#isAnonymous(request)) return this.#ways.allowAnonymous ? 'accepted' : notAuthorised;
    if (request.password === null && this.#ways.service === null) return notAuthorised;
    const { throttle } = this.#checks;
    const { address } = request;
    // All clients of a Unix socket have the same address, so it says nothing about who they are.
    if (request.listenerPort === 0) return this.#check(request, null);
    if (!throttle.isHeld(address)) return this.#check(request, address);
    const allowed = throttle.wait(address);
    if (allowed === undefined) return tooManyAttempts;
    return allowed.then(() => this.#check(request, address));
  }

  /**
   * Whether a client that was let in under other rules would be let in under these.
   *
   * @param shown - what it showed when it was let in, with the user name that it has
   * @param before - the rules it was let in under: what is the same there need not be checked again
   * @returns a function where somebody has to be asked; its promise is never rejected
   */
  stillAllows(shown: ConnectRequest, before: ListenerAuthenticator): boolean | (() => Promise<boolean>) {
    if (shown.hasCertificateIdentity) return !this.#isBarred(shown.username, shown.clientId);
    if (this.#isAnonymous(shown)) return this.#ways.allowAnonymous;
    if (this.#decidesAs(before, shown.username)) return true;
    const { tokens, service } = this.#ways;
    const { username, password } = shown;
    if (tokens === null && service === null) {
      // Without a password there is nothing to check: it proved itself by SCRAM.
      if (password === null || username === null || this.users?.has(username) !== true) return false;
    }
    return async () => {
      try {
        // More waiting than the queue takes: they come one at a time, so this one may go beside it.
        const answer = await this.#ask(shown, (check) => this.#checks.queue.run(check) ?? check());
        return answer === 'accepted' || (isAccepted(answer) && answer.username === username);
      } catch {
        return false;
      }
    };
  }

  #isAnonymous({ username, password }: ConnectRequest): boolean {
    const { dynsec, users, tokens, service } = this.#ways;
    if (tokens === null && service === null) return username === null || (users === null && dynsec === null);
    return username === null && password === null;
  }

  /** Whether both would say the same about whoever has this user name, whatever it shows. */
  #decidesAs(before: ListenerAuthenticator, username: string | null): boolean {
    const [now, then] = [this.#ways, before.#ways];
    // It disconnects by itself whom it does not let in any more.
    const isKnown = username !== null && now.dynsec?.knows(username) === true;
    if (isKnown !== (username !== null && then.dynsec?.knows(username) === true)) return false;
    if (isKnown) return true;
    if (now.tokens?.fingerprint !== then.tokens?.fingerprint) return false;
    if (now.service?.fingerprint !== then.service?.fingerprint) return false;
    const [stored, known] = [now.users, then.users].map((users) => users?.get(username ?? ''));
    if (stored === undefined || known === undefined) {
      // Nobody else would have let it in.
      return stored === known && (now.tokens !== null || now.service !== null);
    }
    return formatPasswordHash(known) === formatPasswordHash(stored);
  }

  /** @param address - null where it says nothing */
  #check(request: ConnectRequest, address: string | null): MaybePromise<AuthenticationResult> {
    const { queue, throttle } = this.#checks;
    const judge = (answer: AuthenticationResult): AuthenticationResult => {
      if (address === null) return answer;
      if (isAccepted(answer)) throttle.good(address);
      else if (answer === notAuthorised) throttle.bad(address);
      return answer;
    };
    const isHeld = (): boolean => address !== null && throttle.isHeld(address);
    const isAbandoned = (): boolean => request.isAbandoned?.() === true || isHeld();
    const answer = this.#ask({ ...request, isAbandoned }, (check) =>
      queue.run(() => (isHeld() ? tooManyAttempts : isAbandoned() ? busy : check())),
    );
    return answer instanceof Promise ? answer.then(judge) : judge(answer);
  }

  /** @param run - runs a check when its turn comes; undefined when too many wait already */
  #ask(
    request: ConnectRequest,
    run: (check: () => Promise<AuthenticationResult>) => Promise<AuthenticationResult> | undefined,
  ): MaybePromise<AuthenticationResult> {
    const { dynsec, users, tokens, service } = this.#ways;
    const { username, password, clientId } = request;
    const isToken = tokens !== null && password !== null && looksLikeToken(password);
    const login = dynsec?.login(username, clientId) ?? 'unknown';
    if (login === 'refused') return notAuthorised;
    if (login !== 'unknown' && !isToken) {
      // Nobody has proven anything without a password.
      if (password === null || login.password === null) return notAuthorised;
      const hash = login.password;
      const answer = run(async () => ((await verifyPassword(hash, password)) ? 'accepted' : notAuthorised));
      // It may have been changed, disabled or deleted meanwhile.
      return (
        answer?.then((found) =>
          found === 'accepted' && dynsec?.login(username, clientId) !== login ? this.#ask(request, run) : found,
        ) ?? busy
      );
    }
    const stored = username === null ? undefined : users?.get(username);
    const checks: (() => Promise<AuthenticationResult> | undefined)[] = [];
    if (tokens !== null && password !== null && isToken) {
      checks.push(() => run(() => this.#checkToken(tokens, password.toString('latin1'), request)));
    }
    if (stored !== undefined && password !== null) {
      checks.push(() => run(async () => ((await verifyPassword(stored, password)) ? 'accepted' : notAuthorised)));
    }
    // Its calls have a queue of their own: a slow service must not keep those waiting who are in the password file.
    if (service !== null) checks.push(async () => serviceAnswers[await service.ask(request)]);
    return checks.length === 0 ? notAuthorised : firstThatKnows(checks);
  }

  #isBarred(username: string | null, clientId: string): boolean {
    return this.#ways.dynsec?.login(username, clientId) === 'refused';
  }

  async #checkToken(tokens: TokenAuthenticator, token: string, request: ConnectRequest): Promise<AuthenticationResult> {
    const answer = await tokens.check(token);
    if (!('problem' in answer)) return this.#isBarred(answer.username, request.clientId) ? notAuthorised : answer;
    this.#checks.tellBadToken(request, answer.problem);
    return notAuthorised;
  }
}

const serviceAnswers = { allowed: 'accepted', denied: notAuthorised, unavailable, busy } as const;

/** Asks one after the other until one says yes, or cannot say. */
async function firstThatKnows(
  checks: readonly (() => Promise<AuthenticationResult> | undefined)[],
): Promise<AuthenticationResult> {
  let answer = notAuthorised;
  for (const check of checks) {
    answer = (await check()) ?? busy;
    if (answer !== notAuthorised) break;
  }
  return answer;
}

function isAccepted(answer: AuthenticationResult): answer is Exclude<AuthenticationResult, { reasonCode: number }> {
  return answer === 'accepted' || !('reasonCode' in answer);
}
