/**
 * An MQTT 3.1.1 client by the book, reduced to what matters for losing and doubling messages. It keeps its session through every
 * end of a connection, writes down what it was promised and what it got, and knows nothing of the broker's insides.
 */
import type { Transport, TransportHandler } from '../../src/contracts/transport.ts';
import type { Random } from './random.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

/** The broker's end of a connection, without a network: what is written lies here until the client takes it. */
export class Wire implements Transport {
  readonly peer = { address: 'test', port: 1, tls: null };
  readonly pendingBytes = 0;
  handler: TransportHandler | null = null;
  isOver = false;
  #bytes: Buffer[] = [];
  readonly #disk: SimulatedDisk;

  /** @param disk - of the broker's process: when that has ended, nothing is written any more */
  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  write(bytes: Buffer): void {
    if (!this.#disk.isGone && !this.isOver) this.#bytes.push(Buffer.from(bytes));
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.isOver = true;
  }

  destroy(): void {
    this.isOver = true;
  }

  take(): Buffer {
    const bytes = Buffer.concat(this.#bytes);
    this.#bytes = [];
    return bytes;
  }
}

interface UnderWay {
  readonly topic: string;
  readonly number: number;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  step: 'publish' | 'pubrel';
}

export class ModelClient {
  readonly clientId: string;
  /** Topic Filter it subscribes to with QoS 2, null for a publisher. */
  readonly filter: string | null;
  /** Topic → numbers in the order of arrival, QoS 2 without repeats of one Packet Identifier. */
  readonly arrived = new Map<string, number[]>();
  /** Topic → numbers whose exchange the broker has ended. */
  readonly acknowledged = new Map<string, Set<number>>();
  isSubscribed = false;
  /** Whether the broker forgot a session that it had to keep. */
  hasLostSession = false;
  readonly #random: Random;
  #wire: Wire | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #isAccepted = false;
  #hadSession = false;
  /** Packet Identifier → publication, in order. */
  readonly #underWay = new Map<number, UnderWay>();
  /** Packet Identifiers of QoS 2 messages that are ours and await PUBREL. */
  readonly #received = new Set<number>();
  #lastPacketId = 0;

  constructor(clientId: string, filter: string | null, random: Random) {
    this.clientId = clientId;
    this.filter = filter;
    this.#random = random;
  }

  get isConnected(): boolean {
    return this.#wire !== null;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** @param wire - its handler is a connection of the broker */
  connect(wire: Wire): void {
    this.#wire = wire;
    this.#rest = Buffer.alloc(0);
    this.#isAccepted = false;
    const id = Buffer.from(this.clientId);
    const body = Buffer.concat([Buffer.from([0, 4]), Buffer.from('MQTT'), Buffer.from([4, 0, 0, 0, 0, id.length]), id]);
    this.#send(0x10, body);
  }

  /** The connection is lost; the broker notices unless its process is over. */
  lose(tellsBroker: boolean): void {
    const wire = this.#wire;
    this.#wire = null;
    if (wire === null) return;
    wire.isOver = true;
    if (tellsBroker) wire.handler?.onClose('ECONNRESET');
  }

  publish(topic: string, number: number, qos: 1 | 2, retain: boolean): void {
    const packetId = this.#nextPacketId();
    const publication: UnderWay = { topic, number, qos, retain, step: 'publish' };
    this.#underWay.set(packetId, publication);
    if (this.#isAccepted) this.#sendPublish(packetId, publication, false);
  }

  /** Reads what the broker has written, and answers. */
  pump(): void {
    const wire = this.#wire;
    if (wire === null) return;
    this.#rest = Buffer.concat([this.#rest, wire.take()]);
    for (;;) {
      const end = packetEnd(this.#rest);
      if (end === 0 || this.#wire !== wire) break;
      const packet = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      this.#receive(packet[0] as number, packet.subarray(packet.length - bodyLength(packet)));
    }
    if (wire.isOver && this.#wire === wire) this.#wire = null;
  }

  #receive(first: number, body: Buffer): void {
    switch (first >> 4) {
      case 2:
        this.#onConnack(body);
        break;
      case 3:
        this.#onPublish(first, body);
        break;
      case 4:
        this.#onEnd(body.readUInt16BE(0));
        break;
      case 5: {
        const packetId = body.readUInt16BE(0);
        const publication = this.#underWay.get(packetId);
        if (publication !== undefined) publication.step = 'pubrel';
        this.#sendNumber(0x62, packetId);
        break;
      }
      case 6:
        this.#received.delete(body.readUInt16BE(0));
        this.#sendNumber(0x70, body.readUInt16BE(0));
        break;
      case 7:
        this.#onEnd(body.readUInt16BE(0));
        break;
      case 9:
        this.isSubscribed = true;
        break;
      default:
    }
  }

  #onConnack(body: Buffer): void {
    this.#isAccepted = true;
    const isPresent = (body[0] as number) === 1;
    if (this.#hadSession && !isPresent) this.hasLostSession = true;
    if (!isPresent) this.#received.clear();
    if (this.filter !== null && !this.isSubscribed) {
      const filter = Buffer.from(this.filter);
      this.#send(0x82, Buffer.concat([Buffer.from([0xff, 0xff, 0, filter.length]), filter, Buffer.from([2])]));
    }
    for (const [packetId, publication] of this.#underWay) {
      if (publication.step === 'publish') this.#sendPublish(packetId, publication, true);
      else this.#sendNumber(0x62, packetId);
    }
  }

  /** From the first time that the broker must know the session. */
  expectSession(): void {
    this.#hadSession = true;
  }

  #onPublish(first: number, body: Buffer): void {
    const qos = (first >> 1) & 3;
    const topicEnd = 2 + body.readUInt16BE(0);
    const topic = body.toString('utf8', 2, topicEnd);
    const number = Number(body.toString('utf8', topicEnd + (qos > 0 ? 2 : 0)).trim());
    const packetId = qos > 0 ? body.readUInt16BE(topicEnd) : 0;
    const isNew = qos < 2 || !this.#received.has(packetId);
    if (isNew && (first & 1) === 0) {
      const numbers = this.arrived.get(topic) ?? [];
      numbers.push(number);
      this.arrived.set(topic, numbers);
    }
    if (qos === 1) this.#sendNumber(0x40, packetId);
    if (qos === 2) {
      this.#received.add(packetId);
      this.#sendNumber(0x50, packetId);
    }
  }

  #onEnd(packetId: number): void {
    const publication = this.#underWay.get(packetId);
    if (publication === undefined) return;
    this.#underWay.delete(packetId);
    const numbers = this.acknowledged.get(publication.topic) ?? new Set();
    numbers.add(publication.number);
    this.acknowledged.set(publication.topic, numbers);
  }

  #sendPublish(packetId: number, { topic, number, qos, retain }: UnderWay, dup: boolean): void {
    const name = Buffer.from(topic);
    const head = Buffer.from([0, name.length]);
    const padding = ' '.repeat(this.#random.below(100));
    const payload = Buffer.from(`${number}${padding}`);
    const id = Buffer.from([packetId >> 8, packetId & 0xff]);
    this.#send(0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0), Buffer.concat([head, name, id, payload]));
  }

  #sendNumber(first: number, packetId: number): void {
    this.#send(first, Buffer.from([packetId >> 8, packetId & 0xff]));
  }

  #send(first: number, body: Buffer): void {
    const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
    const packet = Buffer.concat([Buffer.from([first, ...length]), body]);
    const wire = this.#wire;
    if (wire !== null && !wire.isOver) wire.handler?.onData(packet, 0, packet.length);
  }

  #nextPacketId(): number {
    do {
      this.#lastPacketId = (this.#lastPacketId % 200) + 1;
    } while (this.#underWay.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

/** Where the first packet ends, 0 when it is not complete. */
function packetEnd(bytes: Buffer): number {
  let length = 0;
  for (let index = 1; index < Math.min(bytes.length, 5); index++) {
    const byte = bytes[index] as number;
    length |= (byte & 0x7f) << (7 * (index - 1));
    if (byte < 0x80) return bytes.length >= index + 1 + length ? index + 1 + length : 0;
  }
  return 0;
}

function bodyLength(packet: Buffer): number {
  let index = 1;
  while ((packet[index] as number) >= 0x80) index++;
  return packet.length - index - 1;
}
