/** Dropping what waits for a client, by an operator. */
import { inBatches } from '../base/in-batches.ts';
import { countDrop, finish } from '../session/deliver.ts';
import { release } from '../session/holding.ts';
import { Step } from '../session/outgoing.ts';
import type { Session } from '../session/session.ts';
import type { Engine } from './engine.ts';

/**
 * Gives up every delivery of the session that waits now, a part at a time; exchanges under way go on to their end. What its client
 * is sent meanwhile is not dropped.
 *
 * @returns what was dropped
 */
export async function purgeQueue(
  engine: Engine,
  session: Session,
): Promise<{ readonly messages: number; readonly bytes: number }> {
  const { outgoing, queuedQos0 } = session;
  let messages = 0;
  let bytes = 0;
  if (queuedQos0 !== null) {
    for (const { message } of queuedQos0) {
      bytes += message.payloadLength;
      release(engine.holdings, message);
    }
    messages = queuedQos0.length;
    countDrop(engine, session, 'purged', messages);
    session.queuedQos0 = null;
    session.queuedQos0Bytes = 0;
    if (session.isPersistent) engine.store.deliveryRemoved(session.clientId, 0);
  }
  if (outgoing === null) return { messages, bytes };
  const { end } = outgoing;
  await inBatches(sequences(outgoing.sendAt, end), engine.clock, (sequence) => {
    // The session has ended, or another connection has emptied it.
    if (session.outgoing !== outgoing) return false;
    if (sequence < outgoing.sendAt || outgoing.step(sequence) !== Step.queued) return true;
    messages++;
    bytes += outgoing.message(sequence)?.payloadLength ?? 0;
    countDrop(engine, session, 'purged');
    finish(engine, session, sequence);
    return true;
  });
  return { messages, bytes };
}

function* sequences(from: number, end: number): Generator<number> {
  for (let sequence = from; sequence < end; sequence++) yield sequence;
}
