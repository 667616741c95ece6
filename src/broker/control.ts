/** Messages for one client alone. */
import type { Message } from '../contracts/message.ts';
import { deliver } from '../session/deliver.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import type { Engine } from './engine.ts';
import { mayReceive } from './rights.ts';

/** Gives the message to the session, once for each of its subscriptions that match; others do not see it. */
export function sendToClient(engine: Engine, session: Session, message: Message, route: Route<Subscription>): void {
  if (!mayReceive(engine, session, message.topic.name)) return;
  for (const subscription of route.matches) {
    if (subscription.session === session) deliver(engine, session, message, subscription, false);
  }
}
