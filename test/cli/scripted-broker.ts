import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import type { Resource } from '../harness/resources.ts';

/** What a broker that is not one does with each connection. */
export type Script = (socket: Socket, received: () => Buffer) => void;

/** A server on the loopback that answers with whatever bytes a test wants. */
export class ScriptedBroker implements Resource {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** All bytes of all connections, in order. */
  readonly received: Buffer[] = [];
  connections = 0;

  private constructor(script: Script) {
    this.#server = createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      const bytes: Buffer[] = [];
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (chunk) => {
        bytes.push(chunk);
        this.received.push(chunk);
      });
      script(socket, () => Buffer.concat(bytes));
    });
  }

  static async start(script: Script): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script);
    await new Promise<void>((resolve) => broker.#server.listen(0, '127.0.0.1', resolve));
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** Sends the bytes when the client has said something; keeps the connection. */
export function answer(hex: string): Script {
  return (socket) => socket.once('data', () => socket.write(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')));
}

/** Sends CONNACK when the client has connected, and the bytes when it has said something more. */
export function answerLater(connack: string, hex: string): Script {
  return (socket) =>
    socket.once('data', () => {
      socket.write(Buffer.from(connack.replaceAll(/\s/g, ''), 'hex'));
      socket.once('data', () => socket.write(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')));
    });
}

/** Sends the bytes, then closes. */
export function answerAndClose(hex: string): Script {
  return (socket) => socket.once('data', () => socket.end(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')));
}
