/**
 * The PUBLISH packets of one publisher, encoded before the clock starts and reused in a ring.
 *
 * All frames of a ring have the same length, so the packets to send next are one contiguous slice: no encoding, no
 * gathering. Per message only the sequence number (and the Packet Identifier) is patched. A frame may be patched again
 * only after it has left the process; the caller's credit guarantees that, since a ring holds at least twice the
 * messages that may be under way.
 *
 * Payload: bytes 0–3 the publisher's number, 4–7 the sequence number, 8–15 the time of sending (float64,
 * milliseconds; 0 where it is not used), then filler. All little endian.
 */
import { encodePublish, type ProtocolLevel, type Qos } from './packets.ts';
import { clientFrameHeader } from './ws-frames.ts';

/** Smallest payload, in bytes, that holds the publisher, the sequence number and the time. */
export const PAYLOAD_BYTES_MIN = 16;

export interface FrameRingOptions {
  readonly level: ProtocolLevel;
  readonly qos: Qos;
  readonly retain: boolean;
  /** All of one length in bytes; used in turn, again and again. */
  readonly topicNames: readonly string[];
  readonly payloadBytes: number;
  readonly publisher: number;
  /** At least this many frames; more when there are more topics. */
  readonly framesMin: number;
  /** Every packet in its own masked WebSocket frame. */
  readonly isWebSocket: boolean;
}

export class FrameRing {
  readonly frameLength: number;
  readonly frameCount: number;
  readonly #bytes: Buffer;
  readonly #payloadOffset: number;
  /** Offset of the Packet Identifier in a frame, or -1 at QoS 0. */
  readonly #idOffset: number;
  #cursor = 0;
  #sequence = 0;

  constructor(options: FrameRingOptions) {
    if (options.payloadBytes < PAYLOAD_BYTES_MIN) {
      throw new RangeError(
        `a payload of ${options.payloadBytes} bytes cannot hold ${PAYLOAD_BYTES_MIN} bytes of counters`,
      );
    }
    const payload = Buffer.alloc(options.payloadBytes, 0x2e);
    payload.fill(0, 0, PAYLOAD_BYTES_MIN);
    payload.writeUInt32LE(options.publisher, 0);
    const frames = options.topicNames.map((topicName) => {
      const packet = encodePublish({ ...options, topicName, packetId: 1, payload });
      return options.isWebSocket ? Buffer.concat([clientFrameHeader(packet.length), packet]) : packet;
    });
    const length = frames[0]?.length ?? 0;
    if (length === 0 || frames.some((frame) => frame.length !== length)) {
      throw new RangeError('the topics of one publisher must exist and be of one length');
    }
    const repeats = Math.ceil(options.framesMin / frames.length);
    this.frameLength = length;
    this.frameCount = repeats * frames.length;
    this.#bytes = Buffer.concat(Array.from({ length: repeats }, () => frames).flat());
    this.#payloadOffset = length - options.payloadBytes;
    this.#idOffset = options.qos === 0 ? -1 : this.#payloadOffset - (options.level === 5 ? 3 : 2);
  }

  /** Sequence number of the next message: also how many were taken. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Patches the next frames and returns them as one slice; fewer than asked for at the end of the ring, never 0. */
  take(count: number): Buffer {
    const first = this.#cursor;
    const taken = Math.min(count, this.frameCount - first);
    const bytes = this.#bytes;
    let at = first * this.frameLength;
    const start = at;
    for (let i = 0; i < taken; i++, at += this.frameLength) {
      const sequence = this.#sequence++;
      const field = at + this.#payloadOffset + 4;
      bytes[field] = sequence & 0xff;
      bytes[field + 1] = (sequence >>> 8) & 0xff;
      bytes[field + 2] = (sequence >>> 16) & 0xff;
      bytes[field + 3] = sequence >>> 24;
      if (this.#idOffset >= 0) {
        const packetId = packetIdOf(sequence);
        bytes[at + this.#idOffset] = packetId >> 8;
        bytes[at + this.#idOffset + 1] = packetId & 0xff;
      }
    }
    this.#cursor = first + taken === this.frameCount ? 0 : first + taken;
    return bytes.subarray(start, at);
  }

  /** One frame, copied, with the time it is sent; for open loops, where no credit protects the ring. */
  takeTimed(sentMs: number): Buffer {
    const frame = Buffer.from(this.take(1));
    frame.writeDoubleLE(sentMs, this.#payloadOffset + 8);
    return frame;
  }
}

/** Packet Identifier of the message with this sequence number: 1..65535 in turn. */
export function packetIdOf(sequence: number): number {
  return (sequence % 65_535) + 1;
}
