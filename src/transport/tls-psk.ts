/** TLS by pre-shared keys: no certificates, and TLS 1.2, as Mosquitto has it with a `psk_file`. */
import { constants as cryptoConstants } from 'node:crypto';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { type TlsMaterial, TlsSetupError } from './tls-context.ts';

export interface PskSettings {
  /** Sent to clients, so that they know which key is meant. */
  readonly hint: string;
  /** OpenSSL cipher list; null is every cipher with pre-shared keys that is not weak. */
  readonly ciphers: string | null;
  /** The key of an identity now; undefined for one that is not known. */
  readonly keyOf: (identity: string) => Buffer | undefined;
}

const defaultCiphers = 'kECDHEPSK:kDHEPSK:kPSK:!aNULL:!eNULL:!LOW:!EXPORT:!MD5:@STRENGTH';

/**
 * What a server needs.
 *
 * @throws TlsSetupError - when the cipher list means nothing
 */
export function pskMaterial({ hint, ciphers, keyOf }: PskSettings): TlsMaterial & {
  /** The identity whose key the client has. */
  readonly identityOf: (socket: TLSSocket) => string | null;
} {
  const identities = new WeakMap<TLSSocket, string>();
  const list = ciphers ?? defaultCiphers;
  try {
    createSecureContext({ ciphers: list, maxVersion: 'TLSv1.2' });
  } catch (error) {
    throw new TlsSetupError(
      `Error: Unable to set TLS ciphers. Check cipher list "${list}".`,
      `Error: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  return {
    serverOptions: {
      ciphers: list,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      honorCipherOrder: true,
      secureOptions: cryptoConstants.SSL_OP_NO_COMPRESSION | cryptoConstants.SSL_OP_NO_RENEGOTIATION,
      pskIdentityHint: hint,
      pskCallback: (socket, identity) => {
        const key = keyOf(identity);
        if (key === undefined) return null;
        identities.set(socket, identity);
        return key;
      },
    },
    certificates: [],
    warnings: [],
    identityOf: (socket) => identities.get(socket) ?? null,
  };
}
