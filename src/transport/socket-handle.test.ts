/** The two ways in which Node's versions make the request of a write that has to wait, each with a handle of its kind. */
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { FakeRequest } from '../../test/harness/write-request.ts';
import { SharedIo, type SocketHandle } from './socket-handle.ts';

/** What a write does: `taken` at once, `waiting` in libuv, or ended with a status. */
type Fate = 'taken' | 'waiting' | { readonly status: number } | { readonly error: number };

abstract class Handle {
  fate: Fate = 'taken';
  writeQueueSize = 0;
  readonly written: string[] = [];
  request: FakeRequest | null = null;

  protected begin(request: FakeRequest | null, bytes: Uint8Array): void {
    if (bytes.length > 0) this.written.push(Buffer.from(bytes).toString());
    this.request = request;
    this.writeQueueSize = this.fate === 'waiting' ? bytes.length : 0;
    if (request !== null) request.isUsed = this.fate === 'waiting';
  }
}

/** Node 20 to 24. */
class OldHandle extends Handle {
  writeBuffer(request: FakeRequest, bytes: Uint8Array): number {
    this.begin(request, bytes);
    return typeof this.fate === 'object' && 'error' in this.fate ? this.fate.error : 0;
  }
}

/** Node 26. */
class NewHandle extends Handle {
  writeBuffer(request: null, bytes: Uint8Array): number | FakeRequest {
    expect(request).toBeNull();
    const { fate } = this;
    if (fate === 'taken') {
      this.begin(null, bytes);
      return 0;
    }
    if (typeof fate === 'object' && 'error' in fate) return fate.error;
    const made = new FakeRequest();
    this.begin(made, bytes);
    if (fate !== 'waiting') made.writeStatus = fate.status;
    return made;
  }
}

/** Node's own writing, as far as it is seen. */
function socketOf(handle: OldHandle | NewHandle): Socket {
  const write = (bytes: Uint8Array): unknown =>
    handle instanceof OldHandle ? handle.writeBuffer(new FakeRequest(), bytes) : handle.writeBuffer(null, bytes);
  return { write } as unknown as Socket;
}

function writer(handle: OldHandle | NewHandle) {
  const io = new SharedIo();
  const told: number[] = [];
  const owner = { onRead: () => undefined, onWritten: (status: number) => told.push(status), bytesRead: 0 };
  const socket = socketOf(handle);
  const write = (text: string) =>
    io.write(socket, handle as unknown as SocketHandle, Buffer.from(text), owner) as number | undefined;
  return { told, write };
}

test.each([
  ['ours', new OldHandle()],
  ['of Node', new NewHandle()],
])('a request that is %s: taken at once, waiting, refused', (_, handle) => {
  const { told, write } = writer(handle);
  expect(write('one')).toBe(0);
  expect(write('two')).toBe(0);
  handle.fate = 'waiting';
  expect(write('three')).toBe(5);
  expect(told).toEqual([]);
  const { request } = handle;
  expect(request?.buffer).toEqual(Buffer.from('three'));
  request?.oncomplete?.(0);
  expect(told).toEqual([0]);
  expect(request?.buffer).toBeNull();
  handle.fate = { error: -32 };
  expect(write('four')).toBe(-32);
  handle.fate = 'taken';
  expect(write('five')).toBe(0);
  expect(handle.written.filter((text) => text !== 'four')).toEqual(['one', 'two', 'three', 'five']);
});

test('a request of Node that was over before anybody could wait for it', () => {
  const handle = new NewHandle();
  const { told, write } = writer(handle);
  handle.fate = { status: 0 };
  expect(write('done')).toBe(0);
  handle.fate = { status: -104 };
  expect(write('reset')).toBe(-104);
  expect(told).toEqual([]);
});

test('a handle that is called in a third way is left to the socket', () => {
  class OtherHandle extends Handle {
    writeBuffer(options: object, bytes: Uint8Array): number {
      expect(options).toEqual({});
      this.begin(null, bytes);
      return 0;
    }
  }
  const handle = new OtherHandle();
  const io = new SharedIo();
  let empty = 0;
  const write = (bytes: Uint8Array): void => {
    empty++;
    handle.writeBuffer({}, bytes);
  };
  const owner = { onRead: () => undefined, onWritten: () => undefined, bytesRead: 0 };
  for (let time = 0; time < 3; time++) {
    const socket = { write } as unknown as Socket;
    expect(io.write(socket, handle as unknown as SocketHandle, Buffer.from('text'), owner)).toBeUndefined();
  }
  // It was looked at once.
  expect(empty).toBe(1);
});
