/**
 * Standard output with back-pressure.
 *
 * A file is written at once; a pipe or terminal takes what it can, and the rest waits without stopping the process, so that a slow reader
 * does not cost the connection to the broker.
 */
import { fstatSync, writeSync } from 'node:fs';
import { errnoCode } from './exit-code.ts';
import type { ToolOutput } from './tool-io.ts';

/** Bytes that may wait before writers are asked to pause. */
const HIGH_WATER_BYTES = 262_144;

export class OutputSink implements ToolOutput {
  readonly #fd: number;
  #isFile: boolean | undefined;
  #isClosed = false;
  #onDrain: (() => void) | undefined;
  #onClose: ((error: Error) => void) | undefined;

  /** @param fd - 1 */
  constructor(fd: number) {
    this.#fd = fd;
  }

  get isTerminal(): boolean {
    return process.stdout.isTTY === true;
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  onClose(handler: (error: Error) => void): void {
    this.#onClose = handler;
  }

  write(bytes: Buffer): boolean {
    if (this.#isClosed || bytes.length === 0) return !this.#isClosed;
    if (this.#isFile === undefined) this.#open();
    if (this.#isFile) {
      this.#writeFile(bytes);
      return true;
    }
    process.stdout.write(bytes);
    return process.stdout.writableLength < HIGH_WATER_BYTES;
  }

  get isSynchronous(): boolean {
    return this.#isFile === true;
  }

  text(text: string): void {
    this.write(Buffer.from(text));
  }

  /** Resolves when everything is with the system. */
  flush(): Promise<void> {
    if (this.#isFile !== false || this.#isClosed || process.stdout.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      process.stdout.write('', () => resolve());
    });
  }

  #open(): void {
    try {
      this.#isFile = fstatSync(this.#fd).isFile();
    } catch (error) {
      this.#close(error);
      return;
    }
    if (this.#isFile) return;
    process.stdout.on('drain', () => this.#onDrain?.());
    process.stdout.on('error', (error) => this.#close(error));
  }

  #writeFile(bytes: Buffer): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at);
    } catch (error) {
      if (errnoCode(error) !== 'EAGAIN') this.#close(error);
    }
  }

  #close(error: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose?.(error instanceof Error ? error : new Error(String(error)));
  }
}
