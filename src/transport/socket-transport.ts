/** Writing and closing as every `net.Socket` does it; read and written at its handle where the caller has a {@link SharedIo}. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { Peer, Transport, TransportHandler } from '../contracts/transport.ts';
import type { HandleOwner, SharedIo, SocketHandle } from './socket-handle.ts';
import { isKnownTls, TlsHandle, writeError } from './tls-handle.ts';

/** How long a peer may take to accept the last bytes of a connection that ends. */
const lingerMs = 5000;
const noBytes = Buffer.alloc(0);

/** A socket that knows its transport, so that all sockets share their listeners. */
interface OwnedSocket extends Socket {
  transport?: SocketTransport;
}

export class SocketTransport implements Transport, HandleOwner {
  readonly peer: Peer;
  handler: TransportHandler | null = null;
  bytesRead = 0;
  readonly #clock: Clock;
  readonly #hasNoDelay: boolean;
  /** Whether Nagle's algorithm is on for an answer, see `write`. */
  #isPaced = false;
  #socket: Socket | null = null;
  #io: SharedIo | null = null;
  /** Where it is read and written; null: at the socket. */
  #handle: SocketHandle | null = null;
  /** What writes at the handle of TLS. */
  #tls: TlsHandle | null = null;
  /** Bytes that wait after a write at the handle. */
  #waitingBytes = 0;
  /** Whether bytes wait in the socket, and an empty write behind them will tell when they have left. */
  #awaitsDrain = false;
  #errorCode: string | null = null;
  /** A write to a TLS socket is over; null: not TLS. */
  #onEncrypted: ((error?: Error | null) => void) | null = null;

  /** @param hasNoDelay - whether the socket was made with TCP_NODELAY */
  constructor(peer: Peer, clock: Clock, hasNoDelay = true) {
    this.peer = peer;
    this.#clock = clock;
    this.#hasNoDelay = hasNoDelay;
  }

  /**
   * Binds the socket.
   *
   * @param io - for sockets that may be read and written at their handle
   * @returns whether reading is taken care of; else the caller listens to `data` events
   */
  attach(socket: Socket, io: SharedIo | null = null): boolean {
    this.#socket = socket;
    (socket as OwnedSocket).transport = this;
    socket.on('error', SocketTransport.#onError);
    // Not `once`, which makes three objects for each socket: there is one close.
    socket.on('close', SocketTransport.#onClose);
    const isTls = (socket as Partial<TLSSocket>).encrypted === true;
    if (isTls) this.#onEncrypted = (error) => this.#encrypted(error);
    const tls = isKnownTls(socket) ? socket : null;
    if (io === null || (isTls && tls === null)) return false;
    this.#io = io;
    this.#handle = io.take(socket, this);
    if (tls !== null && this.#handle !== null) this.#tls = new TlsHandle(tls, this.#handle, io, this);
    return this.#handle !== null;
  }

  static #onError(this: OwnedSocket, error: NodeJS.ErrnoException): void {
    const { transport } = this;
    if (transport !== undefined) transport.#errorCode = error.code ?? error.message;
  }

  static #onClose(this: OwnedSocket): void {
    const { transport } = this;
    if (transport === undefined) return;
    transport.#socket = null;
    transport.#handle = null;
    transport.#tls = null;
    transport.#waitingBytes = 0;
    transport.#awaitsDrain = false;
    transport.handler?.onClose(transport.#errorCode);
  }

  get copiesBytes(): boolean {
    return this.#onEncrypted !== null;
  }

  #encrypted(error?: Error | null): void {
    // Writes that left together are told of one by one, and those that are given up as well.
    if (!this.#awaitsDrain || error || this.#socket === null || this.#socket.writableLength > 0) return;
    this.#awaitsDrain = false;
    this.handler?.onDrain();
  }

  get pendingBytes(): number {
    return this.#awaitsDrain ? this.#waitingBytes + (this.#socket?.writableLength ?? 0) : this.#waitingBytes;
  }

  write(bytes: Buffer, answerFrom = 0): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (answerFrom > 0 || this.#isPaced) this.#writePaced(socket, bytes, answerFrom);
    else this.#writeNow(socket, bytes);
  }

  /**
   * The operating system keeps an answer back until the peer has confirmed what is before it: Nagle's algorithm, for as long as
   * there is nothing else.
   */
  #writePaced(socket: Socket, bytes: Buffer, answerFrom: number): void {
    if (answerFrom === 0) {
      this.#isPaced = false;
      socket.setNoDelay(true);
      this.#writeNow(socket, bytes);
      return;
    }
    this.#writeNow(socket, bytes.subarray(0, answerFrom));
    if (this.#hasNoDelay && !this.#isPaced) {
      this.#isPaced = true;
      // A socket that was accepted may not know that it is on, and would not turn it off.
      socket.setNoDelay(true);
      socket.setNoDelay(false);
    }
    this.#writeNow(socket, bytes.subarray(answerFrom));
  }

  #writeNow(socket: Socket, bytes: Buffer): void {
    if (this.#handle !== null && this.#waitingBytes === 0 && !this.#awaitsDrain) {
      const waiting = this.#tls === null ? this.#io?.write(socket, this.#handle, bytes, this) : this.#tls.write(bytes);
      if (waiting === 0) return;
      if (waiting !== undefined) {
        if (waiting > 0) this.#waitingBytes = waiting;
        else this.#fail(waiting);
        return;
      }
    }
    this.#writeAtSocket(socket, bytes);
  }

  #writeAtSocket(socket: Socket, bytes: Buffer): void {
    if (!socket.writable) return;
    if (this.#onEncrypted !== null) {
      // TLS takes bytes at once, unless an earlier write is under way: then the socket keeps them. It tells of each in the next turn.
      const isKept = socket.writableLength > 0 || this.#tls?.isBusy === true;
      socket.write(isKept ? Buffer.from(bytes) : bytes, this.#onEncrypted);
      this.#awaitsDrain = true;
      return;
    }
    socket.write(bytes);
    if (this.#awaitsDrain || socket.writableLength === 0) return;
    // The operating system did not take all of it: an empty write behind it tells when it has.
    this.#awaitsDrain = true;
    socket.write(noBytes, () => {
      this.#awaitsDrain = false;
      if (this.#socket === null) return;
      if (this.#socket.writableLength > 0) this.#writeAtSocket(this.#socket, noBytes);
      else this.handler?.onDrain();
    });
  }

  // What the handle tells.

  onRead(length: number): void {
    const { readBuffer, readStart } = this.#io as SharedIo;
    this.handler?.onData(readBuffer, readStart, readStart + length);
  }

  onWritten(status: number): void {
    if (this.#socket === null) return;
    this.#waitingBytes = 0;
    if (status < 0) this.#fail(status);
    // Otherwise the socket tells for both.
    else if (!this.#awaitsDrain) this.handler?.onDrain();
  }

  #fail(errorNumber: number): void {
    const socket = this.#socket;
    // The peer has closed its side, and Node ours: what was to be sent has nobody to go to.
    if (socket === null || !socket.writable) return;
    socket.destroy(writeError(errorNumber));
  }

  pause(): void {
    if (this.#handle === null) this.#socket?.pause();
    else this.#read(this.#handle, false);
  }

  resume(): void {
    if (this.#handle === null) this.#socket?.resume();
    else this.#read(this.#handle, true);
  }

  #read(handle: SocketHandle, isReading: boolean): void {
    if (handle.reading === isReading || this.#socket === null || this.#socket.destroyed) return;
    handle.reading = isReading;
    const error = isReading ? handle.readStart() : handle.readStop();
    if (error !== 0) this.#fail(error);
  }

  end(): void {
    const socket = this.#socket;
    if (socket === null) return;
    socket.end();
    // Bytes of the peer that nobody reads would turn the close into a reset and take the last packet with it.
    this.resume();
    const timer = this.#clock.after(lingerMs, () => socket.destroy());
    socket.once('close', () => timer.cancel());
  }

  destroy(): void {
    this.#socket?.destroy();
  }
}
