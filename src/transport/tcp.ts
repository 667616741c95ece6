/** Accepted TCP, TLS and Unix sockets become transports. */
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Peer, Transport } from '../contracts/transport.ts';
import type { SharedIo } from './socket-handle.ts';
import { SocketTransport } from './socket-transport.ts';

/**
 * Reads the accepted socket by `data` events: where bytes of it were read before, and every socket whose handle is not as expected.
 *
 * @param hasNoDelay - whether it was made with TCP_NODELAY
 * @returns a transport that does not read yet: call `resume`
 */
export function acceptByEvents(accepted: Socket, peer: Peer, clock: Clock, hasNoDelay = true): Transport {
  const transport = new SocketTransport(peer, clock, hasNoDelay);
  transport.attach(accepted);
  readByEvents(accepted, transport);
  return transport;
}

/**
 * Reads and writes the accepted socket at its handle.
 *
 * @param accepted - from a server with `pauseOnConnect`; of TLS in the call that tells of it, as such a socket reads already
 * @returns a transport whose handler must be set before anything else happens, and that may not read yet: call `resume`
 */
export function acceptShared(accepted: Socket, peer: Peer, clock: Clock, io: SharedIo, hasNoDelay = true): Transport {
  const transport = new SocketTransport(peer, clock, hasNoDelay);
  if (!transport.attach(accepted, io)) readByEvents(accepted, transport);
  return transport;
}

function readByEvents(socket: Socket, transport: SocketTransport): void {
  socket.on('data', (chunk: Buffer) => transport.handler?.onData(chunk, 0, chunk.length));
}
