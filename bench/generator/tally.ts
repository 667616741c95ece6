/**
 * Who has received what: every message is accounted for by publisher and sequence number.
 *
 * Two ways to keep the books. `EachTally`: every subscriber of a publisher must see every one of its messages, in order;
 * one counter per (subscriber, publisher). `OnceTally`: each message goes to exactly one of several subscribers (shared
 * subscriptions, disjoint filters); one ring of recent sequence numbers per publisher.
 */

export interface TallyCounts {
  /** Messages received, copies included. */
  readonly received: number;
  /** Deliveries that should have happened and did not. */
  readonly lost: number;
  /** Messages received again. */
  readonly duplicated: number;
  /** Messages received behind a later one of the same publisher; always 0 in a OnceTally. */
  readonly reordered: number;
}

export class EachTally {
  /** Next sequence number expected: index subscriber × publishers + publisher. */
  readonly #expected: Uint32Array;
  readonly #publishers: number;
  #received = 0;
  #skipped = 0;
  #late = 0;

  constructor(publishers: number, subscribers: number) {
    this.#publishers = publishers;
    this.#expected = new Uint32Array(publishers * subscribers);
  }

  note(subscriber: number, publisher: number, sequence: number): void {
    const index = subscriber * this.#publishers + publisher;
    const expected = this.#expected[index] as number;
    this.#received++;
    if (sequence === expected) {
      this.#expected[index] = expected + 1;
    } else if (sequence > expected) {
      this.#skipped += sequence - expected;
      this.#expected[index] = sequence + 1;
    } else {
      this.#late++;
    }
  }

  /**
   * @param sent - messages sent, by publisher
   * @param isPair - whether this subscriber must get this publisher's messages
   *
   * A late message first fills a gap (it was reordered); only what is left over counts as duplicated.
   */
  counts(sent: readonly number[], isPair: (subscriber: number, publisher: number) => boolean): TallyCounts {
    let missing = this.#skipped;
    const subscribers = this.#expected.length / this.#publishers;
    for (let subscriber = 0; subscriber < subscribers; subscriber++) {
      for (let publisher = 0; publisher < this.#publishers; publisher++) {
        if (!isPair(subscriber, publisher)) continue;
        missing += (sent[publisher] as number) - (this.#expected[subscriber * this.#publishers + publisher] as number);
      }
    }
    const reordered = Math.min(this.#skipped, this.#late);
    return { received: this.#received, lost: missing - reordered, duplicated: this.#late - reordered, reordered };
  }
}

export class OnceTally {
  /** Slot sequence % ring of each publisher holds the last sequence number seen there plus 1. */
  readonly #seen: Uint32Array;
  readonly #ring: number;
  #received = 0;
  #duplicated = 0;

  /** @param underWayMax - most messages of one publisher that can be under way; the ring is larger than that */
  constructor(publishers: number, underWayMax: number) {
    this.#ring = 2 ** Math.ceil(Math.log2(underWayMax + 1));
    this.#seen = new Uint32Array(publishers * this.#ring);
  }

  note(_subscriber: number, publisher: number, sequence: number): void {
    const slot = publisher * this.#ring + (sequence & (this.#ring - 1));
    this.#received++;
    if (this.#seen[slot] === sequence + 1) this.#duplicated++;
    else this.#seen[slot] = sequence + 1;
  }

  counts(sent: readonly number[]): TallyCounts {
    const expected = sent.reduce((sum, count) => sum + count, 0);
    const lost = expected - (this.#received - this.#duplicated);
    return { received: this.#received, lost, duplicated: this.#duplicated, reordered: 0 };
  }
}
