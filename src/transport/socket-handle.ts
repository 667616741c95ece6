/**
 * Reading and writing at the handle below a TCP or Unix socket, past `stream.Readable` and `stream.Writable`; reading at that of TLS,
 * which is written in a way of its own (`tls-handle.ts`).
 *
 * One buffer serves every socket that is read, because the callback runs at once and keeps nothing. Nearly every write is taken
 * by the operating system at once. What Node's streams do around that (objects touched, request made, callback in the next tick)
 * costs a small message as much as everything the broker does with it.
 *
 * None of this is documented by Node. So every member is looked for, at every socket; where one is missing the socket is read by
 * `data` events and written by `write`, and everything works as before. Open, close, end of file and errors are always the socket's.
 */
import type { Socket } from 'node:net';
import {
  tellWhenWritten,
  type WritableHandle,
  type WriteOwner,
  type WriteRequest,
  WriteRequests,
} from './write-requests.ts';

/** Bytes read at a time from one socket, unless the caller decides. */
const readBufferBytes = 64 * 1024;

/** The members of Node's `TCPWrap`, `PipeWrap` and `TLSWrap` that are used. */
export interface SocketHandle extends WritableHandle {
  useUserBuffer(buffer: Uint8Array): void;
  /** Called after every read, also one that found the end of the stream or an error. */
  onread: (this: SocketHandle, bytes?: ArrayBuffer) => unknown;
  reading: boolean;
  readStart(): number;
  readStop(): number;
  /** Bytes read so far. */
  readonly bytesRead: number;
  /** Bytes that wait in libuv. */
  readonly writeQueueSize: number;
  /** Ours; `owner` is a name that Node knows. */
  transport?: HandleOwner;
}

/** Whose handle it is. */
export interface HandleOwner extends WriteOwner {
  /** The bytes are at `readStart` of the shared buffer. */
  onRead(length: number): void;
  /** What `bytesRead` of the handle was at the last read. */
  bytesRead: number;
}

/** What the sockets of one broker share. */
export class SharedIo {
  /** Sockets are read into `readBuffer[readStart..)`. */
  readonly readBuffer: Buffer;
  readonly readStart: number;
  readonly #readArea: Buffer;
  /** How requests are made; of TLS the same. */
  readonly requests = new WriteRequests();
  /** A write that is taken at once leaves its request as it was, so that the next one can use it. */
  #spare: WriteRequest | null = null;
  /** What Node itself does after a read: end of stream and errors are left to it. */
  #onRead: SocketHandle['onread'] | null = null;
  readonly #read: SocketHandle['onread'];

  /** @param readBuffer - used as long as there are sockets, the part before `readStart` not at all */
  constructor(readBuffer: Buffer = Buffer.allocUnsafeSlow(readBufferBytes), readStart = 0) {
    this.readBuffer = readBuffer;
    this.readStart = readStart;
    this.#readArea = readBuffer.subarray(readStart);
    const leaveToNode = (handle: SocketHandle, bytes: ArrayBuffer | undefined) => this.#onRead?.call(handle, bytes);
    this.#read = function onRead(this: SocketHandle, bytes?: ArrayBuffer): unknown {
      const owner = this.transport as HandleOwner;
      const { bytesRead } = this;
      const length = bytesRead - owner.bytesRead;
      if (length <= 0) return leaveToNode(this, bytes);
      owner.bytesRead = bytesRead;
      owner.onRead(length);
      return undefined;
    };
  }

  /**
   * Takes over reading and writing of an accepted socket that has not begun to read.
   *
   * @returns its handle, or null when the socket has to read and write as usual
   */
  take(socket: Socket, owner: HandleOwner): SocketHandle | null {
    const handle = handleOf(socket);
    if (handle === null) return null;
    this.#onRead ??= handle.onread;
    // Node remembers the peer's address, which the caller knows.
    (socket as { _peername?: unknown })._peername = undefined;
    handle.transport = owner;
    owner.bytesRead = handle.bytesRead;
    handle.useUserBuffer(this.#readArea);
    handle.onread = this.#read;
    return handle;
  }

  /**
   * Writes; the order with what the socket itself wrote before is kept.
   *
   * @returns bytes that wait in libuv now, about which `owner` will be told; a negative error number of libuv; undefined: the
   *   socket has to write
   */
  write(socket: Socket, handle: SocketHandle, bytes: Uint8Array, owner: HandleOwner): number | undefined {
    const { requests } = this;
    // An empty write shows how Node calls the handle.
    if (requests.makers === 'unknown') requests.learn(handle, () => socket.write(noBytes));
    if (requests.makers === 'of Node') return writeWithout(handle, bytes, owner);
    if (requests.Request === null) return undefined;
    const request = this.#spare ?? new requests.Request();
    this.#spare = request;
    const error = handle.writeBuffer(request, bytes);
    if (error !== 0) {
      this.#spare = null;
      return error as number | undefined; // the request is ours
    }
    // Nothing waits: that is not enough. Between two attempts of libuv the peer may have made room, and the request is in use until
    // Node has told so.
    if (request.getAsyncId() === -1) return 0;
    this.#spare = null;
    return wait(handle, request, bytes, owner);
  }
}

function writeWithout(handle: SocketHandle, bytes: Uint8Array, owner: HandleOwner): number | undefined {
  const request = handle.writeBuffer(null, bytes);
  if (typeof request !== 'object') return request;
  const status = request.writeStatus ?? null;
  if (status !== null) return Math.min(status, 0);
  return wait(handle, request, bytes, owner);
}

/** @returns bytes that wait in libuv; a write that is not over yet waits even when it has none left */
function wait(handle: SocketHandle, request: WriteRequest, bytes: Uint8Array, owner: HandleOwner): number {
  tellWhenWritten(request, handle, bytes, owner);
  return Math.max(handle.writeQueueSize, 1);
}

const noBytes = Buffer.alloc(0);

function handleOf(socket: Socket): SocketHandle | null {
  const { _handle: handle } = socket as unknown as { readonly _handle: Partial<SocketHandle> | null };
  const isKnown =
    typeof handle?.useUserBuffer === 'function' &&
    typeof handle.onread === 'function' &&
    typeof handle.readStart === 'function' &&
    typeof handle.readStop === 'function' &&
    typeof handle.bytesRead === 'number' &&
    typeof handle.writeBuffer === 'function' &&
    typeof handle.writeQueueSize === 'number';
  return isKnown ? (handle as SocketHandle) : null; // every member was looked at
}
