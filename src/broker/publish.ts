/** Room 4: what happens to an accepted Application Message. */
import { InvariantViolation } from '../base/invariant.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Message } from '../contracts/message.ts';
import { countDrop, deliver } from '../session/deliver.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import type { Engine } from './engine.ts';
import { retain } from './retain.ts';
import { mayReceive, mayReceiveMatch } from './rights.ts';

/**
 * Retains the message when it asks for that and hands it to everybody who subscribed.
 *
 * @param publisher - its session, null for the broker itself; decides No Local
 * @returns how many sessions were to get it; a drop because of a limit counts as well
 */
export function publish(
  engine: Engine,
  message: Message,
  route: Route<Subscription>,
  publisher: Session | null,
): number {
  if (message.retain && engine.limits.retainAvailable) retain(engine, message);
  if (route.isWatched) {
    for (const hook of engine.hooks) hook.afterPublish?.(message);
  }
  const { count } = route;
  const { hasRules } = engine;
  let matched = 0;
  for (let index = 0; index < count; index++) {
    const match = (index === 0 ? route.first : route.several[index]) as Subscription;
    let subscription = match;
    if (subscription.group !== null) {
      const member = subscription.group.next(isReady, hasRules ? whoMayReceive(engine, route) : undefined);
      if (member === undefined) {
        countDenied(engine, null);
        continue;
      }
      subscription = member;
    }
    const session = subscription.session as Session;
    let granted = subscription;
    // [MQTT-3.8.3-3]
    if (subscription.noLocal && session === publisher) {
      if (!subscription.ofOwn) continue;
      granted = subscription.ofOwn;
    }
    // Mosquitto: whoever subscribed counts, also when the rules keep the message back.
    matched++;
    if (hasRules && subscription === match && !mayReceiveMatch(engine, session, route, index)) {
      countDenied(engine, session);
      continue;
    }
    try {
      deliver(engine, session, message, granted, false);
    } catch (error) {
      failReceiver(engine, session, error);
    }
  }
  return matched;
}

/** Who of a shared group may be given a message of this route; the turn passes over the others. */
function whoMayReceive(engine: Engine, route: Route<Subscription>): (member: Subscription) => boolean {
  return (member) => mayReceive(engine, member.session as Session, route.topic.name);
}

/** A member that is connected and not held up is preferred over one that is not. */
function isReady(member: Subscription): boolean {
  const outlet = (member.session as Session).outlet;
  return outlet !== null && !outlet.isCongested;
}

/** @param session - null: nobody in particular, of a shared group */
function countDenied(engine: Engine, session: Session | null): void {
  engine.stats.deliveries++;
  if (session === null) engine.stats.deliveriesDropped.notAuthorized++;
  else countDrop(engine, session, 'notAuthorized');
}

/** A fault while serving a subscriber belongs to that subscriber, never to the publisher. */
export function failReceiver(engine: Engine, session: Session, error: unknown): void {
  if (error instanceof InvariantViolation) throw error;
  countDrop(engine, session, 'fault');
  engine.logger.log('error', `Error: Unable to serve client ${session.clientId}: ${String(error)}`);
  session.outlet?.disconnect(ReasonCode.UnspecifiedError);
}
