/**
 * MQTT in binary WebSocket frames (MQTT 5.0 §6). Frame boundaries mean nothing; every write becomes one frame.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Peer, Transport, TransportHandler } from '../contracts/transport.ts';

/** Subprotocols that are MQTT; one that the client offers is echoed. [MQTT-6.0.0-3] [MQTT-6.0.0-4] */
const subprotocols = ['mqtt', 'mqttv3.1'];
/** A frame may hold many packets, but none has to be larger than the largest packet MQTT knows. */
const framePayloadBytesMax = 256 * 1024 * 1024;

class WebSocketTransport implements Transport {
  readonly peer: Peer;
  handler: TransportHandler | null = null;
  readonly #socket: WebSocket;
  #errorCode: string | null = null;
  #awaitsDrain = false;

  constructor(socket: WebSocket, peer: Peer) {
    this.#socket = socket;
    this.peer = peer;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      // [MQTT-6.0.0-1]
      if (!isBinary) socket.close(1003);
      else this.handler?.onData(data, 0, data.length);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#errorCode = error.code ?? error.message;
    });
    socket.on('close', () => this.handler?.onClose(this.#errorCode));
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  write(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    if (this.#awaitsDrain) {
      socket.send(bytes);
      return;
    }
    socket.send(bytes, () => this.#written());
    if (socket.bufferedAmount > 0) this.#awaitsDrain = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    // `ws` waits for the peer's closing frame and cuts it off when none comes.
    this.#socket.close(1000);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #written(): void {
    if (!this.#awaitsDrain) return;
    if (this.#socket.bufferedAmount > 0) {
      this.#socket.send(Buffer.alloc(0), () => this.#written());
      return;
    }
    this.#awaitsDrain = false;
    this.handler?.onDrain();
  }
}

export interface WebSocketListenerOptions {
  /** Certificates for `wss`; null for plain `ws`. */
  readonly tls: (TlsOptions & SecureContextOptions) | null;
  /** Origins that browsers may come from; empty = any. A request without Origin is not a browser's and passes. */
  readonly origins: readonly string[];
  /** Bytes of request headers accepted. */
  readonly headerBytesMax: number;
  readonly peerOf: (request: IncomingMessage) => Peer;
  readonly onTransport: (transport: Transport) => void;
  /** A handshake was refused because of its Origin. */
  readonly onForeignOrigin: (peer: Peer) => void;
}

/** An HTTP(S) server, not listening yet, whose upgrades become transports. */
export function createWebSocketServer(options: WebSocketListenerOptions): Server {
  const httpOptions = { maxHeaderSize: options.headerBytesMax, noDelay: true };
  const server =
    options.tls === null
      ? createServer(httpOptions)
      : (createSecureServer({ ...httpOptions, ...options.tls }) as Server);
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: framePayloadBytesMax,
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  // Mosquitto: this spelling and this order of headers.
  upgrader.on('headers', (headers) => {
    const index = headers.indexOf('Upgrade: websocket');
    if (index >= 0) headers[index] = 'Upgrade: WebSocket';
  });
  server.on('request', (_request, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain', Connection: 'close', Upgrade: 'websocket' });
    response.end('This port speaks MQTT over WebSocket (subprotocol "mqtt").\n');
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const { origin } = request.headers;
    if (options.origins.length > 0 && origin !== undefined && !options.origins.includes(origin)) {
      options.onForeignOrigin(options.peerOf(request));
      socket.destroy();
      return;
    }
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!subprotocols.some((name) => offered.includes(name))) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    upgrader.handleUpgrade(request, socket, head, (webSocket) => {
      options.onTransport(new WebSocketTransport(webSocket, options.peerOf(request)));
    });
  });
  return server;
}
