/**
 * What is different about a connection that the broker made itself, to another broker.
 *
 * PUBLISH and its acknowledgements go both ways in MQTT and are the same from either side; so a bridge is a connection whose peer is
 * the server. Whoever made it answers what only a server sends, and knows under which names messages travel on the other side.
 */
import type { Packet } from '../codec/packet.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Session } from '../session/session.ts';
import type { OtherNames } from './other-names.ts';

/** A remote name that was not asked for has a route of `$SYS`. */
export interface Outward extends OtherNames {
  /** Receive Maximum of our CONNECT, 0 for none. */
  readonly receiveMaximum: number;
  /** Whether what is sent may carry RETAIN. */
  readonly mayRetain: boolean;
  /** A packet that is neither PUBLISH nor one of its acknowledgements, or any at all before the connection is active. */
  receive(packet: Packet): void;
  /** A PUBLISH came whose topic is a Topic Alias set before. */
  heardAlias(): void;
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
