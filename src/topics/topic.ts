/**
 * A Topic Name that passed all checks, shared by the messages published to it.
 *
 * Bytes are what a message needs, text what rules, watchers and stores ask for; so the text is made when somebody first asks. The bytes
 * lie among others in a larger block and may change their place, so `source` and `start` are for use at once.
 */
export class Topic {
  #source: Buffer;
  /** Where the name begins, times two; and 1 while the topic is passing. */
  #place: number;
  /** Bytes of the name, 1 to 65,535. */
  readonly length: number;
  #name: string | null;
  /** For whoever watches the engine: what it knows about this topic, found again without a look-up. The engine never looks. */
  mark: object | null = null;

  /**
   * @param source - the name is `source[start..start + length)`, which nobody changes any more
   * @param isPassing - see {@link isPassing}
   */
  constructor(source: Buffer, start: number, length: number, name: string | null = null, isPassing = false) {
    this.#source = source;
    this.#place = (start << 1) | (isPassing ? 1 : 0);
    this.length = length;
    this.#name = name;
  }

  /** The topic of a name that is known to be legal. */
  static of(name: string): Topic {
    const bytes = Buffer.from(name);
    return new Topic(bytes, 0, bytes.length, name);
  }

  get name(): string {
    return (this.#name ??= this.text);
  }

  /** The name for somebody who needs it once: it is made anew unless it is there. */
  get text(): string {
    return this.#name ?? this.#source.toString('utf8', this.start, this.start + this.length);
  }

  /**
   * Whether the topic belongs to one message alone, its bytes among those of others that go soon. A route takes its topic when it
   * gets its place, before anybody holds a message: one that moved into the memory of a message never moves again.
   */
  get isPassing(): boolean {
    return (this.#place & 1) !== 0;
  }

  /** The name is `source[start..start + length)`. */
  get source(): Buffer {
    return this.#source;
  }

  get start(): number {
    return this.#place >>> 1;
  }

  /** Whether the name is `bytes[start..end)`. */
  is(bytes: Buffer, start: number, end: number): boolean {
    const { length } = this;
    if (end - start !== length) return false;
    const source = this.#source;
    const own = this.start;
    // From the end: names of one publisher mostly differ there.
    for (let index = length - 1; index >= 0; index--) {
      if (source[own + index] !== bytes[start + index]) return false;
    }
    return true;
  }

  /** Gives the bytes a place at `start` of `target`, which nobody changes afterwards. It is not passing any more. */
  moveTo(target: Buffer, start: number): void {
    this.#source.copy(target, start, this.start, this.start + this.length);
    this.#source = target;
    this.#place = start << 1;
  }
}

/** Bytes of a block; a topic that outlives its neighbours holds on to all of it, and V8 keeps 300 bytes of books for each. */
const blockBytes = 512;

/** Places for the bytes of topics, side by side in blocks. */
export class TopicBlocks {
  #block: Buffer = Buffer.alloc(0);
  #used = 0;

  /** A passing topic: a copy of `bytes[start..end)`. */
  copy(bytes: Buffer, start: number, end: number): Topic {
    const length = end - start;
    const at = this.#reserve(length);
    const block = this.#block;
    if (length > 64) bytes.copy(block, at, start, end);
    else for (let index = 0; index < length; index++) block[at + index] = bytes[start + index] as number;
    return new Topic(block, at, length, null, true);
  }

  /** The topic of a name that is known to be legal. */
  of(name: string): Topic {
    const length = Buffer.byteLength(name);
    const at = this.#reserve(length);
    this.#block.write(name, at, length);
    return new Topic(this.#block, at, length);
  }

  /** Moves the bytes of a topic here. */
  take(topic: Topic): void {
    const at = this.#reserve(topic.length);
    topic.moveTo(this.#block, at);
  }

  #reserve(length: number): number {
    if (this.#used + length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(blockBytes, length));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used = at + length;
    return at;
  }
}
