/** Deleted retained messages, for ten minutes and within {@link binBytesMax}. */
import type { Clock } from '../base/clock.ts';
import type { Message } from '../contracts/message.ts';

export const binBytesMax = 64 * 1024 * 1024;
export const undoMinutes = 10;
/** What a message takes beside its payload and topic, roughly. */
const messageBytes = 400;

export interface Deletion {
  readonly undoId: string;
  readonly filter: string;
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly by: string;
  readonly untilMs: number;
}

export class RetainedBin {
  readonly #clock: Clock;
  #deletions: Deletion[] = [];
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Memory that keeping these would take. */
  static bytesOf(messages: readonly Message[]): number {
    return messages.reduce(
      (sum, { topic, payloadLength }) => sum + messageBytes + 2 * topic.name.length + payloadLength,
      0,
    );
  }

  /** Keeps them; older deletions make room. @returns null when they are too large for the bin */
  add(filter: string, messages: readonly Message[], by: string): Deletion | null {
    const bytes = RetainedBin.bytesOf(messages);
    if (bytes > binBytesMax) return null;
    this.#sweep();
    while (this.#bytes + bytes > binBytesMax) this.#drop(this.#deletions[0] as Deletion);
    const undoId = this.#clock.randomBytes(12).toString('base64url');
    const untilMs = this.#clock.nowMs() + undoMinutes * 60_000;
    const deletion = { undoId, filter, messages, bytes, by, untilMs };
    this.#deletions.push(deletion);
    this.#bytes += bytes;
    // The memory is given back even when nobody looks again.
    this.#clock.after(undoMinutes * 60_000 + 1000, () => this.#sweep());
    return deletion;
  }

  /** Takes a deletion out, to be undone. */
  take(undoId: string): Deletion | undefined {
    this.#sweep();
    const deletion = this.#deletions.find((one) => one.undoId === undoId);
    if (deletion !== undefined) this.#drop(deletion);
    return deletion;
  }

  /** Newest first. */
  get all(): Deletion[] {
    this.#sweep();
    return this.#deletions.toReversed();
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const deletion of this.#deletions.filter(({ untilMs }) => untilMs <= nowMs)) this.#drop(deletion);
  }

  #drop(deletion: Deletion): void {
    this.#deletions = this.#deletions.filter((one) => one !== deletion);
    this.#bytes -= deletion.bytes;
  }
}
