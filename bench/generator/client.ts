/** One MQTT client of the generator: handshake and subscribing with promises, the data path with plain calls. */
import type { Credentials } from '../access-files.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { Dialer, Link, LinkEvents } from './dialer.ts';
import {
  encodeConnect,
  encodeDisconnect,
  encodeSubscribe,
  FirstByte,
  type ProtocolLevel,
  type Qos,
} from './packets.ts';
import { type PacketHandler, PacketScanner } from './scanner.ts';

/** Bytes of acks gathered while one chunk is read; flushed when full. */
const ACK_BYTES_MAX = 16 * 1024;
/** Topic Filters in one SUBSCRIBE. */
const FILTERS_PER_SUBSCRIBE = 500;

/** What happens on the data path; one object serves all clients. */
export interface ClientEvents {
  /** A message arrived. `payload`..`end` in `bytes` is its payload, only valid during the call. */
  onMessage(client: GeneratorClient, bytes: Uint8Array, payload: number, end: number): void;
  /** A message of ours is done: PUBACK or PUBCOMP (or a PUBREC that refused it). */
  onDone(client: GeneratorClient, packetId: number, reasonCode: number): void;
  /** The broker closed the connection. Not called after `close` or `drop`. */
  onLost(client: GeneratorClient, error: Error | undefined): void;
}

export interface ClientOptions {
  readonly level: ProtocolLevel;
  readonly clientId: string;
  readonly cleanStart?: boolean;
  readonly localAddress?: string;
  readonly credentials?: Credentials | undefined;
  /** Free for the caller: the number of this publisher or subscriber. */
  readonly index?: number;
}

export class GeneratorClient implements PacketHandler, LinkEvents {
  readonly index: number;
  readonly clientId: string;
  readonly #level: ProtocolLevel;
  readonly #events: ClientEvents;
  readonly #scanner: PacketScanner;
  #link: Link | undefined;
  #acks: Buffer | undefined;
  #ackBytes = 0;
  #isLeaving = false;
  #sessionPresent = false;
  #waitingFor = 0;
  #answer: Deferred<void> | undefined;
  readonly #closed = deferred<void>();

  private constructor(options: ClientOptions, events: ClientEvents) {
    this.index = options.index ?? 0;
    this.clientId = options.clientId;
    this.#level = options.level;
    this.#events = events;
    this.#scanner = new PacketScanner(this, options.level === 5);
  }

  /** Connects and waits for CONNACK. @throws Error - when the broker refuses or closes */
  static async connect(dialer: Dialer, options: ClientOptions, events: ClientEvents): Promise<GeneratorClient> {
    const client = new GeneratorClient(options, events);
    const link = await dialer.open(client, options.localAddress);
    client.#link = link;
    const connack = client.#expect(FirstByte.connack);
    const { level, clientId, cleanStart = true, credentials } = options;
    link.send(encodeConnect({ level, clientId, cleanStart, credentials }));
    await connack;
    return client;
  }

  get sessionPresent(): boolean {
    return this.#sessionPresent;
  }

  /** Subscribes to all filters and waits for every SUBACK. @throws Error - when one is refused */
  async subscribe(filters: readonly string[], qos: Qos): Promise<void> {
    for (let i = 0, packetId = 1; i < filters.length; i += FILTERS_PER_SUBSCRIBE, packetId++) {
      const suback = this.#expect(FirstByte.suback);
      this.#link?.send(encodeSubscribe(this.#level, packetId, filters.slice(i, i + FILTERS_PER_SUBSCRIBE), qos));
      await suback;
    }
  }

  /** Writes frames of a ring. */
  sendFrames(bytes: Uint8Array): void {
    this.#link?.sendFramed(bytes);
  }

  /** Writes whole packets. */
  send(bytes: Uint8Array): void {
    this.#link?.send(bytes);
  }

  /** DISCONNECT, then waits until the broker has closed the connection. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    this.#link?.send(encodeDisconnect());
    await this.#closed.promise;
  }

  /** Gone at once, without DISCONNECT. */
  drop(): void {
    this.#isLeaving = true;
    this.#link?.destroy();
  }

  onBytes(bytes: Uint8Array, start: number, end: number): void {
    this.#scanner.feed(bytes, start, end);
    if (this.#ackBytes > 0) this.#flushAcks();
  }

  onClose(error: Error | undefined): void {
    this.#answer?.reject(error ?? new Error(`the broker closed the connection of ${this.clientId}`));
    this.#closed.resolve();
    if (!this.#isLeaving && this.#link !== undefined) this.#events.onLost(this, error);
  }

  onPublish(bytes: Uint8Array, firstByte: number, packetId: number, payload: number, end: number): void {
    const qosBits = firstByte & 0x06;
    if (qosBits === 0x02) this.#ack(FirstByte.puback, packetId);
    else if (qosBits === 0x04) this.#ack(FirstByte.pubrec, packetId);
    this.#events.onMessage(this, bytes, payload, end);
  }

  onAck(firstByte: number, packetId: number, reasonCode: number): void {
    if (firstByte === FirstByte.puback || firstByte === FirstByte.pubcomp) {
      this.#events.onDone(this, packetId, reasonCode);
    } else if (firstByte === FirstByte.pubrec) {
      if (reasonCode >= 0x80) this.#events.onDone(this, packetId, reasonCode);
      else this.#ack(FirstByte.pubrel, packetId);
    } else {
      this.#ack(FirstByte.pubcomp, packetId);
    }
  }

  onOther(bytes: Uint8Array, start: number, body: number, end: number): void {
    const firstByte = bytes[start] as number;
    if (firstByte !== this.#waitingFor) {
      if (firstByte === FirstByte.disconnect) return; // MQTT 5.0: the close that follows is what counts
      throw new Error(`${this.clientId}: unexpected packet 0x${firstByte.toString(16)}`);
    }
    this.#waitingFor = 0;
    const answer = this.#answer;
    this.#answer = undefined;
    if (firstByte === FirstByte.connack) {
      this.#sessionPresent = ((bytes[body] as number) & 1) === 1;
      const code = bytes[body + 1] as number;
      if (code === 0) answer?.resolve();
      else answer?.reject(new Error(`${this.clientId}: CONNACK ${code}`));
    } else {
      // Reason Codes stand at the end, one per filter; properties before them never reach 0x80 in what brokers send here.
      const refused = bytes.subarray(body + 2, end).some((code) => code >= 0x80);
      if (refused) answer?.reject(new Error(`${this.clientId}: SUBACK refuses a filter`));
      else answer?.resolve();
    }
  }

  #expect(firstByte: number): Promise<void> {
    this.#waitingFor = firstByte;
    this.#answer = deferred<void>();
    return this.#answer.promise;
  }

  #ack(firstByte: number, packetId: number): void {
    this.#acks ??= Buffer.allocUnsafeSlow(ACK_BYTES_MAX);
    if (this.#ackBytes === ACK_BYTES_MAX) this.#flushAcks();
    const at = this.#ackBytes;
    this.#acks[at] = firstByte;
    this.#acks[at + 1] = 2;
    this.#acks[at + 2] = packetId >> 8;
    this.#acks[at + 3] = packetId & 0xff;
    this.#ackBytes = at + 4;
  }

  #flushAcks(): void {
    const acks = this.#acks as Buffer;
    this.#link?.send(Buffer.from(acks.subarray(0, this.#ackBytes)));
    this.#ackBytes = 0;
  }
}
