/**
 * Lines to a file descriptor without ever holding up the event loop.
 *
 * One write is under way at a time, in Node's thread pool; lines that come meanwhile are joined into the next one. So a
 * slow disk costs memory, bounded, and then lines, counted — never time of the broker.
 */
import { close, write, writeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';

/** Waiting bytes above which lines are lost. */
export const pendingBytesMax = 1_048_576;
const retryMs = 20;
const closeWaitMs = 1_000;

export interface LineWriterOptions {
  readonly clock: Clock;
  /** Whether {@link LineWriter.close} closes the descriptor too. */
  readonly ownsDescriptor: boolean;
  /** The line, without its end, that tells of lines lost. */
  readonly lossNotice: (count: number) => string;
  /** Called once when writing fails and again only after it has worked in between. */
  readonly onFailure: (error: NodeJS.ErrnoException) => void;
}

export class LineWriter {
  readonly #fd: number;
  readonly #options: LineWriterOptions;
  #pending: string[] = [];
  #pendingBytes = 0;
  #lost = 0;
  #chunk: Buffer | null = null;
  #chunkOffset = 0;
  #chunkLines = 0;
  #isWriting = false;
  #hasFailed = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #onIdle: (() => void) | null = null;

  constructor(fd: number, options: LineWriterOptions) {
    this.#fd = fd;
    this.#options = options;
  }

  /** Adds one line; `line` has no line end. After {@link close} it is ignored. */
  write(line: string): void {
    if (this.#state !== 'open') return;
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#pendingBytes + bytes > pendingBytesMax) {
      this.#lost++;
      return;
    }
    this.#pending.push(line);
    this.#pendingBytes += bytes;
    this.#pump();
  }

  /** Writes what waits at once, blocking; for a process that is about to end without returning to the event loop. */
  flushNow(): void {
    // The write under way belongs to the thread pool, which finishes it before the process ends.
    if (!this.#isWriting) this.#drain();
    else if (this.#pending.length > 0) {
      const rest = this.#takeChunk();
      if (rest !== null) this.#writeBlocking(rest, 0);
    }
  }

  /** Writes what waits (for at most a second on a descriptor that takes nothing) and lets the descriptor go. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    if (this.#isWriting) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#drain();
    this.#state = 'closed';
    if (!this.#options.ownsDescriptor) return;
    await new Promise<void>((resolve) => close(this.#fd, () => resolve()));
  }

  #pump(): void {
    if (this.#isWriting || this.#state !== 'open') return;
    if (this.#chunk === null) {
      this.#chunk = this.#takeChunk();
      this.#chunkOffset = 0;
      if (this.#chunk === null) return;
    }
    this.#isWriting = true;
    const chunk = this.#chunk;
    write(this.#fd, chunk, this.#chunkOffset, chunk.length - this.#chunkOffset, null, (error, written) => {
      this.#isWriting = false;
      const mustWait = this.#afterWrite(chunk, error, written);
      if (this.#onIdle !== null) this.#onIdle();
      else if (mustWait) this.#options.clock.after(retryMs, () => this.#pump());
      else this.#pump();
    });
  }

  /** @returns whether the descriptor takes nothing at the moment */
  #afterWrite(chunk: Buffer, error: NodeJS.ErrnoException | null, written: number): boolean {
    if (error === null) {
      this.#hasFailed = false;
      this.#chunkOffset += written;
      if (this.#chunkOffset >= chunk.length) this.#chunk = null;
      return false;
    }
    if (error.code === 'EAGAIN') return true;
    this.#chunk = null;
    this.#fail(error, this.#chunkLines);
    return false;
  }

  #fail(error: NodeJS.ErrnoException, lines: number): void {
    this.#lost += lines;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onFailure(error);
  }

  /** The waiting lines as bytes, null when there are none. */
  #takeChunk(): Buffer | null {
    if (this.#lost > 0 && !this.#hasFailed) {
      this.#pending.push(this.#options.lossNotice(this.#lost));
      this.#lost = 0;
    }
    if (this.#pending.length === 0) return null;
    this.#chunkLines = this.#pending.length;
    const chunk = Buffer.from(`${this.#pending.join('\n')}\n`, 'utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    return chunk;
  }

  #drain(): void {
    if (this.#chunk !== null) {
      const chunk = this.#chunk;
      this.#chunk = null;
      if (!this.#writeBlocking(chunk, this.#chunkOffset)) return;
    }
    const rest = this.#takeChunk();
    if (rest !== null) this.#writeBlocking(rest, 0);
  }

  /** @returns false when the descriptor refused or took nothing for a second */
  #writeBlocking(chunk: Buffer, start: number): boolean {
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    const deadlineMs = this.#options.clock.monotonicMs() + closeWaitMs;
    let attempts = closeWaitMs / retryMs;
    let offset = start;
    while (offset < chunk.length) {
      try {
        offset += writeSync(this.#fd, chunk, offset);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // Attempts are counted too, because a clock in a test may stand still.
        if (code !== 'EAGAIN' || attempts-- <= 0 || this.#options.clock.monotonicMs() >= deadlineMs) return false;
        Atomics.wait(sleeper, 0, 0, retryMs);
      }
    }
    return true;
  }
}
