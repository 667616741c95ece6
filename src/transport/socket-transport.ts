/** Writing and closing as every `net.Socket` does it; how bytes are read is the caller's choice. */
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Peer, Transport, TransportHandler } from '../contracts/transport.ts';

/** How long a peer may take to accept the last bytes of a connection that ends. */
const lingerMs = 5000;
const noBytes = Buffer.alloc(0);

export class SocketTransport implements Transport {
  readonly peer: Peer;
  handler: TransportHandler | null = null;
  readonly #clock: Clock;
  #socket: Socket | null = null;
  #awaitsDrain = false;
  #errorCode: string | null = null;

  constructor(peer: Peer, clock: Clock) {
    this.peer = peer;
    this.#clock = clock;
  }

  /** Binds the socket; a second step because the read callback of a socket is part of its construction. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#errorCode = error.code ?? error.message;
    });
    socket.once('close', () => {
      this.#socket = null;
      this.handler?.onClose(this.#errorCode);
    });
  }

  get pendingBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  write(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket === null || !socket.writable) return;
    socket.write(bytes);
    if (socket.writableLength === 0 || this.#awaitsDrain) return;
    // The operating system did not take all of it: an empty write behind it tells when it has.
    this.#awaitsDrain = true;
    socket.write(noBytes, () => {
      this.#awaitsDrain = false;
      if (this.#socket === null) return;
      if (this.#socket.writableLength > 0) this.write(noBytes);
      else this.handler?.onDrain();
    });
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  end(): void {
    const socket = this.#socket;
    if (socket === null) return;
    socket.end();
    // Bytes of the peer that nobody reads would turn the close into a reset and take the last packet with it.
    socket.resume();
    const timer = this.#clock.after(lingerMs, () => socket.destroy());
    socket.once('close', () => timer.cancel());
  }

  destroy(): void {
    this.#socket?.destroy();
  }
}
