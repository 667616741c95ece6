/** Configuration → the plain records that the engine and its connections work with. */
import { readFileSync } from 'node:fs';
import type { Limits } from '../broker/limits.ts';
import { defaultLimits } from '../broker/limits.ts';
import type { Config, ListenerConfig } from '../config/config.ts';
import type { ListenerPolicy } from '../connection/policy.ts';
import type { LogType } from '../contracts/logger.ts';
import type { LogSettings } from '../observe/logger.ts';
import { ListenerAuthenticator } from '../security/listener-authenticator.ts';
import { parsePasswordFile } from '../security/password-file.ts';
import type { PasswordHash } from '../security/password-hash.ts';
import { StartError } from './start-error.ts';

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

export function limitsOf({ global }: Config): Limits {
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
    socketBytesSoftMax: defaultLimits.socketBytesSoftMax,
    socketBytesHardMax: defaultLimits.socketBytesHardMax,
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
  readonly authenticator: Pick<ListenerAuthenticator, 'authenticate' | 'stillAllows'>;
}

/**
 * The rules of one listener; reads its password file.
 *
 * @throws StartError - 13 when the password file cannot be read, 3 when a line of it is wrong
 */
export function policyOf(listener: ListenerConfig, { global }: Config): DerivedPolicy {
  const users = listener.passwordFile === null ? null : readUsers(listener.passwordFile);
  return {
    port: listener.port,
    authenticator: new ListenerAuthenticator(users, listener.allowAnonymous),
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

function readUsers(path: string): ReadonlyMap<string, PasswordHash> {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const lines = [`password-file: Error: Unable to open pwfile "${path}".`];
    if (code === 'EISDIR') lines.push(`Error: ${path} is not a file.`);
    else if (code === 'EACCES') lines.push(`Error: ${path}: Permission denied.`);
    throw new StartError(lines, 13, { cause: error });
  }
  const { users, problems } = parsePasswordFile(content, path);
  if (problems.length > 0) {
    const lines = problems.flatMap(({ line, message }) => [
      `password-file: Error: ${message}`,
      `${path}:${line}: ${message}`,
    ]);
    throw new StartError(lines, 3);
  }
  return users;
}
