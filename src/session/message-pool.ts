/**
 * Messages that are used again: those that wait for a moment and that nobody else holds, which is what an incoming QoS 2 message
 * does between its PUBLISH and its PUBREL.
 *
 * With thousands of them under way each survives a collection or two before it is let go, so that copying them costs more than
 * everything else that is done with them. A pooled message is never handed to a holder: like one in the read buffer it is valid
 * for the time of a call, and whoever wants it for longer gets a copy from `keep()`. Its `kept` is never itself.
 */
import { Message } from '../contracts/message.ts';
import { Topic } from '../topics/topic.ts';

const smallestBytes = 64;
/** Sizes are 64 bytes, 128, … up to 4 KiB. For larger ones the record is not what costs. */
const sizes = 7;
/** What a free message takes beside its bytes: its record and the view of the bytes. */
const recordBytes = 400;
/** What all free messages may take; one more is left to the collector. */
const freeBytesMax = 8 * 1024 * 1024;

const noTopic = Topic.of('');
const noPublisher = { clientId: '', username: null, listenerPort: 0 };

export class MessagePool {
  /** By size: those that can be used. */
  readonly #free: readonly Message[][] = Array.from({ length: sizes }, () => []);
  #freeBytes = 0;

  /** What the free messages take, roughly. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A copy of a transient message, to be given back; a large one is kept as any other. */
  take(message: Message): Message {
    const bytes = message.payloadEnd - message.payloadStart + message.propertiesEnd - message.propertiesStart;
    const size = bytes <= smallestBytes ? 0 : 26 - Math.clz32(bytes - 1);
    if (size >= sizes) return message.keep();
    let pooled = (this.#free[size] as Message[]).pop();
    if (pooled === undefined) {
      pooled = new Message(message.topic, message.publisher);
      pooled.copyFrom(message, Buffer.allocUnsafe(smallestBytes << size));
    } else {
      this.#freeBytes -= recordBytes + pooled.payloadSource.length;
      pooled.copyFrom(message, pooled.payloadSource);
    }
    return pooled;
  }

  /** Nobody needs the message any more. One that was not taken here is left alone. */
  give(message: Message): void {
    if (message.kept === message) return;
    // A copy, a long name: nothing but its own bytes may stay because of it.
    message.kept = null;
    message.topic = noTopic;
    message.publisher = noPublisher;
    const { length } = message.payloadSource;
    if (this.#freeBytes + recordBytes + length > freeBytesMax) return;
    this.#freeBytes += recordBytes + length;
    (this.#free[26 - Math.clz32(length - 1)] as Message[]).push(message);
  }
}
