/**
 * Outgoing bytes: encoded once, written once per connection and turn.
 *
 * A turn is one round of the event loop: everything that is sent while it handles what has arrived is put into one *arena*. A
 * connection's `Outbox` holds only ranges of it, so a fan-out gives the same range to every subscriber without copying. When
 * the round is over every outbox with something in it makes exactly one write. (Writing after each read instead costs half of
 * the throughput when many publishers feed few subscribers, and a tenth where every message has its own.) As long as the operating system takes everything at once the arena is used
 * again from its beginning; when a socket keeps bytes, that arena is left to it and what follows for that socket is copied
 * out, so that a slow reader never holds more than its own bytes and one arena. Slow readers of the same messages share the copy,
 * and nothing else is done for them: no socket is asked before it has told that it takes bytes again.
 *
 * The first arena, its *home*, has an input area behind it, into which sockets are read. A message that is passed on unchanged is
 * then copied inside one buffer, which costs a third of a copy between two. When a socket keeps bytes of the home, other arenas
 * take its place until they have left.
 *
 * Bounds: the home has 1 MiB, another arena 256 KiB, or the size of one larger frame; what waits per socket is bounded by whoever asks
 * `pendingBytes` before it sends.
 */
import type { Transport } from '../contracts/transport.ts';

/**
 * The home. A message to a thousand subscribers at QoS 1 is a hundred kilobytes of frames, and each further message that fits makes
 * every write carry more. What a turn does not use is never touched, and so takes no memory.
 */
const homeBytes = 1024 * 1024;
/** Another arena, which a slow reader may hold on to. */
const arenaBytes = 256 * 1024;
/** Bytes read at a time from one socket. */
export const inputBytes = 64 * 1024;
/**
 * An arena begins with a place where the pieces of a write are put together. The operating system has copied them when the write
 * returns, so every socket uses the same one.
 */
const stagingBytes = 64 * 1024;
/** Of up to so many of its first bytes a view is made once for each length: a new one costs more than the copy. */
const viewBytesMax = 1024;
/** Ranges beside the first that an idle outbox keeps room for. */
const keptRanges = 32;
/** Bytes that a socket which takes bytes again is given at a time, or one larger piece. */
const batchBytes = 256 * 1024;

/** What an outbox and its arena report to the engine. */
export interface OutboundCounters {
  readonly stats: { bytesSent: number; messagesSent: number };
  packetsOutCount: number;
  packetsOutBytes: number;
}

export class Outbound {
  /** `home[inputStart..)` is the input area, the rest an arena. */
  readonly home: Buffer;
  readonly inputStart = homeBytes;
  /** The arena. Bytes before `position` are taken; valid while `epoch` stays the same. */
  arena: Buffer;
  position = stagingBytes;
  /** Changes whenever ranges of the arena stop being valid. */
  epoch = 1;
  /** Number of the present turn; grows with each in which anything was sent. */
  turn = 0;
  readonly counters: OutboundCounters;
  #dirty: Outbox[] = [];
  #isScheduled = false;
  /** Where the arena ends. */
  #arenaEnd = homeBytes;
  /** Whether a socket still reads from the present arena. */
  #isPinned = false;
  /** Transports that kept bytes of the home; looked at while another arena is used. */
  #atHome: Transport[] = [];
  /** Length → that many bytes at the beginning of the arena. */
  #views: (Buffer | undefined)[] = [];
  /** What was copied last in this turn, and its ranges: start, end, start, end … */
  #copied: Buffer | null = null;
  #copiedRanges: readonly number[] = [];
  readonly #endTurn = (): void => {
    this.#isScheduled = false;
    this.turn++;
    this.flush();
  };

  /** @param inputBytes - size of the input area; 0: sockets are read elsewhere */
  constructor(counters: OutboundCounters, inputBytes = 0) {
    this.counters = counters;
    this.home = Buffer.allocUnsafeSlow(homeBytes + inputBytes);
    this.arena = this.home;
  }

  /**
   * Room for `bytes` bytes in a row; the caller writes them at the returned offset and hands the range to an outbox.
   *
   * May write everything gathered so far and begin a new arena: look at `epoch` before using older ranges.
   */
  reserve(bytes: number): number {
    if (this.position + bytes > this.#arenaEnd) {
      this.flush();
      if (this.position + bytes > this.#arenaEnd) {
        this.#begin(Buffer.allocUnsafeSlow(stagingBytes + bytes));
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
    if (dirty.length === 0 && this.position === stagingBytes) return;
    this.#dirty = [];
    for (let index = 0; index < dirty.length; index++) (dirty[index] as Outbox).write();
    if (this.arena !== this.home && this.#isHomeFree()) this.#begin(this.home);
    else if (this.#isPinned || (this.arena !== this.home && this.#arenaEnd > arenaBytes))
      this.#begin(Buffer.allocUnsafeSlow(arenaBytes));
    this.position = stagingBytes;
    this.epoch++;
    this.#copied = null;
  }

  #isHomeFree(): boolean {
    const transports = this.#atHome;
    while (transports.length > 0 && transports.at(-1)?.pendingBytes === 0) transports.pop();
    return transports.length === 0;
  }

  #begin(arena: Buffer): void {
    this.arena = arena;
    this.#arenaEnd = arena === this.home ? this.inputStart : arena.length;
    this.#views = [];
    this.#isPinned = false;
  }

  /** `arena[start..end)`, to be written before anything else is. */
  range(start: number, end: number): Buffer {
    const length = end - start;
    const { arena } = this;
    if (length > viewBytesMax || this.#isPinned) return arena.subarray(start, end);
    if (length > 32) arena.copyWithin(0, start, end);
    else for (let index = 0; index < length; index++) arena[index] = arena[start + index] as number;
    return this.stagedView(length);
  }

  /** `arena[start..end)` in a buffer that outlives the turn; whoever asks for the same range next gets the same one. */
  copyRange(start: number, end: number): Buffer {
    const last = this.#copiedRanges;
    if (this.#copied !== null && last.length === 2 && last[0] === start && last[1] === end) return this.#copied;
    return this.#copyAll([start, end]);
  }

  /** The same for several ranges, which are put in a row. */
  copy(ranges: readonly number[]): Buffer {
    const last = this.#copiedRanges;
    if (this.#copied !== null && ranges.length === last.length && ranges.every((at, index) => at === last[index])) {
      return this.#copied;
    }
    return this.#copyAll(ranges);
  }

  #copyAll(ranges: readonly number[]): Buffer {
    let total = 0;
    for (let index = 0; index < ranges.length; index += 2) {
      total += (ranges[index + 1] as number) - (ranges[index] as number);
    }
    const target = Buffer.allocUnsafe(total);
    let at = 0;
    for (let index = 0; index < ranges.length; index += 2) {
      at += this.arena.copy(target, at, ranges[index], ranges[index + 1]);
    }
    this.#copied = target;
    this.#copiedRanges = ranges;
    return target;
  }

  /** Where `length` bytes can be put together in the arena; −1: nowhere. */
  place(length: number): number {
    if (length <= stagingBytes && !this.#isPinned) return 0;
    const { position } = this;
    if (position + length > this.#arenaEnd) return -1;
    this.position = position + length;
    return position;
  }

  /** The first `length` bytes of the arena. */
  stagedView(length: number): Buffer {
    return (this.#views[length] ??= this.arena.subarray(0, length));
  }

  /** An outbox got its first range since the last flush. */
  addDirty(outbox: Outbox): void {
    this.#dirty.push(outbox);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#endTurn);
  }

  /** A socket kept bytes of the present arena. */
  pin(transport: Transport): void {
    this.#isPinned = true;
    if (this.arena === this.home) this.#atHome.push(transport);
  }
}

export class Outbox {
  readonly #outbound: Outbound;
  readonly #transport: Transport;
  /** The first range; nothing is gathered while `#end` is 0. */
  #start = 0;
  #end = 0;
  /** Further ranges: start, end, start, end … */
  #more: number[] | null = null;
  #moreLength = 0;
  /** End of the first range while the first packet is a question, see {@link markQuestion}; else 0. */
  #questionEnd = 0;
  #isAnswered = false;
  /** Packets gathered since the last write, and packets that wait for the socket. */
  #packets = 0;
  #waitingPackets = 0;
  /** Bytes that wait for the socket, in it and in the queue. */
  #waitingBytes = 0;
  /** What the socket is given when it has taken what it has; null: nothing. */
  #queue: Buffer[] | null = null;
  #queuedBytes = 0;

  constructor(outbound: Outbound, transport: Transport) {
    this.#outbound = outbound;
    this.#transport = transport;
  }

  /** Bytes that the operating system has not taken, without those of this turn. */
  get pendingBytes(): number {
    return this.#waitingBytes;
  }

  /** Packets that wait for the socket, without those of this turn. */
  get waitingPackets(): number {
    return this.#waitingPackets;
  }

  /** Sends `arena[start..end)`, which holds `packets` whole packets. */
  add(start: number, end: number, packets: number): void {
    this.#packets += packets;
    if (this.#end === 0) {
      this.#start = start;
      this.#end = end;
      this.#outbound.addDirty(this);
    } else if (this.#moreLength > 0) {
      this.#addMore(start, end);
    } else if (this.#end === start) {
      this.#end = end;
    } else {
      this.#more ??= [];
      this.#more[0] = start;
      this.#more[1] = end;
      this.#moreLength = 2;
    }
  }

  #addMore(start: number, end: number): void {
    const more = this.#more as number[];
    const length = this.#moreLength;
    if (more[length - 1] === start) {
      more[length - 1] = end;
      return;
    }
    more[length] = start;
    more[length + 1] = end;
    this.#moreLength = length + 2;
  }

  /** The packet added last is one that its receiver answers at once: a PUBLISH with QoS 1. */
  markQuestion(): void {
    if (this.#packets === 1) this.#questionEnd = this.#end;
  }

  /**
   * The packet added last is an answer that lets its receiver publish again.
   *
   * Question and answer alone are what a client gets that publishes to itself one message after another. Most clients leave
   * Nagle's algorithm on: with both in one segment its PUBLISH would wait behind its PUBACK for an acknowledgement that our
   * operating system delays by 40 ms, as there is nothing to send along with it.
   */
  markAnswer(): void {
    if (this.#packets === 2 && this.#questionEnd > 0) this.#isAnswered = true;
  }

  /** Copies bytes into the arena and sends them. */
  addBytes(bytes: Buffer, packets: number): void {
    const start = this.#outbound.reserve(bytes.length);
    bytes.copy(this.#outbound.arena, start);
    this.add(start, start + bytes.length, packets);
  }

  /** One write of everything gathered. */
  write(): void {
    if (this.#end === 0) return;
    const transport = this.#transport;
    const packets = this.#packets;
    const isWaiting = this.#waitingPackets > 0 || transport.pendingBytes > 0;
    const answerFrom = this.#isAnswered && packets === 2 ? this.#questionEnd - this.#start : 0;
    const bytes = isWaiting ? this.#copy() : this.#moreLength > 0 ? this.#gather() : this.#single();
    this.#questionEnd = 0;
    this.#isAnswered = false;
    this.#packets = 0;
    this.#end = 0;
    this.#moreLength = 0;
    if (this.#more !== null && this.#more.length > 2 * keptRanges) this.#more = null;
    const { counters } = this.#outbound;
    counters.stats.bytesSent += bytes.length;
    counters.stats.messagesSent += packets;
    if (isWaiting) {
      this.#enqueue(bytes);
    } else {
      transport.write(bytes, answerFrom);
      if (transport.pendingBytes === 0) return;
      if (!transport.copiesBytes) this.#outbound.pin(transport);
      this.#setWaitingBytes(transport.pendingBytes);
    }
    this.#waitingPackets += packets;
    counters.packetsOutCount += packets;
  }

  #enqueue(bytes: Buffer): void {
    this.#queue ??= [];
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#setWaitingBytes(this.#waitingBytes + bytes.length);
  }

  #setWaitingBytes(bytes: number): void {
    this.#outbound.counters.packetsOutBytes += bytes - this.#waitingBytes;
    this.#waitingBytes = bytes;
  }

  /** The socket has taken what it had: it gets the next of what waits. */
  drained(): void {
    const transport = this.#transport;
    while (this.#queue !== null && transport.pendingBytes === 0) transport.write(this.#nextBatch(this.#queue));
    if (transport.pendingBytes > 0) this.#setWaitingBytes(transport.pendingBytes + this.#queuedBytes);
    else this.forget();
  }

  #nextBatch(queue: Buffer[]): Buffer {
    let count = 1;
    let bytes = (queue[0] as Buffer).length;
    while (count < queue.length && bytes + (queue[count] as Buffer).length <= batchBytes) {
      bytes += (queue[count++] as Buffer).length;
    }
    const batch = count === 1 ? (queue[0] as Buffer) : Buffer.concat(queue.slice(0, count), bytes);
    if (count === queue.length) this.#queue = null;
    else queue.splice(0, count);
    this.#queuedBytes -= bytes;
    return batch;
  }

  /** Gives the socket everything that waits, taken or not: it is going to close. */
  handOver(): void {
    for (const bytes of this.#queue ?? []) this.#transport.write(bytes);
    this.forget();
  }

  /** Nothing waits any more: all is with the socket, or that is gone. */
  forget(): void {
    this.#outbound.counters.packetsOutCount -= this.#waitingPackets;
    this.#waitingPackets = 0;
    this.#setWaitingBytes(0);
    this.#queue = null;
    this.#queuedBytes = 0;
  }

  #single(): Buffer {
    return this.#outbound.range(this.#start, this.#end);
  }

  /** Several ranges in a row, in the arena: where small writes go or in its free end; else in a buffer of their own. */
  #gather(): Buffer {
    const outbound = this.#outbound;
    const { arena } = outbound;
    const total = this.#total();
    const place = outbound.place(total);
    if (place < 0) return this.#copy();
    arena.copyWithin(place, this.#start, this.#end);
    let at = place + this.#end - this.#start;
    const more = this.#more as number[];
    for (let index = 0; index < this.#moreLength; index += 2) {
      const start = more[index] as number;
      const end = more[index + 1] as number;
      arena.copyWithin(at, start, end);
      at += end - start;
    }
    return place === 0 && total <= viewBytesMax ? outbound.stagedView(total) : arena.subarray(place, at);
  }

  /** The same in a buffer that may outlive the turn. */
  #copy(): Buffer {
    if (this.#moreLength === 0) return this.#outbound.copyRange(this.#start, this.#end);
    const ranges = [this.#start, this.#end];
    for (let index = 0; index < this.#moreLength; index++) ranges.push(this.#more?.[index] as number);
    return this.#outbound.copy(ranges);
  }

  #total(): number {
    let total = this.#end - this.#start;
    for (let index = 0; index < this.#moreLength; index += 2) {
      total += (this.#more?.[index + 1] as number) - (this.#more?.[index] as number);
    }
    return total;
  }
}
