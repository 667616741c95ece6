/** TLS on an outgoing connection. */
import type { Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import type { TlsTarget } from './dial.ts';
import { DialError, dialErrorOf } from './dial-error.ts';
import { authoritiesOfDirectory, certificatesIn, systemAuthorities } from './system-authorities.ts';

/**
 * Shakes hands over a connected socket.
 *
 * @param host - checked against the certificate unless the target names another
 * @returns the encrypted stream; rejects with Node's error, whose `code` names what was wrong
 */
export function startTls(socket: Socket, host: string, target: TlsTarget): Promise<TLSSocket> {
  const stream = begin(socket, host, target);
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('the connection was closed during the TLS handshake'));
    stream.once('error', reject);
    stream.once('close', onClose);
    if (target.onKeyLog !== undefined) stream.on('keylog', target.onKeyLog);
    stream.once('secureConnect', () => {
      stream.off('error', reject);
      stream.off('close', onClose);
      resolve(stream);
    });
  });
}

/** Ciphers, certificates and keys that make no sense are found before a byte is sent. */
function begin(socket: Socket, host: string, target: TlsTarget): TLSSocket {
  try {
    return connect({ socket, ...tlsOptions(host, target) });
  } catch (error) {
    socket.destroy();
    throw dialErrorOf('tls-setup', error);
  }
}

function tlsOptions(host: string, target: TlsTarget): ConnectionOptions {
  const name = target.serverName ?? host;
  const verify = target.verify ?? 'full';
  return {
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
    host: name,
    rejectUnauthorized: verify !== 'none' && target.psk === undefined,
    ...(verify === 'full' ? { checkServerIdentity } : { checkServerIdentity: () => undefined }),
    ...(target.certificate !== undefined && { cert: target.certificate }),
    ...(target.key !== undefined && { key: target.key }),
    ...(target.passphrase !== undefined && { passphrase: target.passphrase }),
    ...(target.ciphers !== undefined && { ciphers: target.ciphers }),
    minVersion: target.minimumVersion ?? 'TLSv1.2',
    ...(target.maximumVersion !== undefined && { maxVersion: target.maximumVersion }),
    ...(target.alpn !== undefined && { ALPNProtocols: [target.alpn] }),
    ...(target.psk === undefined ? { ca: authorities(target) } : pskOptions(target)),
  };
}

function authorities(target: TlsTarget): (string | Buffer)[] {
  const { authorities: given, authorityDirectory } = target;
  if (given === undefined && authorityDirectory === undefined) return [...systemAuthorities()];
  if (given?.every((authority) => certificatesIn(authority.toString('latin1')).length === 0)) {
    throw new DialError('tls-setup', 'the file of authorities holds no certificate');
  }
  return [...(given ?? []), ...directoryOrNothing(authorityDirectory)];
}

/** OpenSSL takes a directory that does not exist for an empty one: nobody is trusted then. */
function directoryOrNothing(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  try {
    return authoritiesOfDirectory(path);
  } catch {
    return [];
  }
}

/** OpenSSL's client call-back for shared keys works with the cipher suites of TLS 1.2. */
function pskOptions(target: TlsTarget): ConnectionOptions {
  const { psk } = target;
  if (psk === undefined) return {};
  return {
    pskCallback: () => ({ identity: psk.identity, psk: psk.key }),
    maxVersion: 'TLSv1.2',
    ciphers: target.ciphers ?? 'PSK',
    checkServerIdentity: () => undefined,
  };
}
