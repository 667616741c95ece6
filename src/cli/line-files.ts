/** Texts of any length to a file or standard output, and from one or standard input, line by line. */
import { isUtf8 } from 'node:buffer';
import { closeSync, createReadStream, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { FormatError } from '../store/byte-reader.ts';
import type { ToolIo } from './tool-io.ts';

const blockSize = 1 << 16;

/** A file that is there wholly or not at all; `-` is standard output. */
export class LineTarget {
  readonly #path: string;
  readonly #io: ToolIo;
  readonly #descriptor: number | null;
  #text = '';

  constructor(path: string, io: ToolIo) {
    this.#path = path;
    this.#io = io;
    // Payloads are nobody else's business.
    this.#descriptor = path === '-' ? null : openSync(`${path}.new`, 'w', 0o600);
  }

  async add(line: string): Promise<void> {
    this.#text += line;
    if (this.#text.length >= blockSize) await this.#write();
  }

  async end(): Promise<void> {
    await this.#write();
    if (this.#descriptor === null) return;
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** Leaves nothing behind. */
  abandon(): void {
    if (this.#descriptor === null) return;
    closeSync(this.#descriptor);
    rmSync(`${this.#path}.new`, { force: true });
  }

  async #write(): Promise<void> {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    if (this.#descriptor === null) {
      if (this.#io.stdout.write(bytes)) return;
      await new Promise<void>((resolve) => {
        this.#io.stdout.onDrain(resolve);
      });
      return;
    }
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
  }
}

/**
 * The lines of a file, without their line feeds; `-` is standard input.
 *
 * @throws FormatError - for a line that is not UTF-8
 */
export async function* linesOf(path: string, io: ToolIo): AsyncGenerator<string> {
  const pieces: Buffer[] = [];
  for await (const chunk of path === '-' ? io.stdin : createReadStream(path)) {
    // Both streams give bytes, because nobody set an encoding.
    const bytes = chunk as Buffer;
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      pieces.push(bytes.subarray(start, end));
      yield textOf(pieces);
      pieces.length = 0;
      start = end + 1;
    }
    if (start < bytes.length) pieces.push(bytes.subarray(start));
  }
  if (pieces.length > 0) yield textOf(pieces);
}

function textOf(pieces: readonly Buffer[]): string {
  const [first = Buffer.alloc(0)] = pieces;
  const line = pieces.length === 1 ? first : Buffer.concat(pieces);
  if (!isUtf8(line)) throw new FormatError('it is not UTF-8');
  return line.toString('utf8');
}
