import { ProtocolError, type ProtocolErrorAnswer } from './protocol-error.ts';
import { ReasonCode } from './reason-code.ts';
import { decodeUtf8 } from './utf8.ts';
import { readVariableByteInteger, variableByteIntegerSize } from './variable-byte-integer.ts';

/**
 * A bounds-checked cursor over one packet's body, for everything but the PUBLISH hot path.
 *
 * Every read names its field, so that an error says "SUBSCRIBE: Topic Filter runs past the end". All reads throw
 * ProtocolError 0x81 when the body is too short; what they return owns its bytes.
 */
export class Reader {
  /** Packet name as errors print it, upper case. */
  readonly packet: string;
  readonly buf: Buffer;
  offset: number;
  /** First offset that belongs to no field; narrowed while a property section is read. */
  end: number;
  /** How errors from here on are answered; CONNECT sets it as soon as it knows the version. */
  answer: ProtocolErrorAnswer = {};

  constructor(packet: string, buf: Buffer, start: number, end: number) {
    this.packet = packet;
    this.buf = buf;
    this.offset = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** The error to throw, with the packet's name and the answer of the moment. */
  error(reasonCode: ReasonCode, statement: string, message: string): ProtocolError {
    return new ProtocolError(reasonCode, statement, `${this.packet}: ${message}`, this.answer);
  }

  u8(field: string): number {
    return this.buf[this.#take(1, field)] as number;
  }

  u16(field: string): number {
    const start = this.#take(2, field);
    return ((this.buf[start] as number) << 8) | (this.buf[start + 1] as number);
  }

  u32(field: string): number {
    return this.buf.readUInt32BE(this.#take(4, field));
  }

  varint(field: string): number {
    const value = readVariableByteInteger(this.buf, this.offset, this.end);
    if (value < 0) {
      throw this.error(ReasonCode.MalformedPacket, 'MQTT-1.5.5-1', `${field} is not a Variable Byte Integer`);
    }
    this.offset += variableByteIntegerSize(value);
    return value;
  }

  /**
   * A UTF-8 string with its length in front.
   *
   * @param illFormed - the Reason Code for bytes that `isValidUtf8` refuses
   */
  string(field: string, illFormed: ReasonCode = ReasonCode.MalformedPacket): string {
    const length = this.u16(field);
    const start = this.#take(length, field);
    const text = decodeUtf8(this.buf, start, this.offset);
    if (text === undefined) throw this.error(illFormed, 'MQTT-1.5.4-1', `${field} is not a legal UTF-8 string`);
    return text;
  }

  /** Binary Data with its length in front, copied. */
  binary(field: string): Buffer {
    const length = this.u16(field);
    const start = this.#take(length, field);
    return Buffer.from(this.buf.subarray(start, this.offset));
  }

  /** A Packet Identifier, 1 to 65,535. [MQTT-2.2.1-3] [v3.1.1 MQTT-2.3.1-1] */
  packetId(zero: ReasonCode = ReasonCode.ProtocolError): number {
    const packetId = this.u16('Packet Identifier');
    if (packetId === 0) throw this.error(zero, 'MQTT-2.2.1-3', 'Packet Identifier 0');
    return packetId;
  }

  /** Nothing may follow the last field. */
  done(): void {
    if (this.offset !== this.end) {
      throw this.error(ReasonCode.MalformedPacket, '§4.13.1', `${this.remaining} bytes after the last field`);
    }
  }

  /** Start of the next `length` bytes, which are then behind the cursor. */
  #take(length: number, field: string): number {
    const start = this.offset;
    if (length > this.end - start) {
      throw this.error(ReasonCode.MalformedPacket, '§4.13.1', `${field} runs past the end`);
    }
    this.offset = start + length;
    return start;
  }
}
