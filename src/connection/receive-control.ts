/** A PUBLISH below `$CONTROL`: a request to the broker, answered on `<topic>/response` and given to nobody else. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { sendToClient } from '../broker/control.ts';
import { publish } from '../broker/publish.ts';
import { routeOf } from '../broker/route.ts';
import type { PublishView } from '../codec/publish.ts';
import { createMessage } from '../contracts/message.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import type { Connection } from './connection.ts';

const internalPublisher = { clientId: '', username: null, listenerPort: 0 };
const noEndpoint = '{"error": "endpoint not available"}';

/**
 * Hands the request to its endpoint. What the broker makes of it is in the answer; the acknowledgement is always success, as
 * with Mosquitto.
 *
 * @returns a promise when the answer takes its time; the connection reads on when it is settled
 */
export function receiveControl(
  connection: Connection,
  bytes: Buffer,
  route: Route<Subscription>,
  view: PublishView,
): MaybePromise<void> {
  const session = connection.session as Session;
  const { name } = route.topic;
  const handler = connection.hub.engine.controls.get(name);
  const client = {
    ...session.publisher,
    isLocal: isLocal(connection.transport.peer.address),
    rules: session.access?.rules ?? null,
  };
  const { qos, packetId } = view;
  const answer = handler?.(client, bytes.subarray(view.payloadStart, view.payloadEnd)) ?? null;
  if (!(answer instanceof Promise)) {
    finish(connection, session, name, answer, qos, packetId);
    return;
  }
  return answer.then((text) => {
    const { engine } = connection.hub;
    engine.nowMs = engine.clock.nowMs();
    finish(connection, session, name, text, qos, packetId);
  });
}

/** @param answer - null: nobody serves that topic, which only the one who asked is told */
function finish(
  connection: Connection,
  session: Session,
  name: string,
  answer: string | null,
  qos: number,
  packetId: number,
): void {
  const { engine } = connection.hub;
  const response = routeOf(engine, `${name}/response`);
  const message = createMessage(response.topic, internalPublisher, { payload: Buffer.from(answer ?? noEndpoint) });
  if (answer !== null) publish(engine, message, response, null);
  // It may have gone meanwhile.
  if (connection.session !== session) return;
  if (answer === null) sendToClient(engine, session, message, response);
  if (qos === 0) return;
  if (qos === 2) {
    // Asked once, however often it is sent. PUBREL ends it.
    session.receivedMessages().set(packetId, null);
  }
  connection.acknowledge(qos === 1 ? 'puback' : 'pubrec', packetId, 0);
}

/** A Unix socket has a path for an address. */
function isLocal(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('/');
}
