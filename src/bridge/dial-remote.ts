/** One attempt to reach the other broker: look-up, TCP, TLS. */
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { DialTarget, TlsTarget } from '../transport/dial.ts';
import { DialError } from '../transport/dial-error.ts';
import { dialThroughLayers } from '../transport/dial-layers.ts';
import type { RemoteAddress } from './settings.ts';

/** How long look-up, TCP and TLS may take together. */
const attemptMs = 20_000;

export interface DialSettings {
  readonly bindAddress: string | null;
  readonly tls: (() => Promise<TlsTarget>) | null;
}

export class Attempt {
  /** A connected socket; rejects with the reason. */
  readonly socket: Promise<Socket>;
  #underway: Socket | null = null;
  #isOver = false;
  #giveUp: (error: Error) => void = () => {};

  constructor(address: RemoteAddress, settings: DialSettings, clock: Clock) {
    const givenUp = new Promise<never>((_, reject) => {
      this.#giveUp = reject;
    });
    const timer = clock.after(attemptMs, () =>
      this.#end(new DialError('connect', 'Connection timed out', 'ETIMEDOUT')),
    );
    this.socket = Promise.race([this.#dial(address, settings), givenUp]).finally(() => {
      this.#isOver = true;
      timer.cancel();
    });
  }

  /** Gives the attempt up; the promise is rejected. */
  cancel(): void {
    this.#end(new DialError('connect', 'given up'));
  }

  #end(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#giveUp(error);
    this.#underway?.destroy();
  }

  async #dial(address: RemoteAddress, { bindAddress, tls }: DialSettings): Promise<Socket> {
    const target: DialTarget = {
      address,
      ...(bindAddress === null ? {} : { localAddress: bindAddress }),
      ...(tls === null ? {} : { tls: await tls() }),
    };
    const stream = await dialThroughLayers(target, {
      onStep: () => {},
      onSocket: (socket) => {
        this.#underway = socket;
        // What goes wrong between two owners of the socket shows in its close.
        socket.on('error', () => {});
        if (this.#isOver) socket.destroy();
      },
    });
    // Without a proxy and a WebSocket the layers end in a socket of Node.
    const socket = stream as Socket;
    socket.on('error', () => {});
    if (this.#isOver) socket.destroy();
    return socket;
  }
}
