/** Letting go of what waited for a session that ended. */
import type { TurnTaker } from '../base/turns.ts';
import type { Message } from '../contracts/message.ts';
import { release } from '../session/holding.ts';
import type { Session } from '../session/session.ts';
import type { Engine } from './engine.ts';

/** Messages that are let go in a row, some 0.1 µs each, before others get their turn. */
const sliceMessages = 1024;

/**
 * Takes the messages out of a session that ended, and lets go of them: the first at once, the others in the next turns. Until then
 * they count as held.
 */
export function clearSession(engine: Pick<Engine, 'holdings' | 'stats' | 'turns'>, session: Session): void {
  const { stats, holdings } = engine;
  const messages = heldBy(session, () => stats.messagesDropped.sessionEnded++);
  stats.deliveriesDropped.sessionEnded += (session.outgoing?.queued ?? 0) + (session.queuedQos0?.length ?? 0);
  session.outgoing = null;
  session.queuedQos0 = null;
  session.queuedQos0Bytes = 0;
  session.received = null;
  const clearing: TurnTaker = {
    takeTurn() {
      for (let count = 0; count < sliceMessages; count++) {
        const { value: message, done } = messages.next();
        if (done === true) return false;
        release(holdings, message);
      }
      return true;
    },
  };
  if (clearing.takeTurn()) engine.turns.add(clearing);
}

/** @param onReceived - called for each message of its own that the client has not released */
function heldBy({ outgoing, queuedQos0, received }: Session, onReceived: () => void): Iterator<Message | null> {
  return walk();
  function* walk(): Generator<Message | null> {
    for (let sequence = outgoing?.first ?? 0; outgoing !== null && sequence < outgoing.end; sequence++) {
      if (outgoing.step(sequence) !== 0) yield outgoing.message(sequence);
    }
    for (const { message } of queuedQos0 ?? []) yield message;
    for (const [, message] of received?.entries() ?? []) {
      if (message === null) continue;
      onReceived();
      yield message;
    }
  }
}
