/** Counting who holds a message, so that the broker knows what it stores (`$SYS/broker/messages/stored`). */
import type { Message, Slab } from '../contracts/message.ts';
import { MessagePool } from './message-pool.ts';

/** What is held by at least one delivery, retained entry or Will. */
export interface Holdings {
  count: number;
  /** Payload bytes of those messages. */
  bytes: number;
  /** All that they take, roughly: {@link sizeOf} of each, and what messages that are gone left in the slabs of others. */
  sizes: number;
  /** Identity the store knows messages by; grows. */
  lastStoreId: number;
  /** Where the next small message that stays is put; the first `slabUsed` bytes are taken. Null before the first. */
  slab: Slab | null;
  slabUsed: number;
  /** Where messages come from that only their publisher's session holds. */
  readonly pool: MessagePool;
}

/** Bytes of a slab; a message that outlives its neighbours holds on to all of it. */
const slabBytes = 8192;
/** Larger ones get memory of their own, for which V8 keeps 300 bytes of books. */
const inSlabMax = 512;
/** What a message takes beside its own bytes: its record, and its place in a queue or tree. */
const recordBytes = 400;

export function newHoldings(): Holdings {
  return { count: 0, bytes: 0, sizes: 0, lastStoreId: 0, slab: null, slabUsed: 0, pool: new MessagePool() };
}

/**
 * Moves the bytes of a kept message out of Node's shared pool, for messages that stay and are held next: one that stays in the pool
 * would hold on to 8 KiB, and one whose topic is passing to a block of those. Small ones lie side by side in a slab, others get
 * memory of their own.
 */
export function compact(holdings: Holdings, message: Message): void {
  if (message.slab !== null) return;
  const { topic, payloadSource } = message;
  const ownLength = message.payloadLength + message.propertiesEnd - message.propertiesStart;
  const length = topic.isPassing ? ownLength + topic.length : ownLength;
  if (length > inSlabMax) {
    const isAlone = payloadSource.buffer.byteLength <= 2 * ownLength;
    if (isAlone && !topic.isPassing) return;
    moveTo(message, Buffer.allocUnsafeSlow(length), 0);
    return;
  }
  let { slab } = holdings;
  if (slab === null || holdings.slabUsed + length > slabBytes) {
    if (slab !== null && slab.held > 0) holdings.sizes += slabBytes - slab.heldBytes;
    slab = { bytes: Buffer.allocUnsafeSlow(slabBytes), held: 0, heldBytes: 0 };
    holdings.slab = slab;
    holdings.slabUsed = 0;
  }
  moveTo(message, slab.bytes, holdings.slabUsed);
  holdings.slabUsed += length;
  message.slab = slab;
  slab.held++;
  slab.heldBytes += bytesIn(slab, message);
}

/** Gives the message's bytes their place at `start` of `target`: properties, payload, and a topic that is its own. */
function moveTo(message: Message, target: Buffer, start: number): void {
  const { topic, propertiesStart } = message;
  let at = start;
  const properties = message.propertiesSource.copy(target, at, propertiesStart, message.propertiesEnd);
  message.propertiesSource = target;
  message.propertiesStart = at;
  message.propertiesEnd = at + properties;
  if (message.expiryOffset >= 0) message.expiryOffset += at - propertiesStart;
  at += properties;
  const payload = message.payloadSource.copy(target, at, message.payloadStart, message.payloadEnd);
  message.payloadSource = target;
  message.payloadStart = at;
  message.payloadEnd = at + payload;
  if (topic.isPassing) topic.moveTo(target, at + payload);
}

/** What the message takes of the slab. */
function bytesIn({ bytes }: Slab, message: Message): number {
  const own = message.payloadLength + message.propertiesEnd - message.propertiesStart;
  return message.topic.source === bytes ? own + message.topic.length : own;
}

/**
 * Bytes that a message takes, with its Topic Name, although messages of one topic often share that. The same for a message and
 * for its kept copy.
 */
export function sizeOf(message: Message): number {
  const propertiesLength = message.propertiesEnd - message.propertiesStart;
  return recordBytes + message.payloadLength + propertiesLength + message.topic.length;
}

/** Somebody begins to hold a kept message. */
export function hold(holdings: Holdings, message: Message): void {
  if (message.references++ > 0) return;
  holdings.count++;
  holdings.bytes += message.payloadLength;
  holdings.sizes += sizeOf(message);
  if (message.storeId === 0) message.storeId = ++holdings.lastStoreId;
}

/** Somebody lets go of a message. */
export function release(holdings: Holdings, message: Message | null): void {
  if (message === null || --message.references > 0) return;
  holdings.count--;
  holdings.bytes -= message.payloadLength;
  holdings.sizes -= sizeOf(message);
  if (message.slab !== null) leave(holdings, message.slab, message);
  holdings.pool.give(message);
}

/** Bytes in a full slab count until all messages in it are gone; at most one slab is not full. */
function leave(holdings: Holdings, slab: Slab, message: Message): void {
  const bytes = bytesIn(slab, message);
  slab.held--;
  slab.heldBytes -= bytes;
  message.slab = null;
  if (slab === holdings.slab) return;
  holdings.sizes += slab.held > 0 ? bytes : bytes - slabBytes;
}
