/** What the HTTP interface takes from the broker it belongs to. */
import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { Config, ListenerConfig } from '../config/config.ts';
import type { Authenticator } from '../contracts/authenticator.ts';
import type { AccessRules } from '../contracts/authorizer.ts';
import type { History, HistoryLoad } from '../contracts/history.ts';
import type { ConnectedClient } from '../contracts/hooks.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Peer } from '../contracts/transport.ts';
import type { PasswordChecks } from '../security/listener-authenticator.ts';
import type { PasswordHash } from '../security/password-hash.ts';
import type { Session } from '../session/session.ts';

/** The Network Connection of a client, as far as it is shown. */
export interface ConnectionView {
  readonly client: ConnectedClient | null;
  readonly peer: Peer;
  /** Seconds since anything was heard. */
  readonly idleSeconds: number;
  /** Seconds until it counts as gone; null: never. */
  readonly silenceSecondsLeft: number | null;
  /** Bytes that wait for its socket. */
  readonly pendingBytes: number;
}

/** A listener of the broker, whatever it speaks. */
export interface ListenerView {
  readonly config: ListenerConfig;
  /** The port in use, 0 for a Unix socket. */
  readonly port: number;
  readonly isOpen: boolean;
  readonly connections: number;
  readonly rules: AccessRules | null;
  /** User name → password of its `password_file`; null without one. */
  readonly users: ReadonlyMap<string, PasswordHash> | null;
  /** When its certificate ends; null without one. */
  readonly certificateEndsMs: number | null;
}

/** The listener that a request came to. */
export interface HttpListener extends ListenerView {
  readonly isTls: boolean;
  readonly authenticator: Authenticator;
  /** Whether the authenticator asks for passwords, so that whom it lets in is who they say. */
  readonly provesPasswords: boolean;
}

export interface HttpSurroundings {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** As it is in force now. */
  readonly config: () => Config;
  readonly listeners: () => readonly ListenerView[];
  readonly connectionOf: (session: Session) => ConnectionView | null;
  /** Shared with the listeners, so that bad passwords count wherever they are tried. */
  readonly passwordChecks: PasswordChecks;
  /** Where accounts, tokens and saved messages are kept. */
  readonly stateFile: string;
  /** `MOSQUITTO_UNSAFE_ALLOW_SYMLINKS` */
  readonly allowSymlinks: boolean;
  /** Folder of the console's files; null when they were not built. */
  readonly consoleFolder: string | null;
  readonly history: () => History | null;
  readonly historyLoad: () => HistoryLoad | null;
  /** The integers of the last look at `$SYS`, by full topic name. */
  readonly sysTree: () => ReadonlyMap<string, number>;
  /** Bytes free where the store writes; null when nothing is stored or it cannot be told. */
  readonly freeDiskBytes: () => number | null;
}
