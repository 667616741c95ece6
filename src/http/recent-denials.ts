/** What was denied lately. */
import type { Action, Rights, Verdict } from '../contracts/authorizer.ts';
import type { Publisher } from '../contracts/message.ts';

const denialsMax = 1000;
/** Characters of topic and names that are kept. */
const textMax = 1024;

export interface Denial {
  readonly atMs: number;
  readonly clientId: string;
  readonly username: string | null;
  readonly action: Action;
  readonly topic: string;
  readonly rule: string;
}

export class RecentDenials {
  readonly #denials: Denial[] = [];

  add(
    atMs: number,
    { clientId, username }: Publisher,
    rights: Rights,
    action: Action,
    topic: string,
    verdict: Verdict,
  ): void {
    this.#denials.push({
      ...{ atMs, action, rule: rights.describe(verdict) },
      clientId: clientId.slice(0, textMax),
      username: username === null ? null : username.slice(0, textMax),
      topic: topic.slice(0, textMax),
    });
    if (this.#denials.length > denialsMax) this.#denials.shift();
  }

  /** Newest first. */
  get all(): Denial[] {
    return this.#denials.toReversed();
  }
}
