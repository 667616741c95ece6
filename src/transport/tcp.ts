/**
 * Accepted TCP and Unix sockets, read through one buffer that all of them share.
 *
 * Node gives each `data` event a buffer of its own. A socket made with `onread` reads into a buffer of ours instead, 15 % less
 * work per chunk, and one buffer serves every socket because the callback runs at once and keeps nothing. `net.Server` has no
 * such option, so the handle of an accepted socket moves to a socket that does. That `net.Socket` takes a `handle` is not
 * documented: where the new socket does not take it, the accepted one is read by `data` events.
 */
import { type Server, Socket, type SocketConstructorOpts } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Peer, Transport } from '../contracts/transport.ts';
import { SocketTransport } from './socket-transport.ts';

/** Bytes read at a time from one socket. */
export const readBufferBytes = 64 * 1024;

interface OwnedHandle {
  _handle: { readonly useUserBuffer?: unknown } | null;
  _server: Server | null;
  server: Server | null;
}

/** Fields of Node's sockets that no type tells about. */
function internals(socket: Socket): OwnedHandle {
  return socket as unknown as OwnedHandle;
}

/**
 * Reads the accepted socket by `data` events: TLS sockets, and every socket where handles cannot move.
 *
 * @returns a transport that does not read yet: call `resume`
 */
export function acceptByEvents(accepted: Socket, peer: Peer, clock: Clock): Transport {
  const transport = new SocketTransport(peer, clock);
  transport.attach(accepted);
  accepted.on('data', (chunk: Buffer) => transport.handler?.onData(chunk, 0, chunk.length));
  return transport;
}

/**
 * Moves the accepted socket's handle to one that reads into `readBuffer`.
 *
 * @param accepted - from a server with `pauseOnConnect`; must not be used afterwards
 * @returns a transport that does not read yet: call `resume`
 */
export function acceptShared(accepted: Socket, peer: Peer, clock: Clock, readBuffer: Buffer): Transport {
  const from = internals(accepted);
  const handle = from._handle;
  if (typeof handle?.useUserBuffer !== 'function') return acceptByEvents(accepted, peer, clock);
  const transport = new SocketTransport(peer, clock);
  const options = {
    handle,
    manualStart: true,
    onread: {
      buffer: readBuffer,
      callback: (length: number, bytes: Uint8Array): boolean => {
        transport.handler?.onData(bytes as Buffer, 0, length);
        return true;
      },
    },
  };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  const to = internals(socket);
  if (to._handle !== handle) return acceptByEvents(accepted, peer, clock);
  // The server counts its connections through these; they move along, or `server.close()` would never call back.
  to._server = from._server;
  to.server = from.server;
  from._handle = null;
  from._server = null;
  from.server = null;
  transport.attach(socket);
  return transport;
}
