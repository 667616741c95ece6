/** WebSocket framing (RFC 6455) as far as a load generator needs it: binary frames, no fragments, no extensions. */

/**
 * Header of a masked binary frame. The masking key is 0, which leaves the payload as it is: legal, and as much work for
 * the server as any other key.
 */
export function clientFrameHeader(payloadBytes: number): Buffer {
  const mask = [0, 0, 0, 0];
  if (payloadBytes < 126) return Buffer.from([0x82, 0x80 | payloadBytes, ...mask]);
  if (payloadBytes < 65_536) return Buffer.from([0x82, 0xfe, payloadBytes >> 8, payloadBytes & 0xff, ...mask]);
  const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, ...mask]);
  header.writeUInt32BE(payloadBytes, 6);
  return header;
}

/** Takes the frame headers out of what a server sends and passes the rest on, in place. */
export class ServerFrames {
  readonly #onPayload: (bytes: Uint8Array, start: number, end: number) => void;
  readonly #header = new Uint8Array(10);
  #headerBytes = 0;
  #payloadLeft = 0;
  #isControl = false;

  constructor(onPayload: (bytes: Uint8Array, start: number, end: number) => void) {
    this.#onPayload = onPayload;
  }

  /** @throws Error - on a masked frame or one above 4 GiB, which no broker sends */
  feed(bytes: Uint8Array, start: number, end: number): void {
    let position = start;
    while (position < end) {
      if (this.#payloadLeft > 0) {
        const stop = Math.min(end, position + this.#payloadLeft);
        if (!this.#isControl) this.#onPayload(bytes, position, stop);
        this.#payloadLeft -= stop - position;
        position = stop;
      } else {
        this.#header[this.#headerBytes++] = bytes[position++] as number;
        this.#readHeader();
      }
    }
  }

  #readHeader(): void {
    if (this.#headerBytes < 2) return;
    const header = this.#header;
    const code = header[1] as number;
    if (code >= 0x80) throw new Error('the server masked a WebSocket frame');
    const needed = code < 126 ? 2 : code === 126 ? 4 : 10;
    if (this.#headerBytes < needed) return;
    const view = new DataView(header.buffer);
    if (code === 127 && view.getUint32(2) !== 0) throw new Error('a WebSocket frame above 4 GiB');
    this.#payloadLeft = code < 126 ? code : code === 126 ? view.getUint16(2) : view.getUint32(6);
    this.#isControl = ((header[0] as number) & 0x08) !== 0;
    this.#headerBytes = 0;
  }
}
