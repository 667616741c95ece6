/**
 * Tells the operator what was denied and why: once a second for the same client and rule, and no more than
 * {@link linesPerSecond} lines in a second for all clients together.
 */

import type { Action, Rights, Verdict } from '../contracts/authorizer.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Publisher } from '../contracts/message.ts';
import type { Session } from '../session/session.ts';
import { logLines } from './log-lines.ts';

/** Lines in one second; the rest of that second is counted. */
const linesPerSecond = 100;

export type DenialWatcher = (
  client: Publisher,
  rights: Rights,
  action: Action,
  topic: string,
  verdict: Verdict,
) => void;

export class Denials {
  readonly #logger: Logger;
  readonly #tick: () => number;
  readonly #ticksPerSecond: number;
  #second = 0;
  #lines = 0;
  #untold = 0;
  /** Is told what the operator is told, whether or not there is a log for it. */
  watcher: DenialWatcher | null = null;

  /** @param tick - the present tick, cheap to ask */
  constructor(logger: Logger, tick: () => number, ticksPerSecond: number) {
    this.#logger = logger;
    this.#tick = tick;
    this.#ticksPerSecond = ticksPerSecond;
  }

  /** @param verdict - a denial given by `rights` */
  report(session: Session, rights: Rights, action: Action, topic: string, verdict: Verdict): void {
    const second = Math.floor(this.#tick() / this.#ticksPerSecond);
    const told = session.denials;
    if (told !== null && told.second === second) {
      if (told.verdicts.includes(verdict)) return;
    } else if (this.watcher === null && !this.#logger.enabled('notice')) {
      return;
    }
    if (second !== this.#second) this.#nextSecond(second);
    if (this.#lines >= linesPerSecond) {
      this.#untold++;
      return;
    }
    this.#lines++;
    if (told !== null && told.second === second) told.verdicts.push(verdict);
    else session.denials = { second, verdicts: [verdict] };
    this.watcher?.(session.publisher, rights, action, topic, verdict);
    const { clientId, username } = session.publisher;
    this.#logger.log('notice', logLines.denied(action, clientId, username, topic, rights.describe(verdict)));
  }

  #nextSecond(second: number): void {
    if (this.#untold > 0) this.#logger.log('notice', logLines.deniedMore(this.#untold));
    this.#second = second;
    this.#lines = 0;
    this.#untold = 0;
  }
}
