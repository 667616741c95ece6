/** Configuration → the plain records that the engine and its connections work with. */
import { builtins } from '../base/builtins.ts';
import type { Limits } from '../broker/limits.ts';
import { defaultLimits } from '../broker/limits.ts';
import type { Config, ListenerConfig } from '../config/config.ts';
import type { ListenerPolicy } from '../connection/policy.ts';
import type { AuthenticationMethods } from '../contracts/authenticator.ts';
import type { AccessRules } from '../contracts/authorizer.ts';
import type { LogType } from '../contracts/logger.ts';
import type { LogSettings } from '../observe/logger.ts';
import { ListenerAuthenticator, type PasswordChecks, type WaysIn } from '../security/listener-authenticator.ts';
import { passwordScram, passwordScramName } from '../security/password-scram.ts';
import type { TlsListenerSettings } from '../transport/tls-context.ts';
import type { Place } from './access-control.ts';
import type { SecurityFiles } from './security-files.ts';

/** Every value of `log_type`, for `-v`. */
const everyType: readonly LogType[] = [
  'error',
  'warning',
  'notice',
  'information',
  'debug',
  'subscribe',
  'unsubscribe',
  'internal',
  'websockets',
];

/**
 * Bytes that messages may take: `memory_limit`, and never more than three quarters of what the machine, or the container, has.
 *
 * @param limit - 0: none is configured
 */
function messageMemoryBytes(limit: number): number {
  const constrained = process.constrainedMemory();
  const total = builtins.os.totalmem();
  const most = (3 / 4) * (constrained > 0 && constrained < total ? constrained : total);
  return limit > 0 && limit < most ? limit : most;
}

export function limitsOf({ global }: Config): Limits {
  const messageBytes = messageMemoryBytes(global.memoryLimit);
  return {
    maxInflightMessages: global.maxInflightMessages,
    maxInflightBytes: global.maxInflightBytes,
    maxQueuedMessages: global.maxQueuedMessages,
    maxQueuedBytes: global.maxQueuedBytes,
    queueQos0Messages: global.queueQos0Messages,
    upgradeOutgoingQos: global.upgradeOutgoingQos,
    messageSizeLimit: global.messageSizeLimit,
    maxPacketSize: global.maxPacketSize,
    maxKeepaliveSeconds: global.maxKeepalive,
    retainAvailable: global.retainAvailable,
    persistentClientExpirationSeconds: global.persistentClientExpiration,
    allowDuplicateMessages: global.allowDuplicateMessages,
    connectionMessages: global.connectionMessages,
    maxSessions: Math.max(0, global.globalMaxClients),
    maxConnections: Math.max(0, global.globalMaxConnections),
    checkRetainSource: global.checkRetainSource,
    sessionOwnerCheck: global.sessionOwnerCheck,
    explainDenials: global.aclExplain,
    sliceDeliveries: defaultLimits.sliceDeliveries,
    packetsPerTurn: defaultLimits.packetsPerTurn,
    socketBytesSoftMax: defaultLimits.socketBytesSoftMax,
    socketBytesHardMax: defaultLimits.socketBytesHardMax,
    allSocketsBytesMax: messageBytes / 3,
    allHeldBytesMax: (messageBytes * 2) / 3,
  };
}

/** @param verbosity - `-v` logs every type, `-q` none, both instead of what the file says */
export function logSettingsOf({ global }: Config, verbosity: 'configured' | 'all' | 'none'): LogSettings {
  const types = { configured: global.logType, all: everyType, none: [] }[verbosity];
  return {
    types,
    // `dlt` exists on Android only and is refused by the configuration.
    targets: global.logDest.filter((target) => target !== 'dlt'),
    timestamp: !global.logTimestamp
      ? 'none'
      : global.logTimestampFormat === null
        ? 'epoch'
        : { format: global.logTimestampFormat },
    syslogFacility: global.logFacility,
  };
}

/** A listener's rules and the authenticator in them, which a reload asks about clients that are already in. */
export interface DerivedPolicy extends ListenerPolicy {
  /** Decides by the listener's own files. */
  readonly ownAuthenticator: ListenerAuthenticator;
  /** What its clients may do; null: everything. */
  readonly rules: AccessRules | null;
  /** Identity → pre-shared key; empty where there are none. */
  readonly pskKeys: ReadonlyMap<string, Buffer>;
}

/**
 * The rules of one listener; reads its files.
 *
 * @param files - shared by all listeners of one configuration
 * @param checks - shared by all listeners, and kept through reloads
 * @param ways - who lets its clients in
 * @param place - what of the listener stays through reloads; not changed here
 * @throws StartError - 13 when a file cannot be read, 3 when a line of it is wrong
 */
export function policyOf(
  listener: ListenerConfig,
  { global }: Config,
  files: SecurityFiles,
  checks: PasswordChecks,
  ways: WaysIn,
  place: Place,
): DerivedPolicy {
  const fileRules = listener.aclFile === null ? null : files.rules(listener.aclFile);
  return {
    port: listener.port,
    authenticator: place.authenticator,
    ownAuthenticator: new ListenerAuthenticator(ways, checks),
    authenticationMethods: methodsOf(listener, checks, ways, place),
    responseInformation: global.responseInformation,
    remembersPasswords: true,
    access: place.access,
    rules: ways.dynsec === null ? fileRules : ways.dynsec.rules(fileRules),
    pskKeys: listener.pskFile === null ? new Map() : files.pskKeys(listener.pskFile),
    protocolVersions: new Set(listener.acceptProtocolVersions),
    maxQos: listener.maxQos as 0 | 1 | 2,
    maxTopicAlias: listener.maxTopicAlias,
    maxTopicAliasBroker: listener.maxTopicAliasBroker,
    allowZeroLengthClientId: listener.allowZeroLengthClientid,
    autoIdPrefix: listener.autoIdPrefix,
    clientIdPrefix: global.clientidPrefixes ?? '',
    useUsernameAsClientId: listener.useUsernameAsClientid,
    useCertificateIdentity: listener.useIdentityAsUsername || listener.useSubjectAsUsername,
    mountPoint: Buffer.from(listener.mountPoint ?? ''),
  };
}

/** Where certificates or nothing say who a client is, there is no password to prove. */
function methodsOf(
  listener: ListenerConfig,
  checks: PasswordChecks,
  ways: WaysIn,
  place: Place,
): AuthenticationMethods | undefined {
  const { useIdentityAsUsername, useSubjectAsUsername } = listener;
  // A user of both would come in by the file's password although dynamic security decides about it.
  if (ways.dynsec !== null) return undefined;
  if (!listener.scram || listener.passwordFile === null || useIdentityAsUsername || useSubjectAsUsername)
    return undefined;
  // Asks for the users of the moment, so that a reload holds for exchanges under way.
  const users = (): ListenerAuthenticator['users'] => place.authenticator.current.users;
  return new Map([[passwordScramName, passwordScram(users, checks.throttle, checks.randomBytes)]]);
}

/** What TLS takes from a listener's configuration; null for a listener without certificate. */
export function tlsSettingsOf(listener: ListenerConfig): TlsListenerSettings | null {
  if (listener.certfile === null || listener.keyfile === null) return null;
  return {
    certFile: listener.certfile,
    keyFile: listener.keyfile,
    caFile: listener.cafile,
    caPath: listener.capath,
    requireCertificate: listener.requireCertificate,
    tlsVersion: listener.tlsVersion,
    ciphers: listener.ciphers,
    ciphersTls13: listener.ciphersTls13,
    crlFile: listener.crlfile,
  };
}
