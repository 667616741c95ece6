/** The library: a broker inside a program. Several of them live side by side and share nothing. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import { type Gauges, Stats } from '../broker/stats.ts';
import { ReasonCode, type ReasonCodeOf } from '../codec/reason-code.ts';
import type { History } from '../contracts/history.ts';
import type { ConnectedClient } from '../contracts/hooks.ts';
import { BrokerLogger } from '../observe/logger.ts';
import { parseTopicFilter } from '../topics/topic-filter.ts';
import { acceptByEvents } from '../transport/tcp.ts';
import { logSettingsOf } from './derive.ts';
import { authenticatorOf, authorizerOf, textOf } from './library/access.ts';
import { authenticationMethodOf } from './library/authentication-methods.ts';
import { type BrokerState, BrokerStateError } from './library/broker-state.ts';
import { CallQueue, type Receiver } from './library/call-queue.ts';
import { type BrokerEvents, eventSources, type Later } from './library/events.ts';
import { LibraryLogger, logReceiver } from './library/library-logger.ts';
import { type CreateBrokerOptions, type ReadOptions, readOptions } from './library/library-options.ts';
import { type OpenListener, openListener } from './library/open-listener.ts';
import { encodeProperties, isLegalTopicName, type MessageProperties } from './library/properties.ts';
import { KeptMessage, type ReceivedMessage } from './library/received-message.ts';
import { RunningBroker } from './running-broker.ts';

/** How {@link EmbeddedBroker.publish} publishes. */
export interface PublishOptions {
  /** Default 0. */
  readonly qos?: 0 | 1 | 2 | undefined;
  /** Default false. An empty payload with `retain` clears what is retained. */
  readonly retain?: boolean | undefined;
  readonly properties?: MessageProperties | undefined;
}

/** How {@link EmbeddedBroker.kick} ends a client's connection. */
export interface KickOptions {
  /** Told to MQTT 5.0 clients. Default: Administrative action (0x98). */
  readonly reasonCode?: Exclude<ReasonCodeOf<'disconnect'>, 0 | 4> | undefined;
  /** Whether its subscriptions and waiting messages go as well. Default false. */
  readonly endSession?: boolean | undefined;
}

/** Counters since the start, and values of this moment. */
export interface BrokerStats extends Readonly<Stats>, Gauges {}

/** Largest payload that fits into a packet together with any topic and properties. */
const payloadBytesMax = 268_435_455 - 3 * 65_535;

const noGauges: Gauges = {
  clientsTotal: 0,
  clientsConnected: 0,
  messagesStored: 0,
  messagesStoredBytes: 0,
  deliveriesWaiting: 0,
  retainedCount: 0,
  subscriptionsCount: 0,
  sharedSubscriptionsCount: 0,
  packetsOutCount: 0,
  packetsOutBytes: 0,
};

/** Something of the program that hangs on the engine: put on it when it starts, taken off with the returned function. */
interface Attachment extends Receiver {
  readonly attach: (broker: Broker) => () => void;
  detach: (() => void) | null;
}

/**
 * Makes a broker. It does nothing before `listen`.
 *
 * ```ts
 * const broker = createBroker({ allowAnonymous: true, listeners: [{ port: 1883 }] });
 * await broker.listen();
 * ```
 *
 * @throws ConfigErrors - naming every option with a wrong name or value
 */
export function createBroker(options: CreateBrokerOptions = {}): EmbeddedBroker {
  return new EmbeddedBroker(options);
}

/** A broker inside a program; made by {@link createBroker}. It starts once and stops once. */
export class EmbeddedBroker {
  readonly #options: ReadOptions;
  readonly #clock: Clock = systemClock();
  readonly #calls: CallQueue;
  readonly #attachments = new Set<Attachment>();
  #logger: LibraryLogger | null = null;
  #destinations: BrokerLogger | null = null;
  #state: BrokerState = 'new';
  #running: RunningBroker | null = null;
  #starting: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;

  /** @throws ConfigErrors */
  constructor(options: CreateBrokerOptions) {
    this.#options = readOptions(options);
    this.#calls = new CallQueue(this.#clock, (receiver, error) => this.#callFailed(receiver, error));
  }

  /** Where the broker is between `new` and `closed`. */
  get state(): BrokerState {
    return this.#state;
  }

  /**
   * Starts the broker: restores what was stored, opens the listeners.
   *
   * After a failure nothing is left open, and `listen` may be called again.
   *
   * @returns what was opened, with the ports that the system chose for port 0; empty when `listeners` is empty
   * @throws StartError - a port in use, an unreadable file, a bad certificate; `lines` say which
   * @throws BrokerStateError - the broker was started or closed before
   */
  async listen(): Promise<readonly OpenListener[]> {
    if (this.#state !== 'new') throw new BrokerStateError('listen', this.#state);
    this.#state = 'starting';
    const starting = this.#start();
    this.#starting = starting;
    return await starting;
  }

  /** What is open now. */
  get listeners(): readonly OpenListener[] {
    return this.#state === 'running' ? (this.#running?.listeners.map(openListener) ?? []) : [];
  }

  /**
   * Stops the broker: clients are disconnected (MQTT 5.0: Server shutting down), Wills go out, what is durable is stored.
   *
   * Handlers have been told of every disconnect when the promise is fulfilled, and what they publish in answer is still stored.
   * Calling it again returns the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Serves a client on a stream that the program accepted itself: a socket of its own server, a WebSocket made a stream. It is
   * treated as on a listener that has no options of its own; the broker owns the stream from here on.
   *
   * @throws RangeError - when it is no stream
   * @throws BrokerStateError - the broker is not running; the stream is destroyed
   */
  handle(stream: Duplex): void {
    if (!isStream(stream)) throw new RangeError(`stream: expected a stream.Duplex, got ${quoted(stream)}`);
    if (this.#running === null || this.#state !== 'running') {
      stream.destroy();
      throw new BrokerStateError('handle', this.#state);
    }
    // Of a socket, the transport uses only what every stream in both directions has.
    const socket = stream as Socket;
    const { remoteAddress = '', remotePort = 0 } = socket;
    this.#running.serve(acceptByEvents(socket, { address: remoteAddress, port: remotePort, tls: null }, this.#clock));
  }

  /**
   * Publishes a message of the program. Access rules do not apply, and `$` topics are allowed.
   *
   * @param topic - a Topic Name, without wildcards
   * @param payload - text is sent as UTF-8; bytes are copied
   * @returns how many subscriptions were to get it
   * @throws RangeError - naming what is wrong with topic, payload or options
   * @throws BrokerStateError - the broker is not running
   */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): number {
    const broker = this.#broker('publish');
    const { qos = 0, retain = false, properties = {} } = options;
    if (typeof topic !== 'string' || !isLegalTopicName(topic))
      throw new RangeError(`topic: ${quoted(topic)} is not a Topic Name`);
    if (qos !== 0 && qos !== 1 && qos !== 2) throw new RangeError(`qos: expected 0, 1 or 2, got ${quoted(qos)}`);
    if (typeof retain !== 'boolean') throw new RangeError(`retain: expected true or false, got ${quoted(retain)}`);
    const encoded = encodeProperties(properties);
    const bytes = bytesOf(payload);
    if (bytes.length > payloadBytesMax) {
      throw new RangeError(`payload: at most ${payloadBytesMax} bytes, got ${bytes.length}`);
    }
    return broker.publish(topic, bytes, { qos, retain, ...encoded });
  }

  /**
   * Calls back for every message that a Topic Filter matches, at any QoS, those of the program included; retained ones first.
   * `$share/NAME/FILTER` shares them with other subscribers of that name.
   *
   * Possible before `listen`, so that nothing is missed.
   *
   * @param handler - called from the event loop, in the order of acceptance; what it throws, or what its promise is rejected
   *   with, goes to the log
   * @returns a function that ends the subscription at once
   * @throws RangeError - when `filter` is not a Topic Filter
   * @throws BrokerStateError - the broker is closed
   */
  subscribe(filter: string, handler: (message: ReceivedMessage) => unknown): () => void {
    if (typeof filter !== 'string' || typeof parseTopicFilter(filter) === 'string') {
      throw new RangeError(`filter: ${quoted(filter)} is not a Topic Filter`);
    }
    checkHandler(handler);
    return this.#attach('subscribe', `handler of messages for ${filter}`, (broker, later) =>
      broker.subscribe(filter, (message, isRetained) => {
        const kept = new KeptMessage(message, isRetained, this.#clock.nowMs());
        later(() => handler(kept));
      }),
    );
  }

  /**
   * Watches the broker; see {@link BrokerEvents}. Possible before `listen`.
   *
   * @returns a function that ends it at once
   * @throws RangeError - when there is no such event
   * @throws BrokerStateError - the broker is closed
   */
  on<Name extends keyof BrokerEvents>(event: Name, handler: BrokerEvents[Name]): () => void {
    if (!Object.hasOwn(eventSources, event)) {
      throw new RangeError(`event: expected one of ${Object.keys(eventSources).join(', ')}, got ${quoted(event)}`);
    }
    checkHandler(handler);
    const source = eventSources[event];
    const nowMs = (): number => this.#clock.nowMs();
    return this.#attach('on', `handler of "${event}"`, (broker, later) => broker.watch(source(handler, later, nowMs)));
  }

  /** Clients with an open connection, in the order in which they came. */
  get clients(): readonly ConnectedClient[] {
    return this.#running?.clients ?? [];
  }

  /**
   * Ends the connection of a client. Its Will goes out.
   *
   * @returns whether there was such a client, connected or with a session that is kept
   * @throws BrokerStateError - the broker is not running
   */
  kick(clientId: string, options: KickOptions = {}): boolean {
    const { reasonCode = ReasonCode.AdministrativeAction, endSession = false } = options;
    return this.#broker('kick').kick(clientId, reasonCode, endSession);
  }

  /** What may be asked of the messages that `historyTopic` keeps; null without it, and while the broker does not run. */
  get history(): History | null {
    return this.#running?.history ?? null;
  }

  /** A snapshot; all 0 before the start. */
  get stats(): BrokerStats {
    const broker = this.#running?.broker;
    const stats = broker?.stats ?? new Stats();
    const deliveriesDropped = { ...stats.deliveriesDropped };
    const messagesDropped = { ...stats.messagesDropped };
    return { ...stats, ...(broker?.gauges() ?? noGauges), deliveriesDropped, messagesDropped };
  }

  /**
   * Writes what is durable to disk now (`persistence: true`), as `close` and `autosaveInterval` do.
   *
   * @throws BrokerStateError - the broker is not running
   */
  async save(): Promise<void> {
    this.#broker('save');
    await this.#running?.save();
  }

  async #start(): Promise<readonly OpenListener[]> {
    const { config, notices, handedOver, authenticate, authenticationMethods, authorize, log } = this.#options;
    const clock = this.#clock;
    if (config.global.logDest.length > 0) {
      const ident = 'moustique';
      this.#destinations = new BrokerLogger(logSettingsOf(config, 'configured'), {
        ...{ clock, ident, pid: process.pid, allowSymlinks: false },
      });
    }
    const logger = new LibraryLogger(config.global.logType, log, this.#calls, this.#destinations);
    this.#logger = logger;
    for (const { level, text } of notices) logger.log(level, text);
    const complain = (line: string): void => logger.log('error', line);
    try {
      const running = await RunningBroker.start(config, {
        clock,
        logger,
        handedOver,
        authenticator: authenticate === null ? undefined : authenticatorOf(authenticate, complain),
        authenticationMethods: new Map(
          [...authenticationMethods].map(([name, method]) => [name, authenticationMethodOf(name, method, complain)]),
        ),
        beforeListening: (broker) => {
          if (authorize !== null) broker.engine.authorizer = authorizerOf(authorize, complain);
          for (const attachment of this.#attachments) attachment.detach = attachment.attach(broker);
        },
        beforeSaving: () => this.#calls.runWaiting(),
      });
      this.#running = running;
      this.#destinations?.attachTopics(running.publishText);
      this.#state = 'running';
      return running.listeners.map(openListener);
    } catch (error) {
      for (const attachment of this.#attachments) attachment.detach = null;
      await this.#destinations?.close();
      this.#destinations = null;
      this.#state = 'new';
      throw error;
    }
  }

  async #close(): Promise<void> {
    if (this.#state === 'new') this.#state = 'closing';
    await this.#starting.catch(() => {});
    this.#state = 'closing';
    await this.#running?.stop();
    this.#state = 'closed';
    this.#calls.runWaiting();
    for (const attachment of this.#attachments) attachment.isActive = false;
    this.#attachments.clear();
    await this.#destinations?.close();
  }

  /** The engine, while it can be used. */
  #broker(method: string): Broker {
    const running = this.#running;
    if (running === null || (this.#state !== 'running' && this.#state !== 'closing')) {
      throw new BrokerStateError(method, this.#state);
    }
    return running.broker;
  }

  /** Hangs something on the engine, now or as soon as there is one. Calls that still wait when it is taken off are not made. */
  #attach(method: string, name: string, attach: (broker: Broker, later: Later) => () => void): () => void {
    if (this.#state === 'closed') throw new BrokerStateError(method, this.#state);
    const attachment: Attachment = {
      name,
      isActive: true,
      attach: (broker) => attach(broker, (run) => this.#calls.push(attachment, run)),
      detach: null,
    };
    this.#attachments.add(attachment);
    if (this.#running !== null) attachment.detach = attachment.attach(this.#running.broker);
    return () => {
      attachment.isActive = false;
      if (this.#attachments.delete(attachment)) attachment.detach?.();
    };
  }

  #callFailed(receiver: Receiver, error: unknown): void {
    if (receiver === logReceiver) {
      // There is nowhere left to tell it but to the process.
      queueMicrotask(() => {
        throw error;
      });
      return;
    }
    // A handler that answered what the end of the broker brought came too late; that is nobody's fault.
    if (this.#state === 'closed' && error instanceof BrokerStateError) return;
    this.#logger?.log('error', `Error: ${receiver.name} failed: ${textOf(error)}`);
  }
}

/** Whether it can be read, written and destroyed; streams of other makes than Node's count as well. */
function isStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const methods: Readonly<Record<string, unknown>> = value as Record<string, unknown>;
  return ['on', 'write', 'end', 'pause', 'resume', 'destroy'].every((name) => typeof methods[name] === 'function');
}

function bytesOf(payload: unknown): Buffer {
  if (typeof payload === 'string' || payload instanceof Uint8Array) return Buffer.from(payload);
  throw new RangeError(`payload: expected text or Uint8Array, got ${quoted(payload)}`);
}

function checkHandler(handler: unknown): void {
  if (typeof handler !== 'function') throw new RangeError(`handler: expected a function, got ${quoted(handler)}`);
}

/** A wrong value for people, short. */
function quoted(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value.slice(0, 100))
    : typeof value === 'number'
      ? String(value)
      : typeof value;
}
