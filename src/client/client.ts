/**
 * An MQTT client: one session, over one Network Connection at a time.
 *
 * What belongs to the session lives in `outbound.ts`, `inbound.ts` and `requests.ts` and survives a lost connection; what belongs
 * to the connection lives in `network-connection.ts`. This file is the API, and decides when to connect.
 */
import { type Clock, type Timer, wakefulClock } from '../base/clock.ts';
import type { ConnackPacket, Packet, ProtocolVersion, PublishPacket, QoS, Subscription } from '../codec/packet.ts';
import { NO_PROPERTIES } from '../codec/packet.ts';
import type { Properties } from '../codec/property-table.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import type { ReasonCodeOf } from '../codec/reason-code.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { parseTopicFilter } from '../topics/topic-filter.ts';
import { ClientError } from './client-error.ts';
import { checkSettings, connectPacket, keepsSession } from './connect-packet.ts';
import { Deliveries } from './deliveries.ts';
import type { PublishOutcome, Settle } from './exchanges.ts';
import { Inbound } from './inbound.ts';
import { NetworkConnection } from './network-connection.ts';
import { Outbound, SENT } from './outbound.ts';
import { PacketIds } from './packet-ids.ts';
import { Reconnect } from './reconnect.ts';
import { Requests, type SubscribeOutcome } from './requests.ts';
import { publicationFault, type ServerLimits, subscriptionFault } from './server-limits.ts';
import type { ClientSettings, Publication } from './settings.ts';
import { type SubscriptionRequest, shareFault, subscriptionsOf } from './subscription-request.ts';
import { isText, propertyFault, publicationTextFault } from './text.ts';

/** Options of {@link Client.publish}. */
export interface PublishOptions {
  /** Default 0. */
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

export class Client {
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  readonly #version: ProtocolVersion;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #requests: Requests;
  /** Topic Filter → how we subscribed to it, for a broker that has forgotten. */
  readonly #subscriptions = new Map<string, { readonly subscription: Subscription; readonly properties: Properties }>();
  readonly #deliveries: Deliveries;
  readonly #reconnect: Reconnect;
  readonly #closeWaiters: (() => void)[] = [];
  #checked: Pick<Publication, 'topic' | 'properties'> = { topic: '', properties: NO_PROPERTIES };
  #connection: NetworkConnection | undefined;
  #clientId: string;
  #hasConnected = false;
  #isClosed = false;
  #whyClosed = new ClientError('closed', 'the client was closed');
  #retry: Timer | undefined;
  #first: { resolve(): void; reject(error: ClientError): void } | undefined;

  /**
   * Use `connect`; a client made by hand does nothing until `start`.
   *
   * @throws ClientError - settings that make no legal CONNECT
   */
  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#clock = settings.clock ?? wakefulClock();
    this.#version = settings.protocolVersion ?? 5;
    this.#clientId = settings.clientId ?? '';
    this.#reconnect = new Reconnect(settings.reconnect, this.#clock);
    checkSettings(settings, this.#version);
    this.#deliveries = new Deliveries(settings.onMessage?.bind(settings), () => this.resume());
    const ids = new PacketIds();
    const send = (packet: Packet, messageId = 0) => this.#connection?.send(packet, messageId);
    this.#outbound = new Outbound({
      version: this.#version,
      ids,
      inflightMaximum: settings.inflightMaximum ?? 20,
      queuedMessagesMaximum: settings.queuedMessagesMaximum ?? 10_000,
      queuedBytesMaximum: settings.queuedBytesMaximum ?? 64 * 1024 * 1024,
      topicAliases: settings.topicAliases ?? 0,
      send,
      mayWrite: () => this.#connection?.mayPublish ?? false,
      isCongested: () => this.#connection?.isCongested ?? false,
      onRoom: () => this.#tellRoom(),
    });
    this.#inbound = new Inbound({
      version: this.#version,
      topicAliasMaximum: settings.connectProperties?.topicAliasMaximum ?? 0,
      receiveMaximum: settings.connectProperties?.receiveMaximum ?? 65_535,
      isManual: settings.manualAcknowledgement ?? false,
      send,
      deliver: (message) => this.#deliveries.deliver(message),
    });
    this.#requests = new Requests(this.#version, ids, send);
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
    return this.#connection?.isCongested || this.#outbound.isHalfFull;
  }

  /** Messages that wait for their turn. */
  get waitingCount(): number {
    return this.#outbound.waitingCount;
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
    const fault = this.#faultOf(publication);
    if (fault === undefined) this.#outbound.publish({ publication, settle, packetId: 0 });
    else settle?.(fault, SENT);
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
    const subscriptions = subscriptionsOf(requests);
    const filters = subscriptions.map((subscription) => subscription.filter);
    return new Promise((settle, reject) => {
      const resolve = (outcome: SubscribeOutcome) => {
        onAnswer?.(outcome);
        settle(outcome);
      };
      const fault = shareFault(subscriptions, this.#version) ?? this.#requestFault(filters, properties);
      if (fault !== undefined) {
        reject(fault);
        return;
      }
      this.#requests.start({ kind: 'subscribe', count: filters.length, resolve, reject }, (packetId) => ({
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
      const fault = this.#requestFault(list, properties);
      if (fault !== undefined) {
        reject(fault);
        return;
      }
      this.#requests.start({ kind: 'unsubscribe', count: list.length, resolve, reject }, (packetId) => ({
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
    this.#inbound.acknowledge(message);
  }

  /** Resolves when every message given to publish or send is with the broker. */
  idle(): Promise<void> {
    return this.#outbound.idle();
  }

  /**
   * The messages from now on, for `for await`; one loop at a time. When the loop is slow, reading from the broker pauses. It ends
   * with the client.
   */
  messages(): AsyncIterableIterator<PublishPacket> {
    return this.#deliveries.stream();
  }

  /**
   * Takes the messages of one topic out of the stream.
   *
   * @returns a function that ends it
   */
  intercept(topic: string, handler: (message: PublishPacket) => void): () => void {
    return this.#deliveries.intercept(topic, handler);
  }

  get clock(): Clock {
    return this.#clock;
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
    if (this.isConnected) this.#outbound.sendWhatNeedsNoAnswer();
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

  #connect(): void {
    const settings = this.#settings;
    void connectPacket(settings, this.#version, this.#clientId, !this.#hasConnected).then((connect) => {
      if (this.#isClosed) return;
      this.#connection = new NetworkConnection(
        {
          target: settings.target,
          connect,
          authentication: this.#version === 5 ? settings.authentication : undefined,
          connectTimeoutMs: settings.connectTimeoutMs ?? 30_000,
          clock: this.#clock,
        },
        {
          onAccepted: (connack, limits) => this.#accepted(connack, limits),
          onPacket: (packet) => this.#receive(packet),
          onDrain: () => this.#outbound.pump(),
          onEnd: (error) => this.#ended(error),
          onSent: (packet, messageId) => settings.onPacketSent?.(packet, messageId),
          onReceived: (packet) => this.#traceReceived(packet),
        },
      );
    });
  }

  /** The name that the broker gives counts from its CONNACK on. */
  #traceReceived(packet: Packet): void {
    if (packet.type === 'connack') this.#clientId = packet.properties.assignedClientIdentifier ?? this.#clientId;
    this.#settings.onPacketReceived?.(packet);
  }

  #accepted(connack: ConnackPacket, limits: ServerLimits): void {
    const isFirst = !this.#hasConnected;
    this.#hasConnected = true;
    this.#reconnect.reset();
    // MQTT 3.1 cannot say whether the session is there.
    const isResumed = connack.sessionPresent || (this.#version === 3 && keepsSession(this.#settings, 3));
    this.#inbound.accepted(isResumed);
    this.#outbound.accepted(limits, isResumed);
    this.#settings.onConnect?.(connack);
    this.#first?.resolve();
    this.#first = undefined;
    if (!isResumed && !isFirst && this.#settings.resubscribe !== false) this.#resubscribe();
    this.#outbound.pump();
  }

  #resubscribe(): void {
    for (const { subscription, properties } of [...this.#subscriptions.values()]) {
      // A refusal is not an error of anybody who waits; the subscription stays remembered for the next connection.
      this.subscribe(subscription, properties).catch(() => {});
    }
  }

  #faultOf(publication: Publication): ClientError | undefined {
    if (this.#isClosed) return this.#whyClosed;
    // Most publish to one topic again and again: what was found legal once is legal.
    if (publication.topic !== this.#checked.topic || publication.properties !== this.#checked.properties) {
      const wrong = publicationTextFault(publication);
      if (wrong !== undefined) return wrong;
      this.#checked = { topic: publication.topic, properties: publication.properties };
    }
    const limits = this.limits;
    if (limits === undefined) {
      if (this.#hasConnected ? !this.#reconnect.isWanted : publication.qos === 0) {
        return this.#withoutConnection;
      }
    } else {
      const fault = publicationFault(publication, limits);
      if (fault !== undefined) return fault;
    }
    return this.#outbound.queueFault;
  }

  get #withoutConnection(): ClientError {
    return this.#connection?.endReason ?? new ClientError('lost', 'there is no connection');
  }

  #requestFault(filters: readonly string[], properties: Properties): ClientError | undefined {
    if (this.#isClosed) return this.#whyClosed;
    if (filters.length === 0) return new ClientError('invalid', 'no Topic Filter was given'); // [MQTT-3.8.3-2]
    for (const filter of filters) {
      if (typeof parseTopicFilter(filter) === 'string' || !isText(filter)) {
        return new ClientError('invalid', `'${filter}' is no Topic Filter`); // [MQTT-4.7.1-1] [MQTT-4.8.2-1]
      }
    }
    const wrong = properties === NO_PROPERTIES ? undefined : propertyFault(properties);
    if (wrong !== undefined) return new ClientError('invalid', wrong);
    const limits = this.limits;
    if (limits === undefined) return this.#withoutConnection;
    return subscriptionFault(filters, properties.subscriptionIdentifiers !== undefined, limits);
  }

  #receive(packet: Packet): boolean {
    switch (packet.type) {
      case 'publish':
        return this.#inbound.receivePublish(packet);
      case 'pubrel':
        return this.#inbound.receivePubrel(packet.packetId);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        this.#outbound.receive(packet);
        return true;
      case 'suback':
        this.#requests.receive('subscribe', packet);
        return true;
      case 'unsuback':
        this.#requests.receive('unsubscribe', packet);
        return true;
      default: {
        const message = `${packet.type.toUpperCase()} from the broker`;
        throw new ProtocolError(ReasonCode.ProtocolError, '§4.13.1', message);
      }
    }
  }

  #tellRoom(): void {
    if (!this.isCongested) this.#settings.onDrain?.();
  }

  #ended(error: ClientError): void {
    this.#connection = undefined;
    this.#requests.lost(error);
    this.#inbound.lost();
    const delayMs = this.#isClosed ? undefined : this.#reconnect.delayAfter(error, this.#hasConnected);
    const willReconnect = delayMs !== undefined;
    if (this.#hasConnected) this.#settings.onDisconnect?.(error, willReconnect);
    else if (willReconnect) this.#settings.onConnectFailure?.(error);
    // A callback may have closed the client.
    if (delayMs !== undefined && !this.#isClosed) {
      this.#retry = this.#clock.after(delayMs, () => this.#connect());
      return;
    }
    const first = this.#first;
    this.#first = undefined;
    this.#over(error);
    first?.reject(error);
  }

  /** The end of the session on our side. */
  #over(error: ClientError): void {
    this.#isClosed = true;
    this.#whyClosed = error;
    this.#outbound.clear(error);
    this.#deliveries.end();
    for (const resolve of this.#closeWaiters.splice(0)) resolve();
  }
}
