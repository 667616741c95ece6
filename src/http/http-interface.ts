/**
 * HTTP for one broker: console, JSON interface, live feed, metrics. Made when the first `http_api` listener is, and never else;
 * nothing of it is loaded or runs before.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { TopicIndex } from '../observe/topic-index.ts';
import { MessageSocketServer } from '../transport/message-socket.ts';
import { createApplication, rawPath } from './application.ts';
import { Audit } from './audit.ts';
import { ConsoleState } from './console-state.ts';
import { FirstRun, linkMinutes } from './first-run.ts';
import type { Handlers } from './handler.ts';
import { allHandlers } from './handlers/all.ts';
import { Identities, type Identity } from './identity.ts';
import { restoreBans } from './kept-bans.ts';
import { KnownTopics } from './known-topics.ts';
import { LastErrors } from './last-errors.ts';
import { LiveFeed } from './live/live-feed.ts';
import { LoginSessions } from './login-sessions.ts';
import { operatorRoutes } from './operator-routes.ts';
import { checkOrigin } from './origin.ts';
import { HttpProblem } from './problem.ts';
import { RateHistory } from './rate-history.ts';
import { RecentDenials } from './recent-denials.ts';
import type { RecentLog } from './recent-log.ts';
import { RetainedBin } from './retained-bin.ts';
import type { HttpServices } from './services.ts';
import type { HttpListener, HttpSurroundings } from './surroundings.ts';
import { TopicTree } from './topic-tree.ts';

/** Time a peer may take for the TLS handshake, for headers, and for a whole request. */
const handshakeMs = 10_000;
const headersMs = 10_000;
const requestMs = 60_000;
const connectionsMax = 1000;
/** Bytes of one message of the live feed. */
const liveMessageBytesMax = 1024 * 1024;
const livePath = '/api/v1/live';

export class HttpInterface {
  readonly #services: HttpServices;
  readonly #handlers: Handlers;
  readonly #live: LiveFeed;
  readonly #sockets = new MessageSocketServer(liveMessageBytesMax);
  readonly #endings: (() => void)[] = [];
  readonly #servers = new Set<Server>();
  #announced: readonly HttpListener[] = [];

  /** @throws ConsoleStateError - the console's file is there and cannot be used */
  constructor(surroundings: HttpSurroundings, log: RecentLog) {
    const { broker, clock, config, logger } = surroundings;
    const { engine } = broker;
    const state = new ConsoleState(surroundings.stateFile, surroundings.allowSymlinks);
    for (const warning of state.warnings) logger.log('warning', warning);
    restoreBans(surroundings, state);
    const sessions = new LoginSessions(clock);
    const index = new TopicIndex(indexBytes(config().global.httpIndexMemory), () => engine.nowMs);
    const denials = new RecentDenials();
    const lastErrors = new LastErrors(clock);
    this.#services = {
      ...{ surroundings, state, sessions, index, denials, lastErrors, log },
      startedMs: clock.monotonicMs(),
      identities: new Identities(surroundings, state, sessions),
      firstRun: new FirstRun(clock),
      audit: new Audit(auditFile(surroundings), (error) => {
        logger.log('error', `Error: The console's list of changes is not kept: ${error.message}.`);
      }),
      tree: new TopicTree(engine, index),
      topics: new KnownTopics(engine, index, clock),
      bin: new RetainedBin(clock),
      rates: new RateHistory(broker, clock),
      addOperatorRoutes: operatorRoutes(() => this.#services),
    };
    this.#handlers = allHandlers(this.#services);
    this.#live = new LiveFeed(this.#services);
    engine.denials.watcher = (client, rights, action, topic, verdict) =>
      denials.add(engine.nowMs, client, rights, action, topic, verdict);
    this.#endings.push(
      broker.watch({ afterPublish: (message) => index.afterPublish(message), ...this.#live.hooks }),
      broker.watch({ afterDisconnect: ({ clientId }, reason) => lastErrors.add(clientId, reason) }),
      () => this.#services.rates.close(),
      () => this.#live.close(),
      () => this.#services.topics.close(),
      () => {
        engine.denials.watcher = null;
      },
    );
  }

  /** An HTTP(S) server for one listener, not listening yet. @param tls - certificates; null for plain HTTP */
  createServer(
    listener: HttpListener,
    tls: (TlsOptions & SecureContextOptions) | null,
    headerBytesMax: number,
  ): Server {
    const application = createApplication(this.#services, this.#handlers, listener);
    const handle = getRequestListener(application.fetch as Parameters<typeof getRequestListener>[0], {
      overrideGlobalObjects: false,
    });
    const options = {
      // A cookie, a long URL and what browsers add: more than a WebSocket handshake has.
      maxHeaderSize: Math.max(16 * 1024, headerBytesMax),
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 5000,
      noDelay: true,
    };
    const server =
      tls === null
        ? createServer(options)
        : (createSecureServer({ ...options, ...tls, handshakeTimeout: handshakeMs }) as Server);
    server.on('request', (request, response) => void handle(request, response));
    const { maxConnections } = listener.config;
    server.maxConnections = maxConnections > 0 ? maxConnections : connectionsMax;
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      void this.#upgrade(request, socket, head, listener);
    });
    this.#servers.add(server);
    server.on('close', () => this.#servers.delete(server));
    return server;
  }

  /** Listeners are open: says where, and how to make the first account. */
  announce(listeners: readonly HttpListener[] = this.#announced): void {
    this.#announced = listeners;
    const { identities, firstRun, surroundings } = this.#services;
    const { logger } = surroundings;
    const addresses = listeners.filter(({ config }) => config.httpDir === null && config.path === null).map(addressOf);
    if (addresses.length === 0) return;
    const all = addresses.join(' and ');
    if (!identities.isFirstRun) {
      logger.log('notice', `The web console is at ${all}`);
      return;
    }
    // The link lets its reader in, and clients may read a log that goes to topics.
    if (surroundings.config().global.logDest.includes('topic')) {
      logger.log(
        'warning',
        `Warning: The web console at ${all} has no account, and the log goes to topics: its link is not shown.`,
      );
      logger.log(
        'warning',
        'Warning: Take `log_dest topic` away for one start, or give a user a role: http_role admin USER.',
      );
      return;
    }
    const token = firstRun.issue();
    logger.log(
      'notice',
      `The web console has no account yet. Open this link within ${linkMinutes} minutes to make one:`,
    );
    for (const address of addresses) logger.log('notice', `    ${address}#/welcome?token=${token}`);
  }

  /** The configuration was read again. */
  reloaded(): void {
    this.#services.index.bytesMax = indexBytes(this.#services.surroundings.config().global.httpIndexMemory);
    this.#services.identities.forget();
    // The link of the start may be lost or too old.
    if (this.#services.identities.isFirstRun) this.announce();
  }

  close(): void {
    for (const end of this.#endings) end();
    for (const server of this.#servers) server.closeAllConnections();
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer, listener: HttpListener): Promise<void> {
    const refuse = (status: string): void => {
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    try {
      if (rawPath(request) !== livePath) return refuse('404 Not Found');
      checkOrigin(request, true);
      const who = await this.#reader(request, listener);
      if (who === null) return refuse('401 Unauthorized');
      if (this.#live.isFull) return refuse('503 Service Unavailable');
      const mayStillRead = (): boolean => this.#services.identities.isStill(who, request, listener);
      this.#sockets.upgrade(request, socket, head, (accepted) => this.#live.open(accepted, mayStillRead));
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      refuse(`${error.status} ${error.code}`);
    }
  }

  /** Browsers cannot give a header with a WebSocket, so a token may stand in the address. */
  async #reader(request: IncomingMessage, listener: HttpListener): Promise<Identity | null> {
    const token = new URLSearchParams((request.url ?? '').split('?', 2)[1] ?? '').get('token');
    const { identities } = this.#services;
    return token === null ? await identities.of(request, listener) : identities.byToken(token);
  }
}

/** Beside the console's other file; null where nobody said that anything may be written. */
function auditFile({ stateFile, config }: HttpSurroundings): string | null {
  const { persistence, persistenceLocation, httpStateFile } = config().global;
  return persistence || persistenceLocation !== null || httpStateFile !== null
    ? `${stateFile.replace(/\.json$/, '')}-audit.jsonl`
    : null;
}

function indexBytes(mebibytes: number): number {
  return mebibytes * 1024 * 1024;
}

/** For somebody at this machine. */
function addressOf({ config: { host }, port, isTls }: HttpListener): string {
  const isLocal = host === null || host === '127.0.0.1' || host === '::1';
  const name = isLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${isTls ? 'https' : 'http'}://${name}:${port}/`;
}
