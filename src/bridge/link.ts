/**
 * One Network Connection of a bridge, from CONNECT on: what a client does that a server does not.
 *
 * PUBLISH and acknowledgements are the {@link Connection}'s, as for any other peer, and its Session is that of a local client.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.ts';
import type { Engine } from '../broker/engine.ts';
import { disconnectReason, disconnectReasonFor } from '../broker/log-lines.ts';
import { type ServerLimits, serverLimits } from '../client/server-limits.ts';
import { encodePacket } from '../codec/encode.ts';
import { type ConnackPacket, type ConnectPacket, NO_PROPERTIES, type Packet } from '../codec/packet.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import type { FrameContent } from '../codec/publish-frame.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { PACKET_SIZE_MAX } from '../codec/stream-decoder.ts';
import { Connection } from '../connection/connection.ts';
import type { Hub } from '../connection/hub.ts';
import { InboundAliases } from '../connection/inbound-aliases.ts';
import { OutboundAliases } from '../connection/outbound-aliases.ts';
import type { Outward } from '../connection/outward.ts';
import type { ListenerPolicy } from '../connection/policy.ts';
import type { Message } from '../contracts/message.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import { acceptByEvents } from '../transport/tcp.ts';
import { bridgeLines } from './bridge-lines.ts';
import type { BridgeSettings } from './settings.ts';
import type { TopicNames } from './topic-names.ts';

/** Who made the connection, and is told. */
export interface LinkOwner {
  /** The other broker has accepted. The session is to be opened and given to `link.open`. */
  onAccepted(link: Link, limits: ServerLimits): void;
  /** It has not; the connection closes. */
  onRefused(packet: ConnackPacket): void;
  onSubscriptionRefused(filter: string): void;
  onLeaving(session: Session): void;
  onEnded(reason: string | null): void;
}

/** A connection that nobody is let in by. */
const policy: ListenerPolicy = {
  port: 0,
  authenticator: { authenticate: () => ({ reasonCode: ReasonCode.NotAuthorized }) },
  protocolVersions: new Set(),
  maxQos: 2,
  maxTopicAlias: 0,
  maxTopicAliasBroker: 0,
  allowZeroLengthClientId: false,
  autoIdPrefix: '',
  clientIdPrefix: '',
  useUsernameAsClientId: false,
  useCertificateIdentity: false,
  mountPoint: Buffer.alloc(0),
};

export class Link implements Outward {
  readonly receiveMaximum: number;
  mayRetain: boolean;
  readonly connection: Connection;
  readonly startedAtMs: number;
  /** Messages that passed, in both directions. */
  messages = 0;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #settings: BridgeSettings;
  readonly #connect: ConnectPacket;
  readonly #names: TopicNames;
  readonly #owner: LinkOwner;
  readonly #socket: Socket;
  /** Packet Identifier → what was subscribed to, until it is answered. Bounded by the topic lines. */
  readonly #unanswered = new Map<number, string>();
  #pings: Timer | null = null;
  #bytesWritten = 0;
  readonly #content: { -readonly [Field in keyof FrameContent]: FrameContent[Field] };

  /** @param socket - connected; it belongs to the link from here on */
  constructor(
    hub: Hub,
    socket: Socket,
    address: { readonly host: string; readonly port: number },
    settings: BridgeSettings,
    connect: ConnectPacket,
    names: TopicNames,
    owner: LinkOwner,
  ) {
    const { engine } = hub;
    this.#engine = engine;
    this.#clock = engine.clock;
    this.#settings = settings;
    this.#connect = connect;
    this.#names = names;
    this.#owner = owner;
    this.#socket = socket;
    this.startedAtMs = engine.clock.monotonicMs();
    this.receiveMaximum = settings.receiveMaximum;
    this.mayRetain = settings.outgoingRetain;
    const none = Buffer.alloc(0);
    this.#content = {
      ...{ topic: { source: none, start: 0, length: 0 }, payloadSource: none, payloadStart: 0, payloadEnd: 0 },
      ...{ propertiesSource: none, propertiesStart: 0, propertiesEnd: 0, expiryOffset: -1 },
    };
    const peer = { address: socket.remoteAddress ?? address.host, port: address.port, tls: null };
    const transport = acceptByEvents(socket, peer, engine.clock);
    this.connection = new Connection(hub, transport, policy, null, this);
    this.connection.version = connect.protocolVersion;
    this.connection.clientId = settings.localClientId;
    this.connection.decoder.requireShortestLength = connect.protocolVersion === 5;
    // CONNECT is the first packet. [MQTT-3.1.0-1]
    this.#trace(() => bridgeLines.sendingConnect(connect.clientId));
    this.connection.send(encodePacket(connect, connect.protocolVersion));
    transport.resume();
  }

  /** Serves a local session from now on. */
  open(session: Session, limits: ServerLimits): void {
    const { connection } = this;
    const { limits: own } = this.#engine;
    const window = own.maxInflightMessages === 0 ? 65_535 : own.maxInflightMessages;
    const { topicAliasMaximum, packetBytesMax } = this.#settings;
    connection.receiveMaximum = Math.min(limits.receiveMaximum, window);
    connection.maximumPacketSize = Math.min(limits.maximumPacketSize, packetBytesMax || PACKET_SIZE_MAX);
    const aliases = Math.min(limits.topicAliasMaximum, topicAliasMaximum);
    if (aliases > 0) connection.aliases = new OutboundAliases(aliases);
    if (connection.version === 5) connection.inboundAliases = new InboundAliases(topicAliasMaximum);
    // [MQTT-3.2.2-14]
    if (!limits.isRetainAvailable) this.mayRetain = false;
    connection.decoder.maximumPacketSize = PACKET_SIZE_MAX;
    connection.session = session;
    connection.publisher = session.publisher;
    connection.cleanStart = this.#connect.cleanStart;
    connection.state = 'active';
    connection.setKeepAlive(limits.keepAliveSeconds);
    if (limits.keepAliveSeconds > 0) this.#startPings(limits.keepAliveSeconds);
    const { client } = connection;
    if (client !== null) for (const hook of this.#engine.hooks) hook.afterConnect?.(client);
  }

  /** SUBSCRIBE, a packet for each filter as Mosquitto's bridges do; neither our own messages back nor RETAIN cleared. */
  subscribe(filter: string, qos: 0 | 1 | 2): void {
    const packetId = this.#packetId();
    this.#unanswered.set(packetId, filter);
    // [MQTT-3.8.3-4]
    const noLocal = !filter.startsWith('$share/');
    const subscription = { filter, qos, noLocal, retainAsPublished: true, retainHandling: 0 } as const;
    const options = this.connection.version === 5 ? (noLocal ? 0x04 : 0) | 0x08 : 0;
    this.#trace((clientId) => bridgeLines.sendingSubscribe(clientId, packetId, filter, qos, options));
    this.#send({ type: 'subscribe', packetId, properties: NO_PROPERTIES, subscriptions: [subscription] });
  }

  unsubscribe(filter: string): void {
    const packetId = this.#packetId();
    this.#trace((clientId) => bridgeLines.sendingUnsubscribe(clientId, packetId, filter));
    this.#send({ type: 'unsubscribe', packetId, properties: NO_PROPERTIES, filters: [filter] });
  }

  /** A message of the bridge itself, retained, at QoS 1 where the other side allows that; lost with the connection. */
  notify(topic: string, payload: string, limits: ServerLimits): void {
    const qos = limits.maximumQos === 0 ? 0 : 1;
    this.#send({
      type: 'publish',
      topic,
      payload: Buffer.from(payload),
      qos,
      retain: limits.isRetainAvailable,
      dup: false,
      packetId: qos === 0 ? 0 : this.#packetId(),
      properties: NO_PROPERTIES,
    });
  }

  /** Ends the connection; MQTT 5.0 is told, with the Will. */
  end(): void {
    if (this.connection.state === 'active') this.connection.disconnect(ReasonCode.DisconnectWithWillMessage);
    else this.connection.drop(null);
  }

  // What the connection tells.

  receive(packet: Packet): void {
    if (packet.type === 'connack') {
      if (this.connection.state === 'active') throw violation('a second CONNACK');
      this.#receiveConnack(packet);
      return;
    }
    if (this.connection.state !== 'active') throw violation(`${packet.type.toUpperCase()} before CONNACK`);
    switch (packet.type) {
      case 'suback': {
        this.#trace((clientId) => bridgeLines.receivedAnswer('SUBACK', clientId));
        const filter = this.#unanswered.get(packet.packetId);
        this.#unanswered.delete(packet.packetId);
        if (filter !== undefined && (packet.reasonCodes[0] ?? 0) >= 0x80) this.#owner.onSubscriptionRefused(filter);
        return;
      }
      case 'unsuback':
        this.#trace((clientId) => bridgeLines.receivedAnswer('UNSUBACK', clientId));
        return;
      case 'pingresp':
        return;
      case 'disconnect': {
        const { reasonCode } = packet;
        const reason = reasonCode < 0x80 ? disconnectReason.closedByClient : disconnectReasonFor(reasonCode);
        this.connection.close('abnormal', reason);
        return;
      }
      default:
        throw violation(`${packet.type.toUpperCase()} that nobody asked for`);
    }
  }

  #receiveConnack(packet: ConnackPacket): void {
    this.#trace((clientId) => bridgeLines.receivedConnack(clientId));
    if (packet.reasonCode !== ReasonCode.Success) {
      this.#owner.onRefused(packet);
      this.connection.close('abnormal', null);
      return;
    }
    // [MQTT-3.2.2-4]
    if (packet.sessionPresent && this.#connect.cleanStart) throw violation('Session Present after a clean start');
    this.#owner.onAccepted(this, serverLimits(packet, this.#connect.keepAliveSeconds));
  }

  routeIn(bytes: Buffer, start: number, end: number): Route<Subscription> {
    this.messages++;
    return this.#names.routeIn(bytes, start, end);
  }

  heardAlias(): void {
    this.messages++;
  }

  contentOut(message: Message): FrameContent | null {
    this.messages++;
    const topic = this.#names.remoteOf(message.topic);
    if (topic === null) return null;
    const content = this.#content;
    content.topic = topic;
    content.payloadSource = message.payloadSource;
    content.payloadStart = message.payloadStart;
    content.payloadEnd = message.payloadEnd;
    content.propertiesSource = message.propertiesSource;
    content.propertiesStart = message.propertiesStart;
    content.propertiesEnd = message.propertiesEnd;
    content.expiryOffset = message.expiryOffset;
    return content;
  }

  leaving(session: Session): void {
    this.#owner.onLeaving(session);
  }

  ended(reason: string | null): void {
    this.#pings?.cancel();
    this.#owner.onEnded(reason);
  }

  /**
   * PINGREQ when half of Keep Alive passed in which nothing was sent, or nothing came: the other broker hears of us in time
   * [MQTT-3.1.2-20], and whoever only sends finds out that nobody is there.
   */
  #startPings(keepAliveSeconds: number): void {
    this.#pings = this.#clock.every(keepAliveSeconds * 500, () => {
      const { bytesWritten } = this.#socket;
      const isQuiet = bytesWritten === this.#bytesWritten || this.connection.idleSeconds >= keepAliveSeconds / 2;
      if (isQuiet) this.#send({ type: 'pingreq' });
      this.#bytesWritten = bytesWritten;
    });
  }

  /** @param line - made of our own Client Identifier, where such lines are wanted */
  #trace(line: (clientId: string) => string): void {
    if (this.connection.hub.isTracing) this.#engine.logger.log('debug', line(this.#settings.localClientId));
  }

  #packetId(): number {
    return this.connection.session?.outgoingRing().reservePacketId() ?? 0;
  }

  #send(packet: Packet): void {
    this.connection.send(encodePacket(packet, this.connection.version));
  }
}

function violation(message: string): ProtocolError {
  return new ProtocolError(ReasonCode.ProtocolError, '§4.13.1', message);
}
