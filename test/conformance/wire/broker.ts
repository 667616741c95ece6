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
import { type Resources, useResources } from '../../harness/resources.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { hexOf, type Version } from './bytes.ts';
import { type OpenOptions, RawClient, type TransportName, usualTransport } from './client.ts';
import { type ConnectFields, packetsOf } from './packets.ts';
import type { ReceivedConnack } from './received.ts';

export interface StartOptions {
  /** Options of the broker, as in the library; without listeners. `$SYS` is off unless `sysInterval` is given. */
  readonly options?: Omit<BrokerOptions, 'listeners'>;
  /** Options of every listener. Anonymous clients are let in unless told. */
  readonly listener?: Omit<ListenerOptions, 'port' | 'host' | 'path' | 'protocol' | 'certfile' | 'keyfile'>;
  /** One listener for each; {@link usualTransport} when absent. */
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
  /** {@link usualTransport} when absent */
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

interface Certificate {
  readonly files: { readonly certfile: string; readonly keyfile: string };
  /** Whom clients trust. */
  readonly authority: Buffer;
}

const resourcesOfFile = useResources('end of file');
let certificate: Promise<Certificate> | null = null;

/** One for all tests of a file: making it takes longer than most tests. */
function certificateOfFile(): Promise<Certificate> {
  certificate ??= issueCertificate();
  return certificate;
}

async function issueCertificate(): Promise<Certificate> {
  const authority = await CertificateAuthority.create(tempDir(resourcesOfFile));
  const { certFile, keyFile } = await authority.issue('server', 'localhost');
  return { files: { certfile: certFile, keyfile: keyFile }, authority: readFileSync(authority.certFile) };
}

export class ConformanceBroker {
  readonly clock = new TestClock();
  /** Lines of the log, without time. */
  readonly log: string[] = [];
  readonly #resources: Resources;
  readonly #start: StartOptions;
  readonly #transports: readonly TransportName[];
  #certificate: Certificate | null = null;
  #running: RunningBroker | null = null;
  /** Those that this run of the broker has to do with. */
  #clients: RawClient[] = [];

  constructor(resources: Resources, start: StartOptions) {
    this.#resources = resources;
    this.#start = start;
    this.#transports = start.transports ?? [usualTransport];
  }

  /** The broker itself, for what cannot be seen from outside. */
  get running(): RunningBroker {
    if (this.#running === null) throw new Error('the broker is not running');
    return this.#running;
  }

  port(transport: TransportName = this.#usualTransport): number {
    const listener = this.running.listeners[this.#transports.indexOf(transport)];
    if (listener === undefined) throw new Error(`the broker was started without ${transport}`);
    return listener.port;
  }

  get #usualTransport(): TransportName {
    return this.#transports.includes(usualTransport) ? usualTransport : (this.#transports[0] as TransportName);
  }

  async start(): Promise<void> {
    const { options, listener, authenticator, authenticationMethods = {}, authorizer, trace = false } = this.#start;
    if (this.#transports.includes('tls')) this.#certificate = await certificateOfFile();
    const config = configFromOptions({
      sysInterval: 0,
      ...options,
      listeners: this.#transports.map((transport) => ({
        port: 0,
        host: '127.0.0.1',
        allowAnonymous: true,
        ...listener,
        ...(transport === 'ws' ? { protocol: 'websockets' as const } : {}),
        ...(transport === 'tls' ? this.#certificate?.files : {}),
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
    const { transport = this.#usualTransport } = options;
    const client = await RawClient.open(this.port(transport), {
      ...(this.#certificate === null ? {} : { ca: this.#certificate.authority }),
      ...options,
      transport,
    });
    this.#clients.push(client);
    return this.#resources.add(client);
  }

  /** A client that is let in; its CONNACK is `connack`. */
  async connect(fields: ConnectOptions = {}): Promise<Connected> {
    const { version = 5, transport = this.#usualTransport } = fields;
    const client = await this.open({ version, transport });
    client.send(packetsOf(version).connect(fields));
    const connack = await client.expectPacket('connack');
    assert.equal(connack.reasonCode, 0, `CONNECT was refused: ${hexOf(connack.bytes)}`);
    return Object.assign(client, { connack });
  }

  /** Cuts a connection off as a failing network does, and waits until the broker knows. */
  async kill(client: RawClient): Promise<void> {
    const { engine } = this.running.broker;
    await this.settle();
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
    let quietSince = performance.now();
    for (let quiet = 0, seen = look(); quiet < 5 || this.#mayWait(performance.now() - quietSince); quiet++) {
      await turn();
      if (look() === seen) continue;
      seen = look();
      quiet = -1;
      quietSince = performance.now();
    }
  }

  /**
   * Whether bytes are on their way that the broker has not seen: a busy machine takes its time. It never sees what is sent
   * behind the end of a connection, so that is not waited for long.
   */
  #mayWait(quietMs: number): boolean {
    const sent = this.#clients.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
    if (this.running.broker.engine.stats.bytesReceived >= sent) return false;
    return quietMs < (this.#clients.some(({ hasEnded }) => hasEnded) ? 5 : 250);
  }

  /** Stops in the orderly way, and starts again with the same options on other ports; what persists is read again. */
  async restart(): Promise<void> {
    await this.running.stop();
    this.#clients = [];
    await this.start();
  }

  async close(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }
}

/** Starts a broker; it is stopped at the end of the test. */
export async function startBroker(resources: Resources, options: StartOptions = {}): Promise<ConformanceBroker> {
  const broker = new ConformanceBroker(resources, options);
  await broker.start();
  return resources.add(broker);
}
