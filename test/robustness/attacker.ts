/** A socket that need not behave: it may stop reading, stop in the middle of a packet, or reset. */
import { connect, type Socket } from 'node:net';
import { frame, Opcode } from '../conformance/wire/websocket.ts';
import { waitFor } from '../harness/wait.ts';

/** What is kept of received bytes, for {@link Attacker.receive}. */
const keptBytes = 4096;

export class Attacker {
  readonly socket: Socket;
  readonly #isWebSocket: boolean;
  #received: Buffer = Buffer.alloc(0);
  #receivedBytes = 0;
  #isClosed = false;

  private constructor(socket: Socket, isWebSocket: boolean) {
    this.socket = socket;
    this.#isWebSocket = isWebSocket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      this.#received = Buffer.concat([this.#received, chunk]).subarray(-keptBytes);
    });
    socket.on('close', () => {
      this.#isClosed = true;
    });
  }

  static async open(port: number, transport: 'tcp' | 'ws'): Promise<Attacker> {
    const socket = connect(port, '127.0.0.1');
    const attacker = new Attacker(socket, transport === 'ws');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    if (transport === 'ws') await attacker.#shakeHands();
    return attacker;
  }

  /** Bytes that have come, WebSocket frames and all. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends bytes, in one binary frame over WebSocket. */
  send(bytes: Buffer): void {
    this.socket.write(this.#isWebSocket ? frame(Opcode.binary, bytes) : bytes);
  }

  /** Sends and waits until the operating system has taken everything, or the connection is over. */
  async pour(bytes: Buffer): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.socket.once('close', resolve);
      this.socket.write(this.#isWebSocket ? frame(Opcode.binary, bytes) : bytes, () => {
        this.socket.off('close', resolve);
        resolve();
      });
    });
  }

  /** Waits for bytes. */
  async receive(what: string, isThere: (bytes: Buffer) => boolean): Promise<void> {
    await waitFor(what, () => isThere(this.#received));
    this.#received = Buffer.alloc(0);
  }

  /** Reads no more. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Waits until the broker has closed. A socket that does not read does not see that. */
  async closed(): Promise<void> {
    await waitFor('the broker to close', () => this.#isClosed);
  }

  /** RST instead of FIN. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }

  async #shakeHands(): Promise<void> {
    this.socket.write(
      [
        'GET /mqtt HTTP/1.1',
        'Host: localhost',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Protocol: mqtt',
        '\r\n',
      ].join('\r\n'),
    );
    await this.receive('the WebSocket handshake', (bytes) => bytes.includes('\r\n\r\n'));
  }
}
