/**
 * Packet Identifier → incoming QoS 2 message that awaits PUBREL.
 *
 * Open addressing with a hash that is the identifier itself: clients count, so nearly every one is found at its own place, and
 * nothing is made for it. At most half of the places are taken, so of 65,535 identifiers few can share one, whoever chooses them.
 */
import type { Message } from '../contracts/message.ts';

const smallestTable = 8;
const free = -1;
/** An empty table above this size is given back. */
const keptTable = 1024;

export class ReceivedMessages {
  /** By place: Packet Identifier, or that it is free; and what it stands for. */
  #packetIds = emptyIds(smallestTable);
  #messages = emptyMessages(smallestTable);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(packetId: number): boolean {
    return this.#packetIds[this.#placeOf(packetId)] === packetId;
  }

  /** undefined: no such exchange; null: one that was refused silently. */
  get(packetId: number): Message | null | undefined {
    const place = this.#placeOf(packetId);
    return this.#packetIds[place] === packetId ? this.#messages[place] : undefined;
  }

  /** One that is there gets the new message. */
  set(packetId: number, message: Message | null): void {
    let place = this.#placeOf(packetId);
    if (this.#packetIds[place] === free) {
      if (2 * (this.#size + 1) > this.#packetIds.length) {
        this.#resize(2 * this.#packetIds.length);
        place = this.#placeOf(packetId);
      }
      this.#size++;
    }
    this.#packetIds[place] = packetId;
    this.#messages[place] = message;
  }

  /** @returns what was there, as `get` tells it */
  take(packetId: number): Message | null | undefined {
    const place = this.#placeOf(packetId);
    if (this.#packetIds[place] !== packetId) return undefined;
    const message = this.#messages[place];
    this.#size--;
    if (this.#size === 0 && this.#packetIds.length > keptTable) this.#resize(smallestTable);
    else this.#close(place);
    return message;
  }

  /** All of them; a copy that the caller may walk while they change. */
  entries(): (readonly [number, Message | null])[] {
    const entries: (readonly [number, Message | null])[] = [];
    for (const [place, packetId] of this.#packetIds.entries()) {
      if (packetId !== free) entries.push([packetId, this.#messages[place] as Message | null]);
    }
    return entries;
  }

  /** Where the identifier is, or would be. */
  #placeOf(packetId: number): number {
    const packetIds = this.#packetIds;
    const mask = packetIds.length - 1;
    let place = packetId & mask;
    while (packetIds[place] !== packetId && packetIds[place] !== free) place = (place + 1) & mask;
    return place;
  }

  /** Frees a place; those behind it that had to make way move up, so that a free place always ends a search. */
  #close(freed: number): void {
    const packetIds = this.#packetIds;
    const messages = this.#messages;
    const mask = packetIds.length - 1;
    let hole = freed;
    for (let place = (hole + 1) & mask; packetIds[place] !== free; place = (place + 1) & mask) {
      const packetId = packetIds[place] as number;
      // One whose own place lies behind the hole stays.
      if (((place - packetId) & mask) < ((place - hole) & mask)) continue;
      packetIds[hole] = packetId;
      messages[hole] = messages[place] as Message | null;
      hole = place;
    }
    packetIds[hole] = free;
    messages[hole] = null;
  }

  #resize(places: number): void {
    const entries = this.#size === 0 ? [] : this.entries();
    this.#packetIds = emptyIds(places);
    this.#messages = emptyMessages(places);
    for (const [packetId, message] of entries) {
      const place = this.#placeOf(packetId);
      this.#packetIds[place] = packetId;
      this.#messages[place] = message;
    }
  }
}

function emptyIds(places: number): number[] {
  return new Array<number>(places).fill(free);
}

function emptyMessages(places: number): (Message | null)[] {
  return new Array<Message | null>(places).fill(null);
}
