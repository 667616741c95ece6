/** A server that is bytes on a socket, to see what clients send. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Resources } from '../../harness/resources.ts';
import type { Version } from './bytes.ts';
import { streamOf } from './client.ts';
import { Peer } from './peer.ts';

/** Accepts connections on a port of 127.0.0.1; the test plays the server. */
export class RawServer {
  readonly #server: Server;
  readonly #accepted: Peer[] = [];
  #wake: () => void = () => {};

  private constructor(resources: Resources, version: Version) {
    this.#server = createServer((socket) => {
      this.#accepted.push(resources.add(new Peer(streamOf(socket), version, 'client')));
      this.#wake();
    });
  }

  /**
   * @param version - of the packets that will be read
   * @param port - 0 for any
   */
  static async listen(resources: Resources, version: Version = 5, port = 0): Promise<RawServer> {
    const server = new RawServer(resources, version);
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return resources.add(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next connection; what it sends is read with `expectPacket`. */
  async accept(): Promise<Peer> {
    for (;;) {
      const peer = this.#accepted.shift();
      if (peer !== undefined) return peer;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#server.close();
  }
}
