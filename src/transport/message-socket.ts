/** WebSockets that carry text messages: for the live feed of the web console. MQTT has its own frames, see `websocket.ts`. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

export interface MessageSocketHandler {
  onText(text: string): void;
  onClose(): void;
}

export interface MessageSocket {
  handler: MessageSocketHandler | null;
  /** Bytes that the peer has not taken yet. */
  readonly pendingBytes: number;
  send(text: string): void;
  /** @param code - 1000..4999 (RFC 6455 §7.4) */
  close(code: number, reason: string): void;
  /** Asks whether the peer is there; cuts off one that did not answer the last time. */
  probe(): void;
}

/** Turns upgrade requests of an HTTP server into sockets. */
export class MessageSocketServer {
  readonly #server: WebSocketServer;

  /** @param messageBytesMax - a longer message of the peer ends its connection */
  constructor(messageBytesMax: number) {
    this.#server = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onSocket: (socket: MessageSocket) => void): void {
    this.#server.handleUpgrade(request, socket, head, (accepted) => onSocket(new AcceptedSocket(accepted)));
  }
}

class AcceptedSocket implements MessageSocket {
  handler: MessageSocketHandler | null = null;
  readonly #socket: WebSocket;
  #hasAnswered = true;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.close(1003, 'text only');
      else this.handler?.onText(data.toString());
    });
    socket.on('pong', () => {
      this.#hasAnswered = true;
    });
    // What was wrong is told by the close that follows.
    socket.on('error', () => {});
    socket.on('close', () => this.handler?.onClose());
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  probe(): void {
    if (!this.#hasAnswered) {
      this.#socket.terminate();
      return;
    }
    this.#hasAnswered = false;
    this.#socket.ping();
  }
}
