/**
 * One Network Connection of a client: from dialling over CONNECT and CONNACK to its end.
 *
 * It knows packets and their order, not what they mean for the session: that is the client's.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { decodePacket } from '../codec/decode.ts';
import { encodePacket } from '../codec/encode.ts';
import type { AuthPacket, ConnackPacket, ConnectPacket, Packet, ProtocolVersion } from '../codec/packet.ts';
import { NO_PROPERTIES } from '../codec/packet.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { mayCarry, ReasonCode, reasonCodeName } from '../codec/reason-code.ts';
import { PACKET_SIZE_MAX, StreamDecoder } from '../codec/stream-decoder.ts';
import { PacketTooLong } from '../codec/writer.ts';
import { type DialTarget, dial, type Link } from '../transport/dial.ts';
import type { DialError } from '../transport/dial-error.ts';
import { ClientError } from './client-error.ts';
import { KeepAlive } from './keep-alive.ts';
import { Outbox } from './outbox.ts';
import { type ServerLimits, serverLimits } from './server-limits.ts';
import type { Authentication } from './settings.ts';
import { propertyFault } from './text.ts';

/** Parts of the settings that a connection needs, with their defaults filled in. */
export interface ConnectionPlan {
  readonly target: DialTarget;
  readonly connect: ConnectPacket;
  readonly authentication: Authentication | undefined;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

/** Who is told; `onEnd` is the last call. */
export interface ConnectionEvents {
  onAccepted(connack: ConnackPacket, limits: ServerLimits): void;
  /** Any packet but CONNACK, PINGRESP, AUTH and DISCONNECT. Returning false pauses reading. */
  onPacket(packet: Packet): boolean;
  onDrain(): void;
  /** The reason: `closed` when we asked for it. */
  onEnd(error: ClientError): void;
  onSent(packet: Packet, messageId: number): void;
  onReceived(packet: Packet): void;
}

type State = 'connecting' | 'accepted' | 'ending' | 'ended';

const CONNACK_TYPE = 2;
const AUTH_TYPE = 15;

/** How long the broker may take to close after our DISCONNECT. */
const CLOSE_WAIT_MS = 1000;

/** How long it may read nothing of what was sent before. */
const STALLED_WAITS_MAX = 30;

export class NetworkConnection {
  readonly #plan: ConnectionPlan;
  readonly #events: ConnectionEvents;
  readonly #version: ProtocolVersion;
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #decoder: StreamDecoder;
  #state: State = 'connecting';
  #hasReceived = false;
  #timer: Timer;
  #keepAlive: KeepAlive | undefined;
  #limits: ServerLimits;
  #end: ClientError | undefined;
  #reauthenticating: { resolve(): void; reject(error: ClientError): void } | undefined;
  readonly #sink = {
    onPacket: (firstByte: number, buf: Buffer, start: number, end: number) => {
      return this.#receive(decodePacket(firstByte, buf, start, end, this.#version, 'server'), buf, start);
    },
  };

  constructor(plan: ConnectionPlan, events: ConnectionEvents) {
    this.#plan = plan;
    this.#events = events;
    this.#version = plan.connect.protocolVersion;
    // Opening with AUTH is legal in MQTT 5.0, so what comes first is checked by state.
    this.#decoder = new StreamDecoder(plan.connect.properties.maximumPacketSize ?? PACKET_SIZE_MAX, 'any');
    this.#decoder.requireShortestLength = this.#version === 5;
    this.#limits = serverLimits(
      { type: 'connack', sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES },
      plan.connect.keepAliveSeconds,
    );
    this.#timer = plan.clock.after(plan.connectTimeoutMs, () => {
      this.#finish(new ClientError('timeout', 'the broker did not answer in time'));
    });
    this.#link = dial(plan.target, {
      onOpen: () => this.#open(),
      onData: (buf, start, end) => this.#push(buf, start, end),
      onDrain: () => {
        this.#keepAlive?.progressed();
        this.#outbox.onDrain();
        if (this.#state === 'ending') this.#endWhenWritten();
        else this.#events.onDrain();
      },
      onClose: (error) => this.#closed(error),
    });
    this.#outbox = new Outbox(this.#link);
  }

  get limits(): ServerLimits {
    return this.#limits;
  }

  get isAccepted(): boolean {
    return this.#state === 'accepted';
  }

  /** Why it is ending, once that is known. */
  get endReason(): ClientError | undefined {
    return this.#end;
  }

  get isCongested(): boolean {
    return this.#outbox.isCongested;
  }

  /** Whether a message may be sent now; otherwise after `onDrain`. */
  get mayPublish(): boolean {
    return this.#state === 'accepted' && !this.#outbox.isFull;
  }

  /**
   * Sends a packet.
   *
   * @param messageId - for the trace
   * @returns an error when the packet is larger than the broker takes [MQTT-3.2.2-15], or than MQTT allows; nothing was sent then
   */
  send(packet: Packet, messageId = 0): ClientError | undefined {
    let bytes: Buffer;
    try {
      bytes = encodePacket(packet, this.#version);
    } catch (error) {
      if (error instanceof PacketTooLong) return new ClientError('too-large', error.message, { cause: error });
      throw error;
    }
    if (bytes.length > this.#limits.maximumPacketSize) {
      return new ClientError(
        'too-large',
        `${packet.type.toUpperCase()} has ${bytes.length} bytes, the broker takes ${this.#limits.maximumPacketSize}`,
        { reasonCode: ReasonCode.PacketTooLarge },
      );
    }
    this.#outbox.write(bytes);
    this.#keepAlive?.sent();
    this.#events.onSent(packet, messageId);
    return undefined;
  }

  /** Starts re-authentication; resolves when the broker accepts it. [MQTT-4.12.1-1] */
  async reauthenticate(): Promise<void> {
    const { authentication } = this.#plan;
    if (authentication === undefined || this.#version !== 5 || !this.isAccepted) {
      // [MQTT-4.12.0-7]
      throw new ClientError('invalid', 'the connection was made without an authentication method');
    }
    const data = await authentication.start?.();
    if (!this.isAccepted) throw this.#end ?? new ClientError('lost', 'the connection was lost');
    if (this.#reauthenticating !== undefined) throw new ClientError('invalid', 'a re-authentication is under way');
    return new Promise((resolve, reject) => {
      this.#reauthenticating = { resolve, reject };
      this.#sendAuth(ReasonCode.ReAuthenticate, data);
    });
  }

  /** Sends DISCONNECT (if the connection was accepted) and closes. */
  disconnect(packet: Packet & { readonly type: 'disconnect' }): void {
    if (this.#state === 'accepted') {
      // A DISCONNECT that is too large, or whose text has no encoding, goes without its properties: they are only for people.
      const isEncodable = propertyFault(packet.properties) === undefined;
      if (!isEncodable || this.send(packet) !== undefined) this.send({ ...packet, properties: NO_PROPERTIES });
    }
    this.#finish(new ClientError('closed', 'the client was closed'));
  }

  pause(): void {
    this.#link.pause();
  }

  /** Goes on with what was held back. */
  resume(): void {
    this.#guard(() => {
      if (this.#decoder.isStopped) this.#decoder.resume(this.#sink);
    });
    if (!this.#decoder.isStopped) this.#link.resume();
  }

  /** Ends the connection without a word, as if the network had failed. */
  destroy(error: ClientError): void {
    this.#end ??= error;
    this.#outbox.close();
    this.#link.destroy();
  }

  #open(): void {
    if (this.#state !== 'connecting') return;
    // CONNECT is the first packet. [MQTT-3.1.0-1]
    this.send(this.#plan.connect);
    this.#outbox.flush();
  }

  #push(buf: Buffer, start: number, end: number): void {
    this.#keepAlive?.received();
    this.#guard(() => {
      if (this.#state === 'connecting' && !this.#hasReceived && start < end) this.#checkOpening(buf[start] ?? 0);
      this.#decoder.push(buf, start, end, this.#sink);
      if (this.#decoder.isStopped) this.#link.pause();
    });
  }

  /** The first byte tells whether it is a broker at all; a web server's answer would look like half a packet. */
  #checkOpening(firstByte: number): void {
    this.#hasReceived = true;
    const type = firstByte >> 4;
    if (type === CONNACK_TYPE || (type === AUTH_TYPE && this.#version === 5)) return;
    throw violation(
      `what answers does not begin with CONNACK but with the byte 0x${firstByte.toString(16).padStart(2, '0')}`,
    );
  }

  /** Turns what the peer did wrong into the end of the connection. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#violated(error);
    }
  }

  #violated(error: ProtocolError): void {
    if (this.#state === 'accepted' && this.#version === 5 && mayCarry('disconnect', error.reasonCode)) {
      this.send({ type: 'disconnect', reasonCode: error.reasonCode, properties: NO_PROPERTIES });
    }
    this.#finish(
      new ClientError('protocol', `the broker broke the protocol: ${error.message}`, {
        reasonCode: error.reasonCode,
        cause: error,
      }),
    );
  }

  #receive(packet: Packet, buf: Buffer, start: number): boolean {
    if (this.#state === 'ending' || this.#state === 'ended') return true;
    this.#events.onReceived(packet);
    switch (packet.type) {
      case 'connack':
        this.#receiveConnack(packet, buf[start + 1] ?? 0);
        return true;
      case 'auth':
        this.#receiveAuth(packet);
        return true;
      default:
        break;
    }
    if (this.#state === 'connecting') throw violation(`${packet.type.toUpperCase()} before CONNACK`);
    switch (packet.type) {
      case 'pingresp':
        return true;
      case 'disconnect':
        this.#finish(
          new ClientError('disconnected', `the broker ended it: ${reasonCodeName(packet.reasonCode, 'disconnect')}`, {
            reasonCode: packet.reasonCode,
            ...reasonOf(packet.properties.reasonString),
          }),
        );
        return true;
      default:
        return this.#events.onPacket(packet);
    }
  }

  #receiveConnack(packet: ConnackPacket, codeByte: number): void {
    if (this.#state === 'accepted') throw violation('a second CONNACK');
    if (packet.reasonCode !== ReasonCode.Success) {
      // A server that knows only 3.x refuses 5.0 in the form of 3.x, and its code counts as it is understood.
      this.#finish(
        new ClientError('refused', `the broker refused: ${reasonCodeName(packet.reasonCode, 'connack')}`, {
          reasonCode: packet.reasonCode,
          ...(this.#version < 5 && { returnCode: codeByte }),
          ...reasonOf(packet.properties.reasonString),
        }),
      );
      return;
    }
    const { connect, clock, authentication } = this.#plan;
    // [MQTT-3.2.2-4]
    if (packet.sessionPresent && connect.cleanStart) throw violation('Session Present after a clean start');
    // [MQTT-4.12.0-5]
    if (packet.properties.authenticationMethod !== authentication?.method && authentication !== undefined) {
      throw violation('CONNACK names another Authentication Method');
    }
    this.#timer.cancel();
    this.#state = 'accepted';
    this.#limits = serverLimits(packet, connect.keepAliveSeconds);
    if (this.#limits.keepAliveSeconds > 0) {
      this.#keepAlive = new KeepAlive(
        clock,
        this.#limits.keepAliveSeconds,
        () => this.send({ type: 'pingreq' }),
        () => this.destroy(new ClientError('keep-alive', 'the broker was silent for too long')),
      );
    }
    this.#events.onAccepted(packet, this.#limits);
  }

  #receiveAuth(packet: AuthPacket): void {
    const { authentication } = this.#plan;
    if (authentication === undefined) throw violation('AUTH without an Authentication Method in CONNECT');
    if (packet.properties.authenticationMethod !== authentication.method) {
      throw violation('AUTH names another Authentication Method');
    }
    if (packet.reasonCode === ReasonCode.Success) {
      if (this.#reauthenticating === undefined) throw violation('AUTH 0x00 that nobody asked for');
      this.#reauthenticating.resolve();
      this.#reauthenticating = undefined;
      return;
    }
    // The broker may only ask for more. [MQTT-4.12.0-2]
    if (packet.reasonCode !== ReasonCode.ContinueAuthentication) throw violation('AUTH 0x19 from the broker');
    if (this.#state === 'accepted' && this.#reauthenticating === undefined) {
      throw violation('AUTH 0x18 after CONNACK that nobody asked for'); // re-authentication is the client's to begin
    }
    void this.#respond(authentication, packet.properties.authenticationData);
  }

  async #respond(authentication: Authentication, challenge: Buffer | undefined): Promise<void> {
    try {
      const data = await authentication.respond(challenge);
      if (this.#state === 'connecting' || this.#state === 'accepted') {
        this.#sendAuth(ReasonCode.ContinueAuthentication, data);
      }
    } catch (cause) {
      this.#finish(new ClientError('invalid', 'the authentication failed on our side', { cause }));
    }
  }

  #sendAuth(reasonCode: 0x18 | 0x19, data: Buffer | undefined): void {
    this.send({
      type: 'auth',
      reasonCode,
      properties: {
        authenticationMethod: this.#plan.authentication?.method ?? '',
        ...(data !== undefined && { authenticationData: data }),
      },
    });
  }

  /** Writes what is left, closes, and says why. [MQTT-3.14.4-2] */
  #finish(error: ClientError): void {
    if (this.#state === 'ending' || this.#state === 'ended') return;
    this.#end ??= error;
    this.#state = 'ending';
    this.#timer.cancel();
    this.#keepAlive?.stop();
    this.#outbox.flush();
    this.#outbox.close();
    this.#link.resume();
    this.#endWhenWritten();
    this.#waitForClose(this.#outbox.pendingBytes, 0);
  }

  #endWhenWritten(): void {
    if (this.#outbox.backlogBytes === 0) this.#link.end();
  }

  /** A slow connection gets the time it needs for what was sent, a dead one does not. */
  #waitForClose(pendingBytes: number, stalledWaits: number): void {
    this.#timer = this.#plan.clock.after(CLOSE_WAIT_MS, () => {
      const now = this.#outbox.pendingBytes;
      const stalled = now < pendingBytes ? 0 : stalledWaits + 1;
      if (pendingBytes === 0 || stalled > STALLED_WAITS_MAX) this.#link.destroy();
      else this.#waitForClose(now, stalled);
    });
  }

  #closed(error: DialError | undefined): void {
    const wasConnecting = this.#state === 'connecting';
    this.#state = 'ended';
    this.#timer.cancel();
    this.#keepAlive?.stop();
    this.#outbox?.close();
    const why = this.#end ?? endOf(error, wasConnecting);
    this.#reauthenticating?.reject(why);
    this.#events.onEnd(why);
  }
}

function endOf(error: DialError | undefined, wasConnecting: boolean): ClientError {
  if (error !== undefined && error.step !== 'established') {
    return new ClientError('dial', error.message, { cause: error });
  }
  const text = wasConnecting ? 'the broker closed the connection before CONNACK' : 'the connection was lost';
  return new ClientError('lost', text, { cause: error });
}

function violation(message: string): ProtocolError {
  return new ProtocolError(ReasonCode.ProtocolError, '§4.13.1', message);
}

function reasonOf(reasonString: string | undefined): { reasonString?: string } {
  return reasonString === undefined ? {} : { reasonString };
}
