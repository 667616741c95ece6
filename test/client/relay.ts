import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Resource } from '../harness/resources.ts';

/** A wire between client and broker that breaks: every connection is cut after a number of bytes towards the client. */
export class BreakingRelay implements Resource {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  private constructor(port: number, bytesUntilCut: () => number) {
    this.#server = createServer((near) => {
      this.connections++;
      const far = connect(port, '127.0.0.1');
      let left = bytesUntilCut();
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          near.destroy();
          far.destroy();
          this.#sockets.delete(socket);
        });
      }
      near.pipe(far);
      far.on('data', (bytes) => {
        const part = bytes.subarray(0, left);
        left -= part.length;
        near.write(part);
        if (left > 0) return;
        far.removeAllListeners('data');
        // What was written arrives, and then the wire is dead, also in the other direction.
        near.end(() => near.destroy());
      });
    });
  }

  static async start(port: number, bytesUntilCut: () => number): Promise<BreakingRelay> {
    const relay = new BreakingRelay(port, bytesUntilCut);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
