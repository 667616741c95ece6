/**
 * Acknowledgements that the program gives itself, sent in the order of the messages. [MQTT-4.6.0-2]
 *
 * Bounded by the Receive Maximum of our CONNECT, because the broker sends no more than that unacknowledged.
 */
import type { PublishPacket } from '../codec/packet.ts';

interface Entry {
  readonly message: PublishPacket;
  isGiven: boolean;
}

export class PendingAcks {
  #entries: Entry[] = [];

  add(message: PublishPacket): void {
    this.#entries.push({ message, isGiven: false });
  }

  /** Marks a message and returns those whose acknowledgement may leave now. Unknown ones (of an earlier connection) are ignored. */
  give(message: PublishPacket): readonly PublishPacket[] {
    const entry = this.#entries.find((candidate) => candidate.message === message);
    if (entry === undefined) return [];
    entry.isGiven = true;
    const first = this.#entries.findIndex((candidate) => !candidate.isGiven);
    const ready = first < 0 ? this.#entries : this.#entries.slice(0, first);
    this.#entries = first < 0 ? [] : this.#entries.slice(first);
    return ready.map((candidate) => candidate.message);
  }

  /** The connection is over; the broker sends again what it wants acknowledged. */
  clear(): void {
    this.#entries = [];
  }
}
