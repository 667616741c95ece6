/**
 * A broker in the test's own process, on free ports, with a clock that moves only when the test says so: a Keep Alive of an
 * hour is tested in a millisecond, and a slow machine changes nothing.
 */
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { assert } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { type BrokerOptions, configFromOptions, type ListenerOptions } from '../../../src/config/from-options.ts';
import type { AuthenticationMethod, Authenticator } from '../../../src/contracts/authenticator.ts';
import type { Authorizer } from '../../../src/contracts/authorizer.ts';
import type { Logger, LogType } from '../../../src/contracts/logger.ts';
import { RunningBroker } from '../../../src/server/running-broker.ts';
import { CertificateAuthority } from '../../harness/certificates.ts';
import type { Resources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { hexOf, type Version } from './bytes.ts';
import { type OpenOptions, RawClient, type TransportName } from './client.ts';
import { type ConnectFields, packetsOf } from './packets.ts';
import type { ReceivedConnack } from './received.ts';

export interface StartOptions {
  /** Options of the broker, as in the library; without listeners. `$SYS` is off unless `sysInterval` is given. */
  readonly options?: Omit<BrokerOptions, 'listeners'>;
  /** Options of every listener. Anonymous clients are let in unless told. */
  readonly listener?: Omit<ListenerOptions, 'port' | 'host' | 'path' | 'protocol' | 'certfile' | 'keyfile'>;
  /** One listener for each; tcp when absent. */
  readonly transports?: readonly TransportName[];
  /** Asked instead of passwords. */
  readonly authenticator?: Authenticator;
  /** Enhanced authentication: Authentication Method → how it goes. */
  readonly authenticationMethods?: Readonly<Record<string, AuthenticationMethod>>;
  /** Asked about every PUBLISH and SUBSCRIBE. */
  readonly authorizer?: Authorizer;
  /** Also log what `log_type debug` logs, packet by packet. */
  readonly trace?: boolean;
}

export interface ConnectOptions extends ConnectFields {
  /** 5 when absent */
  readonly version?: Version;
  /** tcp when absent */
  readonly transport?: TransportName;
}

/** A client whose CONNECT was accepted. */
export type Connected = RawClient & { readonly connack: ReceivedConnack };

/** Virtual time; only "when the waiting input has been handled" is real. */
class TestClock extends VirtualClock {
  override soon(callback: () => void): void {
    setImmediate(callback);
  }
}

export class ConformanceBroker {
  readonly clock = new TestClock();
  /** Lines of the log, without time. */
  readonly log: string[] = [];
  readonly #resources: Resources;
  readonly #start: StartOptions;
  readonly #transports: readonly TransportName[];
  #files: { readonly certfile: string; readonly keyfile: string } | null = null;
  #ca: Buffer | null = null;
  #running: RunningBroker | null = null;

  constructor(resources: Resources, start: StartOptions) {
    this.#resources = resources;
    this.#start = start;
    this.#transports = start.transports ?? ['tcp'];
  }

  /** The broker itself, for what cannot be seen from outside. */
  get running(): RunningBroker {
    if (this.#running === null) throw new Error('the broker is not running');
    return this.#running;
  }

  port(transport: TransportName = 'tcp'): number {
    const listener = this.running.listeners[this.#transports.indexOf(transport)];
    if (listener === undefined) throw new Error(`the broker was started without ${transport}`);
    return listener.port;
  }

  async start(): Promise<void> {
    const { options, listener, authenticator, authenticationMethods = {}, authorizer, trace = false } = this.#start;
    if (this.#transports.includes('tls') && this.#files === null) await this.#issueCertificate();
    const config = configFromOptions({
      sysInterval: 0,
      ...options,
      listeners: this.#transports.map((transport) => ({
        port: 0,
        host: '127.0.0.1',
        allowAnonymous: true,
        ...listener,
        ...(transport === 'ws' ? { protocol: 'websockets' as const } : {}),
        ...(transport === 'tls' ? this.#files : {}),
      })),
    });
    const logger: Logger = {
      enabled: (type: LogType) => trace || (type !== 'debug' && type !== 'subscribe' && type !== 'unsubscribe'),
      log: (_type, line) => void this.log.push(line),
    };
    this.#running = await RunningBroker.start(config, {
      ...{ clock: this.clock, logger, authenticator },
      authenticationMethods: new Map(Object.entries(authenticationMethods)),
    });
    if (authorizer !== undefined) this.#running.broker.engine.authorizer = authorizer;
  }

  /** A Network Connection without any packet. */
  async open(options: OpenOptions = {}): Promise<RawClient> {
    const { transport = 'tcp' } = options;
    const client = await RawClient.open(this.port(transport), {
      ...(this.#ca === null ? {} : { ca: this.#ca }),
      ...options,
    });
    return this.#resources.add(client);
  }

  /** A client that is let in; its CONNACK is `connack`. */
  async connect(fields: ConnectOptions = {}): Promise<Connected> {
    const { version = 5, transport = 'tcp' } = fields;
    const client = await this.open({ version, transport });
    client.send(packetsOf(version).connect(fields));
    const connack = await client.expectPacket('connack');
    assert.equal(connack.reasonCode, 0, `CONNECT was refused: ${hexOf(connack.bytes)}`);
    return Object.assign(client, { connack });
  }

  /** Cuts a connection off as a failing network does, and waits until the broker knows. */
  async kill(client: RawClient): Promise<void> {
    const { engine } = this.running.broker;
    const before = engine.connectionsCount;
    client.close();
    while (engine.connectionsCount >= before) await turn();
    await this.settle();
  }

  /** Moves time. What was sent before is handled first, and what falls due has been sent afterwards. */
  async advance(seconds: number): Promise<void> {
    await this.settle();
    this.clock.advance(Math.round(seconds * 1000));
    await this.settle();
  }

  /** Waits until the broker has handled what was sent to it. */
  async settle(): Promise<void> {
    const { engine } = this.running.broker;
    const look = (): number => engine.stats.bytesReceived * 1024 + engine.connectionsCount;
    for (let quiet = 0, seen = look(); quiet < 5; quiet++) {
      await turn();
      if (look() === seen) continue;
      seen = look();
      quiet = -1;
    }
  }

  /** Stops in the orderly way, and starts again with the same options on other ports; what persists is read again. */
  async restart(): Promise<void> {
    await this.running.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }

  async #issueCertificate(): Promise<void> {
    const authority = await CertificateAuthority.create(tempDir(this.#resources));
    const { certFile, keyFile } = await authority.issue('server', 'localhost');
    this.#files = { certfile: certFile, keyfile: keyFile };
    this.#ca = readFileSync(authority.certFile);
  }
}

/** Starts a broker; it is stopped at the end of the test. */
export async function startBroker(resources: Resources, options: StartOptions = {}): Promise<ConformanceBroker> {
  const broker = new ConformanceBroker(resources, options);
  await broker.start();
  return resources.add(broker);
}
