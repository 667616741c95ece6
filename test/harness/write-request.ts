/** Node's request of a write, as far as the transports look at it. */
import type { WriteRequest } from '../../src/transport/write-requests.ts';

export class FakeRequest implements WriteRequest {
  oncomplete: WriteRequest['oncomplete'] = null;
  buffer: Uint8Array | null = null;
  handle: object | null = null;
  owner: WriteRequest['owner'] = null;
  writeStatus: number | null = null;
  isUsed = false;

  getAsyncId(): number {
    return this.isUsed ? 7 : -1;
  }
}
