/**
 * The composition root: a configuration becomes a broker that serves, changes with a reload, and stops.
 *
 * Everything that can fail is tried before the first socket is opened: password files, certificates, the store. What fails
 * while sockets are opened closes those that are open already.
 */
import { builtins } from '../base/builtins.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';
import { version } from '../base/version.ts';
import type { Bridges } from '../bridge/bridges.ts';
import { Broker } from '../broker/broker.ts';
import { logLines } from '../broker/log-lines.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Config, ListenerConfig } from '../config/config.ts';
import { planReload } from '../config/reload-diff.ts';
import { Connection } from '../connection/connection.ts';
import { Hub } from '../connection/hub.ts';
import type { AuthenticationMethods, Authenticator } from '../contracts/authenticator.ts';
import type { History } from '../contracts/history.ts';
import type { ConnectedClient } from '../contracts/hooks.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Store } from '../contracts/store.ts';
import type { Transport } from '../contracts/transport.ts';
import type { HttpInterface } from '../http/http-interface.ts';
import type { RecentLog } from '../http/recent-log.ts';
import type { PublishText } from '../observe/publish-text.ts';
import { SysTopics } from '../observe/sys-topics.ts';
import type { DynamicSecurity } from '../security/dynsec/dynamic-security.ts';
import { SharedIo } from '../transport/socket-handle.ts';
import { AccessControl } from './access-control.ts';
import { brokerControl, brokerControlTopic } from './control-broker.ts';
import { type DerivedPolicy, limitsOf } from './derive.ts';
import { attachDynsec, dynsecAsPlugin, openDynsec } from './dynamic-security.ts';
import { BrokerHistory } from './history.ts';
import { loadListenerTls } from './listener-tls.ts';
import { type HttpServers, Listener } from './listeners.ts';
import { openStore, syncLevelText } from './open-store.ts';
import { StartError } from './start-error.ts';
import { TlsKeeper } from './tls-keeper.ts';

/** What a broker takes from its surroundings. */
export interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asked instead of passwords and `allow_anonymous`, for programs that embed a broker. */
  readonly authenticator?: Authenticator | undefined;
  /** Methods of enhanced authentication, beside those of the configuration. */
  readonly authenticationMethods?: AuthenticationMethods | undefined;
  /** `MOSQUITTO_UNSAFE_ALLOW_SYMLINKS`: files of passwords and rights may be symbolic links. Absent: false. */
  readonly allowSymlinks?: boolean | undefined;
  /** `MOSQUITTO_DYNSEC_PASSWORD`: of `admin`, when the file of dynamic security has to be made. */
  readonly dynsecPassword?: string | undefined;
  /** Rules for connections that somebody else accepts; see {@link RunningBroker.serve}. */
  readonly handedOver?: ListenerConfig | undefined;
  /** Takes the keys of TLS connections, a line each (`--tls-keylog`); absent: they are known to nobody. */
  readonly keyLog?: ((line: Buffer) => void) | undefined;
  /** The engine stands and has restored what was stored; no socket is open yet. */
  readonly beforeListening?: ((broker: Broker) => void) | undefined;
  /** Every connection is closed; what is published now is still stored. */
  readonly beforeSaving?: (() => void) | undefined;
}

/** How long clients get to take the last bytes when the broker stops. */
const stopPatienceMs = 1000;

export class RunningBroker {
  readonly broker: Broker;
  readonly #surroundings: Surroundings;
  readonly #accessControl: AccessControl;
  readonly #hub: Hub;
  readonly #dynsec: DynamicSecurity | null;
  readonly #sysTopics: SysTopics;
  readonly #history: BrokerHistory;
  readonly #listeners: Listener[] = [];
  readonly #tlsKeeper: TlsKeeper;
  #config: Config;
  #handedOver: DerivedPolicy | undefined;
  #http: HttpInterface | null = null;
  /** Null until there is a bridge. */
  #bridges: Bridges | null = null;
  #sweeper: Timer | null = null;
  #isStopped = false;

  private constructor(
    config: Config,
    surroundings: Surroundings,
    store: Store,
    accessControl: AccessControl,
    dynsec: DynamicSecurity | null,
  ) {
    const { clock, logger } = surroundings;
    this.#config = config;
    this.#surroundings = surroundings;
    this.#accessControl = accessControl;
    this.broker = new Broker(clock, logger, store, limitsOf(config));
    this.#tlsKeeper = new TlsKeeper(surroundings, this.#listeners, (index) => accessControl.pskKeysOf(index));
    this.#hub = new Hub(this.broker.engine);
    this.#dynsec = dynsec;
    if (dynsec !== null) attachDynsec(dynsec, this.#hub, () => accessControl.rules);
    this.#history = new BrokerHistory(this.broker, surroundings);
    this.#sysTopics = new SysTopics({
      clock,
      stats: this.broker.stats,
      gauges: () => this.broker.gauges(),
      heapBytes: () => process.memoryUsage().heapUsed,
      publish: this.publishText,
      version: `moustique version ${version}`,
      durability: config.global.persistence ? syncLevelText(config.global.persistenceSync) : null,
      intervalSeconds: config.global.sysInterval,
      retain: config.global.retainAvailable,
    });
  }

  /**
   * Starts a broker.
   *
   * @throws StartError - with Mosquitto's lines and exit status; nothing is left open
   */
  static async start(config: Config, given: Surroundings): Promise<RunningBroker> {
    const { authenticator, authenticationMethods, allowSymlinks = false } = given;
    const { clock } = given;
    const hasHttp = config.listeners.some(({ protocol }) => protocol === 'http_api');
    checkMqttListener(config, given);
    const tap = hasHttp ? await tapLog(given) : null;
    const surroundings = tap === null ? given : { ...given, logger: tap.logger };
    const { logger } = surroundings;
    const cores = builtins.os.availableParallelism();
    const dynsec = await openDynsec(config, { logger, allowSymlinks, firstPassword: given.dynsecPassword });
    const accessControl = new AccessControl(
      { clock, logger, dynsec },
      authenticator,
      authenticationMethods,
      allowSymlinks,
      cores,
    );
    const policies = accessControl.prepare(withHandedOver(config, surroundings));
    const prepared = await Promise.all(
      config.listeners.map(async (listener, index) => ({
        listener,
        policy: policies[index] as DerivedPolicy,
        tls: await loadListenerTls(listener, accessControl.pskKeysOf(index), logger, clock.nowMs()),
      })),
    );
    const store = await openStore(config.global, surroundings);
    const running = new RunningBroker(config, surroundings, store, accessControl, dynsec);
    running.#handedOver = policies[config.listeners.length];
    const { engine } = running.broker;
    for (const [index, { port, access }] of policies.entries()) {
      if (config.listeners[index]?.protocol === 'http_api') continue;
      if (access !== undefined && !engine.accessByPort.has(port)) engine.accessByPort.set(port, access);
    }
    accessControl.apply(engine, policies, []);
    running.#serveControl();
    running.broker.start();
    // Their sessions are there before anybody can publish.
    await running.#changeBridges(config);
    surroundings.beforeListening?.(running.broker);
    const http = tap === null ? null : await running.#openHttp(tap.log);
    const { outbound } = running.#hub;
    const io = new SharedIo(outbound.home, outbound.inputStart);
    const options = {
      noDelay: config.global.setTcpNodelay,
      headerBytesMax: config.global.packetBufferSize,
      http,
      keyLog: surroundings.keyLog,
    };
    for (const { listener, policy, tls } of prepared) {
      const opened = new Listener(running.#hub, listener, policy, tls, io, options);
      running.#listeners.push(opened);
    }
    try {
      await running.#history.apply(config);
      await running.#open();
      for (const { port, policy, config: own } of running.#listeners) {
        if (own.protocol === 'http_api') continue;
        if (policy.access !== undefined && !engine.accessByPort.has(port)) engine.accessByPort.set(port, policy.access);
      }
    } catch (error) {
      await running.stop();
      throw error;
    }
    await running.#tlsKeeper.start();
    running.#sysTopics.start();
    running.#sweepAgain();
    http?.announce(running.#listeners);
    running.#bridges?.start();
    return running;
  }

  /** Those that are open, in the order of the configuration. */
  get listeners(): readonly { readonly config: ListenerConfig; readonly port: number }[] {
    return this.#listeners.filter(({ isOpen }) => isOpen);
  }

  /** Who is connected, in the order in which the connections were made. */
  get clients(): readonly ConnectedClient[] {
    return [...this.#hub.connections].flatMap(({ client }) => client ?? []);
  }

  /** What may be asked of stored messages; null without `history_topic`. */
  get history(): History | null {
    return this.#history.history;
  }

  get config(): Config {
    return this.#config;
  }

  /** Serves a connection that somebody else accepted, by the rules given as `handedOver`. */
  serve(transport: Transport): void {
    invariant(this.#handedOver !== undefined, 'there are rules for connections that are handed over');
    const { engine } = this.#hub;
    const { address, port } = transport.peer;
    engine.stats.socketsAccepted++;
    if (engine.limits.connectionMessages) {
      engine.logger.log('notice', logLines.newConnection(address, port, this.#handedOver.port));
    }
    new Connection(this.#hub, transport, this.#handedOver);
    transport.resume();
  }

  /** Publishes text as the broker itself: `$SYS` values, log lines. */
  readonly publishText: PublishText = (topicName, payload, { qos, retain, expirySeconds }) => {
    if (this.#isStopped) return;
    const expiry = expirySeconds === undefined ? {} : { properties: expiryProperty(expirySeconds), expiryOffset: 1 };
    this.broker.publish(topicName, Buffer.from(payload), { qos, retain, ...expiry });
  };

  /** Writes the database now. */
  async save(): Promise<void> {
    await this.broker.engine.store.snapshot();
  }

  /** The subscription tree as text, two spaces per level, for `SIGUSR2`. */
  printTree(): string {
    const lines: string[] = [];
    for (const [filter, subscriptions] of this.broker.engine.tree.entries()) {
      lines.push(filter);
      for (const subscription of subscriptions) {
        const members = subscription.group?.members ?? [subscription];
        for (const member of members) lines.push(`  (${member.session?.clientId ?? ''}, ${member.qos})`);
      }
    }
    return `${lines.join('\n')}\n`;
  }

  /** Asks the logger again what is worth a line; call after it was reconfigured. */
  logChanged(): void {
    this.#hub.isTracing = this.broker.engine.logger.enabled('debug');
  }

  /**
   * Takes a configuration that was read again. Whatever is wrong with it is logged and leaves everything as it was.
   *
   * What concerns who may come in and what they may do changes in one step, before this method waits for anything.
   *
   * @throws StartError - with `reload_strict true`, a file of passwords or rights that cannot be read or understood:
   *   Mosquitto 2.1 ends then
   */
  async reload(next: Config): Promise<void> {
    const { logger } = this.#surroundings;
    const plan = planReload(this.#config, next);
    if (plan.kind === 'refused') {
      logger.log('error', plan.reason);
      return;
    }
    let policies: readonly DerivedPolicy[];
    try {
      policies = this.#accessControl.prepare(withHandedOver(plan.config, this.#surroundings));
    } catch (error) {
      if (!(error instanceof StartError) || plan.config.global.reloadStrict) throw error;
      for (const line of error.lines) logger.log('error', line);
      logger.log('error', 'Error: The broker goes on with the rules it has (reload_strict false).');
      return;
    }
    for (const { level, text } of plan.notices) logger.log(level, text);
    this.#config = plan.config;
    this.broker.engine.limits = limitsOf(plan.config);
    this.#sysTopics.changeInterval(plan.config.global.sysInterval);
    for (const [index, listener] of this.#listeners.entries()) {
      listener.config = plan.config.listeners[index] as ListenerConfig;
      listener.policy = policies[index] as DerivedPolicy;
    }
    this.#handedOver = policies[this.#listeners.length];
    this.#accessControl.apply(this.broker.engine, policies, this.#hub.connections);
    this.#serveControl();
    this.#sweepAgain();
    this.#http?.reloaded();
    await this.#changeBridges(plan.config);
    try {
      await this.#history.apply(plan.config);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      for (const line of error.lines) logger.log('error', line);
    }
    await this.#tlsKeeper.renewAll();
  }

  /** Stops accepting, ends every connection, sends the Wills, saves, and lets go of everything. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#bridges?.stop();
    this.#sysTopics.stop();
    this.#tlsKeeper.stop();
    this.#sweeper?.cancel();
    for (const listener of this.#listeners) listener.close();
    this.#http?.close();
    this.#accessControl.close();
    const transports = [...this.#hub.connections].map(({ transport }) => transport);
    for (const connection of [...this.#hub.connections]) connection.disconnect(ReasonCode.ServerShuttingDown);
    await this.#drained(transports);
    await this.#dynsec?.close();
    for (const transport of transports) transport.destroy();
    this.#surroundings.beforeSaving?.();
    this.#isStopped = true;
    await this.broker.close();
    await this.#history.close();
  }

  /** The `connection` sections, as the configuration has them now. */
  async #changeBridges(config: Config): Promise<void> {
    if (config.bridges.length === 0 && this.#bridges === null) return;
    const { openBridges, bridgeSettings } = await import('./bridges.ts');
    this.#bridges ??= openBridges(this.#hub, this.broker);
    this.#bridges.change(bridgeSettings(config));
  }

  /** `retain_expiry_interval`, as the configuration has it now. */
  #sweepAgain(): void {
    this.#sweeper?.cancel();
    this.#sweeper = null;
    const minutes = this.#config.global.retainExpiryInterval;
    if (minutes === null) return;
    // A timer of Node holds 24 days at most; longer intervals are swept that often.
    const periodMs = Math.min(minutes * 60_000, 2 ** 31 - 1);
    this.#sweeper = this.#surroundings.clock.every(periodMs, () => void this.broker.sweepRetained());
  }

  /** `enable_control_api`, as the configuration has it now. */
  #serveControl(): void {
    const { controls, logger } = this.broker.engine;
    controls.delete(brokerControlTopic);
    if (!this.#config.global.enableControlApi) return;
    const listeners = () =>
      this.#listeners.map(({ config, port, policy }) => {
        const { host, path, protocol, certfile, pskHint } = config;
        return { port, host, path, protocol, isTls: certfile !== null || pskHint !== null, rules: policy.rules };
      });
    const plugins = this.#dynsec === null ? [] : [dynsecAsPlugin];
    controls.set(brokerControlTopic, brokerControl(listeners, plugins, logger));
  }

  /** The HTTP interface, for listeners that have it. @throws StartError */
  async #openHttp(log: RecentLog): Promise<HttpServers & { announce(listeners: readonly Listener[]): void }> {
    const { openHttpService, httpListenerOf } = await import('./http-service.ts');
    const { clock, logger, allowSymlinks = false } = this.#surroundings;
    const accessControl = this.#accessControl;
    const http = openHttpService({
      ...{ broker: this.broker, clock, logger, accessControl, allowSymlinks, log },
      config: () => this.#config,
      listeners: () => this.#listeners,
      sysTopics: this.#sysTopics,
      history: () => this.history,
      historyLoad: () => this.#history.load,
    });
    this.#http = http;
    const { packetBufferSize } = this.#config.global;
    return {
      create: (listener, tls) =>
        http.createServer(
          httpListenerOf(listener, accessControl),
          tls?.material.serverOptions ?? null,
          packetBufferSize,
        ),
      announce: (listeners) => {
        const own = listeners.filter(({ config }) => config.protocol === 'http_api');
        http.announce(own.map((listener) => httpListenerOf(listener, accessControl)));
      },
    };
  }

  /** The first listener is bound last: whoever waits for it finds the others open. */
  async #open(): Promise<void> {
    const [first, ...others] = this.#listeners;
    const unavailable: unknown[] = [];
    for (const listener of [...others, ...(first === undefined ? [] : [first])]) {
      try {
        await listener.open();
      } catch (error) {
        // Without any listener configured, one of the two loopback addresses is enough.
        if (!this.#config.localOnly || !isUnavailable(error)) throw error;
        unavailable.push(error);
      }
    }
    if (unavailable.length > 0 && unavailable.length === this.#listeners.length) throw unavailable[0];
  }

  async #drained(transports: readonly { readonly pendingBytes: number }[]): Promise<void> {
    const { clock } = this.#surroundings;
    const endMs = clock.monotonicMs() + stopPatienceMs;
    while (transports.some(({ pendingBytes }) => pendingBytes > 0) && clock.monotonicMs() < endMs) {
      await new Promise<void>((resolve) => clock.soon(resolve));
    }
  }
}

/** Mosquitto: an HTTP listener alone is none. */
function checkMqttListener({ listeners }: Config, { handedOver }: Surroundings): void {
  if (handedOver !== undefined || listeners.length === 0) return;
  if (listeners.some(({ protocol }) => protocol !== 'http_api')) return;
  throw new StartError(['Error: Unable to start any listening sockets, exiting.'], 1);
}

/** A logger that keeps the last lines, for those who look at them over HTTP. */
async function tapLog({ logger, clock }: Surroundings): Promise<{ readonly logger: Logger; readonly log: RecentLog }> {
  const { RecentLog } = await import('../http/recent-log.ts');
  const { TappedLogger } = await import('../observe/tapped-logger.ts');
  const log = new RecentLog();
  return { logger: new TappedLogger(logger, (type, line) => log.add(clock.nowMs(), type, line)), log };
}

/** Connections that are handed over have their rules behind those of all listeners. */
function withHandedOver(config: Config, { handedOver }: Surroundings): Config {
  return handedOver === undefined ? config : { ...config, listeners: [...config.listeners, handedOver] };
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof StartError)) return false;
  const { code } = error.cause as NodeJS.ErrnoException;
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

/** Message Expiry Interval as it stands in a PUBLISH. */
function expiryProperty(seconds: number): Buffer {
  const property = Buffer.from([0x02, 0, 0, 0, 0]);
  property.writeUInt32BE(seconds, 1);
  return property;
}
