/** One end of a Network Connection that a test holds in its hand: it sends bytes and looks at what comes. */
import { assert, expect } from 'vitest';
import { patienceMs } from '../../harness/wait.ts';
import { type Bytes, bytes, hexOf, type Version } from './bytes.ts';
import { type FilterFields, type Packets, type PublishFields, packetsOf } from './packets.ts';
import {
  packetLength,
  type Received,
  type ReceivedOf,
  type ReceivedPublish,
  type ReceivedSuback,
  read,
} from './received.ts';

/** The transport under a {@link Peer}. */
export interface ByteStream {
  onData: (bytes: Buffer) => void;
  /** Called once, when the other end has closed; a reset counts as a close. */
  onEnd: () => void;
  write(bytes: Buffer): void;
  /** Closes in the orderly way. */
  end(): void;
  /** Closes at once: a reset or a bare end of stream for the other end. */
  destroy(): void;
}

/** What of a PUBLISH a test wants to be so; what is absent may be anything. */
export interface WantedPublish {
  readonly topic?: string;
  /** as UTF-8 */
  readonly payload?: string;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetId?: number;
  /** all of them, in order */
  readonly properties?: ReceivedPublish['properties'];
}

export class Peer {
  readonly stream: ByteStream;
  /** Of what is received, and of what {@link publish} and its like send. */
  version: Version;
  readonly #from: 'client' | 'server';
  #input: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: () => void = () => {};
  #lastPacketId = 0;

  /** @param from - which side the other end is */
  constructor(stream: ByteStream, version: Version, from: 'client' | 'server') {
    this.stream = stream;
    this.version = version;
    this.#from = from;
    stream.onData = (chunk) => {
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
      this.#wake();
    };
    stream.onEnd = () => {
      this.#hasEnded = true;
      this.#wake();
    };
  }

  /** Bytes of Control Packets sent so far, without frames and records around them. */
  bytesSent = 0;

  /** The builders of this connection's version. */
  get packets(): Packets {
    return packetsOf(this.version);
  }

  /** Whether the other end has closed. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Sends all of it in one write. */
  send(...parts: readonly Bytes[]): void {
    const whole = Buffer.concat(parts.map(bytes));
    this.bytesSent += whole.length;
    this.stream.write(whole);
  }

  /** The next packet. */
  async next(): Promise<Received> {
    const whole = await this.#wait('a packet', () => this.#takePacket());
    if (whole === null) throw new Error(`the other end closed${this.#rest()} while a packet was waited for`);
    return read(whole, this.version, this.#from);
  }

  /** The next packet is these bytes. */
  async expect(wanted: Bytes): Promise<void> {
    const { bytes: found } = await this.next();
    expect(hexOf(found)).toBe(hexOf(bytes(wanted)));
  }

  /** The next packet is of this type. */
  async expectPacket<T extends Received['type']>(type: T): Promise<ReceivedOf<T>> {
    const packet = await this.next();
    expect(packet.type, hexOf(packet.bytes)).toBe(type);
    // The assertion above is what makes it so.
    return packet as ReceivedOf<T>;
  }

  /** The next packet is a PUBLISH that is as wanted. */
  async expectPublish(wanted: WantedPublish): Promise<ReceivedPublish> {
    const packet = await this.expectPacket('publish');
    const { payload, ...fields } = wanted;
    expect(packet).toMatchObject(payload === undefined ? fields : { ...fields, text: payload });
    return packet;
  }

  /** The other end closes without another byte. */
  async expectClosed(): Promise<void> {
    const whole = await this.#wait('the end', () => this.#takePacket());
    if (whole !== null) assert.fail(`closing was expected, but ${hexOf(whole)} came`);
    expect(hexOf(this.#input), 'bytes before the end').toBe('');
  }

  /**
   * The broker answers a broken rule and closes: in MQTT 5.0 by DISCONNECT with this Reason Code and nothing behind it
   * (`E0 01 RC`), in 3.x without a word.
   */
  async expectError(reasonCode: number): Promise<void> {
    if (this.version === 5) await this.expect(Buffer.from([0xe0, 0x01, reasonCode]));
    await this.expectClosed();
  }

  /** The broker refuses the CONNECT with this Reason Code (5.0) or return code (3.x), and closes. */
  async expectRefused(code: number): Promise<void> {
    // Session Present 0 [MQTT-3.2.2-6], no properties.
    await this.expect(Buffer.from(this.version === 5 ? [0x20, 3, 0, code, 0] : [0x20, 2, 0, code]));
    await this.expectClosed();
  }

  /** Everything that comes before the answer to a PINGREQ sent now: all that the broker had for us until it read it. */
  async drain(): Promise<Received[]> {
    this.send(this.packets.pingreq());
    const packets: Received[] = [];
    for (;;) {
      const packet = await this.next();
      if (packet.type === 'pingresp') return packets;
      packets.push(packet);
    }
  }

  /** The same, PUBLISH packets only; anything else is a failure. */
  async drainPublishes(): Promise<ReceivedPublish[]> {
    return (await this.drain()).map((packet) => {
      assert(packet.type === 'publish', `PUBLISH was expected, but ${hexOf(packet.bytes)} came`);
      return packet;
    });
  }

  /** Nothing has come, and nothing is on its way: the answer to a PINGREQ is the next packet. */
  async expectNothing(): Promise<void> {
    expect((await this.drain()).map((packet) => hexOf(packet.bytes))).toEqual([]);
  }

  /**
   * The same for a test that plays the server: the client's next packet is its PUBACK for a message sent now.
   *
   * @param packetId - not in use otherwise
   */
  async expectQuiet(packetId = 0xffff): Promise<void> {
    this.send(this.packets.publish({ topic: 'marker', qos: 1, packetId }));
    await this.expect(this.packets.puback({ packetId }));
  }

  /** Subscribes and takes the SUBACK, which must grant everything. */
  async subscribe(...filters: readonly (string | FilterFields)[]): Promise<ReceivedSuback> {
    const packetId = this.#nextPacketId();
    this.send(this.packets.subscribe({ packetId, filters }));
    const suback = await this.expectPacket('suback');
    assert(suback.type === 'suback' && suback.packetId === packetId, hexOf(suback.bytes));
    assert(
      suback.reasonCodes.every((code) => code < 0x80),
      `SUBACK refuses: ${hexOf(suback.bytes)}`,
    );
    return suback;
  }

  /**
   * Publishes. At QoS 1 and 2 the whole exchange is made, so that afterwards the broker has distributed the message; at
   * QoS 0 nothing is waited for (`drain` does that).
   *
   * @returns the Reason Code of PUBACK or PUBREC, 0 at QoS 0
   */
  async publish(fields: PublishFields): Promise<number> {
    const { qos = 0 } = fields;
    if (qos === 0) {
      this.send(this.packets.publish(fields));
      return 0;
    }
    const packetId = fields.packetId ?? this.#nextPacketId();
    this.send(this.packets.publish({ ...fields, packetId }));
    const answer = await this.expectPacket(qos === 1 ? 'puback' : 'pubrec');
    expect(answer.packetId).toBe(packetId);
    if (qos === 1 || answer.reasonCode >= 0x80) return answer.reasonCode;
    this.send(this.packets.pubrel({ packetId }));
    expect((await this.expectPacket('pubcomp')).packetId).toBe(packetId);
    return answer.reasonCode;
  }

  /** Acknowledges a PUBLISH that came: PUBACK, or PUBREC and PUBCOMP. */
  async acknowledge({ qos, packetId }: Pick<ReceivedPublish, 'qos' | 'packetId'>): Promise<void> {
    if (qos === 1) this.send(this.packets.puback({ packetId }));
    if (qos !== 2) return;
    this.send(this.packets.pubrec({ packetId }));
    expect((await this.expectPacket('pubrel')).packetId).toBe(packetId);
    this.send(this.packets.pubcomp({ packetId }));
  }

  /** Says DISCONNECT (Reason Code 0x00 unless told) and waits for the broker to close. */
  async disconnect(reasonCode?: number, properties?: readonly Buffer[]): Promise<void> {
    this.send(this.packets.disconnect({ ...(reasonCode === undefined ? {} : { reasonCode }), properties }));
    await this.expectClosed();
  }

  close(): void {
    this.stream.destroy();
  }

  #nextPacketId(): number {
    return ++this.#lastPacketId;
  }

  /** A whole packet, null when the other end has closed and none is left, undefined when neither is so yet. */
  #takePacket(): Buffer | null | undefined {
    const length = packetLength(this.#input);
    if (length === 0) return this.#hasEnded ? null : undefined;
    const whole = this.#input.subarray(0, length);
    this.#input = this.#input.subarray(length);
    return whole;
  }

  async #wait<T>(what: string, look: () => T | undefined): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, patienceMs);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (isLate) throw new Error(`timed out waiting for ${what}${this.#rest()}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #rest(): string {
    return this.#input.length === 0 ? '' : ` (after ${hexOf(this.#input.subarray(0, 100))})`;
  }
}
