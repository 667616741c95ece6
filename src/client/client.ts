/**
 * An MQTT client: one session, over one Network Connection at a time.
 *
 * What belongs to the session (exchanges under way, messages that wait, QoS 2 messages received and not released) lives here and survives
 * a lost connection; what belongs to the connection lives in `network-connection.ts`.
 */
import { type Clock, systemClock, type Timer } from '../base/clock.ts';
import type {
  AckPacket,
  ConnackPacket,
  ConnectPacket,
  Packet,
  ProtocolVersion,
  PublishPacket,
  QoS,
  Subscription,
} from '../codec/packet.ts';
import { NO_BYTES, NO_PROPERTIES } from '../codec/packet.ts';
import type { Properties } from '../codec/property-table.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import type { ReasonCodeOf } from '../codec/reason-code.ts';
import { ReasonCode, reasonCodeName } from '../codec/reason-code.ts';
import { isTopicName, parseTopicFilter } from '../topics/topic-filter.ts';
import { Backoff } from './backoff.ts';
import { ClientError } from './client-error.ts';
import { type Exchange, Exchanges, type PublishOutcome, type Settle } from './exchanges.ts';
import { NetworkConnection } from './network-connection.ts';
import { PacketIds } from './packet-ids.ts';
import { PendingAcks } from './pending-acks.ts';
import { publicationFault, type ServerLimits, subscriptionFault } from './server-limits.ts';
import type { ClientSettings, Publication } from './settings.ts';
import { isText, propertyFault } from './text.ts';
import { InboundAliases, OutboundAliases } from './topic-aliases.ts';

/** Options of {@link Client.publish}. */
export interface PublishOptions {
  /** Default 0. */
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

/** A Topic Filter, or one with its options. */
export type SubscriptionRequest = string | (Partial<Subscription> & { readonly filter: string });

/** What SUBACK or UNSUBACK said, one code per filter. */
export interface SubscribeOutcome {
  readonly packetId: number;
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

interface PendingRequest {
  readonly kind: 'subscribe' | 'unsubscribe';
  readonly count: number;
  resolve(outcome: SubscribeOutcome): void;
  reject(error: ClientError): void;
}

const SENT: PublishOutcome = { reasonCode: ReasonCode.Success };

export class Client {
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  readonly #version: ProtocolVersion;
  readonly #ids = new PacketIds();
  readonly #exchanges = new Exchanges();
  readonly #pending = new Map<number, PendingRequest>();
  readonly #subscriptions = new Map<string, { readonly subscription: Subscription; readonly properties: Properties }>();
  /** QoS 2 messages received and not released yet: Packet Identifier → message. */
  readonly #held = new Map<number, PublishPacket>();
  readonly #pendingAcks = new PendingAcks();
  readonly #backoff: Backoff | undefined;
  #connection: NetworkConnection | undefined;
  #inbound = new InboundAliases(0);
  #outbound = new OutboundAliases(0, 0);
  #clientId: string;
  #hasConnected = false;
  #isClosed = false;
  #whyClosed = new ClientError('closed', 'the client was closed');
  #retry: Timer | undefined;
  #first: { resolve(): void; reject(error: ClientError): void } | undefined;
  readonly #closeWaiters: (() => void)[] = [];
  readonly #idleWaiters: (() => void)[] = [];

  /** Use {@link connect}; a client made by hand does nothing until `start`. */
  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#clock = settings.clock ?? systemClock();
    this.#version = settings.protocolVersion ?? 5;
    this.#clientId = settings.clientId ?? '';
    this.#backoff = settings.reconnect === undefined ? undefined : new Backoff(settings.reconnect, this.#clock);
    checkSettings(settings, this.#version);
  }

  /** Makes the first connection. Rejects with a ClientError; it is tried again only if the policy says so. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#connect();
    });
  }

  /** The Client Identifier in use: ours, or the one the broker assigned. */
  get clientId(): string {
    return this.#clientId;
  }

  get protocolVersion(): ProtocolVersion {
    return this.#version;
  }

  get isConnected(): boolean {
    return this.#connection?.isAccepted ?? false;
  }

  /** What the broker said it can do; undefined while there is no connection. */
  get limits(): ServerLimits | undefined {
    return this.isConnected ? this.#connection?.limits : undefined;
  }

  /** Whether more messages should wait for `onDrain`: the socket or the queue has enough. */
  get isCongested(): boolean {
    return (this.#connection?.isCongested ?? false) || this.#exchanges.waitingCount > this.#queuedMaximum / 2;
  }

  /** Messages that wait for their turn. */
  get waitingCount(): number {
    return this.#exchanges.waitingCount;
  }

  /**
   * Publishes and waits until the broker has taken the message as its QoS says: for QoS 0, until it was handed to the connection.
   *
   * With a `reconnect` policy messages outlive a lost connection: those of QoS 1 and 2 until they are acknowledged, those of QoS 0 as
   * long as they were not handed to it.
   *
   * @throws ClientError - `rejected` with the broker's Reason Code; `lost` for QoS 0 without a connection; `full`, `too-large`, `invalid`,
   *   `unsupported`, `closed`
   */
  publish(topic: string, payload: Buffer | string, options: PublishOptions = {}): Promise<PublishOutcome> {
    return new Promise((resolve, reject) => {
      this.send(
        {
          topic,
          payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
          qos: options.qos ?? 0,
          retain: options.retain ?? false,
          properties: options.properties ?? NO_PROPERTIES,
        },
        (error, outcome) => {
          if (error === undefined) resolve(outcome);
          else reject(error);
        },
      );
    });
  }

  /**
   * Publishes without a promise.
   *
   * @param settle - told once, possibly before this returns; not needed for QoS 0
   */
  send(publication: Publication, settle?: Settle): void {
    const exchange: Exchange = { publication, settle, packetId: 0 };
    const fault = this.#faultOf(publication);
    if (fault !== undefined) {
      settle?.(fault, SENT);
      return;
    }
    if (this.isConnected && this.#exchanges.waitingCount === 0) {
      if (publication.qos === 0 || this.#exchanges.hasRoom) {
        this.#transmit(exchange);
        return;
      }
    }
    this.#exchanges.enqueue(exchange);
  }

  /**
   * Subscribes.
   *
   * @param onAnswer - called at once when SUBACK arrives, before the messages behind it; the promise resolves later
   * @returns SUBACK's codes, also when some are errors
   * @throws ClientError - as publish, and `lost` when the connection ends before SUBACK
   */
  subscribe(
    requests: SubscriptionRequest | readonly SubscriptionRequest[],
    properties: Properties = NO_PROPERTIES,
    onAnswer?: (outcome: SubscribeOutcome) => void,
  ): Promise<SubscribeOutcome> {
    const list: readonly SubscriptionRequest[] = isList(requests) ? requests : [requests];
    const subscriptions = list.map(subscriptionOf);
    const filters = subscriptions.map((subscription) => subscription.filter);
    return new Promise((settle, reject) => {
      const resolve = (outcome: SubscribeOutcome) => {
        onAnswer?.(outcome);
        settle(outcome);
      };
      const fault = this.#requestFault(filters, properties.subscriptionIdentifiers !== undefined);
      if (fault !== undefined) {
        reject(fault);
        return;
      }
      this.#request({ kind: 'subscribe', count: filters.length, resolve, reject }, (packetId) => ({
        type: 'subscribe',
        packetId,
        properties,
        subscriptions,
      }));
      for (const subscription of subscriptions) {
        this.#subscriptions.set(subscription.filter, { subscription, properties });
      }
    });
  }

  /** Removes subscriptions; the outcome's codes are empty in MQTT 3.x. */
  unsubscribe(filters: string | readonly string[], properties: Properties = NO_PROPERTIES): Promise<SubscribeOutcome> {
    const list = typeof filters === 'string' ? [filters] : filters;
    return new Promise((resolve, reject) => {
      const fault = this.#requestFault(list, false);
      if (fault !== undefined) {
        reject(fault);
        return;
      }
      this.#request({ kind: 'unsubscribe', count: list.length, resolve, reject }, (packetId) => ({
        type: 'unsubscribe',
        packetId,
        properties,
        filters: list,
      }));
      for (const filter of list) this.#subscriptions.delete(filter);
    });
  }

  /** Authenticates again on the same connection. Needs `authentication` in the settings. */
  async reauthenticate(): Promise<void> {
    if (this.#connection === undefined) throw new ClientError('lost', 'there is no connection');
    await this.#connection.reauthenticate();
  }

  /** Acknowledges a message of QoS 1 or 2; only with `manualAcknowledgement`, and only as the object that was handed out. */
  acknowledge(message: PublishPacket): void {
    for (const { qos, packetId } of this.#pendingAcks.give(message)) {
      this.#acknowledge(qos === 1 ? 'puback' : 'pubcomp', packetId);
    }
  }

  /** Resolves when every message given to publish or send is with the broker. */
  idle(): Promise<void> {
    if (this.#exchanges.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Goes on reading after a callback returned false. */
  resume(): void {
    this.#connection?.resume();
  }

  /** Stops reading from the broker until `resume`. */
  pause(): void {
    this.#connection?.pause();
  }

  /**
   * Sends DISCONNECT and closes; what was published before is written first. Exchanges that are not finished are given up
   * with `closed`.
   *
   * @param reasonCode - 0x00, or 0x04 to have the will sent (MQTT 5.0)
   * @returns resolves when the connection is closed
   */
  disconnect(
    reasonCode: ReasonCodeOf<'disconnect'> = ReasonCode.Success,
    properties: Properties = NO_PROPERTIES,
  ): Promise<void> {
    if (this.#isClosed && this.#connection === undefined) return Promise.resolve();
    this.#isClosed = true;
    this.#retry?.cancel();
    return new Promise((resolve) => {
      this.#closeWaiters.push(resolve);
      if (this.#connection === undefined) this.#over(new ClientError('closed', 'the client was closed'));
      else this.#connection.disconnect({ type: 'disconnect', reasonCode, properties });
    });
  }

  /** Cuts the connection without DISCONNECT, as a network failure would; the will is sent. */
  destroy(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    const error = new ClientError('closed', 'the client was destroyed');
    if (this.#connection === undefined) this.#over(error);
    else this.#connection.destroy(error);
  }

  get #queuedMaximum(): number {
    return this.#settings.queuedMessagesMaximum ?? 10_000;
  }

  #connect(): void {
    const { settings, version } = { settings: this.#settings, version: this.#version };
    this.#inbound = new InboundAliases(settings.connectProperties?.topicAliasMaximum ?? 0);
    void this.#connectPacket().then((connect) => {
      if (this.#isClosed) return;
      this.#connection = new NetworkConnection(
        {
          target: settings.target,
          connect,
          authentication: version === 5 ? settings.authentication : undefined,
          connectTimeoutMs: settings.connectTimeoutMs ?? 30_000,
          clock: this.#clock,
        },
        {
          onAccepted: (connack, limits) => this.#accepted(connack, limits),
          onPacket: (packet) => this.#receive(packet),
          onDrain: () => this.#drained(),
          onEnd: (error) => this.#ended(error),
          onSent: (packet, messageId) => settings.onPacketSent?.(packet, messageId),
          onReceived: (packet) => this.#traceReceived(packet),
        },
      );
    });
  }

  async #connectPacket(): Promise<ConnectPacket> {
    const settings = this.#settings;
    const { will } = settings;
    const authentication = this.#version === 5 ? settings.authentication : undefined;
    const data = await authentication?.start?.();
    return {
      type: 'connect',
      protocolVersion: this.#version,
      isBridge: false,
      // The session that the first connection began is resumed by the later ones, as far as it lives.
      cleanStart: (settings.cleanStart ?? true) && !(this.#hasConnected && this.#keepsSession),
      keepAliveSeconds: settings.keepAliveSeconds ?? 60,
      clientId: this.#clientId,
      ...(will !== undefined && { will: { ...will, rawProperties: NO_BYTES } }),
      ...(settings.username !== undefined && { username: settings.username }),
      ...(settings.password !== undefined && { password: settings.password }),
      properties: {
        ...settings.connectProperties,
        ...(authentication !== undefined && { authenticationMethod: authentication.method }),
        ...(data !== undefined && { authenticationData: data }),
      },
    };
  }

  /** The name that the broker gives counts from its CONNACK on. */
  #traceReceived(packet: Packet): void {
    if (packet.type === 'connack') this.#clientId = packet.properties.assignedClientIdentifier ?? this.#clientId;
    this.#settings.onPacketReceived?.(packet);
  }

  /** Whether the session outlives a connection. [MQTT-3.1.2-23] */
  get #keepsSession(): boolean {
    if (this.#version !== 5) return this.#settings.cleanStart === false;
    return (this.#settings.connectProperties?.sessionExpiryInterval ?? 0) > 0;
  }

  #accepted(connack: ConnackPacket, limits: ServerLimits): void {
    const isFirst = !this.#hasConnected;
    this.#hasConnected = true;
    this.#backoff?.reset();
    this.#outbound = new OutboundAliases(limits.topicAliasMaximum, this.#settings.topicAliases ?? 0);
    this.#exchanges.window = Math.min(this.#settings.inflightMaximum ?? 20, limits.receiveMaximum);
    const isResumed = connack.sessionPresent || (this.#version === 3 && this.#keepsSession);
    if (isResumed) this.#resend();
    else this.#forget();
    this.#settings.onConnect?.(connack);
    this.#first?.resolve();
    this.#first = undefined;
    if (!isResumed && !isFirst && this.#settings.resubscribe !== false) this.#resubscribe();
    this.#pump();
  }

  /** The broker knows the session: what it did not acknowledge is repeated. [MQTT-4.4.0-1] */
  #resend(): void {
    for (const packetId of this.#exchanges.released.keys()) this.#acknowledge('pubrel', packetId);
    const exchanges = [...this.#exchanges.unacknowledged.values()];
    for (const exchange of exchanges) this.#write(exchange, true);
  }

  /** The broker begins a new session, and so do we. [MQTT-3.2.2-4] [MQTT-3.2.2-5] */
  #forget(): void {
    this.#held.clear();
    for (const packetId of this.#exchanges.unacknowledged.keys()) this.#ids.free(packetId);
    for (const exchange of this.#exchanges.restart()) {
      this.#ids.free(exchange.packetId);
      exchange.settle?.(undefined, SENT);
    }
  }

  #resubscribe(): void {
    for (const { subscription, properties } of [...this.#subscriptions.values()]) {
      // A refusal is not an error of anybody who waits; the subscription stays remembered for the next connection.
      this.subscribe(subscription, properties).catch(() => {});
    }
  }

  #faultOf(publication: Publication): ClientError | undefined {
    if (this.#isClosed) return this.#whyClosed;
    const wrong = publicationTextFault(publication);
    if (wrong !== undefined) return wrong;
    const limits = this.limits;
    if (limits === undefined) {
      if (this.#hasConnected ? this.#backoff === undefined : publication.qos === 0) {
        return this.#withoutConnection;
      }
    } else {
      const fault = publicationFault(publication, limits);
      if (fault !== undefined) return fault;
    }
    const { waitingCount, waitingBytes } = this.#exchanges;
    const bytesMaximum = this.#settings.queuedBytesMaximum ?? 64 * 1024 * 1024;
    if (waitingCount >= this.#queuedMaximum || (waitingCount > 0 && waitingBytes >= bytesMaximum)) {
      return new ClientError('full', `${waitingCount} messages are waiting already`);
    }
    return undefined;
  }

  get #withoutConnection(): ClientError {
    return this.#connection?.endReason ?? new ClientError('lost', 'there is no connection');
  }

  #requestFault(filters: readonly string[], hasIdentifier: boolean): ClientError | undefined {
    if (this.#isClosed) return this.#whyClosed;
    if (filters.length === 0) return new ClientError('invalid', 'no Topic Filter was given'); // [MQTT-3.8.3-2]
    for (const filter of filters) {
      if (typeof parseTopicFilter(filter) === 'string' || !isText(filter)) {
        return new ClientError('invalid', `'${filter}' is no Topic Filter`); // [MQTT-4.7.1-1] [MQTT-4.8.2-1]
      }
    }
    const limits = this.limits;
    if (limits === undefined) return this.#withoutConnection;
    return subscriptionFault(filters, hasIdentifier, limits);
  }

  #request(request: PendingRequest, packetOf: (packetId: number) => Packet): void {
    const packetId = this.#ids.take();
    if (packetId === undefined) {
      request.reject(new ClientError('full', 'all Packet Identifiers are in use'));
      return;
    }
    const fault = this.#connection?.send(packetOf(packetId));
    if (fault === undefined) {
      this.#pending.set(packetId, request);
      return;
    }
    this.#ids.free(packetId);
    request.reject(fault);
  }

  /** Sends what waits, as far as the window allows. */
  #pump(): void {
    for (;;) {
      const exchange = this.#exchanges.peek();
      if (exchange === undefined || !this.isConnected) break;
      if (exchange.publication.qos > 0 && !this.#exchanges.hasRoom) break;
      this.#exchanges.shift();
      this.#transmit(exchange);
    }
    if (!this.isCongested) this.#settings.onDrain?.();
    this.#checkIdle();
  }

  /** First transmission. [MQTT-4.3.2-2] [MQTT-4.3.3-2] */
  #transmit(exchange: Exchange): void {
    const { publication, settle } = exchange;
    if (publication.qos === 0) {
      const fault = this.#write(exchange, false);
      settle?.(fault, SENT);
      return;
    }
    const packetId = this.#ids.take();
    if (packetId === undefined) {
      settle?.(new ClientError('full', 'all Packet Identifiers are in use'), SENT);
      return;
    }
    exchange.packetId = packetId;
    const fault = this.#write(exchange, false);
    if (fault === undefined) {
      this.#exchanges.unacknowledged.set(packetId, exchange);
      return;
    }
    this.#ids.free(packetId);
    settle?.(fault, SENT);
  }

  #write(exchange: Exchange, dup: boolean): ClientError | undefined {
    const { publication, packetId } = exchange;
    const packet = this.#version === 5 ? this.#withAlias(publication) : publication;
    return this.#connection?.send(
      {
        type: 'publish',
        topic: packet.topic,
        payload: packet.payload,
        qos: packet.qos,
        retain: packet.retain,
        dup, // [MQTT-3.3.1-1]
        packetId,
        properties: packet.properties,
      },
      packetId === 0 ? this.#ids.pass() : packetId,
    );
  }

  #withAlias(publication: Publication): Publication {
    const { topicAlias = 0, ...others } = publication.properties;
    if (topicAlias === 0 && (this.#settings.topicAliases ?? 0) === 0) return publication;
    const { topic, alias } = this.#outbound.write(publication.topic, topicAlias);
    return { ...publication, topic, properties: alias === 0 ? others : { ...others, topicAlias: alias } };
  }

  #receive(packet: Packet): boolean {
    switch (packet.type) {
      case 'publish':
        return this.#receivePublish(packet);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        this.#receiveAck(packet);
        return true;
      case 'pubrel':
        return this.#receivePubrel(packet.packetId);
      case 'suback':
        this.#receiveAnswer('subscribe', packet.packetId, packet.reasonCodes, packet.properties);
        return true;
      case 'unsuback':
        this.#receiveAnswer('unsubscribe', packet.packetId, packet.reasonCodes, packet.properties);
        return true;
      default:
        throw violation(`${packet.type.toUpperCase()} from the broker`);
    }
  }

  #receivePublish(received: PublishPacket): boolean {
    const { topicAlias } = received.properties;
    const packet =
      topicAlias === undefined ? received : { ...received, topic: this.#inbound.resolve(received.topic, topicAlias) };
    switch (packet.qos) {
      case 0:
        return this.#deliver(packet);
      case 1:
        return this.#handOver('puback', packet); // [MQTT-4.3.2-4]
      case 2: {
        // A repeated PUBLISH is not a second message. [MQTT-4.3.3-10]
        if (!this.#held.has(packet.packetId)) {
          if (this.#held.size >= (this.#settings.connectProperties?.receiveMaximum ?? 65_535)) {
            throw new ProtocolError(ReasonCode.ReceiveMaximumExceeded, 'MQTT-3.3.4-9', 'Receive Maximum exceeded');
          }
          this.#held.set(packet.packetId, packet);
        }
        this.#acknowledge('pubrec', packet.packetId);
        return true;
      }
    }
  }

  /** Mosquitto: a QoS 2 message is handed on at PUBREL, so that it is complete when the program acts on it. */
  #receivePubrel(packetId: number): boolean {
    const packet = this.#held.get(packetId);
    this.#held.delete(packetId);
    if (packet !== undefined) return this.#handOver('pubcomp', packet);
    this.#acknowledge('pubcomp', packetId, ReasonCode.PacketIdentifierNotFound);
    return true;
  }

  /**
   * The acknowledgement is put into the outbox first, which is written when this turn is over: so a program that disconnects as
   * soon as it has its message still acknowledges it.
   */
  #handOver(type: 'puback' | 'pubcomp', packet: PublishPacket): boolean {
    if (this.#settings.manualAcknowledgement) this.#pendingAcks.add(packet);
    else this.#acknowledge(type, packet.packetId);
    return this.#deliver(packet);
  }

  #deliver(packet: PublishPacket): boolean {
    return this.#settings.onMessage?.(packet) !== false;
  }

  #receiveAck(packet: Exclude<AckPacket, { readonly type: 'pubrel' }>): void {
    const { packetId, reasonCode } = packet;
    if (packet.type === 'pubcomp') {
      const exchange = this.#exchanges.released.get(packetId);
      if (exchange === undefined) return; // an answer to a repeated PUBREL
      this.#exchanges.released.delete(packetId);
      this.#settle(exchange, packet);
      return;
    }
    const exchange = this.#exchanges.unacknowledged.get(packetId);
    if (exchange === undefined) {
      // A repeated PUBREC is answered as the first one. [MQTT-4.3.3-4]
      if (packet.type === 'pubrec' && reasonCode < 0x80) {
        const isKnown = this.#exchanges.released.has(packetId);
        this.#acknowledge('pubrel', packetId, isKnown ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound);
      }
      return;
    }
    const expected = exchange.publication.qos === 1 ? 'puback' : 'pubrec';
    if (packet.type !== expected) {
      throw violation(`${packet.type.toUpperCase()} for a PUBLISH of QoS ${exchange.publication.qos}`);
    }
    this.#exchanges.unacknowledged.delete(packetId);
    if (packet.type === 'puback' || reasonCode >= 0x80) {
      this.#settle(exchange, packet);
      return;
    }
    this.#exchanges.released.set(packetId, exchange);
    this.#acknowledge('pubrel', packetId);
  }

  #settle(exchange: Exchange, packet: AckPacket): void {
    const { reasonCode, properties, packetId } = packet;
    this.#ids.free(packetId);
    const outcome: PublishOutcome = {
      reasonCode,
      ...(properties.reasonString !== undefined && { reasonString: properties.reasonString }),
    };
    const error =
      reasonCode < 0x80
        ? undefined
        : new ClientError('rejected', `the broker refused the message: ${reasonCodeName(reasonCode)}`, outcome);
    exchange.settle?.(error, outcome);
    this.#pump();
  }

  #receiveAnswer(
    kind: PendingRequest['kind'],
    packetId: number,
    reasonCodes: readonly number[],
    properties: Properties,
  ): void {
    const request = this.#pending.get(packetId);
    const name = kind === 'subscribe' ? 'SUBACK' : 'UNSUBACK';
    if (request === undefined || request.kind !== kind) throw violation(`${name} that nobody asked for`);
    const hasCodes = kind === 'subscribe' || this.#version === 5;
    if (hasCodes && reasonCodes.length !== request.count) {
      throw violation(`${name} has ${reasonCodes.length} codes for ${request.count} filters`); // [MQTT-3.9.3-1]
    }
    this.#pending.delete(packetId);
    this.#ids.free(packetId);
    request.resolve({ packetId, reasonCodes, properties });
  }

  #acknowledge(
    type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
    packetId: number,
    reasonCode: 0x00 | 0x92 = ReasonCode.Success,
  ): void {
    const code = this.#version === 5 ? reasonCode : ReasonCode.Success;
    // Only PUBREL and PUBCOMP are sent with 0x92, which both may carry.
    this.#connection?.send({ type, packetId, reasonCode: code, properties: NO_PROPERTIES } as AckPacket);
  }

  #drained(): void {
    if (!this.isCongested) this.#settings.onDrain?.();
  }

  #ended(error: ClientError): void {
    this.#connection = undefined;
    for (const [packetId, request] of this.#pending) {
      this.#ids.free(packetId);
      request.reject(error);
    }
    this.#pending.clear();
    this.#pendingAcks.clear();
    const willReconnect = !this.#isClosed && this.#shouldRetry(error);
    if (this.#hasConnected) this.#settings.onDisconnect?.(error, willReconnect);
    else if (willReconnect) this.#settings.onConnectFailure?.(error);
    if (willReconnect && !this.#isClosed) {
      this.#retry = this.#clock.after(this.#backoff?.next() ?? 0, () => this.#connect());
      return;
    }
    const first = this.#first;
    this.#first = undefined;
    this.#over(error);
    first?.reject(error);
  }

  #shouldRetry(error: ClientError): boolean {
    const policy = this.#settings.reconnect;
    if (policy === undefined) return false;
    return policy.shouldRetry?.(error, this.#hasConnected) ?? (this.#hasConnected && isTransient(error));
  }

  /** The end of the session on our side. */
  #over(error: ClientError): void {
    this.#isClosed = true;
    this.#whyClosed = error;
    for (const exchange of this.#exchanges.clear()) exchange.settle?.(error, SENT);
    this.#checkIdle();
    for (const resolve of this.#closeWaiters.splice(0)) resolve();
  }

  #checkIdle(): void {
    if (this.#exchanges.isIdle) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

/**
 * Connects to a broker.
 *
 * @throws ClientError - the first connection failed or was refused
 */
export async function connect(settings: ClientSettings): Promise<Client> {
  const client = new Client(settings);
  await client.start();
  return client;
}

/** Errors after which the same attempt may go well later. */
function isTransient(error: ClientError): boolean {
  switch (error.kind) {
    case 'dial':
    case 'lost':
    case 'timeout':
    case 'keep-alive':
      return true;
    case 'refused':
    case 'disconnected':
      return error.reasonCode !== undefined && TRANSIENT_CODES.has(error.reasonCode);
    default:
      return false;
  }
}

const TRANSIENT_CODES: ReadonlySet<number> = new Set([
  ReasonCode.UnspecifiedError,
  ReasonCode.ServerUnavailable,
  ReasonCode.ServerBusy,
  ReasonCode.ServerShuttingDown,
  ReasonCode.KeepAliveTimeout,
  ReasonCode.MessageRateTooHigh,
  ReasonCode.QuotaExceeded,
  ReasonCode.ConnectionRateExceeded,
  ReasonCode.MaximumConnectTime,
]);

function subscriptionOf(request: SubscriptionRequest): Subscription {
  const given = typeof request === 'string' ? { filter: request } : request;
  return {
    filter: given.filter,
    qos: given.qos ?? 0,
    noLocal: given.noLocal ?? false,
    retainAsPublished: given.retainAsPublished ?? false,
    retainHandling: given.retainHandling ?? 0,
  };
}

function isList(
  requests: SubscriptionRequest | readonly SubscriptionRequest[],
): requests is readonly SubscriptionRequest[] {
  return Array.isArray(requests);
}

function violation(message: string): ProtocolError {
  return new ProtocolError(ReasonCode.ProtocolError, '§4.13.1', message);
}

function checkSettings(settings: ClientSettings, version: ProtocolVersion): void {
  const { will, password, username, clientId = '', connectProperties } = settings;
  if (version === 3 && clientId === '') throw new ClientError('invalid', 'MQTT 3.1 needs a Client Identifier');
  if (version < 5 && password !== undefined && username === undefined) {
    throw new ClientError('invalid', 'a password needs a user name before MQTT 5.0'); // [v3.1.1 MQTT-3.1.2-22]
  }
  if (version === 4 && clientId === '' && settings.cleanStart === false) {
    throw new ClientError('invalid', 'without a Client Identifier there is only a clean session'); // [v3.1.1 MQTT-3.1.3-7]
  }
  // [MQTT-3.1.3-4] [MQTT-3.1.3-12]
  if (!isText(clientId)) throw new ClientError('invalid', 'the Client Identifier cannot be encoded');
  if (username !== undefined && !isText(username)) throw new ClientError('invalid', 'the User Name cannot be encoded');
  if (password !== undefined && password.length > 65_535) throw new ClientError('invalid', 'the Password is too long');
  const wrong = connectProperties === undefined ? undefined : propertyFault(connectProperties);
  if (wrong !== undefined) throw new ClientError('invalid', wrong);
  if (will === undefined) return;
  const willFault = publicationTextFault(will); // [MQTT-3.1.3-11]
  if (willFault !== undefined) throw willFault;
  if (will.payload.length > 65_535) throw new ClientError('invalid', 'the payload of the Will is too long');
}

/** What of a message has no legal bytes. [MQTT-3.3.2-1] [MQTT-3.3.2-2] */
function publicationTextFault({ topic, properties }: Publication): ClientError | undefined {
  if (!isTopicName(topic) || !isText(topic)) return new ClientError('invalid', `'${topic}' is no Topic Name`);
  const wrong = properties === NO_PROPERTIES ? undefined : propertyFault(properties);
  return wrong === undefined ? undefined : new ClientError('invalid', wrong);
}
