/** Clients that are bytes on a socket. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Version } from './bytes.ts';
import { type ByteStream, Peer } from './peer.ts';
import { type WebSocketOptions, WebSocketStream } from './websocket.ts';

export type TransportName = 'tcp' | 'ws' | 'tls';

/** What is used where a test does not say: every statement is about bytes, and holds on every transport. */
export const usualTransport = transportOf(process.env['MQTT_TRANSPORT'] ?? 'tcp');

function transportOf(name: string): TransportName {
  if (name === 'tcp' || name === 'ws' || name === 'tls') return name;
  throw new Error(`MQTT_TRANSPORT=${name}: expected tcp, ws or tls`);
}

export interface OpenOptions {
  /** 5 when absent */
  readonly version?: Version;
  /** {@link usualTransport} when absent */
  readonly transport?: TransportName;
  /** The certificate that is trusted, for tls. */
  readonly ca?: string | Buffer;
  readonly webSocket?: WebSocketOptions;
}

/** A socket as a stream of bytes. */
class SocketStream implements ByteStream {
  onData: (bytes: Buffer) => void = () => {};
  onEnd: () => void = () => {};
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('error', () => {}); // a reset is followed by close
    socket.on('close', () => this.onEnd());
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** The server's end of an accepted socket, or the client's of an open one. */
export function streamOf(socket: Socket): ByteStream {
  return new SocketStream(socket);
}

/** The client's end of a Network Connection to a port of this machine; nothing is sent yet. */
export class RawClient extends Peer {
  static async open(port: number, options: OpenOptions = {}): Promise<RawClient> {
    return new RawClient(await openStream(port, options), options.version ?? 5, 'server');
  }

  /** The WebSocket under the connection, for tests about frames. */
  get webSocket(): WebSocketStream {
    if (this.stream instanceof WebSocketStream) return this.stream;
    throw new Error('not a WebSocket connection');
  }
}

async function openStream(
  port: number,
  { transport = usualTransport, ca, webSocket }: OpenOptions,
): Promise<ByteStream> {
  if (transport === 'ws') return WebSocketStream.open(port, webSocket);
  const socket =
    transport === 'tls'
      ? connectTls({ port, host: '127.0.0.1', servername: 'localhost', ...(ca === undefined ? {} : { ca }) })
      : connect(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return streamOf(socket);
}
