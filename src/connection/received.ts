/** Incoming QoS 2 messages that await PUBREL. */
import type { Engine } from '../broker/engine.ts';
import { release } from '../session/holding.ts';
import type { Session } from '../session/session.ts';

/** The message is not the broker's any more, and its Packet Identifier means nothing. */
export function forgetReceived(engine: Pick<Engine, 'holdings' | 'store'>, session: Session, packetId: number): void {
  const message = session.received?.take(packetId);
  if (message === undefined || message === null) return;
  if (session.isPersistent) engine.store.receivedRemoved(session.clientId, packetId);
  release(engine.holdings, message);
}
