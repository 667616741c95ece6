/**
 * What is different about a connection that the broker made itself, to another broker.
 *
 * PUBLISH and its acknowledgements go both ways in MQTT and are the same from either side; so a bridge is a connection whose peer is
 * the server. Whoever made it answers what only a server sends, and knows under which names messages travel on the other side.
 */
import type { Packet } from '../codec/packet.ts';
import type { FrameContent } from '../codec/publish-frame.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Message } from '../contracts/message.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';

export interface Outward {
  /** Receive Maximum of our CONNECT, 0 for none. */
  readonly receiveMaximum: number;
  /** Whether what is sent may carry RETAIN. */
  readonly mayRetain: boolean;
  /** A packet that is neither PUBLISH nor one of its acknowledgements, or any at all before the connection is active. */
  receive(packet: Packet): void;
  /** The local route of the remote Topic Name `bytes[start..end)`; one of `$SYS` when it is none of those asked for. */
  routeIn(bytes: Buffer, start: number, end: number): Route<Subscription>;
  /** A PUBLISH came whose topic is a Topic Alias set before. */
  heardAlias(): void;
  /** The message under its remote name, valid until the next call; null when that is too long. */
  contentOut(message: Message): FrameContent | null;
  /** The connection is over, and about to leave its session. */
  leaving(session: Session): void;
  /** All of it is over; the last call. */
  ended(reason: string | null): void;
}

/** The Reason Codes of a DISCONNECT that only a server may send (§3.14.2.1). */
const serverCodes: ReadonlySet<number> = new Set([
  ReasonCode.NotAuthorized,
  ReasonCode.ServerBusy,
  ReasonCode.ServerShuttingDown,
  ReasonCode.KeepAliveTimeout,
  ReasonCode.SessionTakenOver,
  ReasonCode.TopicFilterInvalid,
  ReasonCode.RetainNotSupported,
  ReasonCode.QosNotSupported,
  ReasonCode.ConnectionRateExceeded,
  ReasonCode.MaximumConnectTime,
]);

/** What a client may say of it; the Will goes out in any case. */
export function codeForServer(reasonCode: number): number {
  return serverCodes.has(reasonCode) ? ReasonCode.DisconnectWithWillMessage : reasonCode;
}
