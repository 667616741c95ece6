/**
 * MQTT in binary WebSocket frames (MQTT 5.0 §6). Frame boundaries mean nothing; every write becomes one frame.
 *
 * The frames are read here and not by a library, because what a peer announces must not be gathered before the decoder of
 * MQTT has seen its first bytes: see `websocket-frames.ts`.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Clock, Timer } from '../base/clock.ts';
import type { Peer, Transport, TransportHandler } from '../contracts/transport.ts';
import { SocketTransport } from './socket-transport.ts';
import {
  binaryFrame,
  CloseCode,
  closeFrame,
  FrameReader,
  type FrameSink,
  pongFrame,
  WebSocketError,
} from './websocket-frames.ts';

/** Subprotocols that are MQTT; one that the client offers is echoed. [MQTT-6.0.0-3] [MQTT-6.0.0-4] */
const subprotocols = ['mqtt', 'mqttv3.1'];
/** RFC 6455 §1.3 */
const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Time for the handshake; whoever has shaken hands has its time to send CONNECT. */
const handshakeMs = 10_000;

class WebSocketTransport implements Transport, TransportHandler, FrameSink {
  readonly peer: Peer;
  handler: TransportHandler | null = null;
  readonly #stream: SocketTransport;
  readonly #frames = new FrameReader();
  #isEnding = false;

  constructor(socket: Socket, peer: Peer, clock: Clock, hasNoDelay: boolean) {
    this.peer = peer;
    this.#stream = new SocketTransport(peer, clock, hasNoDelay);
    this.#stream.attach(socket);
    this.#stream.handler = this;
    socket.on('data', (chunk: Buffer) => this.onData(chunk, 0, chunk.length));
    // HTTP lets its sockets be half open; here whoever sends nothing more is done with, as over TCP.
    socket.on('end', () => this.#stream.end());
  }

  // What the socket tells.

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.#isEnding) return;
    try {
      this.#frames.push(chunk, start, end, this);
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      this.#end(closeFrame(error.closeCode));
    }
  }

  onDrain(): void {
    this.handler?.onDrain();
  }

  onClose(code: string | null): void {
    this.#isEnding = true;
    this.handler?.onClose(code);
  }

  // What the frames tell.

  onPayload(bytes: Buffer, start: number, end: number): void {
    this.handler?.onData(bytes, start, end);
  }

  onPing(payload: Buffer): void {
    // Whoever does not read its answers is not answered, so that they never gather.
    if (!this.#isEnding && this.#stream.pendingBytes === 0) this.#stream.write(pongFrame(payload));
  }

  onCloseFrame(payload: Buffer): void {
    this.#end(closeFrame(payload));
  }

  // What the connection asks for.

  /** Every write is put into a frame. */
  get copiesBytes(): boolean {
    return true;
  }

  get pendingBytes(): number {
    return this.#stream.pendingBytes;
  }

  write(bytes: Buffer, answerFrom = 0): void {
    if (this.#isEnding) return;
    if (answerFrom === 0) {
      this.#stream.write(binaryFrame(bytes));
      return;
    }
    const first = binaryFrame(bytes.subarray(0, answerFrom));
    this.#stream.write(Buffer.concat([first, binaryFrame(bytes.subarray(answerFrom))]), first.length);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#end(closeFrame(CloseCode.normal));
  }

  destroy(): void {
    this.#isEnding = true;
    this.#stream.destroy();
  }

  /** Closes without waiting for the peer's Close frame: it has nothing to tell, and the socket lingers for it to be read. */
  #end(frame: Buffer): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stream.write(frame);
    this.#stream.end();
  }
}

export interface WebSocketListenerOptions {
  /** Certificates for `wss`; null for plain `ws`. */
  readonly tls: (TlsOptions & SecureContextOptions) | null;
  /** Origins that browsers may come from; empty = any. A request without Origin is not a browser's and passes. */
  readonly origins: readonly string[];
  /** Bytes of request headers accepted. */
  readonly headerBytesMax: number;
  /** `set_tcp_nodelay`. */
  readonly noDelay: boolean;
  readonly clock: Clock;
  readonly peerOf: (request: IncomingMessage) => Peer;
  readonly onTransport: (transport: Transport) => void;
  /** A handshake was refused because of its Origin. */
  readonly onForeignOrigin: (peer: Peer) => void;
}

/** An HTTP(S) server, not listening yet, whose upgrades become transports. */
export function createWebSocketServer(options: WebSocketListenerOptions): Server {
  const httpOptions = { maxHeaderSize: options.headerBytesMax, noDelay: options.noDelay };
  const server =
    options.tls === null
      ? createServer(httpOptions)
      : (createSecureServer({ ...httpOptions, ...options.tls, handshakeTimeout: handshakeMs }) as Server);
  const handshakes = new WeakMap<Socket, Timer>();
  // With TLS this is told when that handshake is over, which has a limit of its own.
  server.on(options.tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    const timer = options.clock.after(handshakeMs, () => socket.destroy());
    handshakes.set(socket, timer);
    socket.once('close', () => timer.cancel());
  });
  server.on('request', (_request, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain', Connection: 'close', Upgrade: 'websocket' });
    response.end('This port speaks MQTT over WebSocket (subprotocol "mqtt").\n');
  });
  // Node hands on the socket that it accepted, net.Socket or tls.TLSSocket.
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const { origin } = request.headers;
    if (options.origins.length > 0 && origin !== undefined && !options.origins.includes(origin)) {
      options.onForeignOrigin(options.peerOf(request));
      socket.destroy();
      return;
    }
    const answer = handshakeAnswer(request);
    socket.write(answer.text);
    if (!answer.isAccepted) {
      socket.end();
      return;
    }
    handshakes.get(socket)?.cancel();
    const transport = new WebSocketTransport(socket, options.peerOf(request), options.clock, options.noDelay);
    options.onTransport(transport);
    if (head.length > 0) transport.onData(head, 0, head.length);
  });
  return server;
}

/** The answer to an upgrade (RFC 6455 §4.2). Mosquitto: these headers, in this order and spelling. */
function handshakeAnswer({ method, headers }: IncomingMessage): {
  readonly isAccepted: boolean;
  readonly text: string;
} {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const subprotocol = subprotocols.find((name) => offered.includes(name));
  const key = headers['sec-websocket-key'];
  if (headers['sec-websocket-version'] !== '13') {
    return { isAccepted: false, text: refusal('426 Upgrade Required', 'Sec-WebSocket-Version: 13\r\n') };
  }
  const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket' && key !== undefined && keyPattern.test(key);
  if (method !== 'GET' || !isWebSocket || subprotocol === undefined) {
    return { isAccepted: false, text: refusal('400 Bad Request', '') };
  }
  const accept = createHash('sha1').update(key).update(acceptGuid).digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: WebSocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ];
  return { isAccepted: true, text: `${lines.join('\r\n')}\r\n\r\n` };
}

/** 16 bytes in base64 */
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;

function refusal(status: string, headers: string): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\n${headers}Content-Length: 0\r\n\r\n`;
}
