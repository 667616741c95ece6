/**
 * Messages on their way from the event loop to the worker: one block of memory, handed over without a copy.
 *
 * Names of topics and publishers are told once per batch. A record is time (float64), index of the topic and of the publisher
 * (uint32 each), QoS and RETAIN (one byte), length of the payload (uint32), payload.
 */

/** Bytes of a record beside its payload. */
export const recordOverhead = 21;

export interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly count: number;
  readonly topics: readonly string[];
  readonly clients: readonly string[];
}

/** One message of a batch. */
export interface BatchedMessage {
  readonly timeMs: number;
  readonly topic: string;
  readonly clientId: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Points into the batch. */
  readonly payload: Uint8Array;
}

/** Name → its place in the batch. */
class Names {
  readonly #places = new Map<string, number>();
  readonly list: string[] = [];

  place(name: string): number {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.list.push(name) - 1;
      this.#places.set(name, place);
    }
    return place;
  }
}

export class BatchWriter {
  readonly #bytes: Buffer<ArrayBuffer>;
  readonly #topics = new Names();
  readonly #clients = new Names();
  #used = 0;
  count = 0;

  /** @param size - bytes of records that fit */
  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Whether a message with such a payload fits. */
  hasRoomFor(payloadLength: number): boolean {
    return this.#bytes.length - this.#used >= recordOverhead + payloadLength;
  }

  /** Copies the payload `source[start..end)`; the caller has asked whether it fits. */
  add(
    timeMs: number,
    topic: string,
    clientId: string,
    qos: 0 | 1 | 2,
    retain: boolean,
    source: Buffer,
    start: number,
    end: number,
  ): void {
    const bytes = this.#bytes;
    let at = bytes.writeDoubleLE(timeMs, this.#used);
    at = bytes.writeUInt32LE(this.#topics.place(topic), at);
    at = bytes.writeUInt32LE(this.#clients.place(clientId), at);
    at = bytes.writeUInt8(qos | (retain ? 4 : 0), at);
    at = bytes.writeUInt32LE(end - start, at);
    source.copy(bytes, at, start, end);
    this.#used = at + end - start;
    this.count++;
  }

  /** The batch; the writer must not be used any more. */
  finish(): Batch {
    const bytes = this.#bytes.subarray(0, this.#used);
    return { bytes, count: this.count, topics: this.#topics.list, clients: this.#clients.list };
  }
}

/** The messages of a batch, in order. */
export function* readBatch({ bytes, count, topics, clients }: Batch): Generator<BatchedMessage> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const flags = buffer.readUInt8(at + 16);
    const length = buffer.readUInt32LE(at + 17);
    const start = at + recordOverhead;
    yield {
      timeMs: buffer.readDoubleLE(at),
      topic: topics[buffer.readUInt32LE(at + 8)] ?? '',
      clientId: clients[buffer.readUInt32LE(at + 12)] ?? '',
      qos: (flags & 3) as 0 | 1 | 2,
      retain: (flags & 4) !== 0,
      payload: buffer.subarray(start, start + length),
    };
    at = start + length;
  }
}
