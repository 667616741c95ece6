/** Counting who holds a message, so that the broker knows what it stores (`$SYS/broker/messages/stored`). */
import type { Message } from '../contracts/message.ts';
import { MessagePool } from './message-pool.ts';

/** What is held by at least one delivery, retained entry or Will. */
export interface Holdings {
  count: number;
  /** Payload bytes of those messages. */
  bytes: number;
  /** All that they take, roughly: {@link sizeOf} of each. */
  sizes: number;
  /** Identity the store knows messages by; grows. */
  lastStoreId: number;
  /** Where the next small message that stays is put; the first `slabUsed` bytes are taken. Null before the first. */
  slab: Buffer | null;
  slabUsed: number;
  /** Where messages come from that only their publisher's session holds. */
  readonly pool: MessagePool;
}

/** Bytes of a slab; a message that outlives its neighbours holds on to all of it. */
const slabBytes = 2048;
/** Larger ones get memory of their own, for which V8 keeps 300 bytes of books. */
const inSlabMax = slabBytes / 4;
/** What a message takes beside its own bytes: its record, and its place in a queue or tree. */
const recordBytes = 400;

export function newHoldings(): Holdings {
  return { count: 0, bytes: 0, sizes: 0, lastStoreId: 0, slab: null, slabUsed: 0, pool: new MessagePool() };
}

/**
 * Moves the bytes of a kept message out of Node's shared pool, for messages that stay: one that stays in the pool would hold on to
 * 8 KiB. Small ones lie side by side in a slab, others get memory of their own.
 */
export function compact(holdings: Holdings, message: Message): void {
  const { payloadSource } = message;
  const { length } = payloadSource;
  if (payloadSource.buffer.byteLength <= Math.max(2 * length, slabBytes)) return;
  if (length > inSlabMax) {
    moveTo(message, Buffer.allocUnsafeSlow(length), 0);
    return;
  }
  if (holdings.slab === null || holdings.slabUsed + length > slabBytes) {
    holdings.slab = Buffer.allocUnsafeSlow(slabBytes);
    holdings.slabUsed = 0;
  }
  moveTo(message, holdings.slab, holdings.slabUsed);
  holdings.slabUsed += length;
}

/** Gives the message's bytes their place at `start` of `target`. */
function moveTo(message: Message, target: Buffer, start: number): void {
  const { payloadSource } = message;
  payloadSource.copy(target, start);
  if (message.propertiesSource === payloadSource) {
    message.propertiesSource = target;
    message.propertiesStart += start;
    message.propertiesEnd += start;
    if (message.expiryOffset >= 0) message.expiryOffset += start;
  }
  message.payloadSource = target;
  message.payloadStart += start;
  message.payloadEnd += start;
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
  holdings.pool.give(message);
}
