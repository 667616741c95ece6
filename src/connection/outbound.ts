/**
 * Outgoing bytes: encoded once, written once per connection and turn.
 *
 * A turn is one round of the event loop: everything that is sent while it handles what has arrived is put into one *arena*. A
 * connection's `Outbox` holds only ranges of it, so a fan-out gives the same range to every subscriber without copying. When
 * the round is over every outbox with something in it makes exactly one write. (Writing after each read instead costs half of
 * the throughput when many publishers feed few subscribers, and a tenth where every message has its own.) As long as the operating system takes everything at once the arena is used
 * again from its beginning; when a socket keeps bytes, that arena is left to it and what follows for that socket is copied
 * out, so that a slow reader never holds more than its own bytes and one arena.
 *
 * Bounds: an arena has 256 KiB, or the size of one larger frame; what waits per socket is bounded by whoever asks
 * `pendingBytes` before it sends.
 */
import type { Transport } from '../contracts/transport.ts';

const arenaBytes = 256 * 1024;
/** Ranges an idle outbox keeps room for. */
const keptRanges = 32;

/** What an outbox and its arena report to the engine. */
export interface OutboundCounters {
  readonly stats: { bytesSent: number; messagesSent: number };
  packetsOutCount: number;
  packetsOutBytes: number;
}

export class Outbound {
  /** The arena. Bytes before `position` are taken; valid while `epoch` stays the same. */
  arena: Buffer = Buffer.allocUnsafeSlow(arenaBytes);
  position = 0;
  /** Changes whenever ranges of the arena stop being valid. */
  epoch = 1;
  readonly counters: OutboundCounters;
  #dirty: Outbox[] = [];
  #isScheduled = false;
  /** Whether a socket still reads from the present arena. */
  #isPinned = false;
  readonly #endTurn = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  constructor(counters: OutboundCounters) {
    this.counters = counters;
  }

  /**
   * Room for `bytes` bytes in a row; the caller writes them at the returned offset and hands the range to an outbox.
   *
   * May write everything gathered so far and begin a new arena: look at `epoch` before using older ranges.
   */
  reserve(bytes: number): number {
    if (this.position + bytes > this.arena.length) {
      this.flush();
      if (bytes > this.arena.length) {
        this.arena = Buffer.allocUnsafeSlow(bytes);
        this.epoch++;
      }
    }
    const offset = this.position;
    this.position = offset + bytes;
    return offset;
  }

  /** Writes what every outbox has gathered. */
  flush(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0 && this.position === 0) return;
    this.#dirty = [];
    for (let index = 0; index < dirty.length; index++) (dirty[index] as Outbox).write();
    if (this.#isPinned || this.arena.length > arenaBytes) {
      this.arena = Buffer.allocUnsafeSlow(arenaBytes);
      this.#isPinned = false;
    }
    this.position = 0;
    this.epoch++;
  }

  /** An outbox got its first range since the last flush. */
  addDirty(outbox: Outbox): void {
    this.#dirty.push(outbox);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#endTurn);
  }

  /** A socket kept bytes of the present arena. */
  pin(): void {
    this.#isPinned = true;
  }
}

export class Outbox {
  readonly #outbound: Outbound;
  readonly #transport: Transport;
  /** start, end, start, end … */
  #ranges: number[] = [];
  #length = 0;
  /** Packets gathered since the last write, and packets that wait for the socket. */
  #packets = 0;
  #waitingPackets = 0;
  #waitingBytes = 0;

  constructor(outbound: Outbound, transport: Transport) {
    this.#outbound = outbound;
    this.#transport = transport;
  }

  /** Bytes that the operating system has not taken, without those of this turn. */
  get pendingBytes(): number {
    return this.#waitingPackets === 0 ? 0 : this.#transport.pendingBytes;
  }

  /** Packets that wait for the socket, without those of this turn. */
  get waitingPackets(): number {
    return this.#waitingPackets;
  }

  /** Sends `arena[start..end)`, which holds `packets` whole packets. */
  add(start: number, end: number, packets: number): void {
    this.#packets += packets;
    const length = this.#length;
    if (length === 0) {
      this.#outbound.addDirty(this);
    } else if (this.#ranges[length - 1] === start) {
      this.#ranges[length - 1] = end;
      return;
    }
    this.#ranges[length] = start;
    this.#ranges[length + 1] = end;
    this.#length = length + 2;
  }

  /** Copies bytes into the arena and sends them. */
  addBytes(bytes: Buffer, packets: number): void {
    const start = this.#outbound.reserve(bytes.length);
    bytes.copy(this.#outbound.arena, start);
    this.add(start, start + bytes.length, packets);
  }

  /** One write of everything gathered. */
  write(): void {
    const length = this.#length;
    if (length === 0) return;
    this.#length = 0;
    const packets = this.#packets;
    this.#packets = 0;
    const transport = this.#transport;
    const isWaiting = transport.pendingBytes > 0;
    const bytes = length === 2 && !isWaiting ? this.#single() : this.#gather(length, isWaiting);
    if (this.#ranges.length > keptRanges) this.#ranges = [];
    const { counters } = this.#outbound;
    counters.stats.bytesSent += bytes.length;
    counters.stats.messagesSent += packets;
    transport.write(bytes);
    const pending = transport.pendingBytes;
    if (pending === 0) return;
    if (!isWaiting) this.#outbound.pin();
    this.#waitingPackets += packets;
    counters.packetsOutCount += packets;
    counters.packetsOutBytes += pending - this.#waitingBytes;
    this.#waitingBytes = pending;
  }

  /** The socket has taken everything, or is gone. */
  drained(): void {
    const { counters } = this.#outbound;
    counters.packetsOutCount -= this.#waitingPackets;
    counters.packetsOutBytes -= this.#waitingBytes;
    this.#waitingPackets = 0;
    this.#waitingBytes = 0;
  }

  #single(): Buffer {
    return this.#outbound.arena.subarray(this.#ranges[0] as number, this.#ranges[1] as number);
  }

  /** Several ranges in a row: in the arena's free end, or in a buffer of their own when they outlive the turn. */
  #gather(length: number, isWaiting: boolean): Buffer {
    const ranges = this.#ranges;
    const outbound = this.#outbound;
    const { arena } = outbound;
    let total = 0;
    for (let index = 0; index < length; index += 2) {
      total += (ranges[index + 1] as number) - (ranges[index] as number);
    }
    const fits = !isWaiting && outbound.position + total <= arena.length;
    const target = fits ? arena : Buffer.allocUnsafe(total);
    const begin = fits ? outbound.position : 0;
    let at = begin;
    for (let index = 0; index < length; index += 2) {
      const start = ranges[index] as number;
      const end = ranges[index + 1] as number;
      if (fits) arena.copyWithin(at, start, end);
      else arena.copy(target, at, start, end);
      at += end - start;
    }
    if (fits) outbound.position = at;
    return target.subarray(begin, at);
  }
}
