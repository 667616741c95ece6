/** Reads the PROXY header of an accepted socket and hands the socket on, with the bytes behind the header still unread. */
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { type ProxyHeader, type ProxyParsing, parseProxyHeader } from './proxy-protocol.ts';

/** Time for the header; a load balancer sends it at once. */
const headerMs = 10_000;

/** How it ended without a header; the socket is closed already. */
export type ProxyFailure = Exclude<ProxyParsing['kind'], 'header' | 'incomplete'> | 'closed' | 'timeout';

export interface ProxyPreambleEvents {
  /** The socket is paused. */
  onHeader(header: ProxyHeader): void;
  onFailure(failure: ProxyFailure): void;
}

/** @param socket - accepted and paused */
export function readProxyHeader(socket: Socket, version: 1 | 2, clock: Clock, events: ProxyPreambleEvents): void {
  let received: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    timer.cancel();
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onEnd);
  };
  const giveUp = (failure: ProxyFailure): void => {
    stop();
    socket.destroy();
    events.onFailure(failure);
  };
  const onEnd = (): void => giveUp('closed');
  const onData = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const parsed = parseProxyHeader(version, received);
    if (parsed.kind === 'incomplete') return;
    if (parsed.kind !== 'header') {
      giveUp(parsed.kind);
      return;
    }
    stop();
    socket.pause();
    if (parsed.length < received.length) socket.unshift(received.subarray(parsed.length));
    events.onHeader(parsed.header);
  };
  const timer = clock.after(headerMs, () => giveUp('timeout'));
  // What goes wrong is followed by 'close'; whoever takes the socket over listens for itself.
  socket.on('error', () => {});
  socket.on('data', onData);
  socket.once('end', onEnd);
  socket.once('close', onEnd);
  socket.resume();
}
