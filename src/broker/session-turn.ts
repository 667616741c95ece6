/** A session's turn: a slice of what waits for its client goes out, in between what arrives from others. */
import type { TurnTaker } from '../base/turns.ts';
import { sendSlice } from '../session/send-waiting.ts';
import type { Session } from '../session/session.ts';
import type { Engine } from './engine.ts';
import { failReceiver } from './publish.ts';

export class SessionTurn implements TurnTaker {
  readonly #engine: Engine;
  readonly #session: Session;

  constructor(engine: Engine, session: Session) {
    this.#engine = engine;
    this.#session = session;
  }

  takeTurn(): boolean {
    const session = this.#session;
    try {
      if (sendSlice(this.#engine, session)) return true;
    } catch (error) {
      failReceiver(this.#engine, session, error);
    }
    session.isTakingTurns = false;
    return false;
  }
}
