/** Handshakes that fail: who it was and why, for the log. */
import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';

/**
 * Calls back for each connection that never becomes a TLS connection.
 *
 * @param onFailure - `reason` in words, without a full stop
 */
export function watchHandshakes(
  server: Server,
  onFailure: (address: string, port: number, reason: string) => void,
): void {
  // Node remembers the address of a socket once it was asked for, and a socket that failed can no longer tell it.
  server.on('connection', (socket: Socket) => void socket.remoteAddress);
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    // The socket below; not in Node's types, and gone from it one day perhaps.
    const { _parent: below } = socket as unknown as { readonly _parent?: Socket | null };
    const address = socket.remoteAddress ?? below?.remoteAddress ?? 'unknown';
    const port = socket.remotePort ?? below?.remotePort ?? 0;
    onFailure(address.replace(/^::ffff:(?=\d+\.)/, ''), port, handshakeFailure(error, socket));
  });
}

/** Why a handshake failed: the verdict on the client's certificate where there is one, else OpenSSL's reason. */
export function handshakeFailure(error: NodeJS.ErrnoException, socket: Pick<TLSSocket, 'authorizationError'>): string {
  // Its type says Error; in truth it is a code such as 'CERT_HAS_EXPIRED', or null.
  const verdict = socket.authorizationError as unknown;
  if (typeof verdict === 'string') return `client certificate refused (${verdict})`;
  switch (error.code) {
    case 'ECONNRESET':
      return 'connection closed by client';
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'TLS handshake timed out';
    default: {
      const { reason } = error as { readonly reason?: unknown };
      return typeof reason === 'string' ? reason : (error.code ?? error.message);
    }
  }
}
