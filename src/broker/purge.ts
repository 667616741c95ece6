/** Dropping what waits for a client, by an operator. */
import { countDrop, finish } from '../session/deliver.ts';
import { release } from '../session/holding.ts';
import { Step } from '../session/outgoing.ts';
import type { Session } from '../session/session.ts';
import type { Engine } from './engine.ts';

/**
 * Gives up every delivery of the session that was not sent yet; exchanges under way go on to their end.
 *
 * @returns what was dropped
 */
export function purgeQueue(engine: Engine, session: Session): { readonly messages: number; readonly bytes: number } {
  const { outgoing, queuedQos0 } = session;
  let messages = 0;
  let bytes = 0;
  for (let sequence = outgoing?.sendAt ?? 0; outgoing !== null && sequence < outgoing.end; sequence++) {
    if (outgoing.step(sequence) !== Step.queued) continue;
    messages++;
    bytes += outgoing.message(sequence)?.payloadLength ?? 0;
    finish(engine, session, sequence);
  }
  if (queuedQos0 !== null) {
    for (const { message } of queuedQos0) {
      messages++;
      bytes += message.payloadLength;
      release(engine.holdings, message);
    }
    session.queuedQos0 = null;
    session.queuedQos0Bytes = 0;
    if (session.isPersistent) engine.store.deliveryRemoved(session.clientId, 0);
  }
  if (messages > 0) countDrop(engine, session, 'purged', messages);
  return { messages, bytes };
}
