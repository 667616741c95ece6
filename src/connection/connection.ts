/**
 * One Network Connection: transport, decoder and state. Everything that arrives passes through {@link Connection.onData},
 * everything that is sent through its outbox; what a packet means is decided in `dispatch.ts` and the `receive-…` files.
 */
import { invariant } from '../base/invariant.ts';
import type { WheelEntry } from '../base/timer-wheel.ts';
import type { TurnTaker } from '../base/turns.ts';
import {
  disconnectReason,
  disconnectReasonFor,
  disconnectReasonForSocketError,
  logLines,
} from '../broker/log-lines.ts';
import { leaveSession } from '../broker/sessions.ts';
import type { AckType } from '../codec/acks.ts';
import { encodePacket } from '../codec/encode.ts';
import { type AckPacket, NO_PROPERTIES, type ProtocolVersion } from '../codec/packet.ts';
import { mayCarry, ReasonCode } from '../codec/reason-code.ts';
import { PACKET_SIZE_MAX, type PacketSink, StreamDecoder } from '../codec/stream-decoder.ts';
import type { ConnectedClient } from '../contracts/hooks.ts';
import type { Message, Publisher } from '../contracts/message.ts';
import type { Outlet } from '../contracts/outlet.ts';
import type { Transport, TransportHandler } from '../contracts/transport.ts';
import { areSocketsFull } from '../session/deliver.ts';
import { sendWaiting } from '../session/send-waiting.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import { AckQueue, acksWaitingMax } from './ack-queue.ts';
import { AdmissionEnd } from './admission-end.ts';
import { dispatch } from './dispatch.ts';
import type { EnhancedAuth } from './enhanced-auth.ts';
import { fail } from './fail.ts';
import { HeldChunks } from './held-chunks.ts';
import type { Hub } from './hub.ts';
import { InboundAliases } from './inbound-aliases.ts';
import { MountedNames, type OtherNames } from './other-names.ts';
import { Outbox } from './outbound.ts';
import type { OutboundAliases } from './outbound-aliases.ts';
import { codeForServer, type Outward } from './outward.ts';
import type { ListenerPolicy } from './policy.ts';
import { forgetReceived } from './received.ts';
import { sendPublish } from './send-publish.ts';

/** Ticks of the timing wheel (500 ms) a peer may take to send its CONNECT and be let in. */
const connectTicks = 20;
/** Ticks of 1.5 seconds, for each second of Keep Alive. [MQTT-3.1.2-22] */
const ticksPerKeepAlive = 3;
/** CONNECT is read whole before anybody is known: Mosquitto takes 100,000 bytes of it. */
export const connectBytesMax = 100_000;

const noAliases = new InboundAliases(0);

export type State = 'awaiting-connect' | 'authenticating' | 'active' | 'closed';

export class Connection implements Outlet, PacketSink, WheelEntry, TurnTaker, TransportHandler {
  readonly hub: Hub;
  readonly policy: ListenerPolicy;
  readonly transport: Transport;
  /** Null for a connection that somebody made to us. */
  readonly outward: Outward | null;
  /** Null where topics have the broker's own names: no mount point, no bridge. */
  readonly otherNames: OtherNames | null;
  readonly decoder: StreamDecoder;
  readonly outbox: Outbox;
  readonly acks: AckQueue;
  state: State = 'awaiting-connect';
  version: ProtocolVersion = 4;
  isBridge = false;
  clientId = '';
  session: Session | null = null;
  /** Who it is, once it was let in. */
  publisher: Publisher | null = null;
  cleanStart = false;
  /** What it was let in with, where a reload may ask for it again. */
  password: Buffer | null = null;
  /** Route of the PUBLISH before; most publishers stay with one topic. */
  lastRoute: Route<Subscription> | null = null;
  /** Where the rules allowed it to publish last; stale rules make other routes, so it need not be asked again. */
  allowedRoute: Route<Subscription> | null = null;
  inboundAliases: InboundAliases = noAliases;
  aliases: OutboundAliases | null = null;
  receiveMaximum = 65_535;
  maximumPacketSize: number = PACKET_SIZE_MAX;
  /** Authentication Method of the CONNECT and how far it has come; null without one. */
  enhancedAuth: EnhancedAuth | null = null;
  /** Request Problem Information: whether Reason Strings may be sent. [MQTT-3.1.2-29] */
  wantsReasons = true;
  /** Ticks of silence after which the peer counts as gone, 0 = never. */
  silenceTicksMax = connectTicks;
  wheelSlot = -1;
  wheelIndex = 0;
  #heardAtTick: number;
  /** Whether nothing is read, see {@link wait}; and what came meanwhile. */
  #isWaiting = false;
  #held: HeldChunks | null = null;
  /** null: what it was let in with holds for as long as it stays. */
  #admissionEnd: AdmissionEnd | null = null;
  #onDrained: (() => void) | null = null;
  readonly #onFinished: (() => void) | null;

  /** @param onFinished - the connection does not count any more; one function for all connections of a listener */
  constructor(
    hub: Hub,
    transport: Transport,
    policy: ListenerPolicy,
    onFinished: (() => void) | null = null,
    outward: Outward | null = null,
  ) {
    this.#onFinished = onFinished;
    this.outward = outward;
    this.decoder = new StreamDecoder(connectBytesMax, outward === null ? 'connect' : 'connack');
    this.hub = hub;
    this.transport = transport;
    this.policy = policy;
    this.outbox = new Outbox(hub.outbound, transport);
    this.acks = new AckQueue(this);
    this.otherNames = outward ?? (policy.mountPoint.length === 0 ? null : new MountedNames(hub, policy.mountPoint));
    this.#heardAtTick = hub.engine.tick();
    hub.connections.add(this);
    hub.engine.connectionsCount++;
    hub.engine.wheel.schedule(this, this.#heardAtTick + connectTicks);
    transport.handler = this;
  }

  // What the transport tells.

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.state === 'closed') return;
    const { hub } = this;
    hub.engine.stats.bytesReceived += end - start;
    hub.engine.nowMs = hub.engine.clock.nowMs();
    if (hub.reader !== this || hub.readerTurn !== hub.outbound.turn) hub.beginReading(this);
    if (this.#isWaiting) {
      this.#held ??= new HeldChunks();
      if (!this.#held.add(bytes, start, end)) this.disconnect(ReasonCode.QuotaExceeded);
      return;
    }
    try {
      this.decoder.push(bytes, start, end, this);
    } catch (error) {
      fail(this, error);
    }
  }

  onDrain(): void {
    this.outbox.drained();
    const { engine } = this.hub;
    // Not when nothing is left: for a slow, steady reader that is never.
    if (this.outbox.pendingBytes <= engine.limits.socketBytesHardMax) this.#onDrained?.();
    const { session } = this;
    if (session === null || this.state !== 'active') return;
    engine.nowMs = engine.clock.nowMs();
    sendWaiting(engine, session);
  }

  onClose(code: string | null): void {
    this.hub.engine.nowMs = this.hub.engine.clock.nowMs();
    this.finish('abnormal', code === null ? disconnectReason.closedByClient : disconnectReasonForSocketError(code));
  }

  // What the decoder and the wheel tell.

  onPacket(firstByte: number, bytes: Buffer, start: number, end: number): boolean {
    const { hub } = this;
    this.#heardAtTick = hub.engine.currentTick;
    hub.engine.stats.messagesReceived++;
    const pending = dispatch(this, firstByte, bytes, start, end);
    if (pending !== undefined) this.wait(pending);
    else if (this.acks.waiting >= acksWaitingMax) this.wait(this.acks.untilEmpty());
    else if (this.outbox.waitingPackets > 0 && this.#isUnread) this.wait(this.#untilDrained());
    else if (--hub.packetsLeft <= 0) this.#takeTurns();
    return this.state !== 'closed' && !this.#isWaiting;
  }

  /** Whether the peer asks and asks and does not take its answers. QoS 0 messages alone never get that far, see `isFull`. */
  get #isUnread(): boolean {
    return this.outbox.pendingBytes > 2 * this.hub.engine.limits.socketBytesHardMax;
  }

  /** Settled when the socket has taken what is above the bound for QoS 0, or the connection is gone. */
  #untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  onWheel(tick: number): number {
    if (this.silenceTicksMax === 0 || this.state === 'closed') return 0;
    // Heard at the end of that tick at the latest: never earlier than 1.5 × Keep Alive. [MQTT-3.1.2-22]
    // Until it is let in, a client has that time for all of its packets.
    const { enhancedAuth } = this;
    const sinceTick = enhancedAuth === null || this.state === 'active' ? this.#heardAtTick : enhancedAuth.startedAtTick;
    const dueTick = sinceTick + 1 + this.silenceTicksMax;
    if (tick < dueTick) return dueTick;
    this.disconnect(ReasonCode.KeepAliveTimeout);
    return 0;
  }

  /** Watches for silence of 1.5 × Keep Alive from now on; 0 stops watching. */
  setKeepAlive(seconds: number): void {
    this.silenceTicksMax = seconds * ticksPerKeepAlive;
    const { wheel } = this.hub.engine;
    if (seconds === 0) wheel.remove(this);
    else wheel.schedule(this, this.#heardAtTick + 1 + this.silenceTicksMax);
  }

  /** Ends the connection at a moment, in ms since 1970, whatever its client does. */
  endAt(endsAtMs: number): void {
    const { engine } = this.hub;
    const end = new AdmissionEnd(this, endsAtMs);
    this.#admissionEnd = end;
    engine.wheel.schedule(end, end.dueTick());
  }

  // What is shown of it.

  /** The client that was let in; null before. */
  get client(): ConnectedClient | null {
    if (this.publisher === null) return null;
    const { clientId, username, listenerPort } = this.publisher;
    const { address, port } = this.transport.peer;
    const keepAliveSeconds = this.silenceTicksMax / ticksPerKeepAlive;
    const { version: protocolVersion, cleanStart } = this;
    return { clientId, username, listenerPort, address, port, protocolVersion, cleanStart, keepAliveSeconds };
  }

  /** Seconds since anything was heard, to half a second. */
  get idleSeconds(): number {
    return Math.max(0, this.hub.engine.currentTick - this.#heardAtTick) / 2;
  }

  /** Seconds of silence until it counts as gone; null: never. */
  get silenceSecondsLeft(): number | null {
    if (this.silenceTicksMax === 0) return null;
    return Math.max(0, this.silenceTicksMax / 2 - this.idleSeconds);
  }

  /** Bytes that the socket has not taken. */
  get pendingBytes(): number {
    return this.outbox.pendingBytes;
  }

  // What the session asks for.

  get isCongested(): boolean {
    const { pendingBytes } = this.outbox;
    if (pendingBytes === 0) return false;
    const { engine } = this.hub;
    return pendingBytes > engine.limits.socketBytesSoftMax || areSocketsFull(engine);
  }

  get isFull(): boolean {
    const { outbox } = this;
    if (outbox.waitingPackets === 0) return false;
    const { engine } = this.hub;
    const { maxQueuedMessages, socketBytesHardMax } = engine.limits;
    if (maxQueuedMessages > 0 && outbox.waitingPackets >= maxQueuedMessages) return true;
    return outbox.pendingBytes > socketBytesHardMax || areSocketsFull(engine);
  }

  sendPublish(
    message: Message,
    qos: 0 | 1 | 2,
    retain: boolean,
    dup: boolean,
    packetId: number,
    subscriptionIds: readonly number[] | null,
  ): boolean {
    return sendPublish(this, message, qos, retain, dup, packetId, subscriptionIds);
  }

  sendPubrel(packetId: number): void {
    // A PUBREL that a crash makes the broker forget would be followed by the PUBLISH again.
    const isSafe = this.hub.engine.store.committed >= (this.session?.releasedPosition ?? 0);
    this.acknowledge('pubrel', packetId, 0, null, !isSafe);
  }

  disconnect(reasonCode: number): void {
    if (this.state === 'closed') return;
    if (this.state === 'active') this.sendDisconnect(reasonCode);
    this.close('abnormal', disconnectReasonFor(reasonCode));
  }

  // What the handlers of packets ask for.

  /**
   * Answers a packet of an exchange once the store has what the answer promises.
   *
   * @param why - Reason String, for clients that take one
   * @param isStored - whether the store was told anything because of the packet
   */
  acknowledge(type: AckType, packetId: number, reasonCode: number, why: string | null = null, isStored = true): void {
    if (this.hub.isTracing) {
      const line =
        type === 'puback' || type === 'pubrec'
          ? logLines.sendingAck(type === 'puback' ? 'PUBACK' : 'PUBREC', this.clientId, packetId, reasonCode)
          : logLines.sendingRelease(type === 'pubrel' ? 'PUBREL' : 'PUBCOMP', this.clientId, packetId);
      this.hub.engine.logger.log('debug', line);
    }
    if (why !== null && this.version === 5 && this.wantsReasons) {
      // Callers pair type and code as the packet allows; the union cannot be told so without a branch for each type.
      const explained = { type, packetId, reasonCode, properties: { reasonString: why } } as AckPacket;
      const packet = encodePacket(explained, 5);
      // [MQTT-3.4.2-2]
      if (packet.length <= this.maximumPacketSize) {
        this.acks.pushPacket(packet, reasonCode);
        return;
      }
    }
    if (
      isStored &&
      this.hub.engine.store.trouble !== null &&
      reasonCode < 0x80 &&
      (type === 'puback' || type === 'pubrec')
    ) {
      this.refuseUnsafe(type, packetId);
      return;
    }
    this.acks.push(type, packetId, reasonCode, this.version, isStored);
  }

  /**
   * What the store cannot keep is not acknowledged: MQTT 5.0 is told 0x97 in the answer to its PUBLISH, 3.x has no word for it
   * and is closed.
   */
  refuseUnsafe(type: AckType, packetId: number): void {
    if (type === 'pubrec' && this.session !== null) forgetReceived(this.hub.engine, this.session, packetId);
    if (this.version === 5) this.acks.refuse(type, packetId, ReasonCode.QuotaExceeded, 5);
    else this.close('abnormal', disconnectReason.quotaExceeded);
  }

  /** Sends bytes that need not wait for the store. */
  send(packet: Buffer): void {
    this.outbox.addBytes(packet, 1);
  }

  /** Sends a packet once the store has what it acknowledges; a session that is not kept has nothing to wait for. */
  sendAfterCommit(packet: Buffer): void {
    if (this.session?.isPersistent) this.acks.pushPacket(packet);
    else this.outbox.addBytes(packet, 1);
  }

  /** MQTT 5.0 clients are told why; [MQTT-3.14.0-1] allows it only after CONNACK. */
  sendDisconnect(reasonCode: number): void {
    if (this.version !== 5) return;
    const told = this.outward === null ? reasonCode : codeForServer(reasonCode);
    const code = mayCarry('disconnect', told) ? told : ReasonCode.UnspecifiedError;
    if (this.hub.isTracing) {
      this.hub.engine.logger.log('debug', logLines.sendingDisconnect(this.clientId, code));
    }
    this.send(encodePacket({ type: 'disconnect', reasonCode: code, properties: NO_PROPERTIES }, 5));
  }

  /** Stops reading until `pending` is settled; packets behind stay in order. */
  wait(pending: Promise<void>): void {
    invariant(!this.#isWaiting, 'a connection waits for one thing at a time');
    this.#isWaiting = true;
    this.transport.pause();
    void pending
      .then(() => {
        this.hub.engine.nowMs = this.hub.engine.clock.nowMs();
        this.#readOn();
      })
      .catch((error: unknown) => fail(this, error));
  }

  /** More came in a row than others can wait for: the rest is handled in the next turns. */
  #takeTurns(): void {
    this.#isWaiting = true;
    this.transport.pause();
    this.hub.engine.turns.add(this);
  }

  takeTurn(): boolean {
    try {
      this.#readOn();
    } catch (error) {
      fail(this, error);
    }
    return false; // is in the line again when there is more
  }

  /** What was waited for has come. */
  #readOn(): void {
    this.#isWaiting = false;
    if (this.state === 'closed') return;
    this.hub.beginReading(this);
    this.decoder.resume(this);
    while (!this.#isWaiting && this.#held !== null) {
      const bytes = this.#held.take();
      if (bytes === undefined) this.#held = null;
      else this.decoder.push(bytes, 0, bytes.length, this);
    }
    if (!this.#isWaiting) this.transport.resume();
  }

  /** Ends the connection after what was sent has left. */
  close(ending: 'normal' | 'abnormal', reason: string | null): void {
    if (this.state === 'closed') return;
    this.hub.outbound.flush();
    this.outbox.handOver();
    this.finish(ending, reason);
    this.#held = null;
    this.transport.end();
  }

  /** Ends the connection at once, without a byte; what the peer still sends is not read. */
  drop(reason: string | null): void {
    if (this.state === 'closed') return;
    this.finish('abnormal', reason);
    this.transport.destroy();
  }

  /** The connection is over for the broker, whatever the transport still does. */
  finish(ending: 'normal' | 'abnormal', reason: string | null): void {
    if (this.state === 'closed') return;
    const wasKnown = this.state === 'active';
    this.state = 'closed';
    const { hub, session } = this;
    const { engine } = hub;
    this.decoder.close();
    this.acks.clear();
    this.outbox.forget();
    this.#onDrained?.();
    engine.wheel.remove(this);
    if (this.#admissionEnd !== null) engine.wheel.remove(this.#admissionEnd);
    engine.connectionsCount--;
    hub.connections.delete(this);
    if (hub.reader === this) hub.reader = null;
    this.#onFinished?.();
    this.lastRoute = null;
    this.allowedRoute = null;
    if (engine.limits.connectionMessages && (wasKnown || reason !== disconnectReason.closedByClient)) {
      const { address, port } = this.transport.peer;
      engine.logger.log('notice', logLines.disconnected(this.clientId || null, address, port, reason));
    }
    if (session !== null) this.#leave(session, ending, reason);
    this.outward?.ended(reason);
  }

  #leave(session: Session, ending: 'normal' | 'abnormal', reason: string | null): void {
    const { client, hub } = this;
    this.session = null;
    this.outward?.leaving(session);
    if (session.outlet === this) leaveSession(hub.engine, session, ending);
    if (client === null) return;
    for (const hook of hub.engine.hooks) hook.afterDisconnect?.(client, reason ?? 'disconnected');
  }
}
