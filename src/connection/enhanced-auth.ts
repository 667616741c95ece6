/**
 * Enhanced authentication (MQTT 5.0 §4.12): AUTH packets between CONNECT and CONNACK, and again whenever the client wants.
 *
 * Before CONNACK nothing else is read while a step is decided. Later the other traffic goes on under the identity that the
 * client has, also while somebody is asked. An exchange has at most {@link stepsMax} steps, and the first one the time that a
 * CONNECT has.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { disconnectReason, logLines } from '../broker/log-lines.ts';
import { decodePacket } from '../codec/decode.ts';
import { encodePacket } from '../codec/encode.ts';
import { checkFirstByte } from '../codec/fixed-header.ts';
import type { AuthPacket } from '../codec/packet.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { mayCarry, ReasonCode } from '../codec/reason-code.ts';
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
  ConnectRequest,
} from '../contracts/authenticator.ts';
import type { Connection } from './connection.ts';
import { fail } from './fail.ts';

/** Packets of the client that one exchange may take. */
export const stepsMax = 16;

type Accepted = Extract<AuthenticationStep, { kind: 'accepted' }>;
type Refused = Extract<AuthenticationStep, { kind: 'refused' }>;

/** What the first exchange leads to. */
interface Admission {
  readonly accept: (step: Accepted) => void;
  readonly refuse: (step: Refused) => void;
}

/** The Authentication Method of a connection, which never changes [MQTT-4.12.0-5], and the exchange under way. */
export interface EnhancedAuth {
  readonly methodName: string;
  readonly begin: AuthenticationMethod;
  readonly request: ConnectRequest;
  /** null between exchanges */
  exchange: AuthenticationExchange | null;
  /** Whether the exchange has been given a packet and has not answered yet. */
  isDeciding: boolean;
  steps: number;
  /** When the first exchange began; no packet of it puts off the end of the time for it. */
  readonly startedAtTick: number;
  /** null once the client is let in */
  admission: Admission | null;
}

/**
 * Begins the exchange that a CONNECT asks for.
 *
 * @param data - Authentication Data of the CONNECT
 * @returns a promise when the first step takes time
 */
export function authenticateEnhanced(
  connection: Connection,
  method: { readonly name: string; readonly begin: AuthenticationMethod },
  request: ConnectRequest,
  data: Buffer | undefined,
  admission: Admission,
): MaybePromise<void> {
  const auth: EnhancedAuth = {
    methodName: method.name,
    begin: method.begin,
    request,
    exchange: null,
    isDeciding: false,
    steps: 0,
    startedAtTick: connection.hub.engine.currentTick,
    admission,
  };
  connection.enhancedAuth = auth;
  return take(connection, auth, () => beginExchange(auth).start(data ?? null));
}

/**
 * A packet between CONNECT and CONNACK.
 *
 * @throws ProtocolError - 0x82 for anything but AUTH 0x18 and DISCONNECT [MQTT-3.1.2-30]
 */
export function dispatchDuringAuth(
  connection: Connection,
  auth: EnhancedAuth,
  firstByte: number,
  bytes: Buffer,
  start: number,
  end: number,
): MaybePromise<void> {
  const type = checkFirstByte(firstByte, 5, 'client');
  if (type !== 'auth' && type !== 'disconnect') {
    throw new ProtocolError(ReasonCode.ProtocolError, 'MQTT-3.1.2-30', `${type.toUpperCase()} before CONNACK`);
  }
  const packet = decodePacket(firstByte, bytes, start, end, 5, 'client');
  if (packet.type === 'auth') return receiveAuth(connection, auth, packet);
  connection.close('normal', disconnectReason.closedByClient);
}

/**
 * An AUTH from the client.
 *
 * @param auth - null when its CONNECT named no method
 * @returns a promise when the connection must not read on before it is settled
 * @throws ProtocolError - 0x82: no method in CONNECT, another method, or not the turn of this Reason Code
 */
export function receiveAuth(connection: Connection, auth: EnhancedAuth | null, packet: AuthPacket): MaybePromise<void> {
  if (connection.hub.isTracing) {
    connection.hub.engine.logger.log('debug', logLines.receivedAuth(connection.clientId, packet.reasonCode));
  }
  if (auth === null) {
    throw protocolError('MQTT-4.12.0-7', 'AUTH without Authentication Method in CONNECT');
  }
  const { authenticationMethod, authenticationData: data = null } = packet.properties;
  if (authenticationMethod !== auth.methodName) {
    throw protocolError('MQTT-4.12.0-5', 'AUTH with another Authentication Method than CONNECT');
  }
  if (packet.reasonCode === ReasonCode.ReAuthenticate) {
    if (auth.exchange !== null) throw protocolError('MQTT-4.12.1-1', 'AUTH 0x19 during an exchange');
    auth.steps = 0;
    return later(
      connection,
      auth,
      take(connection, auth, () => beginExchange(auth).start(data)),
    );
  }
  const { exchange } = auth;
  if (exchange === null) throw protocolError('MQTT-4.12.0-3', 'AUTH 0x18 without an exchange');
  if (auth.isDeciding) throw protocolError('MQTT-4.12.0-3', 'AUTH 0x18 that nobody asked for');
  if (++auth.steps >= stepsMax) {
    throw new ProtocolError(ReasonCode.QuotaExceeded, '§4.12', `AUTH: more than ${stepsMax} steps`);
  }
  return later(
    connection,
    auth,
    take(connection, auth, () => exchange.continue(data)),
  );
}

function beginExchange(auth: EnhancedAuth): AuthenticationExchange {
  const exchange = auth.begin(auth.request);
  auth.exchange = exchange;
  return exchange;
}

/** Before CONNACK the connection waits; later it reads on, and only the exchange waits. (§4.12.1) */
function later(connection: Connection, auth: EnhancedAuth, pending: MaybePromise<void>): MaybePromise<void> {
  if (auth.admission !== null || !(pending instanceof Promise)) return pending;
  void pending.catch((error: unknown) => fail(connection, error));
}

/** Asks for the next step and takes it, at once or when it is known. */
function take(
  connection: Connection,
  auth: EnhancedAuth,
  ask: () => MaybePromise<AuthenticationStep>,
): MaybePromise<void> {
  const { engine } = connection.hub;
  const failed = (error: unknown): void => {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    engine.logger.log('error', `Error: Authentication Method "${auth.methodName}" failed: ${why}`);
    onStep(connection, auth, { kind: 'refused', reasonCode: ReasonCode.UnspecifiedError });
  };
  auth.isDeciding = true;
  let step: MaybePromise<AuthenticationStep>;
  try {
    step = ask();
  } catch (error) {
    failed(error);
    return;
  }
  if (!(step instanceof Promise)) {
    onStep(connection, auth, step);
    return;
  }
  return step.then(
    (known) => {
      engine.nowMs = engine.clock.nowMs();
      onStep(connection, auth, known);
    },
    (error: unknown) => {
      engine.nowMs = engine.clock.nowMs();
      failed(error);
    },
  );
}

function onStep(connection: Connection, auth: EnhancedAuth, step: AuthenticationStep): void {
  // Gone while somebody was asked.
  if (connection.state === 'closed') return;
  auth.isDeciding = false;
  if (step.kind === 'continue') {
    // [MQTT-4.12.0-2]
    send(connection, auth, ReasonCode.ContinueAuthentication, step.data, step.reason);
    return;
  }
  auth.exchange = null;
  const { admission } = auth;
  if (admission !== null) {
    auth.admission = null;
    if (step.kind === 'accepted') admission.accept(step);
    else admission.refuse(step);
    return;
  }
  const username = step.kind === 'accepted' ? (step.username ?? auth.request.username) : null;
  if (step.kind === 'accepted' && username === (connection.publisher?.username ?? null)) {
    send(connection, auth, ReasonCode.Success, step.data, undefined);
    return;
  }
  // Whoever cannot prove it again, or is somebody else now, has to go. [MQTT-4.12.1-2]
  const reasonCode = step.kind === 'accepted' ? ReasonCode.NotAuthorized : step.reasonCode;
  connection.disconnect(mayCarry('disconnect', reasonCode) ? reasonCode : ReasonCode.NotAuthorized);
}

/** Sends an AUTH, without the Reason String where that would be too much. [MQTT-3.15.2-2] */
function send(
  connection: Connection,
  auth: EnhancedAuth,
  reasonCode: 0x00 | 0x18,
  data: Buffer | null,
  reason: string | undefined,
): void {
  const { hub, maximumPacketSize } = connection;
  const properties = {
    authenticationMethod: auth.methodName,
    ...(data === null ? {} : { authenticationData: data }),
  };
  if (hub.isTracing) hub.engine.logger.log('debug', logLines.sendingAuth(connection.clientId, reasonCode));
  if (reason !== undefined && connection.wantsReasons) {
    const explained = { type: 'auth', reasonCode, properties: { ...properties, reasonString: reason } } as const;
    const packet = encodePacket(explained, 5);
    if (packet.length <= maximumPacketSize) {
      connection.send(packet);
      return;
    }
  }
  const packet = encodePacket({ type: 'auth', reasonCode, properties }, 5);
  if (packet.length <= maximumPacketSize) {
    connection.send(packet);
    return;
  }
  // The client cannot take the AUTH that it needs. [MQTT-3.1.2-24]
  const { admission } = auth;
  auth.admission = null;
  if (admission === null) connection.disconnect(ReasonCode.PacketTooLarge);
  else admission.refuse({ kind: 'refused', reasonCode: ReasonCode.PacketTooLarge });
}

function protocolError(statement: string, what: string): ProtocolError {
  return new ProtocolError(ReasonCode.ProtocolError, statement, what);
}
