/** WebSocket frames written by hand (RFC 6455), so that a test decides where frames begin and end. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { ByteStream } from './peer.ts';

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

export interface WebSocketOptions {
  /** `/mqtt` when absent */
  readonly path?: string;
  /** Sec-WebSocket-Protocol; left out when null, `mqtt` when absent */
  readonly protocol?: string | null;
  /** Further header lines. */
  readonly headers?: readonly string[];
}

/** The server's answer to the handshake was not 101. */
export class HandshakeRefused extends Error {
  /** Status line and headers; '' when the connection was closed without an answer. */
  readonly head: string;

  constructor(head: string) {
    super(`the WebSocket handshake was refused: ${head.split('\r\n', 1)[0]}`);
    this.head = head;
  }
}

/** A frame as a client sends it: masked. */
export function frame(opcode: Opcode, payload: Buffer, isLast = true): Buffer {
  const mask = randomBytes(4);
  const masked = Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] as number)));
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | opcode;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, mask, masked]);
}

/** The client's end of a WebSocket connection. */
export class WebSocketStream implements ByteStream {
  onData: (bytes: Buffer) => void = () => {};
  onEnd: () => void = () => {};
  /** Status line and headers of the server's answer. */
  head = '';
  /** Opcodes of the data frames received so far. */
  readonly opcodes: number[] = [];
  /** Status code of the server's close frame, 1005 when it had none, 0 as long as there was none. */
  closeCode = 0;
  readonly #socket: ReturnType<typeof connect>;
  #input: Buffer = Buffer.alloc(0);

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket;
  }

  /** @throws HandshakeRefused - with the server's answer */
  static async open(port: number, options: WebSocketOptions = {}): Promise<WebSocketStream> {
    const socket = connect(port, '127.0.0.1');
    const stream = new WebSocketStream(socket);
    const protocol = options.protocol === undefined ? 'mqtt' : options.protocol;
    const key = randomBytes(16).toString('base64');
    socket.write(
      [
        `GET ${options.path ?? '/mqtt'} HTTP/1.1`,
        'Host: localhost',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${key}`,
        'Sec-WebSocket-Version: 13',
        ...(protocol === null ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
        ...(options.headers ?? []),
        '\r\n',
      ].join('\r\n'),
    );
    await new Promise<void>((resolve, reject) => {
      const refused = (): void => reject(new HandshakeRefused(stream.#input.toString('latin1')));
      socket.on('error', refused);
      socket.on('close', refused);
      socket.on('data', (chunk: Buffer) => {
        stream.#input = Buffer.concat([stream.#input, chunk]);
        const end = stream.#input.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = stream.#input.toString('latin1', 0, end);
        if (!head.startsWith('HTTP/1.1 101 ')) {
          socket.destroy();
          reject(new HandshakeRefused(head));
          return;
        }
        stream.head = head;
        stream.#input = stream.#input.subarray(end + 4);
        socket.removeAllListeners();
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('close', () => stream.onEnd());
    socket.on('data', (chunk: Buffer) => stream.#take(chunk));
    queueMicrotask(() => stream.#take(Buffer.alloc(0)));
    return stream;
  }

  /** One binary frame. */
  write(bytes: Buffer): void {
    this.sendFrame(Opcode.binary, bytes);
  }

  sendFrame(opcode: Opcode, payload: Buffer, isLast = true): void {
    this.#socket.write(frame(opcode, payload, isLast));
  }

  /** Bytes of the socket, for frames that arrive in pieces. */
  writeRaw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.sendFrame(Opcode.close, Buffer.from([0x03, 0xe8]));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    for (;;) {
      const input = this.#input;
      if (input.length < 2) return;
      const short = (input[1] as number) & 0x7f;
      const headSize = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (input.length < headSize) return;
      const length = short < 126 ? short : short === 126 ? input.readUInt16BE(2) : Number(input.readBigUInt64BE(2));
      if (input.length < headSize + length) return;
      this.#input = input.subarray(headSize + length);
      this.#onFrame((input[0] as number) & 0x0f, input.subarray(headSize, headSize + length));
    }
  }

  #onFrame(opcode: number, payload: Buffer): void {
    if (opcode <= Opcode.binary) {
      this.opcodes.push(opcode);
      this.onData(payload);
    } else if (opcode === Opcode.ping) {
      this.sendFrame(Opcode.pong, payload);
    } else if (opcode === Opcode.close) {
      this.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE();
      this.#socket.end(frame(Opcode.close, payload.subarray(0, 2)));
    }
  }
}
