/**
 * Writing at the handle of TLS, past `stream.Writable`.
 *
 * Node's `TLSWrap` encrypts and writes at once, and takes the next write in the next turn: no write is over in the call that makes it.
 * Nearly always the operating system has everything by then, and nobody has to be told. So the request of such a write is left
 * without a callback, and asked before the next write whether Node is done with it.
 *
 * What cannot be written at the handle goes through the socket. Its stream must not write or shut down while a write of ours is under
 * way (a second one ends the process), so its `_write`, `_writev` and `_final` wait for that.
 *
 * Undocumented as the handle of plain sockets is, and looked for in the same way (`socket-handle.ts`).
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getSystemErrorName } from 'node:util';
import type { SharedIo, SocketHandle } from './socket-handle.ts';
import { tellWhenWritten, type WriteOwner, type WriteRequest } from './write-requests.ts';

/**
 * A write of so many bytes is given to the operating system whole. Of a larger one Node gives it ten pieces of 16 KiB at a time, and
 * whether there are more cannot be seen.
 */
const wholeBytesMax = 64 * 1024;

/**
 * For each write OpenSSL allocates the largest record that it may make, and frees it: 17 KB, which no allocator has at hand. So as long
 * as a connection is sent little at a time its records are short ones, the shortest that can be asked for.
 */
const smallRecordBytes = 512;
const largeRecordBytes = 16 * 1024;

/** Told how a write or the end of a stream went. */
type Callback = (error?: Error | null) => void;
type Chunks = Parameters<NonNullable<Socket['_writev']>>[0];

/** A socket that knows its handle, so that all of them share these methods. */
interface HeldSocket extends Socket {
  tlsHandle?: TlsHandle;
}

export class TlsHandle implements WriteOwner {
  readonly #io: SharedIo;
  readonly #socket: TLSSocket;
  readonly #handle: SocketHandle;
  /** What TLS writes to. */
  readonly #below: Pick<SocketHandle, 'writeQueueSize'>;
  readonly #owner: WriteOwner;
  /** Of the last write at the handle; null: none, or we were told that it is over. */
  #request: WriteRequest | null = null;
  /** Whether the owner is to be told of that write. */
  #isAwaited = false;
  /** Whether the call that makes the write has not returned, and how it failed in there (else 0). */
  #isWriting = false;
  #failure = 0;
  /** What the stream does when that write is over. */
  #next: Callback | null = null;
  #hasSmallRecords = false;

  /**
   * Takes over writing.
   *
   * @param handle - of a socket for which {@link isKnownTls} holds
   * @param owner - told of writes that have to wait
   */
  constructor(socket: TLSSocket, handle: SocketHandle, io: SharedIo, owner: WriteOwner) {
    this.#io = io;
    this.#socket = socket;
    this.#handle = handle;
    this.#below = handleBelow(socket) as Pick<SocketHandle, 'writeQueueSize'>;
    this.#owner = owner;
    (socket as HeldSocket).tlsHandle = this;
    socket._write = TlsHandle.#write;
    socket._writev = TlsHandle.#writev;
    socket._final = TlsHandle.#final;
  }

  static #write(this: HeldSocket, chunk: unknown, encoding: BufferEncoding, callback: Callback): void {
    const tls = this.tlsHandle as TlsHandle;
    tls.#whenFree(callback, () => {
      const write = () => streamOf(this)._write.call(this, chunk, encoding, callback);
      const { requests } = tls.#io;
      if (requests.makers === 'unknown') requests.learn(tls.#handle, write);
      else write();
    });
  }

  static #writev(this: HeldSocket, chunks: Chunks, callback: Callback): void {
    (this.tlsHandle as TlsHandle).#whenFree(callback, () => streamOf(this)._writev?.call(this, chunks, callback));
  }

  static #final(this: HeldSocket, callback: Callback): void {
    (this.tlsHandle as TlsHandle).#whenFree(callback, () => streamOf(this)._final.call(this, callback));
  }

  /** The stream does one thing at a time, so that one place is enough. */
  #whenFree(callback: Callback, action: () => void): void {
    if (!this.isBusy) {
      action();
      return;
    }
    tellWhenWritten(this.#request as WriteRequest, this.#handle, null, this);
    this.#next = (error) => {
      if (error) callback(error);
      else action();
    };
  }

  /** Whether TLS still has a write of ours under way. */
  get isBusy(): boolean {
    return this.#request !== null && (this.#isAwaited || this.#request.getAsyncId() !== -1);
  }

  /**
   * Encrypts and writes. The bytes may be used again when it returns.
   *
   * @returns bytes of which the owner will be told when they have left, 0: they have; a negative error number of libuv;
   *   undefined: the socket has to write
   */
  write(bytes: Buffer): number | undefined {
    const { requests } = this.#io;
    if (this.isBusy) return undefined;
    if (bytes.length <= smallRecordBytes !== this.#hasSmallRecords) this.#changeRecords();
    if (requests.makers === 'of Node') return this.#writeWithout(bytes);
    if (requests.Request === null) return undefined;
    const request = this.#request ?? new requests.Request();
    tellWhenWritten(request, this.#handle, null, this);
    this.#isWriting = true;
    this.#failure = 0;
    const error = this.#handle.writeBuffer(request, bytes) as number | undefined; // the request is ours
    this.#isWriting = false;
    this.#request = request;
    return error === 0 && this.#failure === 0 ? this.#written(request, bytes.length) : error || this.#failure;
  }

  #changeRecords(): void {
    // OpenSSL's part of a socket that is gone is gone.
    if (this.#socket.destroyed) return;
    this.#hasSmallRecords = !this.#hasSmallRecords;
    this.#socket.setMaxSendFragment(this.#hasSmallRecords ? smallRecordBytes : largeRecordBytes);
  }

  #writeWithout(bytes: Buffer): number | undefined {
    const request = this.#handle.writeBuffer(null, bytes);
    if (typeof request !== 'object') return request;
    const status = request.writeStatus ?? null;
    if (status !== null) return Math.min(status, 0);
    this.#request = request;
    return this.#written(request, bytes.length);
  }

  /** @returns what {@link write} does */
  #written(request: WriteRequest, length: number): number {
    if (length <= wholeBytesMax && this.#below.writeQueueSize === 0) {
      request.oncomplete = null;
      return 0;
    }
    tellWhenWritten(request, this.#handle, null, this);
    this.#isAwaited = true;
    return length;
  }

  onWritten(status: number): void {
    if (this.#isWriting) {
      this.#failure = status;
      return;
    }
    const next = this.#next;
    const isAwaited = this.#isAwaited;
    // Node still has it.
    this.#request = null;
    this.#isAwaited = false;
    this.#next = null;
    next?.(status < 0 ? writeError(status) : null);
    if (isAwaited) this.#owner.onWritten(status);
  }
}

/** What the stream of a socket does unless it is told otherwise. */
function streamOf(socket: Socket): Socket {
  return Object.getPrototypeOf(socket) as Socket;
}

export function writeError(errorNumber: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(errorNumber);
  return Object.assign(new Error(`write ${code}`), { code });
}

/** Whether a TLS socket has what reading and writing at its handle needs beside what a plain socket needs. */
export function isKnownTls(socket: Socket): socket is TLSSocket {
  return (
    (socket as Partial<TLSSocket>).encrypted === true &&
    typeof handleBelow(socket)?.writeQueueSize === 'number' &&
    typeof socket._writev === 'function' &&
    // What was read before would be left behind.
    socket.readableLength === 0
  );
}

function handleBelow(socket: Socket): Partial<SocketHandle> | null | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly _parent?: Partial<SocketHandle> } };
  return handle?._parent;
}
