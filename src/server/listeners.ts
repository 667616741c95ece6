/** Listeners: sockets are opened, and every accepted one becomes a connection. */
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, isIP, type ListenOptions, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { builtins } from '../base/builtins.ts';
import { logLines } from '../broker/log-lines.ts';
import type { ListenerConfig } from '../config/config.ts';
import { Connection } from '../connection/connection.ts';
import type { Hub } from '../connection/hub.ts';
import type { Peer, PeerTls, Transport } from '../contracts/transport.ts';
import type { ProxyHeader } from '../transport/proxy-protocol.ts';
import type { SharedIo } from '../transport/socket-handle.ts';
import { shareSocketShapes } from '../transport/socket-shapes.ts';
import { acceptByEvents, acceptShared } from '../transport/tcp.ts';
import type { DerivedPolicy } from './derive.ts';
import { bindError, noSuchHost } from './listen-error.ts';
import type { ListenerTls } from './listener-tls.ts';
import { StartError } from './start-error.ts';

const backlog = 1024;
/** Time a peer may take for the TLS handshake. */
const tlsHandshakeMs = 10_000;

/** Makes HTTP servers, not listening yet. */
export interface HttpServers {
  create(listener: Listener, tls: ListenerTls | null): Server;
}

/** What all listeners of a broker have in common. */
export interface ListenerOptions {
  readonly noDelay: boolean;
  /** Bytes of HTTP headers that a WebSocket listener takes. */
  readonly headerBytesMax: number;
  /** Makes the servers of listeners with `protocol http_api`; null where there are none. */
  readonly http: HttpServers | null;
  /** Takes the keys of TLS connections, a line each, in NSS key log format. */
  readonly keyLog?: ((line: Buffer) => void) | undefined;
}

/** One configured listener with its open sockets. */
export class Listener {
  config: ListenerConfig;
  #policy: DerivedPolicy;
  readonly #hub: Hub;
  readonly #options: ListenerOptions;
  #tls: ListenerTls | null;
  readonly #servers: Server[] = [];
  /** Those of `#servers`, or behind them, that speak TLS. */
  readonly #tlsServers: Server[] = [];
  /** Accepted socket → what its load balancer said about the client. */
  readonly #proxied = new WeakMap<Socket, ProxyHeader>();
  /** Sockets whose PROXY header is being read. */
  #preambles = 0;
  readonly #io: SharedIo;
  #connections = 0;
  readonly #onFinished = (): void => {
    this.#connections--;
  };
  #port: number;

  constructor(
    hub: Hub,
    config: ListenerConfig,
    policy: DerivedPolicy,
    tls: ListenerTls | null,
    io: SharedIo,
    options: ListenerOptions,
  ) {
    this.#hub = hub;
    this.config = config;
    this.#policy = policy;
    this.#tls = tls;
    this.#io = io;
    this.#options = options;
    this.#port = config.port;
  }

  /** The port that is listened on; chosen by the system when 0 was configured. 0 for a Unix socket. */
  get port(): number {
    return this.#port;
  }

  /** Holds for connections to come. Its port is the one that is listened on, also where 0 was configured. */
  get policy(): DerivedPolicy {
    return this.#policy;
  }

  set policy(policy: DerivedPolicy) {
    this.#policy = policy.port === this.#port ? policy : { ...policy, port: this.#port };
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections;
  }

  get isTls(): boolean {
    return this.#tls !== null;
  }

  /** When its certificate ends, in ms since 1970; null without one. */
  get certificateEndsMs(): number | null {
    const ends = this.#tls?.material.certificates.map(({ notAfterMs }) => notAfterMs) ?? [];
    return ends.length === 0 ? null : Math.min(...ends);
  }

  /** What it speaks TLS with; null for a plain one. */
  get tls(): ListenerTls | null {
    return this.#tls;
  }

  get isOpen(): boolean {
    return this.#servers.length > 0;
  }

  /**
   * Opens its sockets: one for each address the host stands for, IPv4 and IPv6 for a listener without a host.
   *
   * @throws StartError - 1, naming port and address; sockets opened so far are closed
   */
  async open(): Promise<void> {
    // Before the first client, after everything that the start waits for.
    setImmediate(shareSocketShapes);
    if (this.config.path !== null) {
      await this.#openPath(this.config.path);
      return;
    }
    const addresses = await this.#addresses();
    const failures: { address: string; error: NodeJS.ErrnoException }[] = [];
    for (const { address, family } of addresses) {
      this.#log(`Opening ipv${family} listen socket on port ${this.#port}.`);
      try {
        const server = await this.#createServer();
        await listen(server, { port: this.#port, host: address, ipv6Only: family === 6, backlog });
        this.#servers.push(server);
        if (this.#port === 0) {
          this.#port = (server.address() as AddressInfo).port;
          this.policy = this.#policy;
        }
      } catch (error) {
        failures.push({ address, error: error as NodeJS.ErrnoException });
      }
    }
    const [first] = failures;
    if (first === undefined) return;
    // A machine without IPv6 (or without IPv4) still serves the other.
    const isTolerable = failures.every(({ error }) => error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL');
    if (this.#servers.length > 0 && isTolerable) return;
    this.close();
    throw bindError(first.error, `port ${this.config.port} (${first.address})`);
  }

  /** Stops accepting at once; connections go on. */
  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }

  /** New certificates for connections to come. */
  async changeTls(tls: ListenerTls): Promise<void> {
    // Pre-shared keys are looked up when they are asked for; hint and ciphers wait for the next start.
    if (this.config.pskHint !== null) return;
    const { replaceTls } = await import('../transport/tls-context.ts');
    this.#tls = tls;
    for (const server of this.#tlsServers) replaceTls(server as never, tls.material);
  }

  async #addresses(): Promise<{ address: string; family: number }[]> {
    const { host, socketDomain, bindInterface } = this.config;
    const wanted = socketDomain === 'ipv4' ? 4 : socketDomain === 'ipv6' ? 6 : 0;
    if (bindInterface !== null) return interfaceAddresses(bindInterface, wanted, host);
    if (host === null) {
      const all = [
        { address: '0.0.0.0', family: 4 },
        { address: '::', family: 6 },
      ];
      return all.filter(({ family }) => wanted === 0 || family === wanted);
    }
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    try {
      const found = await builtins.dns.lookup(host, { all: true, family: wanted });
      return found.filter(({ address }, index) => found.findIndex((other) => other.address === address) === index);
    } catch (cause) {
      throw noSuchHost(this.config, host, cause);
    }
  }

  async #openPath(path: string): Promise<void> {
    this.#log(`Opening unix listen socket on path ${path}.`);
    try {
      unlinkSync(path);
    } catch {
      // Nothing was left behind by an earlier broker.
    }
    const server = await this.#createServer();
    try {
      await listen(server, { path, backlog });
      // Mosquitto: its owner and group may connect.
      chmodSync(path, 0o770);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Node says EACCES for a folder that is not there.
      const isMissing = code === 'EACCES' && !existsSync(dirname(path));
      throw bindError(isMissing ? Object.assign(new Error(), { code: 'ENOENT' }) : (error as Error), `path ${path}`);
    }
    this.#servers.push(server);
  }

  /** What is listened with: behind a load balancer a server that reads its header before it hands the socket on. */
  async #createServer(): Promise<Server> {
    const server = await this.#createProtocolServer();
    const { enableProxyProtocol } = this.config;
    if (enableProxyProtocol === null) return server;
    const { readProxyHeader } = await import('../transport/proxy-preamble.ts');
    const { clock, logger } = this.#hub.engine;
    const isHttp = this.#tls === null && this.config.protocol !== 'mqtt';
    return createServer({ pauseOnConnect: true, noDelay: this.#options.noDelay }, (socket) => {
      if (this.#isFull) {
        this.#turnAway(socket.remoteAddress ?? '');
        socket.destroy();
        return;
      }
      this.#preambles++;
      readProxyHeader(socket, enableProxyProtocol === 1 ? 1 : 2, clock, {
        onHeader: (header) => {
          this.#preambles--;
          this.#proxied.set(socket, header);
          server.emit('connection', socket);
          // HTTP expects a socket that flows. TLS must find the bytes still in it, and an MQTT connection says when.
          if (isHttp) socket.resume();
        },
        onFailure: (failure) => {
          this.#preambles--;
          if (failure === 'corrupt') logger.log('notice', logLines.corruptProxyHeader());
          else if (failure === 'too-long') {
            logger.log('notice', logLines.disconnected(null, null, 0, 'bad socket read/write: Invalid input'));
          }
        },
      });
    });
  }

  async #createProtocolServer(): Promise<Server> {
    const { http } = this.#options;
    if (this.config.protocol === 'http_api' && http !== null) {
      const server = http.create(this, this.#tls);
      server.on('connection', (socket) => {
        this.#connections++;
        socket.once('close', () => this.#connections--);
      });
      if (this.#tls !== null) this.#addTlsServer(server);
      return server;
    }
    if (this.config.protocol === 'websockets') {
      const { createWebSocketServer } = await import('../transport/websocket.ts');
      const server = createWebSocketServer({
        tls: this.#tls?.material.serverOptions ?? null,
        origins: this.config.websocketsOrigin,
        headerBytesMax: this.#options.headerBytesMax,
        noDelay: this.#options.noDelay,
        clock: this.#hub.engine.clock,
        peerOf: (request) => this.#peerOfRequest(request),
        onTransport: (transport) => this.#connect(transport),
        onForeignOrigin: ({ address, port }) =>
          this.#hub.engine.logger.log('notice', logLines.disconnected(null, address, port, 'non-matching http origin')),
      });
      if (this.#tls !== null) this.#addTlsServer(server);
      return server;
    }
    if (this.#tls !== null) {
      const { createServer: createTlsServer } = await import('node:tls');
      const options = {
        ...this.#tls.material.serverOptions,
        noDelay: this.#options.noDelay,
        handshakeTimeout: tlsHandshakeMs,
      };
      const server = createTlsServer(options, (socket) => {
        const { clock } = this.#hub.engine;
        this.#connect(acceptShared(socket, this.#peerOf(socket), clock, this.#io, this.#options.noDelay));
      });
      server.on('tlsClientError', (error, socket) => {
        const { logger } = this.#hub.engine;
        const address = socket.remoteAddress ?? null;
        logger.log('error', `OpenSSL Error[0]: ${error.message}`);
        logger.log('notice', logLines.disconnected(null, address, socket.remotePort ?? 0, 'protocol error'));
        // Node leaves one open that took too long.
        socket.destroy();
      });
      this.#addTlsServer(server);
      return server;
    }
    return createServer({ pauseOnConnect: true, noDelay: this.#options.noDelay }, (socket) => {
      if (this.#proxied.has(socket)) {
        // What was read with the header waits in the socket, which a moved handle would leave behind.
        this.#connect(acceptByEvents(socket, this.#peerOf(socket), this.#hub.engine.clock, this.#options.noDelay));
        return;
      }
      const { clock } = this.#hub.engine;
      this.#connect(acceptShared(socket, this.#peerOf(socket), clock, this.#io, this.#options.noDelay));
    });
  }

  #addTlsServer(server: Server): void {
    this.#tlsServers.push(server);
    const { keyLog } = this.#options;
    if (keyLog !== undefined) server.on('keylog', (line: Buffer) => keyLog(line));
  }

  #connect(transport: Transport): void {
    const { engine } = this.#hub;
    const { address, port } = transport.peer;
    engine.stats.socketsAccepted++;
    if (this.#isFull) {
      this.#turnAway(address);
      transport.destroy();
      return;
    }
    if (transport.peer.tls?.isRefused === true) {
      engine.logger.log('error', 'OpenSSL Error[0]: certificate verify failed');
      engine.logger.log('notice', logLines.disconnected(null, address, port, 'protocol error'));
      transport.destroy();
      return;
    }
    if (this.config.enableProxyProtocol !== null) {
      if (!this.#isAdmitted(transport.peer)) {
        transport.destroy();
        return;
      }
    } else if (engine.limits.connectionMessages) {
      engine.logger.log('notice', logLines.newConnection(address, port, this.#port));
    }
    this.#connections++;
    new Connection(this.#hub, transport, this.policy, this.#onFinished);
    transport.resume();
  }

  get #isFull(): boolean {
    const { limits, connectionsCount } = this.#hub.engine;
    const { maxConnections } = this.config;
    if (maxConnections > 0 && this.#connections + this.#preambles >= maxConnections) return true;
    return limits.maxConnections > 0 && connectionsCount + this.#preambles >= limits.maxConnections;
  }

  #turnAway(address: string): void {
    this.#hub.engine.logger.log('notice', logLines.maxConnectionsExceeded(address));
  }

  /** Whether a client behind a load balancer came to it as the listener asks. */
  #isAdmitted({ address, port, tls }: Peer): boolean {
    const { enableProxyProtocol, proxyProtocolV2RequireTls, requireCertificate, certfile } = this.config;
    const { logger } = this.#hub.engine;
    if (enableProxyProtocol !== 2) return true;
    if (proxyProtocolV2RequireTls && tls === null) {
      logger.log('notice', logLines.proxiedWithoutTls(address, port));
      return false;
    }
    if (requireCertificate && certfile === null && tls?.hasCertificate !== true) {
      logger.log('notice', logLines.proxiedWithoutCertificate(address, port));
      return false;
    }
    if (tls !== null) logger.log('notice', logLines.proxiedCipher(address, port, tls.version, tls.cipher));
    return true;
  }

  #peerOf(socket: Socket): Peer {
    const proxied = this.#proxied.get(beneathTls(socket));
    if (proxied !== undefined) return this.#proxiedPeer(socket, proxied);
    if (this.config.path !== null) return { address: this.config.path, port: 0, tls: null };
    return {
      address: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      tls: 'getCipher' in socket ? this.#tlsOf(socket as TLSSocket) : null,
    };
  }

  #proxiedPeer(socket: Socket, { source, tls }: ProxyHeader): Peer {
    const { address, port } = source ?? { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    if ('getCipher' in socket) return { address, port, tls: this.#tlsOf(socket as TLSSocket) };
    if (tls === null) return { address, port, tls: null };
    const { version, cipher, commonName, hasVerifiedCertificate: hasCertificate } = tls;
    // As from a certificate: what cannot be a user name is none.
    const isName = commonName !== null && commonName !== '' && !/[\p{Cc}\ufffd]/u.test(commonName);
    const identity = this.config.useIdentityAsUsername && isName ? commonName : null;
    return { address, port, tls: { version, cipher, identity, hasCertificate } };
  }

  #peerOfRequest(request: IncomingMessage): Peer {
    return this.#peerOf(request.socket);
  }

  #tlsOf(socket: TLSSocket): PeerTls {
    const known = { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name };
    const tls = this.#tls;
    if (tls === null) return { ...known, identity: null };
    const refused = tls.accepts(socket) ? {} : { isRefused: true };
    const pskIdentity = tls.pskIdentityOf(socket);
    return { ...known, identity: tls.identityOf(socket, this.config), pskIdentity, ...refused };
  }

  #log(line: string): void {
    this.#hub.engine.logger.log('information', line);
  }
}

/** The accepted socket below TLS; the socket itself without TLS. */
function beneathTls(socket: Socket): Socket {
  // Node keeps it and no type tells about it.
  return (socket as { readonly _parent?: Socket | null })._parent ?? socket;
}

async function listen(server: Server, options: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}

/**
 * The addresses of a network interface.
 *
 * @param family - 0 for IPv4 and IPv6
 * @param host - of the `listener` line: only this address of the interface; null for all
 * @throws StartError - 1 when there are none
 */
function interfaceAddresses(name: string, family: number, host: string | null): { address: string; family: number }[] {
  const found = (builtins.os.networkInterfaces()[name] ?? []).flatMap(({ address, family: own, scopeid }) => {
    const number = own === 'IPv4' ? 4 : 6;
    if ((family !== 0 && family !== number) || (host !== null && host !== address)) return [];
    // An address of the link alone has to say which link.
    return [{ address: scopeid === undefined || scopeid === 0 ? address : `${address}%${name}`, family: number }];
  });
  if (found.length > 0) return found;
  const what = host === null ? (family === 0 ? 'address' : `IPv${family} address`) : `address ${host}`;
  throw new StartError([`Error: Interface ${name} has no ${what}.`], 1);
}
