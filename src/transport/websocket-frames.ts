/**
 * Frames of WebSocket (RFC 6455) → the bytes in them, handed on as they arrive.
 *
 * A frame may announce 2^63 bytes; nothing is gathered for it. Payload is unmasked where it lies and goes on in pieces, so a
 * peer costs what its MQTT packets cost and no more: a header of 14 bytes and a control frame of 125 are all that is kept.
 */

/** Opcodes (RFC 6455 §5.2). */
const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Status codes of a Close frame (RFC 6455 §7.4.1). */
export const CloseCode = { normal: 1000, protocolError: 1002, unsupportedData: 1003 } as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Bytes of the longest header from a client: two, eight of length, four of mask. */
const headerBytesMax = 14;
/** Payload of the largest control frame (RFC 6455 §5.5). */
const controlBytesMax = 125;

/** The peer broke RFC 6455, or sent what MQTT does not send over it. */
export class WebSocketError extends Error {
  readonly closeCode: CloseCode;

  constructor(closeCode: CloseCode, message: string) {
    super(message);
    this.name = 'WebSocketError';
    this.closeCode = closeCode;
  }
}

/** Who takes what the frames hold. */
export interface FrameSink {
  /** Payload of binary frames: `bytes[start..end)`, valid during the call only. Where frames begin and end means nothing. */
  onPayload(bytes: Buffer, start: number, end: number): void;
  /** The payload of a Ping is to be sent back. */
  onPing(payload: Buffer): void;
  /** The peer closes; nothing is read after this. `payload` is what its Close frame says. */
  onCloseFrame(payload: Buffer): void;
}

/** Reads the frames that a client sends. */
export class FrameReader {
  readonly #header = Buffer.allocUnsafe(headerBytesMax);
  /** Bytes of the header that are here, and bytes it has as far as is known; 0 had: between frames. */
  #had = 0;
  #wanted = 2;
  #opcode = 0;
  #isFinal = false;
  /** Payload bytes of the frame that have not come. */
  #remaining = 0;
  /** Position in the mask of the next payload byte. */
  #maskAt = 0;
  /** A fragmented message has begun and not ended. */
  #isInMessage = false;
  #control: Buffer | null = null;
  #isClosed = false;

  /**
   * Takes `chunk[start..end)`, which is changed: payload is unmasked in place.
   *
   * @throws WebSocketError - nothing is read afterwards
   */
  push(chunk: Buffer, start: number, end: number, sink: FrameSink): void {
    let at = start;
    while (!this.#isClosed) {
      if (this.#had < this.#wanted) {
        at = this.#readHeader(chunk, at, end);
        if (this.#had < this.#wanted) return;
      }
      const length = Math.min(this.#remaining, end - at);
      if (length === 0 && this.#remaining > 0) return;
      this.#unmask(chunk, at, at + length);
      this.#remaining -= length;
      if (this.#control !== null)
        chunk.copy(this.#control, this.#control.length - this.#remaining - length, at, at + length);
      else if (length > 0) sink.onPayload(chunk, at, at + length);
      at += length;
      if (this.#remaining === 0) this.#endFrame(sink);
    }
  }

  #readHeader(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#had < this.#wanted) {
      this.#header[this.#had++] = chunk[at++] as number;
      if (this.#had === 2) this.#wanted = this.#checkHeader();
    }
    if (this.#had === this.#wanted && this.#wanted > 2) this.#beginPayload();
    return at;
  }

  /** @returns bytes of the whole header */
  #checkHeader(): number {
    const first = this.#header[0] as number;
    const second = this.#header[1] as number;
    const length = second & 0x7f;
    this.#isFinal = (first & 0x80) !== 0;
    this.#opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw this.#fail(CloseCode.protocolError, 'a reserved bit is set');
    if ((second & 0x80) === 0) throw this.#fail(CloseCode.protocolError, 'a client has to mask its frames');
    switch (this.#opcode) {
      case Opcode.continuation:
        if (!this.#isInMessage) throw this.#fail(CloseCode.protocolError, 'nothing to continue');
        break;
      case Opcode.binary:
        if (this.#isInMessage) throw this.#fail(CloseCode.protocolError, 'a message within a message');
        break;
      case Opcode.text:
        // [MQTT-6.0.0-1]
        throw this.#fail(CloseCode.unsupportedData, 'MQTT is not text');
      case Opcode.close:
      case Opcode.ping:
      case Opcode.pong:
        if (!this.#isFinal || length > controlBytesMax) {
          throw this.#fail(CloseCode.protocolError, 'a control frame is short and whole');
        }
        break;
      default:
        throw this.#fail(CloseCode.protocolError, `opcode ${this.#opcode} is reserved`);
    }
    return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + 4;
  }

  #beginPayload(): void {
    const header = this.#header;
    const length = (header[1] as number) & 0x7f;
    // 2^53 and more: what is lost in rounding comes after years of sending.
    this.#remaining =
      length === 126 ? header.readUInt16BE(2) : length === 127 ? Number(header.readBigUInt64BE(2)) : length;
    if (length === 127 && (header[2] as number) > 127)
      throw this.#fail(CloseCode.protocolError, 'the length is negative');
    this.#maskAt = 0;
    this.#control = this.#opcode >= Opcode.close ? Buffer.allocUnsafe(length) : null;
  }

  #endFrame(sink: FrameSink): void {
    const control = this.#control;
    this.#had = 0;
    this.#wanted = 2;
    this.#control = null;
    if (control === null) {
      this.#isInMessage = !this.#isFinal;
    } else if (this.#opcode === Opcode.ping) {
      sink.onPing(control);
    } else if (this.#opcode === Opcode.close) {
      this.#isClosed = true;
      sink.onCloseFrame(control);
    }
  }

  #unmask(bytes: Buffer, start: number, end: number): void {
    const header = this.#header;
    const maskStart = this.#wanted - 4;
    let maskAt = this.#maskAt;
    let at = start;
    for (; at < end && maskAt !== 0; at++) {
      bytes[at] = (bytes[at] as number) ^ (header[maskStart + maskAt] as number);
      maskAt = (maskAt + 1) & 3;
    }
    const [a, b, c, d] = [header[maskStart], header[maskStart + 1], header[maskStart + 2], header[maskStart + 3]];
    for (; at + 3 < end; at += 4) {
      bytes[at] = (bytes[at] as number) ^ (a as number);
      bytes[at + 1] = (bytes[at + 1] as number) ^ (b as number);
      bytes[at + 2] = (bytes[at + 2] as number) ^ (c as number);
      bytes[at + 3] = (bytes[at + 3] as number) ^ (d as number);
    }
    for (; at < end; at++) {
      bytes[at] = (bytes[at] as number) ^ (header[maskStart + maskAt] as number);
      maskAt = (maskAt + 1) & 3;
    }
    this.#maskAt = maskAt;
  }

  #fail(closeCode: CloseCode, message: string): WebSocketError {
    this.#isClosed = true;
    return new WebSocketError(closeCode, message);
  }
}

/** MQTT as a server sends it. */
export function binaryFrame(bytes: Buffer): Buffer {
  return frame(Opcode.binary, bytes);
}

/** The answer to a Ping. */
export function pongFrame(payload: Buffer): Buffer {
  return frame(Opcode.pong, payload);
}

/** A Close frame; with the payload of the peer's to answer it. */
export function closeFrame(what: CloseCode | Buffer): Buffer {
  return frame(Opcode.close, typeof what === 'number' ? Buffer.from([what >> 8, what & 0xff]) : what.subarray(0, 2));
}

/** A whole, unmasked frame. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(start + length);
  bytes[0] = 0x80 | opcode;
  if (start === 2) {
    bytes[1] = length;
  } else if (start === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    bytes.writeUInt32BE(length % 2 ** 32, 6);
  }
  payload.copy(bytes, start);
  return bytes;
}
