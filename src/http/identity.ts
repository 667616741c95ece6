/**
 * Who sent a request: by the cookie of a login, by HTTP Basic (for programs), or by a read-only token.
 *
 * Passwords are checked by the accounts of the console, else by the listener's own authenticator, both with the broker's
 * throttle. Whom the broker knows, the console lets in when an `http_role` line gives a role.
 */
import type { IncomingMessage } from 'node:http';
import { ListenerAuthenticator } from '../security/listener-authenticator.ts';
import type { ConsoleState } from './console-state.ts';
import { hashOf, type LoginSession, type LoginSessions } from './login-sessions.ts';
import { HttpProblem } from './problem.ts';
import type { Role } from './schema/parts.ts';
import type { HttpListener, HttpSurroundings } from './surroundings.ts';

export interface Identity {
  readonly name: string;
  readonly role: Role;
  readonly by: 'cookie' | 'basic' | 'token';
  /** Of the cookie's session; '' else. */
  readonly csrf: string;
  /** Of a token. */
  readonly tokenId?: string;
}

/** Who showed the right password. */
interface Proven {
  readonly username: string;
  /** Whether it is an account of the console, and not a user of the broker. */
  readonly isConsoleAccount: boolean;
}

/** A password that was good is not asked about again for so long when a program sends it with every request. */
const basicGoodMs = 60_000;
const basicKnownMax = 256;

/** Reason Codes that say: later. */
const laterCodes = new Set([0x88, 0x89, 0x97, 0x9f]);

export class Identities {
  readonly #surroundings: HttpSurroundings;
  readonly #state: ConsoleState;
  readonly #sessions: LoginSessions;
  /** Hash of listener, user name and password → until when it is good, and who it is. Bounded by {@link basicKnownMax}. */
  readonly #basicKnown = new Map<string, Proven & { readonly untilMs: number }>();
  readonly #secret: string;

  constructor(surroundings: HttpSurroundings, state: ConsoleState, sessions: LoginSessions) {
    this.#surroundings = surroundings;
    this.#state = state;
    this.#sessions = sessions;
    this.#secret = surroundings.clock.randomBytes(16).toString('hex');
  }

  /** Whether nobody can administer this broker yet. */
  get isFirstRun(): boolean {
    const { httpRole } = this.#surroundings.config().global;
    const hasAdmin = [...this.#state.accounts.values()].some(({ role }) => role === 'admin');
    return !hasAdmin && !httpRole.some(({ role }) => role === 'admin');
  }

  /**
   * @returns null: nobody in particular
   * @throws HttpProblem - 401 for credentials that are no good, 403 for somebody without a role, 429 for too many attempts
   */
  async of(request: IncomingMessage, listener: HttpListener): Promise<Identity | null> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
      if (scheme.toLowerCase() === 'bearer') return this.byToken(value);
      const credentials = basicCredentials(authorization);
      if (credentials === null) throw unauthorized('Expected Authorization: Basic or Bearer.');
      return await this.#byBasic(credentials, request, listener);
    }
    const cookie = cookieOf(request, listener);
    const session = cookie === null ? undefined : this.#sessions.find(cookie);
    if (session === undefined) return null;
    const role = this.#roleOf(session.username, session.isConsoleAccount);
    if (role === null) return null;
    return { name: session.username, role, by: 'cookie', csrf: session.csrf };
  }

  /** @throws HttpProblem - 401 */
  byToken(text: string): Identity {
    const hash = hashOf(text);
    const token = this.#state.tokens.find((one) => one.hash === hash);
    const nowMs = this.#surroundings.clock.nowMs();
    if (token === undefined || (token.expiresMs !== null && token.expiresMs <= nowMs)) {
      throw unauthorized('The token is not known, or its time is over.');
    }
    return { name: `token ${token.name}`, role: 'viewer', by: 'token', csrf: '', tokenId: token.id };
  }

  /**
   * Checks a name and a password, and begins a session.
   *
   * @throws HttpProblem - as {@link of}
   */
  async logIn(
    credentials: Credentials,
    request: IncomingMessage,
    listener: HttpListener,
  ): Promise<{ readonly cookie: string; readonly identity: Identity }> {
    const { username, isConsoleAccount } = await this.#check(credentials, request, listener);
    return this.begin(username, isConsoleAccount);
  }

  /** Begins a session of somebody who has proven who they are. @throws HttpProblem - 403 */
  begin(username: string, isConsoleAccount: boolean): { readonly cookie: string; readonly identity: Identity } {
    const role = this.#roleOrRefuse(username, isConsoleAccount);
    const { cookie, session } = this.#sessions.begin(username, isConsoleAccount);
    return { cookie, identity: { name: username, role, by: 'cookie', csrf: session.csrf } };
  }

  /** Whether somebody who was let in before still may read: the session, the token, the role are still there. */
  isStill(who: Identity, request: IncomingMessage, listener: HttpListener): boolean {
    if (who.by === 'cookie') {
      const cookie = cookieOf(request, listener);
      const session = cookie === null ? undefined : this.#sessions.find(cookie);
      return session !== undefined && this.#roleOf(session.username, session.isConsoleAccount) !== null;
    }
    if (who.by === 'basic') return this.#roleOf(who.name, this.#state.accounts.has(who.name)) !== null;
    const nowMs = this.#surroundings.clock.nowMs();
    return this.#state.tokens.some(
      ({ id, expiresMs }) => id === who.tokenId && (expiresMs === null || expiresMs > nowMs),
    );
  }

  /** Passwords may have changed. */
  forget(): void {
    this.#basicKnown.clear();
  }

  async #byBasic(credentials: Credentials, request: IncomingMessage, listener: HttpListener): Promise<Identity> {
    const { username, password } = credentials;
    const nowMs = this.#surroundings.clock.monotonicMs();
    const account = this.#state.accounts.get(username);
    const key = hashOf(JSON.stringify([this.#secret, listener.port, username, password]));
    const known = this.#basicKnown.get(key);
    let proven: Proven | undefined = known;
    if (known === undefined || known.untilMs <= nowMs || known.isConsoleAccount !== (account !== undefined)) {
      proven = await this.#check(credentials, request, listener);
      const [oldest] = this.#basicKnown.keys();
      if (this.#basicKnown.size >= basicKnownMax && oldest !== undefined) this.#basicKnown.delete(oldest);
      this.#basicKnown.delete(key);
      this.#basicKnown.set(key, { untilMs: nowMs + basicGoodMs, ...proven });
    }
    const { username: name, isConsoleAccount } = proven ?? { username, isConsoleAccount: false };
    return { name, role: this.#roleOrRefuse(name, isConsoleAccount), by: 'basic', csrf: '' };
  }

  async #check(credentials: Credentials, request: IncomingMessage, listener: HttpListener): Promise<Proven> {
    const { username, password } = credentials;
    const { passwordChecks } = this.#surroundings;
    const isConsoleAccount = this.#state.accounts.has(username);
    const ofConsole = (): ListenerAuthenticator =>
      new ListenerAuthenticator(
        {
          users: new Map([...this.#state.accounts].map(([name, account]) => [name, account.password])),
          ...{ dynsec: null, tokens: null, service: null, allowAnonymous: false },
        },
        passwordChecks,
      );
    // A listener that asks for no password would let anybody be anybody.
    const authenticator = isConsoleAccount || !listener.provesPasswords ? ofConsole() : listener.authenticator;
    const answer = await authenticator.authenticate({
      clientId: 'http-api',
      username,
      password: Buffer.from(password),
      hasCertificateIdentity: false,
      address: request.socket.remoteAddress ?? '',
      listenerPort: listener.port,
      protocolVersion: 5,
      isAbandoned: () => request.socket.destroyed,
    });
    if (answer === 'accepted') return { username, isConsoleAccount };
    // A token says itself who its bearer is.
    if ('username' in answer) return { username: answer.username, isConsoleAccount: false };
    if (laterCodes.has(answer.reasonCode)) {
      throw new HttpProblem(
        429,
        'too-many-attempts',
        'Too many attempts from this address; try again in some seconds.',
      );
    }
    throw unauthorized('User name or password is not right.');
  }

  #roleOrRefuse(username: string, isConsoleAccount: boolean): Role {
    const role = this.#roleOf(username, isConsoleAccount);
    if (role !== null) return role;
    const line = `http_role viewer ${username}`;
    throw new HttpProblem(
      403,
      'no-role',
      `This user has no role here; a line "${line}" in the configuration gives one.`,
    );
  }

  #roleOf(username: string, isConsoleAccount: boolean): Role | null {
    if (isConsoleAccount) return this.#state.accounts.get(username)?.role ?? null;
    return roleByConfig(this.#surroundings, username);
  }
}

/** The role that `http_role` lines give a user of the broker: by name, else by `*`; null without one. */
export function roleByConfig({ config }: Pick<HttpSurroundings, 'config'>, username: string): Role | null {
  const { httpRole } = config().global;
  const line =
    httpRole.findLast((one) => one.username === username) ?? httpRole.findLast((one) => one.username === '*');
  return line?.role ?? null;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Name and password of HTTP Basic (RFC 7617), UTF-8; null when it is none. */
export function basicCredentials(authorization: string): Credentials | null {
  const [, base64] = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? [];
  if (base64 === undefined) return null;
  const text = Buffer.from(base64, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Cookies belong to a host, not to a port: brokers beside each other on one machine keep theirs apart by name. */
export function cookieName(listener: HttpListener): string {
  return `${listener.isTls ? '__Host-' : ''}moustique_${listener.port}`;
}

export function cookieOf(request: IncomingMessage, listener: HttpListener): string | null {
  const name = cookieName(listener);
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return null;
}

/** @param value - '' deletes it */
export function setCookie(listener: HttpListener, value: string): string {
  const life = value === '' ? '; Max-Age=0' : '';
  return `${cookieName(listener)}=${value}; Path=/; HttpOnly; SameSite=Strict${listener.isTls ? '; Secure' : ''}${life}`;
}

function unauthorized(message: string): HttpProblem {
  return new HttpProblem(401, 'unauthorized', message);
}

export type { LoginSession };
