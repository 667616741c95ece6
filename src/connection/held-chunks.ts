/** Bytes of a connection that is not read: what its transport had under way when it was paused. */

/** Bytes that are kept; a transport that was paused has no more than this under way. */
const bytesMax = 1024 * 1024;

export class HeldChunks {
  #chunks: Buffer[] | null = null;
  #bytes = 0;

  /** @returns false when there is no room: more came than there may be */
  add(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes += end - start;
    if (this.#bytes > bytesMax) return false;
    this.#chunks ??= [];
    this.#chunks.push(Buffer.from(bytes.subarray(start, end)));
    return true;
  }

  /** The oldest chunk, which is not held any more. */
  take(): Buffer | undefined {
    const bytes = this.#chunks?.shift();
    if (bytes === undefined) this.#chunks = null;
    else this.#bytes -= bytes.length;
    return bytes;
  }
}
