/** Counting who holds a message, so that the broker knows what it stores (`$SYS/broker/messages/stored`). */
import type { Message } from '../contracts/message.ts';

/** What is held by at least one delivery, retained entry or Will. */
export interface Holdings {
  count: number;
  /** Payload bytes of those messages. */
  bytes: number;
  /** Identity the store knows messages by; grows. */
  lastStoreId: number;
}

/** Somebody begins to hold a kept message. */
export function hold(holdings: Holdings, message: Message): void {
  if (message.references++ > 0) return;
  holdings.count++;
  holdings.bytes += message.payloadLength;
  if (message.storeId === 0) message.storeId = ++holdings.lastStoreId;
}

/** Somebody lets go of a message. */
export function release(holdings: Holdings, message: Message | null): void {
  if (message === null || --message.references > 0) return;
  holdings.count--;
  holdings.bytes -= message.payloadLength;
}
