/** Sessions of people who logged in: a random cookie each, known here by its hash alone. They end with the process. */
import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';

const idleMsMax = 12 * 3_600_000;
const ageMsMax = 7 * 24 * 3_600_000;
/** The one that was quiet the longest makes room. */
const sessionsMax = 1000;

export interface LoginSession {
  readonly username: string;
  /** Whether it is an account of the console, and not a user of the broker. */
  readonly isConsoleAccount: boolean;
  /** What every change has to carry. */
  readonly csrf: string;
  readonly sinceMs: number;
  seenMs: number;
}

export class LoginSessions {
  readonly #clock: Clock;
  /** SHA-256 of the cookie → session; the one that was seen last stands last. */
  readonly #sessions = new Map<string, LoginSession>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns the cookie's value */
  begin(username: string, isConsoleAccount: boolean): { readonly cookie: string; readonly session: LoginSession } {
    const nowMs = this.#clock.nowMs();
    const cookie = this.#clock.randomBytes(32).toString('base64url');
    const csrf = this.#clock.randomBytes(24).toString('base64url');
    const session = { username, isConsoleAccount, csrf, sinceMs: nowMs, seenMs: nowMs };
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= sessionsMax && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(hashOf(cookie), session);
    return { cookie, session };
  }

  find(cookie: string): LoginSession | undefined {
    const hash = hashOf(cookie);
    const session = this.#sessions.get(hash);
    if (session === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    this.#sessions.delete(hash);
    if (nowMs - session.seenMs > idleMsMax || nowMs - session.sinceMs > ageMsMax) return undefined;
    session.seenMs = nowMs;
    this.#sessions.set(hash, session);
    return session;
  }

  end(cookie: string): void {
    this.#sessions.delete(hashOf(cookie));
  }
}

/** What a secret is known by where it is stored. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
