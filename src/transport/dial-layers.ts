/** The rarer ways out: look-ups, a proxy, TLS and WebSocket on top of one another. */
import { promises as dns } from 'node:dns';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { type DialTarget, type LayeredSocket, localEnd } from './dial.ts';
import { DialError, type DialStep } from './dial-error.ts';

/** Told while the connection is made. */
export interface DialProgress {
  /** The next step begins, so that a failure can be named. */
  onStep(step: DialStep): void;
  /** A socket was made; destroying it ends the attempt. */
  onSocket(socket: Socket): void;
}

/**
 * Makes the connection step by step.
 *
 * @returns a connected stream
 */
export async function dialThroughLayers(target: DialTarget, progress: DialProgress): Promise<LayeredSocket> {
  progress.onStep('lookup');
  const local = await localAddress(target.localAddress);
  if ('path' in target.address) {
    progress.onStep('connect');
    const socket = await connected(connectSocket({ path: target.address.path }), progress);
    return wrap(socket, 'localhost', target, progress);
  }
  let failure: unknown;
  for (const { host, port } of await candidates(target)) {
    try {
      progress.onStep('connect');
      const first = target.proxy ?? { host, port };
      const socket = await connected(
        connectSocket({ ...localEnd(local), host: first.host, port: first.port, noDelay: true }),
        progress,
      );
      if (target.proxy !== undefined) {
        progress.onStep('proxy');
        const { connectThroughSocks } = await import('./socks.ts');
        await connectThroughSocks(socket, target.proxy, host, port);
      }
      return await wrap(socket, host, target, progress);
    } catch (error) {
      failure = error;
      // Only an address that does not answer sends us to the next one.
      if (!(error instanceof Error) || !('syscall' in error || 'errors' in error)) throw error;
    }
  }
  throw failure;
}

async function candidates(target: DialTarget): Promise<readonly { readonly host: string; readonly port: number }[]> {
  if (!('domain' in target.address)) {
    if ('path' in target.address) return [];
    return [target.address];
  }
  const service = target.tls === undefined ? '_mqtt._tcp' : '_secure-mqtt._tcp';
  const name = `${service}.${target.address.domain}`;
  const records = await dns.resolveSrv(name);
  // RFC 2782: lowest priority first; of equal ones those with more weight come first here, which keeps tests repeatable.
  const sorted = [...records].sort((a, b) => a.priority - b.priority || b.weight - a.weight);
  if (sorted.length === 0) throw new DialError('lookup', `no service records for ${name}`, 'ENODATA');
  return sorted.map((record) => ({ host: record.name, port: record.port }));
}

async function localAddress(name: string | undefined): Promise<string | undefined> {
  if (name === undefined || isIP(name) !== 0) return name;
  return (await dns.lookup(name)).address;
}

function connected(socket: Socket, progress: DialProgress): Promise<Socket> {
  progress.onSocket(socket);
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new DialError('connect', 'given up'));
    socket.once('error', reject);
    socket.once('close', onClose);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.off('close', onClose);
      resolve(socket);
    });
  });
}

async function wrap(socket: Socket, host: string, target: DialTarget, progress: DialProgress): Promise<LayeredSocket> {
  let stream: Socket = socket;
  if (target.tls !== undefined) {
    progress.onStep('tls');
    const { startTls } = await import('./dial-tls.ts');
    stream = await startTls(socket, host, target.tls);
  }
  if (target.websocket === undefined) return stream;
  progress.onStep('websocket');
  const { startWebSocket } = await import('./dial-websocket.ts');
  return startWebSocket(stream, host, target);
}
