/** The HTTP interface of a broker, with everything it takes from it. Loaded when a listener speaks HTTP, and never else. */
import { existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { Config } from '../config/config.ts';
import { Connection } from '../connection/connection.ts';
import type { History, HistoryLoad } from '../contracts/history.ts';
import type { Logger } from '../contracts/logger.ts';
import { ConsoleStateError } from '../http/console-state.ts';
import { HttpInterface } from '../http/http-interface.ts';
import type { RecentLog } from '../http/recent-log.ts';
import type { ConnectionView, HttpListener } from '../http/surroundings.ts';
import type { SysTopics } from '../observe/sys-topics.ts';
import type { Session } from '../session/session.ts';
import type { AccessControl } from './access-control.ts';
import type { Listener } from './listeners.ts';
import { StartError } from './start-error.ts';

export interface HttpServiceOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: () => Config;
  readonly listeners: () => readonly Listener[];
  readonly accessControl: AccessControl;
  readonly sysTopics: SysTopics;
  readonly allowSymlinks: boolean;
  readonly history: () => History | null;
  readonly historyLoad: () => HistoryLoad | null;
  readonly log: RecentLog;
}

/** @throws StartError - 13 when the console's file cannot be used */
export function openHttpService(options: HttpServiceOptions): HttpInterface {
  const { broker, clock, logger, config, accessControl, sysTopics, allowSymlinks, history, historyLoad, log } = options;
  const { global } = config();
  const folder = global.persistenceLocation ?? '.';
  const surroundings = {
    ...{ broker, clock, logger, config, allowSymlinks, history, historyLoad },
    listeners: () => options.listeners().map((listener) => httpListenerOf(listener, accessControl)),
    connectionOf,
    passwordChecks: accessControl.checks,
    stateFile: global.httpStateFile ?? join(folder, 'moustique-console.json'),
    consoleFolder: consoleFolder(),
    sysTree: () => sysTopics.snapshot(),
    freeDiskBytes: () => (global.persistence ? freeBytes(folder) : null),
  };
  try {
    return new HttpInterface(surroundings, log);
  } catch (error) {
    if (!(error instanceof ConsoleStateError)) throw error;
    throw new StartError(error.message.split('\n'), 13, { cause: error });
  }
}

/** The listener as it is at any time. */
export function httpListenerOf(listener: Listener, accessControl: AccessControl): HttpListener {
  return {
    get config() {
      return listener.config;
    },
    get port() {
      return listener.port;
    },
    get isOpen() {
      return listener.isOpen;
    },
    get connections() {
      return listener.connections;
    },
    get rules() {
      return listener.policy.rules;
    },
    get users() {
      return listener.policy.ownAuthenticator.users;
    },
    get certificateEndsMs() {
      return listener.certificateEndsMs;
    },
    get isTls() {
      return listener.isTls;
    },
    get authenticator() {
      return listener.policy.authenticator;
    },
    get provesPasswords() {
      return accessControl.isEmbedded || listener.policy.ownAuthenticator.provesPasswords;
    },
  };
}

function connectionOf({ outlet }: Session): ConnectionView | null {
  if (!(outlet instanceof Connection)) return null;
  const { client, transport } = outlet;
  return {
    ...{ client, peer: transport.peer, pendingBytes: outlet.pendingBytes },
    ...{ idleSeconds: outlet.idleSeconds, silenceSecondsLeft: outlet.silenceSecondsLeft },
  };
}

/** Where the build puts the console, seen from the bundled, the compiled and the written code. */
function consoleFolder(): string | null {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let step = 0; step < 5; step++) {
    const console = join(folder, 'dist', 'console');
    if (existsSync(join(console, 'index.html'))) return console;
    folder = dirname(folder);
  }
  return null;
}

function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
