/** TLS of one listener: by certificates, or by pre-shared keys. */
import type { TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/config.ts';
import type { Logger } from '../contracts/logger.ts';
import type { TlsMaterial } from '../transport/tls-context.ts';
import { tlsSettingsOf } from './derive.ts';
import { StartError } from './start-error.ts';

export interface ListenerTls {
  readonly material: TlsMaterial;
  /** The user name that the client proved, where the listener takes one from TLS. */
  readonly identityOf: (socket: TLSSocket, config: ListenerConfig) => string | null;
  /** The identity whose pre-shared key the client has; null with certificates. */
  readonly pskIdentityOf: (socket: TLSSocket) => string | null;
  /** Whether a client may go on whose certificate OpenSSL has seen. */
  readonly accepts: (socket: TLSSocket) => boolean;
}

/** Pre-shared keys in force; a reload replaces them. */
export interface PskKeys {
  keys: ReadonlyMap<string, Buffer>;
}

/**
 * Reads what the listener needs; nothing for a plain one.
 *
 * @param psk - where the listener's keys are looked up
 * @throws StartError - 1, with Mosquitto's line
 */
export async function loadListenerTls(
  listener: ListenerConfig,
  psk: PskKeys,
  logger: Logger,
  nowMs: number,
): Promise<ListenerTls | null> {
  const settings = tlsSettingsOf(listener);
  if (settings === null && listener.pskHint === null) return null;
  const { expiryWarnings, loadTls, TlsSetupError } = await import('../transport/tls-context.ts');
  try {
    if (settings === null) return await byKeys(listener, psk);
    const material = loadTls(settings);
    for (const line of [...material.warnings, ...expiryWarnings(material, nowMs)]) logger.log('warning', line);
    return await byCertificates(listener, material);
  } catch (error) {
    if (!(error instanceof TlsSetupError)) throw error;
    throw new StartError(error.lines, error.exitCode, { cause: error });
  }
}

async function byKeys({ pskHint, ciphers }: ListenerConfig, psk: PskKeys): Promise<ListenerTls> {
  const { pskMaterial } = await import('../transport/tls-psk.ts');
  const material = pskMaterial({ hint: pskHint ?? '', ciphers, keyOf: (identity) => psk.keys.get(identity) });
  return {
    material,
    identityOf: (socket, { useIdentityAsUsername }) => (useIdentityAsUsername ? material.identityOf(socket) : null),
    pskIdentityOf: material.identityOf,
    accepts: () => true,
  };
}

async function byCertificates(listener: ListenerConfig, material: TlsMaterial): Promise<ListenerTls> {
  const { certificateIdentity } = await import('../security/certificate-identity.ts');
  const identityOf: ListenerTls['identityOf'] = (socket, { useIdentityAsUsername, useSubjectAsUsername }) => {
    if (!useIdentityAsUsername && !useSubjectAsUsername) return null;
    const { raw } = socket.getPeerCertificate();
    if (raw === undefined) return null;
    return certificateIdentity(raw, useIdentityAsUsername ? 'common-name' : 'subject');
  };
  const common = { identityOf, pskIdentityOf: () => null };
  if (!listener.disableClientCertDateChecks || !listener.requireCertificate) {
    return { ...common, material, accepts: () => true };
  }
  const { isGoodButForDates } = await import('../transport/tls-dates.ts');
  const { ca, crl } = material.serverOptions;
  // `loadTls` makes lists of texts of both.
  const trust = { authorities: ca as string[], revocations: (crl as string[] | undefined)?.join('\n') ?? null };
  return {
    ...common,
    material: { ...material, serverOptions: { ...material.serverOptions, rejectUnauthorized: false } },
    accepts: (socket) => isGoodButForDates(socket, trust),
  };
}
