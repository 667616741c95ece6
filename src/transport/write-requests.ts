/**
 * The request that Node keeps for a write which is not over at once. Who makes it changed: until Node 24 the caller brings one, from
 * Node 26 on Node returns one. Neither is documented, so it is learnt from a write that Node makes itself.
 */

/** Its class is not exported. */
export interface WriteRequest {
  /** `status` is 0 or a negative error number of libuv; nothing is called when it is null. */
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  /** Keeps the bytes alive while they wait. */
  buffer: Uint8Array | null;
  handle: object | null;
  owner: WriteOwner | null;
  /** −1 as long as no write uses the request. */
  getAsyncId(): number;
  /** Of a request that Node made: how the write ended, when that was before `oncomplete` could be set; else null. */
  readonly writeStatus?: number | null;
}

/** Whose write it is. */
export interface WriteOwner {
  /** A write that had to wait is over; `status` as for `oncomplete`. */
  onWritten(status: number): void;
}

/** What can be written to. */
export interface WritableHandle {
  /**
   * Until Node 24 the caller brings a request, from Node 26 on none (null) and is given one when the write has to wait.
   *
   * @returns 0, a negative error number of libuv, or the request; undefined when the handle is closed
   */
  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): number | WriteRequest | undefined;
}

/** What was learnt; one for all sockets of a broker. */
export class WriteRequests {
  /** Who makes requests. */
  makers: 'unknown' | 'ours' | 'of Node' = 'unknown';
  /** Null where requests are not ours, or not as expected: then only the socket can write. */
  Request: (new () => WriteRequest) | null = null;

  /** Runs `write`, in which Node writes to `handle` once, and looks how it does it. */
  learn(handle: WritableHandle, write: () => void): void {
    const own = handle.writeBuffer;
    handle.writeBuffer = (request: WriteRequest | null, bytes: Uint8Array): number | WriteRequest | undefined => {
      this.makers = request === null ? 'of Node' : 'ours';
      if (typeof request?.getAsyncId === 'function') this.Request = request.constructor as new () => WriteRequest;
      return own.call(handle, request, bytes);
    };
    write();
    // The method of the prototype comes back.
    delete (handle as Partial<WritableHandle>).writeBuffer;
  }
}

/** Has `owner` told when the write is over. */
export function tellWhenWritten(
  request: WriteRequest,
  handle: object,
  bytes: Uint8Array | null,
  owner: WriteOwner,
): void {
  request.oncomplete = onWriteComplete;
  request.buffer = bytes;
  request.handle = handle;
  request.owner = owner;
}

function onWriteComplete(this: WriteRequest, status: number): void {
  const { owner } = this;
  this.buffer = null;
  this.handle = null;
  this.owner = null;
  owner?.onWritten(status);
}
